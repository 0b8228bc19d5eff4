"""Stack: one cell above the other. And what all networks of several cells share."""

import dataclasses

from rnnlib import checks
from rnnlib.cells import Network
from rnnlib.records import Record, record


class Several(Network):
    """What `Stack` and `Bidirectional` share: the cells side by side in a tuple `cells`."""

    @property
    def dtype(self):
        """The dtype of every array of the network."""
        return self.cells[0].dtype

    def _checked_state(self, name, state, batch, dtype):
        if state is None:
            state = (None,) * len(self.cells)
        words = f"{len(self.cells)} states, one a cell"
        checks.instance(name, state, (tuple, list), f"a tuple of {words}")
        if len(state) != len(self.cells):
            raise ValueError(f"{name}: expected {words}, got {len(state)}")
        return tuple(
            cell._checked_state(f"{name}[{i}]", one, batch, dtype)
            for i, (cell, one) in enumerate(zip(self.cells, state, strict=True))
        )

    def _zeros(self):
        return tuple(cell._zeros() for cell in self.cells)

    def _gradients(self, d):
        return (cell._gradient(sums) for cell, sums in zip(self.cells, d, strict=True))


def check_part(name, cell):
    """Refuse what cannot be part of a network: no cell, or one whose output is not h."""
    checks.instance(name, cell, Network, "a cell such as RNNCell")
    if cell.reads != "h":       # the next layer, and the loss, read h
        raise TypeError(f"{name}: expected a cell whose output is h, got {type(cell).__name__}")


def unchecked(network, **parts):
    """The network with other parts, not checked: a gradient may have exploded."""
    new = object.__new__(type(network))
    for name, value in parts.items():
        object.__setattr__(new, name, value)
    return new


@record
class StackTrace(Record):
    """The traces of all layers; as a gradient, the gradients of all layers.

    layers: the trace of each layer, the lowest first; x, h: the input of the lowest, the hidden
    states of the highest; state, last: a tuple, one a layer; cell, the stack that made it.
    """

    layers: tuple
    cell: "Stack"

    @property
    def x(self):
        """The inputs, (T, B, D)."""
        return self.layers[0].x

    @property
    def h(self):
        """The hidden states of the highest layer, (T, B, H)."""
        return self.layers[-1].h

    @property
    def h_end(self):
        """What the highest layer has in the end, (B, H)."""
        return self.layers[-1].h_end

    @property
    def lengths(self):
        """The lengths that forward was given, or None."""
        return self.layers[0].lengths

    @property
    def state(self):
        """The initial state of each layer."""
        return tuple(layer.state for layer in self.layers)

    @property
    def last(self):
        """The state of each layer after the last step."""
        return tuple(layer.last for layer in self.layers)

    def state_after(self, t):
        """The state of each layer after t steps."""
        return tuple(layer.state_after(t) for layer in self.layers)

    def steps(self, start, stop):
        """The trace of steps start .. stop - 1 alone."""
        return dataclasses.replace(self, layers=tuple(v.steps(start, stop) for v in self.layers))

    def made_by(self, cell):
        """The same traces with these cells as their makers."""
        pairs = zip(self.layers, cell.cells, strict=True)
        return StackTrace(tuple(layer.made_by(one) for layer, one in pairs), cell)

    def fields(self):
        """Every array of every layer, as "layers[0].h"."""
        return {
            f"layers[{i}].{name}": v
            for i, layer in enumerate(self.layers) for name, v in layer.fields().items()
        }


@record
class Stack(Several, Record):
    """Layers: the hidden states of one are the inputs of the next (Goodfellow et al. 2016, 10.5).

        x_t of layer l+1 = h_t of layer l

    cells: cells or `Bidirectional`s, the lowest first, whose widths fit. The loss reads the h of
    the highest.
    """

    cells: tuple

    def __post_init__(self):
        cells = checks.instance("cells", self.cells, (tuple, list), "a tuple of cells")
        object.__setattr__(self, "cells", tuple(cells))
        if not cells:
            raise ValueError("cells: expected at least one, got none")
        for i, cell in enumerate(cells):
            check_part(f"cells[{i}]", cell)
            if i and cell.input_size != cells[i - 1].output_size:
                raise ValueError(
                    f"cells[{i}]: expected input size {cells[i - 1].output_size}, the width of the "
                    f"layer below, got {cell.input_size}"
                )

    @property
    def input_size(self) -> int:
        """D, the width of one input."""
        return self.cells[0].input_size

    @property
    def output_size(self) -> int:
        """The width of what the loss reads."""
        return self.cells[-1].output_size

    @property
    def causal(self) -> bool:
        """True if no step knows of a later one."""
        return all(cell.causal for cell in self.cells)

    def astype(self, dtype):
        """The same network in float32 or float64."""
        return dataclasses.replace(self, cells=tuple(cell.astype(dtype) for cell in self.cells))

    def parts(self):
        """The cells, for `leaves`."""
        return {"cells": self.cells}

    def _unroll(self, xs, state, lengths=None, teacher=None):
        layers = []
        for cell, one in zip(self.cells, state, strict=True):
            layers.append(cell._unroll(xs, one, lengths))
            xs = layers[-1].h                                       # x of the layer above
        return StackTrace(tuple(layers), self)

    def _roll_back(self, trace, dhs, dlast, d):
        dlayers = []
        layers = zip(self.cells, trace.layers, dlast, d, strict=True)
        for cell, layer, one, sums in reversed(list(layers)):
            dlayers.insert(0, cell._roll_back(layer, dhs, one, sums))
            dhs = dlayers[0].x                                      # dh of the layer below
        return StackTrace(tuple(dlayers), None)

    def _add_at_end(self, dhs, dh_end):
        self.cells[-1]._add_at_end(dhs, dh_end)

    def _gradient(self, d):
        return unchecked(self, cells=tuple(self._gradients(d)))
