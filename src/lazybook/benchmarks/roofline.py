"""How fast could one core learn at best? As fast as its caches hand out the synapses.

A step of learning does few operations for each synapse that it touches, so what bounds it is
moving them: loading them to compute the outputs, and changing them in place. Both rates are
measured here, for memory that fits into the first and into the second cache.
"""

import time
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
USUAL_CACHES = {"L1": 32 * 1024, "L2": 512 * 1024}
SYSTEM = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Cache:
    """A level of cache and its measured rates, in bytes per second.

    ``load`` is for reading; ``change`` for reading and writing back, each byte counted once.
    """

    name: str
    size: int
    load: float
    change: float


@dataclass(frozen=True)
class Traffic:
    """Bytes of synapses that one presentation has to move, on average."""

    loaded: float
    changed: float

    def seconds(self, cache: Cache) -> float:
        """Return the time that takes if all of them are in ``cache``: the bound."""
        return self.loaded / cache.load + self.changed / cache.change


def measure_caches(repeats: int = 30) -> list[Cache]:
    """Measure the first two levels of cache of this core; the best of ``repeats`` counts."""
    caches = []
    for name, size in cache_sizes().items():
        numbers = apart(size // 2 // BYTES).view(np.int64)
        numbers[:] = 1  # memory that was never written to is not there yet
        passes = max(1, 2**26 // numbers.nbytes)  # some milliseconds
        rates = {
            loop: max(_rate(loop, numbers, passes) for _ in range(repeats))
            for loop in (add_up, raise_all)
        }
        caches.append(Cache(name, size, rates[add_up], rates[raise_all]))
    return caches


def cache_sizes(system: Path = SYSTEM) -> dict[str, int]:
    """Return the sizes in bytes of this core's first two levels of data cache.

    They are what Linux tells below ``system``, or `USUAL_CACHES`.
    """
    sizes = {}
    for level in sorted(system.glob("cpu0/cache/index*")):
        number, kind, size = (
            (level / name).read_text().strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction" and number in ("1", "2"):
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
    transient part, under every input that is not zero.
    """
    plan, train, (inputs, units) = start.plan, dataset.train, start.weights[0].shape
    outputs = start.weights[1].shape[1]
    rows = np.count_nonzero(train.values) / len(train) + 1
    cached = isinstance(experiment.caching, SynapticCaching)

    loaded = (1 + cached) * (rows * units + outputs * units)
    plastic = plan.unit_count or units
    changed = rows * plastic
    if cached and train.offset:
        changed = inputs * plastic
    if plan.largest:
        competing = inputs if plan.largest.per == "neuron" else inputs * plastic
        number = number_selected(plan.largest.fraction, competing)
        changed = min(changed, number * (plastic if plan.largest.per == "neuron" else 1))
    if plan.mask:
        loaded += learned * rows * units / BYTES  # a byte for each synapse
    changed += outputs * (plastic if plan.outputs_of_units else units)
    return Traffic(BYTES * loaded, BYTES * learned * changed)
