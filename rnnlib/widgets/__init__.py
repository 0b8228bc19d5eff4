"""The book's live figures: each is a function without arguments that returns a `LiveFigure`."""

from .activations import activations, linear_collapse
from .backward_walk import backward_walk
from .bptt_cost import bptt_cost
from .dogs import dogs
from .dynamical_system import dynamical_system
from .echo import echo
from .elman import elman_letters, elman_xor
from .gradient_norms import gradient_norms
from .itemised import itemised
from .itemised_dogs import itemised_dogs
from .memory import memory
from .radius_and_norm import radius_and_norm
from .success_by_lag import success_by_lag
from .training import training
from .truncation import truncation
from .unfolder import unfolder
from .wall import wall
from .who_is_forgotten import who_is_forgotten
from .window import window

__all__ = [
    "activations",
    "backward_walk",
    "bptt_cost",
    "dogs",
    "dynamical_system",
    "echo",
    "elman_letters",
    "elman_xor",
    "gradient_norms",
    "itemised",
    "itemised_dogs",
    "linear_collapse",
    "memory",
    "radius_and_norm",
    "success_by_lag",
    "training",
    "truncation",
    "unfolder",
    "wall",
    "who_is_forgotten",
    "window",
]
