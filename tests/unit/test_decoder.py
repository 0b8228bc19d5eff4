"""A decoder alone: from a vector to a sequence, taught by the outputs one step late."""

import numpy as np
import pytest
from test_seq2seq import off

from rnnlib import GRUCell, LSTMCell, RNNCell
from rnnlib import decoder as decoders
from rnnlib.decoder import Decoder, teacher_inputs


@pytest.mark.parametrize("context", ["state", "input"])
@pytest.mark.parametrize("cell", [RNNCell, GRUCell, LSTMCell])
def test_a_decoder_alone_says_a_sequence_about_a_vector(cell, context):
    rng = np.random.default_rng(0)
    decoder = Decoder.init(3, 4, cell=cell, context=context, vector_size=2, rng=rng)
    shape = {"input": (5, 2), "state": (2, 5, 3) if cell is LSTMCell else (5, 3)}[context]
    vector, inputs, dlogits = rng.normal(size=shape), *rng.normal(size=(2, 6, 5, 4))
    trace = decoders.forward(decoder, inputs, vector)
    dtrace, _ = decoders.backward(decoder, trace, dlogits)

    def loss(inputs=inputs, vector=vector):
        return np.sum(dlogits * decoders.forward(decoder, inputs, vector).logits)

    assert off(lambda v: loss(vector=v), vector, dtrace.vector) < 1e-8
    assert off(lambda v: loss(inputs=v), inputs, dtrace.x) < 1e-8
    deaf = decoders.forward(decoder, inputs, 0 * vector)
    assert (deaf.logits != trace.logits).any(axis=-1).all()  # the vector is heard at every step


def test_teacher_inputs_are_the_targets_one_step_late():
    inputs = teacher_inputs([[2, 0], [1, 1], [0, 2]], start=3, size=4)
    assert inputs.argmax(axis=-1).tolist() == [[3, 3], [2, 0], [1, 1]]
    assert inputs.shape == (3, 2, 4) and (inputs.sum(axis=-1) == 1).all()
