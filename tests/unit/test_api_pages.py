"""The API pages: all that is public, once, as its docstring says it and as its source has it."""
import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest
from bs4 import BeautifulSoup

import rnnlib
from rnnlib.cells import Cell

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "book" / "api"
CONF = """import sys
sys.path[:0] = [{here!r}, {theme!r}, {root!r}]
extensions = ["myst_parser", "unrolled_site", "api"]
html_theme, master_doc, api_package, nitpicky = "unrolled", "book/index", {package!r}, True
html_theme_options, html_domain_indices = {{}}, False
"""


def build(folder, pages, package):
    """Build pages (name -> text) with Sphinx: (pages as soup, what was complained of)."""
    (folder / "book").mkdir()
    for name, text in pages.items():
        (folder / "book" / f"{name}.md").write_text(text, encoding="utf-8")
    (folder / "conf.py").write_text(CONF.format(
        here=str(folder), theme=str(ROOT / "theme"), root=str(ROOT), package=package,
    ), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", ".", "_site"],
        cwd=folder, capture_output=True, encoding="utf-8")
    assert bool(done.returncode) == bool(done.stderr), done.stderr
    return {name: BeautifulSoup((folder / "_site" / "book" / f"{name}.html").read_text("utf-8"),
                                "html.parser").main for name in pages}, done.stderr


# ---------------------------------------------------------------- the package's own pages

@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pages = {path.stem: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    names = "\n".join(sorted(set(pages) - {"index"}))
    pages["index"] += f"\n```{{toctree}}\n:hidden:\n\n{names}\n```\n"
    soups, complaints = build(tmp_path_factory.mktemp("api"), pages, "rnnlib")
    assert not complaints, complaints
    return soups


@pytest.fixture(scope="module")
def places(site):
    """id -> the sections of that id, on whatever pages."""
    found = {}
    for page in site.values():
        for tag in page.find_all(id=True):
            found.setdefault(tag["id"], []).append(tag)
    return found


@cache
def modules():
    """Every public module of the package, found in its folders and not in its map."""
    found = pkgutil.walk_packages(rnnlib.__path__, "rnnlib.")
    return [importlib.import_module(m.name) for m in found
            if not any(part.startswith("_") for part in m.name.split("."))]


@cache
def things():
    """full name -> every class and function that is public where it is defined."""
    found = {}
    for module in modules():
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                listed = getattr(module, "__all__", None)
                if node.name in listed if listed else not node.name.startswith("_"):
                    found[f"{module.__name__}.{node.name}"] = getattr(module, node.name)
    return found


def said(section):
    """The prose of a section, in one line."""
    own = [tag.get_text() for tag in section.find_all(["p", "li"])]
    return " ".join(" ".join(own).split())


def test_every_module_stands_on_one_page_with_its_docstring(places):
    for module in modules():
        (section,) = places[module.__name__]
        assert module.__doc__.strip().splitlines()[0].replace("`", "").rstrip(":") in said(section)


def test_everything_public_stands_on_one_page_with_its_docstring(places):
    assert len(things()) > 50
    for full, thing in things().items():
        (section,) = places[full]
        assert section.name == "section", full
        first = ast.get_docstring(ast.parse(source(thing)).body[0]).splitlines()[0]
        assert first.replace("`", "").replace("*", "") in said(section).replace("*", ""), full


def test_equations_keep_their_lines(places):
    blocks = 0
    for full, thing in things().items():
        node = ast.parse(source(thing)).body[0].body[0]
        lines = node.value.value.splitlines()
        shown = [pre.get_text() for pre in places[full][0].find_all("pre")]
        for above, line, below in zip(lines, lines[1:], [*lines[2:], ""], strict=False):
            inside = " " * (node.col_offset + 4)
            if not above.strip() and line.startswith(inside) and below.startswith(inside):
                both = "\n".join(part[len(inside):] for part in (line, below))
                assert any(pre.startswith(both) or f"\n{both}" in pre for pre in shown), full
                blocks += 1
    assert blocks > 5


def source(thing):
    return dedent(inspect.getsource(inspect.unwrap(thing)))


def test_source_is_the_source(places):
    for full, thing in things().items():
        (fold,) = places[full][0].find_all("details", recursive=False)
        assert fold.pre.get_text().rstrip() == source(thing).rstrip(), full


def test_the_passes_of_a_cell_stand_open_beside_its_equations(places):
    cells = [thing for thing in things().values()
             if inspect.isclass(thing) and issubclass(thing, Cell) and "_forward" in vars(thing)]
    assert len(cells) > 2
    for cell in set(cells) - {Cell}:
        pair = places[f"{cell.__module__}.{cell.__name__}"][0].find(class_="api-pair")
        equations, passes = pair.find_all("div", recursive=False)
        assert "_t = " in equations.find_all("pre")[1].get_text(), "the equations are not there"
        shown = [pre.get_text().rstrip() for pre in passes.find_all("pre")]
        assert shown[:2] == [source(cell._forward).rstrip(), source(cell._backward).rstrip()]


def test_the_map_leads_to_every_module_that_it_names(site):
    for name in ("cells", "unroll", "live", "widgets"):
        assert site["index"].find("a", string=name)["href"].endswith(f"#rnnlib.{name}")


def test_an_argument_is_no_link_to_what_has_its_name(places):
    """There is a module `window`, and yet `window` in this docstring is the argument."""
    (section,) = places["rnnlib.bptt.truncated"]
    linked = {link.get_text() for link in section.select("p a.reference")}
    assert {"backward", "Bidirectional"} <= linked
    assert not linked & {"window", "stride"}


def test_no_signature_holds_an_address(site):
    calls = [call.get_text() for page in site.values() for call in page.find_all(class_="api-call")]
    assert len(calls) > 50
    assert not [call for call in calls if " at 0x" in call or "<" in call]


# ---------------------------------------------------------------- a package made for the test

MAP = '''"""toy: a package.

The map:

    one     functions
    two, pack    classes

After it.
"""
'''
ONE = '''"""One: `twice` and `Thing.method`."""

SIZE = 3
MARK = object()


def twice(x, *rest, size=SIZE + 1, mark=MARK, name="a", **more):
    """2 x, see `Thing`; **never** `x`.

        y = 2 x

        z = y          a second block line
    count: how often,
        and how long
    """


def _hidden():
    """Not shown."""
'''
TWO = '''from dataclasses import dataclass, field
from toy.one import twice
__all__ = ["Thing", "Fault", "twice"]


@dataclass
class Thing:
    a: int
    b: float = 1e-3
    c: list = field(default_factory=list)

    def method(self, n=10_000):
        """What it does."""

    @classmethod
    def make(cls, a="it's"):
        """A thing."""


class Fault(ValueError):
    """What goes wrong."""


class Unlisted:
    """Not in `__all__`."""
'''
PACK = '"""A package: what is in it needs no line in the map."""\n'
INNER = 'def inner(x):\n    """A function inside."""\n'


@pytest.fixture
def toy(tmp_path):
    for path, text in {"__init__": MAP, "one": ONE, "two": TWO, "pack/__init__": PACK,
                       "pack/inner": INNER}.items():
        file = tmp_path / "toy" / f"{path}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


INDEX = "# Toy\n\n[by page](all.md#toy.two.Thing), [by name](#toy.one.twice)\n\n```{api}\n```\n\n" \
        "```{toctree}\nall\n```\n"


def test_a_new_package_needs_one_directive(toy):
    site, complaints = build(toy, {"index": INDEX, "all": "# All\n\n```{api} one\n```\n"}, "toy")
    assert not complaints
    page, calls = site["all"], [c.get_text().strip() for c in site["all"].select(".api-call")]
    assert calls == [
        'twice(x, *rest, size=SIZE + 1, mark=MARK, name="a", **more)',
        "Thing(a, b=1e-3, c=field(default_factory=list))", "method(n=10_000)",
        'Thing.make(a="it\'s")', "Fault", "inner(x)"]
    twice = page.find(id="toy.one.twice")
    assert [pre.get_text().rstrip() for pre in twice.find_all("pre")][1] == (
        "y = 2 x\n\nz = y          a second block line")
    assert [item.get_text().strip() for item in twice.find_all("li")] == [
        "count: how often, and how long"]
    assert [a["href"] for a in twice.p.find_all("a")] == ["#toy.two.Thing"]
    assert twice.find(id="toy.two.twice"), "where it is passed on leads to where it is defined"
    assert not page.find(id="toy.two.Unlisted") and not page.find(id="toy.one._hidden")
    text = site["index"].find("p").find_all("a")
    assert [a["href"] for a in text] == ["all.html#toy.two.Thing", "all.html#toy.one.twice"]


def test_what_is_on_no_page_or_not_in_the_map_fails_the_build(toy):
    (toy / "toy" / "new.py").write_text('"""New."""\n', encoding="utf-8")
    pages = {"index": INDEX.replace("[by page](all.md#toy.two.Thing), ", ""),
             "all": "# All\n\n```{api} one\n:until: two\n```\n\n```{api} none\n```\n"}
    _, complaints = build(toy, pages, "toy")
    assert "toy.new is not in the map of toy/__init__.py: add a line there" in complaints
    assert "toy.two is on no page" in complaints and "toy.pack.inner is on no page" in complaints
    assert "toy.one is on no page" not in complaints
    assert "the map of toy names no module none, only one, two, pack" in complaints
