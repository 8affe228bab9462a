"""Time several learners by turns, on one core."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from lazybook.errors import InvalidValue

BLOCK = 20  # what is timed is a multiple of so many presentations


class Learner(Protocol):
    """An engine, or one of the loops in `loops` and `eager`."""

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, one after another."""


@dataclass
class Turns:
    """What one learner did when it was its turn.

    Attributes
    ----------
    seconds: time for one sample, float64 ``(rounds,)``.
    presented: number of samples presented to it, all in all.
    """

    seconds: np.ndarray
    presented: int


def check_torch() -> None:
    """Raise InvalidValue if PyTorch, whose loops are to be timed, is not installed."""
    if not torch_installed():
        raise InvalidValue("loops in PyTorch cannot be timed without it; install lazybook[torch]")


def torch_installed() -> bool:
    """Whether PyTorch, which is optional, can be imported."""
    return find_spec("torch") is not None


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this thread, and what it starts, on one core and all libraries on one thread."""
    with ExitStack() as before:
        if hasattr(os, "sched_setaffinity"):  # Linux
            cores = os.sched_getaffinity(0)
            before.callback(os.sched_setaffinity, 0, cores)
            os.sched_setaffinity(0, {max(cores)})
        if torch_installed():
            import torch

            before.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        before.enter_context(threadpool_limits(limits=1))
        yield


def timed(learner: Learner, samples: np.ndarray) -> float:
    """Return the seconds of this process that ``learner`` takes for these samples."""
    began = time.process_time()
    learner.learn(samples)
    return time.process_time() - began


def take_turns(
    learners: Mapping[str, Learner],
    samples: int,
    rounds: int,
    seconds: float,
    advance: Callable[[float], None] = lambda turns: None,
) -> dict[str, Turns]:
    """Time ``learners`` A B C, A B C, …, so that whatever else the machine does hits all alike.

    A turn is a piece of learning that takes about ``seconds``, or all the samples once. Each
    learner goes through them in their order, from the first again after the last. First each has
    turns that do not count: in these, code is compiled and caches fill. Time is that of this
    process, whatever others take of the core.

    Parameters
    ----------
    samples: number of training samples, a multiple of `BLOCK`.
    rounds: turns of each learner.
    advance: called with 1 after each learner's preparation, and after each turn.
    """
    counts, order = {}, np.arange(samples)
    for name, learner in learners.items():
        learner.learn(order[:BLOCK])
        blocks = int(seconds / max(timed(learner, order[:BLOCK]), 1e-9))
        counts[name] = min(max(blocks, 1) * BLOCK, samples)
        learner.learn(order[: counts[name]])  # JAX compiles for each length
        advance(1)
    taken = {name: np.empty(rounds) for name in learners}
    for turn in range(rounds):
        for name, learner in learners.items():
            part = (turn * counts[name] + np.arange(counts[name])) % samples
            taken[name][turn] = timed(learner, part) / counts[name]
            advance(1)
    return {name: Turns(taken[name], 2 * BLOCK + (rounds + 1) * counts[name]) for name in learners}
