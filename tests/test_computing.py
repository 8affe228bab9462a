"""What the paper profile takes from scratch, added up from the records."""

import json
from dataclasses import replace

import pytest

from lazybook.book import computing
from lazybook.experiment import grid, preset
from lazybook.support import paths
from lazybook.sweep import sweep


@pytest.fixture
def swept(monkeypatch, tmp_path):
    """Three seeds that took 1, 2 and 3 seconds."""
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path))
    small = preset("lazy", dataset="two-clouds", hidden=2, epochs=1, engine="reference")
    done = sweep(grid(small, seed=[0, 1, 2]), jobs=1)
    runs = [
        replace(run, provenance=run.provenance | {"compute_seconds": seconds})
        for run, seconds in zip(done.runs, (1.0, 2.0, 3.0), strict=True)
    ]
    return replace(done, runs=runs)


def test_a_run_that_two_pages_share_counts_once(swept):
    first, second = computing.spent(swept.runs[:2]), computing.spent(swept.runs[1:])
    found = computing.totals({"one": first, "other": second})
    assert found == {
        "one": {"runs": 2, "seconds": {"reference": 3}},
        "other": {"runs": 2, "seconds": {"reference": 5}},
        "all": {"runs": 3, "seconds": {"reference": 6}},
    }


def test_what_a_page_made_of_its_sweeps_does_not_count(swept):
    values = [swept, "sweep", swept.runs, None, swept]
    assert len(json.loads(computing.as_json(values))) == 3
    assert computing.as_json([]) == "{}"


def test_the_pages_table_is_what_was_published():
    page = (paths.SOURCE / "book" / "rerun.md").read_text("utf8")
    for row in computing.rows(computing.published()):
        assert row in page
