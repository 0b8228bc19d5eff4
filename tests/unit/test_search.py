"""Search: greedy, beam, sampling, on tables small enough to be searched through and on networks."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import GRUCell, LSTMCell, OutputLayer, losses, optim, search, seq2seq, train
from rnnlib.bidirectional import Bidirectional
from rnnlib.decoder import Decoder, teacher_inputs
from rnnlib.decoder import forward as taught
from rnnlib.functions import softmax
from rnnlib.losses import log_softmax
from rnnlib.seq2seq import EncoderDecoder
from rnnlib.stack import Stack

K = 3
seeds = st.integers(0, 2**32 - 1)


def table(seed, B=2, sharp=2.0):
    """A random language of K words in which all that was said counts: (step, state, start)."""
    log_p = log_softmax(sharp * np.random.default_rng(seed).normal(size=(10007, K)))

    def step(state, symbols):
        place = (state[:, 0] * 7 + symbols + 1) % len(log_p)
        return log_p[place], place[:, None]

    return step, np.arange(1, B + 1)[:, None], np.zeros(B, int)


def every_sequence(language, stop, T):
    """{sequence: log-probability} for each start: all of T words, or up to the first stop."""
    step, state, start = language
    found = [{} for _ in start]
    for words in product(range(K), repeat=T):
        words = words[: words.index(stop) + 1] if stop in words else words
        now, last, log_p = state, start, np.zeros(len(start))
        for word in words:
            step_log_p, now = step(now, last)
            last = np.full(len(start), word)
            log_p = log_p + step_log_p[:, word]
        for b, one in enumerate(found):
            one[words] = log_p[b]
    return found


def words_of(beams, b, w):
    return tuple(beams.symbols[: beams.lengths[b, w], b, w].tolist())


@given(seed=seeds, T=st.integers(1, 4), stop=st.sampled_from([0, 2, None]))
def test_the_widest_beam_finds_everything_in_order(seed, T, stop):
    language = table(seed)
    beams = search.explore(*language, stop=stop, max_steps=T, width=K**T)
    for b, expected in enumerate(every_sequence(language, stop, T)):
        log_p, n = beams.log_probability[b], len(expected)
        assert np.exp(log_p).sum() == pytest.approx(1, rel=1e-12)  # nothing is left out
        assert np.isneginf(log_p[n:]).all() and np.isfinite(log_p[:n]).all()
        assert (np.diff(log_p[:n]) <= 0).all()
        found = {words_of(beams, b, w): log_p[w] for w in range(n)}
        assert found == pytest.approx(expected, rel=1e-12)


@given(seed=seeds, T=st.integers(1, 6), stop=st.sampled_from([0, 2, None]), power=st.floats(0, 2))
def test_a_beam_of_one_is_greedy(seed, T, stop, power):
    found = search.follow(*table(seed), stop=stop, max_steps=T)
    beams = search.explore(*table(seed), stop=stop, max_steps=T, width=1, power=power)
    for name in ("symbols", "lengths", "log_probability"):
        assert np.array_equal(getattr(beams.best, name), getattr(found, name)), name


@given(seed=seeds, width=st.integers(2, 6), stop=st.sampled_from([0, None]))
def test_within_two_steps_a_beam_is_never_worse_than_greedy(seed, width, stop):
    found = search.follow(*table(seed), stop=stop, max_steps=2)
    beams = search.explore(*table(seed), stop=stop, max_steps=2, width=width)
    assert (beams.best.log_probability >= found.log_probability).all()


def test_beyond_two_steps_a_beam_is_mostly_better_and_sometimes_worse():
    """Counted: a beginning that is second now may look best for a step, and lead nowhere."""
    language = table(0, B=500, sharp=1.0)
    greedy = search.follow(*language, stop=None, max_steps=5).log_probability
    gains = {
        width: search.explore(*language, stop=None, max_steps=5, width=width)
        .best.log_probability - greedy for width in (2, 3, 9, K**5)
    }
    better = {w: int((gain > 1e-12).sum()) for w, gain in gains.items()}
    worse = {w: int((gain < -1e-12).sum()) for w, gain in gains.items()}
    assert worse[2] > 0 and worse[K**5] == 0
    assert all(better[w] > 10 * worse[w] for w in gains)
    assert better[2] < better[3] < better[9] <= better[K**5]


@given(seed=seeds, width=st.integers(1, 5), power=st.sampled_from([0.0, 0.7, 1.0]))
def test_what_a_beam_says_of_its_sequences_is_true(seed, width, power):
    language = table(seed)
    beams = search.explore(*language, stop=0, max_steps=4, width=width, power=power)
    for b, expected in enumerate(every_sequence(language, 0, 4)):
        met = [words_of(beams, b, w) for w in range(width) if np.isfinite(beams.scores[b, w])]
        assert len(set(met)) == len(met)
        for w, words in enumerate(met):
            assert beams.log_probability[b, w] == pytest.approx(expected[words], rel=1e-12)
            assert beams.scores[b, w] == pytest.approx(expected[words] / len(words) ** power)
            assert (beams.symbols[len(words):, b, w] == 0).all()
    assert (np.diff(beams.scores, axis=1)[np.isfinite(beams.scores[:, 1:])] <= 0).all()


def test_normalisation_turns_a_short_sequence_down():
    """stop is said at once with .4; else five words of .9 each follow: .6 · .9⁴ = .394 < .4."""
    start, later = np.log([0.4, 0.6, 1e-300]), np.log([1e-300, 0.9, 0.1])
    def step(state, symbols):
        return np.where(state == 0, start, later), state + 1
    first = np.zeros((1, 1))
    for power, words in ((0.0, (0,)), (1.0, (1,) * 5)):
        beams = search.explore(step, first, [0], stop=0, max_steps=5, width=4, power=power)
        assert words_of(beams, 0, 0) == words


@given(seed=seeds)
def test_greedy_takes_the_best_step_each_time_and_stops(seed):
    step, state, start = table(seed, B=4)
    found = search.follow(step, state, start, stop=0, max_steps=6)
    for b in range(4):
        now, last, total = state[b : b + 1], start[:1], 0.0
        for said in found.symbols[: found.lengths[b], b]:
            log_p, now = step(now, last)
            assert said == log_p[0].argmax()
            total, last = total + log_p[0, said], np.array([said])
        assert found.log_probability[b] == pytest.approx(total, rel=1e-12)
        ends = np.flatnonzero(found.symbols[:, b] == 0)
        assert found.lengths[b] == (ends[0] + 1 if len(ends) else 6)
        assert (found.symbols[found.lengths[b] :, b] == 0).all()
    assert len(found.symbols) == found.lengths.max()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_samples_have_the_frequencies_of_the_network(temperature):
    p = np.array([0.5, 0.3, 0.2])
    def step(state, symbols):
        return np.log(np.broadcast_to(p, (len(symbols), K))), state
    found = search.sample(step, None, np.zeros(20000, int), stop=None, max_steps=1,
                          temperature=temperature, rng=0)
    expected = softmax(np.log(p) / temperature)
    counts = np.bincount(found.symbols[0], minlength=K)
    chi2 = ((counts - 20000 * expected) ** 2 / (20000 * expected)).sum()
    assert chi2 < 13.8  # χ², 2 degrees of freedom: beyond it once in 1000
    assert found.log_probability == pytest.approx(np.log(p)[found.symbols[0]])


def test_sampling_cold_is_greedy_and_never_says_the_impossible():
    sure = search.follow(*table(3), stop=None, max_steps=6).symbols
    for temperature in (1e-3, 1e-300):
        cold = search.sample(*table(3), stop=None, max_steps=6, temperature=temperature)
        assert np.array_equal(cold.symbols, sure)
    with np.errstate(divide="ignore"):
        log_p = np.log(np.array([[0.0, 1.0, 0.0]]))
    found = search.sample(lambda state, symbols: (np.repeat(log_p, len(symbols), 0), state), None,
                          np.zeros(1000, int), stop=None, max_steps=3, temperature=50.0)
    assert (found.symbols == 1).all() and not found.log_probability.any()
    one, two = (search.sample(*table(3), stop=0, max_steps=9, rng=5) for _ in range(2))
    assert np.array_equal(one.symbols, two.symbols)


@pytest.mark.parametrize("cell", ["gru", "lstm", "stack"])
def test_a_language_model_is_searched_as_it_is_taught(cell):
    rng = np.random.default_rng(0)
    cell = {"gru": GRUCell.init(K, 4, rng=rng), "lstm": LSTMCell.init(K, 4, rng=rng),
            "stack": Stack((LSTMCell.init(K, 2, rng=rng), GRUCell.init(2, 4, rng=rng)))}[cell]
    out = OutputLayer.init(4, K, rng=rng)
    step = search.language_step(cell, out)
    state = cell._checked_state("state", None, 2, float)
    beams = search.explore(step, state, [0, 1], stop=None, max_steps=3, width=K**3)
    assert np.exp(beams.log_probability).sum(axis=1) == pytest.approx(1, rel=1e-12)
    found = search.sample(step, state, [0, 1], stop=None, max_steps=3, rng=1)
    decoder = Decoder(cell, out, context=None)
    log_p = log_softmax(taught(decoder, np.eye(K)[np.stack([[0, 1], *found.symbols[:2]])]).logits)
    expected = np.take_along_axis(log_p, found.symbols[..., None], -1).sum(axis=(0, 2))
    assert found.log_probability == pytest.approx(expected, rel=1e-12)
    assert np.array_equal(search.follow(step, None, [0, 1], stop=None, max_steps=3).symbols,
                          search.follow(step, state, [0, 1], stop=None, max_steps=3).symbols)


def networks():
    rng = np.random.default_rng(2)
    ways = [("state", None), ("input", None), ("state", "dot"), (None, "additive")]
    for cell in (GRUCell, LSTMCell):
        for context, attention in ways:
            yield EncoderDecoder.init(
                2, 4, K, cell=cell, context=context, attention=attention, rng=rng
            )
    encoder = Bidirectional(GRUCell.init(2, 2, rng=rng), LSTMCell.init(2, 3, rng=rng))
    yield EncoderDecoder(encoder, Decoder.init(
        4, K, context="input", attention="additive", vector_size=5, key_size=5, rng=rng
    ))


@pytest.mark.parametrize("model", list(networks()))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_taught_by_itself_says_what_it_said(model, dtype):
    rng = np.random.default_rng(0)
    xs, lengths = 2 * rng.normal(size=(4, 6, 2)).astype(dtype), [1, 2, 3, 4, 4, 1]
    near = {np.float32: 1e-5, np.float64: 1e-12}[dtype]
    found = search.greedy(model, xs, lengths, start=1, stop=2, max_steps=5)
    counts = np.arange(len(found.symbols))[:, None] < found.lengths
    log_p = log_softmax(found.trace.logits)
    assert found.trace.logits.dtype == dtype
    assert np.array_equal(log_p.argmax(axis=-1)[counts], found.symbols[counts])
    inputs = teacher_inputs(found.symbols, 1, K)
    again = seq2seq.forward(model, xs, inputs, lengths=lengths)
    assert np.array_equal(again.logits, found.trace.logits)
    for width in (1, 3):
        beams = search.beam(model, xs, lengths, start=1, stop=2, max_steps=5, width=width)
        best, log_p = beams.best, log_softmax(beams.trace.logits)
        counts = np.arange(len(best.symbols))[:, None] < best.lengths
        picked = np.take_along_axis(log_p, best.symbols[..., None], -1)[..., 0]
        assert best.log_probability == pytest.approx((picked * counts).sum(axis=0), rel=near)
        if width == 1:
            assert np.array_equal(best.symbols, found.symbols)
    alone = search.beam(model, xs[:2, 1:2], start=1, stop=2, max_steps=5, width=3)
    assert alone.log_probability[0] == pytest.approx(beams.log_probability[1], rel=near)


def test_a_decoder_alone_is_searched_as_well():
    rng = np.random.default_rng(0)
    decoder = Decoder.init(4, K, context="input", vector_size=2, rng=rng)
    vector = rng.normal(size=(5, 2))
    found = search.follow(*search.decoder_step(decoder, vector, batch=5), np.zeros(5, int),
                          stop=None, max_steps=4)
    trace = taught(decoder, teacher_inputs(found.symbols, 0, K), vector)
    assert np.array_equal(trace.logits.argmax(axis=-1), found.symbols)


STOP, START, SYMBOLS = 8, 9, 10


def reversal(rng, B):
    """5 to 8 symbols and the same from the end: (xs, targets, lengths, mask)."""
    lengths = rng.integers(5, 9, B)
    t = np.arange(lengths.max() + 1)[:, None]
    symbols = rng.integers(0, STOP, t.shape + (B,))[:, 0]
    backwards = np.take_along_axis(symbols, np.maximum(lengths - 1 - t, 0), axis=0)
    xs = np.eye(STOP)[symbols] * (t < lengths)[..., None]
    return xs[:-1], np.where(t < lengths, backwards, STOP), lengths, t <= lengths


def loss_and_grads(model, batch):
    xs, targets, lengths, mask = batch
    trace = seq2seq.forward(model, xs, teacher_inputs(targets, START, SYMBOLS), lengths=lengths)
    loss, dlogits = losses.softmax_cross_entropy(trace.logits, targets, mask)
    return loss, seq2seq.backward(model, trace, dlogits)[1]


def test_with_attention_it_learns_to_reverse_and_looks_where_it_should():
    rng = np.random.default_rng(0)
    model = EncoderDecoder.init(STOP, 32, SYMBOLS, attention="dot", rng=rng)
    run = train.fit(model, loss_and_grads, lambda step: reversal(rng, 32), optim.Adam(0.01),
                    steps=500, clip=1.0, progress=False)
    xs, targets, lengths, mask = reversal(np.random.default_rng(1), 300)
    found = search.greedy(run.params, xs, lengths, start=START, stop=STOP, max_steps=len(targets))
    assert np.mean((found.symbols == targets).all(axis=0)) > 0.95
    assert np.mean(found.lengths == lengths + 1) > 0.95
    weights, t = found.trace.attention.weights, np.arange(len(found.symbols))[:, None]
    there = (weights.argmax(axis=-1) == lengths - 1 - t)[t < lengths]
    assert there.mean() > 0.9  # output t of a reversal is input n - 1 - t
    said = found.trace.logits.argmax(axis=-1)
    counts = np.arange(len(said))[:, None] < found.lengths
    assert np.array_equal(said[counts], found.symbols[counts])
