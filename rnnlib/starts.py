"""Where training starts: the first recurrent weights.

    uniform       every entry from uniform(-1/√H, 1/√H), as torch does
    gaussian      every entry from normal(0, 1/H): the spectral radius is about 1
    orthogonal    W Wᵀ = I: the length of a vector is kept (Saxe et al. 2014)
    identity      W = I: the state is copied (Le, Jaitly and Hinton 2015, for ReLU)

Each is multiplied by `gain`. A cell with gates has one such block (H, H) per gate.
"""

import numpy as np

from rnnlib import checks


def _orthogonal(rng, H):
    Q, R = np.linalg.qr(rng.normal(size=(H, H)))
    return Q * np.sign(np.diag(R))  # makes Q uniform over all orthogonal matrices


STARTS = {
    "uniform": lambda rng, H: uniform(rng, H, (H, H))[0],
    "gaussian": lambda rng, H: rng.normal(0, H**-0.5, (H, H)),
    "orthogonal": _orthogonal,
    "identity": lambda rng, H: np.eye(H),
}


def check_start(start, gain):
    """Refuse what `recurrent` cannot start from; for whoever draws something else before W."""
    checks.choice("start", start, STARTS)
    checks.number("gain", gain, above=0)


def recurrent(start, H, rng, *, gain=1.0, gates=1):
    """W (gates · H, H) for one of the starts above, times gain > 0."""
    check_start(start, gain)
    return gain * np.concatenate([STARTS[start](rng, H) for _ in range(gates)])


def uniform(rng, H, *shapes):
    """Arrays with every entry from uniform(-1/√H, 1/√H), as torch draws all its weights."""
    return [rng.uniform(-(H**-0.5), H**-0.5, shape) for shape in shapes]
