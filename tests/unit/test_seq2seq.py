"""Encoder-decoder against differences and torch; what the future, padding and a teacher may do."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from references import LOOPS, NUMPY, TORCH, central_differences, relative_error
from test_attention import in_torch

from rnnlib import GRUCell, LSTMCell, RNNCell, seq2seq
from rnnlib.bidirectional import Bidirectional
from rnnlib.decoder import Decoder
from rnnlib.records import leaves, rebuild
from rnnlib.seq2seq import EncoderDecoder
from rnnlib.stack import Stack

sizes = st.integers(1, 3)
WAYS = [("state", None), ("input", None), ("state", "additive"), ("input", "dot"),
        (None, "additive"), (None, "dot")]
D, H, K = 2, 3, 4


def made(kind, rng, context, attention):
    """A model with an encoder of some kind, and a decoder that fits."""
    cells = {"rnn": RNNCell, "gru": GRUCell, "lstm": LSTMCell}
    if kind in cells:
        return EncoderDecoder.init(
            D, H, K, cell=cells[kind], context=context, attention=attention, rng=rng
        )
    if kind == "stack":
        encoder = Stack((LSTMCell.init(D, H, rng=rng), GRUCell.init(H, H, rng=rng)))
        decoder = Decoder.init(H, K, context=context, attention=attention, rng=rng)
        width = decoder.cell.input_size
        cell = Stack((LSTMCell.init(width, H, rng=rng), GRUCell.init(H, H, rng=rng)))
        return EncoderDecoder(encoder, replace(decoder, cell=cell))
    encoder = Bidirectional(LSTMCell.init(D, 1, rng=rng), GRUCell.init(D, 2, rng=rng))
    if kind == "tower":
        above = Bidirectional(GRUCell.init(H, 2, rng=rng), LSTMCell.init(H, 1, rng=rng))
        encoder = Stack((encoder, above))
    return EncoderDecoder(encoder, Decoder.init(
        H, K, context=context, attention=attention, vector_size=3, key_size=3, rng=rng
    ))


@st.composite
def cases(draw, kinds=("rnn", "gru", "lstm"), ended=True):
    """(model, xs, inputs, lengths, dlogits)."""
    kind, (context, attention) = draw(st.sampled_from(kinds)), draw(st.sampled_from(WAYS))
    assume(kind not in ("both", "tower") or context != "state")
    S, T, B = (draw(sizes) for _ in "STB")
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = rng.integers(1, S + 1, B) if ended and draw(st.booleans()) else None
    model = made(kind, rng, context, attention)
    return (model, rng.normal(size=(S, B, D)), rng.normal(size=(T, B, K)), lengths,
            rng.normal(size=(T, B, K)))


class Plainly:
    """One sequence, pair by pair and step by step, with `nudges` added to one field on its way."""

    def __init__(self, model, b, nudges):
        self.model, self.b, self.nudges = model, b, nudges

    def at(self, path, v, t=...):
        return v + self.nudges[path][t, self.b : self.b + 1] if path in self.nudges else v

    def each(self, path, values):
        return np.stack([self.at(path, v, t) for t, v in enumerate(values)])

    def state(self, path, cell, v=None):
        v = np.zeros((2, 1, H) if isinstance(cell, LSTMCell) else (1, H)) if v is None else v
        return v + self.nudges[path][..., self.b : self.b + 1, :] if path in self.nudges else v

    def pairs(self, path, v):
        S = v.shape[2]
        return v + self.nudges[path][:, self.b : self.b + 1, :S] if path in self.nudges else v

    def run(self, cell, name, xs, state):
        """All h, and the last state."""
        seen = {}

        def note(field, t, v):
            seen[field] = self.at(f"{name}.{field}", v, t)
            return seen[field]

        hs = np.stack(LOOPS[type(cell)](cell, NUMPY, cell.fields(), xs, state, note))
        return hs, np.stack([hs[-1], seen["c"]]) if "c" in seen else hs[-1]

    def attended(self, hs, keys):
        layer, name = self.model.decoder.attention, "decoder.attention"
        q, k = self.each(f"{name}.queries", hs), self.each(f"{name}.keys", keys)
        if layer.fields():
            Wq, Wk = q @ layer.W_q.T, k @ layer.W_k.T
            match = self.pairs(f"{name}.match", np.tanh(Wq[:, :, None] + Wk.swapaxes(0, 1)))
            scores = match @ layer.v
        else:
            scores = np.einsum("tbh,sbh->tbs", q, k) / np.sqrt(H)
        weights = NUMPY["softmax"](self.pairs(f"{name}.scores", scores))
        weights = self.pairs(f"{name}.weights", weights)
        return self.each(f"{name}.context", np.einsum("tbs,sbh->tbh", weights, k))

    def logits(self, xs, inputs):
        encoder, d = self.model.encoder, self.model.decoder
        xs, inputs = self.each("encoder.x", xs), self.each("decoder.x", inputs)
        keys, last = self.run(encoder, "encoder", xs, self.state("encoder.state", encoder))
        vector = last if d.context == "state" else keys[-1]
        vector = self.state("decoder.vector", d.cell, vector)
        if d.context == "input":
            inputs = np.concatenate([inputs, np.stack([vector] * len(inputs))], axis=-1)
        state = self.state("decoder.rnn.state", d.cell, vector if d.context == "state" else None)
        read, _ = self.run(d.cell, "decoder.rnn", self.each("decoder.rnn.x", inputs), state)
        if d.attention is not None:
            read = np.concatenate([read, self.attended(read, keys)], axis=-1)
        logits = d.out.c_out + self.each("decoder.read", read) @ d.out.V.T
        return self.each("decoder.logits", logits)


def plain(model, xs, inputs, lengths, nudges):
    """The logits, each sequence on its own."""
    ends = np.full(xs.shape[1], len(xs)) if lengths is None else lengths
    return np.concatenate([
        Plainly(model, b, nudges).logits(xs[:n, b : b + 1], inputs[:, b : b + 1])
        for b, n in enumerate(ends)
    ], axis=1)


def off(loss, value, gradient, counts=1.0):
    """How far a gradient is off along a random direction of length 1, relative to its norm."""
    u = np.random.default_rng(0).normal(size=value.shape) * counts
    u /= max(np.linalg.norm(u), 1e-9)
    slope = central_differences(lambda s: loss(value + s[0] * u), np.zeros(1))[0]
    return abs(np.sum(gradient * u) - slope) / max(np.linalg.norm(gradient), 1e-3)


def inside(path, array, lengths):
    """1 where a step counts: what the encoder keeps in its padding is a matter of lengths.py."""
    if lengths is None or not path.startswith("encoder.") or path == "encoder.state":
        return 1.0
    return (np.arange(len(array))[:, None] < lengths)[..., None]


@given(cases())
def test_every_field_against_differences(case):
    model, xs, inputs, lengths, dlogits = case
    trace = seq2seq.forward(model, xs, inputs, lengths=lengths)
    np.testing.assert_allclose(trace.logits, plain(*case[:4], {}), rtol=1e-11, atol=1e-13)
    dtrace, _ = seq2seq.backward(model, trace, dlogits)
    assert dtrace.fields().keys() == trace.fields().keys() and type(dtrace) is type(trace)
    for path, gradient in dtrace.fields().items():
        def loss(nudges):
            return np.sum(dlogits * plain(model, xs, inputs, lengths, {path: nudges}))  # noqa: B023
        none = np.zeros(gradient.shape)
        assert off(loss, none, gradient, inside(path, none, lengths)) < 1e-8, path


@given(cases(kinds=("rnn", "gru", "lstm", "stack", "both", "tower")))
def test_parameters_and_inputs_against_differences(case):
    model, xs, inputs, lengths, dlogits = case
    trace = seq2seq.forward(model, xs, inputs, lengths=lengths)
    dtrace, dmodel = seq2seq.backward(model, trace, dlogits)

    def loss(model=model, xs=xs, inputs=inputs):
        return np.sum(dlogits * seq2seq.forward(model, xs, inputs, lengths=lengths).logits)

    params, grads = leaves("p", model), leaves("p", dmodel)
    assert params.keys() == grads.keys() and dtrace.model is dmodel
    for path, value in params.items():
        def of(v):
            return loss(rebuild("p", model, {**params, path: v}))  # noqa: B023
        assert off(of, value, grads[path]) < 1e-8, path
    assert off(lambda v: loss(xs=v), xs, dtrace.x) < 1e-8
    assert off(lambda v: loss(inputs=v), inputs, dtrace.decoder.x) < 1e-8


@given(cases(ended=False))
def test_everything_against_torch(case):
    model, xs, inputs, _, dlogits = case
    trace = seq2seq.forward(model, xs, inputs)
    dtrace, dmodel = seq2seq.backward(model, trace, dlogits)
    p = {path: torch.tensor(v, requires_grad=True) for path, v in leaves("p", model).items()}
    x, y = (torch.tensor(v, requires_grad=True) for v in (xs, inputs))
    logits = torch_says(model, p, x, y)
    (logits * torch.tensor(dlogits)).sum().backward()
    assert relative_error(trace.logits, logits.detach().numpy()) < 1e-10
    assert relative_error(dtrace.x, x.grad.numpy()) < 1e-10
    assert relative_error(dtrace.decoder.x, y.grad.numpy()) < 1e-10
    for path, v in leaves("p", dmodel).items():
        theirs = np.zeros(v.shape) if p[path].grad is None else p[path].grad.numpy()
        assert relative_error(v, theirs) < 1e-10, path


def torch_says(model, p, xs, ys):
    def run(network, path, xs, state):
        own, seen = {k.removeprefix(path): v for k, v in p.items() if k.startswith(path)}, {}

        def note(field, t, v):
            seen[field] = v
            return v

        hs = LOOPS[type(network)](network, TORCH, own, xs, state, note)
        return torch.stack(hs), torch.stack([hs[-1], seen["c"]]) if "c" in seen else hs[-1]

    d = model.decoder
    zero = torch.zeros_like(torch.tensor(seq2seq.encode(model, xs.detach().numpy())[0].state))
    keys, last = run(model.encoder, "p.encoder.", xs, zero)
    if d.context == "input":
        ys = torch.cat([ys, keys[-1].expand(len(ys), -1, -1)], dim=-1)
    hs, _ = run(d.cell, "p.decoder.cell.", ys, last if d.context == "state" else zero)
    if d.attention is not None:
        own = {n: p[f"p.decoder.attention.{n}"] for n in d.attention.fields()}
        hs = torch.cat([hs, in_torch(d.attention, own, hs, keys, None)], dim=-1)
    return hs @ p["p.decoder.out.V"].T + p["p.decoder.out.c_out"]


KINDS = [(kind, *way) for kind in ("rnn", "gru", "lstm", "stack", "both", "tower") for way in WAYS
         if way[0] != "state" or kind not in ("both", "tower")]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind)))


def example(kind, S=5, T=4, B=3):
    rng = np.random.default_rng(1)
    model = made(kind[0], rng, *kind[1:])
    return model, rng.normal(size=(S, B, D)), rng.normal(size=(T, B, K))


@every_kind
def test_padding_of_the_source_changes_no_bit_and_gets_no_gradient(kind):
    model, xs, inputs = example(kind)
    lengths = np.array([2, 5, 1])
    over = np.arange(5)[:, None] >= lengths
    trace = seq2seq.forward(model, xs, inputs, lengths=lengths)
    dtrace, dmodel = seq2seq.backward(model, trace, trace.logits)
    changed = np.where(over[..., None], 1e3, xs)
    other = seq2seq.forward(model, changed, inputs, lengths=lengths)
    dother, dmodel_other = seq2seq.backward(model, other, other.logits)
    assert trace.logits.tobytes() == other.logits.tobytes()
    assert not dtrace.x[over].any() and dtrace.x[~over].any(axis=-1).all()
    for path, v in leaves("", dmodel).items():
        assert v.tobytes() == leaves("", dmodel_other)[path].tobytes(), path
    assert dtrace.decoder.x.tobytes() == dother.decoder.x.tobytes()
    for b, n in enumerate(lengths):
        alone = seq2seq.forward(model, xs[:n, b : b + 1], inputs[:, b : b + 1])
        assert alone.logits[:, 0] == pytest.approx(trace.logits[:, b], rel=1e-12)


@every_kind
def test_a_future_target_never_moves_a_past_logit(kind):
    model, xs, inputs = example(kind)
    trace = seq2seq.forward(model, xs, inputs)
    for t in range(1, len(inputs)):
        changed = inputs.copy()
        changed[t:] += 1
        logits = seq2seq.forward(model, xs, changed).logits
        assert np.array_equal(logits[:t], trace.logits[:t])
        assert (logits[t:] != trace.logits[t:]).any(axis=-1).all()
        dlogits = np.zeros_like(logits)
        dlogits[t - 1] = 1
        dtrace, _ = seq2seq.backward(model, trace, dlogits)
        assert not dtrace.decoder.x[t:].any() and dtrace.decoder.x[t - 1].any()
        assert dtrace.x.any(axis=-1).all()


@every_kind
def test_float32_in_float32_out(kind):
    model, xs, inputs = example(kind)
    trace = seq2seq.forward(model, xs.astype(np.float32), inputs, lengths=[5, 3, 1])
    dtrace, dmodel = seq2seq.backward(model, trace, trace.logits)
    arrays = [*trace.fields().values(), *dtrace.fields().values(), *leaves("", dmodel).values()]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_the_parameters_of_a_model_are_those_of_its_layers():
    model = EncoderDecoder.init(D, H, K, attention="additive")
    names = ["encoder.U", "encoder.W", "encoder.b", "encoder.b_n", "decoder.cell.U",
             "decoder.cell.W", "decoder.cell.b", "decoder.cell.b_n", "decoder.out.V",
             "decoder.out.c_out", "decoder.attention.W_q", "decoder.attention.W_k",
             "decoder.attention.v"]
    assert list(leaves("m", model)) == ["m." + name for name in names]
    assert model.decoder.out.V.shape == (K, 2 * H)
    again = EncoderDecoder.init(D, H, K, attention="additive", rng=np.random.default_rng(0))
    assert np.array_equal(again.encoder.W, model.encoder.W)
    assert not np.array_equal(model.encoder.W, model.decoder.cell.W)
