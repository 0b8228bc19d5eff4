"""Optimisers: pure rules (params, grads, state) -> (params, state). Nothing changes in place.

    optimizer = Adam(lr=0.01)
    state = optimizer.init(params)
    params, state = optimizer.update(params, grads, state)

`params` is a cell, an output layer, an array, or a tuple, list or dict of such; `grads` has the
same structure (what `backward` returns). NaN or infinite gradients and gradients of another
structure are refused. Each rule stands beside its equation, in which g is the gradient, p the
parameter, and every operation is elementwise; a running average starts at zero.

`clip_by_value` and `clip_by_norm` belong between `backward` and `update`: see rnnlib.clipping.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rnnlib import checks
from rnnlib.clipping import clip_by_norm, clip_by_value, matching_leaves, real_leaves
from rnnlib.records import rebuild

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Optimizer",
    "RMSprop",
    "State",
    "clip_by_norm",
    "clip_by_value",
]


class State(NamedTuple):
    """What an optimiser carries from one update to the next."""

    t: int  # the updates made so far
    moments: dict  # for each parameter, by its path, the running averages of the rule


class Optimizer:
    """A rule for one array, applied to every array of the parameters."""

    moments: ClassVar[int] = 0  # how many running averages the rule keeps

    def init(self, params) -> State:
        """The state before the first update: every running average is zero."""
        arrays = real_leaves("params", params)
        return State(0, {path: (np.zeros_like(p),) * self.moments for path, p in arrays.items()})

    def update(self, params, grads, state):
        """One step against the gradient: (new params, new state). The params keep their dtype."""
        old = real_leaves("params", params)
        slopes = matching_leaves("grads", grads, "params", old)
        self._check_state(old, state)
        new, moments, t = {}, {}, state.t + 1
        for path, p in old.items():
            step, *moments[path] = self._rule(slopes[path], t, *state.moments[path])
            new[path] = np.asarray(p - step, p.dtype)
        return rebuild("params", params, new), State(t, moments)

    def _rule(self, g, t, *moments):
        """The gradient at update t = 1, 2, ... and the moments -> (step, *new moments)."""
        raise NotImplementedError

    def _check_state(self, params, state):
        checks.instance("state", state, State, "what init(params) or update returned")
        checks.whole("state.t", state.t, least=0)
        checks.instance("state.moments", state.moments, dict, "a dict of the moments by path")
        shapes = {path: [np.shape(m) for m in moments] for path, moments in state.moments.items()}
        if shapes != {path: [p.shape] * self.moments for path, p in params.items()}:
            raise ValueError("state: expected the state of these params, got another")


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum μ (Polyak 1964), as torch.optim.SGD.

        v = μ v + g
        p = p - lr v
    """

    lr: float
    momentum: float = 0.0

    moments: ClassVar[int] = 1

    def __post_init__(self):
        checks.number("lr", self.lr, above=0)
        checks.number("momentum", self.momentum, least=0, below=1)

    def _rule(self, g, t, v):
        v = self.momentum * v + g
        return self.lr * v, v


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer 2011), as torch.optim.Adagrad.

        s = s + g²                      every gradient so far counts, and the steps only get shorter
        p = p - lr_t g / (√s + ε)       lr_t = lr / (1 + (t - 1) lr_decay)
    """

    lr: float = 1e-2
    eps: float = 1e-10
    lr_decay: float = 0.0

    moments: ClassVar[int] = 1

    def __post_init__(self):
        checks.number("lr", self.lr, above=0)
        checks.number("eps", self.eps, above=0)
        checks.number("lr_decay", self.lr_decay, least=0)

    def _rule(self, g, t, s):
        s = s + g**2
        lr = self.lr / (1 + (t - 1) * self.lr_decay)
        return lr * g / (np.sqrt(s) + self.eps), s


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012, lecture 6.5), as torch.optim.RMSprop, with momentum μ.

        v = α v + (1 - α) g²
        b = μ b + g / (√v + ε)
        p = p - lr b
    """

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    momentum: float = 0.0

    moments: ClassVar[int] = 2

    def __post_init__(self):
        checks.number("lr", self.lr, above=0)
        checks.number("alpha", self.alpha, least=0, below=1)
        checks.number("eps", self.eps, above=0)
        checks.number("momentum", self.momentum, least=0, below=1)

    def _rule(self, g, t, v, b):
        v = self.alpha * v + (1 - self.alpha) * g**2
        b = self.momentum * b + g / (np.sqrt(v) + self.eps)
        return self.lr * b, v, b


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012, algorithm 1), as torch.optim.Adadelta; Zeiler's has lr = 1.

        v = ρ v + (1 - ρ) g²
        Δ = g √(u + ε) / √(v + ε)       in the units of p: the u of the steps so far is the ruler
        u = ρ u + (1 - ρ) Δ²
        p = p - lr Δ
    """

    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6

    moments: ClassVar[int] = 2

    def __post_init__(self):
        checks.number("lr", self.lr, above=0)
        checks.number("rho", self.rho, least=0, below=1)
        checks.number("eps", self.eps, above=0)

    def _rule(self, g, t, v, u):
        v = self.rho * v + (1 - self.rho) * g**2
        delta = g * np.sqrt(u + self.eps) / np.sqrt(v + self.eps)
        u = self.rho * u + (1 - self.rho) * delta**2
        return self.lr * delta, v, u


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015, algorithm 1), as torch.optim.Adam.

        m = β₁ m + (1 - β₁) g           m̂ = m / (1 - β₁ᵗ)
        v = β₂ v + (1 - β₂) g²          v̂ = v / (1 - β₂ᵗ)
        p = p - lr m̂ / (√v̂ + ε)
    """

    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8

    moments: ClassVar[int] = 2

    def __post_init__(self):
        checks.number("lr", self.lr, above=0)
        checks.number("eps", self.eps, above=0)
        checks.instance("betas", self.betas, tuple, "a pair (beta1, beta2)")
        if len(self.betas) != 2:
            raise ValueError(f"betas: expected a pair (beta1, beta2), got {self.betas}")
        for i, beta in enumerate(self.betas):
            checks.number(f"betas[{i}]", beta, least=0, below=1)

    def _rule(self, g, t, m, v):
        beta1, beta2 = self.betas
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        return self.lr * m_hat / (np.sqrt(v_hat) + self.eps), m, v
