"""Attention: at every step of the output, look at all steps of the input, at some more than others.

    trace = forward(layer, queries, keys)               # trace.weights (T, B, S): who looks where
    dtrace, dlayer = backward(layer, trace, dcontexts)  # the same records, holding gradients

A layer gives every pair of a query q_t and a key k_s a score, and the scores become weights:

    weights_t = softmax_s(score_ts)     context_t = Σ_s weights_ts k_s

T queries, S keys, which are the values as well, B sequences; q_t has the width H, k_s the width E.
No step waits for another: all pairs are computed at once.
"""

from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.functions import affine, softmax, sum_outer
from rnnlib.lengths import ended
from rnnlib.records import Parameters, Record, record
from rnnlib.starts import uniform


@record
class AttentionTrace(Record):
    """Every quantity of an attention; as a gradient, dL/d(that quantity).

    queries (T, B, H); keys (S, B, E), zero beyond the end of their sequence; scores and weights
    (T, B, S), zero there too; context (T, B, E); match (T, B, S, A), what an `AdditiveAttention`
    scores, else None; layer, the attention that made it (in a gradient: dlayer).
    dqueries and dkeys are what flows into them through the attention.
    """

    queries: np.ndarray
    keys: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    context: np.ndarray
    layer: "Attention"
    match: np.ndarray | None = None
    lengths: tuple | None = None


class Attention:
    """Whatever gives scores: forward and backward do the rest."""

    def key_size(self, query_size):
        """E, the width of a key, for queries of a given width; ValueError if they do not fit."""
        raise NotImplementedError

    def _forward(self, queries, keys, over):
        """-> scores (T, B, S), match; both zero where over (B, S)."""
        raise NotImplementedError

    def _backward(self, trace, dscores):
        """-> dqueries, dkeys, dmatch, dlayer: what flows through the scores."""
        raise NotImplementedError


@record
class AdditiveAttention(Attention, Parameters):
    """A score from a layer of A hidden units (Bahdanau, Cho and Bengio 2015).

        match_ts = tanh(W_q q_t + W_k k_s)
        score_ts = v · match_ts

    W_q (A, H), W_k (A, E), v (A,). Queries and keys may have different widths.
    """

    W_q: np.ndarray
    W_k: np.ndarray
    v: np.ndarray

    SHAPES: ClassVar = {"W_q": ("A", "H"), "W_k": ("A", "E"), "v": ("A",)}

    @classmethod
    def init(cls, query_size, key_size, attention_size, *, rng=0):
        """Every entry from uniform(-1/√n, 1/√n), n the width that its matrix reads; rng as ever."""
        H = checks.whole("query_size", query_size)
        E = checks.whole("key_size", key_size)
        A = checks.whole("attention_size", attention_size)
        rng = checks.generator("rng", rng)
        sizes = (H, (A, H)), (E, (A, E)), (A, (A,))
        return cls(*(uniform(rng, width, shape)[0] for width, shape in sizes))

    def key_size(self, query_size):
        """E, the width of the keys that W_k reads."""
        if query_size != self.W_q.shape[1]:
            raise ValueError(
                f"queries: expected the width that W_q reads, {self.W_q.shape[1]}, got {query_size}"
            )
        return self.W_k.shape[1]

    def _forward(self, queries, keys, over):
        Wq, Wk = affine(queries, self.W_q), affine(keys, self.W_k)
        match = Wq[:, :, None] + Wk.swapaxes(0, 1)                  # every t with every s
        np.tanh(match, out=match)                                   # tanh(W_q q_t + W_k k_s)
        match[:, over] = 0
        return affine(match, self.v[None])[..., 0], match           # score_ts = v · match_ts

    def _backward(self, trace, dscores):
        dmatch = dscores[..., None] * self.v                        # dmatch_ts = v dscore_ts
        da = dmatch * (1 - trace.match**2)                          # da_ts = tanh'(a_ts) dmatch_ts
        dWq, dWk = da.sum(axis=2), da.sum(axis=0).swapaxes(0, 1)    # Σ_s da_ts, Σ_t da_ts
        dlayer = self.gradient(
            W_q=sum_outer(dWq, trace.queries),                      # dW_q = Σ da_ts q_tᵀ
            W_k=sum_outer(dWk, trace.keys),                         # dW_k = Σ da_ts k_sᵀ
            v=sum_outer(trace.match, dscores[..., None])[:, 0],     # dv = Σ dscore_ts match_ts
        )
        return affine(dWq, self.W_q.T), affine(dWk, self.W_k.T), dmatch, dlayer


@record
class ScaledDotAttention(Attention, Record):
    """A score without parameters: the dot product (Vaswani et al. 2017).

        score_ts = q_t · k_s / √H

    scaled=False leaves out 1/√H, as Luong, Pham and Manning (2015) do. A dot
    product needs queries and keys of one width: H = E, else ValueError.
    """

    scaled: bool = True

    def __post_init__(self):
        object.__setattr__(self, "scaled", checks.flag("scaled", self.scaled))

    def key_size(self, query_size):
        """H: a key is as wide as a query."""
        return query_size

    def astype(self, dtype):
        """The same: there is nothing to convert."""
        return self

    def _scale(self, H):
        return H**-0.5 if self.scaled else 1.0

    def _forward(self, queries, keys, over):
        return dots(queries, keys) * self._scale(queries.shape[-1]), None   # q_t · k_s / √H

    def _backward(self, trace, dscores):
        ddots = dscores * self._scale(trace.queries.shape[-1])
        dqueries = mixtures(ddots, trace.keys)                      # dq_t = Σ_s dscore_ts k_s / √H
        dkeys = mixtures(ddots.transpose(2, 1, 0), trace.queries)   # dk_s = Σ_t dscore_ts q_t / √H
        return dqueries, dkeys, None, self


def forward(layer, queries, keys, *, lengths=None):
    """Let every query look at every key; return the `AttentionTrace`.

    layer: an `AdditiveAttention` or `ScaledDotAttention`. queries (T, B, H), keys (S, B, E).
    lengths (B,), whole numbers 1 .. S: the keys of sequence b end after lengths[b]; beyond, weights
    are exactly zero, whatever the keys hold. The queries decide the dtype, as in `rnnlib.forward`.
    Raises ValueError or TypeError, naming the argument, for anything malformed.
    """
    checks.instance("layer", layer, Attention, "an attention such as AdditiveAttention")
    queries = checks.array("queries", queries, ("T", "B", "H"))
    (_, B, H), dtype = queries.shape, queries.dtype
    E = layer.key_size(H)
    keys = checks.array("keys", keys, ("S", B, "E"), dtype)
    if keys.shape[-1] != E:
        fits = "the width of the queries" if E == H else "the width that W_k reads"
        raise ValueError(f"keys: expected {fits}, {E}, got {keys.shape[-1]}")
    S = len(keys)
    lengths = None if lengths is None else checks.lengths("lengths", lengths, S, B)
    over = np.zeros((B, S), bool) if lengths is None else ended(lengths, S).T
    keys[over.T] = 0
    scores, match = layer.astype(dtype)._forward(queries, keys, over)
    weights = softmax(np.where(over, -np.inf, scores))              # softmax over s
    context = mixtures(weights, keys)                               # context_t = Σ_s weights_ts k_s
    return AttentionTrace(queries, keys, scores, weights, context, layer, match, lengths)


def backward(layer, trace, dcontexts):
    """The way back: (dtrace, dlayer), the gradient of a loss L.

    trace: what `forward` returned for this very layer. dcontexts (T, B, E): what the loss sends
    into each context. dtrace.queries, dtrace.keys: what comes out. No gradient reaches a key beyond
    the end of its sequence. Raises ValueError or TypeError, also for the trace of another layer.
    """
    checks.instance("layer", layer, Attention, "an attention such as AdditiveAttention")
    checks.instance("trace", trace, AttentionTrace, "the trace that attention.forward returned")
    checks.made_by("layer", layer, trace.layer)
    context, weights = trace.context, trace.weights
    dcontext = checks.array("dcontexts", dcontexts, context.shape, context.dtype)
    dweights = dots(dcontext, trace.keys)                           # dweights_ts = dcontext_t · k_s
    mean = (weights * dweights).sum(axis=-1, keepdims=True)
    dscores = weights * (dweights - mean)                           # the way back through softmax
    dqueries, dkeys, dmatch, dlayer = layer.astype(context.dtype)._backward(trace, dscores)
    dkeys = dkeys + mixtures(weights.transpose(2, 1, 0), dcontext)  # Σ_t weights_ts dcontext_t
    dtrace = AttentionTrace(
        dqueries, dkeys, dscores, dweights, dcontext, dlayer, dmatch, trace.lengths
    )
    return dtrace, dlayer


def dots(u, v):
    """u_t · v_s for every t and s of a sequence: (T, B, N), (S, B, N) -> (T, B, S)."""
    return np.matmul(u.swapaxes(0, 1), v.transpose(1, 2, 0)).swapaxes(0, 1)


def mixtures(w, v):
    """Σ_s w_ts v_s: (T, B, S), (S, B, N) -> (T, B, N)."""
    return np.matmul(w.swapaxes(0, 1), v.swapaxes(0, 1)).swapaxes(0, 1)
