"""Records: frozen dataclasses of named arrays. Parameters, traces and gradients are all records.

A record never changes: its fields are fixed and its arrays read-only, so what was computed from it
stays true of it. `dataclasses.replace(cell, W=2 * cell.W)` makes a new, checked one.
"""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnlib import checks

# Compared by identity (two cells are the same only if they are one) and printed by shape.
record = dataclass(frozen=True, eq=False, repr=False)


@record
class Record:
    """Named arrays, read-only, with whatever else belongs to them."""

    def __post_init__(self):
        for array in self.fields().values():
            array.flags.writeable = False

    def fields(self) -> dict:
        """The arrays by name, in the order of their definition."""
        values = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        return {name: value for name, value in values if isinstance(value, np.ndarray)}

    def parts(self) -> dict:
        """What `leaves` goes through: the arrays; a record of records names those as well."""
        return self.fields()

    def __repr__(self):
        values = ((f.name, getattr(self, f.name)) for f in dataclasses.fields(self))
        values = ((name, value) for name, value in values if value is not None)
        parts = (f"{n} {v.shape}" if isinstance(v, np.ndarray) else f"{n}={v!r}" for n, v in values)
        return f"{type(self).__name__}({', '.join(parts)})"


@record
class Parameters(Record):
    """A record of parameters: copied in, and checked when it is made.

    SHAPES gives each array its shape in letters; one letter has one size throughout the record, and
    "4H" is four times that of H. All arrays get one dtype: float32 if every one is, else float64.
    """

    SHAPES: ClassVar[dict[str, tuple[str, ...]]] = {}

    def __post_init__(self):
        arrays = {name: checks.real(name, getattr(self, name)) for name in self.SHAPES}
        dtype = np.result_type(*arrays.values())
        sizes = {}
        for name, array in arrays.items():
            checks.sizes(name, array, self.SHAPES[name], sizes)
            object.__setattr__(self, name, array.astype(dtype, copy=False))
        super().__post_init__()

    @property
    def dtype(self):
        """The dtype of every array of the record."""
        return next(iter(self.fields().values())).dtype

    def astype(self, dtype):
        """The same parameters in float32 or float64 (this very record, if it has that dtype)."""
        if self.dtype == dtype:
            return self
        dtype = checks.floats("dtype", dtype)
        return dataclasses.replace(self, **{n: a.astype(dtype) for n, a in self.fields().items()})

    def gradient(self, **arrays):
        """A record of this type that holds dL/dp in the place of each parameter p.

        Not checked: a gradient may have exploded, and the caller wants to see it.
        """
        gradient = object.__new__(type(self))
        for field in dataclasses.fields(self):
            value = arrays.get(field.name, getattr(self, field.name))
            object.__setattr__(gradient, field.name, value)
        Record.__post_init__(gradient)
        return gradient


def leaves(name, tree):
    """Every array of a record, or of tuples, lists and dicts of records, by its path.

    leaves("params", (cell, out)) -> {"params[0].U": array, ..., "params[1].c_out": array}
    """
    if isinstance(tree, np.ndarray):
        return {name: tree}
    found = {}
    for path, branch in _branches(name, tree).items():
        found |= leaves(path, branch)
    return found


def rebuild(name, tree, arrays):
    """A tree like `tree`, with the arrays of the same paths: the way back from `leaves`."""
    if isinstance(tree, np.ndarray):
        return arrays[name]
    new = [rebuild(path, branch, arrays) for path, branch in _branches(name, tree).items()]
    if isinstance(tree, dict):
        return dict(zip(tree, new, strict=True))
    if isinstance(tree, (tuple, list)):
        return type(tree)(new)
    return dataclasses.replace(tree, **dict(zip(tree.parts(), new, strict=True)))


def _branches(name, tree):
    if isinstance(tree, dict):
        return {f"{name}[{key!r}]": branch for key, branch in tree.items()}
    if isinstance(tree, (tuple, list)):
        return {f"{name}[{i}]": branch for i, branch in enumerate(tree)}
    if isinstance(tree, Record):
        return {f"{name}.{field}": part for field, part in tree.parts().items()}
    kind = type(tree).__name__
    raise TypeError(f"{name}: expected a record of arrays, or a tuple or dict of them, got {kind}")
