"""The check of the built book sees what is missing; the book itself is checked by `make book`."""

import re
import runpy
import sys

import pytest
from bs4 import BeautifulSoup
from matplotlib.colors import to_hex

from lazybook.book import claims, figures, notebook
from lazybook.book.checks import check
from lazybook.book.figures import ROOT
from lazybook.book.plotting import RULES, shade

PAGE = (
    '<html><link href="{up}style.css"><script src="{up}code.js"></script>'
    '<article><img src="{up}picture.png">{text}</article></html>'
)
FIGURE = '<figure id="fig-one"><svg><path d="M0 0"/></svg></figure> and <a href="../intro.html">on'


@pytest.fixture
def book(tmp_path):
    """A whole book of two pages, one of them a notebook with a figure."""
    files = {
        "book/_toc.yml": "root: intro\nparts:\n- chapters:\n  - file: executed/one\n",
        "notebooks/one.py": 'plotting.show(figure, name="fig-one", caption="")\n',
        "_build/html/style.css": "",
        "_build/html/code.js": "",
        "_build/html/picture.png": "",
        "_build/html/intro.html": PAGE.format(
            up="", text="Hello <a href='executed/one.html#fig-one'>"
        ),
        "_build/html/executed/one.html": PAGE.format(up="../", text=FIGURE),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def problems(book):
    return check(book / "_build/html", book / "book/_toc.yml", book / "notebooks")


def status(book, monkeypatch):
    """What the check as `make book` runs it exits with, were it in the folder ``book``."""
    monkeypatch.setattr(figures, "ROOT", book)
    monkeypatch.setattr(figures, "SOURCES", book / "notebooks")
    monkeypatch.delitem(sys.modules, "lazybook.book.checks")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("lazybook.book.checks", run_name="__main__")
    return ended.value.code


def test_a_whole_book_has_no_problems(book, monkeypatch, capsys):
    assert problems(book) == []
    assert status(book, monkeypatch) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("widths", "fit"),
    [((188, 188, 188), True), ((190.8, 190.8, 190.8), False), ((290, 284), False)],
)
def test_panels_stand_side_by_side(book, widths, fit):
    drawings = "".join(f'<svg width="{width}pt"><path d="M0 0"/></svg>' for width in widths)
    figure = f'Three: <figure class="lazybook-figure" id="fig-wide">{drawings}</figure>'
    (book / "_build/html/intro.html").write_text(PAGE.format(up="", text=figure))
    assert (problems(book) == []) is fit


def test_code_and_drawings_may_have_dollars(book):
    text = "<pre>$a$</pre><code>$b$</code><svg><!-- $c$ --></svg>"
    (book / "_build/html/intro.html").write_text(PAGE.format(up="", text=text))
    assert problems(book) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "problem"),
    [
        ("_build/html/executed/one.html", "<path d=", "<p d=", "executed/one: no figure fig-one"),
        ("_build/html/executed/one.html", "fig-one", "fig-two", "executed/one: no figure fig-one"),
        ("_build/html/executed/one.html", FIGURE, "", "executed/one: the page is empty"),
        ("_build/html/intro.html", "#fig-one", "#fig-1", "an anchor that is not there"),
        ("_build/html/intro.html", "one.html", "two.html", "which is not there"),
        ("_build/html/intro.html", "style.css", "https://example.org/s.css", "from elsewhere"),
        ("_build/html/intro.html", "Hello", "Hello $M_0$", "intro: not set as a formula: $M_0$"),
        ("_build/html/intro.html", "style.css", "//example.org/s.css", "from elsewhere"),
        ("_build/html/intro.html", "picture.png", "drawing.png", "drawing.png, which is not there"),
        ("_build/html/intro.html", "picture.png", "//example.org/p.png", "from elsewhere"),
        ("_build/html/intro.html", "code.js", "more.js", "refers to more.js, which is not there"),
        ("_build/html/intro.html", "code.js", "https://example.org/c.js", "from elsewhere"),
        ("_build/html/intro.html", "executed/one.html", "executed", "which is not there"),
        ("_build/html/intro.html", "executed/one.html", "../../page.html", "which is not there"),
        (
            "_build/html/intro.html",
            "executed/one.html",
            "_static/x.html",
            "anchor that is not there",
        ),
        ("book/_toc.yml", "executed/one", "method", "method: no such page"),
        ("book/_toc.yml", "executed/one", "intro", "executed/one: not in the table of contents"),
    ],
)
def test_a_problem_is_seen(book, monkeypatch, capsys, name, before, after, problem):
    for other in ("page.html", "_build/html/_static/x.html"):  # no pages of the book
        (book / other).parent.mkdir(exist_ok=True)
        (book / other).write_text('<p id="fig-one">')
    path = book / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    assert any(problem in found for found in problems(book))
    assert status(book, monkeypatch) == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [f"error: {found}" for found in problems(book)]


def test_a_page_that_was_not_built_is_seen(book):
    (book / "_build/html" / "executed" / "one.html").unlink()
    assert "executed/one: no such page" in problems(book)


def test_links_to_other_sites_are_fine(book):
    page = book / "_build/html" / "intro.html"
    page.write_text(page.read_text().replace("executed/one.html#fig-one", "https://example.org"))
    assert problems(book) == []


def test_the_introduction_shows_the_colours_of_the_figures():
    css = (ROOT / "book" / "_static" / "lazybook.css").read_text()
    shown = dict(re.findall(r"\.swatch\.([\w-]+) \{\s*background: (#\w+);", css))
    colours = {rule.replace(" & ", "-"): colour for rule, colour in RULES.items()}
    assert shown | {"all": RULES["all"]} == colours
    ends = re.search(r"\.swatch\.shades \{\s*background: linear-gradient\(to right, (.*)\);", css)
    assert ends[1].split(", ") == [to_hex(shade("every-sample", n, [0, 1])) for n in (0, 1)]


@pytest.mark.parametrize(
    "table",
    [
        claims.table(claims.verdicts("paper")),
        notebook.provenance(notebook.Settings(profile="smoke"), []).data,
    ],
    ids=["verdicts", "provenance"],
)
def test_tables_are_reached_by_the_keyboard_and_can_be_read_aloud(table):
    page = BeautifulSoup(table, "html.parser")
    assert page.table.find_parent(tabindex="0")["aria-label"]
    for head in page.find_all("th"):
        assert head["scope"] in ("col", "row")
        assert head.get_text(strip=True)
    for row in page.tbody.find_all("tr"):
        assert row.find("th", scope="row")


def test_a_table_stays_a_table():
    """A table that is displayed as a block is none any more for those who have it read aloud.

    But for one that names the roles of all its parts.
    """
    page = BeautifulSoup(claims.table(claims.verdicts("paper")[:1]), "html.parser")
    assert all(part.get("role") for part in page.select("table, thead, tbody, tr, th, td"))
    css = (ROOT / "book" / "_static" / "lazybook.css").read_text()
    for selector, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        assert not (
            re.search(r"table(?!\.verdicts)", selector)
            and re.search(r"display:\s*(block|flex|grid)", rules)
        )
