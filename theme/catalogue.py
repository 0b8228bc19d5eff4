"""What is public in the package, and how it is called: read from the modules themselves.

What a module shows is what its `__all__` names, or else its classes and functions without an
underscore. Each thing belongs to the module that defines it, whoever else passes it on.
"""
import ast
import importlib
import inspect
import pkgutil
import re
from dataclasses import dataclass
from functools import cache
from textwrap import dedent

# The methods that compute what the equations of a class say.
PASSES = ("_forward", "forward", "logits", "_rule", "_backward", "backward",
          "_unroll", "_roll_back")


@dataclass(frozen=True)
class Catalogue:
    """mapped: the modules that the package's docstring names, in its order; lost: those it omits.

    modules, things: full name -> each module, packages before what is in them; each class and
    function. aliases: other names of things -> their full names.
    """

    root: object
    mapped: list
    lost: list
    modules: dict
    things: dict
    aliases: dict

    def between(self, first, until):
        """The modules of the map from `first` until `until`, with all that is in them."""
        stop = self.mapped.index(until) if until else None
        names = [f"{self.root.__name__}.{m}" for m in self.mapped[self.mapped.index(first):stop]]
        return [m for m in self.modules if any(f"{m}.".startswith(f"{name}.") for name in names)]

    def of(self, module):
        """The things that a module defines, by full name, in the order of their definition."""
        return {name: thing for name, thing in self.things.items() if thing.__module__ == module}

    def find(self, code, *scopes):
        """The full name of what `code` names, seen from `scopes`; None where it is not public."""
        named = re.fullmatch(r"([A-Za-z_][\w.]*?)(\(.*\))?", code)
        path = named[1].split(".") if named else []
        for scope in (*scopes, self.root):
            thing = scope
            for name in path[1:] if path[:1] == [self.root.__name__] else path:
                thing = getattr(thing, name, None)
            if path and self._name_of(thing):
                return self._name_of(thing)
        same = [full for full, thing in self.things.items() if thing.__qualname__ == code]
        return same[0] if len(same) == 1 else None

    def _name_of(self, thing):
        if inspect.ismodule(thing):
            return thing.__name__ if thing.__name__ in self.modules else None
        thing = getattr(thing, "fget", thing)  # a property's name is that of its function
        full = full_name(thing)
        owner, _, name = full.rpartition(".")
        shown = full in self.things or name in methods(self.things.get(owner))
        return full if shown else None


def full_name(thing):
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}"


@cache
def catalogue(package):
    """All that is public in the package of that name; it is imported for that."""
    root = importlib.import_module(package)
    there = _inner_names(root)
    lines = [line for line in inspect.cleandoc(root.__doc__).splitlines() if line[:1] == " "]
    mapped = list(dict.fromkeys(m for line in lines for m in heads(line) if m in there))
    modules, things, aliases = {}, {}, {}
    for name in mapped:
        modules |= _with_inner(importlib.import_module(f"{package}.{name}"))
    for module in modules.values():
        things |= {full_name(thing): thing for thing in public(module).values()
                   if thing.__module__ == module.__name__}
    for module in (root, *modules.values()):
        aliases |= {f"{module.__name__}.{name}": full_name(thing)
                    for name, thing in public(module).items() if full_name(thing) in things}
    aliases = {name: full for name, full in aliases.items()
               if name not in things and name not in modules}
    return Catalogue(root, mapped, [m for m in there if m not in mapped], modules, things, aliases)


def heads(line):
    """The names at the head of a line of the map: "style, plots    pictures"."""
    head = re.match(r"\s*(\w+(?:, *\w+)*)(?!\S)", line)
    return re.split(r", *", head[1]) if head else []


def _inner_names(package):
    return [inner.name for inner in pkgutil.iter_modules(package.__path__)
            if not inner.name.startswith("_")]


def _with_inner(module):
    found = {module.__name__: module}
    if hasattr(module, "__path__"):
        for name in _inner_names(module):
            found |= _with_inner(importlib.import_module(f"{module.__name__}.{name}"))
    return found


def public(module):
    """The public classes and functions of a module, by name."""
    named = getattr(module, "__all__", None)
    return {name: thing for name, thing in vars(module).items()
            if (inspect.isclass(thing) or inspect.isfunction(inspect.unwrap(thing)))
            and "<" not in thing.__qualname__  # a lambda
            and (name in named if named is not None else
                 not name.startswith("_") and thing.__module__ == module.__name__)}


def methods(cls):
    """The public methods and properties that a class adds or says anew, by name."""
    found = {}
    for name, thing in vars(cls).items() if inspect.isclass(cls) else ():
        function = getattr(thing, "fget", None) or getattr(thing, "__func__", thing)
        if inspect.isfunction(function) and not name.startswith("_"):
            known = any(hasattr(base, name) for base in cls.__mro__[1:])
            if function.__doc__ or not known:
                found[name] = thing
    return found


# ---------------------------------------------------------------- sources

def source_of(thing):
    """The source as it stands in the file, moved to the left margin."""
    thing = getattr(thing, "fget", None) or thing  # a property
    return dedent(inspect.getsource(inspect.unwrap(thing))).rstrip()


def docstring_of(thing):
    """The docstring as it is written, its own margin taken off and nothing else.

    `inspect.cleandoc` would also take off the indent of a block that follows the first line.
    """
    node = ast.parse(source_of(thing))
    node = node if inspect.ismodule(thing) else node.body[0]
    first = node.body[0]
    if not (isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)):
        return ""
    lines = str(first.value.value).strip().splitlines()
    return "\n".join([lines[0], *(line[first.col_offset:] for line in lines[1:])])


def passes(cls):
    """What computes the equations of a class, of its own methods, with the helpers it calls."""
    own = [vars(cls)[name] for name in PASSES
           if inspect.isclass(cls) and inspect.isfunction(vars(cls).get(name))]
    shown = [f for f in own if "NotImplementedError" not in f.__code__.co_names]
    for function in shown:  # grows while it is read: helpers of helpers
        for name in _called(function.__code__):
            helper = vars(cls).get(name, getattr(inspect.getmodule(cls), name, None))
            helper = getattr(helper, "__func__", helper)
            ours = inspect.isfunction(helper) and helper.__module__ == cls.__module__
            if ours and re.match("_[a-z]", name) and helper not in shown:
                shown.append(helper)
    return shown


def _called(code):
    inner = [name for c in code.co_consts if inspect.iscode(c) for name in _called(c)]
    return dict.fromkeys([*code.co_names, *inner])


# ---------------------------------------------------------------- signatures

def signature(name, thing):
    """The call of `thing`, every default as it is written in the code."""
    if inspect.isclass(thing) and not _made_here(thing):
        return name
    written, shown = _defaults(thing), []
    for p in inspect.signature(thing).parameters.values():
        if p.kind == p.KEYWORD_ONLY and not any(part.startswith("*") for part in shown):
            shown.append("*")
        stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        default = "" if p.default is p.empty else f"={written.get(p.name, '...')}"
        shown.append(f"{stars}{p.name}{default}")
    return f"{name}({', '.join(shown)})"


def _made_here(cls):
    """True where the package says how the class is made; not so an error, or a kind of widget."""
    maker = next(c for c in cls.__mro__ if "__init__" in vars(c) or "_fields" in vars(c))
    return maker.__module__.split(".")[0] == cls.__module__.split(".")[0]


def _defaults(thing):
    """name -> its default, as written."""
    if inspect.isclass(thing):
        made = getattr(thing.__init__, "__code__", None)
        if made and made.co_filename != "<string>":  # written, not made by `dataclass`
            return _defaults(thing.__init__)
        owners = [c for c in reversed(thing.__mro__) if "__annotations__" in vars(c)]
        return {name: text for owner in owners for name, text in _field_defaults(owner).items()}
    source = source_of(thing)
    given = ast.parse(source).body[0].args
    pairs = [*zip([*given.posonlyargs, *given.args][::-1], given.defaults[::-1], strict=False),
             *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return {arg.arg: _text(source, value) for arg, value in pairs if value is not None}


def _field_defaults(cls):
    source = source_of(cls)
    return {node.target.id: _text(source, node.value) for node in ast.parse(source).body[0].body
            if isinstance(node, ast.AnnAssign) and node.value is not None}


def _text(source, node):
    return " ".join(ast.get_source_segment(source, node).split())
