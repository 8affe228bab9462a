"""The book is printed by a browser; what is missing is named."""

import pytest

from lazybook.book import pdf
from lazybook.errors import LazybookError


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<title>A page</title><p>Mistakes only.</p>", "utf-8")
    return page


@pytest.mark.skipif(not pdf.browser(), reason="there is no browser")
def test_a_page_is_printed(page, tmp_path):
    target = tmp_path / "book.pdf"
    target.write_bytes(b"of yesterday")
    pdf.write(page, target)
    assert target.read_bytes().startswith(b"%PDF-")


def test_the_browser_is_asked_for_the_page_and_for_no_network(page, tmp_path, monkeypatch):
    browser, target = tmp_path / "chromium", tmp_path / "book.pdf"
    browser.write_text(
        "#!/bin/sh\n"
        'for given; do case "$given" in --print-to-pdf=*) to="${given#*=}";; esac; done\n'
        'echo "%PDF- $@" > "$to"\n'
    )
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    pdf.write(page, target)
    asked = target.read_text()
    assert asked.startswith("%PDF-") and asked.split()[-1] == page.as_uri()
    assert "--headless" in asked and "MAP * ~NOTFOUND" in asked


def test_without_a_page_or_a_browser_it_says_what_is_missing(page, tmp_path, monkeypatch):
    target = tmp_path / "book.pdf"
    with pytest.raises(LazybookError, match="no page"):
        pdf.write(tmp_path / "other.html", target)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LazybookError, match="install one of: chromium"):
        pdf.write(page, target)


def test_a_browser_that_prints_nothing_is_an_error(page, tmp_path, monkeypatch):
    browser = tmp_path / "chromium"
    browser.write_text("#!/bin/sh\necho no display >&2\nexit 3\n")
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(LazybookError, match="printed nothing: no display"):
        pdf.write(page, tmp_path / "book.pdf")
