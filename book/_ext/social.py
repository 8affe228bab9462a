"""What other sites show of a page that is linked to: its title, its question and its main figure.

A picture needs a public address. The workflow that publishes the book gives it, in the variable
``LAZYBOOK_SITE``; a book that is built without it names no address, and no pictures are drawn.
"""

import html
import io
import os
import textwrap
from pathlib import Path

from docutils import nodes
from matplotlib.figure import Figure
from matplotlib.image import imread
from sphinx.application import Sphinx

LONGEST = 200  # letters of a description
EMBLEM = "lazy_learning/fig1_two_clouds"  # whose figure stands for pages that have none
INCHES, DOTS = (12, 6.3), 100  # 1200 × 630 pixels, as such sites ask for


def site() -> str:
    """Return the address below which the book will be, or nothing."""
    return os.environ.get("LAZYBOOK_SITE", "").rstrip("/")


def draw(title: str, picture: bytes, target: Path) -> None:
    """Write a card with a title and a picture, both PNG files, to ``target``."""
    card = Figure(INCHES, dpi=DOTS, facecolor="white")
    look = {"x": 0.05, "color": "#222832"}
    lines = textwrap.fill(title, 19)
    card.text(y=0.87, s=lines, va="top", size=34, weight="bold", linespacing=1.3, **look)
    card.text(y=0.08, s="lazybook · learning with little synaptic plasticity", size=17, **look)
    axes = card.add_axes((0.5, 0.17, 0.46, 0.75))
    axes.imshow(imread(io.BytesIO(picture), format="png"))
    axes.set_axis_off()
    card.savefig(target)


def described(document: nodes.document) -> str:
    """Return the beginning of a page's first paragraph, which on most is its question."""
    paragraph = document.next_node(nodes.paragraph)
    text = " ".join(paragraph.astext().split()) if paragraph else ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rpartition(' ')[0]} …"


def tags(title: str, text: str, page: str, picture: str) -> str:
    """Return a page's tags as HTML; those with an address if there is one."""
    named = {"description": text, "twitter:card": "summary"}
    properties = {
        "og:site_name": "lazybook",
        "og:type": "article",
        "og:title": title,
        "og:description": text,
    }
    if site():
        named["twitter:card"] = "summary_large_image"
        properties |= {
            "og:url": f"{site()}/{page}.html",
            "og:image": f"{site()}/{picture}",
            "og:image:alt": f"A figure of the page “{title}”",
        }
    said = [("name", *tag) for tag in named.items()]
    said += [("property", *tag) for tag in properties.items()]
    return "".join(
        f'<meta {kind}="{name}" content="{html.escape(content)}">\n'
        for kind, name, content in said
        if content
    )


def add(app: Sphinx, page: str, template: str, context: dict, document: nodes.document) -> None:
    """Give a page its tags, and where they name it, its card."""
    if not document:  # the search, the index
        return
    title = document.next_node(nodes.title).astext()  # without its number
    picture = f"_images/cards/{page.replace('/', '-')}.png"
    if site():
        cards = {f"executed/{each.name}": each.card for _, pages in app.pages for each in pages}
        target = Path(app.outdir) / picture
        target.parent.mkdir(parents=True, exist_ok=True)
        draw(title, cards.get(page) or cards[f"executed/{EMBLEM}"], target)
    context["metatags"] += tags(title, described(document), page, picture)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.setup_extension("pages")
    app.connect("html-page-context", add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
