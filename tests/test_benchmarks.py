"""What is timed does the same work on all sides; how long it takes is not tested."""

import json
import math
import os
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from lazybook import cli, engines, restrictions
from lazybook.benchmarks import cases, eager, loops, roofline, timing
from lazybook.benchmarks.cases import Case
from lazybook.caching import SynapticCaching
from lazybook.datasets import Dataset, Split
from lazybook.engines.contract import Start
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment, preset
from lazybook.gates import MemorizedMistakes, Mistakes
from lazybook.support.randomness import Streams

needs_jax = pytest.mark.skipif(not loops.jax_installed(), reason="JAX is not installed")
LAZY = preset("lazy", hidden=20)
RESTRICTIONS = (
    "subnet:7",
    "neuron-mask:7",
    "synapse-mask:0.4,0.7",
    "largest-per-layer:0.1",
    "largest-per-neuron:0.1",
)


@pytest.fixture(scope="module")
def noise() -> Dataset:
    """Images of noise: no two pixels are alike, so no two updates tie."""
    generator = np.random.default_rng(0)
    values = generator.random((200, 784), dtype=np.float32)
    split = Split(values, generator.integers(10, size=200), scale=1.0)
    return Dataset("noise", split, split, 10, "noise")


def competitive(**changes) -> Experiment:
    return preset("competitive", hidden=20, **changes)


@pytest.mark.parametrize(
    ("loop", "experiment"),
    [
        (eager.build, LAZY),
        (eager.build, preset("lazy", hidden=20, gate=MemorizedMistakes())),
        (eager.build, preset("lazy", hidden=20, gate=Mistakes())),
        *(
            (eager.build, competitive(restriction=restrictions.parse(restriction)))
            for restriction in RESTRICTIONS
        ),
        (eager.build, competitive(caching=SynapticCaching(0.01, 0.001))),
        (loops.NumpyLoop, LAZY),
        (loops.NumpyLoop, competitive(gate=MemorizedMistakes())),
        pytest.param(loops.JaxLoop, LAZY, marks=needs_jax),
        pytest.param(loops.JaxLoop, competitive(gate=MemorizedMistakes()), marks=needs_jax),
    ],
)
def test_loops_learn_what_the_reference_learns(noise, loop, experiment):
    dataset = noise.zero_mean() if experiment.zero_mean else noise
    start = Start.draw(experiment, dataset, Streams(0))
    order = np.random.default_rng(1).integers(len(dataset.train), size=100)
    reference = engines.build(replace(experiment, engine="reference"), dataset, start)
    plain = loop(experiment, dataset, start)
    for learner in (reference, plain):
        learner.learn(order[:30])
        learner.learn(order[30:])
    assert plain.updates == reference.meter.updates > 0
    for after, expected, before in zip(
        plain.weights, reference.weights, start.weights, strict=True
    ):
        assert (after != before).mean() > 0.1
        differ = ~np.isclose(after, expected, rtol=1e-3, atol=1e-5)
        assert differ.mean() <= 1e-3  # of updates alike but for rounding, any is the largest


def test_what_no_eager_loop_knows_is_refused(noise):
    for changes in (
        {"restriction": restrictions.parse("subnet:7 & largest-per-layer:0.1")},
        {"restriction": restrictions.parse("subnet-per-sample:7")},
        {"restriction": restrictions.parse("synapse-mask-per-class:0.5,0.5")},
        {"caching": SynapticCaching(0.1, variant="any")},
        {
            "caching": SynapticCaching(0.1),
            "restriction": restrictions.parse("largest-per-layer:0.1"),
        },
    ):
        experiment = competitive(**changes)
        with pytest.raises(InvalidValue, match="no eager loop"):
            eager.build(experiment, noise, Start.draw(experiment, noise, Streams(0)))


class Counts:
    """A learner that only notes what it was shown."""

    def __init__(self, name: str, log: list):
        self.name, self.log = name, log

    def learn(self, samples):
        self.log.append((self.name, samples.copy()))


def test_learners_take_turns_and_see_all_samples_in_order():
    log, told = [], []
    learners = {name: Counts(name, log) for name in "AB"}
    turns = timing.take_turns(learners, 60, rounds=4, seconds=0, advance=told.append)
    assert [name for name, _ in log] == [*"AAA", *"BBB", *"AB" * 4]
    for name in "AB":
        seen = [samples for who, samples in log if who == name]
        assert sum(map(len, seen)) == turns[name].presented
        np.testing.assert_array_equal(np.concatenate(seen[3:]), np.arange(80) % 60)
        assert turns[name].seconds.shape == (4,)
    assert sum(told) == 2 * (4 + 1)


@pytest.mark.parametrize("learned", [0.0, 0.15, 0.5, 1.0])
def test_all_learn_the_same_share_of_the_samples(learned):
    case = cases.lazy(30, learned)
    dataset, start = cases.data_for(case)
    presented = np.arange(200)
    for name, learner in cases.learners(case, dataset, start).items():
        learner.learn(presented)
        learner.learn(presented[:100])  # again: what was right stays right
        cases.check_learned(name, learner, case, 300)
        with pytest.raises(RuntimeError, match=name):
            cases.check_learned(name, learner, replace(case, learned=learned + 0.01), 300)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux pins threads")
def test_one_core_is_given_back():
    cores, threads = os.sched_getaffinity(0), torch.get_num_threads()
    with timing.one_core():
        assert len(os.sched_getaffinity(0)) == 1
        assert torch.get_num_threads() == 1
    assert os.sched_getaffinity(0) == cores
    assert torch.get_num_threads() == threads


def test_cache_sizes_are_those_the_system_tells(tmp_path):
    assert roofline.cache_sizes(tmp_path) == roofline.USUAL_CACHES
    levels = [("1", "Data", "48K"), ("1", "Instruction", "64K"), ("2", "Unified", "2048K")]
    for number, (level, kind, size) in enumerate([*levels, ("3", "Unified", "307200K")]):
        folder = tmp_path / "cpu0" / "cache" / f"index{number}"
        folder.mkdir(parents=True)
        for name, value in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(value + "\n")
    assert roofline.cache_sizes(tmp_path) == {"L2": 2048 * 1024, "L3": 307200 * 1024}


def test_caches_and_memory_are_measured(monkeypatch):
    monkeypatch.setattr(roofline, "LARGE", 2**22)
    levels = roofline.measure_levels(repeats=1)
    assert [level.name for level in levels] == ["L2", "L3", "memory"]
    assert levels[0].size < levels[1].size < levels[2].size == math.inf
    assert all(level.load > 0 and level.change > 0 for level in levels)


def moved(case: Case) -> roofline.Traffic:
    dataset, start = cases.data_for(case)
    return roofline.traffic(case.experiment, dataset, start, case.learned)


def test_bytes_that_have_to_be_moved():
    """For ordinary learning all synapses of the pixels that are not zero, and of the readout."""
    traffic = moved(cases.plain(100))
    inked = cases.images(False).train.values != 0
    rows = inked.sum() / len(inked) + 1  # and the bias
    assert traffic.loaded == pytest.approx(4 * (rows * 100 + 100 * 10))
    assert traffic.changed == pytest.approx(traffic.loaded)
    lazy = moved(cases.lazy(100, 0.15))
    assert lazy.loaded == traffic.loaded
    assert lazy.changed == pytest.approx(0.15 * traffic.changed)
    half = cases.restricted("subnet", 200, "subnet:99")  # one of the 200 units is clamped
    whole = cases.restricted("none", 200, "all")
    assert moved(half).changed / moved(whole).changed == pytest.approx(99 / 199)
    largest = cases.restricted("largest", 101, "largest-per-layer:0.01")
    assert moved(largest).changed == 4 * (785 + 100 * 10)  # a hundredth of 785 × 100 synapses


def test_the_bound_is_that_of_the_nearest_place_with_room_for_the_network():
    levels = [
        roofline.Level("L2", 1000, load=1e9, change=5e8),
        roofline.Level("L3", 2000, load=4e8, change=2e8),
        roofline.Level("memory", math.inf, load=1e8, change=5e7),
    ]
    for held, name, seconds in ((1000, "L2", 4e-7), (1001, "L3", 1e-6), (2001, "memory", 4e-6)):
        traffic = roofline.Traffic(loaded=200, changed=100, held=held)
        assert traffic.level(levels).name == name
        assert traffic.bound(levels) == pytest.approx(seconds)
    weights = 785 * 99 + 100 * 10  # the bias is the 100th unit
    assert moved(cases.restricted("none", 100, "all")).held == 4 * weights
    assert moved(cases.cached(100)).held == 2 * 4 * weights
    masked = cases.restricted("synapse mask", 100, "synapse-mask:0.5,0.5")
    assert moved(masked).held == (4 + 1) * weights


@pytest.fixture
def bench(monkeypatch, capsys):
    """A function to run ``lazybook bench``; returns exit code, what it prints, what it says."""
    monkeypatch.setattr(cases, "SECONDS", 0.001)

    def run(*arguments: str):
        monkeypatch.setattr(sys, "argv", ["lazybook", "bench", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code or 0, *capsys.readouterr()

    return run


def test_the_bench_prints_json(bench):
    code, output, _ = bench("--hidden=20", "--rule=lazy", "--rule=caching", "--rounds=2", "--json")
    assert code == 0
    printed = json.loads(output)
    assert set(printed) == {"results", "levels", "provenance"}
    lazy, caching = printed["results"]
    assert (lazy["rule"], lazy["hidden"], lazy["learned"]) == ("lazy", 20, 0.15)
    assert Experiment.from_dict(lazy["experiment"]) == cases.lazy(20).experiment
    expected = {"eager", "NumPy", "reference", "numba"} | ({"JAX"} & {*lazy["microseconds"]})
    assert set(lazy["microseconds"]) == expected
    assert set(caching["microseconds"]) == {"eager", "reference", "numba"}
    for result in (lazy, caching):
        assert set(result["ratios"]) == set(result["microseconds"]) - {"numba"}
        for spread in (*result["microseconds"].values(), *result["ratios"].values()):
            assert 0 < spread["low"] <= spread["median"] <= spread["high"]
        share = result["bound_microseconds"] / result["microseconds"]["numba"]["median"]
        assert result["reached"] == pytest.approx(share)
        assert result["level"] == "L2"
        assert set(result["bytes"]) == {"loaded", "changed", "held"}
    assert [level["name"] for level in printed["levels"]] == ["L2", "L3", "memory"]
    assert printed["provenance"]["dataset"] == "mnist"


def test_the_bench_prints_tables(bench):
    code, output, _ = bench("--hidden=20", "--rule=neuron mask", "--rounds=1")
    assert code == 0
    assert output.count("neuron mask") == 2
    assert ("JAX is not installed" in output) is not loops.jax_installed()
    shares, ratios = output.index("reached"), output.index("ratio")
    assert output.index("One core of ") < output.index("memory: loads") < shares < ratios


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("--rule=lasy", "rule is 'lasy'"),
        ("--hidden=3", "hidden is 3"),
        ("--hidden=0", "hidden is 0"),
        ("--rounds=0", "rounds is 0"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(bench, argument, part):
    code, output, complaint = bench(argument)
    assert (code, output) == (2, "")
    assert complaint.startswith(f"error: {part}")
    assert complaint.count("\n") == 1
