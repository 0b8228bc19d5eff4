"""Forward and backward with the whole trace, beside torch.nn and beside a loop in torch.

The loop keeps what rnnlib keeps: every gate and state of every step, and the gradient of each.
Times are medians of runs taken in turn. Printed, not asserted: a busy machine would fail them.
"""

import numpy as np
import pytest
import torch
from clock import medians_ms

from rnnlib import GRUCell, LSTMCell, RNNCell, backward, bridge, forward

SIZES = [(50, 1, 16), (100, 1, 32), (100, 16, 32), (200, 32, 64)]
CELLS = {"RNN": RNNCell, "LSTM": LSTMCell, "GRU": GRUCell}


def rnn_step(h, x, U, W, b, keep):
    return keep(torch.tanh(keep(x @ U.T + h @ W.T + b)))


def lstm_step(state, x, U, W, b, keep):
    h, c = state
    a_i, a_f, a_g, a_o = (keep(a) for a in (x @ U.T + h @ W.T + b).chunk(4, dim=-1))
    i, f, o = (keep(torch.sigmoid(a)) for a in (a_i, a_f, a_o))
    c = keep(f * c + i * keep(torch.tanh(a_g)))
    return keep(o * torch.tanh(c)), c


def gru_step(h, x, U, W, b, b_n, keep):
    (x_r, x_z, x_n), (h_r, h_z, s) = (x @ U.T + b).chunk(3, dim=-1), (h @ W.T).chunk(3, dim=-1)
    r, z = keep(torch.sigmoid(keep(x_r + h_r))), keep(torch.sigmoid(keep(x_z + h_z)))
    n = keep(torch.tanh(keep(x_n + r * keep(s + b_n))))
    return keep((1 - z) * n + z * h)


STEPS = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}


def torch_loop(kind, cell, xs, dhs):
    """All steps in torch, with the gradient of every quantity of every step."""
    parameters = [torch.tensor(v, requires_grad=True) for v in cell.fields().values()]
    zeros = torch.zeros(xs.shape[1], cell.hidden_size, dtype=xs.dtype)

    def keep(value):
        value.retain_grad()
        kept.append(value)
        return value

    def run():
        kept.clear()
        for p in parameters:
            p.grad = None
        state, hs = (zeros, zeros) if kind == "LSTM" else zeros, []
        for x in xs:
            state = STEPS[kind](state, x, *parameters, keep=keep)
            hs.append(state[0] if kind == "LSTM" else state)
        torch.stack(hs).backward(dhs)

    kept = []
    return run


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("kind", CELLS)
def test_against_torch(kind, dtype):
    threads = torch.get_num_threads()
    for T, B, H in SIZES:
        cell, rng = CELLS[kind].init(H, H).astype(dtype), np.random.default_rng(0)
        xs, dhs = (rng.normal(size=(T, B, H)).astype(dtype) for _ in range(2))
        module = bridge.to_torch(cell)
        inputs, sent = torch.tensor(xs, requires_grad=True), torch.tensor(dhs)

        def by_torch(module=module, inputs=inputs, sent=sent):
            module.zero_grad()
            inputs.grad = None
            module(inputs)[0].backward(sent)

        ours, theirs, loop = medians_ms([
            lambda cell=cell, xs=xs, dhs=dhs: backward(cell, forward(cell, xs), dhs),
            by_torch, torch_loop(kind, cell, inputs, sent),
        ])
        print(f"\n{kind:4} {np.dtype(dtype)}, threads {threads}, T/B/H {T:3}/{B:2}/{H:2}: "
              f"rnnlib {ours:7.2f} ms; torch.nn {theirs:7.2f} ms, {theirs / ours:5.2f} times; "
              f"torch loop {loop:7.2f} ms, {loop / ours:5.2f} times", end="")
