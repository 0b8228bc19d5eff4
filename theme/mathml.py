r"""Mathematics as MathML, made at build time: no script, no font and no request in the page.

docutils carries a converter from LaTeX. What it does not know fails the build, with the
equation named, instead of reaching a reader half drawn. What it draws differently from TeX
(accents with an index, named braces, bars) is put right here.
"""
import re
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml, mathalphabet2unichar
from markupsafe import escape
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

MATHML = "http://www.w3.org/1998/Math/MathML"
ENVIRONMENTS = "align|alignat|equation|gather|multline|split"
ACCENTS = set("ˆ¯ˉ˜→←˙¨ˇ˘´`^~‾_⃗\N{COMBINING RIGHT ARROW ABOVE}\N{MACRON}")
BRACES = {"⏟": "munder", "⏞": "mover"}
BARS = {"|", "‖", "∥"}
APPLY = "\N{FUNCTION APPLICATION}"
# \class{keep}{f_t} goes through docutils as a group that begins with a mark: see _classed.
CLASS = re.compile(r"\\class\{(\w+)\}\{((?:[^{}]|\{[^{}]*\})*)\}")
MARK = "\N{PILCROW SIGN}"

# LaTeX that docutils does not know, in terms of what it does.
REWRITES = [(re.compile(pattern), new) for pattern, new in [
    (rf"\\(begin|end)\{{({ENVIRONMENTS})\*?\}}", ""),
    (r"\\label\{[^{}]*\}", ""),
    (r"\\dots(?![a-zA-Z])", r"\\ldots"),
    (r"\\([bB]igg?)(?![a-zA-Z])", r"\\\1l"),
    (r"\\bm(?![a-zA-Z])", r"\\boldsymbol"),
    (r"\\stackrel(?![a-zA-Z])", r"\\overset"),
    (r"\\iff(?![a-zA-Z])", r"\\Longleftrightarrow"),
    (r"\\arg(max|min)(?![a-zA-Z])", r"\\operatorname*{arg\\,\1}"),
    (r"\\operatorname\*\{(\w*)(?:\\,)?(\w*)\}\s*_(\{[^{}]*\}|\\[a-zA-Z]+|\w)",
     r"\\underset{\3}{\\operatorname{\1\2}}"),
    (r"\\([td]?frac)\s*(\d)\s*(\d)", r"\\\1{\2}{\3}"),
    ("\N{MINUS SIGN}", "-"),
]]


def mathml(tex, *, block):
    """Return the <math> element of the LaTeX `tex`; raise MathError where it has unknown parts."""
    for pattern, new in REWRITES:
        tex = pattern.sub(new, tex)
    tex = CLASS.sub(rf"{{\\text{{{MARK}\1}}{{\2}}}}", tex)
    html = latex2mathml.tex2mathml(tex.strip(), as_block=block)
    html = re.sub(r"\n\s*", "", html).replace("&ApplyFunction;", APPLY)
    root = ElementTree.fromstring(html.replace(f' xmlns="{MATHML}"', ""))
    for element in list(root.iter()):
        _classed(element)
        _index_outside_accent(element)
        _name_of_brace(element)
        _bars(element)
        _bold(element)
        _space_after_function(element)
    return ElementTree.tostring(root, encoding="unicode")


def _classed(row):
    r"""\class{keep}{f_t}: what the style sheet colours, as everywhere a gate is named."""
    if len(row) and row[0].tag == "mtext" and (row[0].text or "").startswith(MARK):
        row.set("class", row[0].text.removeprefix(MARK))
        row.remove(row[0])


def _index_outside_accent(element):
    r"""\hat{y}_t: the index belongs beside the letter, not below it."""
    if element.tag == "munderover" and element[2].text in ACCENTS:
        base, index, accent = element
        over = ElementTree.Element("mover", accent="true")
        over.extend([base, accent])
        element.tag, element[:] = "msub", [over, index]


def _name_of_brace(element):
    r"""\underbrace{a}_{name}: the name goes below the brace, not beside it."""
    base = element[0] if element.tag in ("msub", "msup") else ()
    if len(base) == 2 and BRACES.get(base[1].text) == base.tag:
        element.tag = base.tag


def _bars(row):
    r"""|x| and \lVert x \rVert: no taller than the line, and no space inside, as in TeX."""
    if row.tag == "mrow" and len(row) > 1 and row[0].text in BARS and row[-1].text in BARS:
        return  # \left and \right: tall on purpose
    bars = [bar for bar in (child[0] if child.tag in ("msub", "msup", "msubsup") and len(child)
                            else child for child in row)
            if bar.tag == "mo" and bar.text in BARS]
    if row.tag in ("msub", "msup", "msubsup") or len(bars) < 2:
        return
    for place, bar in enumerate(bars):
        bar.set("stretchy", "false")
        bar.set("form", "postfix" if place % 2 else "prefix")


def _bold(element):
    if element.get("class") == "boldsymbol":
        for letter in element.iter("mi"):
            letter.text = mathalphabet2unichar.mathbfit.get(letter.text, letter.text)


def _space_after_function(row):
    """log x: a thin space, unless a bracket follows."""
    for place, child in enumerate(row):
        follows = row[place + 1] if place + 1 < len(row) else None
        if child.text == APPLY and follows is not None and follows.text not in ("(", "[", "{"):
            child.tag, child.text = "mspace", None
            child.set("width", "0.167em")


def _draw(self, node, block):
    tex = node.astext()
    try:
        return mathml(tex, block=block)
    except (MathError, SyntaxError, AttributeError) as error:
        logger.warning("mathematics that cannot be drawn in %s: %s In: %s",
                       self.builder.current_docname, error, tex, location=node, type="mathml")
        return f"<code>{escape(tex)}</code>"


def visit_inline(self, node):
    self.body.append(self.starttag(node, "span", "", CLASS="math") + _draw(self, node, False))
    self.body.append("</span>")
    raise nodes.SkipNode


def visit_block(self, node):
    self.body.append(self.starttag(node, "div", "", CLASS="math"))
    self.body.append(_draw(self, node, True))
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})</span>')
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
