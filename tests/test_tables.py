"""Tables of pattern sets: computed once for each set, found again, and never half of one."""

import gzip
import json

import numpy as np
import pytest

from lazybook import perceptron
from lazybook.book import claims, notebook, pattern_sets, tables
from lazybook.book.claims import Finding
from lazybook.caching import SynapticCaching
from lazybook.errors import RecordError
from lazybook.support import paths


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Empty folders for what is kept and what is published."""
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(paths, "published", lambda: tmp_path / "results")
    return tmp_path


class Measure:
    """Two rows for each set; counts how often it is called."""

    def __init__(self):
        self.called = []

    def __call__(self, number):
        self.called.append(number)
        return [{"a": number / 3, "yes": True}, {"a": np.nan, "yes": False}]


def test_what_was_measured_is_found_again(kept):
    measure = Measure()
    first = tables.measured("trial", {"size": 3}, measure, [2, 1], jobs=2)
    assert sorted(measure.called) == [1, 2]
    again = tables.measured("trial", {"size": 3}, measure, [2, 1, 5])
    assert measure.called[2:] == [5]
    assert (first.computed, again.computed) == (2, 1)
    assert again.rows["set"].tolist() == [2, 2, 1, 1, 5, 5]
    assert again.rows[:4].equals(first.rows)  # to the last bit
    assert again.sets == [1, 2, 5]
    assert again.facts[0] == first.facts[0]
    assert {"commit", "machine", "compute_seconds", "date"} <= again.facts[0].keys()
    (kept / "runs").rename(kept / "results")
    assert tables.measured("trial", {"size": 3}, measure, [1]).computed == 0
    assert tables.measured("trial", {"size": 3}, measure, [1], fresh=True).computed == 1
    assert tables.measured("trial", {"size": 4}, measure, [1]).computed == 1
    assert tables.measured("other", {"size": 3}, measure, [1]).computed == 1


@pytest.mark.parametrize("damage", ["short", "changed", "no table", "empty"])
def test_a_damaged_table_is_computed_again(kept, damage):
    measure = Measure()
    good = tables.measured("trial", {}, measure, [1])
    [file] = (kept / "runs" / "tables").iterdir()
    contents = file.read_bytes()
    text = gzip.decompress(contents)
    assert json.loads(text.split(b"\n")[0])["dataset"] == "random patterns"
    file.write_bytes(
        {
            "short": contents[:-20],
            "changed": gzip.compress(text.replace(b"0.333", b"0.334")),
            "no table": b"what?",
            "empty": b"",
        }[damage]
    )
    again = tables.measured("trial", {}, measure, [1])
    assert again.computed == 1
    assert again.rows.equals(good.rows)
    assert tables.measured("trial", {}, measure, [1]).computed == 0


def test_where_nothing_can_be_kept(kept):
    (kept / "runs").write_text("a file")
    with pytest.raises((RecordError, ValueError), match="LAZYBOOK_RUNS"):
        tables.measured("trial", {}, Measure(), [1])


def test_costs_of_caching_for_sets(kept):
    settings = notebook.Settings(profile="smoke", jobs=1)
    chosen = {"any": [2, 5], "sum": [0.5]}
    table = pattern_sets.cached(settings, 40, [1, 3], chosen)
    assert len(table.rows) == 6
    run = perceptron.trajectory(pattern_sets.signed(40, 40, 3))
    rows = table.rows[table.rows["set"] == 3].set_index(["variant", "threshold"])
    for (variant, threshold), row in rows.iterrows():
        by = 41 if variant == "sum" else 1
        costs = run.cached(SynapticCaching(threshold * by, variant=variant, strict=True))
        assert {name: row[name] for name in vars(costs)} == vars(costs)
        assert (row["energy"], row["minimal"]) == (run.energy, run.minimal())


def test_provenance_tells_of_the_sets(kept):
    settings = notebook.Settings(profile="smoke", jobs=1)
    table = tables.measured("trial", {}, Measure(), [1, 2])
    told = notebook.provenance(settings, [], [table]).data
    assert "random patterns" in told
    assert "1, 2; 2 tables, 2 of them computed" in told
    assert "engine" not in told


def test_findings_have_to_cover_all_sets():
    def findings(*sets):
        return {"SC1d": [Finding("variance of the weights / K", "P = N", 1.0, n) for n in sets]}

    claims.check_cover(findings(1, 2), [], [1, 2])
    for sets in ((1,), (1, 2, 3), (1, 1)):
        with pytest.raises(LookupError, match="SC1d"):
            claims.check_cover(findings(*sets), [], [1, 2])
