"""Cards of all figures, made from the executed notebooks: ``{gallery}``, and ``{picture} NAME``.

A card has the page's own main figure, its verdicts, how long it takes to read and what it took to
compute. A picture is one file for light and dark pages: browsers tell a drawing which of the two
the page around it is.
"""

import html
import re
from pathlib import Path

from docutils import nodes
from pages import Page
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

MOST = 60  # points of a line on a card
# The theme's colours of text.
INK = (
    "<style>svg { color: #222832 }"
    " @media (prefers-color-scheme: dark) { svg { color: #ced6dd } }</style>"
)
PLAYGROUND = (
    '<a class="gallery-card playground-card" href="playground.html"><strong>Playground</strong>'
    "<span>Drag the start, move the points, race the rules: learning as it happens, in this page."
    "</span></a>"
)


def picture(page: Page) -> str:
    """Return the first panel of the main figure as an SVG file, in few letters."""
    drawing = re.search(r"<svg.*?</svg>", page.lead, re.DOTALL)[0]
    drawing = re.sub(r"<!--.*?-->|\n\s*(?=<)", "", drawing, flags=re.DOTALL)
    # Names are long, as a page has several drawings; groups are not called by theirs.
    drawing = re.sub(r'(<g) id="[^"]*"', r"\1", drawing)
    begin = re.search(r'<figure id="([^"]*)"', page.lead)[1]
    drawing = re.sub(rf'(id="|href="#|url\(#){begin}-0-', r"\1", drawing)
    drawing = re.sub(r' d="([^"]*)"', lambda path: f' d="{_shortened(path[1])}"', drawing)
    return re.sub("<svg[^>]*>", rf"\g<0>{INK}", drawing, count=1)


def file(page: Page) -> str:
    """Return the name of a picture's file."""
    return f"{page.name.replace('/', '-')}.svg"


def image(page: Page) -> str:
    """Return the picture as HTML; it says nothing that the text beside it does not."""
    return f'<img class="dark-light" src="_static/gallery/{file(page)}" alt="" loading="lazy">'


def card(page: Page) -> str:
    """Return a page's card, as HTML."""
    verdicts = "".join(
        f'<span class="verdict verdict-{word.replace(" ", "-")}">{number} {word}</span>'
        for word, number in page.verdicts.items()
    )
    times = [f"{page.reading} min to read"]
    if page.minutes:
        times.append(f"{max(1, round(page.minutes)):,} min to compute")
    return (
        f'<a class="gallery-card" href="executed/{page.name}.html">'
        f"{image(page)}"
        f"<strong>{html.escape(page.title)}</strong>"
        f"<small>{' · '.join(filter(None, [page.place, *times]))}</small>"
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


def parts(app: Sphinx) -> list[tuple[str, list[Page]]]:
    """Return the parts of the table of contents with their pages that have a main figure.

    Those in which most pages put claims to the test come first.
    """
    found = [
        (caption, [page for page in pages if "<svg" in page.lead]) for caption, pages in app.pages
    ]
    found = [(caption, pages) for caption, pages in found if pages]
    return sorted(found, key=lambda part: 2 * sum(bool(p.verdicts) for p in part[1]) < len(part[1]))


class Gallery(SphinxDirective):
    """``{gallery}``: all cards, by the parts of the table of contents."""

    def run(self) -> list[nodes.Node]:
        shown = "".join(
            f'<p class="gallery-part">{html.escape(caption)}</p>'
            f'<div class="gallery">{"".join(map(card, pages))}</div>'
            for caption, pages in parts(self.env.app)
        )
        return [nodes.raw("", PLAYGROUND + shown, format="html")]


class Picture(SphinxDirective):
    """``{picture} NAME``: the main figure of a page, at full width."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        [page] = [
            p for _, pages in self.env.app.pages for p in pages if p.name == self.arguments[0]
        ]
        return [nodes.raw("", f'<div class="gallery-picture">{image(page)}</div>', format="html")]


def stage(app: Sphinx) -> None:
    """Write the pictures to a folder of static files, before Sphinx collects those."""
    folder = Path(app.doctreedir) / "pictures"
    (folder / "gallery").mkdir(parents=True, exist_ok=True)
    for _, pages in parts(app):
        for page in pages:
            (folder / "gallery" / file(page)).write_text(picture(page), "utf8")
    app.config.html_static_path.append(str(folder))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.setup_extension("pages")
    app.connect("builder-inited", stage)
    app.add_directive("gallery", Gallery)
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
