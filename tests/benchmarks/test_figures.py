"""Speeds, as medians of repeated runs; ratios are of both sides in one run. `make bench`.

Printed, not asserted: a busy machine would fail them. What must hold at any time (a bake within
its two seconds, a frame within its budget) is asserted in the unit and browser tests.
"""

import statistics
import time

import numpy as np
import pytest
import torch

from rnnlib import RNNCell, backward, bridge, forward, widgets

SIZES = [(50, 1, 16), (100, 1, 32), (100, 16, 32), (200, 32, 64)]


def median_ms(run, repeats=15):
    """The median time of `run()`, in milliseconds, after one run to warm up."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


@pytest.mark.parametrize(("T", "B", "H"), SIZES)
def test_rnn_against_torch(T, B, H):
    """Forward and backward, float64; ours returns every quantity of every step besides."""
    cell = RNNCell.init(H, H)
    rng = np.random.default_rng(0)
    xs, dhs = rng.normal(size=(T, B, H)), rng.normal(size=(T, B, H))
    module, inputs, sent = bridge.to_torch(cell), torch.tensor(xs), torch.tensor(dhs)

    def by_torch():
        module.zero_grad()
        module(inputs.requires_grad_())[0].backward(sent)

    ours = median_ms(lambda: backward(cell, forward(cell, xs), dhs))
    theirs = median_ms(by_torch)
    print(f"\nT {T:3} B {B:2} H {H:2}: rnnlib {ours:7.2f} ms, torch.nn.RNN {theirs:7.2f} ms, "
          f"ratio {theirs / ours:.1f}")


@pytest.mark.parametrize("name", widgets.__all__)
def test_live_figure(name):
    """One frame on demand, and the bake of all frames."""
    figure = getattr(widgets, name)()
    states = list(figure.probes())
    frames = median_ms(lambda: [figure.frame(values) for values in states], 5) / len(states)
    bake = median_ms(figure.bake, 3)
    print(f"\n{name}: {frames:.1f} ms a frame, {figure.states} states baked in {bake / 1000:.2f} s")
