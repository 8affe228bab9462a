"""Every page of the built book, as readers see it: light, dark, on a phone and printed."""

import pytest

from lazybook.book.checks import HTML, listed

pytestmark = pytest.mark.browser

PAGES = listed()
LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {
        "color_scheme": "light",
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
    },
    "print": {"color_scheme": "light", "viewport": {"width": 720, "height": 1000}},
}
HEAVIEST = 3e6  # bytes of a page with all that it loads when it is opened, but formulas' script
# Drawings that should be seen and have no size; and pictures that did not load.
UNSEEN = """() => [
  ...document.querySelectorAll('figure.lazybook-figure svg, main img, main canvas')]
  .filter((node) => node.checkVisibility())
  .filter((node) => {
    const { width, height } = node.getBoundingClientRect();
    return !(width > 0 && height > 0) || (node.tagName === 'IMG' && !node.naturalWidth);
  }).map((node) => node.outerHTML.slice(0, 200))"""
LOAD_PICTURES = """() => Promise.all([...document.querySelectorAll('main img')]
  .filter((image) => image.checkVisibility())
  .map((image) => { image.loading = 'eager'; return image.decode(); }))"""
# What stands out of the page, and is not in a box of its own that scrolls.
STANDS_OUT = """() => {
  const scrolls = (node) => node && (
    ['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(node).overflowX)
    || scrolls(node.parentElement));
  const within = document.querySelector('article');
  return [...within.querySelectorAll('*')]
    .filter((node) => node.checkVisibility()
      && node.getBoundingClientRect().right > innerWidth + 1 && !scrolls(node.parentElement))
    .map((node) => node.outerHTML.slice(0, 200));
}"""


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_all_is_there_and_in_sight(visit, name, look):
    opened = visit(name, **LOOKS[look])
    page = opened.page
    if look == "print":
        page.emulate_media(media="print")
    loaded = [path for path in opened.files if "mathjax" not in path.parts]
    assert sum(path.stat().st_size for path in loaded) < HEAVIEST
    page.evaluate(LOAD_PICTURES)  # those further down come when a reader gets there
    assert page.evaluate(UNSEEN) == []
    theme = page.evaluate("document.documentElement.dataset.theme")
    assert theme == ("dark" if look == "dark" else "light")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    if look == "phone":
        assert page.evaluate(STANDS_OUT) == []


# Rules of axe-core that are not asked for, and why.
EXEMPT = {
    "region": "the theme's logo stands outside of its landmarks",
    "empty-table-header": "the corner of a table with heads of rows and of columns is empty",
}
EXEMPT_OF_BIBLIOGRAPHY = {
    "aria-allowed-role": "docutils gives the entries roles",
    "aria-deprecated-role": "which were given up since",
    "aria-required-children": "and so are not taken for items of their list",
}


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_all_can_use_it(visit, name, look):
    """No violation of the rules of axe-core; in the dark, of those about colours."""
    from axe_playwright_python.sync_playwright import Axe

    page = visit(name, **LOOKS[look], reduced_motion="reduce").page
    exempt = EXEMPT | (EXEMPT_OF_BIBLIOGRAPHY if name == "bibliography" else {})
    options = {
        "resultTypes": ["violations"],
        "preload": False,  # of style sheets by requests, which a page from a file may not make
        "rules": {rule: {"enabled": False} for rule in exempt},
    }
    if look == "dark":
        options |= {"runOnly": ["color-contrast", "link-in-text-block"]}
    found = Axe().run(page, options=options).response["violations"]
    assert [
        (rule["id"], node["target"], node["failureSummary"])
        for rule in found
        for node in rule["nodes"]
    ] == []


def test_the_search_finds_a_word(visit):
    opened = visit("search", "?q=subnet")
    links = opened.page.locator("#search-results li a")
    links.first.wait_for()
    assert "executed/competitive_plasticity/fig2_masks.html" in " ".join(
        link.get_attribute("href") for link in links.all()
    )


def test_a_page_that_is_not_there_leads_to_the_first(visit):
    page = visit("404").page
    page.get_by_role("link").click()
    page.wait_for_url("**/intro.html")


def test_all_pages_are_looked_at():
    built = {path.relative_to(HTML).with_suffix("").as_posix() for path in HTML.rglob("*.html")}
    assert set(PAGES) <= built
