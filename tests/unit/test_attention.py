"""Attention against central differences and torch, and what padding and order may never change."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from references import central_differences, relative_error

from rnnlib import attention, clipping, optim
from rnnlib.attention import AdditiveAttention, AttentionTrace, ScaledDotAttention
from rnnlib.records import leaves

sizes = st.integers(1, 4)
rng = np.random.default_rng(3)
LAYERS = {
    "additive": AdditiveAttention.init(3, 5, 4, rng=rng),
    "dot": ScaledDotAttention(),
    "unscaled": ScaledDotAttention(scaled=False),
}
every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


def pair(layer, T=4, S=6, B=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(T, B, 3)), rng.normal(size=(S, B, layer.key_size(3)))


@st.composite
def cases(draw):
    """(layer, queries, keys, lengths, dcontexts)."""
    T, B, S, H, E, A = (draw(sizes) for _ in "TBSHEA")
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["additive", "dot", "unscaled"]))
    if kind == "additive":
        layer = AdditiveAttention.init(H, E, A, rng=rng)
    else:
        layer, E = ScaledDotAttention(kind == "dot"), H
    lengths = rng.integers(1, S + 1, B) if draw(st.booleans()) else None
    return (layer, rng.normal(size=(T, B, H)), rng.normal(size=(S, B, E)), lengths,
            rng.normal(size=(T, B, E)))


def plain(layer, queries, keys, lengths, nudges):
    """The contexts, pair by pair, with `nudges` added to one field on its way."""
    (T, B, H), S = queries.shape, len(keys)
    at = {name: nudges.get(name, np.zeros((T, B, S) + (9,) * (name == "match")))
          for name in ("match", "scores", "weights")}
    contexts = np.zeros((T, B, keys.shape[-1]))
    for t, b in np.ndindex(T, B):
        n, scores = S if lengths is None else lengths[b], []
        for s in range(n):
            if isinstance(layer, AdditiveAttention):
                match = np.tanh(layer.W_q @ queries[t, b] + layer.W_k @ keys[s, b])
                score = layer.v @ (match + at["match"][t, b, s, : len(match)])
            else:
                score = queries[t, b] @ keys[s, b] / (np.sqrt(H) if layer.scaled else 1)
            scores.append(score + at["scores"][t, b, s])
        weights = np.exp(scores) / np.exp(scores).sum() + at["weights"][t, b, :n]
        contexts[t, b] = sum(w * k for w, k in zip(weights, keys[:n, b], strict=True))
    return contexts


@given(cases())
def test_forward_equals_the_loop_over_pairs(case):
    layer, queries, keys, lengths, _ = case
    trace = attention.forward(layer, queries, keys, lengths=lengths)
    np.testing.assert_allclose(
        trace.context, plain(layer, queries, keys, lengths, {}), rtol=1e-11, atol=1e-13
    )
    assert trace.weights.sum(axis=-1) == pytest.approx(1, rel=1e-14)


@given(cases())
def test_everything_against_differences(case):
    layer, queries, keys, lengths, dcontexts = case
    trace = attention.forward(layer, queries, keys, lengths=lengths)
    dtrace, dlayer = attention.backward(layer, trace, dcontexts)

    def loss(layer=layer, queries=queries, keys=keys, **nudges):
        return np.sum(dcontexts * plain(layer, queries, keys, lengths, nudges))

    expected = {
        "queries": central_differences(lambda v: loss(queries=v), queries),
        "keys": central_differences(lambda v: loss(keys=v), keys),
        "context": dcontexts,
    }
    for name in trace.fields().keys() - expected.keys():
        nudges = np.zeros(trace.fields()[name].shape)
        expected[name] = central_differences(lambda v: loss(**{name: v}), nudges)  # noqa: B023
    assert dtrace.fields().keys() == expected.keys() == trace.fields().keys()
    for name, value in expected.items():
        assert relative_error(getattr(dtrace, name), value) < 1e-8, name
    for name, value in layer.fields().items():
        differences = central_differences(lambda p: loss(replace(layer, **{name: p})), value)  # noqa: B023
        assert relative_error(getattr(dlayer, name), differences) < 1e-8, name
    assert dtrace.layer is dlayer and type(dlayer) is type(layer) and type(dtrace) is AttentionTrace


def in_torch(layer, p, queries, keys, lengths):
    """The contexts by torch; (T, B, .) becomes (B, T, .) inside."""
    q, k = queries.transpose(0, 1), keys.transpose(0, 1)
    ends = np.full(len(k), len(keys)) if lengths is None else lengths
    inside = torch.arange(len(keys)) < torch.tensor(ends)[:, None]
    if isinstance(layer, AdditiveAttention):
        hidden = torch.tanh((q @ p["W_q"].T)[:, :, None] + (k @ p["W_k"].T)[:, None])
        scores = (hidden @ p["v"]).masked_fill(~inside[:, None], -torch.inf)
        return (torch.softmax(scores, dim=-1) @ k).transpose(0, 1)
    return torch.nn.functional.scaled_dot_product_attention(
        q, k, k, attn_mask=inside[:, None], scale=None if layer.scaled else 1.0
    ).transpose(0, 1)


@given(cases())
def test_everything_against_torch(case):
    layer, queries, keys, lengths, dcontexts = case
    trace = attention.forward(layer, queries, keys, lengths=lengths)
    dtrace, dlayer = attention.backward(layer, trace, dcontexts)
    q, k = (torch.tensor(v, requires_grad=True) for v in (queries, keys))
    p = {name: torch.tensor(v, requires_grad=True) for name, v in layer.fields().items()}
    contexts = in_torch(layer, p, q, k, lengths)
    (contexts * torch.tensor(dcontexts)).sum().backward()
    assert relative_error(trace.context, contexts.detach().numpy()) < 1e-10
    assert relative_error(dtrace.queries, q.grad.numpy()) < 1e-10
    assert relative_error(dtrace.keys, k.grad.numpy()) < 1e-10
    for name, value in p.items():
        assert relative_error(getattr(dlayer, name), value.grad.numpy()) < 1e-10, name


@every_layer
@pytest.mark.parametrize("filling", [0.0, 7.0, 1e300])
def test_what_stands_beyond_the_end_changes_no_bit_and_gets_no_gradient(layer, filling):
    queries, keys = pair(layer)
    lengths, over = [2, 6, 1], np.arange(6)[:, None] >= [2, 6, 1]
    trace = attention.forward(layer, queries, keys, lengths=lengths)
    dtrace, dlayer = attention.backward(layer, trace, trace.context)
    keys[over] = filling
    other = attention.forward(layer, queries, keys, lengths=lengths)
    dother, dlayer_other = attention.backward(layer, other, other.context)
    for one, two in ((trace, other), (dtrace, dother), (dlayer, dlayer_other)):
        for name, array in one.fields().items():
            assert array.tobytes() == two.fields()[name].tobytes(), name
    for record in (trace, dtrace):
        assert not record.keys[over].any()
        for name in record.fields().keys() - {"queries", "keys", "context"}:
            assert not record.fields()[name][:, over.T].any(), name
    assert (trace.weights[:, ~over.T] > 0).all()


@every_layer
def test_a_sequence_beside_longer_ones_equals_it_alone(layer):
    queries, keys = pair(layer)
    together = attention.forward(layer, queries, keys, lengths=[2, 6, 4])
    for b, n in enumerate([2, 6, 4]):
        alone = attention.forward(layer, queries[:, b : b + 1], keys[:n, b : b + 1])
        assert together.context[:, b] == pytest.approx(alone.context[:, 0], rel=1e-13)
        assert together.weights[:, b, :n] == pytest.approx(alone.weights[:, 0], rel=1e-13)


@every_layer
def test_a_query_sees_no_other_query_and_the_order_of_keys_means_nothing(layer):
    queries, keys = pair(layer)
    trace = attention.forward(layer, queries, keys)
    changed = queries.copy()
    changed[2:] += 1
    assert np.array_equal(attention.forward(layer, changed, keys).context[:2], trace.context[:2])
    order = np.random.default_rng(0).permutation(len(keys))
    moved = attention.forward(layer, queries, keys[order])
    assert moved.weights == pytest.approx(trace.weights[..., order], rel=1e-13)
    assert moved.context == pytest.approx(trace.context, rel=1e-12)


def test_one_key_is_all_there_is_to_see_and_like_keys_share():
    layer = LAYERS["additive"]
    queries, keys = pair(layer, S=1)
    trace = attention.forward(layer, queries, keys)
    assert np.array_equal(trace.context, np.broadcast_to(keys, trace.context.shape))
    shared = attention.forward(layer, queries, np.repeat(keys, 4, axis=0))
    assert shared.weights == pytest.approx(0.25, rel=1e-14)
    dtrace, dlayer = attention.backward(layer, trace, trace.context)
    assert not dtrace.queries.any() and not dlayer.v.any()  # no choice, nothing to learn


def test_huge_scores_choose_one_key_and_do_not_overflow():
    keys = np.eye(4)[:, None]
    trace = attention.forward(LAYERS["dot"], 1e6 * keys, keys)
    assert np.array_equal(trace.weights[:, 0], np.eye(4))


def test_scaling_keeps_the_scores_of_wide_queries_in_range():
    rng = np.random.default_rng(0)
    q, k = rng.normal(size=(2, 200, 1, 256))
    assert attention.forward(LAYERS["dot"], q, k).scores.std() == pytest.approx(1, rel=0.05)
    assert attention.forward(LAYERS["unscaled"], q, k).scores.std() == pytest.approx(16, rel=0.05)


@every_layer
def test_float32_stays_float32(layer):
    queries, keys = pair(layer)
    trace = attention.forward(layer, queries.astype(np.float32), keys, lengths=[2, 6, 1])
    dtrace, dlayer = attention.backward(layer, trace, np.ones(trace.context.shape))
    for record in (trace, dtrace, dlayer):
        assert {array.dtype for array in record.fields().values()} <= {np.dtype(np.float32)}
    assert trace.context == pytest.approx(
        attention.forward(layer, queries, keys, lengths=[2, 6, 1]).context, abs=1e-5
    )


def test_an_optimiser_takes_either_layer_beside_other_parameters():
    queries, keys = pair(LAYERS["additive"])
    trace = attention.forward(LAYERS["additive"], queries, keys)
    _, dlayer = attention.backward(LAYERS["additive"], trace, trace.context)
    sgd, params = optim.SGD(0.1), (LAYERS["additive"], LAYERS["dot"])
    new, _ = sgd.update(params, (dlayer, LAYERS["dot"]), sgd.init(params))
    assert list(leaves("p", params)) == ["p[0].W_q", "p[0].W_k", "p[0].v"]
    assert np.array_equal(new[0].v, params[0].v - 0.1 * dlayer.v)
    assert new[1].scaled is True and clipping.norm(dlayer) > 0


def test_the_words_of_a_refusal():
    queries, keys = pair(LAYERS["additive"])
    with pytest.raises(ValueError, match="^keys: expected the width of the queries, 3, got 5$"):
        attention.forward(LAYERS["dot"], queries, keys)
    with pytest.raises(ValueError, match="^queries: expected the width that W_q reads, 3, got 5$"):
        attention.forward(LAYERS["additive"], keys, keys)
    with pytest.raises(ValueError, match="^keys: expected the width that W_k reads, 5, got 3$"):
        attention.forward(LAYERS["additive"], queries, queries)
