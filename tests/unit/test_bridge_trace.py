"""A torch model seen from inside: the trace and the gradients of one of its passes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from references import relative_error
from test_bridge_parity import KINDS, built, each_cell, gradients, nested, network
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlib import bridge, forward
from rnnlib.records import leaves

sizes, seeds = st.integers(1, 4), st.integers(0, 1000)


class Model(torch.nn.Module):
    """A recurrent module between two linear layers; the loss reads its outputs or last state."""

    def __init__(self, kind, D, H, layers=1, both=False, *, batch_first=False, read="outputs"):
        super().__init__()
        self.rnn = built(kind, D, H, layers, both)
        self.rnn.batch_first = batch_first
        self.below = torch.nn.Linear(D, D, dtype=torch.float64)
        self.head = torch.nn.Linear(H, 1, dtype=torch.float64)
        self.read, self.state = read, None

    def forward(self, xs, lengths=None):
        first = self.rnn.batch_first
        given = self.seen = self.below(xs)
        if given.requires_grad:
            given.retain_grad()
        if lengths is not None:
            given = pack_padded_sequence(given, lengths, first, enforce_sorted=False)
        hs, last = self.rnn(given, hx=self.state)
        last = last[0] if isinstance(last, tuple) else last
        if lengths is not None:
            hs = pad_packed_sequence(hs, first)[0]
        self.hs = hs = hs.mul_(1.5)  # in place, as a model may
        hs = hs.unflatten(-1, (-1, self.rnn.hidden_size))
        return self.head(hs if self.read == "outputs" else last).square().mean()


def turn(array, model):
    """Time-major, as a numpy array."""
    array = array.detach().numpy()
    return array.transpose(1, 0, 2) if model.rnn.batch_first else array


@settings(max_examples=100)
@given(
    st.sampled_from(KINDS), *[sizes] * 3, st.integers(1, 3), st.booleans(), st.booleans(),
    st.sampled_from(["outputs", "last"]), st.sampled_from([None, 1, 2, 4]), st.data(),
)
def test_one_pass_of_a_model(kind, T, D, H, layers, both, batch_first, read, packed, data):
    torch.manual_seed(T * D * H)
    model = Model(kind, D, H, layers, both, batch_first=batch_first, read=read)
    lengths = packed and data.draw(st.lists(st.integers(1, T), min_size=packed, max_size=packed))
    T, B = (max(lengths), packed) if packed else (T, 3)
    h0 = torch.randn(layers * (1 + both), B, H, dtype=torch.float64)
    model.state = (h0, torch.randn_like(h0)) if kind == "LSTM" else h0
    xs = torch.randn(*((B, T) if batch_first else (T, B)), D, dtype=torch.float64)
    trace, dtrace = bridge.trace_torch(model.rnn, lambda: model(xs, lengths))
    assert all(p.grad is None for p in model.parameters())
    model(xs, lengths).backward()
    within = np.arange(T)[:, None] < np.array(lengths if packed else [T] * B)
    assert relative_error(1.5 * trace.h[within], turn(model.hs, model)[within]) < 1e-10
    assert relative_error(dtrace.x[within], turn(model.seen.grad, model)[within]) < 1e-10
    for dcell, end in each_cell(dtrace.cell, layers, both):
        for name, ours in gradients(dcell).items():
            assert relative_error(ours, getattr(model.rnn, name + end).grad.numpy()) < 1e-10


@pytest.mark.parametrize("kind", KINDS)
def test_a_frozen_model_shows_its_gradients_too(kind):
    model, xs = Model(kind, 2, 3), torch.randn(5, 4, 2, dtype=torch.float64)
    expected = bridge.trace_torch(model.rnn, lambda: model(xs))[1]
    model.requires_grad_(False)
    dtrace = bridge.trace_torch(model.rnn, lambda: model(xs))[1]
    assert dtrace.h.any()
    assert np.array_equal(dtrace.h, expected.h)


def test_the_model_keeps_no_hook():
    model, xs = Model("LSTM", 2, 3), torch.randn(5, 4, 2, dtype=torch.float64)
    bridge.trace_torch(model.rnn, lambda: model(xs))
    with pytest.raises(ZeroDivisionError):
        bridge.trace_torch(model.rnn, lambda: 1 / 0)
    assert not model.rnn._forward_hooks


@given(st.sampled_from(KINDS), *[sizes] * 3, st.integers(1, 3), st.booleans(), seeds)
def test_a_state_of_torch(kind, B, D, H, layers, both, seed):
    module, rng = built(kind, D, H, layers, both), np.random.default_rng(seed)
    h, c = rng.normal(size=(2, layers * (1 + both), B, H))
    given_one = (torch.tensor(h), torch.tensor(c)) if kind == "LSTM" else torch.tensor(h)
    state = bridge.state_from_torch(bridge.from_torch(module), given_one)
    flat = np.stack([h, c], axis=1) if kind == "LSTM" else h
    expected = leaves("", nested(flat, layers, both))
    assert {path: v.tolist() for path, v in leaves("", state).items()} == {
        path: v.tolist() for path, v in expected.items()
    }
    xs = rng.normal(size=(3, B, D))
    hs, last = module(torch.tensor(xs), given_one)
    trace = forward(network(module), xs, state)
    assert relative_error(trace.h, hs.detach().numpy()) < 1e-10
    theirs = bridge.state_from_torch(network(module), last)
    assert relative_error(np.ravel(trace.last), np.ravel(theirs)) < 1e-10


def test_the_trace_says_what_a_gate_did():
    model, xs = Model("LSTM", 2, 3, read="last"), torch.randn(6, 4, 2, dtype=torch.float64)
    trace, dtrace = bridge.trace_torch(model.rnn, lambda: model(xs))
    assert trace.f.shape == dtrace.f.shape == (6, 4, 3)
    # dL/dc of a step is what the next step's forget gate lets back, and what its own h sends.
    sent = dtrace.c[1:] * trace.f[1:] + dtrace.h[:-1] * trace.o[:-1] * (
        1 - np.tanh(trace.c[:-1]) ** 2
    )
    assert relative_error(dtrace.c[:-1], sent) < 1e-10


MODEL, XS = Model("LSTM", 2, 3), torch.randn(5, 4, 2, dtype=torch.float64)
CELL = network(MODEL.rnn)
H0 = np.zeros((1, 4, 3))


def without_gradient():
    with torch.no_grad():
        return MODEL(XS)


def look(loss, module=MODEL.rnn):
    return bridge.trace_torch(module, loss)


@pytest.mark.parametrize(
    ("name", "call", "kind", "got"),
    [
        ("module", lambda: look(lambda: MODEL(XS), MODEL), TypeError, ".*its .rnn was meant"),
        ("module", lambda: look(lambda: None, torch.nn.GRUCell(2, 3)), TypeError, "one step"),
        ("loss", lambda: look(MODEL(XS)), TypeError, "Tensor"),
        ("loss", lambda: look(lambda: torch.zeros(1)), ValueError, "0 calls"),
        ("loss", lambda: look(lambda: MODEL(XS) + MODEL(XS)), ValueError, "2 calls"),
        ("loss", lambda: look(lambda: MODEL.rnn(XS[:, 0])), ValueError, "2 axes"),
        ("loss", lambda: look(lambda: MODEL.rnn(XS)[0]), ValueError, "Tensor"),
        ("loss", lambda: look(lambda: MODEL(XS).item()), ValueError, "0"),
        ("loss", lambda: look(without_gradient), ValueError, "tensor"),
        ("xs", lambda: look(lambda: MODEL(XS * torch.nan)), ValueError, "NaN or infinity"),
        ("state", lambda: bridge.state_from_torch(CELL, H0), TypeError, "ndarray"),
        (r"state \(c\)", lambda: bridge.state_from_torch(CELL, (H0, H0[:, :1])), ValueError, ""),
        (r"state \(h\)", lambda: bridge.state_from_torch(CELL, (H0[0], H0)), ValueError, ""),
        (r"state \(h\)", lambda: bridge.state_from_torch([CELL], (np.vstack([H0, H0]),) * 2),
         ValueError, r"\(2, 4, 3\)"),
        ("cell", lambda: bridge.state_from_torch(None, H0), TypeError, "NoneType"),
    ],
)
def test_what_cannot_be_seen_is_refused(name, call, kind, got):
    with pytest.raises(kind, match=rf"^{name}: expected (.|\n)*, got {got}"):
        call()
    assert not MODEL.rnn._forward_hooks
