"""What it costs to ask the gate: learning where the memory lets every sample through."""

from dataclasses import replace

import numpy as np

from lazybook import datasets, engines
from lazybook.benchmarks.timing import Learner, one_core, take_turns
from lazybook.engines.contract import Start
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, Gate, MemorizedMistakes
from lazybook.support.randomness import Streams

SAMPLES = 2000


def gate_overhead(hidden: int, seed: int, rounds: int = 9, seconds: float = 0.05) -> float:
    """Return the time of a sample that lazy learning learns, relative to backprop's.

    The fast engine learns MNIST. In the one network every sample is remembered from the start, so
    that both learn all samples, and the same; what differs is that the one looks into its memory.

    Parameters
    ----------
    hidden: number of hidden units.
    seed: of the networks.
    rounds, seconds: turns of each network, and how long they are; the median counts.
    """
    mnist = datasets.load("mnist")

    def learner(gate: Gate) -> Learner:
        experiment = Experiment(hidden=hidden, seed=seed, gate=gate)
        start = Start.draw(experiment, mnist, Streams(seed))
        start = replace(start, memory=np.ones(len(mnist.train), bool))
        return engines.build(experiment, mnist, start)

    learners = {"backprop": learner(EverySample()), "gated": learner(MemorizedMistakes())}
    with one_core():
        turns = take_turns(learners, SAMPLES, rounds, seconds)
    return float(np.median(turns["gated"].seconds / turns["backprop"].seconds))
