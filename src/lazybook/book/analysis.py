"""From measurements to what the figures compare."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from lazybook.book.claims import with_minus
from lazybook.restrictions import AllSynapses
from lazybook.runs import Run
from lazybook.support.statistics import mean_interval
from lazybook.sweep import Sweep

RULE_FIELDS = ("n", "p_in", "fraction", "threshold", "decay")


def when_reached(run: Run, accuracies: np.ndarray, column: str) -> np.ndarray:
    """Return the ``column`` of ``run`` when its test accuracy first reached each of ``accuracies``.

    Between two measurements the accuracy is taken to grow linearly with the column's value. nan
    where an accuracy was not reached. Shape ``(accuracies,)``.
    """
    best = run.table["test_accuracy"].cummax()
    new = run.table[best > best.shift(fill_value=-1)]  # where a new best was measured
    return np.interp(accuracies, new["test_accuracy"], new[column], right=np.nan)


def common_accuracies(runs: list[Run], least: float, step: float = 0.001) -> np.ndarray:
    """Return the accuracies from ``least`` up that all ``runs`` reached, ``step`` apart."""
    best = min(run.table["test_accuracy"].max() for run in runs)
    accuracies = np.arange(least, best, step)
    return accuracies[accuracies <= best]  # rounding may carry the last one beyond


def ratio(run: Run, other: Run, column: str, least: float = 0.9) -> pd.Series:
    """Return ``run / other`` of ``column`` when each accuracy was first reached.

    Indexed by the accuracies from ``least`` up that both runs reached, 0.001 apart.
    """
    accuracies = common_accuracies([run, other], least)
    reached = [when_reached(each, accuracies, column) for each in (run, other)]
    return pd.Series(reached[0] / reached[1], index=accuracies)


def at_best_common(run: Run, other: Run, column: str) -> float:
    """Return ``run / other`` of ``column`` when each first reached the best accuracy of both.

    That is the lower one of their best accuracies.
    """
    best = min(each.table["test_accuracy"].max() for each in (run, other))
    reached = [when_reached(each, np.array([best]), column).item() for each in (run, other)]
    return reached[0] / reached[1]


def over_seeds(ratios: Mapping[tuple, float]) -> pd.Series:
    """Return the geometric means of ``ratios`` over seeds, as verdicts on ratios have them.

    Their keys end in the seed, as in ``(size, seed)``; nan where a seed has no value.
    """
    logarithms = np.log(pd.Series(ratios))
    conditions = logarithms.index.droplevel(-1)
    groups = logarithms.groupby(conditions, sort=False)
    return np.exp(groups.agg(lambda values: values.mean(skipna=False)))


def cut(run: Run, accuracy: float) -> Run:
    """Return ``run`` up to its first measurement of at least this test accuracy."""
    reached = run.table["test_accuracy"] >= accuracy
    last = reached.idxmax() if reached.any() else run.table.index[-1]
    return replace(run, table=run.table.loc[:last])


def spent(run: Run, accuracy: float) -> pd.Series:
    """Return the first measurement of ``run`` with at least this test accuracy.

    Its values are floats, and nan if the accuracy was never measured.
    """
    end = cut(run, accuracy).table.iloc[-1].astype(float)
    return end if end["test_accuracy"] >= accuracy else end * np.nan


@dataclass(frozen=True)
class PowerLaw:
    """The law ``y = factor * x**exponent``; ``interval`` is the 95 % interval of the exponent.

    It is nan where there is none, as for a single seed.
    """

    exponent: float
    interval: tuple[float, float]
    factor: float

    def spelled(self, symbol: str, variable: str = "H") -> str:
        r"""Return the law as a formula: ``$M_0 \sim H^{0.72}$ (95 % interval 0.67 to 0.77)``.

        ``symbol`` stands for y and ``variable`` for x.
        """
        return f"${symbol} \\sim {variable}^{{{self.exponent:z.2f}}}$ ({self.range})"

    @property
    def range(self) -> str:
        """The interval for a sentence: ``95 % interval −0.02 to 0.10``, or ``one seed``."""
        low, high = (with_minus(f"{end:z.2f}") for end in self.interval)
        return "one seed" if low == "nan" else f"95 % interval {low} to {high}"

    def __call__(self, x: np.ndarray | float) -> np.ndarray | float:
        """Return y."""
        return self.factor * x**self.exponent


def power_law(x: np.ndarray, y: np.ndarray) -> PowerLaw:
    """Fit a power law to ``y`` over ``x``: least squares on the logarithms, which must exist.

    With two points the interval is nan; the ``x`` must not all be one.
    """
    x, y = np.log(np.asarray(x, float)), np.log(np.asarray(y, float))
    fit = stats.linregress(x, y)
    error = fit.stderr if np.ptp(y) else 0.0  # SciPy has none for a level line
    half = stats.t.ppf(0.975, len(x) - 2) * error if len(x) > 2 else np.nan
    interval = (float(fit.slope - half), float(fit.slope + half))
    return PowerLaw(float(fit.slope), interval, float(np.exp(fit.intercept)))


def ends(sweep: Sweep) -> pd.DataFrame:
    """Return the ends of a sweep's runs (`lazybook.sweep.Sweep.ends`) with its rules as columns.

    ``rule`` names the restrictions, such as ``subnet & largest-per-layer``; ``n``, ``p_in``,
    ``fraction``, ``threshold`` and ``decay`` are what restrictions and caching set, nan where a run
    has no such rule.
    """
    rows = []
    for run in sweep.runs:
        parts = run.experiment.restriction.parts or (AllSynapses(),)
        values = {
            name: getattr(rule, name)
            for rule in (*parts, run.experiment.caching)
            for name in RULE_FIELDS
            if hasattr(rule, name)
        }
        rows.append({"rule": " & ".join(str(part).split(":")[0] for part in parts)} | values)
    return sweep.ends().join(pd.DataFrame(rows, columns=["rule", *RULE_FIELDS]))


def reached(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the ends of runs (`lazybook.sweep.Sweep.ends`) with nan for what was never reached.

    In ``table``, a run that missed its goal, or diverged, has no energy and no time to the goal:
    its ``columns`` become nan.
    """
    return table.assign(**{name: table[name].where(table["reached"]) for name in columns})


def means(table: pd.DataFrame, by: str | Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Return the means of a table's ``columns`` ``by`` groups, nan where a row has no value."""
    return table.groupby(by)[list(columns)].agg(lambda values: values.mean(skipna=False))


def finite(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a table's ``column``, nan for what is infinite or 0, as a ratio with a missed goal."""
    return table[column].where(np.isfinite(table[column]) & (table[column] > 0))


def compared(table: pd.DataFrame, other: pd.DataFrame, column: str) -> pd.Series:
    """Return ``table / other`` of ``column``, indexed by size and seed, for sizes that both have.

    Both have one row for each size (``hidden``) and ``seed``. The ratio is inf where the first has
    no value, as when it missed its goal.

    Raises LookupError if a size and seed come twice, or if ``other`` lacks a seed at such a size:
    it would be left out in silence.
    """
    first, second = (each.set_index(["hidden", "seed"])[column] for each in (table, other))
    first = first[first.index.isin(second.index.unique("hidden"), level="hidden")]
    for values in (first, second):
        if not values.index.is_unique:
            raise LookupError(f"{column} has several values at one (H, seed)")
    lacking = first.index.difference(second.index)
    if len(lacking):
        raise LookupError(f"nothing to compare {column} with at (H, seed) = {list(lacking)}")
    return first.fillna(np.inf) / second.loc[first.index]


def laws(table: pd.DataFrame, column: str, x: str = "hidden") -> dict[int, PowerLaw | None]:
    """Return the power law of ``column`` against ``x``, for each seed that all sizes have.

    The ``table`` has one row a run. It is None for a seed that has only one size, or lacks a value,
    as when a goal was missed.
    """
    found = {}
    for seed, rows in table.groupby("seed"):
        if rows[x].nunique() == table[x].nunique():
            complete = len(rows) > 1 and rows[column].notna().all()
            found[seed] = power_law(rows[x], rows[column]) if complete else None
    return found


def exponents(table: pd.DataFrame, column: str) -> dict[int, float]:
    """Return the exponents of the `laws` of a ``column`` of ``table``; nan where there is none."""
    found = laws(table, column).items()
    return {seed: law.exponent if law else np.nan for seed, law in found}


def growth(table: pd.DataFrame, column: str, x: str = "hidden") -> PowerLaw:
    """Return the mean of the seeds' `laws`, with the interval of the mean, as verdicts have it.

    The exponent is nan if there is no law, or a seed has none.
    """
    found = laws(table, column, x).values()
    if not found or None in found:
        return PowerLaw(np.nan, (np.nan, np.nan), np.nan)
    exponent, interval = mean_interval([law.exponent for law in found])
    factor, _ = mean_interval([law.factor for law in found], log=True)
    return PowerLaw(exponent, interval or (np.nan, np.nan), factor)


def prediction(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval of a further ``y`` at each of ``at``, by the law `power_law` fits.

    To ``x`` and ``y``, of at least three points, that is. It is as wide as the scatter of the
    points around the law and the uncertainty of the law make it; whether the law still holds there,
    no fit can tell.
    """
    x, y, at = (np.log(np.asarray(values, float)) for values in (x, y, at))
    fit = stats.linregress(x, y)
    scatter = np.sum((y - fit.intercept - fit.slope * x) ** 2) / (len(x) - 2)
    away = (at - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
    variance = scatter * (1 + 1 / len(x) + away)
    half = stats.t.ppf(0.975, len(x) - 2) * np.sqrt(variance)
    middle = fit.intercept + fit.slope * at
    return np.exp(middle - half), np.exp(middle + half)


def lowest(x: np.ndarray, y: np.ndarray) -> float:
    """Return the ``x`` where ``y`` is least: the vertex of a parabola in the logarithms of both.

    It is fitted to the least value and up to two neighbours on each side, and kept between them.
    If ``y`` is least at an end, that end is returned: where it would be less, nobody knows. A ``y``
    that is nan does not count; nan if all are.
    """
    points = pd.Series(np.log(np.asarray(y, float)), np.log(np.asarray(x, float)))
    points = points.dropna().sort_index()
    if points.empty:
        return np.nan
    least = points.argmin()
    vertex = points.idxmin()
    if 0 < least < len(points) - 1:
        points = points.iloc[max(least - 2, 0) : least + 3]
        curvature, slope, _ = np.polyfit(points.index, points, 2)
        if curvature > 0:
            vertex = np.clip(-slope / (2 * curvature), points.index[0], points.index[-1])
    return float(np.exp(vertex))


def tortuosity(path: np.ndarray) -> float:
    """Return the length of ``path``, shape ``(points, weights)``, by its net displacement.

    It is 1 for a straight path, and nan for one that ends where it began.
    """
    length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    displacement = np.linalg.norm(path[-1] - path[0])
    return float(length / displacement) if displacement else float("nan")


def departure(path: np.ndarray, other: np.ndarray) -> float:
    """Return how far ``path`` gets from ``other``, at equal times, by the extent of the other.

    Both have shape ``(points, weights)``; the extent is the diagonal of the box around it.
    """
    distance = np.linalg.norm(path - other, axis=1).max()
    return float(distance / np.linalg.norm(np.ptp(other, axis=0)))


def pick(runs: list[Run], **fields) -> Run:
    """Return the one run whose experiment has these field values; rules may be spelled.

    Raises LookupError if there is none, or more than one.
    """
    found = [
        run
        for run in runs
        if all(run.experiment.to_dict()[name] == value for name, value in fields.items())
    ]
    if len(found) != 1:
        raise LookupError(f"{len(found)} runs have {fields}; there must be one")
    return found[0]


def band(runs: list[Run], column: str) -> pd.DataFrame:
    """Return mean, least and largest of ``column`` over runs, where all of them have a value.

    Indexed by the epoch; used to show seeds as a band.
    """
    columns = pd.concat([run.table.set_index("epoch")[column] for run in runs], axis=1).dropna()
    return pd.DataFrame(
        {"mean": columns.mean(axis=1), "low": columns.min(axis=1), "high": columns.max(axis=1)}
    )
