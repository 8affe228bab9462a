"""What runs would have cost in an ordinary PyTorch loop.

The time that a gate saves depends on what learning a sample costs next to finding out that it need
not be learned. In the engines of this package that is another ratio than in most programs. So both
are timed in the loop that most would write, and multiplied with the counts of a run.

Some measurements are published, in ``results/costs.json``. The paper profile uses them, so that its
pages say the same wherever they are made, and so does whoever has no PyTorch. They are measured
anew, on a machine that does nothing else, by ``python -m lazybook.benchmarks.cost``.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lazybook.benchmarks import cases
from lazybook.benchmarks.timing import check_torch, one_core, take_turns, torch_installed
from lazybook.errors import InvalidValue, RecordError
from lazybook.runs import provenance
from lazybook.support import paths, progress

SIZES = (30, 100, 200, 300, 500, 1000, 2000, 3000, 10_000)  # hidden units, to be published
HERE = "measured on this machine while this page was made"


@dataclass(frozen=True)
class Cost:
    """Seconds that a sample takes in an eager PyTorch loop, on one core.

    Attributes
    ----------
    forward: the forward pass, and the gate's decision.
    update: beyond that, if the sample is learned: loss, backward pass and the optimizer's step.
    """

    forward: float
    update: float

    def seconds(self, table: pd.DataFrame) -> pd.Series:
        """Return the time until each measurement of a run, from its counts in ``table``."""
        return self.forward * table["samples"] + self.update * table["updates"]


class Costs(dict[int, Cost]):
    """The cost at each number of hidden units.

    Attributes
    ----------
    source: where and when it was measured, for a sentence on a page.
    """

    def __init__(self, costs: Mapping[int, Cost], source: str) -> None:
        super().__init__(costs)
        self.source = source


def costs(hidden: Iterable[int], profile: str) -> Costs:
    """Return what learning costs at these sizes of the hidden layer.

    The published costs for the paper profile, or where PyTorch is not installed; else, or if a size
    was not published, costs that are measured now.

    Raises
    ------
    InvalidValue: a size was not published, and PyTorch is not installed.
    RecordError: the published costs cannot be read.
    """
    sizes = list(hidden)
    if profile == "paper" or not torch_installed():
        known = published()
        if known.keys() >= {*sizes}:
            return Costs({size: known[size] for size in sizes}, known.source)
        if not torch_installed():
            raise InvalidValue(
                f"hidden is {sizes}; what an update costs in PyTorch is published for"
                f" {sorted(known) or 'none outside a copy of the repository'}: choose from these,"
                " or install lazybook[torch] to measure it"
            )
    return measure(sizes)


def published(path: Path | None = None) -> Costs:
    """Return the published costs; none are there outside a copy of the repository.

    Raises RecordError if they cannot be read.
    """
    path = path or _place()
    if path is None or not path.exists():
        return Costs({}, "")
    try:
        record = json.loads(path.read_text("utf8"))
        made = record["provenance"]
        return Costs(
            {int(size): Cost(**cost) for size, cost in record["seconds"].items()},
            f"measured on {made['machine']}, on {made['date'][:10]} with PyTorch"
            f" {made['packages']['torch']}, and published",
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"the published costs {path} cannot be read: {error!r}") from None


def measure(hidden: Iterable[int], rounds: int = 9) -> Costs:
    """Time lazy learning by `eager.EagerLoop` for these sizes of the hidden layer.

    Two loops take turns: one whose gate lets no sample through, and one that learns them all. The
    medians over the ``rounds`` count. A size takes a second or two.

    Raises InvalidValue if PyTorch is not installed.
    """
    check_torch()
    from lazybook.benchmarks.eager import EagerLoop

    shares = {"forward": 0.0, "both": 1.0}
    sizes, found = list(hidden), {}
    turns = len(sizes) * len(shares) * (rounds + 1)
    with one_core(), progress.shown(turns, "timing PyTorch") as advance:
        for size in sizes:
            timed = {name: cases.lazy(size, learned) for name, learned in shares.items()}
            built, samples = {}, 0
            for name, case in timed.items():
                dataset, start = cases.data_for(case)
                built[name] = EagerLoop(case.experiment, dataset, start)
                samples = len(dataset.train)
            turn = take_turns(built, samples, rounds, cases.SECONDS, advance)
            for name, loop in built.items():
                cases.check_learned("eager", loop, timed[name], turn[name].presented)
            forward, both = (float(np.median(turn[name].seconds)) for name in shares)
            found[size] = Cost(forward, both - forward)
    return Costs(found, HERE)


def publish(path: Path, hidden: Iterable[int] = SIZES, rounds: int = 9) -> None:
    """Measure the costs and write them, and how they came about, to ``path``."""
    began = time.perf_counter()
    seconds = {
        size: {part: float(f"{taken:.4g}") for part, taken in asdict(cost).items()}
        for size, cost in measure(hidden, rounds).items()
    }
    made = provenance(cases.images(), time.perf_counter() - began)
    record = {"seconds": seconds, "rounds": rounds, "provenance": made}
    path.write_text(json.dumps(record, indent=1) + "\n", "utf8")


def _place() -> Path | None:
    folder = paths.published()
    return folder / "costs.json" if folder else None


if __name__ == "__main__":
    publish(_place(), rounds=49)
