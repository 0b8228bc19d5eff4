"""Search: what a network says when it is fed its own words, one symbol after another.

    found = greedy(model, xs, lengths, start=11, stop=10, max_steps=20)
    found.symbols (T, B), found.trace.attention.weights (T, B, S)
    beams = beam(model, xs, lengths, start=11, stop=10, max_steps=20, width=5)

Both rest on `follow` (one path) and `explore` (several), which work for whatever is written as

    step(state, symbols) -> (log_probabilities, state)

symbols (N,) are the last ones said, log_probabilities (N, K) those of the next. A state is an array
(..., N, .), or a tuple, list or dict of such: its rows are taken as state[..., rows, :].
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnnlib import checks, seq2seq, unroll
from rnnlib.cells import Network
from rnnlib.decoder import Decoder
from rnnlib.losses import log_softmax
from rnnlib.outputs import OutputLayer
from rnnlib.records import Record, record
from rnnlib.seq2seq import EncoderDecoder


@record
class Found(Record):
    """One sequence for every start.

    symbols (T, B), T the longest found: up to `stop`, and `stop` from there on; lengths (B,) how
    many count, the first stop included; log_probability (B,) of these, as the network sees it, in
    nats; trace, where a model wrote them, that of the model taught by them, else None.
    """

    symbols: np.ndarray
    lengths: np.ndarray
    log_probability: np.ndarray
    trace: Record | None = None


@record
class Beams(Record):
    """The W best sequences that were met for every start, the best first.

    symbols (T, B, W), lengths (B, W), log_probability (B, W), as in `Found`; scores (B, W), by
    which they are sorted. Where there are fewer than W sequences, the last ones have
    log_probability -inf and mean nothing. trace: as in `Found`, of the best ones.
    """

    symbols: np.ndarray
    lengths: np.ndarray
    log_probability: np.ndarray
    scores: np.ndarray
    trace: Record | None = None

    @property
    def best(self):
        """The best of each as `Found`."""
        return Found(
            self.symbols[..., 0], self.lengths[:, 0], self.log_probability[:, 0], self.trace
        )


def greedy(model, xs, lengths=None, *, start, stop, max_steps):
    """Let an `EncoderDecoder` say its most likely symbol each time; return `Found`.

    xs (S, B, D), lengths (B,) as in `seq2seq.forward`. start: the symbol that comes before the
    first; stop: the one that ends a sequence, or None; max_steps: no sequence is longer.
    Raises ValueError or TypeError, naming the argument, for anything malformed.
    """
    step, state, first = _begun(model, xs, lengths, start, stop)
    found = follow(step, state, first, stop=stop, max_steps=max_steps)
    trace = _taught(model, xs, lengths, start, found.symbols)
    return Found(found.symbols, found.lengths, found.log_probability, trace)


def beam(model, xs, lengths=None, *, start, stop, max_steps, width, power=0.0):
    """Let an `EncoderDecoder` keep its `width` best beginnings each time; return `Beams`.

    The arguments as in `greedy`, width and power as in `explore`.
    """
    step, state, first = _begun(model, xs, lengths, start, stop)
    found = explore(step, state, first, stop=stop, max_steps=max_steps, width=width, power=power)
    trace = _taught(model, xs, lengths, start, found.best.symbols)
    return Beams(found.symbols, found.lengths, found.log_probability, found.scores, trace)


def sample(step, state, start, *, stop, max_steps, temperature=1.0, rng=0):
    """Draw each symbol from the distribution of the network; return `Found`.

        P(k) ∝ exp(log_probability_k / temperature)

    temperature > 0: towards 0 it becomes greedy, at 1 the network is taken at its word, and far
    above all that is possible is equally likely. The rest as in `follow`.
    """
    temperature = checks.number("temperature", temperature, above=0)
    rng = checks.generator("rng", rng)

    def draw(log_p):
        with np.errstate(over="ignore"):                            # as cold as can be
            colder = (log_p - log_p.max(axis=-1, keepdims=True)) / temperature
        below = np.cumsum(np.exp(log_softmax(colder)), axis=-1)
        u = rng.random((len(log_p), 1)) * below[:, -1:]             # rounding: not always 1
        return (below[:, :-1] <= u).sum(axis=-1)

    return follow(step, state, start, stop=stop, max_steps=max_steps, choose=draw)


def most_likely(log_p):
    """The place of the largest in every row; of several, the first."""
    return log_p.argmax(axis=-1)


def follow(step, state, start, *, stop, max_steps, choose=most_likely):
    """Say one symbol after the other, each chosen from what the step makes of the last.

    step, state: see the module. start (N,): the symbols that come before the first ones. stop: the
    symbol that ends a sequence, or None. max_steps: no sequence is longer. choose(log_probabilities
    (N, K)) -> symbols (N,). Returns `Found`.
    """
    symbols, stop, max_steps = _checked(step, start, stop, max_steps)
    checks.instance("choose", choose, Callable, "a function of the log-probabilities")
    rows, log_p, path = np.arange(len(symbols)), np.zeros(len(symbols)), []
    lengths, over = np.zeros(len(symbols), int), np.zeros(len(symbols), bool)
    while len(path) < max_steps and not over.all():
        step_log_p, state = _stepped(step, state, symbols, stop)
        chosen = checks.classes("choose", choose(step_log_p), rows.shape, step_log_p.shape[1])
        symbols = np.where(over, stop, chosen)
        log_p += np.where(over, 0, step_log_p[rows, symbols])
        lengths += ~over
        over = over | (symbols == stop)
        path.append(symbols)
    return Found(np.stack(path), lengths, log_p)


def explore(step, state, start, *, stop, max_steps, width, power=0.0):
    """Beam search: of all that goes on from the `width` best beginnings, keep the `width` best.

        score = log P(symbols) / length^power

    power=0 compares the probabilities of whole sequences, which favours short ones; power=1 their
    mean per symbol. A sequence that has ended keeps its place in the beam for as long as its score
    allows. width=1 is greedy; a width of K^max_steps, for K symbols, leaves nothing out. Between
    the two the best found may be worse than the greedy one, whose beginning can drop out: but not
    within two steps. The rest as in `follow`. Returns `Beams`.
    """
    symbols, stop, max_steps = _checked(step, start, stop, max_steps)
    width, power = checks.whole("width", width), checks.number("power", power, least=0)
    B, scores = len(symbols), None
    rows = np.repeat(np.arange(B), width)
    symbols, state = symbols[rows], _take(state, rows)
    paths = _Paths.begun(B, width)
    while len(paths.symbols) < max_steps and not paths.done.all():
        step_log_p, state = _stepped(step, state, symbols, stop)
        paths, parents, scores = paths.gone_on(step_log_p, stop, power)
        symbols = paths.symbols[-1].ravel()
        state = _take(state, (parents + width * np.arange(B)[:, None]).ravel())
    return Beams(paths.symbols, paths.lengths, paths.log_p, scores)


class _Paths(NamedTuple):
    """The beginnings in a beam, W of each sequence."""

    symbols: np.ndarray     # (t, B, W)
    log_p: np.ndarray       # (B, W), -inf where there is none yet
    lengths: np.ndarray     # (B, W)
    over: np.ndarray        # (B, W)

    @classmethod
    def begun(cls, B, W):
        """One empty beginning for each sequence."""
        log_p = np.full((B, W), -np.inf)
        log_p[:, 0] = 0
        return cls(np.zeros((0, B, W), int), log_p, np.zeros((B, W), int), np.zeros((B, W), bool))

    @property
    def done(self):
        """Where nothing goes on."""
        return self.over | np.isneginf(self.log_p)

    def gone_on(self, step_log_p, stop, power):
        """(the best paths one symbol longer, from which each came (B, W), their scores)."""
        (B, W), K = self.over.shape, step_log_p.shape[-1]
        stays = np.where(np.arange(K) == stop, 0, -np.inf)          # what is over says no more
        goes_on = np.where(self.over[..., None], stays, step_log_p.reshape(B, W, K))
        log_p = (self.log_p[..., None] + goes_on).reshape(B, W * K)
        lengths = self.lengths + ~self.over
        scores = log_p / np.repeat(lengths, K, axis=1) ** power
        best = np.argsort(-scores, axis=1, kind="stable")[:, :W]
        parents, symbols = best // K, best % K
        lengths, over = (np.take_along_axis(v, parents, 1) for v in (lengths, self.over))
        log_p, scores = (np.take_along_axis(v, best, 1) for v in (log_p, scores))
        before = np.take_along_axis(self.symbols, parents[None], 2)
        longer = np.concatenate([before, symbols[None]])
        return _Paths(longer, log_p, lengths, over | (symbols == stop)), parents, scores


def language_step(cell, out):
    """The step of a language model: a cell that reads one-hot symbols, and an output layer.

    Its state is that of the cell, as `trace.last`, or None; cell.input_size is the K of `out`.
    """
    checks.instance("cell", cell, Network, "a cell such as RNNCell")
    K = len(checks.instance("out", out, OutputLayer, "an OutputLayer").c_out)
    if cell.input_size != K:
        raise ValueError(f"cell: expected input size {K}, that of out, got {cell.input_size}")

    def step(state, symbols):
        trace = unroll.forward(cell, _one_hot(symbols, K, cell.dtype), state)
        return log_softmax(out.logits(getattr(trace, cell.reads))[0]), trace.last

    return step


def decoder_step(decoder, vector=None, *, keys=None, lengths=None, batch, dtype=float):
    """(step, state) of a `Decoder` that is given, for `batch` sequences, what its forward is."""
    checks.instance("decoder", decoder, Decoder, "a Decoder")
    batch = checks.whole("batch", batch)
    first, vector = decoder.checked_given(vector, keys, lengths, batch, dtype)

    def step(state, symbols):
        state, rows = state[0], state[1][:, 0]                      # whose source each row has
        trace = decoder.run(
            _one_hot(symbols, decoder.output_size, dtype), state,
            *(_take(v, rows) for v in (vector if decoder.context == "input" else None, keys)),
            None if lengths is None else np.array(lengths)[rows],
        )
        return log_softmax(trace.logits[0]), (trace.rnn.last, rows[:, None])

    return step, (first, np.arange(batch)[:, None])


def _begun(model, xs, lengths, start, stop):
    """(step, state, the symbols before the first) of a model that has read its sources."""
    checks.instance("model", model, EncoderDecoder, "an EncoderDecoder")
    K = model.decoder.output_size
    start = checks.classes("start", start, (), K)
    _check_stop(stop, K)
    trace, given = seq2seq.encode(model, xs, lengths=lengths)
    _, B, _ = trace.x.shape
    step, state = decoder_step(model.decoder, **given, batch=B, dtype=trace.x.dtype)
    return step, state, np.full(B, start)


def _taught(model, xs, lengths, start, symbols):
    """The trace of a model that is taught by what it said."""
    inputs = seq2seq.teacher_inputs(symbols, start, model.decoder.output_size)
    return seq2seq.forward(model, xs, inputs, lengths=lengths)


def _checked(step, start, stop, max_steps):
    """The symbols before the first, the one that ends (-1: none does), the most steps."""
    checks.instance("step", step, Callable, "a function (state, symbols)")
    start = checks.classes("start", start, ("N",), 2**31)
    stop = -1 if stop is None else checks.whole("stop", stop, least=0)
    return start, stop, checks.whole("max_steps", max_steps)


def _check_stop(stop, K):
    if stop is not None and checks.whole("stop", stop, least=0) >= K:
        raise ValueError(f"stop: expected a symbol from 0 to {K - 1}, or None, got {stop}")


def _stepped(step, state, symbols, stop):
    """One step, its answer checked: it may come from anywhere."""
    said = step(state, symbols)
    if not isinstance(said, tuple) or len(said) != 2:
        raise TypeError(f"step: expected a pair (log_probabilities, state), got {said!r}")
    log_p, state = said
    if not isinstance(log_p, np.ndarray) or log_p.ndim != 2 or len(log_p) != len(symbols):
        got = getattr(log_p, "shape", type(log_p).__name__)
        raise ValueError(f"step: expected log-probabilities ({len(symbols)}, K), got {got}")
    with np.errstate(over="ignore"):
        total = np.exp(log_p).sum(axis=1)
    if not (abs(total - 1) < 1e-4).all():
        raise ValueError(f"step: expected probabilities that add up to 1, got {total}")
    _check_stop(None if stop < 0 else stop, log_p.shape[1])
    return log_p, state


def _one_hot(symbols, K, dtype):
    """One step of inputs, (1, N, K)."""
    return np.eye(K, dtype=dtype)[checks.classes("start", symbols, ("N",), K)][None]


def _take(state, rows):
    """Some rows of a state, one may be taken twice."""
    if isinstance(state, dict):
        return {name: _take(one, rows) for name, one in state.items()}
    if isinstance(state, (tuple, list)):
        return type(state)(_take(one, rows) for one in state)
    return None if state is None else state[..., rows, :]
