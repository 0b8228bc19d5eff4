"""Networks of equal size: counted by hand, nearest found, bad input told."""

import pytest

from rnnlib import Bidirectional, GRUCell, LSTMCell, OutputLayer, PeepholeLSTMCell, RNNCell
from rnnlib.budget import hidden_size, parameters


def test_counts_are_those_of_the_equations():
    D, H, K = 3, 5, 2
    assert parameters(RNNCell.init(D, H)) == H * D + H * H + H
    assert parameters(LSTMCell.init(D, H)) == 4 * (H * D + H * H + H)
    assert parameters(PeepholeLSTMCell.init(D, H)) == 4 * (H * D + H * H + H) + 3 * H
    assert parameters(GRUCell.init(D, H)) == 3 * (H * D + H * H + H) + H
    assert parameters((RNNCell.init(D, H), OutputLayer.init(H, K))) == 45 + K * H + K


def with_output(D, H):
    cell = Bidirectional(GRUCell.init(D, H), GRUCell.init(D, H))
    return cell, OutputLayer.init(2 * H, 4)


@pytest.mark.parametrize("init", [RNNCell.init, LSTMCell.init, GRUCell.init, with_output])
@pytest.mark.parametrize("wanted", [1, 100, 1216, 5000])
def test_no_other_size_is_nearer(init, wanted):
    found = hidden_size(init, 2, wanted)
    distance = [abs(parameters(init(2, H)) - wanted) for H in range(1, 90)]
    assert found == 1 + distance.index(min(distance))


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ((3, 2, 10), TypeError, "init: expected a function of input_size and hidden_size"),
    ((RNNCell.init, 0, 10), ValueError, "input_size: expected"),
    ((RNNCell.init, 2, 0), ValueError, "wanted: expected"),
    ((lambda D, H: RNNCell.init(D, 3), 2, 100), ValueError, "init: expected more parameters"),
])
def test_bad_input_is_told(arguments, error, message):
    with pytest.raises(error, match=message):
        hidden_size(*arguments)
