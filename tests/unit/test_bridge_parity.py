"""torch.nn.RNN, LSTM and GRU against their cells: outputs, last states and every gradient."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from references import relative_error
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlib import Bidirectional, GRUCell, Stack, backward, bridge, forward

KINDS = ["RNN tanh", "RNN relu", "LSTM", "GRU"]
CASES = [pytest.param(*case, id="{}-{}-{}".format(*case)) for case in product(
    KINDS, (1, 2, 3), (False, True)
)]
sizes, seeds = st.integers(1, 4), st.integers(0, 1000)
lengthy = st.sampled_from([1, 15, 16, 17, 33, 40])  # the core computes in blocks of 16 steps


def built(kind, D, H, layers=1, both=False, *, bias=True, dtype=torch.float64, seed=0):
    """A torch module of its own random numbers."""
    name, *activation = kind.split()
    options = {"nonlinearity": activation[0]} if activation else {}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return getattr(torch.nn, name)(
            D, H, layers, bidirectional=both, bias=bias, dtype=dtype, **options
        )


def network(module):
    """What `forward` takes, whatever from_torch returned."""
    cells = bridge.from_torch(module)
    return Stack(tuple(cells)) if isinstance(cells, list) else cells


def each_cell(found, layers, both):
    """The parts of a network, its state or its gradient, in torch's order, with torch's suffix."""
    found = getattr(found, "cells", found) if layers > 1 else (found,)
    for k, layer in enumerate(found):
        if both:
            pair = getattr(layer, "cells", layer)
            yield from zip(pair, (f"_l{k}", f"_l{k}_reverse"), strict=True)
        else:
            yield layer, f"_l{k}"


def nested(flat, layers, both):
    """torch's states (L * directions, ..., H) as `forward` takes them; without the bridge."""
    one = iter(flat)
    found = [(next(one), next(one)) if both else next(one) for _ in range(layers)]
    return tuple(found) if layers > 1 else found[0]


class Pass:
    """One pass through torch, with random numbers for all that goes in and all that comes back."""

    def __init__(self, module, T, B, seed, lengths=None):
        rng = np.random.default_rng(seed)
        dtype = module.weight_ih_l0.detach().numpy().dtype
        self.shape = module.num_layers, module.bidirectional
        count, H = module.num_layers * (1 + module.bidirectional), module.hidden_size
        parts = 2 if isinstance(module, torch.nn.LSTM) else 1
        self.xs = rng.normal(size=(T, B, module.input_size)).astype(dtype)
        self.dhs = rng.normal(size=(T, B, H * (1 + module.bidirectional))).astype(dtype)
        state, dlast = rng.normal(size=(2, count, parts, B, H)).astype(dtype)
        self.before_ends = np.ones((T, B), bool)
        if lengths is not None:
            self.before_ends = np.arange(T)[:, None] < np.array(lengths)
            self.dhs[~self.before_ends] = 0
        x, first = torch.tensor(self.xs, requires_grad=True), torch.tensor(state)
        first = [first[:, k].contiguous().requires_grad_() for k in range(parts)]
        given = x
        if lengths is not None:
            given = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
        hs, last = module(given, tuple(first) if parts == 2 else first[0])
        hs = hs if lengths is None else pad_packed_sequence(hs)[0]
        last = last if parts == 2 else (last,)
        loss = (hs * torch.tensor(self.dhs)[: len(hs)]).sum()
        loss = loss + sum((one * torch.tensor(dlast[:, k])).sum() for k, one in enumerate(last))
        module.zero_grad()
        loss.backward()
        self.hs, self.dx = hs.detach().numpy(), x.grad.numpy()
        self.last = np.stack([one.detach().numpy() for one in last], axis=1)
        self.dstate = np.stack([one.grad.numpy() for one in first], axis=1)
        state, dlast = (v if parts == 2 else v[:, 0] for v in (state, dlast))
        self.state, self.dlast = nested(state, *self.shape), nested(dlast, *self.shape)

    def error(self, module, cell, lengths=None, least=1e-3):
        """The largest relative error of the arrays that `cell` computes; norms count as `least`."""
        trace = forward(cell, self.xs, self.state, lengths=lengths)
        dtrace, dcell = backward(cell, trace, self.dhs, dlast=self.dlast)
        T, inside = len(self.hs), self.before_ends
        pairs = [(trace.h[inside], self.hs[inside[:T]]), (dtrace.x[inside], self.dx[inside])]
        for found, theirs in ((trace.last, self.last), (dtrace.state, self.dstate)):
            for j, (ours, _) in enumerate(each_cell(found, *self.shape)):
                pairs.append((ours.reshape(theirs[j].shape), theirs[j]))
        for ours, end in each_cell(dcell, *self.shape):
            for name, gradient in gradients(ours).items():
                if module.bias or name.startswith("weight"):
                    pairs.append((gradient, getattr(module, name + end).grad.numpy()))
        norm = np.linalg.norm
        return max(norm(ours - theirs) / max(norm(theirs), least) for ours, theirs in pairs)


def gradients(dcell):
    """dL/d(torch's parameters): torch's two biases have the gradient of their sum."""
    b_hh = dcell.b
    if isinstance(dcell, GRUCell):
        b_hh = np.concatenate([dcell.b[: -len(dcell.b_n)], dcell.b_n])
    return {"weight_ih": dcell.U, "weight_hh": dcell.W, "bias_ih": dcell.b, "bias_hh": b_hh}


@pytest.mark.parametrize(("kind", "layers", "both"), CASES)
@settings(max_examples=10)
@given(lengthy, *[sizes] * 3, st.booleans(), seeds)
def test_every_number_of_torch(kind, layers, both, T, B, D, H, bias, seed):
    module = built(kind, D, H, layers, both, bias=bias, seed=seed)
    assert Pass(module, T, B, seed).error(module, network(module)) < 1e-10
    if bias:
        back = bridge.to_torch(bridge.from_torch(module))  # its weights on their way out again
        assert Pass(back, T, B, seed).error(back, network(module)) < 1e-10


@pytest.mark.parametrize(("kind", "layers", "both"), CASES)
@settings(max_examples=8)
@given(lengthy, sizes, sizes, st.data())
def test_packed_sequences_of_unequal_length(kind, layers, both, T, D, H, data):
    lengths = data.draw(st.lists(st.integers(1, T), min_size=1, max_size=5))
    module = built(kind, D, H, layers, both, seed=T * H)
    one = Pass(module, T, len(lengths), T * D, lengths)
    assert one.error(module, network(module), lengths) < 1e-10


@pytest.mark.parametrize(("kind", "layers", "both"), CASES)
@settings(max_examples=4)
@given(lengthy, *[sizes] * 3, seeds)
def test_single_precision_stays_single(kind, layers, both, T, B, D, H, seed):
    module = built(kind, D, H, layers, both, dtype=torch.float32, seed=seed)
    one, cell = Pass(module, T, B, seed), network(module)
    assert forward(cell, one.xs, one.state).h.dtype == np.float32
    # A sum of 40 terms that nearly cancel is off by 1e-7 of the terms, in torch as well.
    assert one.error(module, cell, least=1) < 1e-5


@given(st.sampled_from(KINDS), lengthy, *[sizes] * 3, st.booleans(), seeds)
def test_a_torch_cell_called_step_by_step(kind, T, B, D, H, bias, seed):
    name, *activation = kind.split()
    options = {"nonlinearity": activation[0]} if activation else {}
    module = getattr(torch.nn, f"{name}Cell")(D, H, bias=bias, dtype=torch.float64, **options)
    xs = np.random.default_rng(seed).normal(size=(T, B, D))
    state, hs = None, []
    for x in torch.tensor(xs):
        state = module(x, state)
        hs.append((state[0] if name == "LSTM" else state).detach().numpy())
    assert relative_error(forward(bridge.from_torch(module), xs).h, np.stack(hs)) < 1e-10


def rows_swapped(cell, i, j):
    """The cell with the rows of two of its gates in each other's place."""
    H = cell.hidden_size
    order = np.arange(len(cell.b)).reshape(-1, H)
    order[[i, j]] = order[[j, i]]
    order = order.ravel()
    return replace(cell, U=cell.U[order], W=cell.W[order], b=cell.b[order])


@pytest.mark.parametrize(
    ("kind", "layers", "both", "wrong"),
    [
        ("GRU", 1, False, lambda cell: rows_swapped(cell, 0, 1)),
        ("GRU", 1, False, lambda cell: replace(cell, b_n=0 * cell.b_n)),
        ("LSTM", 1, False, lambda cell: rows_swapped(cell, 0, 1)),
        ("LSTM", 1, False, lambda cell: rows_swapped(cell, 2, 3)),
        *[(kind, 2, False, lambda cell: Stack(cell.cells[::-1])) for kind in KINDS],
        *[(kind, 1, True, lambda cell: Bidirectional(cell.back, cell.ahead)) for kind in KINDS],
        *[(kind, 1, False, lambda cell: replace(cell, W=cell.W.T.copy())) for kind in KINDS[:2]],
        *[(kind, 1, False, lambda cell: replace(cell, b=cell.b / 2)) for kind in KINDS],
    ],
)
def test_weights_in_a_wrong_place_would_be_seen(kind, layers, both, wrong):
    module = built(kind, 3, 3, layers, both, seed=1)
    one, cell = Pass(module, 5, 2, 0), network(module)
    assert one.error(module, cell) < 1e-10
    assert one.error(module, wrong(cell)) > 1e-2
