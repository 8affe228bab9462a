"""Keep a number and its sign on one line: neither ``95 %`` nor ``H = 300`` is broken in two."""

import re

from docutils import nodes
from sphinx.application import Sphinx

# A number and its unit; a letter, which may be a formula that ends before the text, and its value.
UNIT = r"(?<=\d) (?=(?:%|×|µs|ms|s|h|MB|GB|GiB|points|seeds)(?!\w))"
LETTER = r"(?:(?<!\w\w)|(?<=</i>)|(?<=</sub>)) (?=[=<>≤≥≈] ?\d)"
BROKEN = re.compile(f"{UNIT}|{LETTER}")
VALUE = re.compile("(?<=\N{NO-BREAK SPACE}[=<>≤≥≈]) (?=\\d)")
PROSE = re.compile(r'<figcaption.*?</figcaption>|<table class="verdicts".*?</table>', re.DOTALL)


def unbroken(text: str) -> str:
    """Return the text with spaces at which no line ends in the places of those that are named."""
    return VALUE.sub("\N{NO-BREAK SPACE}", BROKEN.sub("\N{NO-BREAK SPACE}", text))


def mend(app: Sphinx, document: nodes.document, page: str) -> None:
    """Do so in all prose of a page, in the captions of its figures and in verdicts."""
    for text in list(document.findall(nodes.Text)):
        if not isinstance(text.parent, nodes.literal | nodes.FixedTextElement | nodes.math):
            text.parent.replace(text, nodes.Text(unbroken(text)))
    for raw in document.findall(nodes.raw):
        source = raw.astext()
        if PROSE.search(source):
            raw.children = [nodes.Text(PROSE.sub(lambda found: unbroken(found[0]), source))]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("doctree-resolved", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
