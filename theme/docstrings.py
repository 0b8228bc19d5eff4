"""The package's docstrings as pages: plain prose, with blocks that keep their lines.

A docstring is paragraphs with an empty line between them. What is indented keeps its lines, in
monospace: equations, or Python where it is Python. Lines that begin with a name and a colon, and
go on indented, are a list of arguments. `code` stands in single backticks.
"""
import ast
import re
from itertools import groupby
from textwrap import dedent

from docutils import nodes

ENTRY = re.compile(r"[-*] |[\w`*\[\]., ]+(\([^)]*\))?[:=]\s*\S")  # "- item", "name: what it is"
INLINE = re.compile(r"`+([^`]+)`+"                               # 1: `code`
                    r"|(?<![\w*])\*\*(?=\S)([^*]+?)(?<=\S)\*\*(?![\w*])"  # 2: **strong**
                    r"|(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])")     # 3: *emphasis*


def docstring_nodes(text, link, line_link=lambda line: None):
    """The nodes of a docstring.

    link(code) -> a reference around a literal, or None where `code` names nothing public.
    line_link(line) -> nodes in place of a verbatim line, or None: for the map of a package.
    """
    made = []
    for kind, lines in blocks(text.splitlines()):
        if kind == "verbatim":
            made.append(_verbatim(dedent("\n".join(lines)), line_link))
        elif kind == "entries":
            made.append(_entries(lines, link))
        else:
            made.append(_paragraph(" ".join(lines), link))
    return made


def blocks(lines):
    """Cut a docstring into ("prose" | "entries" | "verbatim", lines)."""
    found = []
    for full, chunk in groupby(lines, lambda line: bool(line.strip())):
        for kind, part in _parts(list(chunk)) if full else ():
            if found and kind == found[-1][0] == "verbatim":
                found[-1][1].extend(["", *part])  # an empty line inside a block
            else:
                found.append((kind, part))
    return found


def _parts(chunk):
    """One chunk between empty lines: as a rule of one kind, but a block may touch its sentence."""
    indented = [line[:1].isspace() for line in chunk]
    table = len(chunk) > 1 and all(line.startswith("|") for line in chunk)
    if all(indented) or table:
        return [("verbatim", chunk)]
    if indented[0]:
        block = indented.index(False)
        return [("verbatim", chunk[:block]), *_parts(chunk[block:])]
    heads = [line for line, inside in zip(chunk, indented, strict=True) if not inside]
    hanging = any(indented) and not _announces(chunk, indented)
    if all(line.startswith(("- ", "* ")) for line in heads) or hanging and ENTRY.match(chunk[0]):
        return [("entries", chunk)]
    parts = groupby(zip(indented, chunk, strict=True), lambda pair: pair[0])
    return [("verbatim" if inside else "prose", [line for _, line in part])
            for inside, part in parts]


def _announces(chunk, indented):
    """True where the line above an indented one ends in a colon: a block follows, no more prose."""
    return any(inside and not before and line.rstrip().endswith(":") for line, before, inside
               in zip(chunk, indented, indented[1:], strict=False))


def _paragraph(text, link):
    # Quotes and dots stay as they are written: they may be code that has no backticks.
    text = re.sub(r"::$", ":", text)
    return nodes.paragraph("", "", *inline(text, link), support_smartquotes=False)


def _entries(lines, link):
    found = []
    for line in lines:
        if line[:1].isspace():
            found[-1] += " " + line.strip()
        elif found and not ENTRY.match(line):
            found[-1] += " " + line
        else:
            found.append(re.sub(r"^[-*] ", "", line))
    items = [nodes.list_item("", _paragraph(text, link)) for text in found]
    return nodes.bullet_list("", *items, classes=["api-entries"])


def _verbatim(text, line_link):
    if any(line_link(line) for line in text.splitlines()):
        inside = []
        for line in text.splitlines():
            inside += [*(line_link(line) or [nodes.Text(line)]), nodes.Text("\n")]
        return nodes.literal_block("links", "", *inside[:-1])  # raw source differs: as it is
    return nodes.literal_block(text, text, language="python" if _is_python(text) else "text")


def _is_python(text):
    try:
        return bool(ast.parse(text).body)
    except SyntaxError:
        return False


def inline(text, link):
    """Text with `code`, linked where it names a public thing, **strong** and *emphasis*."""
    made, done = [], 0
    for found in INLINE.finditer(text):
        made.append(nodes.Text(text[done:found.start()]))
        code, strong, emphasis = found.groups()
        if code:
            made.append(link(code) or nodes.literal(code, code))
        else:
            kind = nodes.strong if strong else nodes.emphasis
            made.append(kind("", strong or emphasis))
        done = found.end()
    made.append(nodes.Text(text[done:]))
    return [node for node in made if node.astext()]
