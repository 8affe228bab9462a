"""Is the built book whole? ``python -m lazybook.book.checks`` lists what is missing.

A builder can exit without an error and leave a page or a figure out. So every page of the table of
contents, every notebook, every figure that a notebook names and every target of a link is looked
for in the HTML, panels have to fit beside each other, nothing may be loaded from another site, and
formulas must not show as `$…$`.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup

from lazybook.book.figures import ROOT, SOURCES, notebooks

HTML = ROOT / "_build" / "html"
CONTENTS = ROOT / "book" / "_toc.yml"
PANELS = (189, 285)  # points: as wide as a panel can be for three, or two, to stand side by side


def check(html: Path = HTML, contents: Path = CONTENTS, sources: Path = SOURCES) -> list[str]:
    """Return what is wrong with the built book, one line each; empty if it is whole.

    Parameters
    ----------
    html: folder of the built pages.
    contents: the table of contents ``_toc.yml``.
    sources: folder of the notebooks.
    """
    pages = {
        path.relative_to(html).with_suffix("").as_posix(): BeautifulSoup(
            path.read_text(encoding="utf8"), "html.parser"
        )
        for path in html.rglob("*.html")
        if "_static" not in path.parts
    }
    in_contents = listed(contents)
    problems = []
    for page in in_contents:
        if page not in pages:
            problems.append(f"{page}: no such page")
        elif not _text(pages[page]):
            problems.append(f"{page}: the page is empty")
    for path in notebooks(sources).values():
        page = f"executed/{path.relative_to(sources).with_suffix('').as_posix()}"
        if page not in in_contents:
            problems.append(f"{page}: not in the table of contents")
        for name in re.findall(r'name="(fig-[\w-]+)"', path.read_text(encoding="utf8")):
            if page in pages and not _drawn(pages[page], name):
                problems.append(f"{page}: no figure {name}")
    for page in pages:
        problems += [f"{page}: {problem}" for problem in _too_wide(pages[page])]
        problems += [f"{page}: {problem}" for problem in _bad_references(html, page, pages)]
        problems += [f"{page}: not set as a formula: {text}" for text in _raw_formulas(pages[page])]
    return list(dict.fromkeys(problems))  # the navigation repeats itself


def listed(contents: Path = CONTENTS) -> list[str]:
    """Return the pages that the table of contents names, in its order."""
    return list(_listed(yaml.safe_load(contents.read_text(encoding="utf8"))))


def _listed(entry: object) -> Iterator[str]:
    """Yield the pages named anywhere in a table of contents."""
    if isinstance(entry, list):
        for item in entry:
            yield from _listed(item)
    elif isinstance(entry, dict):
        for key, value in entry.items():
            if key in ("root", "file"):
                yield value
            else:
                yield from _listed(value)


def _text(page: BeautifulSoup) -> str:
    article = page.find("article")
    return article.get_text(strip=True) if article else ""


def _drawn(page: BeautifulSoup, name: str) -> bool:
    """Whether the figure is there and has lines in it."""
    figure = page.find("figure", id=name)
    return figure is not None and figure.find(["path", "img", "image"]) is not None


def _too_wide(page: BeautifulSoup) -> Iterator[str]:
    """Yield the figures of several panels that are a little too wide to stand side by side."""
    for figure in page.find_all("figure", class_="lazybook-figure"):
        drawings = figure.find_all("svg")
        for drawing in drawings if len(drawings) > 1 else []:
            width = float(drawing["width"].removesuffix("pt"))
            if any(share < width < 1.1 * share for share in PANELS):
                yield f"{figure['id']}: a panel is {width:g} pt wide; two need 285, three 189"


def _raw_formulas(page: BeautifulSoup) -> Iterator[str]:
    """Yield the formulas that show as they were written; code and drawings may have dollars."""
    formula = re.compile(r"\$[^$\n]+\$")
    for text in page.find_all(string=formula):
        if not text.find_parent(["pre", "code", "script", "svg"]):
            yield formula.search(text)[0]


def _bad_references(html: Path, page: str, pages: dict[str, BeautifulSoup]) -> Iterator[str]:
    """Yield what a page refers to and is not there, or would be loaded from elsewhere."""
    for tag, attribute in (
        ("a", "href"),
        ("link", "href"),
        ("script", "src"),
        ("img", "src"),
        ("iframe", "src"),
    ):
        for node in pages[page].find_all(tag, {attribute: True}):
            reference = node[attribute]
            url = urlsplit(reference)
            if url.scheme or url.netloc:
                if tag != "a" and url.scheme != "data":
                    yield f"loads {reference} from elsewhere"
                continue
            target = (html / page).parent / unquote(url.path) if url.path else html / f"{page}.html"
            target = target.resolve()
            if not (target.is_file() and target.is_relative_to(html.resolve())):
                yield f"refers to {reference}, which is not there"
            elif url.fragment and target.suffix == ".html":
                other = pages.get(target.relative_to(html.resolve()).with_suffix("").as_posix())
                anchor = unquote(url.fragment)
                if not (other and (other.find(id=anchor) or other.find(attrs={"name": anchor}))):
                    yield f"refers to {reference}, an anchor that is not there"


def main() -> int:
    """Print the problems of the built book; return 1 if there are any."""
    problems = check()
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
