"""Claims are well stated, and verdicts follow from what was measured."""

import hashlib
import json
import math
import os
import re
from dataclasses import asdict, replace
from importlib.resources import files
from types import SimpleNamespace

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
    UNDECIDED,
    Claim,
    Finding,
    Measure,
    judge,
)
from lazybook.book.strips import strip
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
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
    text = (files("lazybook.book") / "claims.yaml").read_text("utf8")
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


MET_NOTE = "Cost: 0.5, as claimed (< 1). Gain: 2.5, as claimed (≥ 2 and ≤ 3)."


@pytest.mark.parametrize(
    ("findings", "word", "note"),
    [
        ([], NOT_MEASURED, ""),
        (both(), REPRODUCED, MET_NOTE),
        (both() + both(condition="H = 2"), REPRODUCED, MET_NOTE),
        (both(cost=2, gain=1), NOT_REPRODUCED, "Cost: 2, not < 1. Gain: 1, not ≥ 2 and ≤ 3."),
        (both(cost=2), PARTLY, "Cost: 2, not < 1."),
        (both() + both(gain=5, condition="H = 2"), PARTLY, "not ≥ 2 and ≤ 3 for H = 2."),
        (both()[:1], REPRODUCED, "Not measured: gain."),
        (both(gain=math.nan), REPRODUCED, "Not measured: gain, H = 1: no value."),
        (both(cost=math.inf), PARTLY, "Cost: never, not < 1."),
        (
            [Finding("cost", "all", math.nan, missing="no data set")],
            NOT_TESTABLE,
            "Not measured: all: no data set; gain.",
        ),
        (
            [*both(), Finding("gain", "H = 2", math.nan, missing="no data set")],
            REPRODUCED,
            "Not measured: H = 2: no data set.",
        ),
    ],
)
def test_verdicts(findings, word, note):
    verdict = judge(CLAIM, findings)
    assert verdict.word == word
    assert note in verdict.note
    assert verdict.claim is CLAIM


@pytest.mark.parametrize(
    ("costs", "state"),
    [
        ((0.5, 0.6, 0.7), "met"),
        ((1.5, 1.6, 1.7), "failed"),
        ((0.5, 0.9, 1.2), "undecided"),  # the mean is below 1, its interval is not
        ((0.8, 1.1, 1.4), "undecided"),
        ((0.5,), "met"),
        ((1.0,), "failed"),  # the bound itself is not below it
        ((0.5, math.nan, 0.6, 0.7), "undecided"),  # what would be met, but for a seed
        ((1.5, math.nan, 1.6, 1.7), "failed"),
        ((0.5, math.inf), "undecided"),  # one seed got there, the other never did
        ((1.5, math.inf), "failed"),
        ((math.inf, math.inf), "failed"),
    ],
)
def test_a_cell_is_decided_by_its_interval(costs, state):
    findings = [Finding("cost", "H = 1", value, seed) for seed, value in enumerate(costs)]
    (judged,) = judge(CLAIM, findings).judged
    assert judged.state == state
    words = {"met": REPRODUCED, "failed": NOT_REPRODUCED, "undecided": UNDECIDED}
    assert judge(CLAIM, findings).word == words[state]


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=6), st.floats(0.2, 5))
def test_met_and_failed_exclude_each_other(values, bound):
    findings = [Finding("cost", "H = 1", value, seed) for seed, value in enumerate(values)]
    for measure, other in (({"below": bound}, {"at_least": bound}),):
        states = []
        for bounds in (measure, other):
            claim = replace(CLAIM, measures=(Measure("cost", log=True, **bounds),))
            states.append(judge(claim, findings).judged[0].state)
        opposite = {"met": "failed", "failed": "met", "undecided": "undecided"}
        assert states[1] == opposite[states[0]]


def test_intervals_of_positive_ratios_are_those_of_logarithms():
    claim = replace(CLAIM, measures=(Measure("cost", below=1, log=True),))
    values = [0.1, 1.0, 10.0]
    findings = [Finding("cost", "H = 1", value, seed) for seed, value in enumerate(values)]
    (judged,) = judge(claim, findings).judged
    half = stats.t.ppf(0.975, 2) * stats.sem(np.log(values))
    assert judged.mean == pytest.approx(1)
    assert judged.interval == pytest.approx((np.exp(-half), np.exp(half)))
    assert judged.interval[0] > 0
    turned = [Finding("cost", "H = 1", 1 / value, seed) for seed, value in enumerate(values)]
    (other,) = judge(claim, turned).judged
    assert other.interval == pytest.approx([1 / end for end in judged.interval[::-1]])


def test_what_is_beyond_the_paper_is_shown_and_does_not_count():
    measures = (
        Measure("cost", below=1, core=("condition 1",)),
        Measure("gain", at_least=2, beyond=True),
    )
    claim = replace(CLAIM, measures=measures)
    findings = [
        Finding("cost", "condition 1", 0.5),
        Finding("cost", "condition 2", 5.0),
        Finding("gain", "condition 1", 0.0),
    ]
    verdict = judge(claim, findings)
    assert verdict.word == REPRODUCED
    assert [(j.state, j.core) for j in verdict.judged] == [
        ("met", True),
        ("failed", False),
        ("failed", False),
    ]
    assert "beyond the paper" in claims.table([verdict])
    assert judge(claim, findings[1:]).word == NOT_MEASURED


def test_a_corrected_claim_is_judged_as_it_was_before_too():
    before = claims.Correction("misread", "It is dear.", (Measure("cost", above=1),))
    claim = replace(CLAIM, before=before)
    verdict = judge(claim, both())
    assert verdict.word == REPRODUCED
    assert claims.before(verdict, both()) == NOT_REPRODUCED


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=10))
def test_means_and_intervals_are_those_of_student(values):
    findings = [Finding("cost", "H = 1", value, seed) for seed, value in enumerate(values)]
    (judged,) = judge(CLAIM, findings).judged
    mean, error = np.mean(values), stats.sem(values)
    assert judged.mean == pytest.approx(mean)
    assert (judged.state == "met") == (judged.interval[1] < 1)
    expected = stats.t.interval(0.95, len(values) - 1, mean, error) if error else (mean, mean)
    assert judged.interval == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((math.inf, math.inf), "never"),
        ((28.0, 45.0, 30.4, math.inf), "3 of 4 seeds, 28 to 45"),
        ((0.5, math.nan), "1 of 2 seeds, 0.5"),
        ((1.0, 1.0), "1 (all seeds)"),
        ((-0.5,), "\N{MINUS SIGN}0.5"),
        ((12345.0,), "12,345"),
        ((90.0,), "90"),
        ((97.24,), "97.2"),
        ((99.168,), "99.17"),
        ((99.99999,), "100"),
    ],
)
def test_how_values_are_shown(values, shown):
    findings = [Finding("cost", "H = 1", value, n) for n, value in enumerate(values)]
    (judged,) = judge(CLAIM, findings).judged
    assert claims.values([judged]) == f"H\N{NBSP}=\N{NBSP}1:\N{NBSP}{shown}"


@pytest.mark.parametrize(
    ("costs", "shown"),
    [
        ([(0.5, 0.5)], "0.5 (all seeds)"),
        ([(0.5,), (0.2,), (0.3,)], "0.2 to 0.5"),
        ([(0.5, 0.5), (0.2, 0.2)], "0.2 to 0.5 [0.2, 0.5]"),
        ([(0.5,), (math.inf,)], "0.5, or never"),
        ([(math.inf,), (math.inf,)], "never"),
    ],
)
def test_what_a_measure_came_to_spans_all_conditions(costs, shown):
    findings = [
        Finding("cost", f"H = {size}", value, seed)
        for size, values in enumerate(costs)
        for seed, value in enumerate(values)
    ]
    assert claims.spanned(judge(CLAIM, findings).judged) == shown


def test_a_table_of_all_claims_has_the_commands():
    command = "make book PROFILE=smoke ONLY=page"
    assert command in claims.table([judge(CLAIM, both())], profile="smoke")
    assert "make book" not in claims.table([judge(CLAIM, both())])


def test_only_sizes_are_not_said_again():
    conditions = ("H = 100", "H = 200", "per layer, H = 100", "for each class", "for each sample")
    findings = [Finding("cost", condition, 0.5) for condition in conditions]
    told = claims.values(judge(CLAIM, findings).judged).replace("\N{NBSP}", " ")
    assert told == (
        "H = 100: 0.5, 200: 0.5, per layer, H = 100: 0.5, for each class: 0.5, for each sample: 0.5"
    )


def test_conditions_that_differ_in_the_size_alone_are_told_as_one():
    conditions = ("95 %, H = 100", "95 %, H = 1,000", "H = 100, 1/10", "H = 100, 1/20", "batches")
    findings = [Finding("cost", condition, 5) for condition in conditions]
    findings += [Finding("cost", "H = 1", 0.5)]
    note = judge(CLAIM, findings).note
    assert "for 95 %, H = 100, 1,000; H = 100, 1/10; H = 100, 1/20; batches." in note


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


LL5_MEASURE = "largest M(lazy) / M(backprop) above 90 %"
LL5_NOTEBOOK = claims.claims()["LL5"].notebook


def verdict_on_ll5(profile="smoke"):
    return next(v for v in claims.verdicts(profile) if v.claim.id == "LL5")


def test_findings_are_kept_by_profile_and_by_notebook(folders):
    found = [Finding(LL5_MEASURE, "H = 100", 0.5), Finding(LL5_MEASURE, "H = 200", 1.5)]
    claims.record("smoke", LL5_NOTEBOOK, {"LL5": found})
    words = {verdict.claim.id: verdict.word for verdict in claims.verdicts("smoke")}
    assert words["LL5"] == PARTLY
    assert set(words) == set(claims.claims())
    assert {word for key, word in words.items() if key != "LL5"} == {NOT_MEASURED}
    assert {verdict.word for verdict in claims.verdicts("quick")} == {NOT_MEASURED}

    claims.record("smoke", LL5_NOTEBOOK, {"LL5": found[:1]})  # replaces what it found before
    assert verdict_on_ll5().word == REPRODUCED


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
    found = Finding(LL5_MEASURE, "H = 100", **finding)
    path = claims.record("smoke", LL5_NOTEBOOK, {"LL5": [found]})
    assert "NaN" not in path.read_text("utf8")  # which is no JSON, as Infinity is none
    assert "Infinity" not in path.read_text("utf8")
    verdict = verdict_on_ll5()
    assert str(verdict) == f"LL5 {word}"
    assert len(verdict.instead) == bool(found.stand_in)


def test_ones_own_findings_go_before_the_published_ones(folders, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("LAZYBOOK_RUNS", str(folders / "published"))
        claims.record("paper", LL5_NOTEBOOK, {"LL5": [Finding(LL5_MEASURE, "H = 100", 2.0)]})
    assert verdict_on_ll5("paper").word == NOT_REPRODUCED
    claims.record("paper", LL5_NOTEBOOK, {"LL5": [Finding(LL5_MEASURE, "H = 100", 0.5)]})
    assert verdict_on_ll5("paper").word == REPRODUCED


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"LL99": [Finding("x", "y", 1.0)]}, "no claim 'LL99'; choose from: LL1, "),
        ({"LL5": [Finding("accuracy", "y", 1.0)]}, "LL5 has no measure 'accuracy'"),
        *(
            ({"LL5": [Finding(LL5_MEASURE, "y", value)]}, f"is {value!r}; it must be a number")
            for value in (None, "1", True, -math.inf)
        ),
        *(
            ({"LL5": [Finding(LL5_MEASURE, "y", 1.0, seed)]}, f"seed is {seed!r}")
            for seed in (-1, 0.0, "0", True)
        ),
        ({"LL5": [Finding(LL5_MEASURE, None, 1.0)]}, "condition is None; it must be text"),
    ],
)
def test_what_the_claims_do_not_have_is_refused(folders, found, message):
    with pytest.raises(InvalidValue, match=re.escape(message)):
        claims.record("smoke", "one", found)
    assert not (folders / "own").exists()


FINDING = {
    "measure": LL5_MEASURE,
    "condition": "",
    "value": 1.0,
    "seed": None,
    "missing": "",
    "stand_in": "",
}
WRONG = [
    "",
    '{"LL5": [',
    "[]",
    "\x00\xff",
    json.dumps({"LL99": [FINDING]}),
    json.dumps({"LL5": [FINDING | {"measure": "another"}]}),
    json.dumps({"LL5": [FINDING | {"value": "1"}]}),
    json.dumps({"LL5": [FINDING | {"value": None}]}),
    json.dumps({"LL5": [FINDING | {"value": [1]}]}),
    json.dumps({"LL5": [FINDING | {"condition": ["H", 1]}]}),
    json.dumps({"LL5": [FINDING | {"seed": {}}]}),
    json.dumps({"LL5": [FINDING | {"strange": 1}]}),
    json.dumps({"LL5": [{"measure": "cost"}]}),
    json.dumps({"LL5": [1]}),
    json.dumps({"LL5": 1}),
    json.dumps({"LL1": [FINDING | {"measure": claims.claims()["LL1"].measures[0].name}]}),
]


@pytest.mark.parametrize("contents", WRONG)
def test_wrong_findings_are_named_and_passed_over(folders, contents):
    path = claims.record("smoke", LL5_NOTEBOOK, {})
    path.write_text(contents, "latin1")
    other = claims.claims()["CP1"]
    good = Finding(other.measures[0].name, "all", 1.0)
    claims.record("smoke", other.notebook, {"CP1": [good]})
    with pytest.warns(claims.OldFindings) as caught:
        words = {verdict.claim.id: verdict.word for verdict in claims.verdicts("smoke")}
    assert (words["LL5"], words["CP1"]) == (NOT_MEASURED, REPRODUCED)
    [message] = [str(warning.message) for warning in caught]
    assert str(path) in message
    assert message.endswith("run the notebook fig2_mnist again")


def test_a_pipe_in_place_of_findings_is_not_waited_for(folders):
    path = claims.record("smoke", LL5_NOTEBOOK, {})
    path.unlink()
    os.mkfifo(path)
    with pytest.warns(claims.OldFindings, match="is not a file"):
        assert verdict_on_ll5().word == NOT_MEASURED


def test_published_findings_are_whole():
    """Each claim is measured, by its notebook, with values that can be judged."""
    folder = paths.repository() / "results" / "claims" / "paper"
    found = {key for path in folder.glob("*.json") for key in claims.read(path)}
    assert found == set(claims.claims())


def test_criteria_do_not_move():
    """A criterion is fixed before the runs: to move one is to change this digest, and say why."""
    criteria = {
        key: [asdict(measure) for measure in claim.measures]
        for key, claim in claims.claims().items()
    }
    digest = hashlib.sha256(json.dumps(criteria, sort_keys=True).encode()).hexdigest()
    changelog = (paths.repository() / "CHANGELOG.md").read_text("utf8")
    assert f"criteria {digest[:16]}" in changelog


def run(hidden=100, seed=0, **fields):
    return SimpleNamespace(experiment=Experiment(hidden=hidden, seed=seed, **fields))


SIZES, SEEDS = (100, 200, 300), (0, 1)
PLACES = [(size, seed) for size in SIZES for seed in SEEDS]
WHOLE = [run(*place) for place in PLACES]


def found_at(*places, measure=LL5_MEASURE):
    return {"LL5": [Finding(measure, f"H = {size}", 0.5, seed) for size, seed in places]}


def test_findings_that_cover_their_sweep_are_taken():
    claims.check_cover(found_at(*PLACES), WHOLE)
    claims.check_cover({"LL5": [Finding(LL5_MEASURE, "all sizes", 0.5)]}, WHOLE)  # of means
    claims.check_cover({"LL5": [Finding(LL5_MEASURE, "x", math.nan, missing="why")]}, [])
    # The largest networks have fewer seeds.
    claims.check_cover(found_at(*PLACES, (400, 0)), [*WHOLE, run(400, 0)])


def test_runs_that_come_after_others_with_their_seeds_are_of_one_kind():
    after = [run(size, seed, after=Experiment(hidden=size, seed=seed)) for size, seed in PLACES]
    claims.check_cover(found_at(*PLACES), after)
    with pytest.raises(LookupError):
        claims.check_cover(found_at(*PLACES[::2]), after)


@given(st.sets(st.sampled_from(PLACES), min_size=1))
def test_findings_that_leave_out_a_size_or_a_seed_are_refused(kept):
    seeds = {size: {seed for other, seed in kept if other == size} for size, _ in kept}
    gap = {100, 300} == set(seeds)
    if all(each == set(SEEDS) for each in seeds.values()) and not gap:
        claims.check_cover(found_at(*kept), WHOLE)  # about large, or about small networks
    else:
        with pytest.raises(LookupError, match=r"LL5: .*; the runs have"):
            claims.check_cover(found_at(*kept), WHOLE)


def test_a_run_that_counts_twice_is_refused():
    with pytest.raises(LookupError):
        claims.check_cover(found_at((100, 0), (100, 1), (100, 1)), WHOLE[:2])


def test_the_table_shows_each_verdict_with_its_link():
    html = claims.table([judge(CLAIM, both(cost=2))], link="../").replace("\N{NBSP}", " ")
    assert '<a href="../paper/page.html#fig-x">X1</a>' in html
    assert "It is cheap &amp; fast." in html
    assert '<span class="verdict verdict-partly">partly</span>' in html
    assert "<small>cost (&lt; 1)</small>" in html
    assert html.count("<tr") == html.count("</tr>") == 2
    assert 'href="#claim-X1"' in claims.glance([judge(CLAIM, both())])
    assert 'id="claim-X1"' in html


def test_a_strip_has_a_dot_for_each_cell_within_its_frame():
    findings = [
        *(finding for size in (1, 2, 30) for finding in both(condition=f"H = {size}")),
        *(Finding("cost", "H = 1", 5.0, seed) for seed in (1, 2)),
        Finding("cost", "H = 40", math.inf),
    ]
    verdict = judge(CLAIM, findings)
    cells = [j for j in verdict.judged if j.measure.name == "cost"]
    drawn = strip(cells)
    states = re.findall(r'class="cell-(\w+)" cx="([-\d.]+)"', drawn)
    assert [state for state, _ in states] == [j.state for j in cells]
    assert all(0 <= float(place) <= 150 for _, place in states)
    assert drawn.count("whisker") == sum(j.interval is not None for j in cells) == 1
    assert 'aria-label="2 met, 1 failed, 1 undecided"' in drawn


def test_an_unknown_profile_is_refused():
    with pytest.raises(InvalidValue, match="profile is 'fast'; choose from: smoke, quick, paper"):
        claims.verdicts("fast")
