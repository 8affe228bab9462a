"""Cards of all figures, made from the executed notebooks: ``{gallery}``, and ``{picture} NAME``.

A card has the page's own main figure, its verdicts, how long it takes to read and what it took to
compute. A picture has two files, for light and dark pages, as a file does not know the page's
colour.
"""

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

BOOK = Path(__file__).parents[1]
WORDS_A_MINUTE = 200
MOST = 60  # points of a line on a card
COLOURS = {"light": "#222832", "dark": "#ced6dd"}  # the theme's text
PLAYGROUND = (
    '<a class="gallery-card playground-card" href="playground.html"><strong>Playground</strong>'
    "<span>Drag the start, move the points, race the rules: learning as it happens, in this page."
    "</span></a>"
)


class Page:
    """What a card says of an executed notebook, such as ``lazy_learning/fig2_mnist``."""

    def __init__(self, name: str) -> None:
        notebook = nbformat.read(BOOK / "executed" / f"{name}.ipynb", as_version=4)
        text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
        shown = {}  # what `glue` was given by name, and what is displayed without one
        for output in outputs:
            glued = output.get("metadata", {}).get("scrapbook", {}).get("name", "")
            for kind, content in output.get("data", {}).items():
                if kind.endswith(("text/html", "text/markdown")):
                    shown.setdefault(glued.rpartition("/")[2], []).append(content)
        self.name = name
        self.title, _, self.place = text[0].splitlines()[0].removeprefix("# ").partition(" · ")
        self.lead = BeautifulSoup("".join(shown.get("lead", ())), "html.parser")
        answer = "".join(shown.get("answer", ()))
        badges = BeautifulSoup(answer, "html.parser").find_all(class_="verdict")
        self.verdicts = Counter(badge.get_text().partition(" ")[2] for badge in badges)
        words = len(" ".join([*text, answer]).split())
        self.reading = max(1, round(words / WORDS_A_MINUTE))
        took = re.findall(r">([\d.]+) minutes on one core", "".join(shown.get("", ())))
        self.minutes = sum(map(float, took))

    def picture(self, mode: str) -> str:
        """Return the first panel of the main figure as an SVG file in the colours of a mode."""
        drawing = re.search(r"<svg.*?</svg>", str(self.lead), re.DOTALL)[0]
        drawing = drawing.replace("viewbox=", "viewBox=").replace("currentColor", COLOURS[mode])
        return re.sub(r' d="([^"]*)"', lambda path: f' d="{_shortened(path[1])}"', drawing)

    def images(self, up: str = "") -> str:
        """Return the picture as HTML; it says nothing that the text beside it does not."""
        return "".join(
            f'<img class="only-{mode}" src="{up}_static/gallery/{self.file(mode)}" alt=""'
            ' loading="lazy">'
            for mode in COLOURS
        )

    def file(self, mode: str) -> str:
        """Return the name of a picture's file."""
        return f"{self.name.replace('/', '-')}-{mode}.svg"

    def card(self) -> str:
        """Return the card, as HTML."""
        verdicts = "".join(
            f'<span class="verdict verdict-{word.replace(" ", "-")}">{number} {word}</span>'
            for word, number in self.verdicts.items()
        )
        times = [f"{self.reading} min to read"]
        if self.minutes:
            times.append(f"{max(1, round(self.minutes)):,} min to compute")
        return (
            f'<a class="gallery-card" href="executed/{self.name}.html">'
            f"{self.images()}"
            f"<strong>{html.escape(self.title)}</strong>"
            f"<small>{' · '.join(filter(None, [self.place, *times]))}</small>"
            f'<span class="glance">{verdicts}</span></a>'
        )


def _shortened(path: str) -> str:
    """Return a path in fewer letters and points than it has, as many as are seen on a card."""
    path = re.sub(r"\s*([A-Za-z])\s*", r"\1", re.sub(r"(\.\d)\d+", r"\1", path))
    steps = re.findall(r"[A-Za-z][^A-Za-z]*", path)
    stride = 1 + len(steps) // MOST
    kept = []
    for number, step in enumerate(steps):
        ends = number + 1 == len(steps) or steps[number + 1][0] != "L"
        if step[0] != "L" or number % stride == 0 or ends:
            kept.append(step)
    return "".join(kept)


def parts() -> list[tuple[str, list[Page]]]:
    """Return the parts of the table of contents with their pages that have a main figure.

    Those in which most pages put claims to the test come first.
    """
    contents = parse_toc_yaml(BOOK / "_toc.yml")
    found = []
    for tree in contents.root.subtrees:
        names = [str(item) for item in tree.items if str(item).startswith("executed/")]
        pages = [Page(name.removeprefix("executed/")) for name in names]
        found.append((tree.caption, [page for page in pages if page.lead.find("svg")]))
    found = [(caption, pages) for caption, pages in found if pages]
    return sorted(found, key=lambda part: 2 * sum(bool(p.verdicts) for p in part[1]) < len(part[1]))


class Gallery(SphinxDirective):
    """``{gallery}``: all cards, by the parts of the table of contents."""

    def run(self) -> list[nodes.Node]:
        shown = "".join(
            f'<p class="gallery-part">{html.escape(caption)}</p>'
            f'<div class="gallery">{"".join(page.card() for page in pages)}</div>'
            for caption, pages in self.env.app.gallery
        )
        return [nodes.raw("", PLAYGROUND + shown, format="html")]


class Picture(SphinxDirective):
    """``{picture} NAME``: the main figure of a page, at full width."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        [page] = [
            p for _, pages in self.env.app.gallery for p in pages if p.name == self.arguments[0]
        ]
        return [nodes.raw("", f'<div class="gallery-picture">{page.images()}</div>', format="html")]


def stage(app: Sphinx) -> None:
    """Write the pictures to a folder of static files, before Sphinx collects those."""
    app.gallery = parts()
    folder = Path(app.doctreedir) / "pictures"
    (folder / "gallery").mkdir(parents=True, exist_ok=True)
    for _, pages in app.gallery:
        for page in pages:
            for mode in COLOURS:
                (folder / "gallery" / page.file(mode)).write_text(page.picture(mode), "utf8")
    app.config.html_static_path.append(str(folder))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.connect("builder-inited", stage)
    app.add_directive("gallery", Gallery)
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
