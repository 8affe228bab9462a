"""The papers' claims, put to the test.

``claims.yaml`` states each claim, what is measured, and the bounds within which a measurement
bears it out. A notebook measures and records its findings; verdicts are computed from these, here
and nowhere else.
"""

import html
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import yaml
from scipy import stats

from lazybook.errors import InvalidValue, RecordError, check_one_of
from lazybook.support import paths

PROFILES = ("smoke", "quick", "paper")
REPRODUCED, PARTLY, NOT_REPRODUCED, NOT_TESTABLE, NOT_MEASURED = (
    "reproduced",
    "partly",
    "not reproduced",
    "not testable here",
    "not measured",
)


@dataclass(frozen=True)
class Measure:
    """One thing to measure, and the bounds that a claim sets to it.

    A bound is None where there is none; ``above`` and ``below`` must not be met exactly.
    """

    name: str
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies within the bounds."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    @property
    def criterion(self) -> str:
        """The bounds in signs, for example ``≥ 0.5 and < 1``."""
        if self.at_least is not None and self.at_least == self.at_most:
            return f"= {self.at_least:g}"
        signs = {"at_least": "≥", "above": ">", "at_most": "≤", "below": "<"}
        bounds = ((sign, getattr(self, name)) for name, sign in signs.items())
        return " and ".join(f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)


@dataclass(frozen=True)
class Claim:
    """A claim of a paper, as ``claims.yaml`` has it."""

    id: str
    paper: str
    place: str
    statement: str
    value: str
    notebook: str
    figure: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class Finding:
    """One measured value: of which measure, under which condition, from which seed.

    ``value`` is nan where the measure has no value; a time or a cost until something is inf if it
    never came about, and so fails any upper bound. ``missing`` says why something could not be
    measured at all. ``stand_in`` names the data set that was measured instead of the claim's: such
    a finding is shown and not judged.
    """

    measure: str
    condition: str
    value: float
    seed: int = 0
    missing: str = ""
    stand_in: str = ""


@dataclass(frozen=True)
class Judged:
    """All seeds' values of one measure under one condition, and whether their mean holds.

    ``interval`` is the 95 % interval of the mean (Student's t), or None for a single seed or an
    infinite mean.
    """

    measure: Measure
    condition: str
    mean: float
    interval: tuple[float, float] | None
    holds: bool


@dataclass(frozen=True)
class Verdict:
    """What the measurements say of a claim; ``note`` names what does not hold or is missing.

    ``instead`` are measurements on a stand-in for the claim's data set, which the word ignores.
    """

    claim: Claim
    word: str
    note: str
    judged: tuple[Judged, ...]
    instead: tuple[Judged, ...] = ()

    def __str__(self) -> str:
        return f"{self.claim.id} {self.word}"


@cache
def claims() -> dict[str, Claim]:
    """Return all claims by their id, in the order of the file."""
    entries = yaml.safe_load((files("lazybook.book") / "claims.yaml").read_text("utf8"))
    return {
        key: Claim(id=key, **entry | {"measures": tuple(Measure(**m) for m in entry["measures"])})
        for key, entry in entries.items()
    }


def record(profile: str, notebook: str, findings: Mapping[str, Iterable[Finding]]) -> Path:
    """Keep what a notebook found, by claim; replaces what it found before in this profile.

    Raises InvalidValue for a claim or a measure that ``claims.yaml`` does not have.
    """
    kept = {key: list(found) for key, found in findings.items()}
    for key, found in kept.items():
        for finding in found:
            _check(key, finding)
    path = paths.runs() / "claims" / profile / f"{notebook.replace('/', '-')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(
        json.dumps({key: [vars(finding) for finding in found] for key, found in kept.items()})
    )
    temporary.replace(path)
    return path


def verdicts(profile: str) -> list[Verdict]:
    """Return the verdict on each claim, from what the notebooks recorded in ``profile``.

    Raises InvalidValue for an unknown profile and RecordError for a damaged file of findings.
    """
    check_one_of("profile", profile, PROFILES)
    found: dict[str, list[Finding]] = {key: [] for key in claims()}
    seen = set()
    for folder in (paths.runs(), paths.published()):
        for path in sorted(folder.glob(f"claims/{profile}/*.json")) if folder else []:
            if path.name in seen:
                continue  # one's own findings go before the published ones
            seen.add(path.name)
            try:
                for key, entries in json.loads(path.read_text()).items():
                    for entry in entries:
                        _check(key, finding := Finding(**entry))
                        found[key].append(finding)
            except (OSError, ValueError, TypeError, AttributeError) as error:
                raise RecordError(
                    f"findings {path} are damaged ({error}); delete the file and run the"
                    " notebook again"
                ) from None
    return [judge(claims()[key], findings) for key, findings in found.items()]


def judge(claim: Claim, findings: Iterable[Finding]) -> Verdict:
    """Return the verdict on ``claim``.

    Each measure is judged under each condition by the mean over seeds. All hold: reproduced. Some
    hold, or something was not measured: partly. None holds: not reproduced.
    """
    found = list(findings)
    missing = [f"{f.condition}: {f.missing}" for f in found if f.missing]
    judged, undefined = _grouped(claim, [f for f in found if not (f.missing or f.stand_in)])
    instead, _ = _grouped(claim, [f for f in found if f.stand_in and not f.missing])
    measured = {f.measure for f in found if not (f.missing or f.stand_in)}
    measures = {measure.name: measure for measure in claim.measures}
    unmeasured = [name for name in measures if name not in measured]
    absent = [*undefined, *(missing or unmeasured)]
    failing = [f"{j.condition}: {j.measure.name} is {j.mean:.3g}" for j in judged if not j.holds]

    if not judged:
        word = NOT_TESTABLE if missing else NOT_MEASURED
    elif len(failing) == len(judged):
        word = NOT_REPRODUCED
    elif failing or absent:
        word = PARTLY
    else:
        word = REPRODUCED
    notes = [f"fails for {'; '.join(failing)}"] * bool(failing)
    notes += [f"not measured: {'; '.join(absent)}"] * bool(missing or (absent and judged))
    return Verdict(claim, word, ". ".join(notes), tuple(judged), tuple(instead))


def table(found: Iterable[Verdict], link: str = "") -> str:
    """Return verdicts as an HTML table; ``link`` is put before the addresses of the figures."""
    rows = []
    for verdict in found:
        claim = verdict.claim
        measured = _measured(verdict.judged)
        if verdict.instead:
            measured += f"<br><em>On a stand-in, not judged:</em><br>{_measured(verdict.instead)}"
        badge = verdict.word.replace(" ", "-")
        place = f"{claim.paper.replace('-', ' ')}, {claim.place}"
        rows.append(
            f'<tr><td><a href="{link}{claim.notebook}.html#{claim.figure}">{claim.id}</a></td>'
            f"<td>{html.escape(claim.statement)}<br><small>{html.escape(place)}</small></td>"
            f"<td>{html.escape(claim.value)}</td><td>{measured}</td>"
            f'<td><span class="verdict verdict-{badge}">{verdict.word}</span>'
            f"<br><small>{html.escape(verdict.note)}</small></td></tr>"
        )
    head = "".join(f"<th>{name}</th>" for name in ("", "claim", "paper", "measured", "verdict"))
    return (
        f'<table class="verdicts"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def values(judged: Iterable[Judged]) -> str:
    """Return a measure's values under several conditions, with their intervals, in one line.

    What a condition has in common with the one before, but for its last word, is not said again:
    ``H = 100: 0.43, 200: 0.46``.
    """
    said, common = [], None
    for j in judged:
        begin, _, last = j.condition.rpartition(" ")
        condition = last if begin and begin == common else j.condition
        condition = condition.replace(" = ", "\N{NBSP}=\N{NBSP}")  # no line ends there
        interval = f" [{j.interval[0]:.3g}, {j.interval[1]:.3g}]" if j.interval else ""
        mean = "never" if j.mean == math.inf else f"{j.mean:.3g}"
        said.append(f"{condition}:\N{NBSP}{mean}{interval}")
        common = begin
    return ", ".join(said)


def _check(key: str, finding: Finding) -> None:
    """Raise InvalidValue unless ``finding`` is a value of a measure of the claim ``key``."""
    if key not in claims():
        raise InvalidValue(f"there is no claim {key!r}; choose from: {', '.join(claims())}")
    names = [measure.name for measure in claims()[key].measures]
    if finding.measure not in names:
        raise InvalidValue(f"claim {key} has no measure {finding.measure!r}; it has: {names}")
    if not isinstance(finding.value, int | float):
        raise InvalidValue(f"claim {key}: {finding.measure} is {finding.value!r}, not a number")


def _grouped(claim: Claim, findings: list[Finding]) -> tuple[list[Judged], list[str]]:
    """Judge each measure under each condition; also return what has no value."""
    measures = {measure.name: measure for measure in claim.measures}
    groups: dict[tuple[str, str], list[float]] = {}
    for finding in findings:
        condition = finding.condition
        if finding.stand_in:
            condition = f"{finding.stand_in}, {condition}"
        groups.setdefault((finding.measure, condition), []).append(finding.value)
    judged, undefined = [], []
    for (name, condition), found in groups.items():
        defined = np.array([value for value in found if not math.isnan(value)])
        if len(defined):
            judged.append(_judged(measures[name], condition, defined))
        else:
            undefined.append(f"{name}, {condition}: no value")
    return judged, undefined


def _measured(judged: Iterable[Judged]) -> str:
    """Return the values of each measure as HTML, a line each."""
    judged = list(judged)
    return "<br>".join(
        f"<small>{html.escape(f'{measure.name} ({measure.criterion})')}:</small>"
        f" {html.escape(values(j for j in judged if j.measure == measure))}"
        for measure in dict.fromkeys(j.measure for j in judged)
    )


def _judged(measure: Measure, condition: str, values: np.ndarray) -> Judged:
    mean = float(values.mean())
    interval = None
    if len(values) > 1 and math.isfinite(mean):
        half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
        interval = (mean - half, mean + half)
    return Judged(measure, condition, mean, interval, measure.holds(mean))
