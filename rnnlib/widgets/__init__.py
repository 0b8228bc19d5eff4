"""The book's live figures: each is a function without arguments that returns a `LiveFigure`."""

from .activations import activations, linear_collapse
from .backward_walk import backward_walk
from .both_ways import both_ways
from .bptt_cost import bptt_cost
from .cells_compared import cells_compared
from .confusion import confusion
from .dogs import dogs
from .dynamical_system import dynamical_system
from .echo import echo
from .elman import elman_letters, elman_xor
from .forgetting import forgetting
from .gate_gradients import gate_gradients
from .gates_in_training import gates_in_training
from .gradient_norms import gradient_norms
from .gru_cell import gru_cell
from .highway import highway
from .itemised import itemised
from .itemised_dogs import itemised_dogs
from .lstm_cell import lstm_cell
from .memory import memory
from .next_letter import next_letter
from .radius_and_norm import radius_and_norm
from .reset_gate import reset_gate
from .success_by_lag import success_by_lag
from .training import training
from .truncation import truncation
from .unfolder import unfolder
from .update_gate import update_gate
from .wall import wall
from .which_language import which_language
from .who_is_forgotten import who_is_forgotten
from .window import window

__all__ = [
    "activations",
    "backward_walk",
    "both_ways",
    "bptt_cost",
    "cells_compared",
    "confusion",
    "dogs",
    "dynamical_system",
    "echo",
    "elman_letters",
    "elman_xor",
    "forgetting",
    "gate_gradients",
    "gates_in_training",
    "gradient_norms",
    "gru_cell",
    "highway",
    "itemised",
    "itemised_dogs",
    "linear_collapse",
    "lstm_cell",
    "memory",
    "next_letter",
    "radius_and_norm",
    "reset_gate",
    "success_by_lag",
    "training",
    "truncation",
    "unfolder",
    "update_gate",
    "wall",
    "which_language",
    "who_is_forgotten",
    "window",
]
