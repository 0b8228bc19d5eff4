"""The book's live figures: each is a function without arguments that returns a `LiveFigure`."""

from .activations import activations, linear_collapse
from .alignment import alignment
from .backward_walk import backward_walk
from .beam import beam
from .both_ways import both_ways
from .bottleneck import bottleneck
from .bptt_cost import bptt_cost
from .cells_compared import cells_compared
from .cliff import cliff
from .clipped_averages import clipped_averages
from .clipping_rules import clipping_rules
from .confusion import confusion
from .decoder_contexts import decoder_contexts
from .dogs import dogs
from .dynamical_system import dynamical_system
from .echo import echo
from .elman import elman_letters, elman_xor
from .exposure import exposure
from .expression_tree import expression_tree
from .forgetting import forgetting
from .gate_gradients import gate_gradients
from .gates_in_training import gates_in_training
from .gradient_norms import gradient_norms
from .gru_cell import gru_cell
from .highway import highway
from .itemised import itemised
from .itemised_dogs import itemised_dogs
from .l2_and_gradients import l2_and_gradients
from .list_operations import list_operations
from .log_depth import log_depth
from .lstm_cell import lstm_cell
from .memory import memory
from .next_letter import next_letter
from .optimiser_race import optimiser_race
from .radius_and_norm import radius_and_norm
from .reset_gate import reset_gate
from .spike import spike
from .success_by_lag import success_by_lag
from .temporal_order import temporal_order
from .training import training
from .tree_shapes import tree_shapes
from .truncation import truncation
from .unfolder import unfolder
from .update_gate import update_gate
from .wall import wall
from .which_language import which_language
from .who_is_forgotten import who_is_forgotten
from .window import window

__all__ = [
    "activations",
    "alignment",
    "backward_walk",
    "beam",
    "both_ways",
    "bottleneck",
    "bptt_cost",
    "cells_compared",
    "cliff",
    "clipped_averages",
    "clipping_rules",
    "confusion",
    "decoder_contexts",
    "dogs",
    "dynamical_system",
    "echo",
    "elman_letters",
    "elman_xor",
    "exposure",
    "expression_tree",
    "forgetting",
    "gate_gradients",
    "gates_in_training",
    "gradient_norms",
    "gru_cell",
    "highway",
    "itemised",
    "itemised_dogs",
    "l2_and_gradients",
    "linear_collapse",
    "list_operations",
    "log_depth",
    "lstm_cell",
    "memory",
    "next_letter",
    "optimiser_race",
    "radius_and_norm",
    "reset_gate",
    "spike",
    "success_by_lag",
    "temporal_order",
    "training",
    "tree_shapes",
    "truncation",
    "unfolder",
    "update_gate",
    "wall",
    "which_language",
    "who_is_forgotten",
    "window",
]
