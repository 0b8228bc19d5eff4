"""Readers that are compared: from the start, from both ends, or with the answer a little late.

    params = learn_tags(known, soft_c, both=True)       # a class at some letters of a word
    share_right(params, new, soft_c)

    params = learn_next(codes, 27, both=True)           # which character is next?
    next_losses(params, codes, 27)                      # it has seen the answer
    next_losses(params, codes, 27, future=False)        # and here it has not

Plain networks with an output layer above them, (cell, out), of nearly the same number of
parameters whichever way they read, trained with Adam. The same seed gives the same network.
"""

import numpy as np

from rnnlib import budget, checks, losses, optim, train
from rnnlib.bidirectional import Bidirectional
from rnnlib.cells import RNNCell
from rnnlib.functions import softmax
from rnnlib.outputs import OutputLayer
from rnnlib.tasks.batch import Batch
from rnnlib.tasks.letters import one_hot
from rnnlib.tasks.spelling import SPELLING_LETTERS, tagging
from rnnlib.unroll import backward, forward
from rnnlib.watch import Answering

RATE = 0.01
TAG_PARAMETERS, TAG_UPDATES, TAG_WORDS = 700, 300, 32
NEXT_PARAMETERS, NEXT_UPDATES, NEXT_PIECES, NEXT_STEPS = 7000, 400, 32, 25
_ANSWERS = Answering("cross_entropy")


def reader(input_size, classes, parameters, *, both, seed=0):
    """(cell, out) of about so many parameters: a `Bidirectional` if `both`, else one `RNNCell`.

    cell: inputs (input_size,) a step; out: logits (classes,). H is the one whose number of
    parameters is nearest to `parameters`. Raises TypeError or ValueError for numbers that are not
    whole or too small, and for a `both` that is not True or False.
    """
    checks.flag("both", both)
    checks.whole("seed", seed, least=0)

    def init(D, H):
        rng = np.random.default_rng(seed)
        cell = RNNCell.init(D, H, rng=rng)
        if both:
            cell = Bidirectional(cell, RNNCell.init(D, H, rng=rng))
        return cell, OutputLayer.init(cell.output_size, classes, rng=rng)

    return init(input_size, budget.hidden_size(init, input_size, parameters))


# --- a class at some letters of a word ----------------------------------------------------------


def learn_tags(words, rule, *, both=False, delay=0, seed=0, updates=TAG_UPDATES):
    """(cell, out), about 700 numbers, trained on words that `rule` asks about (tasks.spelling).

    300 updates of Adam at rate 0.01, each on 32 words drawn at random. delay=d: each answer is due
    d steps after its letter. About two seconds. Raises TypeError or ValueError for words with other
    letters than a to z, words of which `rule` asks about none, and arguments that do not fit.
    """
    params = reader(len(SPELLING_LETTERS), 2, TAG_PARAMETERS, both=both, seed=seed)
    rng = np.random.default_rng([seed, 1])

    def draw(step):
        return tagging(rng.choice(words, TAG_WORDS), rule, delay=delay)

    return train.fit(params, _ANSWERS.loss_and_grads, draw, optim.Adam(RATE), steps=updates,
                     progress=False).params


def share_right(params, words, rule, *, delay=0):
    """The share of right answers, 0 to 1, at the letters of these words that `rule` asks for.

    params: (cell, out) of `learn_tags`, with the same `delay`. Errors as there.
    """
    batch = tagging(words, rule, delay=delay)
    cell, out = params
    logits = out.logits(forward(cell, batch.xs, lengths=batch.lengths).h)
    return float((logits.argmax(axis=-1) == batch.targets)[batch.mask].mean())


def log_odds(params, batch, step):
    """(trace, log_odds, dxs): log p(1)/p(0) of the first word at a step, and how inputs move it.

    params: (cell, out), two classes; batch: xs (T, B, D) and lengths (B,), such as `tagging` makes;
    step: 0 .. T - 1. log_odds = o_1 - o_0 is a number; dxs (T, 1, D) its derivative with respect to
    each input, by backward. Raises IndexError for a step outside.
    """
    cell, out = params
    trace = forward(cell, batch.xs[:, :1], lengths=batch.lengths[:1])
    dlogits = np.zeros((len(trace.h), 1, 2))
    dlogits[step, 0] = -1, 1
    logits = out.logits(trace.h)
    dtrace, _ = backward(cell, trace, out.backward(trace.h, dlogits)[0])
    return trace, float(logits[step, 0] @ (-1, 1)), dtrace.x


# --- which character is next? -------------------------------------------------------------------


def pieces(codes, classes, count, rng, steps=NEXT_STEPS):
    """`count` pieces of a text (N,) drawn at random, each character to foretell the next: `Batch`.

    xs (steps, count, classes) one-hot; targets (steps, count): the codes one place later.
    rng: a numpy Generator. Raises ValueError for a text of no more than `steps` characters.
    """
    starts = rng.integers(0, len(codes) - steps, count)
    drawn = codes[starts + np.arange(steps + 1)[:, None]]
    return Batch(one_hot(drawn[:-1], classes), drawn[1:])


def learn_next(codes, classes, *, both=False, seed=0, updates=NEXT_UPDATES):
    """(cell, out), about 7,000 numbers, trained to foretell the next character of a text.

    codes (N,), whole numbers 0 .. classes - 1 (datasets.characters). 400 updates of Adam at rate
    0.01, each on 32 pieces of 25 characters. About three seconds; four if `both`. Raises TypeError
    or ValueError for codes that are no such numbers or fewer than 26.
    """
    codes = _checked_codes(codes, classes)
    params = reader(classes, classes, NEXT_PARAMETERS, both=both, seed=seed)
    rng = np.random.default_rng([seed, 1])
    return train.fit(params, _ANSWERS.loss_and_grads,
                     lambda step: pieces(codes, classes, NEXT_PIECES, rng), optim.Adam(RATE),
                     steps=updates, progress=False).params


def next_losses(params, codes, classes, *, future=True, count=400, rng=0):
    """-log p(next character) at each of the 25 places of a piece, (25,), in nats.

    Means over `count` pieces drawn at random. future=False: at each place the network is shown the
    piece up to there, and no further, as when the rest has not been written yet. params, codes and
    errors as for `learn_next`; rng: a whole number or a numpy Generator.
    """
    codes = _checked_codes(codes, classes)
    batch = pieces(codes, classes, count, checks.generator("rng", rng))
    cell, out = params
    hs = forward(cell, batch.xs).h if checks.flag("future", future) else np.stack(
        [forward(cell, batch.xs[: t + 1]).h[-1] for t in range(len(batch.xs))])
    log_p = losses.log_softmax(out.logits(hs))
    return -np.take_along_axis(log_p, batch.targets[..., None], axis=-1).mean(axis=(1, 2))


def write_on(params, codes, classes, count, rng=0):
    """The next `count` characters after a text, each drawn from what the network says: (count,).

    It is shown the last 25 characters so far, and the answer at the last of them is read. params
    as from `learn_next`, codes (N,), N at least 1. Raises TypeError or ValueError for codes or a
    count that do not fit.
    """
    cell, out = params
    written, rng = list(_checked_codes(codes, classes, 1)), checks.generator("rng", rng)
    for _ in range(checks.whole("count", count)):
        hs = forward(cell, one_hot(np.array(written[-NEXT_STEPS:])[:, None], classes)).h
        chances = softmax(out.logits(hs[-1:]))[0, 0]
        written.append(int(rng.choice(classes, p=chances / chances.sum())))
    return np.array(written[-count:])


def _checked_codes(codes, classes, least=NEXT_STEPS + 1):
    codes = checks.classes("codes", codes, ("N",), checks.whole("classes", classes))
    if len(codes) < least:
        raise ValueError(f"codes: expected {least} characters or more, got {len(codes)}")
    return codes
