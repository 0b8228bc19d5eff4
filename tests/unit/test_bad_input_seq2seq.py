"""Malformed calls of what makes one sequence out of another: attention, decoders, search."""

from dataclasses import replace

import numpy as np
import pytest
from bad_input import (
    CELL,
    DHS,
    LENGTHS,
    NOT_NUMBERS,
    OUT,
    RNG,
    SHARED,
    STATE,
    TARGETS,
    TRACE,
    XS,
    family,
    refused,
    rows,
)

from rnnlib import (
    Bidirectional,
    GRUCell,
    JordanCell,
    LSTMCell,
    RNNCell,
    attention,
    search,
    seq2seq,
)
from rnnlib import decoder as decoders
from rnnlib.attention import AdditiveAttention, ScaledDotAttention
from rnnlib.decoder import Decoder
from rnnlib.seq2seq import EncoderDecoder, teacher_inputs

ADDITIVE, DOT = AdditiveAttention.init(4, 3, 2, rng=0), ScaledDotAttention()
ATTENDED = attention.forward(ADDITIVE, DHS, XS)
MODEL = EncoderDecoder.init(3, 4, 5, attention="dot", rng=0)
PLAIN_MODEL = EncoderDecoder.init(3, 4, 5, rng=0)
DECODER = Decoder.init(4, 5, context="input", vector_size=2, rng=0)
INPUTS = RNG.normal(size=(6, 2, 5))
SAID = seq2seq.forward(MODEL, XS, INPUTS)
TOLD = decoders.forward(DECODER, INPUTS, STATE[:, :2])
WORDS = {"start": 0, "stop": 1, "max_steps": 3}
SHARED += [ADDITIVE, ATTENDED, SAID, TOLD, MODEL.encoder, MODEL.decoder.out, INPUTS]


def greedy(**changes):
    return search.greedy(**{"model": MODEL, "xs": XS} | WORDS | changes)


def beam(**changes):
    return search.beam(**{"model": MODEL, "xs": XS, "width": 2} | WORDS | changes)


def follow(**changes):
    step, state = search.language_step(RNNCell.init(5, 4), OUT), np.zeros((2, 4))
    arguments = {"step": step, "state": state, "start": [0, 0], "stop": 1, "max_steps": 3}
    return search.follow(**arguments | changes)


def sample(**changes):
    step, state = search.language_step(RNNCell.init(5, 4), OUT), np.zeros((2, 4))
    return search.sample(step, state, [0, 0], **{"stop": 1, "max_steps": 3} | changes)


CALLS = family([
    ("queries", lambda v: attention.forward(ADDITIVE, v, XS)),
    ("keys", lambda v: attention.forward(ADDITIVE, DHS, v)),
    ("dcontexts", lambda v: attention.backward(ADDITIVE, ATTENDED, v)),
    ("W_k", lambda v: replace(ADDITIVE, W_k=v)),
    ("xs", lambda v: seq2seq.forward(MODEL, v, INPUTS)),
    ("inputs", lambda v: seq2seq.forward(MODEL, XS, v)),
    ("dlogits", lambda v: seq2seq.backward(MODEL, SAID, v)),
    ("vector", lambda v: decoders.forward(DECODER, INPUTS, v)),
], NOT_NUMBERS)
CALLS += family([
    ("lengths", lambda v: attention.forward(DOT, DHS, DHS, lengths=v)),
    ("lengths", lambda v: seq2seq.forward(MODEL, XS, INPUTS, lengths=v)),
    ("lengths", lambda v: greedy(lengths=v)),
], LENGTHS)
CALLS += [  # attention
    ("layer", lambda: attention.forward("dot", DHS, DHS), TypeError),
    ("layer", lambda: attention.forward(ScaledDotAttention, DHS, DHS), TypeError),
    ("layer", lambda: attention.backward(CELL, ATTENDED, XS), TypeError),
    ("queries", lambda: attention.forward(ADDITIVE, XS, XS), ValueError),
    ("queries", lambda: attention.forward(DOT, DHS[0], DHS), ValueError),
    ("keys", lambda: attention.forward(ADDITIVE, DHS, DHS), ValueError),
    ("keys", lambda: attention.forward(DOT, DHS, XS), ValueError),
    ("keys", lambda: attention.forward(DOT, DHS, DHS[:, :1]), ValueError),
    ("keys", lambda: attention.forward(DOT, DHS, DHS[:0]), ValueError),
    ("trace", lambda: attention.backward(ADDITIVE, TRACE, XS), TypeError),
    ("trace", lambda: attention.backward(replace(ADDITIVE), ATTENDED, XS), ValueError),
    ("dcontexts", lambda: attention.backward(ADDITIVE, ATTENDED, XS[1:]), ValueError),
    ("scaled", lambda: ScaledDotAttention(0.5), TypeError),
    ("v", lambda: replace(ADDITIVE, v=np.ones(3)), ValueError),
    ("W_k", lambda: replace(ADDITIVE, W_k=np.ones((3, 3))), ValueError),
]
CALLS += [  # decoders and models
    ("decoder", lambda: decoders.forward(CELL, INPUTS), TypeError),
    ("vector", lambda: decoders.forward(DECODER, INPUTS, STATE), ValueError),
    ("vector", lambda: decoders.forward(DECODER, INPUTS, STATE[0, :2]), ValueError),
    ("vector", lambda: decoders.forward(PLAIN_MODEL.decoder, INPUTS), TypeError),
    ("vector", lambda: decoders.forward(PLAIN_MODEL.decoder, INPUTS, STATE[:1]), ValueError),
    ("keys", lambda: decoders.forward(MODEL.decoder, INPUTS, STATE), TypeError),
    ("keys", lambda: decoders.forward(MODEL.decoder, INPUTS, STATE, keys=XS), ValueError),
    ("keys", lambda: decoders.forward(DECODER, INPUTS, STATE[:, :2], keys=XS), TypeError),
    ("lengths", lambda: decoders.forward(DECODER, INPUTS, STATE[:, :2], lengths=[1, 1]), TypeError),
    ("inputs", lambda: decoders.forward(DECODER, DHS, STATE[:, :2]), ValueError),
    ("trace", lambda: decoders.backward(DECODER, SAID.decoder, INPUTS), ValueError),
    ("trace", lambda: decoders.backward(DECODER, SAID, INPUTS), TypeError),
    ("dlogits", lambda: decoders.backward(DECODER, TOLD, INPUTS[1:]), ValueError),
    ("model", lambda: seq2seq.forward(CELL, XS, INPUTS), TypeError),
    ("model", lambda: seq2seq.backward(None, SAID, INPUTS), TypeError),
    ("xs", lambda: seq2seq.forward(MODEL, DHS, INPUTS), ValueError),
    ("inputs", lambda: seq2seq.forward(MODEL, XS, INPUTS[:, :1]), ValueError),
    ("inputs", lambda: seq2seq.forward(MODEL, XS, INPUTS[..., :4]), ValueError),
    ("trace", lambda: seq2seq.backward(MODEL, SAID.decoder, INPUTS), TypeError),
    ("trace", lambda: seq2seq.backward(replace(MODEL), SAID, INPUTS), ValueError),
    ("dlogits", lambda: seq2seq.backward(MODEL, SAID, INPUTS[..., 0]), ValueError),
    ("start", lambda: teacher_inputs(TARGETS, 5, 5), ValueError),
    ("start", lambda: teacher_inputs(TARGETS, 1.0, 5), TypeError),
    ("targets", lambda: teacher_inputs(TARGETS[0], 1, 5), ValueError),
    ("targets", lambda: teacher_inputs(TARGETS + 5, 1, 5), ValueError),
    ("size", lambda: teacher_inputs(TARGETS, 0, 0), ValueError),
    ("input_size", lambda: EncoderDecoder.init(0, 4, 5), ValueError),
    ("cell", lambda: EncoderDecoder.init(3, 4, 5, cell="gru"), TypeError),
    ("cell", lambda: EncoderDecoder.init(3, 4, 5, cell=CELL), TypeError),
    ("cell", lambda: Decoder.init(4, 5, cell=JordanCell), TypeError),
    ("context", lambda: EncoderDecoder.init(3, 4, 5, context="vector"), ValueError),
    ("attention", lambda: EncoderDecoder.init(3, 4, 5, attention="luong"), ValueError),
    ("attention", lambda: EncoderDecoder.init(3, 4, 5, attention=DOT), TypeError),
    ("decoder", lambda: EncoderDecoder.init(3, 4, 5, context=None), ValueError),
    ("key_size", lambda: Decoder.init(4, 5, attention="dot", key_size=3), ValueError),
    ("vector_size", lambda: Decoder.init(4, 5, context="input", vector_size=0), ValueError),
    ("rng", lambda: EncoderDecoder.init(3, 4, 5, rng=None), TypeError),
    ("encoder", lambda: EncoderDecoder(OUT, DECODER), TypeError),
    ("encoder", lambda: EncoderDecoder(RNNCell.init(3, 2), PLAIN_MODEL.decoder), ValueError),
    ("encoder", lambda: EncoderDecoder(LSTMCell.init(3, 4), PLAIN_MODEL.decoder), ValueError),
    ("encoder", lambda: EncoderDecoder(Bidirectional(CELL, CELL), PLAIN_MODEL.decoder), ValueError),
    ("decoder", lambda: EncoderDecoder(CELL, CELL), TypeError),
    ("decoder", lambda: EncoderDecoder(CELL, DECODER), ValueError),
    ("decoder", lambda: EncoderDecoder(Bidirectional(CELL, CELL), MODEL.decoder), ValueError),
    ("cell", lambda: Decoder(Bidirectional(CELL, CELL), OUT), TypeError),
    ("cell", lambda: Decoder(CELL, OUT), ValueError),
    ("cell", lambda: Decoder(GRUCell.init(5, 4), OUT, context="input"), ValueError),
    ("out", lambda: Decoder(CELL, CELL), TypeError),
    ("out", lambda: Decoder(GRUCell.init(5, 4), OUT, DOT), ValueError),
    ("queries", lambda: Decoder(GRUCell.init(5, 3), OUT, ADDITIVE), ValueError),
    ("attention", lambda: Decoder(GRUCell.init(5, 4), OUT, "dot"), TypeError),
]
CALLS += [  # search
    ("model", lambda: greedy(model=DECODER), TypeError),
    ("xs", lambda: greedy(xs=DHS), ValueError),
    ("start", lambda: greedy(start=5), ValueError),
    ("start", lambda: greedy(start=[0, 0]), ValueError),
    ("start", lambda: greedy(start=0.0), TypeError),
    ("stop", lambda: greedy(stop=5), ValueError),
    ("stop", lambda: greedy(stop=-1), ValueError),
    ("stop", lambda: greedy(stop="."), TypeError),
    ("max_steps", lambda: greedy(max_steps=0), ValueError),
    ("max_steps", lambda: greedy(max_steps=2.5), TypeError),
    ("width", lambda: beam(width=0), ValueError),
    ("width", lambda: beam(width=None), TypeError),
    ("power", lambda: beam(power=-1), ValueError),
    ("power", lambda: beam(power="mean"), TypeError),
    ("step", lambda: follow(step=CELL), TypeError),
    ("step", lambda: follow(step=lambda state, symbols: (DHS[0], state)), ValueError),
    ("step", lambda: follow(step=lambda state, symbols: (DHS, state)), ValueError),
    ("step", lambda: follow(step=lambda state, symbols: (None, state)), ValueError),
    ("step", lambda: follow(step=lambda state, symbols: None), TypeError),
    ("step", lambda: follow(step=lambda state, symbols: (DHS[0] * np.nan, state)), ValueError),
    ("start", lambda: follow(start=0), ValueError),
    ("start", lambda: follow(start=[0, 7]), ValueError),
    ("start", lambda: follow(start=[0.0, 0.0]), TypeError),
    ("stop", lambda: follow(stop=9), ValueError),
    ("choose", lambda: follow(choose="best"), TypeError),
    ("choose", lambda: follow(choose=lambda log_p: log_p), TypeError),
    ("choose", lambda: follow(choose=lambda log_p: np.full(2, 5)), ValueError),
    ("temperature", lambda: sample(temperature=0), ValueError),
    ("temperature", lambda: sample(temperature=np.inf), ValueError),
    ("rng", lambda: sample(rng=None), TypeError),
    ("cell", lambda: search.language_step(CELL, OUT), ValueError),
    ("out", lambda: search.language_step(CELL, CELL), TypeError),
    ("decoder", lambda: search.decoder_step(MODEL, batch=2), TypeError),
    ("batch", lambda: search.decoder_step(DECODER, STATE[:, :2], batch=0), ValueError),
    ("vector", lambda: search.decoder_step(DECODER, STATE[:, :2], batch=3), ValueError),
]


@pytest.mark.parametrize(("name", "call", "kind"), rows(CALLS))
def test_a_malformed_call_is_refused_by_name_and_changes_nothing(name, call, kind):
    refused(name, call, kind)
