"""Claims are well stated, and verdicts follow from what was measured."""

import json
import math
import re
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lazybook.book import claims
from lazybook.book.claims import (
    NOT_MEASURED,
    NOT_REPRODUCED,
    NOT_TESTABLE,
    PARTLY,
    REPRODUCED,
    Claim,
    Finding,
    Measure,
    judge,
)
from lazybook.errors import InvalidValue, RecordError
from lazybook.support import paths

CLAIM = Claim(
    "X1", "a-paper", "Fig. 1", "It is cheap & fast.", "0.5", "paper/page", "fig-x",
    (Measure("cost", below=1), Measure("gain", at_least=2, at_most=3)),
)  # fmt: skip


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """An empty run store of one's own, and an empty published one."""
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "own"))
    monkeypatch.setattr(paths, "published", lambda: tmp_path / "published")
    return tmp_path


@pytest.mark.parametrize("claim", claims.claims().values(), ids=lambda claim: claim.id)
def test_a_claim_is_well_formed(claim):
    for field in (claim.paper, claim.place, claim.statement, claim.value):
        assert isinstance(field, str)
        assert field
    assert claim.measures
    names = [measure.name for measure in claim.measures]
    assert len(set(names)) == len(names)
    for measure in claim.measures:
        bounds = [measure.at_least, measure.at_most, measure.above, measure.below]
        assert any(isinstance(bound, int | float) for bound in bounds)
    notebook = paths.repository() / "notebooks" / f"{claim.notebook}.py"
    assert f'name="{claim.figure}"' in notebook.read_text("utf8")


def test_no_claim_is_stated_twice():
    text = (files("lazybook") / "claims.yaml").read_text("utf8")
    assert re.findall(r"^(\w+):", text, re.MULTILINE) == list(claims.claims())


@pytest.mark.parametrize(
    ("measure", "holding", "failing", "criterion"),
    [
        (Measure("m", at_least=1), [1, 2], [0.999], "≥ 1"),
        (Measure("m", at_most=1), [1, -2], [1.001], "≤ 1"),
        (Measure("m", above=1), [1.001], [1, 0], "> 1"),
        (Measure("m", below=1), [0.999], [1, 2], "< 1"),
        (Measure("m", at_least=0.5, below=1), [0.5, 0.9], [0.4, 1], "≥ 0.5 and < 1"),
        (Measure("m", at_least=0), [0], [-0.1], "≥ 0"),  # a bound of 0 is a bound
        (Measure("m", at_least=4, at_most=4), [4], [3.9, 4.1], "= 4"),
    ],
)
def test_bounds(measure, holding, failing, criterion):
    assert all(map(measure.holds, holding))
    assert not any(map(measure.holds, failing))
    assert not measure.holds(math.nan)
    assert measure.criterion == criterion


def both(cost=0.5, gain=2.5, condition="H = 1", seed=0) -> list[Finding]:
    return [Finding("cost", condition, cost, seed), Finding("gain", condition, gain, seed)]


@pytest.mark.parametrize(
    ("findings", "word", "note"),
    [
        ([], NOT_MEASURED, ""),
        (both(), REPRODUCED, ""),
        (both() + both(condition="H = 2"), REPRODUCED, ""),
        (both(cost=0.9) + both(cost=1.05, seed=1), REPRODUCED, ""),  # the mean counts
        (both(cost=2, gain=1), NOT_REPRODUCED, "fails for H = 1: cost is 2; H = 1: gain is 1"),
        (both(cost=2), PARTLY, "fails for H = 1: cost is 2"),
        (both() + both(gain=5, condition="H = 2"), PARTLY, "fails for H = 2: gain is 5"),
        (both()[:1], PARTLY, "not measured: gain"),
        (both(gain=math.nan), PARTLY, "not measured: gain, H = 1: no value"),
        (both() + both(gain=math.nan, seed=1), REPRODUCED, ""),  # of the seeds that have a value
        (both() + both(cost=math.inf, seed=1), PARTLY, "fails for H = 1: cost is inf"),
        (
            [Finding("cost", "all", math.nan, missing="no data set")],
            NOT_TESTABLE,
            "not measured: all: no data set",
        ),
        (
            [*both(), Finding("gain", "H = 2", math.nan, missing="no data set")],
            PARTLY,
            "not measured: H = 2: no data set",
        ),
    ],
)
def test_verdicts(findings, word, note):
    verdict = judge(CLAIM, findings)
    assert (verdict.word, verdict.note) == (word, note)
    assert verdict.claim is CLAIM


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=10))
def test_means_and_intervals_are_those_of_student(values):
    findings = [Finding("cost", "H = 1", value, seed) for seed, value in enumerate(values)]
    (judged,) = judge(CLAIM, findings).judged
    mean, error = np.mean(values), stats.sem(values)
    assert judged.mean == pytest.approx(mean)
    assert judged.holds == (mean < 1)
    expected = stats.t.interval(0.95, len(values) - 1, mean, error) if error else (mean, mean)
    assert judged.interval == pytest.approx(expected)


def test_what_never_came_about_has_no_interval_and_is_shown_as_never():
    findings = [Finding("cost", "H = 1", value, n) for n, value in enumerate([0.5, math.inf])]
    (judged,) = judge(CLAIM, findings).judged
    assert not judged.holds
    assert judged.interval is None
    assert claims.values([judged]).endswith(":\N{NBSP}never")


@pytest.mark.parametrize(
    ("findings", "word"),
    [
        ([], NOT_MEASURED),
        (both(), REPRODUCED),
        (both(cost=2), PARTLY),
        ([Finding("cost", "all", math.nan, missing="no data set")], NOT_TESTABLE),
    ],
)
def test_a_stand_in_is_shown_and_not_judged(findings, word):
    stand_ins = [
        Finding("cost", "H = 1", value, n, stand_in="Fashion") for n, value in [(0, 2), (1, 4)]
    ]
    alone, verdict = judge(CLAIM, findings), judge(CLAIM, [*stand_ins, *findings])
    assert alone.word == verdict.word == word
    assert (verdict.note, verdict.judged) == (alone.note, alone.judged)
    (instead,) = verdict.instead
    assert (instead.condition, instead.mean) == ("Fashion, H = 1", 3)
    note, shown = "On a stand-in, not judged:", "Fashion, H = 1: 3 ["
    for each, there in ((verdict, True), (alone, False)):
        html = claims.table([each]).replace("\N{NBSP}", " ")
        assert (note in html) is (shown in html) is there


def test_a_single_seed_has_no_interval():
    assert all(judged.interval is None for judged in judge(CLAIM, both()).judged)


def test_findings_are_kept_by_profile_and_by_notebook(folders):
    first = [Finding("largest M(lazy) / M(backprop) above 90 %", "H = 100", 0.5)]
    claims.record("smoke", "paper/one", {"LL5": first})
    claims.record("smoke", "paper/two", {"LL5": [Finding(first[0].measure, "H = 200", 1.5)]})
    words = {verdict.claim.id: verdict.word for verdict in claims.verdicts("smoke")}
    assert words["LL5"] == PARTLY
    assert set(words) == set(claims.claims())
    assert {word for key, word in words.items() if key != "LL5"} == {NOT_MEASURED}
    assert {verdict.word for verdict in claims.verdicts("quick")} == {NOT_MEASURED}

    claims.record("smoke", "paper/two", {"LL5": []})  # replaces what it found before
    (verdict,) = (v for v in claims.verdicts("smoke") if v.claim.id == "LL5")
    assert verdict.word == REPRODUCED


@pytest.mark.parametrize(
    ("finding", "word"),
    [
        ({"value": math.nan}, NOT_MEASURED),
        ({"value": math.inf}, NOT_REPRODUCED),
        ({"value": math.nan, "missing": "no data set"}, NOT_TESTABLE),
        ({"value": 0.5, "stand_in": "Fashion"}, NOT_MEASURED),
    ],
)
def test_what_is_no_number_survives_being_written(folders, finding, word):
    found = Finding("largest M(lazy) / M(backprop) above 90 %", "H = 100", **finding)
    claims.record("smoke", "one", {"LL5": [found]})
    (verdict,) = (v for v in claims.verdicts("smoke") if v.claim.id == "LL5")
    assert str(verdict) == f"LL5 {word}"
    assert len(verdict.instead) == bool(found.stand_in)


def test_ones_own_findings_go_before_the_published_ones(folders, monkeypatch):
    measure = "largest M(lazy) / M(backprop) above 90 %"
    with monkeypatch.context() as patch:
        patch.setenv("LAZYBOOK_RUNS", str(folders / "published"))
        claims.record("paper", "page", {"LL5": [Finding(measure, "H = 100", 2.0)]})
    assert claims.verdicts("paper")[4].word == NOT_REPRODUCED
    claims.record("paper", "page", {"LL5": [Finding(measure, "H = 100", 0.5)]})
    assert claims.verdicts("paper")[4].word == REPRODUCED


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"LL99": [Finding("x", "y", 1.0)]}, "no claim 'LL99'; choose from: LL1, "),
        ({"LL5": [Finding("accuracy", "y", 1.0)]}, "LL5 has no measure 'accuracy'"),
        ({"LL5": [Finding("largest M(lazy) / M(backprop) above 90 %", "y", None)]}, "is None"),
    ],
)
def test_what_the_claims_do_not_have_is_refused(folders, found, message):
    with pytest.raises(InvalidValue, match=re.escape(message)):
        claims.record("smoke", "one", found)
    assert not (folders / "own").exists()


LL5 = {"measure": "largest M(lazy) / M(backprop) above 90 %", "condition": "", "value": 1.0}


@pytest.mark.parametrize(
    "contents",
    [
        "",
        '{"LL5": [',
        "[]",
        "\x00\xff",
        json.dumps({"LL99": [LL5]}),
        json.dumps({"LL5": [LL5 | {"measure": "another"}]}),
        json.dumps({"LL5": [LL5 | {"value": "1"}]}),
        json.dumps({"LL5": [LL5 | {"strange": 1}]}),
        json.dumps({"LL5": [{"measure": "cost"}]}),
        json.dumps({"LL5": [1]}),
        json.dumps({"LL5": 1}),
    ],
)
def test_a_damaged_file_of_findings_is_named(folders, contents):
    path = claims.record("smoke", "one", {})
    path.write_text(contents, "latin1")
    with pytest.raises(RecordError) as caught:
        claims.verdicts("smoke")
    assert str(path) in str(caught.value)
    assert "delete the file" in str(caught.value)


def test_the_table_shows_each_verdict_with_its_link():
    html = claims.table([judge(CLAIM, both(cost=2))], link="../").replace("\N{NBSP}", " ")
    assert '<a href="../paper/page.html#fig-x">X1</a>' in html
    assert "It is cheap &amp; fast." in html
    assert '<span class="verdict verdict-partly">partly</span>' in html
    assert "<small>cost (&lt; 1):</small> H = 1: 2<br>" in html
    assert html.count("<tr>") == html.count("</tr>") == 2


def test_the_table_has_one_line_for_each_measure():
    findings = [
        *(finding for size in (1, 2, 30) for finding in both(condition=f"H = {size}")),
        *(Finding("cost", "H = 1", 0.7, seed) for seed in (1, 2)),
        Finding("gain", "<all>", 2.25),
    ]
    html = claims.table([judge(CLAIM, findings)]).replace("\N{NBSP}", " ")
    cells = re.findall(r"<td>(.*?)</td>", html)
    cost, gain = cells[3].split("<br>")
    assert cost == "<small>cost (&lt; 1):</small> H = 1: 0.633 [0.346, 0.92], 2: 0.5, 30: 0.5"
    assert gain == (
        "<small>gain (≥ 2 and ≤ 3):</small> H = 1: 2.5, 2: 2.5, 30: 2.5, &lt;all&gt;: 2.25"
    )


def test_an_unknown_profile_is_refused():
    with pytest.raises(InvalidValue, match="profile is 'fast'; choose from: smoke, quick, paper"):
        claims.verdicts("fast")
