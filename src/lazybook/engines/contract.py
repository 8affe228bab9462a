"""What every engine does; the trainers need to know no more."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lazybook.datasets import Split
from lazybook.energy import Meter


@dataclass(frozen=True)
class Evaluation:
    """How well a network does on a data set: fraction correct and mean loss."""

    accuracy: float
    loss: float


class Engine(Protocol):
    """A network in training, built as ``Engine(experiment, dataset, weights)``.

    ``weights`` are the initial weights, float32, ``[from, to]`` with the bias row, a layer each.
    Random numbers are drawn outside, so that all engines learn alike. An engine that cannot do
    what the experiment asks for raises InvalidValue when it is built.

    Attributes
    ----------
    meter: what learning has cost so far.
    weights: copies of the weight matrices as they are now.
    memory: which training samples are remembered, bool, shape ``(samples,)``.
    """

    meter: Meter

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices (int64), one after another."""

    def evaluate(self, split: Split) -> Evaluation:
        """Return accuracy and mean loss on ``split``; nothing is learned."""

    @property
    def weights(self) -> list[np.ndarray]: ...

    @property
    def memory(self) -> np.ndarray: ...
