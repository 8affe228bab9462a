"""The papers' claims, put to the test.

``claims.yaml`` states each claim, what is measured, and the bounds within which a measurement
bears it out. A notebook measures and records its findings; verdicts are computed from these, here
and nowhere else.
"""

import html
import json
import math
import os
import re
import warnings
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import yaml

from lazybook.errors import InvalidValue, LazybookWarning, RecordError, check_one_of
from lazybook.runs import Run
from lazybook.support import paths
from lazybook.support.numbers import is_number, is_whole
from lazybook.support.statistics import student_t

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

    Attributes
    ----------
    measure: its name in ``claims.yaml``.
    condition: such as ``H = 100``.
    value: nan where the measure has no value; a time or a cost until something is inf if it never
        came about, and so fails any upper bound.
    seed: of the run; None for a value that all seeds make together, as a ratio of means.
    missing: why something could not be measured at all.
    stand_in: the data set that was measured instead of the claim's: such a finding is shown and
        not judged.
    """

    measure: str
    condition: str
    value: float
    seed: int | None = None
    missing: str = ""
    stand_in: str = ""


@dataclass(frozen=True)
class Judged:
    """All seeds' values of one measure under one condition, and whether their mean holds.

    Attributes
    ----------
    interval: the 95 % interval of the mean (Student's t), or None for a single seed or an infinite
        mean.
    without: the seeds that have no value, which the mean leaves out.
    """

    measure: Measure
    condition: str
    mean: float
    interval: tuple[float, float] | None
    holds: bool
    without: tuple[int, ...] = ()


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


class OldFindings(LazybookWarning):
    """Findings of another version, or damaged ones: they are passed over."""


def record(profile: str, notebook: str, findings: Mapping[str, Iterable[Finding]]) -> Path:
    """Keep what a notebook found, by claim; replaces what it found before in this profile.

    Raises
    ------
    InvalidValue: a claim or a measure that ``claims.yaml`` does not have, or an impossible value.
    RecordError: the folder cannot be written.
    """
    kept = {key: list(found) for key, found in findings.items()}
    for key, found in kept.items():
        for finding in found:
            _check(key, finding)
    path = paths.runs() / "claims" / profile / f"{_file_name(notebook)}.json"
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    contents = {key: [_as_json(finding) for finding in found] for key, found in kept.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(contents, allow_nan=False), encoding="utf8")
        temporary.replace(path)
    except OSError as error:
        raise RecordError(
            f"findings cannot be written to {path.parent}: {error.strerror};"
            " name another folder in $LAZYBOOK_RUNS"
        ) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def found(profile: str) -> dict[str, list[Finding]]:
    """Return what the notebooks found in ``profile``, by claim; one's own go before published ones.

    A file that is damaged, or of another version of this package, is passed over with the warning
    `OldFindings`, which names the notebook to run again.

    Raises InvalidValue for an unknown profile.
    """
    check_one_of("profile", profile, PROFILES)
    collected: dict[str, list[Finding]] = {key: [] for key in claims()}
    for folder in filter(None, (paths.runs(), paths.published())):
        for path in sorted(folder.glob(f"claims/{profile}/*.json")):
            try:
                entries = read(path)
            except (OSError, ValueError) as error:
                warnings.warn(
                    f"findings {path} are passed over ({error}); run the notebook"
                    f" {path.stem.rpartition('-')[2]} again",
                    OldFindings,
                    stacklevel=2,
                )
                continue
            for key, several in entries.items():
                collected[key] = collected[key] or several
    return collected


def read(path: Path) -> dict[str, list[Finding]]:
    """Return the findings that a file holds, by claim.

    Raises OSError if it cannot be read, and ValueError (InvalidValue among them) if it is damaged
    or does not fit ``claims.yaml``.
    """
    if not path.is_file():  # a pipe would be waited for without end
        raise OSError(f"{path} is not a file")
    contents = json.loads(path.read_text(encoding="utf8"))
    if not isinstance(contents, dict):
        raise ValueError("it is no JSON object")
    entries = {}
    for key, several in contents.items():
        if not isinstance(several, list):
            raise ValueError(f"claim {key} has no list of findings")
        entries[key] = [_from_json(entry) for entry in several]
        for finding in entries[key]:
            _check(key, finding)
        if path.stem != _file_name(claims()[key].notebook):
            raise ValueError(f"claim {key} is measured by {claims()[key].notebook} now")
    return entries


def verdicts(profile: str) -> list[Verdict]:
    """Return the verdict on each claim, from what the notebooks found in ``profile``.

    Raises InvalidValue for an unknown profile.
    """
    return [judge(claims()[key], findings) for key, findings in found(profile).items()]


def judge(claim: Claim, findings: Iterable[Finding]) -> Verdict:
    """Return the verdict on ``claim``.

    Each measure is judged under each condition by the mean over seeds. All hold: reproduced. Some
    hold, or something was not measured: partly. None holds: not reproduced. A seed without a value
    is something not measured.
    """
    found = list(findings)
    missing = [f"{f.condition}: {f.missing}" for f in found if f.missing]
    judged, undefined = _grouped(claim, [f for f in found if not (f.missing or f.stand_in)])
    instead, _ = _grouped(claim, [f for f in found if f.stand_in and not f.missing])
    measured = {f.measure for f in found if not (f.missing or f.stand_in)}
    measures = {measure.name: measure for measure in claim.measures}
    unmeasured = [name for name in measures if name not in measured]
    lacking = [
        f"{j.measure.name}, {j.condition}: no value with seed {', '.join(map(str, j.without))}"
        for j in judged
        if j.without
    ]
    absent = [*undefined, *lacking, *(missing or unmeasured)]
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
            f'<tr><th scope="row"><a href="{link}{claim.notebook}.html#{claim.figure}">{claim.id}'
            "</a></th>"
            f"<td>{html.escape(claim.statement)}<br><small>{html.escape(place)}</small></td>"
            f"<td>{html.escape(claim.value)}</td><td>{measured}</td>"
            f'<td><span class="verdict verdict-{badge}">{verdict.word}</span>'
            f"<br><small>{html.escape(verdict.note)}</small></td></tr>"
        )
    names = ("claim", "statement", "paper", "measured", "verdict")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    return scrolling(
        f'<table class="verdicts"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>",
        "claims and verdicts",
    )


def scrolling(table: str, label: str) -> str:
    """Return an HTML table in a box that scrolls, by keyboard too; ``label`` says what it holds."""
    return f'<div class="scrolling" role="region" tabindex="0" aria-label="{label}">{table}</div>'


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


def check_cover(findings: Mapping[str, Iterable[Finding]], runs: Iterable[Run]) -> None:
    """Raise LookupError if findings leave out a size or a seed of the runs that they come from.

    What is measured of one kind of runs (one rule, say) has to come from all of its seeds, and,
    where a condition says ``H = …``, from all of its sizes. Which kind that is, findings do not
    say; so they may have the seeds, or the sizes, that all runs of any one kind have.
    """
    seeds: dict[tuple, set[int]] = {}  # of each kind at each size
    sizes: dict[tuple, set[int]] = {}  # of each kind
    for run in runs:
        kind = run.experiment.to_dict()
        seed, hidden = kind.pop("seed"), kind.pop("hidden")
        kind = tuple(map(str, kind.values()))
        seeds.setdefault((kind, hidden), set()).add(seed)
        sizes.setdefault(kind, set()).add(hidden)
    for key, found in findings.items():
        groups: dict[tuple[str, str], list[int]] = {}
        measured: dict[tuple[str, str], set[int]] = {}
        for finding in found:
            if finding.seed is None or finding.missing:
                continue
            groups.setdefault((finding.measure, finding.condition), []).append(finding.seed)
            if size := re.search(r"\bH = ([\d,]+)$", finding.condition):
                begin = finding.condition[: size.start()]
                number = int(size[1].replace(",", ""))
                measured.setdefault((finding.measure, begin), set()).add(number)
        for (measure, condition), given in groups.items():
            if len(set(given)) < len(given) or set(given) not in seeds.values():
                raise LookupError(
                    f"claim {key}: {measure}, {condition}, is measured with the seeds"
                    f" {sorted(given)}; the runs have {sorted(map(sorted, seeds.values()))}"
                )
        for (measure, begin), given in measured.items():
            least = min(given)  # claims may be about sizes from some number on
            allowed = [{size for size in each if size and size >= least} for each in sizes.values()]
            if given not in allowed:
                raise LookupError(
                    f"claim {key}: {measure}, {begin}, is measured at H = {sorted(given)};"
                    f" the runs have {sorted(map(sorted, allowed))}"
                )


def _file_name(notebook: str) -> str:
    return notebook.replace("/", "-")


def _check(key: str, finding: Finding) -> None:
    """Raise InvalidValue unless ``finding`` is a value of a measure of the claim ``key``."""
    if key not in claims():
        raise InvalidValue(f"there is no claim {key!r}; choose from: {', '.join(claims())}")
    names = [measure.name for measure in claims()[key].measures]
    if finding.measure not in names:
        raise InvalidValue(f"claim {key} has no measure {finding.measure!r}; it has: {names}")
    what = f"claim {key}: {finding.measure}"
    if not is_number(finding.value) or finding.value == -math.inf:
        raise InvalidValue(f"{what} is {finding.value!r}; it must be a number, nan or inf")
    if finding.seed is not None and not is_whole(finding.seed, 0):
        raise InvalidValue(f"{what}: seed is {finding.seed!r}; it must be a whole number from 0")
    for name in ("condition", "missing", "stand_in"):
        text = getattr(finding, name)
        if not isinstance(text, str):
            raise InvalidValue(f"{what}: {name} is {text!r}; it must be text")


def _as_json(finding: Finding) -> dict:
    # JSON knows no nan and no infinity: they are written as words.
    value = finding.value
    return vars(finding) | {"value": value if math.isfinite(value) else str(value)}


def _from_json(entry: object) -> Finding:
    if not isinstance(entry, dict) or set(entry) != {field.name for field in fields(Finding)}:
        raise ValueError(f"{entry!r} is no finding")
    value = entry["value"]
    if value in ("nan", "inf"):
        value = float(value)
    return Finding(**entry | {"value": value})


def _grouped(claim: Claim, findings: list[Finding]) -> tuple[list[Judged], list[str]]:
    """Judge each measure under each condition; also return what has no value."""
    measures = {measure.name: measure for measure in claim.measures}
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        condition = finding.condition
        if finding.stand_in:
            condition = f"{finding.stand_in}, {condition}"
        groups.setdefault((finding.measure, condition), []).append(finding)
    judged, undefined = [], []
    for (name, condition), group in groups.items():
        defined = [finding.value for finding in group if not math.isnan(finding.value)]
        if defined:
            without = tuple(finding.seed for finding in group if math.isnan(finding.value))
            judged.append(_judged(measures[name], condition, np.array(defined), without))
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


def _judged(
    measure: Measure, condition: str, values: np.ndarray, without: tuple[int, ...]
) -> Judged:
    mean = float(values.mean())
    interval = None
    if len(values) > 1 and math.isfinite(mean):
        half = student_t(len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))
        interval = (mean - half, mean + half)
    return Judged(measure, condition, mean, interval, measure.holds(mean), without)
