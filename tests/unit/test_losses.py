"""The losses with a mask: a step that does not count neither costs nor teaches anything."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from references import central_differences, relative_error

from rnnlib import losses

sizes = st.integers(1, 4)


@given(sizes, sizes, st.integers(0, 2**32 - 1))
def test_a_mask_leaves_steps_out_of_the_cross_entropy(T, B, seed):
    rng = np.random.default_rng(seed)
    logits, targets, mask = rng.normal(size=(T, B, 3)), *masked_targets(rng, T, B)
    z = torch.tensor(logits, requires_grad=True)
    each = torch.nn.functional.cross_entropy(
        z.reshape(-1, 3), torch.tensor(targets).reshape(-1), reduction="none"
    )
    expected = (each * torch.tensor(mask).reshape(-1)).sum() / B
    expected.backward()
    loss, dlogits = losses.softmax_cross_entropy(logits, targets, mask)
    assert loss == pytest.approx(expected.item(), rel=1e-12, abs=1e-15)
    assert relative_error(dlogits, z.grad.numpy()) < 1e-10 and not dlogits[~mask].any()
    everywhere = losses.softmax_cross_entropy(logits, targets, np.ones((T, B), bool))
    without = losses.softmax_cross_entropy(logits, targets)
    assert everywhere[0] == without[0] and np.array_equal(everywhere[1], without[1])
    assert losses.softmax_cross_entropy(logits, targets, np.zeros((T, B), bool))[0] == 0


@given(sizes, sizes, st.integers(0, 2**32 - 1))
def test_a_mask_leaves_steps_out_of_the_squared_error(T, B, seed):
    rng = np.random.default_rng(seed)
    (y_hat, y), (_, mask) = rng.normal(size=(2, T, B, 3)), masked_targets(rng, T, B)
    mask[-1, 0] = True
    loss, dy_hat = losses.mse(y_hat, y, mask)
    assert loss == pytest.approx(np.mean((y_hat - y)[mask] ** 2), rel=1e-12)
    differences = central_differences(lambda v: losses.mse(v, y, mask)[0], y_hat)
    assert relative_error(dy_hat, differences) < 1e-8 and not dy_hat[~mask].any()
    everywhere, without = losses.mse(y_hat, y, np.ones((T, B), bool)), losses.mse(y_hat, y)
    assert everywhere[0] == without[0] and np.array_equal(everywhere[1], without[1])


def masked_targets(rng, T, B):
    return rng.integers(0, 3, (T, B)), rng.random((T, B)) < 0.5
