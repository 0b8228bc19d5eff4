"""The output layer and the losses, against central differences and against torch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from cases import seeds, sizes
from hypothesis import given
from references import central_differences, relative_error

from rnnlib import OutputLayer, losses


@given(T=sizes, B=sizes, H=sizes, K=sizes, seed=seeds)
def test_output_layer_and_cross_entropy(T, B, H, K, seed):
    rng = np.random.default_rng(seed)
    layer = OutputLayer.init(H, K, rng=rng)
    hs, targets = rng.normal(size=(T, B, H)), rng.integers(0, K, (T, B))

    def loss(hs=hs, **changed):
        return losses.softmax_cross_entropy(replace(layer, **changed).logits(hs), targets)[0]

    _, dlogits = losses.softmax_cross_entropy(layer.logits(hs), targets)
    dhs, dout = layer.backward(hs, dlogits)
    assert relative_error(dhs, central_differences(lambda v: loss(hs=v), hs)) < 1e-8
    for name, value in layer.fields().items():
        differences = central_differences(lambda v: loss(**{name: v}), value)  # noqa: B023
        assert relative_error(getattr(dout, name), differences) < 1e-8, name


@given(T=sizes, B=sizes, K=sizes, seed=seeds)
def test_losses_against_torch(T, B, K, seed):
    rng = np.random.default_rng(seed)
    logits, targets = rng.normal(size=(T, B, K)), rng.integers(0, K, (T, B))
    loss, dlogits = losses.softmax_cross_entropy(logits, targets)
    z = leaf(logits)
    entropy = torch.nn.functional.cross_entropy(
        z.reshape(-1, K), torch.tensor(targets).reshape(-1), reduction="sum"
    ) / B
    entropy.backward()
    assert loss == pytest.approx(entropy.item(), rel=1e-12)
    assert relative_error(dlogits, gradient(z)) < 1e-10

    y = rng.normal(size=(T, B, K))
    loss, dy_hat = losses.mse(logits, y)
    y_hat = leaf(logits)
    error = torch.nn.functional.mse_loss(y_hat, torch.tensor(y))
    error.backward()
    assert loss == pytest.approx(error.item(), rel=1e-12)
    assert relative_error(dy_hat, gradient(y_hat)) < 1e-10


def test_cross_entropy_of_a_uniform_guess_and_of_huge_logits():
    assert losses.softmax_cross_entropy(np.zeros((3, 2, 5)), np.zeros((3, 2), int))[0] == (
        pytest.approx(3 * np.log(5))
    )
    loss, dlogits = losses.softmax_cross_entropy([[[1e4, -1e4]], [[0, 1000]]], [[0], [0]])
    assert loss == 1000
    assert dlogits.tolist() == [[[0, 0]], [[-1, 1]]]


def test_cross_entropy_keeps_the_digits_of_a_target_that_is_almost_certain():
    """exp(-40) is lost in 1 + exp(-40), and yet the gradient must be it, not zero."""
    _, dlogits = losses.softmax_cross_entropy([[[40.0, 0.0]]], [[0]])
    assert dlogits[0, 0, 1] == pytest.approx(np.exp(-40), rel=1e-12)


def leaf(value):
    return torch.tensor(value, requires_grad=True)


def gradient(tensor):
    return tensor.grad.numpy()
