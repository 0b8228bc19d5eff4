"""Jordan's recurrence: the output, not the hidden state, goes to the next step.

The state between steps is what the network *said*, and so anything that the output does not hold
is forgotten. In exchange a teacher can say it instead: with the right outputs y_{t-1} given, no
step waits for another, and all of them are computed at once.
"""

from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.cells import HIDDEN, Cell, Trace
from rnnlib.functions import ACTIVATIONS, affine, joined, softmax, staggered, sum_outer, sum_steps
from rnnlib.memory import fresh
from rnnlib.records import record
from rnnlib.starts import uniform

OUTPUTS = ("identity", "tanh", "sigmoid", "softmax")


@record
class JordanTrace(Trace):
    """Every quantity of an unrolled `JordanCell`; as a gradient, dL/d(that quantity).

    x (T, B, D) inputs; a, h (T, B, H) pre-activations and hidden units; logits, y (T, B, K)
    outputs before and after their activation; state (B, K) the output before the first step;
    teacher (T, B, K) the outputs fed back instead of y, or None; cell, the cell that made it.
    """

    x: np.ndarray
    a: np.ndarray
    h: np.ndarray
    logits: np.ndarray
    y: np.ndarray
    state: np.ndarray
    cell: "JordanCell"
    teacher: np.ndarray | None = None
    lengths: tuple | None = None

    CARRIES: ClassVar = ("y",)

    @property
    def _said(self):
        return self.y if self.teacher is None else self.teacher

    def state_after(self, t):
        """What is fed back after t steps: y, or the teacher."""
        return self._said[t - 1] if t else self.state

    @property
    def h_prev(self):
        """Not here: no step sees h_{t-1}; what it sees is y_prev."""
        raise AttributeError("a JordanTrace has no h_prev: what comes back is y_prev")

    @property
    def y_prev(self):
        """What was fed back into each step, (T, B, K): y, or the teacher, one step earlier."""
        return np.concatenate([self.state[None], self._said[:-1]])


@record
class JordanCell(Cell):
    """A cell with output-to-hidden recurrence (Jordan 1986; Goodfellow et al. 2016, figure 10.4).

        a_t = b + W y_{t-1} + U x_t     h_t = act(a_t)      tanh, relu, identity
        logits_t = c_out + V h_t        y_t = out(logits_t) identity, tanh, sigmoid, softmax

    U (H, D), W (H, K), b (H,), V (K, H), c_out (K,). Under teacher forcing y_{t-1} is replaced by
    teacher_{t-1}. The loss reads y: in backward(cell, trace, dhs), dhs (T, B, K) is sent into y.
    """

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray
    V: np.ndarray
    c_out: np.ndarray
    activation: str = "tanh"
    out_activation: str = "identity"

    SHAPES: ClassVar = {
        "U": ("H", "D"), "W": ("H", "K"), "b": ("H",), "V": ("K", "H"), "c_out": ("K",),
    }
    reads: ClassVar = "y"
    feeds_back_output: ClassVar = True

    @property
    def hidden_size(self) -> int:
        """H, the number of hidden units."""
        return len(self.b)

    def __post_init__(self):
        checks.choice("activation", self.activation, HIDDEN)
        checks.choice("out_activation", self.out_activation, OUTPUTS)
        super().__post_init__()

    @classmethod
    def init(
        cls, input_size, hidden_size, output_size, *,
        activation="tanh", out_activation="identity", rng=0,
    ):
        """A cell with every entry drawn from uniform(-1/√H, 1/√H); rng as in `RNNCell.init`."""
        D = checks.whole("input_size", input_size)
        H = checks.whole("hidden_size", hidden_size)
        K = checks.whole("output_size", output_size)
        checks.choice("activation", activation, HIDDEN)
        checks.choice("out_activation", out_activation, OUTPUTS)
        rng = checks.generator("rng", rng)
        arrays = uniform(rng, H, (H, D), (H, K), (H,), (K, H), (K,))
        return cls(*arrays, activation, out_activation)

    def _out(self, logits):
        if self.out_activation == "softmax":
            return softmax(logits)
        return ACTIVATIONS[self.out_activation].f(logits)

    def _out_back(self, y, dy):
        if self.out_activation == "softmax":
            return y * (dy - (y * dy).sum(axis=-1, keepdims=True))
        return ACTIVATIONS[self.out_activation].slope(y) * dy

    # The same four lines serve both ways: one step after the other or, when a teacher says what is
    # fed back, all steps as one (t is then the slice of them all).

    def _forward(self, xs, state, teacher=None):
        act, (T, B, _), (K, H) = ACTIVATIONS[self.activation].f, xs.shape, self.V.shape
        h, logits, ys = fresh(xs.dtype, (T, B, H), (T, B, K), (T + 1, B, K))
        fed, y = staggered(ys, state)                               # y_{t-1}, y_t
        if teacher is not None:
            fed = np.concatenate([state[None], teacher[:-1]])       # teacher_{t-1}
        a = affine(xs, self.U, self.b)                              # a_t = b + U x_t ...
        for t in _steps(T, teacher):
            a[t] += fed[t] @ self.W.T                               # ... + W y_{t-1}
            act(a[t], out=h[t])                                     # h_t = act(a_t)
            logits[t] = h[t] @ self.V.T + self.c_out                # logits_t = c_out + V h_t
            y[t] = self._out(logits[t])                             # y_t = out(logits_t)
        return JordanTrace(xs.copy(), a, h, logits, y, state, self, teacher)

    def _backward(self, trace, dys, dlast, d):
        teacher, da = trace.teacher, ACTIVATIONS[self.activation].slope(trace.h)    # act'(a_t)
        dfed, dy = staggered(np.empty((len(dys) + 1, *dlast.shape), dys.dtype), 0)
        dy[:] = dys                                                 # the loss's own part of dy_t
        if teacher is None:
            dy[-1] += dlast
        else:
            dfed = np.zeros_like(dys)
        dlogits, dh = np.empty_like(dys), np.empty_like(da)
        for t in reversed(_steps(len(dys), teacher)):
            dlogits[t] = self._out_back(trace.y[t], dy[t])          # dlogits_t = out'(..)ᵀ dy_t
            dh[t] = dlogits[t] @ self.V                             # dh_t = Vᵀ dlogits_t
            da[t] *= dh[t]                                          # da_t = act'(a_t) dh_t
            dfed[t] += da[t] @ self.W                               # dy_{t-1} += Wᵀ da_t
        scratch = np.empty((*dys.shape[:2], d.P.shape[1]), dys.dtype)
        sum_outer(da, joined(trace.y_prev, trace.x, out=scratch), into=d.P)
        sum_outer(dlogits, trace.h, into=d.V)
        sum_steps(dlogits, into=d.c_out)
        dteacher = None if teacher is None else np.concatenate([dfed[1:], dlast[None]])
        dx = affine(da, self.U.T)
        return JordanTrace(dx, da, dh, dlogits, dy, dfed[0], None, dteacher)


def _steps(T, teacher):
    return range(T) if teacher is None else [slice(T)]
