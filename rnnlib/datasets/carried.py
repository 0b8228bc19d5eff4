"""Data files that other packages carry: found and read without running a line of those packages."""

from importlib.util import find_spec
from pathlib import Path


def missing(package, how):
    """The error for a package that is not installed; `how` is what pip is to be told."""
    return ImportError(f"this set needs {package}: pip install {how}", name=package)


def carried(package, *path):
    """The path of a data file inside an installed package.

    Raises ImportError where the package is not installed, and FileNotFoundError where its version
    does not carry the file.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise missing(package, f"--no-deps {package}")
    file = Path(spec.submodule_search_locations[0]).joinpath(*path)
    if not file.exists():
        raise FileNotFoundError(
            f"{package} is installed, but carries no {'/'.join(path)}: "
            f"requirements-data.txt names the version that does"
        )
    return file
