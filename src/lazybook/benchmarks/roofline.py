"""How fast could one core learn at best? As fast as its caches hand out the synapses.

A step of learning does few operations for each synapse that it touches, so what bounds it is
moving them: loading them to compute the outputs, and changing them in place. Both rates are
measured here, for the nearest place that has room for all of the network: the second cache, the
third, or memory.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lazybook.caching import SynapticCaching
from lazybook.datasets import Dataset
from lazybook.engines.contract import Start
from lazybook.engines.numba_cpu import apart
from lazybook.experiment import Experiment
from lazybook.restrictions import number_selected
from lazybook.support.compiling import compiled

BYTES = 4  # of a synapse, float32
# Where the system does not tell its caches' sizes: what nearly every processor has at least.
USUAL_CACHES = {"L2": 512 * 1024, "L3": 4 * 1024**2}
LARGE = 2**28  # bytes that are as far away as memory can be, if twice the last cache are more
SYSTEM = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Level:
    """A cache, or memory, and its measured rates, in bytes per second.

    ``size`` is in bytes, infinite for memory. ``load`` is for reading; ``change`` for reading and
    writing back, each byte counted once.
    """

    name: str
    size: float
    load: float
    change: float


@dataclass(frozen=True)
class Traffic:
    """Bytes of synapses that one presentation has to move, on average.

    ``held`` are those of the whole network, with its masks.
    """

    loaded: float
    changed: float
    held: float

    def level(self, levels: Sequence[Level]) -> Level:
        """Return the first of the ``levels`` that has room for the network."""
        return next(level for level in levels if self.held <= level.size)

    def bound(self, levels: Sequence[Level]) -> float:
        """Return the seconds that moving these bytes takes there: no program can be faster."""
        level = self.level(levels)
        return self.loaded / level.load + self.changed / level.change


def measure_levels(repeats: int = 30) -> list[Level]:
    """Measure this core's second and third cache and memory; the best of ``repeats`` counts."""
    sizes, levels = cache_sizes(), []
    for name, size in (sizes | {"memory": math.inf}).items():
        used = min(2 * max(sizes.values()), LARGE) if size == math.inf else size // 2
        numbers = apart(used // BYTES).view(np.int64)
        numbers[:] = 1  # memory that was never written to is not there yet
        passes = max(1, 2**26 // numbers.nbytes)  # some milliseconds
        rates = {
            loop: max(_rate(loop, numbers, passes) for _ in range(repeats))
            for loop in (add_up, raise_all)
        }
        levels.append(Level(name, size, rates[add_up], rates[raise_all]))
    return levels


def cache_sizes(system: Path = SYSTEM) -> dict[str, int]:
    """Return the sizes in bytes of this core's second and third cache.

    They are what Linux tells below ``system``, or `USUAL_CACHES`.
    """
    sizes = {}
    for level in sorted(system.glob("cpu0/cache/index*")):
        number, kind, size = (
            (level / name).read_text().strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction" and number in ("2", "3"):
            sizes[f"L{number}"] = int(size.removesuffix("K")) * 1024
    return USUAL_CACHES | sizes


def _rate(loop, numbers: np.ndarray, passes: int) -> float:
    began = time.process_time()
    loop(numbers, passes)
    return passes * numbers.nbytes / max(time.process_time() - began, 1e-9)


# Whole numbers, as adding them takes one cycle: what is waited for is the memory.
@compiled
def add_up(numbers, passes):
    """Return the sum of ``numbers``, added up again and again."""
    total = 0
    for _ in range(passes):
        for n in range(numbers.shape[0]):
            total += numbers[n]
        numbers[0] += total & 1  # so that no pass can be left out
    return total


@compiled
def raise_all(numbers, passes):
    """Add 1 to each of ``numbers``, again and again."""
    for _ in range(passes):
        for n in range(numbers.shape[0]):
            numbers[n] += 1


def traffic(experiment: Experiment, dataset: Dataset, start: Start, learned: float) -> Traffic:
    """Return what one presentation has to move, if the share ``learned`` of them is learned.

    Loaded are the rows of the inputs that are not zero, or with zero-mean inputs not the
    background, and the readout; changed are those of the synapses that are plastic. A synapse
    mask and the transient parts are loaded too. With synaptic caching what changes is the
    transient part.
    """
    plan, train, (inputs, units) = start.plan, dataset.train, start.weights[0].shape
    outputs = start.weights[1].shape[1]
    rows = np.count_nonzero(train.values) / len(train) + 1
    cached = isinstance(experiment.caching, SynapticCaching)

    loaded = (1 + cached) * (rows * units + outputs * units)
    plastic = plan.unit_count or units
    changed = rows * plastic
    if plan.largest:
        competing = inputs if plan.largest.per == "neuron" else inputs * plastic
        number = number_selected(plan.largest.fraction, competing)
        changed = min(changed, number * (plastic if plan.largest.per == "neuron" else 1))
    if plan.mask:
        loaded += learned * rows * units / BYTES  # a byte for each synapse
    changed += outputs * (plastic if plan.outputs_of_units else units)
    parts = 1 + cached + bool(plan.mask) / BYTES
    held = parts * sum(layer.size for layer in start.weights)
    return Traffic(BYTES * loaded, BYTES * learned * changed, BYTES * held)
