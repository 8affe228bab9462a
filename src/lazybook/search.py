"""Searches: which experiment learns at the least cost? Needs ``lazybook[search]``.

`search` asks Optuna for what to try, runs it by `lazybook.sweep.sweep`, and tells Optuna what it
cost, one batch after another. An experiment is found again in the run store, so the store is the
journal of a search: the same search, asked for again, finds all its runs, and one that was
interrupted goes on where it was. Optuna's own journal would add a second truth and is not kept.

>>> from lazybook.experiment import Experiment
>>> def build(hidden, rate):
...     return Experiment(hidden=hidden, learning_rate=rate, epochs=2, until=0.95)
>>> space = {"hidden": Range(100, 1000), "rate": Range(0.001, 0.1)}
>>> found = search(build, space, trials=50, minimize=["energy_m0"])  # doctest: +SKIP
>>> min(found.reached, key=lambda trial: trial.run.final["energy_m0"]).values  # doctest: +SKIP
{'hidden': 440, 'rate': 0.011}
"""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lazybook.errors import (
    LARGEST,
    InvalidValue,
    check_number,
    check_one_of,
    check_whole,
    told,
)
from lazybook.experiment import Experiment
from lazybook.runs import DivergedRun, Run, Store
from lazybook.sweep import MEASURED, sweep

if TYPE_CHECKING:
    import pandas as pd

BATCH = 8  # trials that are asked for before the first of them is told
AT_RANDOM = 16  # trials of which the first are: the sampler learns from these
DIGITS = 2  # of a number that is tried, so that it can be written down
COSTS = tuple(name for name in MEASURED if name not in ("epoch", "seconds"))


@dataclass(frozen=True)
class Range:
    """Numbers from ``least`` to ``most``, of two significant digits, whole ones if both ends are.

    They are drawn on a logarithmic scale, unless ``log`` is False.

    Raises InvalidValue for ends that are no numbers, or not in order; on a logarithmic scale they
    must be above 0.
    """

    least: float
    most: float
    log: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.log, bool):
            raise InvalidValue(f"range: log is {told(self.log)}; it must be True or False")
        allowed = "a number above 0" if self.log else "a number"
        check_number("range: least", self.least, allowed, lambda end: end > 0 or not self.log)
        allowed = f"a number above least, which is {self.least}"
        check_number("range: most", self.most, allowed, lambda end: end > self.least)

    @property
    def whole(self) -> bool:
        """Whether the numbers are whole."""
        return isinstance(self.least, int) and isinstance(self.most, int)

    def rounded(self, number: float) -> float:
        """Return the number of two digits that is tried for ``number``."""
        number = min(max(float(f"{number:.{DIGITS}g}"), self.least), self.most)
        return round(number) if self.whole else number


Space = Mapping[str, Range | Sequence[str]]


@dataclass(frozen=True)
class Trial:
    """One trial of a search: the ``values`` that were tried, by name, and the ``run`` they gave."""

    values: dict[str, Any]
    run: Run

    @property
    def shortfall(self) -> float:
        """What the best test accuracy lacks of the goal; 0 or less if that was reached.

        All of it if the run diverged.
        """
        goal = self.run.experiment.until
        return goal if self.run.diverged else goal - self.run.table["test_accuracy"].max()


@dataclass(frozen=True)
class Search:
    """The ``trials`` of a search, in order; ``computed`` of their runs were computed now."""

    trials: list[Trial]
    computed: int

    @property
    def reached(self) -> list[Trial]:
        """The trials that reached their goal."""
        return [trial for trial in self.trials if trial.shortfall <= 0]


def search(
    build: Callable[..., Experiment],
    space: Space,
    trials: int,
    minimize: Sequence[str] = ("energy_m0",),
    begin: Sequence[Mapping[str, Any]] = (),
    seed: int = 0,
    jobs: int | None = None,
    fresh: bool = False,
    store: Store | None = None,
) -> Search:
    """Look for experiments that reach their goal at the least costs, and return all trials.

    Multi-objective tree-structured Parzen estimators (Ozaki et al. 2022) suggest what to try next,
    with the goal as a constraint: what misses it is judged by how much it lacks. The first trials
    are drawn at random. What is suggested depends on ``seed`` and on the runs, not on ``jobs`` nor
    on what the store has; on another processor a run may round differently, and the search go
    another way. A search of fewer trials is the beginning of one of more, if they are a multiple of
    8, as many as are asked for at a time.

    Parameters
    ----------
    build: returns the experiment for values of the ``space``, which are given by name. Each must
        have a goal, ``until``.
    space: what is tried: for each name a `Range` of numbers, or a list of words.
    trials: how many.
    minimize: the costs of reaching the goal, columns of `lazybook.runs.Run.table` such as
        ``energy_m0``, ``energy_m1``, ``updates`` and ``samples``.
    begin: values that are tried first, such as what is known to be good.
    seed: of the suggestions; that of the runs is what ``build`` says.
    jobs, fresh, store: as for `lazybook.sweep.sweep`.

    Raises
    ------
    ModuleNotFoundError: Optuna is not installed.
    InvalidValue: before anything is computed, what cannot be searched; during the search, values
        for which ``build`` gives no experiment that can be run. And what the sweep raises.
    """
    _check(space, minimize, begin)
    check_whole("trials", trials, 1)
    check_whole("seed", seed, 0, 2**32 - 1)
    study = _study(len(minimize), seed)
    asked_for = {name: _distribution(choices) for name, choices in space.items()}
    for values in begin:
        study.enqueue_trial(dict(values))
    found: list[Trial] = []
    computed = 0
    while len(found) < trials:
        asked = [study.ask(asked_for) for _ in range(min(BATCH, trials - len(found)))]
        tried = [_values(one.params, space) for one in asked]
        experiments = [_built(build, values) for values in tried]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergedRun)  # it is one more way to miss the goal
            swept = sweep(experiments, jobs, fresh, store)
        computed += swept.computed
        for one, values, run in zip(asked, tried, swept.runs, strict=True):
            trial = Trial(values, run)
            one.set_constraint("goal", trial.shortfall)
            study.tell(one, [_logarithm(run.final[cost]) for cost in minimize])
            found.append(trial)
    return Search(found, computed)


def front(costs: "pd.DataFrame", columns: Sequence[str]) -> "pd.DataFrame":
    """Return the rows of ``costs`` that no other row undercuts in some ``columns`` at no more in
    the others: the Pareto front. They are sorted by the first column; rows that lack a value are
    not on it.

    >>> import pandas as pd
    >>> front(pd.DataFrame({"m0": [3, 1, 2], "samples": [1, 5, 6]}), ["m0", "samples"])
       m0  samples
    1   1        5
    0   3        1
    """
    values = costs[list(columns)].dropna()
    kept = [
        name
        for name, row in values.iterrows()
        if not ((values <= row).all(axis=1) & (values < row).any(axis=1)).any()
    ]
    return costs.loc[kept].sort_values(list(columns))


def _check(space: Space, minimize: Sequence[str], begin: Sequence[Mapping[str, Any]]) -> None:
    """Raise InvalidValue for what cannot be searched."""
    if not isinstance(space, Mapping) or not space:
        raise InvalidValue(f"space is {told(space)}; it must be a table of what is tried, by name")
    for name, choices in space.items():
        words = isinstance(choices, list | tuple) and all(isinstance(one, str) for one in choices)
        if not isinstance(choices, Range) and not (words and choices):
            raise InvalidValue(
                f"space: {name} is {told(choices)}; it must be a lazybook.search.Range, or a list"
                " of words"
            )
    if not isinstance(minimize, list | tuple) or not minimize:
        raise InvalidValue(f"minimize is {told(minimize)}; it must be a list of costs")
    for cost in minimize:
        check_one_of("minimize", cost, COSTS)
    for values in begin:
        if not isinstance(values, Mapping) or {*values} != {*space}:
            raise InvalidValue(
                f"begin has {told(values)}; it must have a value for each of {', '.join(space)}"
            )
        for name, choices in space.items():
            value = values[name]
            if isinstance(choices, Range):
                allowed = f"a number from {choices.least} to {choices.most}"
                check_number(
                    f"begin: {name}", value, allowed, lambda v, c=choices: c.least <= v <= c.most
                )
            else:
                check_one_of(f"begin: {name}", value, choices)


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"lazybook.search needs {error.name}; install lazybook[search]", name=error.name
        ) from None
    return optuna


def _study(objectives: int, seed: int) -> Any:
    """Return an empty study of Optuna's, which has a seed and says nothing."""
    optuna = _optuna()
    sampler = optuna.samplers.TPESampler(
        n_startup_trials=AT_RANDOM, multivariate=True, constant_liar=True, seed=seed
    )
    with _silent(optuna):
        return optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)


@contextmanager
def _silent(optuna: Any) -> Any:
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def _distribution(choices: Range | Sequence[str]) -> Any:
    kinds = _optuna().distributions
    if not isinstance(choices, Range):
        return kinds.CategoricalDistribution(list(choices))
    kind = kinds.IntDistribution if choices.whole else kinds.FloatDistribution
    return kind(choices.least, choices.most, log=choices.log)


def _values(suggested: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Return what is tried for what Optuna suggested."""
    return {
        name: choices.rounded(suggested[name]) if isinstance(choices, Range) else suggested[name]
        for name, choices in space.items()
    }


def _built(build: Callable[..., Experiment], values: Mapping[str, Any]) -> Experiment:
    try:
        experiment = build(**values)
    except InvalidValue as error:
        raise InvalidValue(f"build, for {told(values)}: {error}") from None
    if not isinstance(experiment, Experiment) or experiment.until is None:
        raise InvalidValue(
            f"build gave {told(experiment)} for {told(values)}; it must be an Experiment with a"
            " goal, until"
        )
    return experiment


def _logarithm(cost: float) -> float:
    """Costs differ by orders of magnitude; one that is not finite is the largest."""
    return math.log10(max(cost, 1e-9)) if cost < LARGEST else math.log10(LARGEST)
