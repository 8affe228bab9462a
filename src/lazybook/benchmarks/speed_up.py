"""How much faster lazy learning is than learning everything, beside what a sample costs.

Networks of the fast engine really learn by both rules. What a sample costs is measured in two more,
whose rate of learning is so small that they stay as they are: of the one all answers are right, so
that it only looks at the samples; of the other all are wrong, so that it learns them. All four take
turns, a piece of the samples at a time, so that whatever else the machine does hits all alike:
quotients count, not the seconds.

What was found is published, in ``results/speed_up.json``, and measured anew by
``python -m lazybook.benchmarks.speed_up``.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lazybook import datasets, engines
from lazybook.benchmarks import cases
from lazybook.benchmarks.timing import BLOCK, Learner, one_core, timed
from lazybook.datasets import Dataset
from lazybook.engines.contract import Start
from lazybook.errors import RecordError
from lazybook.experiment import preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.runs import provenance
from lazybook.support import paths, progress
from lazybook.support.randomness import Streams

SETS = {"MNIST": "mnist", "Fashion-MNIST": "fashion-mnist", "deformed MNIST": "deformed-mnist"}
SIZES = (100, 200, 500, 1000)  # hidden units, as on the page of Figure 2
SEEDS = (0, 1, 2, 3, 4)
SAMPLES, EPOCHS = 20_000, 3
PIECE = 25 * BLOCK  # samples of a turn
GATES = {"backprop": EverySample(), "lazy": MemorizedMistakes()}
COSTS = {"looked": 0.0, "learned": 1.0}  # shares that are learned


@dataclass(frozen=True)
class Times:
    """What samples took.

    Attributes
    ----------
    table: a row for each ``dataset`` (of `SETS`), number of ``hidden`` units and ``seed``, with the
        seconds of a sample in a run by ``backprop`` and by ``lazy`` learning; if it is only
        ``looked`` at, and if it is ``learned``; and the ``share`` that lazy learning learned.
    source: where and when it was measured, for a sentence on a page; empty if it was here.
    """

    table: pd.DataFrame
    source: str = ""


def measure(
    name: str,
    hidden: Iterable[int] = SIZES,
    seeds: Iterable[int] = SEEDS,
    samples: int = SAMPLES,
    epochs: int = EPOCHS,
) -> Times:
    """Time networks that learn the first ``samples``, a multiple of `BLOCK`, of a data set.

    Raises KeyError if ``name`` is not among `SETS`; and InvalidValue or DataError as
    `lazybook.datasets.load` does.
    """
    word = SETS[name]
    made = "deformed" in word
    dataset = datasets.load(f"{word}:{samples}" if made else f"{word}/samples:0-{samples - 1}")
    pairs = [(size, seed) for size in hidden for seed in seeds]
    with one_core(), progress.shown(len(pairs), f"timing on {name}") as advance:
        rows = []
        for size, seed in pairs:
            rows.append({"dataset": name, "hidden": size, "seed": seed})
            rows[-1] |= _seconds(size, seed, dataset, epochs)
            advance(1)
    return Times(pd.DataFrame(rows))


def _seconds(hidden: int, seed: int, dataset: Dataset, epochs: int) -> dict[str, float]:
    samples, streams = len(dataset.train), Streams(seed)
    learners: dict[str, Learner] = {}
    for rule, gate in GATES.items():
        experiment = preset("lazy", hidden=hidden, gate=gate, seed=seed)
        start = Start.draw(experiment, dataset, Streams(seed))
        learners[rule] = engines.build(experiment, dataset, start)
    for cost, share in COSTS.items():
        case = cases.lazy(hidden, share)
        labelled = cases.answered(case, dataset, start, streams)
        learners[cost] = engines.build(case.experiment, labelled, start)
    order = [streams.next_epoch(samples, "permutation") for _ in range(epochs)]
    seconds = dict.fromkeys(learners, 0.0)
    for epoch in order:
        for begin in range(0, samples, PIECE):
            for kind, learner in learners.items():
                seconds[kind] += timed(learner, epoch[begin : begin + PIECE])
    presented = epochs * samples
    for cost, share in COSTS.items():
        cases.check_learned("numba", learners[cost], cases.lazy(hidden, share), presented)
    each = {kind: taken / presented for kind, taken in seconds.items()}
    return each | {"share": learners["lazy"].meter.updates / presented}


def published(path: Path | None = None) -> Times:
    """Return the published times; none are there outside a copy of the repository.

    Raises RecordError if they cannot be read.
    """
    folder = paths.published()
    path = path or (folder and folder / "speed_up.json")
    if path is None or not path.exists():
        return Times(pd.DataFrame())
    try:
        record = json.loads(path.read_text("utf8"))
        made = record["provenance"]
        return Times(pd.DataFrame(record["rows"]), f"{made['machine']}, on {made['date'][:10]}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"the published times {path} cannot be read: {error!r}") from None


def publish(path: Path, names: Iterable[str] = SETS, **what) -> None:
    """Measure, by `measure` with ``what``, and write it and how it came about to ``path``."""
    began = time.process_time()
    table = pd.concat([measure(name, **what).table for name in names], ignore_index=True)
    made = provenance(cases.images(), time.process_time() - began)
    kept = {"dataset", "data_checksum"}
    made = {name: value for name, value in made.items() if name not in kept}
    rows = table.map(lambda value: float(f"{value:.4g}") if isinstance(value, float) else value)
    record = {"rows": rows.to_dict("records"), "provenance": made}
    path.write_text(json.dumps(record, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    publish(paths.published() / "speed_up.json")
