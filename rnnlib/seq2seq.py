"""Encoder-decoder: one network reads a sequence, another writes one, of any other length.

    model = EncoderDecoder.init(input_size=30, hidden_size=32, output_size=12, attention="dot")
    inputs = teacher_inputs(targets, start=11, size=12)     # the right outputs, one step late
    trace = forward(model, xs, inputs, lengths=lengths)     # trace.logits (T, B, K)
    dtrace, dmodel = backward(model, trace, dlogits)        # the same records, holding gradients

What passes from one to the other is a vector of fixed size, or attention to every state of the
encoder, or both. The sources have S steps, the outputs T.
"""

import dataclasses

import numpy as np

from rnnlib import checks, decoder, unroll
from rnnlib.cells import Network
from rnnlib.decoder import Decoder, DecoderTrace, Nested, teacher_inputs
from rnnlib.gru import GRUCell
from rnnlib.records import Record, record

__all__ = [
    "Decoder", "DecoderTrace", "EncoderDecoder", "EncoderDecoderTrace", "backward", "encode",
    "forward", "teacher_inputs",
]


@record
class EncoderDecoderTrace(Nested):
    """The traces of both networks; as a gradient, the gradients of both.

    encoder: the trace of the encoder; decoder: a `DecoderTrace`; model: what made it. x, the
    sources, attention and logits are theirs.
    """

    encoder: Record
    decoder: DecoderTrace
    model: "EncoderDecoder"

    @property
    def x(self):
        """The sources, (S, B, D)."""
        return self.encoder.x

    @property
    def attention(self):
        """The `AttentionTrace`, or None."""
        return self.decoder.attention

    @property
    def logits(self):
        """What the decoder says, (T, B, K)."""
        return self.decoder.logits


@record
class EncoderDecoder(Record):
    """A network that reads and one that writes (Cho et al. 2014; Sutskever et al. 2014).

    encoder: any network; decoder: a `Decoder`. Its context decides what it is given as vector:
    "state" the encoder's last state, which has to be of the decoder's kind and size; "input" the
    encoder's last h, at every step (of a `Bidirectional`: of both directions, where each ended);
    None no vector. With attention it also sees every h_s of the encoder.
    """

    encoder: Network
    decoder: Decoder

    def __post_init__(self):
        checks.instance("encoder", self.encoder, Network, "a cell such as RNNCell")
        checks.instance("decoder", self.decoder, Decoder, "a Decoder")
        decoder, H = self.decoder, self.encoder.output_size
        if decoder.attention is None and decoder.context is None:
            raise ValueError("decoder: expected a context or attention, else it is deaf, got none")
        if decoder.attention is not None and decoder.context_size != H:
            raise ValueError(
                f"decoder: expected attention to keys of width {H}, that of the encoder (a dot "
                f"product needs it to be the decoder's as well), got {decoder.context_size}"
            )
        if decoder.context == "input" and decoder.vector_size != H:
            raise ValueError(f"decoder: expected vector_size {H}, got {decoder.vector_size}")
        if decoder.context == "state":
            from_encoder, wanted = (_shapes(v) for v in (self.encoder, decoder.cell))
            if from_encoder != wanted:
                raise ValueError(
                    f"encoder: expected a last state of shape {wanted}, the decoder's first "
                    f"(context='input' or None need not fit), got {from_encoder}"
                )

    @classmethod
    def init(cls, input_size, hidden_size, output_size, *, cell=GRUCell, context="state",
             attention=None, rng=0):
        """Two cells of class `cell` and of one size; the rest as `Decoder.init`."""
        D = checks.whole("input_size", input_size)
        rng = checks.generator("rng", rng)
        decoder = Decoder.init(
            hidden_size, output_size, cell=cell, context=context, attention=attention, rng=rng
        )
        return cls(cell.init(D, hidden_size, rng=rng), decoder)

    def parts(self):
        """The networks, for `leaves`."""
        return {"encoder": self.encoder, "decoder": self.decoder}


def encode(model, xs, *, lengths=None):
    """Let the encoder read: (its trace, what the decoder is given of it).

    The second is a dict of arguments of `decoder.forward`: vector, and with attention keys and
    lengths. xs (S, B, D), lengths (B,) as in `rnnlib.forward`.
    """
    checks.instance("model", model, EncoderDecoder, "an EncoderDecoder")
    trace, given = unroll.forward(model.encoder, xs, lengths=lengths), {}
    if model.decoder.context is not None:
        given["vector"] = trace.last if model.decoder.context == "state" else trace.h_end
    if model.decoder.attention is not None:
        given |= {"keys": getattr(trace, model.encoder.reads), "lengths": lengths}
    return trace, given


def forward(model, xs, inputs, *, lengths=None):
    """Read the sources, say the outputs, taught by `inputs`; return the `EncoderDecoderTrace`.

    xs (S, B, D); lengths (B,) of the sources, as in `rnnlib.forward`: what xs holds beyond changes
    nothing. inputs (T, B, K) as in `decoder.forward`. xs decides the dtype.
    Raises ValueError or TypeError, naming the argument, for anything malformed.
    """
    checks.instance("model", model, EncoderDecoder, "an EncoderDecoder")
    xs = checks.array("xs", xs, ("S", "B", model.encoder.input_size))
    inputs = checks.array("inputs", inputs, ("T", xs.shape[1], model.decoder.output_size), xs.dtype)
    trace, given = encode(model, xs, lengths=lengths)
    return EncoderDecoderTrace(trace, decoder.forward(model.decoder, inputs, **given), model)


def backward(model, trace, dlogits):
    """The way back through both: (dtrace, dmodel), the gradient of a loss L.

    trace: what `forward` returned for this very model; dlogits (T, B, K). dtrace.x and
    dtrace.decoder.x are the gradients of the sources and of the inputs.
    Raises ValueError or TypeError, also for the trace of another model.
    """
    checks.instance("model", model, EncoderDecoder, "an EncoderDecoder")
    checks.instance("trace", trace, EncoderDecoderTrace, "the trace that seq2seq.forward returned")
    checks.made_by("model", model, trace.model)
    dsaid, ddecoder = decoder.backward(model.decoder, trace.decoder, dlogits)
    context, attended = model.decoder.context, dsaid.attention
    dread, dencoder = unroll.backward(
        model.encoder, trace.encoder,
        None if attended is None else attended.keys,                # every h_s was a key
        dh_end=dsaid.vector if context == "input" else None,
        dlast=dsaid.vector if context == "state" else None,
    )
    dmodel = dataclasses.replace(model, encoder=dencoder, decoder=ddecoder)
    return EncoderDecoderTrace(dread, dsaid, dmodel), dmodel


def _shapes(network):
    """The shapes of the state of one sequence."""
    def of(state):
        return state.shape if isinstance(state, np.ndarray) else tuple(of(one) for one in state)
    return of(network._checked_state("state", None, 1, float))
