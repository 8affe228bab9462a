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
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

from lazybook.book.strips import strip
from lazybook.errors import (
    InvalidValue,
    LazybookWarning,
    RecordError,
    check_one_of,
    check_whole,
    told,
)
from lazybook.runs import Run
from lazybook.support import paths
from lazybook.support.statistics import mean_interval

PROFILES = ("smoke", "quick", "paper")
REPRODUCED, PARTLY, NOT_REPRODUCED, UNDECIDED, NOT_TESTABLE, NOT_MEASURED = (
    "reproduced",
    "partly",
    "not reproduced",
    "undecided",
    "not testable here",
    "not measured",
)
MET, FAILED, OPEN = "met", "failed", "undecided"


@dataclass(frozen=True)
class Measure:
    """One thing to measure, and the bounds that a claim sets to it.

    Attributes
    ----------
    at_least, at_most, above, below: the bounds; None where there is none. ``above`` and ``below``
        must not be met exactly.
    log: whether it is a positive ratio, whose mean and interval are those of its logarithm.
    core: the conditions under which the paper makes the claim (each the condition's beginning);
        others are beyond the paper: shown, and not judged. None given: all conditions are core.
    beyond: all of it is beyond the paper.
    """

    name: str
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    log: bool = False
    core: tuple[str, ...] = ()
    beyond: bool = False

    def holds(self, value: float) -> bool:
        """Whether ``value`` lies within the bounds."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def excludes(self, low: float, high: float) -> bool:
        """Whether no value from ``low`` to ``high`` lies within the bounds."""
        return (
            (self.at_least is not None and high < self.at_least)
            or (self.at_most is not None and low > self.at_most)
            or (self.above is not None and high <= self.above)
            or (self.below is not None and low >= self.below)
        )

    def is_core(self, condition: str) -> bool:
        """Whether the paper makes the claim under this condition."""
        return not self.beyond and (not self.core or condition.startswith(self.core))

    @property
    def criterion(self) -> str:
        """The bounds in signs, for example ``≥ 0.5 and < 1``."""
        if self.at_least is not None and self.at_least == self.at_most:
            return f"= {self.at_least:g}"
        signs = {"at_least": "≥", "above": ">", "at_most": "≤", "below": "<"}
        bounds = ((sign, getattr(self, name)) for name, sign in signs.items())
        said = (f"{sign} {bound:g}" for sign, bound in bounds if bound is not None)
        return with_minus(" and ".join(said))


@dataclass(frozen=True)
class Claim:
    """A claim of a paper, as ``claims.yaml`` has it.

    ``added`` says why a claim was added after the runs; ``before`` is what was put to the test
    before the paper's text was read again, see `Correction`.
    """

    id: str
    paper: str
    place: str
    statement: str
    value: str
    notebook: str
    figure: str
    measures: tuple[Measure, ...]
    added: str = ""
    before: "Correction | None" = None


@dataclass(frozen=True)
class Correction:
    """What a claim said before it was corrected, and ``why`` it was."""

    why: str
    statement: str
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
    """All seeds' values of one measure under one condition, and what they say of its bounds.

    Attributes
    ----------
    values: of the seeds that have one, inf for what never came about.
    without: the seeds that have no value.
    mean: of the values, or of their logarithms; inf if one of them is.
    interval: the 95 % interval of the mean (Student's t), or None for a single seed or an infinite
        mean.
    state: ``met`` or ``failed`` if the whole interval lies within or outside the bounds, or where
        there is none, all values do; else ``undecided``. A seed without a value leaves open what
        would be met.
    core: whether the paper makes the claim under this condition.
    """

    measure: Measure
    condition: str
    values: tuple[float, ...]
    without: tuple[int, ...]
    mean: float
    interval: tuple[float, float] | None
    state: str
    core: bool


@dataclass(frozen=True)
class Verdict:
    """What the measurements say of a claim.

    Attributes
    ----------
    word: the verdict, from the cells that are core.
    note: in plain words, what was measured, and where it does not hold, is open or is missing.
    judged: the cells, core ones and those beyond the paper.
    instead: cells of a stand-in for the claim's data set, which the word ignores.
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
    return {key: Claim(id=key, **_with_measures(entry)) for key, entry in entries.items()}


def _with_measures(entry: dict) -> dict:
    measures = tuple(
        Measure(**measure | {"core": tuple(measure.get("core", ()))})
        for measure in entry["measures"]
    )
    before = entry.get("before")
    if before:
        before = Correction(**_with_measures(before))
    return entry | {"measures": measures} | ({"before": before} if before else {})


def with_minus(text: str) -> str:
    """Return ``text`` with minus signs where it has hyphens for them.

    A hyphen within a word stays one, as in the exponent of ``1e-07``.

    >>> with_minus("M of non-plain - of plain: -0.1")
    'M of non-plain − of plain: −0.1'
    """
    return re.sub(r"(?<!\w)-(?=[ \d.])", "\N{MINUS SIGN}", text)


class OldFindings(LazybookWarning):
    """Findings of another version, or damaged ones: they are passed over."""


def record(profile: str, notebook: str, findings: Mapping[str, Iterable[Finding]]) -> Path:
    """Keep a notebook's ``findings``, by claim; replaces what it found before in this ``profile``.

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
    """Return the verdict on ``claim``, by the ``findings`` on it.

    Each measure is judged under each condition over the seeds, see `Judged`. Of the core cells all
    are met: reproduced. All fail: not reproduced. Some fail and others do not: partly. None fails
    and some are open: undecided. What is beyond the paper, or was measured on a stand-in, does not
    count; nor does what could not be measured, which the note names.
    """
    found = list(findings)
    here = [f for f in found if not (f.missing or f.stand_in)]
    judged, undefined = _grouped(claim.measures, here)
    instead, _ = _grouped(claim.measures, [f for f in found if f.stand_in and not f.missing])
    missing = [f"{f.condition}: {f.missing}" for f in found if f.missing]
    measured = {f.measure for f in found}
    absent = [*undefined, *missing]
    absent += [m.name for m in claim.measures if m.name not in measured and not m.beyond]

    states = [j.state for j in judged if j.core]
    if not states:
        word = NOT_TESTABLE if missing else NOT_MEASURED
    elif set(states) == {FAILED}:
        word = NOT_REPRODUCED
    elif FAILED in states:
        word = PARTLY
    elif OPEN in states:
        word = UNDECIDED
    else:
        word = REPRODUCED
    notes = [_in_words(m, [j for j in judged if j.core and j.measure == m]) for m in claim.measures]
    notes += [f"Not measured: {'; '.join(absent)}."] * bool(missing or (absent and judged))
    return Verdict(claim, word, " ".join(filter(None, notes)), tuple(judged), tuple(instead))


def before(verdict: Verdict, findings: Iterable[Finding]) -> str:
    """Return the word of the verdict on what a claim said before it was corrected."""
    correction = verdict.claim.before
    known = {measure.name for measure in correction.measures}
    claim = replace(verdict.claim, measures=correction.measures, before=None)
    return judge(claim, [f for f in findings if f.measure in known]).word


def table(found: Iterable[Verdict], link: str = "", profile: str = "") -> str:
    """Return verdicts ``found`` as an HTML table: what the paper has, and what is measured here.

    ``link`` is put before the addresses of the figures. A table of all claims names its
    ``profile``: then each row has the command that makes its figure, and readers can filter it by
    the data of the rows. The roles say what the elements are anyway: on a phone they are not
    displayed as a table.
    """
    rows = []
    for verdict in found:
        claim = verdict.claim
        paper = claim.paper.replace("-", " ")
        figure = f"{link}{claim.notebook}.html#{claim.figure}"
        made = ""
        if profile:
            name = claim.notebook.rpartition("/")[2]
            made = (
                f'<p class="made"><a href="{figure}">Figure</a> <code class="command">'
                f"make book PROFILE={profile} ONLY={name}</code></p>"
            )
        ours = _measured(verdict.judged)
        if verdict.instead:
            ours += f"<p><em>On a stand-in, not judged:</em></p>{_measured(verdict.instead)}"
        rows.append(
            f'<tr id="claim-{claim.id}" role="row" data-paper="{paper}"'
            f' data-verdict="{verdict.word}">'
            f'<th scope="row" role="rowheader"><a href="{figure}">{claim.id}</a>'
            f" {badge(verdict)}</th>"
            f'<td role="cell">{html.escape(claim.statement)}'
            f" <small>{html.escape(f'{paper}, {claim.place}')}</small>"
            f"<p>{html.escape(verdict.note)}</p>{made}</td>"
            f'<td role="cell" class="theirs" data-name="theirs">{html.escape(claim.value)}</td>'
            f'<td role="cell" class="ours" data-name="ours">{ours}</td></tr>'
        )
    names = ("verdict", "claim", "theirs", "→ ours")
    head = "".join(f'<th scope="col" role="columnheader">{name}</th>' for name in names)
    return scrolling(
        f'<table class="verdicts{" filtered" * bool(profile)}" role="table">'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(rows)}</tbody></table>',
        "claims and verdicts",
    )


def glance(found: Iterable[Verdict]) -> str:
    """Return a badge for each verdict ``found``, which leads to its row in the `table`, as HTML."""
    badges = []
    for verdict in found:
        name = verdict.word.replace(" ", "-")
        badges.append(
            f'<a class="verdict verdict-{name}" href="#claim-{verdict.claim.id}"'
            f' title="{html.escape(verdict.claim.statement)}">{verdict.claim.id} {verdict.word}</a>'
        )
    return f'<div class="glance">{"".join(badges)}</div>'


def stated(statement: str, measures: Iterable[Measure]) -> str:
    """Return a claim and its criteria, as HTML."""
    criteria = "; ".join(
        f"{with_minus(measure.name)} {measure.criterion}"
        for measure in measures
        if not measure.beyond
    )
    return f"{html.escape(statement)}<br><small>{html.escape(criteria)}</small>"


def badge(verdict: Verdict) -> str:
    """Return the verdict's word as a badge, HTML."""
    name = verdict.word.replace(" ", "-")
    return f'<span class="verdict verdict-{name}">{verdict.word}</span>'


def scrolling(table: str, label: str) -> str:
    """Return an HTML table in a box that scrolls, by keyboard too; ``label`` says what it holds."""
    return f'<div class="scrolling" role="region" tabindex="0" aria-label="{label}">{table}</div>'


def values(judged: Iterable[Judged]) -> str:
    """Return a measure's values under several conditions, with their intervals, in one line.

    A size is not said to be one again: ``H = 100: 0.43, 200: 0.46``.
    """
    said, before = [], ""
    for j in judged:
        begin, size, number = j.condition.rpartition("H = ")
        here = number if size and (begin, size) == before else j.condition
        before = begin, size
        here = here.replace(" = ", "\N{NBSP}=\N{NBSP}")  # no line ends there
        said.append(f"{here}:\N{NBSP}{_value(j)}")
    return ", ".join(said)


def spanned(judged: Iterable[Judged]) -> str:
    """Return what a measure came to under all conditions: ``0.26 to 0.43 [0.25, 0.44]``.

    From the least mean to the largest, with all of the 95 % intervals between brackets.
    """
    cells = list(judged)
    if len(cells) == 1:
        return _value(cells[0])
    finite = sorted(j.mean for j in cells if math.isfinite(j.mean))
    said = " to ".join(dict.fromkeys(_number(mean) for mean in finite[:1] + finite[-1:]))
    if intervals := [j.interval for j in cells if j.interval]:
        low, high = min(low for low, _ in intervals), max(high for _, high in intervals)
        said += f" [{_number(low)}, {_number(high)}]"
    return ", or ".join([said] * bool(finite) + ["never"] * (len(finite) < len(cells)))


def _value(j: Judged) -> str:
    """Return the mean and its interval; of what not all seeds reached, the values of those."""
    reached = sorted(value for value in j.values if math.isfinite(value))
    if len(reached) < len(j.values) or j.without:
        seeds = len(j.values) + len(j.without)
        if not reached:
            return "never" if j.values else "no value"
        ends = " to ".join(dict.fromkeys(_number(value) for value in (reached[0], reached[-1])))
        return f"{len(reached)} of {seeds} seeds, {ends}"
    if not j.interval:
        return _number(j.mean)
    low, high = map(_number, j.interval)
    return f"{low} (all seeds)" if low == high else f"{_number(j.mean)} [{low}, {high}]"


def _number(value: float) -> str:
    """Return ``value`` with two digits, or as a whole number if it is a larger one.

    Close to 100, as accuracies in percent, with two digits of what is missing: 99.17 and 97.2.
    """
    text = f"{value:,.0f}" if 100 <= abs(value) < 1e6 else f"{value:.2g}"
    if 90 <= abs(value) < 100:
        decimals = min(3, 1 - math.floor(math.log10(100 - abs(value))))
        text = f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"
    if abs(value) < 5e-4:
        text = "0"
    return with_minus(text)


def _in_words(measure: Measure, cells: list[Judged]) -> str:
    """Return in a sentence what a measure came to, and where it is not within its bounds."""
    if not cells:
        return ""
    finite = sorted(j.mean for j in cells if math.isfinite(j.mean))
    ends = " to ".join(dict.fromkeys(map(_number, finite[:1] + finite[-1:]))) or "never"
    said = with_minus(f"{measure.name[:1].upper()}{measure.name[1:]}: {ends}")
    states = {j.state for j in cells}
    if states == {MET}:
        return f"{said}, as claimed ({measure.criterion})."
    if states == {FAILED}:
        everywhere = "" if len(cells) == 1 else " anywhere"
        return f"{said}, not {measure.criterion}{everywhere}."
    if states == {OPEN}:
        return f"{said}; these seeds leave {measure.criterion} open."
    where = {
        state: "; ".join(_shortened([j.condition for j in cells if j.state == state]))
        for state in (FAILED, OPEN)
    }
    parts = [f"not {measure.criterion} for {where[FAILED]}"] * bool(where[FAILED])
    parts += [f"these seeds leave {measure.criterion} open for {where[OPEN]}"] * bool(where[OPEN])
    return f"{said}; {', and '.join(parts)}."


def _shortened(conditions: Iterable[str]) -> list[str]:
    """Return conditions with those that differ in the size alone as one: ``H = 100, 200``."""
    sizes: dict[str, list[str]] = {}
    for condition in conditions:
        begin, size, number = condition.rpartition("H = ")
        if not number.replace(",", "").isdecimal():  # the size does not stand at the end
            begin, size, number = condition, "", ""
        sizes.setdefault(begin + size, []).append(number)
    return [begin + ", ".join(numbers) for begin, numbers in sizes.items()]


def check_cover(
    findings: Mapping[str, Iterable[Finding]], runs: Iterable[Run], sets: Iterable[int] = ()
) -> None:
    """Raise LookupError if findings leave out a size or a seed of the runs that they come from.

    Or one of the pattern ``sets``, whose numbers stand in the place of seeds.

    What is measured of one kind of runs (one rule, say) has to come from all of its seeds, and,
    where a condition says ``H = …``, from all of its sizes. Which kind that is, findings do not
    say; so they may have the seeds, or the sizes, that all runs of any one kind have.
    """
    seeds: dict[tuple, set[int]] = {}  # of each kind at each size
    sizes: dict[tuple, set[int]] = {}  # of each kind
    if sets := {*sets}:
        seeds["pattern sets",] = sets
    for run in runs:
        kind = run.experiment.to_dict()
        seed, hidden = kind.pop("seed"), kind.pop("hidden", None)
        before = kind.get("after")
        while before:  # what it comes after has its sizes and seeds too
            del before["seed"], before["hidden"]
            before = before["after"]
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
            # A claim may be about sizes from some number on, or up to one; not about every other.
            allowed = [
                {size for size in each if size and min(given) <= size <= max(given)}
                for each in sizes.values()
            ]
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
    claim = claims()[key]
    measures = [*claim.measures, *(claim.before.measures if claim.before else ())]
    names = list(dict.fromkeys(measure.name for measure in measures))
    if finding.measure not in names:
        raise InvalidValue(f"claim {key} has no measure {finding.measure!r}; it has: {names}")
    what = f"claim {key}: {finding.measure}"
    number = isinstance(finding.value, int | float) and not isinstance(finding.value, bool)
    if not number or finding.value == -math.inf:
        raise InvalidValue(f"{what} is {told(finding.value)}; it must be a number, nan or inf")
    if finding.seed is not None:
        check_whole(f"{what}: seed", finding.seed, 0)
    for name in ("condition", "missing", "stand_in"):
        text = getattr(finding, name)
        if not isinstance(text, str):
            raise InvalidValue(f"{what}: {name} is {told(text)}; it must be text")


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


def _grouped(
    measures: Iterable[Measure], findings: list[Finding]
) -> tuple[list[Judged], list[str]]:
    """Judge each measure under each condition; also return what has no value."""
    known = {measure.name: measure for measure in measures}
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        condition = finding.condition
        if finding.stand_in:
            condition = f"{finding.stand_in}, {condition}"
        if finding.measure in known:
            groups.setdefault((finding.measure, condition), []).append(finding)
    judged, undefined = [], []
    for (name, condition), group in groups.items():
        values = tuple(f.value for f in group if not math.isnan(f.value))
        without = tuple(f.seed for f in group if math.isnan(f.value))
        if values:
            judged.append(_judged(known[name], condition, values, without))
        else:
            undefined.append(f"{name}, {condition}: no value")
    return judged, undefined


def _measured(judged: Iterable[Judged]) -> str:
    """Return what each measure came to, with its strip, and all numbers in a fold, as HTML.

    What it came to is told of the conditions under which the paper makes the claim, if any are.
    """
    judged = list(judged)
    lines = []
    for measure in dict.fromkeys(j.measure for j in judged):
        cells = [j for j in judged if j.measure == measure]
        core = [j for j in cells if j.core]
        beyond = "" if core else " <em>beyond the paper</em>"
        lines.append(
            f'<div class="measure"><small>{html.escape(with_minus(measure.name))}'
            f" ({html.escape(measure.criterion)}){beyond}</small>"
            f"<b>{spanned(core or cells)}</b>{strip(cells)}"
            f"<details><summary>numbers</summary>{html.escape(values(cells))}</details></div>"
        )
    return "".join(lines)


def _judged(
    measure: Measure, condition: str, values: tuple[float, ...], without: tuple[int, ...]
) -> Judged:
    mean, interval = mean_interval(values, measure.log and min(values) > 0)
    if interval:
        met = measure.holds(interval[0]) and measure.holds(interval[1])
        failed = measure.excludes(*interval)
    else:
        held = [measure.holds(value) for value in values]
        met, failed = all(held), not any(held)
    state = MET if met and not without else FAILED if failed else OPEN
    core = measure.is_core(condition)
    return Judged(measure, condition, values, without, mean, interval, state, core)
