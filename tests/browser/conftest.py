"""A browser without a network, which opens pages from files and notes what goes wrong on them."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from lazybook.book import pdf
from lazybook.book.checks import HTML

CHROMIUM = pdf.browser()
LOCAL = ("file", "data", "blob", "about")
LONGEST = 120_000  # milliseconds that anything may take, on a machine that does other things too


@pytest.fixture(scope="session")
def browser():
    """Chromium, for the whole session; who asks for these tests has to have it."""
    from playwright.sync_api import sync_playwright  # of an extra; other tests do without

    assert CHROMIUM, "there is no Chromium; apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


class Opened:
    """A page that was opened; ``page`` is Playwright's.

    Attributes
    ----------
    problems: errors in the console or of scripts, and requests that leave this machine.
    files: what the page loaded.
    """

    def __init__(self, browser, path: Path, fragment: str = "", **look) -> None:
        look = {"viewport": {"width": 1400, "height": 1000}} | look
        self.context = browser.new_context(offline=True, **look)
        self.context.set_default_timeout(LONGEST)
        self.page = self.context.new_page()
        self.problems: list[str] = []
        self.files: set[Path] = set()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", self._request)
        self.page.goto(path.as_uri() + fragment)

    def _console(self, message) -> None:
        if message.type == "error":
            self.problems.append(message.text)

    def _request(self, request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in LOCAL:
            self.problems.append(f"asks for {request.url}")
        if url.scheme == "file":
            self.files.add(Path(unquote(url.path)))


@pytest.fixture
def visit(browser):
    """A function to open a page of the built book, ``intro``; options are those of a context."""
    opened = []

    def visit(name: str, fragment: str = "", **look) -> Opened:
        path = HTML / f"{name}.html"
        assert path.is_file(), f"there is no page {name}; make book"
        opened.append(Opened(browser, path, fragment, **look))
        return opened[-1]

    yield visit
    for page in opened:
        page.context.close()
        assert not page.problems
