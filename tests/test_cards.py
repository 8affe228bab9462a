"""What is said of pages elsewhere: in the table of all pages, and where they are linked to."""

import base64
import io
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup
from docutils.core import publish_doctree
from matplotlib.figure import Figure
from matplotlib.image import imread

from lazybook.book import figures, notebook
from lazybook.book.notebook import Settings
from lazybook.experiment import Experiment
from lazybook.sweep import sweep

sys.path.append(str(figures.ROOT / "book" / "_ext"))
import pages
import social

SITE = "https://someone.example/lazybook"


def png() -> bytes:
    picture = io.BytesIO()
    figure = Figure((2, 1))
    figure.add_subplot().plot([0, 1])
    figure.savefig(picture, format="png")
    return picture.getvalue()


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page with a run, a figure, an answer and two cells, of which one is compared."""
    monkeypatch.setattr(pages, "BOOK", tmp_path)
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "runs"))
    experiment = Experiment(dataset="two-clouds", hidden=3, epochs=1)
    table = notebook.provenance(Settings(profile="smoke"), [sweep([experiment], jobs=1)]).data
    new = nbformat.v4
    outputs = [
        new.new_output("display_data", {"text/html": table}),
        new.new_output(
            "display_data",
            {"application/papermill.record/image/png": base64.b64encode(png()).decode()},
            metadata={"scrapbook": {"name": "card"}},
        ),
    ]
    written = new.new_notebook(
        cells=[
            new.new_markdown_cell("# Less is more · Fig. 2\n\nHow much is enough?"),
            new.new_code_cell("show()", outputs=outputs),
            new.new_code_cell("# NBVAL_CHECK_OUTPUT\nprint(1)"),
        ]
    )
    (tmp_path / "executed" / "paper").mkdir(parents=True)
    nbformat.write(written, tmp_path / "executed" / "paper" / "less.ipynb")
    return pages.Page("paper/less")


def test_a_page_tells_how_it_was_made(page):
    assert (page.title, page.place) == ("Less is more", "Fig. 2")
    assert page.made["profile"] == "smoke"
    assert page.card == png()
    row = BeautifulSoup(page.row("../"), "html.parser")
    assert row.a["href"] == "../executed/paper/less.html"
    said = dict(zip(pages.HEADS[1:], [cell.get_text() for cell in row.find_all("td")], strict=True))
    assert said["machine"] == page.made["machine"]
    assert said["compared cells"] == "1"
    assert page.made["commits"].startswith(said["commit"])
    assert page.made["computed"].endswith(said["last run"])


@pytest.mark.parametrize("site", ["", SITE, f"{SITE}/"])
def test_addresses_are_named_where_the_site_has_one(monkeypatch, site):
    monkeypatch.setenv("LAZYBOOK_SITE", site)
    head = BeautifulSoup(
        social.tags("Less & more", 'What is "enough"?', "paper/less", "_images/less.png"),
        "html.parser",
    )
    said = {tag.get("name") or tag["property"]: tag["content"] for tag in head.find_all("meta")}
    assert said["og:title"] == "Less & more"
    assert said["description"] == said["og:description"] == 'What is "enough"?'
    assert ("://" in str(head)) is bool(site)
    assert said.get("og:url") == (f"{SITE}/paper/less.html" if site else None)
    assert said.get("og:image") == (f"{SITE}/_images/less.png" if site else None)


def test_a_card_has_the_size_that_sites_ask_for(tmp_path):
    social.draw("A long title, which has to be broken into lines", png(), tmp_path / "card.png")
    drawn = imread(tmp_path / "card.png")
    assert drawn.shape[:2] == (630, 1200)
    assert drawn[:, :600, :3].min() < 0.3  # the title
    assert drawn[:, 600:, :3].min() < 0.3  # the picture
    assert (drawn[:, -20:, :3] == 1).all()  # neither is cut


def test_a_page_is_described_by_its_beginning():
    assert social.described(publish_doctree("Title\n=====\n\nHow much\nis enough?\n\nMore.\n")) == (
        "How much is enough?"
    )
    long = social.described(publish_doctree("word " * 100))
    assert len(long) <= social.LONGEST and long.endswith("word …")
