"""What is kept of a stream, and presented again: see `lazybook.buffers`."""

import numpy as np

from lazybook.engines.kernels.layout import ONLY_MISTAKES, RANDOM_SHARE, RESERVOIR
from lazybook.support.compiling import inner
from lazybook.support.randomness import ARRIVAL, RECALL, noise


@inner
def keep(sample, mistake, presented, rules, totals):
    """Put a sample that arrived into the buffer, or not."""
    arrived, kept = totals.counters[2], totals.counters[3]
    totals.counters[2] += 1
    number = noise(rules.key, presented, ARRIVAL)
    if rules.buffer == ONLY_MISTAKES and not mistake:
        return
    if rules.buffer == RANDOM_SHARE and number >> np.uint64(11) >= np.uint64(rules.share * 2.0**53):
        return
    if rules.buffer == RESERVOIR and kept == totals.buffer.shape[0]:
        place = np.int64(number % np.uint64(arrived + 1))
        if place < kept:
            totals.buffer[place] = sample
        return
    totals.buffer[kept] = sample
    totals.counters[3] += 1


@inner
def recall(rules, totals):
    """Return one of the samples in the buffer, drawn at random."""
    number = noise(rules.key, totals.counters[0], RECALL)
    return totals.buffer[np.int64(number % np.uint64(totals.counters[3]))]
