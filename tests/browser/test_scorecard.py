"""The table of all claims can be filtered, and read on a phone."""

import pytest

pytestmark = pytest.mark.browser

ROWS = "table.verdicts tbody tr"


def shown(page) -> list[tuple[str, str]]:
    """Return paper and verdict of the claims in sight."""
    return page.locator(f"{ROWS}:visible").evaluate_all(
        "rows => rows.map((row) => [row.dataset.paper, row.dataset.verdict])"
    )


def test_claims_are_filtered_by_paper_and_verdict(visit):
    page = visit("executed/scorecard").page
    every = shown(page)
    papers, verdicts = ({row[place] for row in every} for place in (0, 1))
    assert len(papers) > 1 and len(verdicts) > 1
    for paper in papers:
        page.locator(".filter [name=paper]").select_option(paper)
        for verdict in verdicts:
            page.locator(".filter [name=verdict]").select_option(verdict)
            expected = [row for row in every if row == [paper, verdict]]
            assert shown(page) == expected
            said = page.locator(".filter output").text_content()
            assert said == f"{len(expected)} of {len(every)}"
    page.evaluate("location.hash = document.querySelector('table.verdicts tbody tr[hidden]').id")
    page.wait_for_function("!document.querySelector('table.verdicts tbody tr[hidden]')")
    assert shown(page) == every


def test_without_scripts_all_are_shown(visit):
    page = visit("executed/scorecard", java_script_enabled=False).page
    assert page.locator(".filter").count() == 0
    assert page.locator(f"{ROWS}:visible").count() == page.locator(ROWS).count() > 0


def test_a_page_of_a_figure_has_no_filter(visit):
    page = visit("executed/lazy_learning/fig1_two_clouds").page
    assert page.locator(ROWS).count() > 0
    assert page.locator(".filter").count() == 0


@pytest.mark.parametrize("width", [320, 390])
def test_a_claim_fits_a_phone(visit, width):
    page = visit("executed/scorecard", viewport={"width": width, "height": 844}).page
    box = page.locator(".scrolling:has(table.verdicts)")
    assert box.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert page.get_by_role("table").get_by_role("row").count() >= page.locator(ROWS).count()


def test_a_claim_leads_to_its_figure_and_gives_the_command(visit):
    page = visit("executed/scorecard", permissions=["clipboard-read", "clipboard-write"]).page
    row = page.locator("#claim-LL5")
    command = row.locator("button.command")
    assert command.text_content().endswith(" ONLY=fig2_mnist")
    command.click()
    row.locator("output", has_text="copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == command.text_content()
    row.get_by_role("link", name="Figure").click()
    page.wait_for_url("**/lazy_learning/fig2_mnist.html#fig-mnist-energy")
    assert page.locator("figure#fig-mnist-energy").is_visible()


def test_what_was_measured_stands_beside_what_the_paper_has(visit):
    """For each measure: the means and their interval, the strip, and all numbers in a fold."""
    rows = visit("executed/scorecard").page.locator(ROWS)
    for row in rows.all():
        assert row.locator(".theirs").text_content()
        for measure in row.locator(".measure").all():
            assert measure.locator("b").text_content()
            assert measure.locator("svg.strip").count() == measure.locator("details").count() == 1
