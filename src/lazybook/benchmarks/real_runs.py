"""Runs in an ordinary PyTorch loop, beside the time that `cost` models for them.

On the pages, the time that a run takes in PyTorch is modelled: its counts times what a sample
costs. Here networks really learn images of MNIST in that loop, by backprop and by lazy learning,
and their time is divided by the modelled one. The costs that go into it are measured by turns with
the runs, so that whatever else the machine does hits both alike: the quotients count, not the
seconds.

What was found is published, in ``results/pytorch_runs.json``, and measured anew by
``python -m lazybook.benchmarks.real_runs``.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lazybook.benchmarks import cases, cost
from lazybook.benchmarks.cases import Spread
from lazybook.benchmarks.timing import check_torch, one_core, timed
from lazybook.engines.contract import Start
from lazybook.errors import RecordError
from lazybook.experiment import preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.runs import provenance
from lazybook.support import paths
from lazybook.support.randomness import Streams

SIZES = (100, 200, 500, 1000)  # hidden units, as on the page of Figure 2
SAMPLES, EPOCHS, ROUNDS = 5000, 2, 9
GATES = {"backprop": EverySample(), "lazy": MemorizedMistakes()}


@dataclass(frozen=True)
class Check:
    """Real time divided by modelled time, for networks of one size.

    Attributes
    ----------
    backprop, lazy: of a run by this rule.
    gain: of the time of lazy learning relative to backprop.
    learned: share of the samples that lazy learning learned.
    """

    backprop: Spread
    lazy: Spread
    gain: Spread
    learned: Spread


class Checks(dict[int, Check]):
    """A check at each number of hidden units.

    Attributes
    ----------
    source: where and when it was measured, for a sentence on a page.
    """

    def __init__(self, checks: Mapping[int, Check], source: str) -> None:
        super().__init__(checks)
        self.source = source


def measure(hidden: Iterable[int] = SIZES, rounds: int = ROUNDS) -> dict[int, Check]:
    """Time runs of both rules at these sizes of the hidden layer, and the costs of a sample.

    Each of the ``rounds`` has networks and costs of its own.

    Raises InvalidValue if PyTorch is not installed.
    """
    check_torch()
    return {size: _check(size, rounds) for size in hidden}


def _check(hidden: int, rounds: int) -> Check:
    from lazybook.benchmarks.eager import EagerLoop

    dataset = cases.images(samples=SAMPLES)
    order = np.tile(np.arange(SAMPLES), EPOCHS)
    quotients = {rule: np.empty(rounds) for rule in GATES}
    learned = np.empty(rounds)
    for seed in range(rounds):
        price = cost.measure([hidden], rounds=5)[hidden]
        for rule, gate in GATES.items():
            experiment = preset("lazy", hidden=hidden, gate=gate, seed=seed)
            loop = EagerLoop(experiment, dataset, Start.draw(experiment, dataset, Streams(seed)))
            with one_core():
                real = timed(loop, order)
            modelled = price.forward * len(order) + price.update * loop.updates
            quotients[rule][seed] = real / modelled
        learned[seed] = loop.updates / len(order)
    gain = quotients["lazy"] / quotients["backprop"]
    return Check(
        **{rule: Spread.of(each) for rule, each in quotients.items()},
        gain=Spread.of(gain),
        learned=Spread.of(learned),
    )


def published(path: Path | None = None) -> Checks:
    """Return the published checks; none are there outside a copy of the repository.

    Raises RecordError if they cannot be read.
    """
    folder = paths.published()
    path = path or (folder and folder / "pytorch_runs.json")
    if path is None or not path.exists():
        return Checks({}, "")
    try:
        record = json.loads(path.read_text("utf8"))
        made = record["provenance"]
        checks = {
            int(size): Check(**{name: Spread(**spread) for name, spread in check.items()})
            for size, check in record["real by modelled"].items()
        }
        return Checks(
            checks,
            f"{record['rounds']} rounds on {made['machine']}, on {made['date'][:10]} with PyTorch"
            f" {made['packages']['torch']}",
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"the published runs {path} cannot be read: {error!r}") from None


def publish(path: Path, hidden: Iterable[int] = SIZES, rounds: int = ROUNDS) -> None:
    """Measure, and write what was found and how it came about to ``path``."""
    began = time.perf_counter()
    found = {size: asdict(check) for size, check in measure(hidden, rounds).items()}
    made = provenance(cases.images(samples=SAMPLES), time.perf_counter() - began)
    record = {"real by modelled": found, "rounds": rounds, "provenance": made}
    path.write_text(json.dumps(record, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    publish(paths.published() / "pytorch_runs.json")
