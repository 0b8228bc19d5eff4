"""To and from torch: the same weights, bit for bit; what has no counterpart is refused."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from references import relative_error
from test_bridge_parity import KINDS, built

from rnnlib import (
    Bidirectional,
    GRUCell,
    JordanCell,
    LSTMCell,
    PaperGRUCell,
    RNNCell,
    Stack,
    bridge,
    forward,
)
from rnnlib.records import leaves

sizes, seeds = st.integers(1, 5), st.integers(0, 1000)
DTYPES = st.sampled_from([np.float32, np.float64])


def cell_of(kind, D, H, rng):
    """One of ours, of the kinds that torch has."""
    name, *activation = kind.split()
    if activation:
        return RNNCell.init(D, H, activation=activation[0], rng=rng)
    return {"LSTM": LSTMCell, "GRU": GRUCell}[name].init(D, H, rng=rng)


def stack_of(kind, D, H, layers, both, rng=0):
    """A cell, a Bidirectional or a list of either."""
    rng, cells = np.random.default_rng(rng), []
    for k in range(layers):
        width = D if k == 0 else H * (1 + both)
        pair = [cell_of(kind, width, H, rng) for _ in range(1 + both)]
        cells.append(Bidirectional(*pair) if both else pair[0])
    return cells if layers > 1 else cells[0]


def astype(cells, dtype):
    if isinstance(cells, list):
        return [cell.astype(dtype) for cell in cells]
    return cells.astype(dtype)


def same_bits(ours, theirs):
    """The same shapes, dtypes and bits, whatever the records around them."""
    ours, theirs = leaves("", ours), leaves("", theirs)
    assert ours.keys() == theirs.keys()
    for path, array in ours.items():
        assert (array.dtype, array.shape) == (theirs[path].dtype, theirs[path].shape)
        assert array.tobytes() == theirs[path].tobytes(), path


anything = st.sampled_from(KINDS), sizes, sizes, st.integers(1, 3), st.booleans()


@given(*anything, DTYPES, seeds)
def test_there_and_back_gives_the_same_bits(kind, D, H, layers, both, dtype, seed):
    cells = astype(stack_of(kind, D, H, layers, both, seed), dtype)
    module = bridge.to_torch(cells)
    assert type(module) is getattr(torch.nn, kind.split()[0])
    back = bridge.from_torch(module)
    same_bits(back, cells)
    first = back[0] if layers > 1 else back
    assert type(first) is type(cells[0] if layers > 1 else cells)
    assert type(getattr(first, "ahead", first)) is type(cell_of(kind, 1, 1, 0))
    assert getattr(getattr(first, "ahead", first), "activation", "") == kind[4:]


@given(*anything, seeds)
def test_a_stack_goes_out_as_the_list_of_its_cells(kind, D, H, layers, both, seed):
    cells = stack_of(kind, D, H, layers, both, seed)
    cells = cells if layers > 1 else [cells]
    one, other = bridge.to_torch(Stack(tuple(cells))), bridge.to_torch(cells)
    assert one.num_layers == layers
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_negative_zero_keeps_its_sign():
    cell = RNNCell([[1.0], [1.0]], np.eye(2), [-0.0, 0.0])
    assert np.signbit(bridge.from_torch(bridge.to_torch(cell)).b).tolist() == [True, False]


@given(st.sampled_from(KINDS), sizes, sizes, st.sampled_from([torch.float32, torch.float64]), seeds)
def test_a_torch_module_comes_in_with_the_same_bits(kind, D, H, dtype, seed):
    module = built(kind, D, H, layers=2, both=True, dtype=dtype, seed=seed)
    cells = bridge.from_torch(module)
    for k, way in [(0, ""), (0, "_reverse"), (1, ""), (1, "_reverse")]:
        cell = cells[k].back if way else cells[k].ahead
        U, W, b_ih, b_hh = (
            getattr(module, f"{name}_l{k}{way}").detach().numpy()
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        b = b_ih + b_hh
        if kind == "GRU":
            b[2 * H :] = b_ih[2 * H :]
            assert cell.b_n.tobytes() == b_hh[2 * H :].tobytes()
        for ours, theirs in ((cell.U, U), (cell.W, W), (cell.b, b)):
            assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_module_without_bias_gives_zeros(kind):
    cell = bridge.from_torch(built(kind, 2, 3, bias=False))
    assert not cell.b.any()
    assert len(cell.b) == len(cell.U)
    assert kind != "GRU" or cell.b_n.tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_batch_first_only_turns_the_data(kind):
    module = built(kind, 2, 3)
    turned = copy.deepcopy(module)
    turned.batch_first = True
    xs = np.random.default_rng(0).normal(size=(5, 4, 2))
    theirs, _ = turned(torch.tensor(xs.transpose(1, 0, 2)))
    ours = forward(bridge.from_torch(turned), xs).h
    assert relative_error(ours, theirs.detach().numpy().transpose(1, 0, 2)) < 1e-10


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_shared_and_torch_keeps_its_random_numbers(kind):
    module = built(kind, 2, 3, layers=2)
    cells = bridge.from_torch(module)
    before = [replace(cell) for cell in cells]
    with torch.no_grad():
        for weight in module.parameters():
            weight.zero_()
    same_bits(cells, before)
    state = torch.random.get_rng_state()
    with torch.no_grad():
        for weight in bridge.to_torch(cells).parameters():
            weight.zero_()
    same_bits(cells, before)
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_module_is_real_whatever_the_default_device():
    with torch.device("meta"):
        assert not bridge.to_torch(LSTMCell.init(2, 3)).weight_ih_l0.is_meta


def test_layers_may_share_a_weight_and_a_class_of_yours_may_inherit():
    class Mine(torch.nn.GRU):
        pass

    module = Mine(3, 3, 2)
    module.weight_hh_l1 = module.weight_hh_l0
    low, high = bridge.from_torch(module)
    assert np.array_equal(low.W, high.W)


def test_a_relu_is_known_by_what_torch_computes():
    module = torch.nn.RNN(2, 3, nonlinearity="relu")
    module.nonlinearity = "tanh"  # without effect on the forward pass of torch.nn.RNN
    assert bridge.from_torch(module).activation == "relu"


def test_dropout_is_accepted_once_training_is_over():
    module = torch.nn.LSTM(2, 3, 2, dropout=0.5)
    assert len(bridge.from_torch(module.eval())) == 2


def holding(value, name, module):
    with torch.no_grad():
        getattr(module, name).view(-1)[0] = value
    return module


class Doubled(torch.nn.GRU):
    def forward(self, given, hx=None):
        return super().forward(2 * given, hx)


def replaced(module):
    module.forward = lambda given: given
    return module


MODEL = torch.nn.ModuleDict({"embed": torch.nn.Embedding(2, 3), "lstm": torch.nn.LSTM(3, 4)})
SCALED = torch.nn.utils.parametrizations.weight_norm(torch.nn.LSTM(2, 3), "weight_hh_l0")
LSTM, GRU, CUBE = torch.nn.LSTM, torch.nn.GRU, torch.nn.RNNCell(2, 3, nonlinearity="cube")
HUGE = holding(3e38, "bias_ih_l0", holding(3e38, "bias_hh_l0", GRU(2, 3)))
TANH, RELU = RNNCell.init(2, 3), RNNCell.init(2, 3, activation="relu")
L, G, WIDE = LSTMCell.init(2, 3), GRUCell.init(2, 3), LSTMCell.init(3, 4)
BOTH = Bidirectional(L, L)


@pytest.mark.parametrize(
    ("name", "call", "kind", "got"),
    [
        ("module", lambda: bridge.from_torch(None), TypeError, "NoneType"),
        ("module", lambda: bridge.from_torch(LSTM), TypeError, "type"),
        ("module", lambda: bridge.from_torch(L), TypeError, "rnnlib.lstm.LSTMCell"),
        ("module", lambda: bridge.from_torch(MODEL), TypeError, ".*perhaps its .lstm was meant"),
        ("module", lambda: bridge.from_torch(Doubled(2, 3)), TypeError, "another"),
        ("module", lambda: bridge.from_torch(replaced(LSTM(2, 3))), TypeError, "another"),
        ("module", lambda: bridge.from_torch(LSTM(2, 3, proj_size=1)), ValueError, "proj_size=1"),
        ("module", lambda: bridge.from_torch(LSTM(2, 3, 2, dropout=0.5)), ValueError,
         "dropout=0.5 in training"),
        ("module.weight_ih_l0", lambda: bridge.from_torch(LSTM(2, 3).half()), TypeError,
         "torch.float16"),
        ("module.weight_ih", lambda: bridge.from_torch(torch.nn.GRUCell(2, 3).bfloat16()),
         TypeError, "torch.bfloat16"),
        ("module.weight_ih_l0", lambda: bridge.from_torch(GRU(2, 3, device="meta")), ValueError,
         "a tensor without data"),
        ("module.weight_hh_l0", lambda: bridge.from_torch(SCALED), ValueError, "a tensor computed"),
        ("module.weight_hh_l1_reverse", lambda: bridge.from_torch(
            holding(np.nan, "weight_hh_l1_reverse", LSTM(2, 3, 2, bidirectional=True))),
         ValueError, "NaN or infinity"),
        (r"module.bias_ih_l0 \+ bias_hh_l0", lambda: bridge.from_torch(HUGE), ValueError, "NaN or"),
        ("module.nonlinearity", lambda: bridge.from_torch(CUBE), ValueError, "'cube'"),
        ("cell", lambda: bridge.to_torch(CUBE), TypeError, "RNNCell"),
        ("cell", lambda: bridge.to_torch(JordanCell.init(2, 3, 1)), TypeError, "JordanCell"),
        ("cell", lambda: bridge.to_torch(GRUCell.init(2, 3, reset_after=False)), TypeError,
         PaperGRUCell.__name__),
        ("cell", lambda: bridge.to_torch(RNNCell.init(2, 3, activation="identity")), ValueError,
         "identity"),
        ("cells", lambda: bridge.to_torch([]), ValueError, "none"),
        (r"cells\[1\]", lambda: bridge.to_torch([L, None]), TypeError, "NoneType"),
        (r"cells\[1\]", lambda: bridge.to_torch([L, L]), ValueError, "2"),
        (r"cells\[1\]", lambda: bridge.to_torch([L, WIDE]), ValueError,
         "LSTMCell of 4 hidden units in float64, one direction"),
        (r"cells\[1\]", lambda: bridge.to_torch([L, GRUCell.init(3, 3)]), ValueError, "GRUCell"),
        (r"cells\[1\]", lambda: bridge.to_torch([L, Stack((LSTMCell.init(3, 3),))]), TypeError,
         "Stack"),
        (r"cells\[1\].ahead", lambda: bridge.to_torch(
            [L, Bidirectional(LSTMCell.init(3, 3), LSTMCell.init(3, 3))]), ValueError,
         ".*both directions"),
        ("cell.back", lambda: bridge.to_torch(Bidirectional(L, G)), ValueError, "GRUCell"),
        ("cell.back", lambda: bridge.to_torch(Bidirectional(TANH, RELU)), ValueError, "relu"),
        ("cell.back", lambda: bridge.to_torch(Bidirectional(L, L.astype(np.float32))), ValueError,
         ".*float32"),
        ("cell.ahead", lambda: bridge.to_torch(Bidirectional(BOTH, L)), TypeError, "Bidirectional"),
    ],
)
@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_what_cannot_cross_is_refused(name, call, kind, got):
    state = torch.random.get_rng_state()
    with pytest.raises(kind, match=rf"^{name}: expected .*, got {got}"):
        call()
    if name.startswith("cell"):
        assert torch.equal(state, torch.random.get_rng_state())
