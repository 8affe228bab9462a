"""The random numbers of a run: independent streams from one seed, drawn outside the engines.

Every engine is handed the same arrays, so engines agree step by step up to rounding, and no
stream changes because another one is used more.
"""

import numpy as np


class Streams:
    """The streams of one ``seed``."""

    def __init__(self, seed: int) -> None:
        weights, order, masks, ties = np.random.SeedSequence(seed).spawn(4)
        self.weights = np.random.default_rng(weights)
        self.masks = np.random.default_rng(masks)
        self.tie_key = ties.generate_state(1, np.uint64)[0]
        self._order = np.random.default_rng(order)

    def next_epoch(self, samples: int, order: str) -> np.ndarray:
        """Draw the order of the next epoch: int64 indices of shape ``(samples,)``."""
        if order == "permutation":
            return self._order.permutation(samples)
        return self._order.integers(samples, size=samples)
