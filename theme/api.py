"""The API pages: every docstring of the package, and the passes of a cell beside its equations.

    ```{api}                 the map: the package's own docstring, each module linked
    ```{api} functions       a page: all that is public in the modules of the map from `functions`
    :until: outputs          on, until `outputs`

A new module or function needs no edit here: it appears on the page where the map puts it. A module
that is on no page, or that the map does not name, fails the build. All that is shown is read from
the code: nothing on these pages can disagree with it.
"""
import inspect
import re

from catalogue import catalogue, docstring_of, heads, methods, passes, signature, source_of
from docstrings import docstring_nodes
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx import addnodes
from sphinx.util import logging
from unrolled_site import fold, fold_title

logger = logging.getLogger(__name__)
PLAIN = re.compile(r'<span class="(?:n|nn|p|w)">([^<]*)</span>')  # what has no colour of its own


class python_source(nodes.General, nodes.Element):
    """Code that is shown; the search does not read it, since names have their own place there."""


class Api(Directive):
    """`{api}`: the map of the package; `{api} first` with `:until: last`: those modules."""

    optional_arguments = 1
    option_spec = {"until": str}

    def run(self):
        self.env = self.state.document.settings.env
        try:
            self.catalogue = catalogue(self.env.config.api_package)
        except ImportError as error:
            raise self.error(f"API: the package cannot be imported: {error}") from error
        if not self.arguments:
            return self.said(self.catalogue.root)
        first, until = self.arguments[0], self.options.get("until")
        for name in filter(None, (first, until)):
            if name not in self.catalogue.mapped:
                raise self.error(f"API: the map of {self.catalogue.root.__name__} names no "
                                 f"module {name}, only {', '.join(self.catalogue.mapped)}")
        modules = self.catalogue.between(first, until)
        return [self.names(modules), *(self.module(name) for name in modules)]

    def names(self, modules):
        """The page's own contents: each module with what is in it."""
        made = nodes.bullet_list(classes=["api-names"])
        for module in modules:
            line = nodes.paragraph("", "", self.reference(module))
            for place, (name, thing) in enumerate(self.catalogue.of(module).items()):
                line += [nodes.Text(", " if place else ": "),
                         self.reference(name, thing.__qualname__)]
            made += nodes.list_item("", line)
        return made

    def module(self, name):
        self.env.get_domain("py").note_module(name, name, "", "", False)
        section = self.section(name, name, "module")
        section += self.said(self.catalogue.modules[name])
        section += [self.thing(full, thing) for full, thing in self.catalogue.of(name).items()]
        return section

    def said(self, module):
        """The docstring of a module; where it lists modules, they are linked."""
        self.env.note_dependency(module.__file__)

        def line_link(line):
            made, rest = [], line
            for name in heads(line):
                full = f"{module.__name__}.{name}"
                if full in self.catalogue.modules:
                    before, _, rest = rest.partition(name)
                    made += [nodes.Text(before), self.reference(full, name)]
            return made and [*made, nodes.Text(rest)]

        return docstring_nodes(docstring_of(module), self.linker(module), line_link)

    def thing(self, full, thing):
        """A class or function: its docstring, beside it what computes its equations; its source."""
        kind = "class" if inspect.isclass(thing) else "function"
        section = self.section(full, thing.__qualname__, kind)
        module = self.catalogue.modules[thing.__module__]
        doc = docstring_nodes(docstring_of(thing), self.linker(module, thing, of=thing))
        call = [_code(signature(thing.__qualname__, thing), "api-call")]
        ways = [_code(source_of(way)) for way in passes(thing)]
        if ways:
            section += nodes.container("", nodes.container("", *call, *doc, classes=["api-said"]),
                                       nodes.container("", *ways, classes=["api-done"]),
                                       classes=["api-pair"])
        else:
            section += [*call, *doc]
        section += fold("", fold_title("", "Source"), _code(source_of(thing)),
                        classes=["api-source"])
        for name, method in methods(thing).items():
            section += self.method(f"{full}.{name}", method, thing)
        return section

    def method(self, full, method, cls):
        is_property = isinstance(method, property)
        name = full.rpartition(".")[2]
        section = self.section(full, name, "property" if is_property else "method")
        if not is_property:
            owner = f"{cls.__name__}." if isinstance(method, (classmethod, staticmethod)) else ""
            call = signature(owner + name, _bound(cls, method))
            section += _code(call, "api-call")
        module = self.catalogue.modules[cls.__module__]
        of = None if is_property else _bound(cls, method)
        section += docstring_nodes(docstring_of(method), self.linker(module, cls, of=of))
        return section

    def section(self, full, title, kind):
        """An empty section that every way of naming the thing leads to."""
        domain = self.env.get_domain("py")
        domain.note_object(full, kind, full)
        ids = [full]
        for alias in [a for a, name in self.catalogue.aliases.items() if name == full]:
            domain.note_object(alias, kind, full, aliased=True)
            ids.append(alias)
        return nodes.section("", nodes.title("", "", nodes.literal(title, title)), ids=ids,
                             names=[], classes=["api", f"api-{kind}"])

    def linker(self, *scopes, of=None):
        """What links a name in the docstring of a thing; its own arguments are no links."""
        own = _arguments(of)

        def link(code):
            full = None if code in own else self.catalogue.find(code, *reversed(scopes))
            return full and self.reference(full, code)
        return link

    def reference(self, full, text=None):
        literal = nodes.literal(text or full, text or full)
        return addnodes.pending_xref("", literal, refdomain="py", reftype="obj", reftarget=full,
                                     refdoc=self.env.docname, refwarn=True)


def _arguments(of):
    """The names of what a function or class takes, where Python can tell."""
    try:
        return inspect.signature(of).parameters if callable(of) else {}
    except ValueError:
        return {}


def _bound(cls, method):
    """The method as it is called: without `self` or `cls`."""
    return method.__get__(object.__new__(object), cls)


def _code(text, *classes):
    return python_source(text=text, classes=list(classes))


def visit_source(self, node):
    call = "api-call" in node["classes"]  # not to be copied: no `highlight-python`
    self.body.append(self.starttag(node, "div", CLASS="notranslate" if call else
                                   "highlight-python notranslate"))
    html = self.highlighter.highlight_block(node["text"], "python", location=node)
    self.body.append(PLAIN.sub(r"\1", html) + "</div>\n")
    raise nodes.SkipNode


def let_pages_link_here(app, doctree):
    """Make [text](api/page.md#rnnlib.cells.RNNCell) a link that MyST knows."""
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for section in doctree.findall(nodes.section):
        if "api" in section["classes"]:
            title = section.next_node(nodes.title).astext()
            slugs |= dict.fromkeys(section["ids"], (section.line, section["ids"][0], title))


def check_nothing_is_lost(app, env):
    """Every module is in the map, and on a page."""
    found = catalogue(app.config.api_package)
    for name in found.lost:
        logger.warning("API: %s.%s is not in the map of %s/__init__.py: add a line there",
                       found.root.__name__, name, found.root.__name__, type="api")
    for name in found.modules:
        if name not in env.get_domain("py").objects:
            logger.warning("API: %s is on no page: the pages that hold an `{api}` directive must "
                           "reach from the first to the last module of the map", name, type="api")


def setup(app):
    app.add_config_value("api_package", "rnnlib", "env")
    app.add_node(python_source, html=(visit_source, None))
    app.add_directive("api", Api)
    app.connect("doctree-read", let_pages_link_here)
    app.connect("env-check-consistency", check_nothing_is_lost)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
