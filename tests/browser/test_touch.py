"""Figures that are touched, and tables that are sorted and filtered, in the built book."""

import csv
import json
import re

import pytest

from lazybook.book.checks import listed

pytestmark = pytest.mark.browser
PAGE = "executed/lazy_learning/fig2_mnist"


@pytest.fixture
def figure(visit):
    """The first figure of a page, and the numbers that go with it."""
    figure = visit(PAGE).page.locator("figure.lazybook-figure").first
    numbers = json.loads(figure.locator('script[type="application/json"]').text_content())
    return figure, numbers


def place(figure, series, index):
    """Return where a point is on the screen."""
    return figure.locator(".panel > svg").first.evaluate(
        "(svg, [x, y]) => { const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());"
        " return [at.x, at.y]; }",
        [series["px"][index], series["py"][index]],
    )


def test_a_value_is_told_under_the_pointer(figure):
    figure, [panel, *_] = figure
    figure.scroll_into_view_if_needed()
    series = panel["series"][-1]
    index = len(series["x"]) // 2
    tip = figure.locator(".figure-tip")
    assert not tip.is_visible()
    figure.page.mouse.move(*place(figure, series, index))
    assert tip.is_visible()
    said = tip.text_content()
    assert series["name"] in said and panel["axes"][0]["x"] in said
    assert f"{series['x'][index]:.4g}" in said
    figure.page.mouse.move(0, 0)
    assert not tip.is_visible()


def test_values_are_read_by_keys(figure):
    figure, [panel, *_] = figure
    figure.get_by_role("button", name="Read values").focus()
    figure.page.keyboard.press("Enter")
    said = figure.locator("output")
    assert said.text_content().startswith(panel["series"][0]["name"])
    before = said.text_content()
    figure.page.keyboard.press("ArrowRight")
    assert said.text_content() != before
    figure.page.keyboard.press("ArrowLeft")
    assert said.text_content() == before
    figure.page.keyboard.press("ArrowDown")
    assert said.text_content().startswith(panel["series"][1]["name"])


def test_a_legends_entry_hides_what_it_stands_for_and_shows_it_again(figure):
    figure, [panel, *_] = figure
    key = panel["keys"][0]
    entry = figure.locator(f"[id='{figure.get_attribute('id')}-0-{key['id']}']")
    parts = [
        figure.locator(f"[id='{figure.get_attribute('id')}-0-{name}-{part}']")
        for name in key["series"]
        for part in range(2)
    ]
    assert all(part.evaluate("node => node.style.display") == "" for part in parts)
    entry.dispatch_event("click")
    assert all(part.evaluate("node => node.style.display") == "none" for part in parts)
    assert "off" in entry.get_attribute("class")
    entry.dispatch_event("click")
    assert all(part.evaluate("node => node.style.display") == "" for part in parts)


def test_the_file_has_all_values(figure):
    figure, panels = figure
    with figure.page.expect_download() as download:
        figure.get_by_role("button", name="CSV").click()
    with download.value.path().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [
        (series["name"], x, y)
        for panel in panels
        for series in panel["series"]
        for x, y in zip(series["x"], series["y"], strict=True)
    ]
    assert [(row["series"], float(row["x"]), float(row["y"])) for row in rows] == told


def test_a_figure_says_what_makes_it(figure):
    figure, _ = figure
    profile = figure.page.locator("table.provenance[data-profile]").get_attribute("data-profile")
    command = f"make book PROFILE={profile} ONLY=fig2_mnist"
    assert figure.get_by_role("button", name=command).is_visible()


def test_the_atlas_is_sorted_and_filtered(visit):
    page = visit("executed/atlas").page
    rows = page.locator("table.filtered tbody tr")
    number = rows.count()
    page.get_by_label("Only those with").fill("subnet:100 mistakes")
    seen = page.locator("table.filtered tbody tr:visible").all_inner_texts()
    assert 0 < len(seen) < number
    assert all("subnet:100" in row and "mistakes" in row for row in seen)
    head = page.locator("table.filtered th", has_text="M0")
    values = "cells => cells.map(cell => Number(cell.querySelector('data').value))"
    column = page.locator("table.filtered tbody tr:visible td:nth-child(5)")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    ascending = column.evaluate_all(values)
    assert ascending == sorted(ascending)
    head.get_by_role("button").click()
    assert column.evaluate_all(values) == sorted(ascending, reverse=True)


@pytest.mark.parametrize(
    ("link", "says"),
    [('a[href*="bibliography.html#"]', "preprint|arXiv|doi"), ("a:has(> .std-term)", r"\w+ .*\.$")],
    ids=["citation", "term"],
)
def test_a_citation_and_a_term_tell_what_they_mean(visit, link, says):
    """By their title under the pointer, and below on the page for those who use the keyboard."""
    page = visit("executed/energy_per_bit/bridge").page
    links = page.locator(f"article {link}")
    assert links.count() > 0
    for each in links.all():
        assert re.search(says, each.get_attribute("title"))
    page.keyboard.press("Tab")
    links.first.focus()
    shown = links.first.evaluate("node => getComputedStyle(node, '::after').content")
    assert json.loads(shown) == links.first.get_attribute("title")


def test_the_table_of_pages_has_them_all_and_is_sorted_by_minutes(visit):
    page = visit("executed/trust").page
    links = page.locator("table.pages th a").evaluate_all("links => links.map(link => link.href)")
    assert len(links) == sum(name.startswith("executed/") for name in listed())
    page.locator("table.pages").get_by_role("button", name="minutes").click()
    minutes = page.locator("table.pages td:nth-child(3) data").evaluate_all(
        "cells => cells.map(cell => Number(cell.value))"
    )
    assert len(minutes) > 1 and minutes == sorted(minutes)
