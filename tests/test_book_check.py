"""The check of the built book sees what is missing; the book itself is checked by `make book`."""

import re

import pytest

from lazybook.book.checks import check
from lazybook.book.figures import ROOT
from lazybook.book.plotting import RULES
from lazybook.gates import GATES

PAGE = '<html><link href="{up}style.css"><article>{text}</article></html>'
FIGURE = '<figure id="fig-one"><svg><path d="M0 0"/></svg></figure> and <a href="../intro.html">on'


@pytest.fixture
def book(tmp_path):
    """A whole book of two pages, one of them a notebook with a figure."""
    files = {
        "_toc.yml": "root: intro\nparts:\n- chapters:\n  - file: executed/one\n",
        "notebooks/one.py": 'plotting.show(figure, name="fig-one", caption="")\n',
        "html/style.css": "",
        "html/intro.html": PAGE.format(up="", text="Hello <a href='executed/one.html#fig-one'>"),
        "html/executed/one.html": PAGE.format(up="../", text=FIGURE),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def problems(book):
    return check(book / "html", book / "_toc.yml", book / "notebooks")


def test_a_whole_book_has_no_problems(book):
    assert problems(book) == []


def test_code_and_drawings_may_have_dollars(book):
    text = "<pre>$a$</pre><code>$b$</code><svg><!-- $c$ --></svg>"
    (book / "html/intro.html").write_text(PAGE.format(up="", text=text))
    assert problems(book) == []


@pytest.mark.parametrize(
    ("name", "before", "after", "problem"),
    [
        ("html/executed/one.html", "<path d=", "<p d=", "executed/one: no figure fig-one"),
        ("html/executed/one.html", "fig-one", "fig-two", "executed/one: no figure fig-one"),
        ("html/executed/one.html", FIGURE, "", "executed/one: the page is empty"),
        ("html/intro.html", "#fig-one", "#fig-1", "an anchor that is not there"),
        ("html/intro.html", "one.html", "two.html", "which is not there"),
        ("html/intro.html", "style.css", "https://example.org/s.css", "from elsewhere"),
        ("html/intro.html", "Hello", "Hello $M_0$", "intro: not set as a formula: $M_0$"),
        ("html/intro.html", "style.css", "//example.org/s.css", "from elsewhere"),
        ("_toc.yml", "executed/one", "method", "method: no such page"),
        ("_toc.yml", "executed/one", "intro", "executed/one: not in the table of contents"),
    ],
)
def test_a_problem_is_seen(book, name, before, after, problem):
    path = book / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    assert any(problem in found for found in problems(book))


def test_a_page_that_was_not_built_is_seen(book):
    (book / "html" / "executed" / "one.html").unlink()
    assert "executed/one: no such page" in problems(book)


def test_links_to_other_sites_are_fine(book):
    page = book / "html" / "intro.html"
    page.write_text(page.read_text().replace("executed/one.html#fig-one", "https://example.org"))
    assert problems(book) == []


def test_the_introduction_shows_the_colours_of_the_figures():
    css = (ROOT / "book" / "_static" / "lazybook.css").read_text()
    shown = dict(re.findall(r"\.swatch\.([\w-]+) \{\s*background: (#\w+);", css))
    assert shown == {str(gate()): RULES[str(gate())] for gate in GATES}
