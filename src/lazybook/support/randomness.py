"""The random numbers of a run: independent streams from one seed, drawn outside the engines.

Every engine is handed the same numbers, so engines agree step by step up to rounding, and no
stream changes because another one is used more. What is drawn anew for each presentation is a
function of a key and the presentation's number, so that no engine has to draw what it does not
need.
"""

import numpy as np

from lazybook.errors import check_one_of, check_whole
from lazybook.support.compiling import compiled

# Places of the noise that buffers need, see `lazybook.engines.contract.Engine`, and of that for the
# last layer; lower ones are the restrictions' of the layers before.
ARRIVAL, RECALL, TO_OUTPUTS = 1 << 60, (1 << 60) + 1, (1 << 60) + 2


class Streams:
    """The streams of one ``seed``, a whole number from 0. Raises InvalidValue for another.

    Of an experiment that comes after others, ``place`` is how many. Its order and its key are its
    own; masks and ties are those of the seed, so that the same synapses stay plastic.

    Attributes
    ----------
    weights, masks, ties: generators for initial weights, masks that stay, and the order of ties.
    key: of the numbers that `noise` gives.
    """

    def __init__(self, seed: int, place: int = 0) -> None:
        seed = check_whole("seed", seed, 0, 2**128)
        weights, order, masks, ties, key = np.random.SeedSequence(seed).spawn(5)
        if place:
            order, key = order.spawn(place)[-1], key.spawn(place)[-1]
        self.weights = np.random.default_rng(weights)
        self.masks = np.random.default_rng(masks)
        self.ties = np.random.default_rng(ties)
        self.key = key.generate_state(1, np.uint64)[0]
        self._order = np.random.default_rng(order)

    def next_epoch(self, samples: int, order: str) -> np.ndarray:
        """Draw the order of the next epoch: int64 indices of shape ``(samples,)``.

        ``order`` is one of `lazybook.experiment.ORDERS`; raises InvalidValue for another.
        """
        check_one_of("order", order, ("permutation", "replacement", "in-turn"))
        if order == "in-turn":
            return np.arange(samples)
        if order == "permutation":
            return self._order.permutation(samples)
        return self._order.integers(samples, size=samples)


@compiled
def noise(key, presentation, place):
    """Return a pseudo-random uint64, a function of its arguments alone.

    Two rounds of the mixer of Steele, Lea & Flood 2014 (splitmix64).
    """
    number = np.uint64(key)
    for counter in (presentation, place):
        number += np.uint64(counter + 1) * np.uint64(0x9E3779B97F4A7C15)
        number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        number ^= number >> np.uint64(31)
    return number


@compiled
def shuffle(units, number, key, presentation):
    """Bring ``number`` of the ``units``, chosen at random, to their front, in place.

    The first steps of Fisher and Yates's shuffle.
    """
    for place in range(number):
        left = np.uint64(len(units) - place)
        other = place + np.int64(noise(key, presentation, place) % left)
        units[place], units[other] = units[other], units[place]


@compiled
def draw_mask(mask, probability, layer, key, presentation):
    """Draw the bool ``mask`` of a layer of synapses, ``[from, to]``, for one presentation."""
    limit = np.uint64(probability * 2.0**53)
    rows, columns = mask.shape
    for i in range(rows):
        for j in range(columns):
            place = (np.int64(layer + 1) << 40) + i * columns + j
            mask[i, j] = noise(key, presentation, place) >> np.uint64(11) < limit
