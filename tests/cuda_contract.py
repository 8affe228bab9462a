"""The contract of the engine `numba-cuda`: it learns what the reference engine learns.

Run by `tests/test_cuda.py`, in Numba's simulator of a GPU and, where there is one, on it. The
simulator is slow: a few networks with a few inputs, side by side.
"""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lazybook import caching, datasets, engines, restrictions, runs, trainers
from lazybook.datasets import Dataset, Split
from lazybook.engines import cuda_kernels
from lazybook.engines.contract import Start
from lazybook.engines.numba_cuda import Group
from lazybook.experiment import Experiment, grid
from lazybook.gates import EverySample, Margin, MemorizedMistakes, Mistakes
from lazybook.support import randomness
from lazybook.support.randomness import Streams
from lazybook.sweep import sweep

RELATIVE, ABSOLUTE = 3e-4, 3e-6  # of weights and energies in float32
PIXELS = [28 * row + column for row in range(8, 22, 3) for column in range(8, 22, 3)]
SAMPLES, PRESENTED = 40, 16
EVERY, PURE, LAZY = EverySample(), Mistakes(), MemorizedMistakes()
RULES = (
    ("mse", EVERY, "all", "immediate"),
    ("cross-entropy", LAZY, "all", "immediate"),
    ("half-mse", PURE, "subnet:3", "immediate"),
    ("mse", LAZY, "neuron-mask:3", "immediate"),
    ("cross-entropy", EVERY, "synapse-mask:0.4,0.7", "immediate"),
    ("perceptron", LAZY, "synapse-mask:0.6,0.5 & subnet:4", "immediate"),
    ("mse", EVERY, "all", "0.01,0.02,0.1"),
    ("cross-entropy", LAZY, "synapse-mask:0.5,0.6 & neuron-mask:4", "0.05,4,0.2"),
    ("half-mse", PURE, "subnet:4", "0"),
    ("half-mse", EVERY, "largest-per-layer:0.1", "immediate"),
    ("cross-entropy", EVERY, "largest-per-neuron:0.2", "immediate"),
    ("mse", LAZY, "subnet:4 & largest-per-layer:0.3", "0.003,0.02,0.1"),
    ("half-mse", EVERY, "largest-error-neurons:0.5 & largest-per-neuron:0.3", "immediate"),
    ("mse", EVERY, "synapse-mask:0.6,0.5 & most-active-neurons:0.4", "immediate"),
    ("mse", Margin(0.1), "all", "immediate"),
    ("cross-entropy", Margin(-0.05), "all", "immediate"),
)


def half(split: Split) -> Split:
    """A few samples with 25 pixels in place of 784, some of them without any ink."""
    values = np.ascontiguousarray(split.values[:SAMPLES, PIXELS])
    values[3] = 0
    labels = split.labels[:SAMPLES].copy()
    for array in (values, labels):
        array.setflags(write=False)
    return replace(split, values=values, labels=labels)


@pytest.fixture(scope="module", autouse=True)
def quick_turns():
    """The simulator's threads wait for each other all the time; let them take short turns."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(autouse=True)
def warnings_known(monkeypatch):
    """Python would add this name at the first warning, while the simulator goes through all."""
    for module in (cuda_kernels, randomness):
        monkeypatch.setattr(module, "__warningregistry__", {}, raising=False)


@pytest.fixture(scope="module")
def coarse() -> str:
    """The name of a data set that is small enough for the simulator."""
    mnist = datasets.load("mnist")
    return datasets.derived("coarse", half(mnist.train), half(mnist.test))


def experiments(dataset: str, **changes) -> list[Experiment]:
    """Experiments that differ in their rules, losses, seeds and rates."""
    base = Experiment(
        dataset=dataset, hidden=6, epochs=1, engine="numba-cuda", device="cuda", **changes
    )
    return [
        replace(base, loss=loss, gate=gate, restriction=restrictions.parse(rule),
                caching=caching.parse(cache), seed=seed, learning_rate=0.05 * (1 + seed % 4))
        for seed, (loss, gate, rule, cache) in enumerate(RULES)
    ]  # fmt: skip


def reference(experiment: Experiment, dataset: Dataset, start: Start):
    return engines.build(replace(experiment, engine="reference", device="cpu"), dataset, start)


@pytest.mark.filterwarnings("ignore:.*overflow encountered:RuntimeWarning")  # as uint64 should
@pytest.mark.parametrize(
    ("zero_mean", "bias", "activation"),
    [(False, "separate", "relu"), (True, "clamped-unit", "leaky-relu:0.1"), (True, "none", "relu")],
)
def test_networks_side_by_side_learn_what_the_reference_learns(coarse, zero_mean, bias, activation):
    dataset = datasets.load(coarse)
    dataset = dataset.zero_mean() if zero_mean else dataset
    given = experiments(coarse, zero_mean=zero_mean, bias=bias, activation=activation)
    starts = [Start.draw(e, dataset, Streams(e.seed)) for e in given]
    orders = [Streams(e.seed).next_epoch(SAMPLES, e.order)[:PRESENTED] for e in given]
    orders[1] = orders[1][:5]  # as many as there are, of each
    orders[2] = np.repeat(orders[2], 2)
    group = Group(given, dataset, starts)
    for part in (orders, [order[::-1] for order in orders]):
        group.learn(part)
    for n, (experiment, start) in enumerate(zip(given, starts, strict=True)):
        ours, theirs = group.networks[n], reference(experiment, dataset, start)
        theirs.learn(orders[n])
        theirs.learn(orders[n][::-1])
        assert ours.presented == theirs.presented == 2 * len(orders[n])
        assert ours.meter.updates == theirs.meter.updates > 0
        np.testing.assert_array_equal(ours.memory, theirs.memory)
        for name in ("m0", "pending_m0"):
            np.testing.assert_array_equal(getattr(ours.meter, name), getattr(theirs.meter, name))
        for name in ("m1", "pending_m1", "transient"):
            np.testing.assert_allclose(
                getattr(ours.meter, name), getattr(theirs.meter, name), rtol=RELATIVE
            )
        assert (ours.meter.transient > 0) == (experiment.caching.transient_cost > 0)
        for quick, plain in zip(ours.weights, theirs.weights, strict=True):
            np.testing.assert_allclose(quick, plain, rtol=RELATIVE, atol=ABSOLUTE)
        assert ours.distance() == pytest.approx(theirs.distance(), rel=RELATIVE)
        a, b = ours.evaluate(dataset.test), theirs.evaluate(dataset.test)
        assert a.accuracy == b.accuracy
        assert a.loss == pytest.approx(b.loss, rel=1e-4)
        if experiment.restriction.parts != (restrictions.AllSynapses(),):
            assert_fixed(ours.weights, start)


def assert_fixed(weights: list[np.ndarray], start: Start) -> None:
    """What no rule leaves plastic is what it was, to the last bit."""
    plan = start.plan
    plastic = [np.ones(layer.shape, bool) for layer in weights]
    if plan.units is not None:
        others = np.setdiff1d(np.arange(weights[0].shape[1]), plan.units[0])
        plastic[0][:, others] = False
        if plan.outputs_of_units:
            plastic[1][:] = np.isin(np.arange(len(weights[1])), plan.units[0])[:, None]
    for layer, mask in enumerate(plan.masks or ()):
        plastic[layer] &= mask[0]
    for after, before, free in zip(weights, start.weights, plastic, strict=True):
        np.testing.assert_array_equal(after[~free], before[~free])
        assert (after[free] != before[free]).any()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the simulator's numbers overflow aloud
def test_one_that_diverges_ends_alone(coarse):
    dataset = datasets.load(coarse)
    given = [replace(e, gate=EVERY, loss="mse") for e in experiments(coarse)[:2]]
    given[0] = replace(given[0], learning_rate=1e30)
    starts = [Start.draw(e, dataset, Streams(e.seed)) for e in given]
    group = Group(given, dataset, starts)
    for _ in range(2):
        group.learn([np.arange(8)] * 2)
    wild, calm = group.networks
    theirs = reference(given[0], dataset, starts[0])
    theirs.learn(np.arange(8))
    assert (wild.diverged, calm.diverged, theirs.diverged) == (True, False, True)
    assert wild.presented == theirs.presented < 8
    assert calm.presented == 16
    assert wild.meter.updates == theirs.meter.updates


def test_a_sweep_groups_by_itself_and_measures_as_ever(coarse, tmp_path, monkeypatch):
    """Rules, seeds and lengths differ inside a group; the table is that of single runs."""
    sizes = []

    def watched(group, progress, whole=trainers.train_together):
        sizes.append(len(group))
        return whole(group, progress)

    monkeypatch.setattr(trainers, "train_together", watched)
    base = replace(experiments(coarse)[0], measure_every=25, measure_training=True)
    given = grid(base, gate=[EVERY, LAZY], epochs=[1, 2])
    given[1] = replace(given[1], until=0.01)  # reached at the first measurement
    other = replace(base, hidden=4)
    plain = [replace(e, engine="reference", device="cpu") for e in given]
    done = sweep([*given, other], jobs=1, store=runs.Store(tmp_path / "ours"))
    theirs = sweep(plain, jobs=1, store=runs.Store(tmp_path / "theirs"))
    assert sizes == [4]
    assert done.computed == 5
    for run, plain in zip(done.runs, theirs.runs, strict=False):
        pd.testing.assert_frame_equal(
            run.table.drop(columns="seconds"), plain.table.drop(columns="seconds"),
            rtol=1e-3, check_exact=False,
        )  # fmt: skip
        np.testing.assert_array_equal(run.arrays["memory"], plain.arrays["memory"])
