"""Every page of the built book, as readers see it: light, dark, on a phone and printed."""

import io

import pytest
from matplotlib.image import imread

from lazybook.book.checks import HTML, listed

pytestmark = pytest.mark.browser

PAGES = listed()
DESK = {"width": 1400, "height": 1000}
# A page is opened once and looked at in one way after another, as by readers who switch the light
# off, turn their phone and print: theme, width and medium change while it is open.
LOOKS = {
    "light": ({"color_scheme": "light"}, DESK),
    "dark": ({"color_scheme": "dark"}, DESK),
    "phone": ({"color_scheme": "light"}, {"width": 390, "height": 844}),
    "small phone": ({"color_scheme": "light"}, {"width": 320, "height": 568}),
    "print": ({"color_scheme": "light", "media": "print"}, {"width": 720, "height": 1000}),
}
HEAVIEST = 3e6  # bytes of a page with all that it ever loads, but formulas' script
LOAD_PICTURES = """() => Promise.all([...document.querySelectorAll('main img')]
  .filter((image) => image.checkVisibility())
  .map((image) => { image.loading = 'eager'; return image.decode(); }))"""
# Drawings that should be seen and have no size; and pictures that did not load.
UNSEEN = """() => [
  ...document.querySelectorAll('figure.lazybook-figure svg, main img, main canvas')]
  .filter((node) => node.checkVisibility())
  .filter((node) => {
    const { width, height } = node.getBoundingClientRect();
    return !(width > 0 && height > 0) || (node.tagName === 'IMG' && !node.naturalWidth);
  }).map((node) => node.outerHTML.slice(0, 200))"""
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
# Rows of a table are alike, and axe-core takes minutes for thousands of them.
SHORTEN = "document.querySelectorAll('tr:nth-child(n + 101)').forEach((row) => row.remove())"
PAINTED = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
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


@pytest.mark.parametrize("name", PAGES)
def test_all_is_there_in_sight_and_for_everyone(visit, name):
    """Nothing is missing, stands out of the page or violates a rule of axe-core, in any look."""
    opened = visit(name, reduced_motion="reduce")
    page, wrong = opened.page, {}
    for look in LOOKS:
        size = put_on(page, look)
        page.evaluate(LOAD_PICTURES)  # those further down come when a reader gets there
        found = page.evaluate(UNSEEN)
        if look != "print":
            found += page.evaluate(STANDS_OUT)
        width = page.evaluate("document.scrollingElement.scrollWidth")
        if width > size["width"]:
            found.append(f"{width} pixels wide")
        if found:
            wrong[look] = found
    weight = sum(path.stat().st_size for path in opened.files if "mathjax" not in path.parts)
    if weight > HEAVIEST:
        wrong["weight"] = weight
    page.evaluate(SHORTEN)
    for look in ("light", "dark"):
        put_on(page, look)
        if found := violations(page, name, look):
            wrong[f"axe-core, {look}"] = found
    assert wrong == {}


def put_on(page, look: str) -> dict[str, int]:
    """Let a page have a look; return the size of the window."""
    media, size = LOOKS[look]
    page.set_viewport_size(size)
    page.emulate_media(**{"media": "screen"} | media)
    page.wait_for_function(
        "theme => document.documentElement.dataset.theme === theme", arg=media["color_scheme"]
    )
    page.evaluate(PAINTED)
    return size


def violations(page, name: str, look: str) -> list[tuple]:
    """Return what axe-core finds; in the dark it is asked about the colours."""
    from axe_playwright_python.sync_playwright import Axe  # of an extra; other tests do without

    exempt = EXEMPT | (EXEMPT_OF_BIBLIOGRAPHY if name == "bibliography" else {})
    options = {
        "resultTypes": ["violations"],
        "preload": False,  # of style sheets by requests, which a page from a file may not make
        "rules": {rule: {"enabled": False} for rule in exempt},
    }
    if look == "dark":
        options |= {"runOnly": ["color-contrast", "link-in-text-block"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        (rule["id"], node["target"], node["failureSummary"])
        for rule in found
        for node in rule["nodes"]
    ]


def test_a_picture_of_the_gallery_has_the_colours_of_the_page(visit):
    """Also where the reader has chosen light or dark against what the system says."""
    page = visit("intro", color_scheme="light").page
    picture = page.locator(".gallery-card[href*=fig2_mnist] img")
    picture.scroll_into_view_if_needed()
    page.evaluate(LOAD_PICTURES)

    def brightness() -> tuple[float, float]:
        drawn = imread(io.BytesIO(picture.screenshot()), format="png")[..., :3]
        return float(drawn.min()), float(drawn.max())

    darkest, lightest = brightness()
    assert darkest < 0.35 and lightest > 0.95
    while page.evaluate("document.documentElement.dataset.theme") != "dark":
        page.locator("button.theme-switch-button:visible").first.click()
    page.evaluate(PAINTED)
    darkest, lightest = brightness()
    assert darkest < 0.15 and 0.7 < lightest < 0.9


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
