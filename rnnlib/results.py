"""What the experiments measured: the result files that chapters and figures read.

The files are made by the scripts in experiments/, which say how; each row is one network, one
setting or one place of a curve.
"""

import csv
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

import numpy as np

from rnnlib import checks
from rnnlib.records import leaves, rebuild


def load(name):
    """The rows of `name` (without .csv) as dicts; what reads as a number is one.

    Raises ValueError for a file that does not exist, naming the nearest that does.
    """
    checks.instance("name", name, str, "the name of a result file")
    known = sorted(file.name[:-4] for file in _folder().iterdir() if file.name.endswith(".csv"))
    if name not in known:
        near = get_close_matches(name, known, n=1, cutoff=0)[0]
        raise ValueError(f"name: expected a file of rnnlib/data such as {near!r}, got {name!r}")
    return [dict(row) for row in _rows(name)]


def _folder():
    return files("rnnlib").joinpath("data")


@cache
def _rows(name):
    with _folder().joinpath(f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def _value(text):
    try:
        return float(text)
    except ValueError:
        return text


def network_rows(params, decimals=None):
    """A row {"array", "shape", "numbers"} for every array of params, as `records.leaves` names it.

    Six significant digits, of the numbers rounded to so many decimals if that is given.
    """
    for path, array in leaves("params", params).items():
        rounded = array if decimals is None else np.round(np.asarray(array, float), decimals)
        yield {"array": path, "shape": " ".join(map(str, array.shape)),
               "numbers": " ".join(f"{value:.6g}" for value in rounded.ravel() + 0.0)}  # no -0


def network(rows, like):
    """The parameters in rows of `network_rows`, as (cell, out) or whatever `like` is.

    `like` says the kinds and dtypes; its sizes do not matter. Raises ValueError if an array of it
    is missing or there more than once.
    """
    arrays = {}
    for path, array in leaves("params", like).items():
        mine = [row for row in rows if row["array"] == path]
        if len(mine) != 1:
            raise ValueError(f"rows: expected one for {path!r}, got {len(mine)}")
        shape, numbers = (str(mine[0][name]).split() for name in ("shape", "numbers"))
        arrays[path] = np.array(numbers, float).reshape([int(float(n)) for n in shape]).astype(
            array.dtype)
    return rebuild("params", like, arrays)


def find(rows, **wanted):
    """The rows in which every named column has the wanted value, in their order.

    Raises ValueError for a column that a row has not.
    """
    for row in rows:
        if strange := wanted.keys() - row.keys():
            raise ValueError(f"wanted: expected columns of the rows, got {min(strange)!r}")
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]
