"""What every engine is given and what it does; the trainers need to know no more."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from lazybook import networks, restrictions
from lazybook.datasets import Dataset, Facts, Split
from lazybook.energy import Meter
from lazybook.experiment import Experiment
from lazybook.restrictions import Plan
from lazybook.support.randomness import Streams

if TYPE_CHECKING:
    from lazybook.runs import Run


def network_shape(experiment: Experiment, facts: Facts) -> networks.Shape:
    """Return the shape of the network that ``experiment`` trains on the data of these facts."""
    return networks.shape(experiment.hidden, experiment.bias, facts.inputs, facts.classes)


@dataclass(frozen=True)
class Start:
    """What a run starts from, the same for every engine.

    Attributes
    ----------
    weights: initial weights, float32, ``[from, to]`` with the bias row, a layer each.
    memory: which training samples are remembered from the start, bool, shape ``(samples,)``.
    plan: the restriction, with its masks.
    tie_order: the order of the first layer's inputs (the bias among them) in which ties stand,
        a permutation, int64; see `lazybook.restrictions.largest`.
    key: for `lazybook.support.randomness.noise`.
    """

    weights: list[np.ndarray]
    memory: np.ndarray
    plan: Plan
    tie_order: np.ndarray
    key: np.uint64

    @classmethod
    def draw(
        cls,
        experiment: Experiment,
        dataset: Dataset,
        streams: Streams,
        before: "Run | None" = None,
    ) -> Self:
        """Draw what a run of ``experiment`` starts from, or take it from the run ``before`` it.

        Raises InvalidValue if initial weights or restriction do not fit the network.
        """
        shape = network_shape(experiment, dataset.facts)
        restrictions.check(experiment.restriction, shape)
        if before:
            weights = before.weights
        else:
            weights = networks.initial_weights(experiment.initial, shape, streams.weights)
        nothing = np.zeros(len(dataset.train), bool)
        return cls(
            weights,
            before.arrays["memory"] if before and experiment.keep_memory else nothing,
            Plan.draw(experiment.restriction, shape, dataset.classes, streams.masks),
            streams.ties.permutation(shape.layers[0][0]),
            streams.key,
        )


@dataclass(frozen=True)
class Evaluation:
    """How well a network does on a data set: fraction correct and mean loss."""

    accuracy: float
    loss: float


class Engine(Protocol):
    """A network in training, built as ``Engine(experiment, dataset, start)``.

    An engine that cannot do what the experiment asks for raises InvalidValue when it is built.

    **Divergence.** A network diverges when a sample is presented (or a batch, in the engine that
    has batches) and the squares of its outputs, added up in float32, are not finite: infinite or
    not a number. The outputs say no more, and no loss of them could be trusted. That sample is
    not judged, learned, remembered or counted, nothing is charged for it, and nothing more is
    presented, in this call of ``learn`` or a later one.

    Attributes
    ----------
    presented: number of samples presented, without the one at which the network diverged.
    diverged: whether the network has diverged.
    meter: what learning has cost so far.
    weights: copies of the weight matrices as they are now, the transient part included.
    memory: which training samples are remembered, bool, shape ``(samples,)``.
    buffer: the training samples that are kept, int64 ``(kept,)``, if the experiment has a buffer.
    synapse_updates: how often each synapse changed, int64, shaped like the weights; of no
        meaning if the experiment does not record it.
    """

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices (int64), one after another.

        Where the experiment has a buffer these are the samples that arrive. Each is presented, and
        then the buffer is asked for its place, see `lazybook.buffers`, with the noise of `ARRIVAL`
        at the number of samples presented before it. Then as many kept samples are presented as
        there are epochs, less one; which, says the noise of `RECALL` at the number presented
        before, modulo the number kept. As long as none is kept, none is presented.
        """

    def distance(self) -> float:
        """Return the energy of the straight path from the initial weights, see `energy.m_min`.

        It is not finite if one of the weights is not.
        """

    def evaluate(self, split: Split) -> Evaluation:
        """Return accuracy and mean loss on ``split``; nothing is learned."""

    @property
    def presented(self) -> int: ...

    @property
    def diverged(self) -> bool: ...

    @property
    def meter(self) -> Meter: ...

    @property
    def weights(self) -> list[np.ndarray]: ...

    @property
    def memory(self) -> np.ndarray: ...

    @property
    def buffer(self) -> np.ndarray: ...

    @property
    def synapse_updates(self) -> list[np.ndarray]: ...
