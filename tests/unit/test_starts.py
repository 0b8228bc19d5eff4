"""The first weights: each start is what it says, gate by gate."""

import numpy as np
import pytest

from rnnlib import (
    GRUCell,
    LeakyRNNCell,
    LSTM1997Cell,
    LSTMCell,
    PaperGRUCell,
    PeepholeLSTMCell,
    RNNCell,
    starts,
)
from rnnlib.skip import SkipRNNCell

STARTED = {  # each cell with the number of its gates
    "rnn": (RNNCell, 1), "leaky": (LeakyRNNCell, 1), "skip": (SkipRNNCell, 1),
    "lstm": (LSTMCell, 4), "peepholes": (PeepholeLSTMCell, 4), "1997": (LSTM1997Cell, 3),
    "gru": (GRUCell, 3),
}
every_start = pytest.mark.parametrize(("kind", "gates"), STARTED.values(), ids=STARTED)


@every_start
def test_an_orthogonal_start_is_orthogonal_in_every_gate_and_times_the_gain(kind, gates):
    blocks = kind.init(2, 6, start="orthogonal", gain=0.5, rng=0).W.reshape(gates, 6, 6)
    for W in blocks:
        np.testing.assert_allclose(W @ W.T, 0.25 * np.eye(6), atol=1e-14)
    assert len({W.tobytes() for W in blocks}) == gates              # each drawn anew


@every_start
def test_an_identity_start_copies_the_state(kind, gates):
    cell = kind.init(2, 5, start="identity", gain=2.0, rng=0)
    assert np.array_equal(cell.W, np.tile(2 * np.eye(5), (gates, 1)))


@every_start
def test_a_uniform_start_is_torchs_and_the_gain_multiplies_it(kind, gates):
    W = kind.init(2, 100, rng=0).W
    assert np.abs(W).max() <= 0.1
    assert W.min() < -0.099
    assert W.max() > 0.099
    assert np.array_equal(kind.init(2, 100, gain=3.0, rng=0).W, 3 * W)


@every_start
def test_a_start_changes_only_w_and_repeats_with_its_seed(kind, gates):
    one, two = (kind.init(2, 5, start="gaussian", rng=7) for _ in "12")
    assert all(v.tobytes() == getattr(two, name).tobytes() for name, v in one.fields().items())
    other = kind.init(2, 5, start="gaussian", rng=8)
    assert not any(np.isin(getattr(other, name), one.W).any() for name in ("U", "W"))
    assert np.array_equal(one.U, kind.init(2, 5, rng=7).U)


def test_a_gaussian_start_has_variance_one_over_h():
    W = starts.recurrent("gaussian", 200, np.random.default_rng(0))
    assert W.var() * 200 == pytest.approx(1, abs=0.03)
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(1, abs=0.1)


def test_an_orthogonal_start_is_uniform_over_all_orthogonal_matrices():
    """QR alone gives a diagonal that is never positive: E[tr W] must be 0."""
    rng = np.random.default_rng(0)
    traces = [np.trace(starts.recurrent("orthogonal", 3, rng)) for _ in range(2000)]
    assert np.mean(traces) == pytest.approx(0, abs=0.1)
    assert np.var(traces) == pytest.approx(1, abs=0.15)


def test_a_gain_of_zero_is_refused():
    with pytest.raises(ValueError, match="gain: expected"):
        starts.recurrent("uniform", 3, np.random.default_rng(0), gain=0)


def test_the_forget_gate_alone_starts_with_the_forget_bias():
    drawn, usual, asked = (LSTMCell.init(2, 3, rng=0, **options).b.reshape(4, 3)
                           for options in ({"forget_bias": None}, {}, {"forget_bias": -2}))
    assert (usual[1] == 1).all()
    assert (asked[1] == -2).all()
    assert np.abs(drawn).max() <= 3**-0.5
    for b in (usual, asked):
        assert np.array_equal(np.delete(b, 1, 0), np.delete(drawn, 1, 0))
    assert (PeepholeLSTMCell.init(2, 3, forget_bias=5).b[3:6] == 5).all()


def test_cells_that_are_made_from_others_have_their_parameters():
    lstm, plain = LSTMCell.init(2, 3, rng=4), RNNCell.init(2, 3, activation="relu", rng=4)
    old = LSTM1997Cell.init(2, 3, rng=4)
    kept = np.r_[0:3, 6:12]                                         # the rows i, g, o
    assert all(np.array_equal(getattr(old, n), getattr(lstm, n)[kept]) for n in "UWb")
    peephole = PeepholeLSTMCell.init(2, 3, rng=4)
    assert all(np.array_equal(getattr(peephole, n), getattr(lstm, n)) for n in "UWb")
    wide = PeepholeLSTMCell.init(2, 100, rng=4)
    assert all(0.09 < np.abs(getattr(wide, n)).max() <= 0.1 for n in ("p_i", "p_f", "p_o"))
    leaky = LeakyRNNCell.init(2, 3, alpha=[0.1, 0.2, 0.3], activation="relu", rng=4)
    assert all(np.array_equal(getattr(leaky, n), getattr(plain, n)) for n in "UWb")
    assert (leaky.alpha, leaky.activation) == ((0.1, 0.2, 0.3), "relu")
    assert type(GRUCell.init(2, 3, reset_after=False)) is PaperGRUCell
