"""Decoder: a network from a vector to a sequence, which reads what it wrote one step earlier.

    decoder = Decoder.init(hidden_size=32, output_size=12)
    inputs = teacher_inputs(targets, start=11, size=12)         # the right outputs, one step late
    trace = forward(decoder, inputs, vector)                    # trace.logits (T, B, K)
    dtrace, ddecoder = backward(decoder, trace, dlogits)        # the same records, gradients

With a teacher, all its outputs are said in one pass; rnnlib.search has it write on its own.
"""

import dataclasses

import numpy as np

from rnnlib import attention, checks, unroll
from rnnlib.attention import AdditiveAttention, Attention, AttentionTrace, ScaledDotAttention
from rnnlib.bidirectional import Bidirectional
from rnnlib.cells import Cell, Network
from rnnlib.gru import GRUCell
from rnnlib.outputs import OutputLayer
from rnnlib.records import Record, record

CONTEXTS = ("state", "input")


class Nested(Record):
    """A record of records: its arrays by path, such as "rnn.h"."""

    def fields(self):
        """Every array, those of the traces within included."""
        found = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                found[field.name] = value
            elif isinstance(value, Record) and field.name != "model":
                found |= {f"{field.name}.{name}": v for name, v in value.fields().items()}
        return found


@record
class DecoderTrace(Nested):
    """Every quantity of a `Decoder`; as a gradient, dL/d(that quantity).

    x (T, B, K) the inputs; vector, what the decoder was given, or None; rnn, the trace of its cell;
    attention, an `AttentionTrace` or None; read (T, B, H) or, with attention, (T, B, H + E): what
    the output layer reads, [h_t; context_t]; logits (T, B, K); model, the decoder that made it.
    """

    x: np.ndarray
    vector: object
    rnn: Record
    attention: AttentionTrace | None
    read: np.ndarray
    logits: np.ndarray
    model: "Decoder"


@record
class Decoder(Record):
    """From a vector to a sequence (Goodfellow et al. 2016, figure 10.9).

        context="state"     h_0 = vector                (Sutskever, Vinyals and Le 2014)
        context="input"     x_t = [y_{t-1}; vector]     at every step (Cho et al. 2014)
        context=None        there is no vector
        logits_t = c_out + V h_t
        logits_t = c_out + V [h_t; context_t]           with attention: h_t is the query

    cell: a cell or `Stack`; out: an `OutputLayer` of K classes; attention: an attention or None.
    y_{t-1} (K) is the output one step earlier. A context_t goes into the output of its own step and
    no further, as in Luong et al. 2015 without their layer between [h_t; context_t] and V. So with
    a teacher no attention waits for another. In Bahdanau et al. 2015 the query is h_{t-1}, and
    context_t goes into h_t and so into all that follows; there, every step has to wait.
    """

    cell: Network
    out: OutputLayer
    attention: Attention | None = None
    context: str | None = "state"

    def __post_init__(self):
        checks.instance("cell", self.cell, Network, "a cell such as RNNCell")
        for network in (self.cell, *getattr(self.cell, "cells", ())):
            if isinstance(network, Bidirectional):
                raise TypeError("cell: expected one that cannot read the future, got Bidirectional")
        checks.instance("out", self.out, OutputLayer, "an OutputLayer")
        if self.attention is not None:
            checks.instance("attention", self.attention, Attention, "an attention or None")
        if self.context is not None:
            checks.choice("context", self.context, CONTEXTS)
        read = self.cell.output_size + self.context_size
        if self.out.V.shape[1] != read:
            raise ValueError(f"out: expected V of shape (K, {read}), got {self.out.V.shape}")
        if (self.vector_size > 0) != (self.context == "input") or self.vector_size < 0:
            more = " and the vector beside it" if self.context == "input" else ""
            raise ValueError(
                f"cell: expected an input of size {self.output_size}, that of the output,{more}, "
                f"got {self.cell.input_size}"
            )

    @classmethod
    def init(cls, hidden_size, output_size, *, cell=GRUCell, context="state", vector_size=None,
             attention=None, key_size=None, rng=0):
        """A decoder with a cell of class `cell`; attention: None, "additive" or "dot".

        vector_size, where context="input", and key_size, E of the attention, are hidden_size if
        None. An additive attention has hidden_size units. rng as in `RNNCell.init`.
        """
        H = checks.whole("hidden_size", hidden_size)
        K = checks.whole("output_size", output_size)
        C = H if vector_size is None else checks.whole("vector_size", vector_size)
        E = H if key_size is None else checks.whole("key_size", key_size)
        cell_class = _checked_kinds(cell, context, attention)
        if attention == "dot" and E != H:
            raise ValueError(f"key_size: expected {H}, hidden_size, for a dot product, got {E}")
        rng = checks.generator("rng", rng)
        cell = cell_class.init(K + C if context == "input" else K, H, rng=rng)
        out = OutputLayer.init(H if attention is None else H + E, K, rng=rng)
        if attention == "additive":
            return cls(cell, out, AdditiveAttention.init(H, E, H, rng=rng), context)
        return cls(cell, out, attention and ScaledDotAttention(), context)

    @property
    def output_size(self) -> int:
        """K, the width of an output and of an input."""
        return len(self.out.c_out)

    @property
    def context_size(self) -> int:
        """E, the width of context_t; 0 without attention."""
        return 0 if self.attention is None else self.attention.key_size(self.cell.output_size)

    @property
    def vector_size(self) -> int:
        """The width of the vector that every step is given; 0 if it is given none."""
        return self.cell.input_size - self.output_size

    def parts(self):
        """The layers, for `leaves`."""
        layers = {"cell": self.cell, "out": self.out, "attention": self.attention}
        return {name: layer for name, layer in layers.items() if layer is not None}

    def checked_given(self, vector, keys, lengths, batch, dtype):
        """(the state of the cell to begin from, the vector), once all fits what is wanted."""
        wanted = {"vector": (vector, self.context), "keys": (keys, self.attention)}
        if self.attention is None:
            wanted["lengths"] = lengths, None
        for name, (value, use) in wanted.items():
            if value is None and use is not None:
                raise TypeError(f"{name}: expected one for this decoder, got None")
            if value is not None and use is None:
                raise TypeError(f"{name}: expected None, of no use to this decoder, got one")
        if self.context == "state":
            vector = self.cell._checked_state("vector", vector, batch, dtype)
            return vector, vector
        if self.context == "input":
            vector = checks.array("vector", vector, (batch, self.vector_size), dtype)
        return None, vector

    def run(self, inputs, state, vector, keys, lengths):
        """inputs (T, B, K) from a state of the cell -> the trace."""
        xs, attended = inputs, None
        if self.context == "input":
            every_step = np.broadcast_to(vector, (len(inputs), *vector.shape))
            xs = np.concatenate([inputs, every_step], axis=-1)      # x_t = [y_{t-1}; vector]
        rnn = unroll.forward(self.cell, xs, state)
        read = getattr(rnn, self.cell.reads)
        if self.attention is not None:
            attended = attention.forward(self.attention, read, keys, lengths=lengths)
            read = np.concatenate([read, attended.context], axis=-1)    # [h_t; context_t]
        return DecoderTrace(inputs, vector, rnn, attended, read, self.out.logits(read), self)


def forward(decoder, inputs, vector=None, *, keys=None, lengths=None):
    """Say a sequence about a vector, taught by `inputs`; return the `DecoderTrace`.

    inputs (T, B, K): at each step the right output of the step before, one-hot: `teacher_inputs`.
    vector: for context="input" (B, C); for "state" what the cell starts from, as `state` of
    `rnnlib.forward`: (B, H), for an LSTM (2, B, H). keys (S, B, E), what attention looks at, with
    their lengths (B,). A step of inputs never changes an earlier step of logits, so that what
    stands beyond the end of a target is left out by the mask of the loss alone.
    Raises ValueError or TypeError, naming the argument, for anything malformed.
    """
    checks.instance("decoder", decoder, Decoder, "a Decoder")
    inputs = checks.array("inputs", inputs, ("T", "B", decoder.output_size))
    like = inputs.shape[1], inputs.dtype
    state, vector = decoder.checked_given(vector, keys, lengths, *like)
    return decoder.run(inputs, state, vector, keys, lengths)


def backward(decoder, trace, dlogits):
    """The way back: (dtrace, ddecoder), the gradient of a loss L.

    trace: what `forward` returned for this very decoder; dlogits (T, B, K). dtrace.x, dtrace.vector
    and, with attention, dtrace.attention.keys are the gradients of what went in.
    Raises ValueError or TypeError, also for the trace of another decoder.
    """
    checks.instance("decoder", decoder, Decoder, "a Decoder")
    checks.instance("trace", trace, DecoderTrace, "the trace that decoder.forward returned")
    checks.made_by("decoder", decoder, trace.model)
    H, K, d = decoder.cell.output_size, decoder.output_size, {}
    dread, d["out"] = decoder.out.backward(trace.read, dlogits)
    dhs, dattended = dread[..., :H], None                           # dread_t = [dh_t; dcontext_t]
    if decoder.attention is not None:
        dattended, d["attention"] = attention.backward(
            decoder.attention, trace.attention, dread[..., H:]
        )
        dhs = dhs + dattended.queries                               # h_t was the query as well
    drnn, d["cell"] = unroll.backward(decoder.cell, trace.rnn, dhs)
    dx, dvector = drnn.x[..., :K], None
    if decoder.context is not None:
        dvector = drnn.state if decoder.context == "state" else drnn.x[..., K:].sum(axis=0)
    ddecoder = dataclasses.replace(decoder, **d)
    dlogits = np.array(dlogits, trace.logits.dtype)
    return DecoderTrace(dx, dvector, drnn, dattended, dread, dlogits, ddecoder), ddecoder


def teacher_inputs(targets, start, size):
    """The inputs that teach a decoder: `start`, and then the targets, each one step late.

        inputs_0 = onehot(start)    inputs_t = onehot(target_{t-1})

    targets (T, B), whole numbers 0 .. size - 1, as is `start` -> (T, B, size).
    Source: teacher forcing, Williams and Zipser 1989.
    """
    size = checks.whole("size", size)
    targets = checks.classes("targets", targets, ("T", "B"), size)
    start = checks.classes("start", start, (), size)
    first = np.full_like(targets[:1], start)
    return np.eye(size)[np.concatenate([first, targets[:-1]])]


def _checked_kinds(cell, context, attention):
    """The class of a cell that can be a decoder's, once all three are found good."""
    fits = isinstance(cell, type) and issubclass(cell, Cell) and hasattr(cell, "init")
    if not fits or cell.feeds_back_output:
        raise TypeError(f"cell: expected a class such as GRUCell, got {cell!r}")
    if context is not None:
        checks.choice("context", context, CONTEXTS)
    if attention is not None:
        checks.choice("attention", attention, ("additive", "dot"))
    return cell
