"""Checks of what callers hand in: each names the argument, what was expected and what came.

A wrong kind of thing is a TypeError, a wrong value a ValueError. Only the functions that a reader
calls check; the inner ones trust them. A check returns the clean value and changes nothing.
"""

from numbers import Integral, Real

import numpy as np


def real(name, value, dtype=None, *, copy=True):
    """A new array of float32 (from float32) or float64 (from float64, integers, lists of numbers).

    `dtype` asks for one of the two instead; copy=False is for what is read once and not kept.
    Booleans, strings, complex numbers, half and extended precision, objects, masked arrays and
    ragged lists are refused, and so are NaN and infinity.
    """
    given = _as_array(name, value)
    single = given.dtype.type is np.float32
    if not (given.dtype.kind in "iu" or single or given.dtype.type is np.float64):
        raise TypeError(
            f"{name}: expected real numbers (float32, float64 or integers), got {given.dtype}"
        )
    with np.errstate(over="ignore"):
        dtype = dtype or (np.float32 if single else np.float64)
        array = given.astype(dtype, order="C", copy=copy)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return array


def _as_array(name, value):
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected an array of numbers, got a masked array")
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name}: expected a rectangular array, got a ragged one") from error
    except (TypeError, RuntimeError) as error:
        kind = type(value).__name__
        raise TypeError(f"{name}: expected an array of numbers, got {kind}") from error


def shape(name, array, expected):
    """Refuse another shape than `expected`: a number is that size, a letter any size from 1 up."""
    fits = array.ndim == len(expected) and all(
        isinstance(want, str) or want == size
        for want, size in zip(expected, array.shape, strict=True)
    )
    words = f"({', '.join(map(str, expected))}{',' if len(expected) == 1 else ''})"
    if not fits:
        raise ValueError(f"{name}: expected shape {words}, got {array.shape}")
    if 0 in array.shape:
        raise ValueError(f"{name}: expected shape {words}, no size zero, got {array.shape}")


def sizes(name, array, letters, known):
    """Check a shape given in letters, such as ("4H", "D"), against the sizes known so far.

    A letter has one size wherever it stands: what `array` tells of new ones is added to `known`.
    """
    parts = [(int(letter[:-1] or 1), letter[-1]) for letter in letters]
    shape(name, array, [
        times * known[a] if a in known else letter
        for letter, (times, a) in zip(letters, parts, strict=True)
    ])
    for size, (times, letter) in zip(array.shape, parts, strict=True):
        if size % times:
            raise ValueError(
                f"{name}: expected shape ({', '.join(letters)}), {times} rows for each unit, "
                f"got {array.shape}"
            )
        known.setdefault(letter, size // times)


def array(name, value, expected, dtype=None, *, copy=True):
    """A new float array of the expected shape: see `real` and `shape`."""
    clean = real(name, value, dtype, copy=copy)
    shape(name, clean, expected)
    return clean


def classes(name, value, expected, count):
    """A new array of whole numbers 0 .. count - 1, of the expected shape."""
    clean = _integers(name, value, expected)
    if clean.min() < 0 or clean.max() >= count:
        raise ValueError(
            f"{name}: expected classes 0 to {count - 1}, got {clean.min()} to {clean.max()}"
        )
    return clean


def lengths(name, value, steps, batch):
    """How long each sequence of a batch is: a tuple of whole numbers 1 .. steps."""
    clean = _integers(name, value, ("B",))
    if len(clean) != batch:
        raise ValueError(
            f"{name}: expected shape ({batch},), one for each of the B sequences of (T, B, .), "
            f"got {clean.shape}"
        )
    if clean.min() < 1 or clean.max() > steps:
        raise ValueError(
            f"{name}: expected lengths 1 to {steps}, got {clean.min()} to {clean.max()}"
        )
    return tuple(clean.tolist())


def _integers(name, value, expected):
    clean = np.array(_as_array(name, value))
    if clean.dtype.kind not in "iu" and clean.size:     # [] has no kind
        raise TypeError(f"{name}: expected integers, got {clean.dtype}")
    shape(name, clean, expected)
    return clean


def booleans(name, value, expected):
    """A new array of True and False, of the expected shape."""
    clean = np.array(_as_array(name, value))
    if clean.dtype.kind != "b":
        raise TypeError(f"{name}: expected True and False, got {clean.dtype}")
    shape(name, clean, expected)
    return clean


def whole(name, value, least=1):
    """A whole number that is at least `least`; any, if that is None."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected a whole number, got {came(value)}")
    if least is not None and value < least:
        raise ValueError(f"{name}: expected a whole number >= {least}, got {came(int(value))}")
    return int(value)


def number(name, value, *, above=None, least=None, below=None):
    """A finite number in the given range."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {came(value)}")
    try:
        clean = float(value)
    except OverflowError:  # a whole number beyond all floats
        clean = np.inf
    bounds = ((">", above, np.greater), (">=", least, np.greater_equal), ("<", below, np.less))
    bounds = [bound for bound in bounds if bound[1] is not None]
    if not (np.isfinite(clean) and all(holds(clean, edge) for _, edge, holds in bounds)):
        words = " and".join(f" {sign} {edge}" for sign, edge, _ in bounds)
        got = value if np.isfinite(clean) else clean
        raise ValueError(f"{name}: expected a finite number{words}, got {got}")
    return clean


def choice(name, value, allowed):
    """One of the allowed words."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected one of {', '.join(allowed)}, got {came(value)}")
    if value not in allowed:
        raise ValueError(f"{name}: expected one of {', '.join(allowed)}, got {came(value)}")
    return value


def flag(name, value):
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, got {came(value)}")
    return bool(value)


def generator(name, value):
    """A numpy Generator: the given one, or a new one from a whole number >= 0."""
    if isinstance(value, np.random.Generator):
        return value
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Integral):
        got = came(value)
        raise TypeError(f"{name}: expected a whole number or a numpy Generator, got {got}")
    return np.random.default_rng(whole(name, value, least=0))


def instance(name, value, kind, words):
    """An instance of `kind`, which `words` name in the message."""
    if not isinstance(value, kind):
        raise TypeError(f"{name}: expected {words}, got {type(value).__name__}")
    return value


def made_by(name, owner, maker):
    """Refuse a trace of another maker than `owner`, which is the argument `name`."""
    if maker is not owner:
        raise ValueError(f"trace: expected the trace of this very {name}, got one of another")


def floats(name, dtype):
    """float32 or float64, as a numpy dtype."""
    words = f"{name}: expected float32 or float64, got {came(dtype)}"
    try:
        clean = np.dtype(dtype)
    except TypeError as error:
        raise TypeError(words) from error
    if clean.type not in (np.float32, np.float64):
        raise ValueError(words)
    return clean


def came(value):
    """What came, for a message of one line: the value as it is written, or else its type."""
    try:
        words = repr(value)
    except ValueError:  # a whole number of thousands of digits
        words = ""
    return words if 0 < len(words) <= 80 and "\n" not in words else type(value).__name__
