"""What the executed notebooks say of themselves, for the gallery and the cards; and ``{pages}``.

The directive shows a table of all pages: when and where their results were computed, in how long,
from which commit, and how many of their cells are compared when they run again.
"""

import base64
import html
import re
from collections import Counter
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx_external_toc.parsing import parse_toc_yaml

from lazybook.book.claims import scrolling

BOOK = Path(__file__).parents[1]
WORDS_A_MINUTE = 200
COMPARED = "# NBVAL_CHECK_OUTPUT"


class Page:
    """An executed notebook, such as ``lazy_learning/fig2_mnist``.

    Attributes
    ----------
    title, place: of its heading, ``TITLE · Fig. 2``.
    lead: the main figure as HTML; empty if there is none.
    card: the main figure's first panel as a PNG file; empty if there is none.
    verdicts: how many of each word.
    reading: minutes to read it.
    made: how its results came about, the rows of its table; empty if it has none.
    minutes: to compute its results, on one core; 0 if it does not say.
    compared: how many cells give out what is compared when the notebook runs again.
    """

    def __init__(self, name: str) -> None:
        notebook = nbformat.read(BOOK / "executed" / f"{name}.ipynb", as_version=4)
        text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
        shown = {}  # what `glue` was given by name, and what is displayed without one
        for output in outputs:
            glued = output.get("metadata", {}).get("scrapbook", {}).get("name", "")
            for kind, content in output.get("data", {}).items():
                if kind.endswith(("text/html", "text/markdown", "image/png")):
                    shown.setdefault(glued.rpartition("/")[2], []).append(content)
        self.name = name
        self.title, _, self.place = text[0].splitlines()[0].removeprefix("# ").partition(" · ")
        self.lead = "".join(shown.get("lead", ()))
        self.card = base64.b64decode("".join(shown.get("card", ())))
        answer = "".join(shown.get("answer", ()))
        badges = BeautifulSoup(answer, "html.parser").find_all(class_="verdict")
        self.verdicts = Counter(badge.get_text().partition(" ")[2] for badge in badges)
        words = len(" ".join([*text, answer]).split())
        self.reading = max(1, round(words / WORDS_A_MINUTE))
        displayed = BeautifulSoup("".join(shown.get("", ())), "html.parser")
        rows = displayed.select("table[data-profile] tr")
        self.made = {row.th.get_text().replace("\N{NBSP}", " "): row.td.get_text() for row in rows}
        took = re.match(r"[\d.]+", self.made.get("compute time", ""))
        self.minutes = float(took[0]) if took else 0.0
        self.compared = sum(cell.source.startswith(COMPARED) for cell in notebook.cells)

    def row(self, up: str) -> str:
        """Return the page's row of the table, as HTML; ``up`` leads to the book's first folder."""
        dates = self.made.get("computed", "").split(", ")
        commits = self.made.get("commits", "").partition(" (")[0].split(", ")
        cells = {
            "last run": html.escape(dates[-1]),
            "minutes": f'<data value="{self.minutes}">{self.minutes:,.1f}</data>' * bool(self.made),
            "machine": html.escape(self.made.get("machine", "")),
            "commit": commits[0] if len(commits) == 1 else f"{len(commits)} commits",
            "compared cells": f'<data value="{self.compared}">{self.compared}</data>',
        }
        shown = "".join(f"<td>{cell or '–'}</td>" for cell in cells.values())
        link = f'<a href="{up}executed/{self.name}.html">{html.escape(self.title)}</a>'
        return f'<tr><th scope="row">{link}</th>{shown}</tr>'


HEADS = ("page", "last run", "minutes", "machine", "commit", "compared cells")


class Pages(SphinxDirective):
    """``{pages}``: the table of all pages."""

    def run(self) -> list[nodes.Node]:
        up = "../" * self.env.docname.count("/")
        heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
        rows = "".join(page.row(up) for _, pages in self.env.app.pages for page in pages)
        table = (
            f'<table class="provenance sortable pages"><thead><tr>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )
        return [nodes.raw("", scrolling(table, "all pages"), format="html")]


def parts() -> list[tuple[str, list[Page]]]:
    """Return the parts of the table of contents, each with its notebooks."""
    contents = parse_toc_yaml(BOOK / "_toc.yml")
    found = []
    for tree in contents.root.subtrees:
        names = [str(item) for item in tree.items if str(item).startswith("executed/")]
        found.append((tree.caption, [Page(name.removeprefix("executed/")) for name in names]))
    return found


def read(app: Sphinx) -> None:
    """Read all notebooks, before the pages that say something of them."""
    app.pages = parts()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", read)
    app.add_directive("pages", Pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
