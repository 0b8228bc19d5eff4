"""Malformed calls of the bridge to and from torch.nn."""

import numpy as np
import pytest
import torch
from bad_input import GRU, LSTM, RNG, SHARED, refused, rows

from rnnlib import Bidirectional, GRUCell, JordanCell, LSTMCell, RNNCell, Stack, bridge

HIGH = LSTMCell.init(4, 4, rng=RNG)
T_LSTM, H0 = torch.nn.LSTM(3, 4), np.zeros((1, 2, 4))
# Made here, since making a module draws from torch's global random numbers.
LINEAR, DROPOUT = torch.nn.Linear(3, 4), torch.nn.LSTM(3, 4, 2, dropout=0.5)
HALF, BFLOAT = torch.nn.GRU(3, 4).half(), torch.nn.GRUCell(3, 4).bfloat16()
META, CUBE = torch.nn.RNN(3, 4, device="meta"), torch.nn.RNNCell(3, 4, nonlinearity="cube")
ONE_STEP, PROJECTED = torch.nn.LSTMCell(3, 4), torch.nn.LSTM(3, 4, proj_size=2)
SHARED += [HIGH, H0]
CALLS = [
    ("module", lambda: bridge.from_torch(None), TypeError),
    ("module", lambda: bridge.from_torch(torch.nn.LSTM), TypeError),
    ("module", lambda: bridge.from_torch(LINEAR), TypeError),
    ("module", lambda: bridge.from_torch(torch.nn.Sequential(T_LSTM)), TypeError),
    ("module", lambda: bridge.from_torch(LSTM), TypeError),
    ("module", lambda: bridge.from_torch([T_LSTM]), TypeError),
    ("module", lambda: bridge.from_torch(DROPOUT), ValueError),
    ("module.weight_ih_l0", lambda: bridge.from_torch(HALF), TypeError),
    ("module.weight_ih", lambda: bridge.from_torch(BFLOAT), TypeError),
    ("module", lambda: bridge.from_torch(PROJECTED), ValueError),
    ("module.weight_ih_l0", lambda: bridge.from_torch(META), ValueError),
    ("module.nonlinearity", lambda: bridge.from_torch(CUBE), ValueError),
    ("cell", lambda: bridge.to_torch(None), TypeError),
    ("cell", lambda: bridge.to_torch(T_LSTM), TypeError),
    ("cell", lambda: bridge.to_torch(GRUCell.init(3, 4, reset_after=False)), TypeError),
    ("cell", lambda: bridge.to_torch(JordanCell.init(3, 4, 2)), TypeError),
    ("cell", lambda: bridge.to_torch(RNNCell.init(3, 4, activation="identity")), ValueError),
    ("cells", lambda: bridge.to_torch([]), ValueError),
    ("cells[1]", lambda: bridge.to_torch([LSTM, "LSTM"]), TypeError),
    ("cells[1]", lambda: bridge.to_torch([LSTM, LSTM]), ValueError),
    ("cells[1]", lambda: bridge.to_torch([LSTM, GRUCell.init(4, 4)]), ValueError),
    ("cells[1]", lambda: bridge.to_torch([LSTM, LSTMCell.init(4, 5)]), ValueError),
    ("cells[1]", lambda: bridge.to_torch([LSTM, HIGH.astype(np.float32)]), ValueError),
    ("cells[1]", lambda: bridge.to_torch([LSTM, Stack((HIGH,))]), TypeError),
    ("cells[1].ahead", lambda: bridge.to_torch([LSTM, Bidirectional(HIGH, HIGH)]), ValueError),
    ("cell.back", lambda: bridge.to_torch(Bidirectional(LSTM, GRU)), ValueError),
    ("cell.ahead", lambda: bridge.to_torch(Bidirectional(Stack((LSTM,)), LSTM)), TypeError),
    ("state", lambda: bridge.state_from_torch(LSTM, H0), TypeError),
    ("state (h)", lambda: bridge.state_from_torch(LSTM, (H0[0], H0[0])), ValueError),
    ("state (c)", lambda: bridge.state_from_torch(LSTM, (H0, H0[:, :1])), ValueError),
    ("state (h)", lambda: bridge.state_from_torch(GRU, "zeros"), TypeError),
    ("module", lambda: bridge.trace_torch(ONE_STEP, lambda: 0), TypeError),
    ("loss", lambda: bridge.trace_torch(T_LSTM, 0.5), TypeError),
    ("loss", lambda: bridge.trace_torch(T_LSTM, lambda: torch.zeros(())), ValueError),
    ("loss", lambda: bridge.trace_torch(T_LSTM, lambda: T_LSTM(torch.zeros(5, 3))), ValueError),
    ("loss", lambda: bridge.trace_torch(T_LSTM, lambda: T_LSTM(torch.zeros(5, 2, 3))[0]),
     ValueError),
]


@pytest.mark.parametrize(("name", "call", "kind"), rows(CALLS))
def test_a_malformed_call_is_refused_by_name_and_changes_nothing(name, call, kind):
    before = {words: weight.clone() for words, weight in T_LSTM.state_dict().items()}
    refused(name, call, kind)
    assert all(torch.equal(before[words], now) for words, now in T_LSTM.state_dict().items())
    assert all(weight.grad is None for weight in T_LSTM.parameters())
    assert not T_LSTM._forward_hooks
