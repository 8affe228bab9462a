"""What a notebook of the book does first: check the parameters it was given.

A notebook is a Jupytext file with one cell tagged ``parameters``. Papermill puts the values it is
given into a cell of their own after that one, and only warns when a name is misspelt. `start`
stops there instead, before anything is computed::

    # %% tags=["parameters"]
    profile = "quick"  # smoke, quick or paper
    device = "cpu"  # cpu or cuda
    jobs = None  # experiments at a time; None: one a core
    fresh = False  # True: compute again what the run store already has
    hidden = None  # None: the sizes of the profile

    # %%
    settings = notebook.start(globals())
    hidden = settings.hidden or settings.choose(smoke=[100], quick=[100, 500], paper=[100, 1000])
"""

import ast
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from IPython.display import HTML

from lazybook.book import claims
from lazybook.book.claims import PROFILES, Finding, Verdict
from lazybook.engines import check_device
from lazybook.errors import InvalidValue, check_one_of
from lazybook.experiment import DEVICES
from lazybook.sweep import Sweep

STANDARD = ("profile", "device", "jobs", "fresh")

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The checked parameters of a notebook.

    Attributes
    ----------
    profile: ``smoke`` (seconds), ``quick`` (minutes) or ``paper`` (the papers' sizes and epochs).
    device: ``cpu``, or ``cuda`` when PyTorch finds such a GPU.
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
            raise InvalidValue(f"fresh is {self.fresh!r}; it must be True or False")
        for name in ("jobs", "epochs"):
            value = getattr(self, name)
            if value is not None and not _whole(value, 1):
                raise InvalidValue(f"{name} is {value!r}; it must be None or a whole number from 1")
        for name, least in (("hidden", 1), ("seeds", 0)):
            value = getattr(self, name)
            if value is not None and not _distinct(value, least):
                raise InvalidValue(
                    f"{name} is {value!r}; it must be None or a list of different whole numbers "
                    f"from {least}, such as [{least}, {least + 1}]"
                )
        check_device(self.device)

    @property
    def engine(self) -> str:
        """The engine for the device: ``numba`` is fastest on a CPU, ``reference`` runs anywhere."""
        return "numba" if self.device == "cpu" else "reference"

    def choose(self, *, smoke: Value, quick: Value, paper: Value) -> Value:
        """Return the value for the profile."""
        return {"smoke": smoke, "quick": quick, "paper": paper}[self.profile]


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
    science = {name: names[name] for name in ("hidden", "epochs", "seeds") if name in names}
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
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign):
            targets += statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets.append(statement.target)
    return [target.id for target in targets if isinstance(target, ast.Name)]


def verdicts(
    settings: Settings, name: str, found: Mapping[str, Iterable[Finding]]
) -> list[Verdict]:
    """Record what the notebook ``name`` found, by claim, and return the verdicts on these claims.

    Raises InvalidValue for a claim or a measure that there is not.
    """
    claims.record(settings.profile, name, found)
    return [v for v in claims.verdicts(settings.profile) if v.claim.id in found]


def span(values: Iterable[float], form: str) -> str:
    """Return the least and the largest of ``values`` for a sentence, spelled as ``form`` says.

    One number if they are spelled alike, and ``?`` if there is none that is not nan.

    >>> span([0.51, 0.2, 0.3], ".1f")
    '0.2 to 0.5'
    """
    defined = sorted(value for value in values if not math.isnan(value))
    return (
        " to ".join(dict.fromkeys(format(end, form) for end in defined[:1] + defined[-1:])) or "?"
    )


def provenance(settings: Settings, sweeps: Sequence[Sweep]) -> HTML:
    """Return a table of how the results on the page came about."""
    runs = [run for sweep in sweeps for run in sweep.runs]
    computed = sum(sweep.computed for sweep in sweeps)

    def each(values: Iterable[object]) -> str:
        return ", ".join(str(value) for value in dict.fromkeys(values))

    facts = [run.provenance for run in runs]
    minutes = sum(fact["compute_seconds"] for fact in facts) / 60
    training = sum(run.final["seconds"] for run in runs) / 60
    rows = {
        "profile": settings.profile,
        "data set": each(_origin(f["dataset"], f["data_checksum"][:12]) for f in facts),
        "engine": each(f"{run.experiment.engine} on {run.experiment.device}" for run in runs),
        "seeds": each(sorted({run.experiment.seed for run in runs})),
        "runs": f"{len(runs)}, of which {computed} computed for this page and the others found"
        " in the run store",
        "compute time": f"{minutes:.1f} minutes on one core, {training:.1f} of them training,"
        " the others measuring and loading",
        "computed": each(sorted({fact["date"][:10] for fact in facts})),
        "machine": each(fact["machine"] for fact in facts),
        "software": each(
            f"lazybook {f['packages']['lazybook']} ({f['commit'] or 'no commit'}),"
            f" numba {f['packages']['numba']}, torch {f['packages']['torch']}"
            for f in facts
        ),
    }
    cells = "".join(
        f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in rows.items()
    )
    return HTML(f'<table class="provenance"><tbody>{cells}</tbody></table>')


def _origin(dataset: str, checksum: str) -> str:
    """Return a data set's name and checksum; those derived in one way are told as one."""
    name, _, own = dataset.partition(":")
    return f"{name} (derived here)" if own == checksum else f"{dataset} (SHA-256 {checksum}…)"


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
