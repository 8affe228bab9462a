"""What runs would have cost in an ordinary PyTorch loop, on this machine.

The time that a gate saves depends on what learning a sample costs next to finding out that it need
not be learned. In the engines of this package that is another ratio than in most programs. So both
are timed in the loop that most would write, and multiplied with the counts of a run.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lazybook.benchmarks import cases, loops
from lazybook.benchmarks.timing import one_core, take_turns
from lazybook.support import progress


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


def measure(hidden: Iterable[int], rounds: int = 9) -> dict[int, Cost]:
    """Time lazy learning by `loops.EagerLoop` for these sizes of the hidden layer.

    Two loops take turns: one whose gate lets no sample through, and one that learns them all. The
    medians over the ``rounds`` count. A size takes a second or two.
    """
    shares = {"forward": 0.0, "both": 1.0}
    sizes, costs = list(hidden), {}
    turns = len(sizes) * len(shares) * (rounds + 1)
    with one_core(), progress.shown(turns, "timing PyTorch") as advance:
        for size in sizes:
            timed = {name: cases.lazy(size, learned) for name, learned in shares.items()}
            built, samples = {}, 0
            for name, case in timed.items():
                dataset, start = cases.data_for(case)
                built[name] = loops.EagerLoop(case.experiment, dataset, start)
                samples = len(dataset.train)
            turn = take_turns(built, samples, rounds, cases.SECONDS, advance)
            for name, loop in built.items():
                cases.check_learned("eager", loop, timed[name], turn[name].presented)
            forward, both = (float(np.median(turn[name].seconds)) for name in shares)
            costs[size] = Cost(forward, both - forward)
    return costs
