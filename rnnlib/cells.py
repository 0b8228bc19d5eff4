"""Cells: one step of a recurrence, unrolled over a sequence, and the way back through it.

A cell owns its parameters and the two passes `_forward` and `_backward`, which stand together and
trust their arguments: `rnnlib.forward` and `rnnlib.backward` check first, and work for any cell.

Shapes: T steps, B sequences side by side, D inputs, H hidden units. In the code a step of a batch
is a matrix (B, H) with one sequence per row, so that W h of the equations reads h @ W.T.
`dX` is dL/dX, the total derivative of the loss.
"""

import dataclasses
from functools import partial
from types import SimpleNamespace
from typing import ClassVar

import numpy as np

from rnnlib import checks
from rnnlib.functions import ACTIVATIONS, before, block_size, blocks, joined, steps_back, sum_outer
from rnnlib.lengths import backward_cut, forward_cut
from rnnlib.memory import fresh
from rnnlib.records import Parameters, Record, record
from rnnlib.starts import check_start, recurrent, uniform

HIDDEN = ("tanh", "relu", "identity")  # the activations of hidden units


@record
class Trace(Record):
    """What every trace has: x (T, B, D), h (T, B, H), the initial state, the cell that made it.

    All arrays but `state` have T steps. In a gradient, `cell` is dcell. `lengths` are those that
    `forward` was given: beyond its end a sequence keeps its state, and all else is zero.
    """

    CARRIES: ClassVar[tuple[str, ...]] = ("h",)  # the fields that one step hands to the next

    @property
    def h_end(self):
        """What the network has in the end, (B, H): h after the last step of each sequence.

        An answer at the end is read from it, and backward takes its gradient as `dh_end`.
        """
        return getattr(self, self.CARRIES[0])[-1]

    @property
    def last(self):
        """The state after the last step, of the shape of `state`: forward goes on from it."""
        return self.state_after(len(self.x))

    def state_after(self, t):
        """The state after t steps; after 0 steps, the initial one."""
        if t == 0:
            return self.state
        carried = [getattr(self, name)[t - 1] for name in self.CARRIES]
        return carried[0] if len(carried) == 1 else np.stack(carried)

    def steps(self, start, stop):
        """The trace of steps start .. stop - 1 alone, begun from the state before them.

        ValueError if it was made with lengths: a sequence that is over has no steps left.
        """
        if self.lengths is not None:
            raise ValueError(f"trace: expected one without lengths, got lengths {self.lengths}")
        cut = {name: v[start:stop] for name, v in self.fields().items() if name != "state"}
        return dataclasses.replace(self, **cut, state=self.state_after(start))

    @property
    def h_prev(self):
        """h one step earlier, (T, B, H): h_prev[0] is the initial state."""
        h0 = self.state if self.state.ndim == 2 else self.state[0]
        return np.concatenate([h0[None], self.h[:-1]])

    def made_by(self, cell):
        """The same trace with this cell as its maker; for a gradient, with dcell."""
        return dataclasses.replace(self, cell=cell)


class Network:
    """Whatever `forward` and `backward` can unroll: a cell, or cells put together."""

    reads: ClassVar[str] = "h"  # the trace field that the loss reads, and sends its gradient into
    feeds_back_output: ClassVar[bool] = False  # can a teacher's output take the place of its own?
    causal: ClassVar[bool] = True  # does no step know of a later one?

    # input_size, output_size (the widths of x_t and of what the loss reads), dtype, astype, and:

    def _checked_state(self, name, state, batch, dtype):
        """A clean state to begin from, zeros if it is None."""
        raise NotImplementedError

    def _unroll(self, xs, state, lengths=None, teacher=None):
        """xs (T, B, D) -> the trace."""
        raise NotImplementedError

    def _roll_back(self, trace, dhs, dlast, d):
        """The trace, what the loss sends into each step and into the last state -> dtrace.

        The gradient of each parameter is added to the array of its name in `d`.
        """
        raise NotImplementedError

    def _add_at_end(self, dhs, dh_end):
        """Add dL/d(trace.h_end) to what the loss sends into each step."""
        dhs[-1] += dh_end

    def _zeros(self):
        """Where `_roll_back` adds up the gradient of each parameter."""
        raise NotImplementedError

    def _gradient(self, d):
        """The sums as a record: dcell."""
        raise NotImplementedError


@record
class Cell(Network, Parameters):
    """What `forward` and `backward` need to know of a cell.

    A subclass has the weights U (., D) and W (., H), and writes `_forward` and `_backward`.
    """

    states: ClassVar[int] = 1  # how many vectors a step hands to the next

    @property
    def input_size(self) -> int:
        """D, the width of one input."""
        return self.U.shape[1]

    @property
    def hidden_size(self) -> int:
        """H, the number of hidden units."""
        return self.W.shape[1]

    @property
    def state_size(self) -> int:
        """The width of what one step hands to the next."""
        return self.W.shape[1]

    @property
    def output_size(self) -> int:
        """The width of what the loss reads."""
        return self.state_size

    def _checked_state(self, name, state, batch, dtype):
        shape = (batch, self.state_size)
        shape = shape if self.states == 1 else (self.states, *shape)
        return np.zeros(shape, dtype) if state is None else checks.array(name, state, shape, dtype)

    def _forward(self, xs, state):
        """xs (T, B, D), state -> the trace."""
        raise NotImplementedError

    def _backward(self, trace, dhs, dlast, d):
        """The trace, dhs, dlast -> dtrace; adds dL/dp to d.p for each parameter p."""
        raise NotImplementedError

    def _joined(self):
        """[W U b]: one product with [h_{t-1}; x_t; 1] gives W h_{t-1} + U x_t + b."""
        return np.concatenate([self.W, self.U, self.b[:, None]], axis=1)

    def _lay(self, hx, xs, h0):
        """Fill hx (T + 1, B, H + D + 1), whose step t is [h_{t-1}; x_t; 1]; its views x and h."""
        T, H = len(xs), self.hidden_size
        hx[0, :, :H], hx[:T, :, H:-1], hx[T, :, H:-1], hx[..., -1] = h0, xs, 0, 1
        return hx[:T, :, H:-1], hx[1:, :, :H]

    def _lay_back(self, dhx, dlast):
        """Begin dhx, whose step t is dL/d[h_{t-1}; x_t; 1]; its views dx and dh."""
        H = self.hidden_size
        dhx[-1], dhx[-1, :, :H] = 0, dlast
        return dhx[:-1, :, H:-1], dhx[1:, :, :H]

    def _sum(self, d, da, trace, block, scratch):
        """Add up what a block of da_t gives [W U b]: Σ_t da_t [h_{t-1}; x_t; 1]ᵀ."""
        h0 = trace.state if self.states == 1 else trace.state[0]
        hx = joined(before(h0, trace.h, block), trace.x[block], out=scratch)
        sum_outer(da[block], hx, into=d.P)

    def _unroll(self, xs, state, lengths=None, teacher=None):
        if lengths is not None:
            return forward_cut(self, xs, state, lengths)
        return self._forward(xs, state, *([] if teacher is None else [teacher]))

    def _roll_back(self, trace, dhs, dlast, d):
        way = self._backward if trace.lengths is None else partial(backward_cut, self)
        return way(trace, dhs, dlast, d)

    def _zeros(self):
        """Zeros for the gradient of [W U b], and of the other parameters by their names."""
        more = {n: np.zeros_like(v) for n, v in self.fields().items() if n not in ("U", "W", "b")}
        return SimpleNamespace(P=np.zeros_like(self._joined()), **more)

    def _gradient(self, d):
        H, more = self.state_size, {n: v for n, v in vars(d).items() if n in self.SHAPES}
        W, U, b = d.P[:, :H], d.P[:, H:-1], d.P[:, -1]
        return self.gradient(W=W.copy(), U=U.copy(), b=b.copy(), **more)


@record
class RNNTrace(Trace):
    """Every quantity of an unrolled `RNNCell`; as a gradient, dL/d(that quantity).

    x (T, B, D) inputs; a (T, B, H) pre-activations; h (T, B, H) hidden states; state (B, H) the
    state before the first step; cell, the cell that made it (in a gradient: dcell).
    """

    x: np.ndarray
    a: np.ndarray
    h: np.ndarray
    state: np.ndarray
    cell: "RNNCell"
    lengths: tuple | None = None


@record
class RNNCell(Cell):
    """The vanilla recurrent cell (Elman 1990; Goodfellow et al. 2016, equations 10.8 and 10.9).

        a_t = b + W h_{t-1} + U x_t
        h_t = act(a_t)                  act: "tanh", "relu" or "identity"

    U (H, D), W (H, H), b (H,). Wrong shapes, dtypes, NaN and infinity raise ValueError/TypeError.
    """

    U: np.ndarray
    W: np.ndarray
    b: np.ndarray
    activation: str = "tanh"

    SHAPES: ClassVar = {"U": ("H", "D"), "W": ("H", "H"), "b": ("H",)}

    def __post_init__(self):
        checks.choice("activation", self.activation, HIDDEN)
        super().__post_init__()

    @classmethod
    def init(
        cls, input_size, hidden_size, *, activation="tanh", start="uniform", gain=1.0, rng=0
    ):
        """A cell with every entry drawn from uniform(-1/√H, 1/√H), as torch does.

        start: how W is drawn instead: "gaussian", "orthogonal" or "identity" (see rnnlib.starts),
        times `gain`. rng: a whole number or a numpy Generator. Two layers started from the same
        number share their random numbers: give both the same Generator.
        """
        D = checks.whole("input_size", input_size)
        H = checks.whole("hidden_size", hidden_size)
        checks.choice("activation", activation, HIDDEN)
        check_start(start, gain)
        rng = checks.generator("rng", rng)
        (U,) = uniform(rng, H, (H, D))
        W = recurrent(start, H, rng, gain=gain)
        (b,) = uniform(rng, H, (H,))
        return cls(U, W, b, activation)

    def _forward(self, xs, state):
        (T, B, D), H = xs.shape, self.hidden_size
        act, P = ACTIVATIONS[self.activation].f, self._joined()
        hx, a = fresh(xs.dtype, (T + 1, B, H + D + 1), (T, B, H))
        x, h = self._lay(hx, xs, state)
        for hx_t, a_t, h_t in zip(hx[:-1], a, h, strict=True):
            np.dot(hx_t, P.T, out=a_t)                      # a_t = W h_{t-1} + U x_t + b
            act(a_t, out=h_t)                               # h_t = act(a_t)
        return RNNTrace(x, a, h, state, self)

    def _backward(self, trace, dhs, dlast, d):
        (T, B, D), H = trace.x.shape, self.hidden_size
        slope, P = ACTIVATIONS[self.activation].slope, self._joined()
        dhx, da, scratch = fresh(
            dhs.dtype, (T + 1, B, H + D + 1), (T, B, H), (block_size(T, B), B, H + D + 1)
        )
        dx, dh = self._lay_back(dhx, dlast)
        for block in reversed(blocks(T, B)):
            slope(trace.h[block], out=da[block])            # act'(a_t)
            for dhs_t, dh_t, da_t, dhx_t in steps_back(block, dhs, dh, da, dhx):
                dh_t += dhs_t                               # the loss's own part of dh_t
                da_t *= dh_t                                # da_t = act'(a_t) dh_t
                np.dot(da_t, P, out=dhx_t)                  # dh_{t-1} = Wᵀ da_t, dx_t = Uᵀ da_t
            self._sum(d, da, trace, block, scratch)         # dW = Σ_t da_t h_{t-1}ᵀ, dU, db
        return RNNTrace(dx, da, dh, dhx[0, :, :H], None)
