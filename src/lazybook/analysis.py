"""From measurements to what the figures compare."""

import numpy as np
import pandas as pd

from lazybook.runs import Run


def when_reached(run: Run, accuracies: np.ndarray, column: str) -> np.ndarray:
    """Return the value of ``column`` when the test accuracy first reached each of ``accuracies``.

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


def tortuosity(path: np.ndarray) -> float:
    """Return the length of ``path``, shape ``(points, weights)``, by its net displacement.

    It is 1 for a straight path, and nan for one that ends where it began.
    """
    length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    displacement = np.linalg.norm(path[-1] - path[0])
    return float(length / displacement) if displacement else float("nan")


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
    """Return mean, least and largest of ``column`` over runs that were measured alike.

    Indexed by the epoch; used to show seeds as a band.
    """
    columns = pd.concat([run.table.set_index("epoch")[column] for run in runs], axis=1)
    return pd.DataFrame(
        {"mean": columns.mean(axis=1), "low": columns.min(axis=1), "high": columns.max(axis=1)}
    )
