"""What a notebook of the book does first and last: check its parameters, and tell what it found.

A notebook is a Jupytext file with one cell tagged ``parameters``. Papermill puts the values it is
given into a cell of their own after that one, and only warns when a name is misspelt. `start`
stops there instead, before anything is computed. The next cell is the one table of what each
profile runs, and the cells below speak of ``scale.hidden``::

    # %% tags=["parameters"]
    profile = "quick"
    device = "cpu"
    jobs = None
    fresh = False
    hidden = None

    # %%
    settings = notebook.start(globals())
    scale = settings.scale(
        # smoke, quick, paper
        hidden=([100], [100, 500], [100, 1000]),
        goal=(0.8, 0.95, 0.95),
    )

What it measured goes into `Findings`, by claim; that shows the verdicts at the end.
"""

import ast
import html
import math
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any

import pandas as pd
from IPython.display import HTML, Markdown
from myst_nb import glue

from lazybook.book import claims
from lazybook.book.claims import PROFILES, Finding, Verdict
from lazybook.book.tables import Table, Trials
from lazybook.engines import check_device, check_engine
from lazybook.errors import InvalidValue, check_one_of, told
from lazybook.experiment import DEVICES, Experiment
from lazybook.runs import Run
from lazybook.support.statistics import mean_interval
from lazybook.sweep import Sweep, sweep

STANDARD = ("profile", "device", "jobs", "fresh")
SCIENCE = ("hidden", "epochs", "seeds")  # parameters that stand above what the profile says


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The checked parameters of a notebook.

    Attributes
    ----------
    profile: ``smoke`` (seconds), ``quick`` (minutes) or ``paper`` (the papers' sizes and epochs).
    device: ``cpu``, or ``cuda`` where PyTorch and Numba find such a GPU.
    jobs: experiments computed at the same time; None: one a core.
    fresh: compute again what the run store already has.
    hidden: numbers of hidden units, epochs: length of a run, seeds: one run each;
        None: as the profile says.

    Raises
    ------
    InvalidValue: an impossible value; the message names it and what is allowed.
    """

    profile: str
    device: str = "cpu"
    jobs: int | None = None
    fresh: bool = False
    hidden: list[int] | None = None
    epochs: int | None = None
    seeds: list[int] | None = None

    def __post_init__(self) -> None:
        check_one_of("profile", self.profile, PROFILES)
        check_one_of("device", self.device, DEVICES)
        if not isinstance(self.fresh, bool):
            raise InvalidValue(f"fresh is {told(self.fresh)}; it must be True or False")
        for name in ("jobs", "epochs"):
            value = getattr(self, name)
            if value is not None and not _whole(value, 1):
                raise InvalidValue(
                    f"{name} is {told(value)}; it must be None or a whole number from 1"
                )
        for name, least in (("hidden", 1), ("seeds", 0)):
            value = getattr(self, name)
            if value is not None and not _distinct(value, least):
                raise InvalidValue(
                    f"{name} is {told(value)}; it must be None or a list of different whole"
                    f" numbers from {least}, such as [{least}, {least + 1}]"
                )
        check_device(self.device)
        if self.device == "cuda":
            check_engine("numba-cuda")

    def sweep(self, experiments: Iterable[Experiment]) -> Sweep:
        """Return the runs of ``experiments``: found, or computed on the notebook's device.

        On ``cuda`` the engine `numba-cuda` takes over from `numba` what it can do, many networks
        side by side; what it refuses stays on the CPU, where that is faster than PyTorch on a GPU
        with one small network at a time. The other engines move to the GPU as they are.

        Raises what `lazybook.sweep.sweep` raises, before anything is computed.
        """
        return sweep([self._placed(one) for one in experiments], self.jobs, self.fresh)

    def _placed(self, experiment: Experiment) -> Experiment:
        if self.device == "cpu":
            return experiment
        if experiment.engine != "numba":
            return replace(experiment, device=self.device)
        try:
            return replace(experiment, engine="numba-cuda", device=self.device)
        except InvalidValue:
            return experiment

    def scale(self, **rows: tuple[Any, Any, Any]) -> SimpleNamespace:
        """Return what the notebook runs in this profile, an attribute for each of ``rows``.

        Each row has the values for smoke, quick and paper. A parameter of the notebook stands
        above its row: ``hidden``, ``epochs`` and ``seeds``.

        >>> Settings(profile="smoke", seeds=[3]).scale(goal=(0.8, 0.9, 0.95), seeds=([0],) * 3)
        namespace(goal=0.8, seeds=[3])
        """
        for name, values in rows.items():
            if not isinstance(values, tuple) or len(values) != len(PROFILES):
                raise InvalidValue(
                    f"scale: {name} is {values!r}; it must be three values, for"
                    f" {', '.join(PROFILES)}"
                )
        chosen = {name: values[PROFILES.index(self.profile)] for name, values in rows.items()}
        given = {name: getattr(self, name) for name in SCIENCE if name in rows}
        return SimpleNamespace(**chosen | {n: v for n, v in given.items() if v is not None})


def start(names: Mapping[str, Any]) -> Settings:
    """Check the parameters of a notebook and return them; call it right after they are given.

    Parameters
    ----------
    names: the notebook's ``globals()``. IPython keeps the cells that were run so far in ``In``;
        from these it is known which names are parameters and which Papermill was given.

    Raises
    ------
    InvalidValue: a parameter that the notebook does not have, lacks or cannot be.
    """
    cells = list(names.get("In", ()))[1:-1]  # before the first there is '', the last one is ours
    given = [name for cell in cells if _injected(cell) for name in assigned(cell)]
    known = [name for cell in cells if not _injected(cell) for name in assigned(cell)]
    check_names(given, known)
    missing = [name for name in STANDARD if name not in names]
    if missing:
        raise InvalidValue(f"the notebook's parameters cell lacks {', '.join(missing)}")
    science = {name: names[name] for name in SCIENCE if name in names}
    return Settings(**{name: names[name] for name in STANDARD}, **science)


def check_names(given: list[str], known: list[str]) -> None:
    """Raise InvalidValue if a given parameter is not among those that the notebook has."""
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise InvalidValue(
                f"the notebook has no parameter {name}; {hint}it has: {', '.join(known)}"
            )


def assigned(source: str) -> list[str]:
    """Return the names that the Python ``source`` assigns on its outermost level, in order."""
    targets = []
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):  # a typing error, or a line for IPython: no parameters
        statements = []
    for statement in statements:
        if isinstance(statement, ast.Assign):
            targets += statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets.append(statement.target)
    return [target.id for target in targets if isinstance(target, ast.Name)]


class Findings:
    """What the notebook ``name`` found, by claim.

    ``claims`` are those that the notebook tests: one of which nothing was found is shown as not
    measured.

    Raises InvalidValue for a claim or a measure that there is not.
    """

    def __init__(self, settings: Settings, name: str, *claims: str) -> None:
        self.settings, self.name = settings, name
        self.found: dict[str, list[Finding]] = {claim: [] for claim in claims}

    def add(
        self,
        claim: str,
        measure: str,
        condition: str,
        value: float,
        seed: int | None = None,
        stand_in: str = "",
    ) -> None:
        """Add one value of a measure; see `lazybook.book.claims.Finding`.

        Under which ``condition`` it was measured and from which ``seed`` is told with it. With
        ``stand_in``, the name of a data set, it is shown and not judged.
        """
        found = Finding(measure, condition, float(value), seed, stand_in=stand_in)
        self.found[claim].append(found)

    def each(
        self,
        claim: str,
        measure: str,
        condition: str,
        values: Mapping[Any, float] | pd.Series,
        stand_in: str = "",
    ) -> None:
        """Add the values of several runs, each as `add` does.

        Their keys are seeds, or tuples that end in one; what comes before the seed fills in the
        ``condition``, such as ``"H = {}"``; ``stand_in`` is that of all.
        """
        for key, value in values.items():
            *where, seed = key if isinstance(key, tuple) else (key,)
            self.add(claim, measure, condition.format(*where), value, int(seed), stand_in)

    def lacks(self, claim: str, measure: str, condition: str, why: str) -> None:
        """Say ``why`` a measure has no value under a ``condition``."""
        self.found[claim].append(Finding(measure, condition, math.nan, missing=why))

    def raised(self, claim: str, measure: str, condition: str, first: int) -> str:
        """Return for a page that the number of seeds was raised, as the ``first`` were too few.

        The first values of a ``measure`` of a ``claim`` under a ``condition`` left its bounds open:
        that is told with their mean and its 95 % interval. Empty if there are no more values, as in
        a profile with fewer seeds.
        """
        values = [
            found.value
            for found in self.found[claim]
            if (found.measure, found.condition) == (measure, condition)
        ]
        if len(values) <= first:
            return ""
        [bounds] = [m for m in claims.claims()[claim].measures if m.name == measure]
        mean, interval = mean_interval(values[:first], bounds.log)
        about = " to ".join(f"{end:.3g}" for end in interval or (math.nan,))
        return claims.with_minus(
            f"For the {measure} ({condition}) the first {first} seeds alone have a mean of"
            f" {mean:.3g} and a 95 % interval of {about}, which leaves open whether it is"
            f" {bounds.criterion}. By their standard deviation {len(values)} seeds should tell; so"
            " many were run then, once, whatever they would say."
        )

    def verdicts(self, sweeps: Sequence[Sweep], sets: Collection[int] = ()) -> HTML:
        """Record it all, and return the table of the verdicts on these claims.

        ``sweeps`` are what was found in: all of their sizes and seeds have to be there; or all
        pattern ``sets``, whose numbers stand in the place of seeds.

        Raises LookupError if findings leave out a size or a seed.
        """
        claims.check_cover(self.found, [run for sweep in sweeps for run in sweep.runs], sets)
        claims.record(self.settings.profile, self.name, self.found)
        return HTML(claims.table(self._judged(), "../" * self.name.count("/")))

    def answer(self, text: str) -> None:
        """Let the page begin with this answer to its question, and with the verdicts' badges.

        The page shows it by the directive ``{glue:} answer``. ``text`` is Markdown of a sentence or
        two, its numbers computed.
        """
        answer(f"{text}\n\n{claims.glance(self._judged())}")

    def print_outcomes(self, sweeps: Sequence[Sweep], timed: Collection[str] = ()) -> None:
        """Print the verdicts, and counters of the runs with the first seed, for a comparison.

        Those are of ``sweeps``. They are the same each time that the notebook runs on one machine.
        Verdicts on claims that are about times, those ``timed``, need not be, and are left out.
        """
        print(*(verdict for verdict in self._judged() if verdict.claim.id not in timed), sep="\n")
        runs = [run for sweep in sweeps for run in sweep.runs]
        first = min((run.experiment.seed for run in runs), default=0)
        lines = (_outcome(run) for run in runs if run.experiment.seed == first)
        print(*dict.fromkeys(lines), sep="\n")

    def _judged(self) -> list[Verdict]:
        verdicts = claims.verdicts(self.settings.profile)
        return [verdict for verdict in verdicts if verdict.claim.id in self.found]


def answer(text: str) -> None:
    """Let a page without claims begin with the answer ``text``; see `Findings.answer`."""
    glue("answer", Markdown(text), display=False)


def span(values: Iterable[float], form: str) -> str:
    """Return the least and the largest of ``values`` for a sentence, spelled as ``form`` says.

    One number if they are spelled alike, and ``?`` if there is none that is not nan.

    >>> span([0.51, 0.2, 0.3], ".1f")
    '0.2 to 0.5'
    """
    defined = sorted(value for value in values if not math.isnan(value))
    ends = dict.fromkeys(format(end, form) for end in defined[:1] + defined[-1:])
    return claims.with_minus(" to ".join(ends)) or "?"


def two_digits(value: float) -> str:
    """Return a positive ``value`` with two digits, as tables have it; a dash if it is not finite.

    >>> two_digits(693_120), two_digits(5.74), two_digits(0.0348), two_digits(math.nan)
    ('690,000', '5.7', '0.035', '–')
    """
    if not math.isfinite(value):
        return "–"
    rounded = float(f"{value:.2g}")
    decimals = max(0, 1 - math.floor(math.log10(rounded))) if rounded else 0
    return f"{rounded:,.{decimals}f}"


def interval(values: pd.Series) -> str:
    """Return the mean of the seeds' ``values`` and its 95 % interval, of two digits each.

    Where a seed has none, as it missed the goal, it is said how many did.
    """
    if values.isna().any():
        return f"missed by {values.isna().sum()} of {len(values)}"
    mean, ends = mean_interval(values.tolist())
    return two_digits(mean) + (f" ({' to '.join(map(two_digits, ends))})" if ends else "")


def seeds(table: pd.DataFrame) -> str:
    """Return for a caption how many seeds each size has: ``n = 5 (3 from H = 1,000)``.

    ``table`` has the columns ``hidden`` and ``seed``.
    """
    numbers = table.groupby("hidden")["seed"].nunique().sort_index()
    said = [f"n = {numbers.iloc[0]}"]
    changes = [
        f"{number} from H = {size:,}"
        for (size, number), before in zip(numbers.iloc[1:].items(), numbers, strict=False)
        if number != before
    ]
    return " ".join(said + [f"({', '.join(changes)})"] * bool(changes)).replace(" ", "\N{NBSP}")


def command(experiment: Experiment) -> str:
    """Return the line of `lazybook train` that runs ``experiment``, as a block of Markdown."""
    usual = Experiment().to_dict()
    options = [
        f"--{'' if value else 'no-'}{name.replace('_', '-')}"
        if isinstance(value, bool)
        else f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, value in experiment.to_dict().items()
        if value != usual[name]
    ]
    return "```bash\nlazybook train " + " \\\n  ".join(options) + "\n```"


def html_table(table: pd.DataFrame, label: str, classes: str = "") -> HTML:
    """Return ``table`` as the page shows it: no index, a dash where there is no value.

    Cells may be HTML; ``label`` says what is in it, for those who do not see it. Of the ``classes``
    the pages' script knows ``sortable``, by a click on a column's head, and ``filtered``, by words.
    """
    table = table.map(lambda cell: claims.with_minus(cell) if isinstance(cell, str) else cell)
    drawn = table.to_html(
        classes=f"provenance {classes}".strip(), border=0, index=False, escape=False, na_rep="–"
    )
    return HTML(claims.scrolling(drawn.replace("<th>", '<th scope="col">'), label))


def provenance(
    settings: Settings,
    sweeps: Sequence[Sweep],
    tables: Sequence[Table] = (),
    searches: Sequence[Trials] = (),
) -> HTML:
    """Return a table of how ``sweeps``, ``tables`` and ``searches`` came about.

    They were made with the ``settings`` of the notebook.
    """
    runs = [run for sweep in sweeps for run in sweep.runs]
    computed = sum(sweep.computed for sweep in sweeps)
    sets = sorted({number for table in tables for number in table.sets})

    def each(values: Iterable[object]) -> str:
        return ", ".join(str(value) for value in dict.fromkeys(values))

    def found(computed: int) -> str:
        said = f"{computed} of them computed for this page"
        return said if computed else "all from the run store"

    facts = [run.provenance for run in runs]
    facts += [fact for table in (*tables, *searches) for fact in table.facts]
    minutes = sum(fact["compute_seconds"] for fact in facts) / 60
    training = sum(run.final["seconds"] for run in runs) / 60
    builds = each(sorted(fact["commit"] or "none" for fact in facts))
    rows = {
        "profile": settings.profile,
        "data set": each(_origin(f["dataset"], f["data_checksum"][:12]) for f in facts),
        "engine": each(f"{run.experiment.engine} on {run.experiment.device}" for run in runs),
        "seeds": each(sorted({run.experiment.seed for run in runs})),
        "runs": f"{len(runs)}, {found(computed)}",
        "pattern sets": f"{each(sets)}; {sum(len(table.facts) for table in tables)} tables,"
        f" {found(sum(table.computed for table in tables))}",
        "trials": f"{sum(search.rows['trial'].nunique() for search in searches)}, "
        + found(sum(search.computed for search in searches)),
        "compute\N{NBSP}time": f"{minutes:.1f} minutes on one core"
        + f", {training:.1f} of them training, the others measuring and loading"
        * bool(runs and not searches),
        "computed": each(sorted({fact["date"][:10] for fact in facts})),
        "machine": each(fact["machine"] for fact in facts),
        "software": each(
            ", ".join(
                f"{name} {f['packages'][name]}"
                for name in ("lazybook", "numba", "torch", "optuna")
                if name in f["packages"]
            )
            for f in facts
        ),
        "commits": builds + " (+: with changes that were not committed)" * ("+" in builds),
    }
    absent = (
        ({"engine", "seeds", "runs"} if not runs else set())
        | ({"pattern sets"} if not tables else set())
        | ({"trials"} if not searches else set())
    )
    body = "".join(
        f'<tr><th scope="row">{name}</th><td>{html.escape(value)}</td></tr>'
        for name, value in rows.items()
        if name not in absent
    )
    table = (
        f'<table class="provenance" data-profile="{settings.profile}"><tbody>{body}</tbody></table>'
    )
    return HTML(claims.scrolling(table, "how the results came about"))


def _origin(dataset: str, checksum: str) -> str:
    """Return a data set's name and checksum; those derived in one way are told as one."""
    if not checksum:
        return dataset
    name, _, own = dataset.partition(":")
    return f"{name} (derived here)" if own == checksum else f"{dataset} (SHA-256 {checksum}…)"


def _outcome(run: Run) -> str:
    """Return what was run, as far as it is not usual, and its counters, in one line."""
    usual, final = Experiment().to_dict(), run.final
    fields = run.experiment.to_dict()
    if run.experiment.after:
        fields["after"] = run.experiment.after.dataset
    changed = [
        f"{name} {value}"
        for name, value in fields.items()
        if value != usual[name] and name not in ("seed", "hidden", "device")
    ]
    return (
        f"H = {run.experiment.hidden}, {', '.join(changed)}: {final['updates']} updates,"
        f" {final['memorized']} memorized, accuracy {final['test_accuracy']:.4f}"
    )


def _injected(cell: str) -> bool:
    return cell.startswith("# Parameters\n")


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _distinct(values: object, least: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) > 0
        and all(_whole(value, least) for value in values)
        and len(set(values)) == len(values)
    )
