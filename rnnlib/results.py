"""What the experiments measured: the result files that chapters and figures read.

The files are made by the scripts in experiments/, which say how; each row is one network, one
setting or one place of a curve.
"""

import csv
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from rnnlib import checks


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


def find(rows, **wanted):
    """The rows in which every named column has the wanted value, in their order.

    Raises ValueError for a column that a row has not.
    """
    for row in rows:
        if strange := wanted.keys() - row.keys():
            raise ValueError(f"wanted: expected columns of the rows, got {min(strange)!r}")
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]
