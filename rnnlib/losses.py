"""Losses: each returns (loss, gradient), the gradient in the shape of the prediction.

The loss is a Python float; the gradient has the dtype of the prediction. `mask` (T, B), True where
a step counts, leaves the others out: their gradient is exactly zero, whatever stands there.
"""

import numpy as np

from rnnlib import checks


def softmax_cross_entropy(logits, targets, mask=None):
    """L = 1/B Σ -log softmax(logits_t)[target_t]: summed over time, averaged over the batch.

    logits (T, B, K); targets (T, B), whole numbers 0 .. K-1. -> (loss, dlogits (T, B, K)), where
    dlogits_t = (softmax(logits_t) - onehot(target_t)) / B. In nats: ln K for a uniform guess.
    The sum is over the steps that `mask` (T, B) lets in; B counts every sequence of the batch.
    """
    logits = checks.array("logits", logits, ("T", "B", "K"))
    T, B, K = logits.shape
    targets = checks.classes("targets", targets, (T, B), K)[..., None]
    counts = 1 if mask is None else checks.booleans("mask", mask, (T, B))[..., None]
    log_p = log_softmax(logits)
    picked = np.take_along_axis(log_p, targets, axis=-1)
    dlogits = np.exp(log_p)
    np.put_along_axis(dlogits, targets, np.exp(picked) - 1, axis=-1)
    return float(-(picked * counts).sum() / B), dlogits * counts / B


def mse(y_hat, y, mask=None):
    """L = mean((y_hat - y)²) over all entries, as torch's. -> (loss, dy_hat).

    y_hat and y have the same shape, any rank; they are never broadcast. The mean is over the
    entries that `mask`, of the first two sizes of y_hat, lets in: at least one.
    """
    y_hat = checks.real("y_hat", y_hat)
    checks.shape("y_hat", y_hat, y_hat.shape)                       # nothing empty
    y = checks.array("y", y, y_hat.shape, y_hat.dtype)
    error, size = y_hat - y, y_hat.size
    if mask is not None:
        mask = checks.booleans("mask", mask, y_hat.shape[:2])
        if not mask.any():
            raise ValueError("mask: expected True somewhere, for a mean, got False everywhere")
        size = size * mask.mean()
        error = error * mask.reshape(mask.shape + (1,) * (error.ndim - mask.ndim))
    return float(np.sum(error**2) / size), 2 / size * error


def log_softmax(logits):
    """log softmax(logits) over the last axis, exact where softmax would round to 0 or 1.

    It trusts its argument.
    """
    z = logits - logits.max(axis=-1, keepdims=True)                 # softmax(z) is softmax(logits)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
