"""Result files of the experiments: CSV rows with a key, written whole or not at all.

Also the two intervals the tables use, Student's for means and Wilson's for proportions, and what
their summaries do with rows.
"""

import csv
import os
import time
from contextlib import contextmanager
from math import sqrt
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).resolve().parents[1] / "rnnlib" / "data"
Z = 1.959963984540054  # the normal distribution's 97.5% point: all intervals are 95%


def read(path):
    """Rows of a CSV as dicts of text; an absent file has none."""
    path = Path(path)
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path, rows):
    """Replace the file by these rows in one step: an interrupted run leaves the old file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(part, path)


def merge(path, rows, key):
    """Add rows to the file, a new row replacing an old one of the same key, sorted by key."""
    kept = {_key(row, key): row for row in [*read(path), *rows]}
    write(path, [kept[k] for k in sorted(kept)])


def missing(path, wanted, key):
    """Those of `wanted` (dicts holding the key's columns) that the file has no row for."""
    have = {_key(row, key) for row in read(path)}
    return [row for row in wanted if _key(row, key) not in have]


def _key(row, key):
    return tuple(_sortable(row[name]) for name in key)


def _sortable(value):
    try:
        return (0, float(value), "")
    except ValueError:
        return (1, 0.0, str(value))


def short(value):
    """Six significant digits, the same text on every machine that got the same bits."""
    return f"{float(value):.6g}"


def mean_interval(values):
    """(mean, low, high): Student's 95% interval over seeds.

    The t quantile is the Cornish-Fisher series in 1/(n - 1), right to 0.001 from n = 8. Of fewer
    than two values there is no interval: its ends are nan.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return values.mean() if len(values) else np.nan, np.nan, np.nan
    n = len(values) - 1
    t = Z + (Z**3 + Z) / (4 * n) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * n**2)
    t += (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / (384 * n**3)
    half = t * values.std(ddof=1) / sqrt(len(values))
    return values.mean(), values.mean() - half, values.mean() + half


def texts(interval, *names):
    """{name: number as `short` text} of as many numbers as names: columns of a row."""
    return dict(zip(names, map(short, interval), strict=True))


def mean_texts(values):
    """The columns mean, low and high: `mean_interval` as `short` text."""
    return texts(mean_interval(values), "mean", "low", "high")


def groups(rows, names):
    """[({name: value}, its rows)] of rows that agree in these columns, in order of first sight."""
    found = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return [(dict(zip(names, values, strict=True)), mine) for values, mine in found.items()]


def share_interval(successes, n):
    """(share, low, high): Wilson's 95% interval of a proportion."""
    share = successes / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return share, max(0.0, round(middle - half, 12)), min(1.0, round(middle + half, 12))


@contextmanager
def seconds():
    """Print how long the block took."""
    start = time.perf_counter()
    yield
    print(f"{time.perf_counter() - start:.0f} s")
