"""rnnlib: recurrent networks whose every state and gradient comes back as one record.

    cell = RNNCell.init(input_size=4, hidden_size=3)    # parameters U, W, b
    trace = forward(cell, xs)                           # x, a, h, step by step
    dtrace, dcell = backward(cell, trace, dhs)          # the same, holding gradients

Time comes first: xs is (T, B, D), T steps of B sequences of D numbers. A field `f` of `dtrace` or
`dcell` is dL/df, the total derivative of the loss L. Nothing is changed in place or kept hidden.

Where to look, from the bottom up (each line may import only from lines above it):

    functions       activations and their slopes, softmax, products over all steps
    checks          what bad input is told
    records         frozen records of arrays: parameters, traces, gradients
    memory          memory for traces, used again
    starts          the first recurrent weights: uniform, Gaussian, orthogonal, identity
    lengths         sequences of unequal length in one batch, each cut at its own end
    cells           RNNCell: a_t = b + W h_{t-1} + U x_t, h_t = act(a_t), and the way back
    leaky           LeakyRNNCell: a state that changes slowly
    skip            SkipRNNCell: a second path, from the state d steps ago
    jordan          JordanCell: the output, not the hidden state, goes to the next step
    lstm            LSTMCell: what is kept, what is written, what is shown
    lstm_variants   PeepholeLSTMCell; LSTM1997Cell, which cannot forget
    gru             GRUCell, and PaperGRUCell with the reset gate before the product
    stack           Stack: one cell above the other
    bidirectional   Bidirectional: one cell reads from the start, one from the end
    unroll          forward and backward, for every cell
    bptt            backpropagation through time, checkpointed, truncated or item by item
    budget          how many numbers a network has; networks of equal size
    outputs         OutputLayer: logits_t = c_out + V h_t
    losses          softmax_cross_entropy, mse
    attention       what each step looks at: additive, scaled dot product
    decoder         a vector to a sequence, with a teacher or without
    seq2seq         encoder and decoder, with attention or without
    search          what a network says by itself: greedy, beam, sampled
    trees           recursive networks: a step for every node of a binary tree
    clipping        gradients cut to size: clip_by_value, clip_by_norm
    optim           SGD, Adagrad, RMSprop, Adadelta, Adam
    regularisers    l2, and omega, which keeps the gradient's length on its way back
    train           fit: the training loop
    elman           the sequences of Elman 1990
    tasks           sequences made by a rule, each from its seed
    watch           Answering: a cell, an output layer and a loss, to train and to look at
    causality       who sees the future: influence, leaks
    reading         readers from the start, from both ends, or late, at equal size
    datasets        real data that is here already: names, dates, digits, sensors, a book
    results         what the experiments measured, read from rnnlib/data
    exercises       the exercises of the chapters, graded
    bridge          to and from torch.nn (needs torch)
    bridge_watch    a torch model in training, seen from inside
    style, plots, live, widgets     pictures (need matplotlib, anywidget)

`import rnnlib` loads numpy only; what it does not need is loaded when first asked for.
"""

import importlib

from rnnlib import bptt, losses, optim, regularisers, train
from rnnlib.bidirectional import Bidirectional, BidirectionalTrace
from rnnlib.cells import RNNCell, RNNTrace
from rnnlib.gru import GRUCell, GRUTrace, PaperGRUCell
from rnnlib.jordan import JordanCell, JordanTrace
from rnnlib.leaky import LeakyRNNCell, LeakyTrace
from rnnlib.lstm import LSTMCell, LSTMTrace
from rnnlib.lstm_variants import LSTM1997Cell, LSTM1997Trace, PeepholeLSTMCell
from rnnlib.outputs import OutputLayer
from rnnlib.skip import SkipRNNCell, SkipTrace
from rnnlib.stack import Stack, StackTrace
from rnnlib.unroll import backward, forward

__version__ = "0.1.0"
__all__ = [
    "Bidirectional",
    "BidirectionalTrace",
    "GRUCell",
    "GRUTrace",
    "JordanCell",
    "JordanTrace",
    "LSTM1997Cell",
    "LSTM1997Trace",
    "LSTMCell",
    "LSTMTrace",
    "LeakyRNNCell",
    "LeakyTrace",
    "OutputLayer",
    "PaperGRUCell",
    "PeepholeLSTMCell",
    "RNNCell",
    "RNNTrace",
    "SkipRNNCell",
    "SkipTrace",
    "Stack",
    "StackTrace",
    "backward",
    "bptt",
    "forward",
    "losses",
    "optim",
    "regularisers",
    "train",
]

_LATER = (
    "attention", "bridge", "bridge_watch", "budget", "causality", "datasets", "elman", "exercises",
    "live", "plots", "reading", "search", "seq2seq", "style", "tasks", "trees", "watch", "widgets",
)


def __getattr__(name):
    if name in _LATER:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
