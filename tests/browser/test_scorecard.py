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
            assert said == f"{len(expected)} of {len(every)} claims"
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


def test_a_claim_fits_a_phone(visit):
    page = visit("executed/scorecard", viewport={"width": 390, "height": 844}).page
    box = page.locator(".scrolling:has(table.verdicts)")
    assert box.evaluate("node => node.scrollWidth <= node.clientWidth")
    assert page.get_by_role("table").get_by_role("row").count() >= page.locator(ROWS).count()
