"""Training runs: what is measured when, and that the same seed gives the same run."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazybook import datasets, networks, trainers
from lazybook.engines.contract import network_shape
from lazybook.engines.numba_cpu import NumbaEngine
from lazybook.errors import InvalidValue
from lazybook.experiment import ENGINES, Experiment, preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.restrictions import LargestUpdates, SynapseMask, number_selected
from lazybook.support import machine
from lazybook.support.randomness import Streams
from lazybook.trainers import train

SMALL = Experiment(hidden=10, epochs=2, measure_every=250)
CLOUDS = Experiment(
    dataset="two-clouds", hidden=None, bias="none", initial="values:-1,0.5", epochs=2,
    record=("path", "sample-energy"),
)  # fmt: skip


def results(run) -> pd.DataFrame:
    """Return the table without what differs from run to run."""
    return run.table.drop(columns="seconds")


def test_measured_at_multiples_and_at_the_ends_of_epochs(few):
    table = train(SMALL).table
    assert table["samples"].tolist() == [0, 250, 500, 600, 750, 1000, 1200]
    np.testing.assert_allclose(table["epoch"], table["samples"] / 600)
    assert table["test_accuracy"].notna().all()
    for column in ("train_accuracy", "train_loss"):
        assert table["samples"][table[column].notna()].tolist() == [0, 600, 1200]


@given(
    epochs=st.integers(1, 5),
    samples=st.integers(1, 50),
    every=st.integers(1, 120),
    order=st.sampled_from(["permutation", "replacement"]),
)
def test_the_pieces_between_measurements_make_up_the_epochs(epochs, samples, every, order):
    experiment = Experiment(epochs=epochs, measure_every=every, order=order)
    pieces = list(trainers.presentations(experiment, samples, Streams(0)))
    streams = Streams(0)
    whole = np.concatenate([streams.next_epoch(samples, order) for _ in range(epochs)])
    np.testing.assert_array_equal(np.concatenate([piece for piece, _ in pieces]), whole)
    measured = np.cumsum([len(piece) for piece, _ in pieces]).tolist()
    ends = {samples * epoch for epoch in range(1, epochs + 1)}
    assert measured == sorted(ends | set(range(every, samples * epochs, every)))
    passed = [epoch for _, epoch in pieces]
    assert [n for n, epoch in zip(measured, passed, strict=True) if epoch.is_integer()] == sorted(
        ends
    )
    np.testing.assert_allclose(passed, np.array(measured) / samples)


def test_until_stops_at_the_first_measurement_that_good(few):
    experiment = replace(SMALL, measure_every=50, learning_rate=0.03)
    whole = train(experiment)
    for goal in (0.3, 0.45, 0.55):
        good = whole.table["test_accuracy"] >= goal
        assert good.any()
        stopped = train(replace(experiment, until=goal))
        expected = results(whole)[: good.argmax() + 1]
        pd.testing.assert_frame_equal(results(stopped), expected, check_exact=True)


def test_until_is_met_before_learning(few):
    table = train(replace(SMALL, until=0.01)).table
    assert table["samples"].tolist() == [0]


def test_a_goal_that_is_not_reached_does_not_stop(few):
    assert train(replace(SMALL, until=1.0)).final["samples"] == 1200


@pytest.mark.parametrize("engine", ["numba", "reference"])
def test_a_perceptron_learns_half_as_many_patterns_as_it_has_inputs(engine):
    run = train(preset("perceptron", dataset="random-patterns:100,200", engine=engine))
    assert run.final["test_accuracy"] == run.final["train_accuracy"] == 1
    assert run.table["test_accuracy"].iloc[:-1].max() < 1  # it stopped at the first such epoch
    assert 1 < run.final["epoch"] == len(run.table) - 1 < 100
    # Each mistake adds a pattern or subtracts it: a change by 1 of every synapse, bias included.
    assert run.final["energy_m0"] == run.final["energy_m1"] == 201 * run.final["updates"]
    patterns = datasets.load("random-patterns:100,200").train
    weights, updates = np.zeros(201), 0
    for _ in range(int(run.final["epoch"])):
        for values, label in zip(patterns.inputs(), patterns.labels, strict=True):
            values = np.append(values, 1)
            if (values @ weights > 0) != label:
                weights += (2 * label - 1) * values
                updates += 1
    assert run.final["updates"] == updates
    assert run.final["energy_min"] == np.abs(weights).sum()


def test_a_perceptron_does_not_learn_more_than_its_capacity():
    run = train(preset("perceptron", dataset="random-patterns:300,100", epochs=200))
    assert run.final["epoch"] == 200
    assert run.final["test_accuracy"] < 1


@pytest.mark.parametrize("engine", ["numba", "reference"])
def test_a_seed_gives_one_result_and_another_seed_another(few, engine):
    experiment = replace(SMALL, engine=engine, gate=MemorizedMistakes(), epochs=1)
    first, again = train(experiment), train(experiment)
    pd.testing.assert_frame_equal(results(first), results(again), check_exact=True)
    np.testing.assert_array_equal(first.arrays["memory"], again.arrays["memory"])
    other = train(replace(experiment, seed=1))
    assert (other.table["test_loss"] != first.table["test_loss"]).all()
    assert (other.arrays["memory"] != first.arrays["memory"]).any()


@pytest.mark.parametrize("gate", [EverySample(), MemorizedMistakes()], ids=str)
def test_mnist_is_learned_in_an_epoch(gate):
    run = train(Experiment(epochs=1, gate=gate))
    assert run.table["test_accuracy"].iloc[0] < 0.3
    assert run.final["test_accuracy"] > 0.9
    assert run.final["train_accuracy"] > 0.9
    assert run.final["test_loss"] < run.table["test_loss"].iloc[0]
    if gate == MemorizedMistakes():
        assert run.final["updates"] < 60_000 / 2


def test_the_recorded_path_is_the_way_the_weights_took():
    run = train(CLOUDS)
    path = run.arrays["path"]
    assert path.shape == (401, 2)
    np.testing.assert_array_equal(path[0], np.float32([-1, 0.5]))
    assert np.abs(path[-1] - path[0]).sum() == pytest.approx(run.final["energy_min"])
    test = datasets.load("two-clouds").test
    right = (test.inputs() @ path[-1] > 0) == test.labels
    assert right.mean() == run.final["test_accuracy"]
    assert run.arrays["sample_energy"].sum() == pytest.approx(run.final["energy_m1"])


@pytest.mark.parametrize("order", ["permutation", "replacement"])
def test_each_sample_is_charged_for_its_own_steps(order):
    run = train(replace(CLOUDS, order=order))
    streams = Streams(CLOUDS.seed)
    presented = np.concatenate([streams.next_epoch(200, order) for _ in range(2)])
    steps = np.abs(np.diff(run.arrays["path"].astype(float), axis=0)).sum(axis=1)
    spent = np.zeros(200)
    np.add.at(spent, presented, steps)
    np.testing.assert_allclose(run.arrays["sample_energy"], spent, atol=1e-6)
    assert len({*spent.round(6)}) > 50  # no two samples cost the same


def forward(weights: list[np.ndarray], split: datasets.Split, experiment: Experiment) -> np.ndarray:
    """Return the outputs of a network with these weights, in plain NumPy."""
    ones = np.ones((len(split), int(experiment.bias != "none")))
    activity = np.hstack([split.inputs().astype(float), ones])
    for layer in weights[:-1]:
        received = activity @ layer.astype(float)
        leak = networks.leak(experiment.activation)
        activity = np.hstack([np.where(received > 0, received, leak * received), ones])
    return activity @ weights[-1].astype(float)


def accuracy(weights, split, experiment) -> float:
    return (forward(weights, split, experiment).argmax(axis=1) == split.labels).mean()


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "numba-cuda"])
@pytest.mark.parametrize("fields", [{}, {"hidden": None}, {"bias": "clamped-unit"}], ids=str)
def test_the_weights_kept_give_the_accuracies_measured(few, engine, fields):
    experiment = replace(SMALL, engine=engine, record=("weights",), learning_rate=0.03, **fields)
    run = train(experiment)
    shape = network_shape(experiment, few.facts)
    names = ["weights_hidden", "weights_output"][-len(shape.layers) :]
    weights = [run.arrays[name] for name in names]
    assert set(run.arrays) == {"memory", *names}
    assert [(layer.shape, layer.dtype) for layer in weights] == [
        (layer, np.float32) for layer in shape.layers
    ]
    assert run.final["test_accuracy"] == accuracy(weights, few.test, experiment)
    assert run.final["train_accuracy"] == accuracy(weights, few.train, experiment)
    assert run.final["test_accuracy"] != run.final["train_accuracy"]
    # and the column at each measurement is that of the network as it was then
    first = train(replace(experiment, epochs=1)).final
    assert (
        run.table["train_accuracy"][run.table["samples"] == 600].item() == (first["train_accuracy"])
    )


@pytest.mark.parametrize("engine", [name for name in ENGINES if name != "numba-cuda"])
def test_a_run_that_diverges_ends_where_it_does(few, engine):
    told = []
    experiment = replace(SMALL, engine=engine, learning_rate=30.0, loss="cross-entropy")
    run = train(replace(experiment, gate=MemorizedMistakes(), record=("weights",)), told.append)
    assert run.diverged
    table = run.table
    assert table["samples"].is_monotonic_increasing
    assert table["samples"].is_unique
    assert len(table) == 2  # before learning, and where it diverged
    presented = run.final["samples"]
    assert 0 < presented < 100
    assert sum(told) == presented
    assert run.final["epoch"] == presented / 600
    assert 0 < run.final["updates"] <= presented
    assert run.final["memorized"] == run.arrays["memory"].sum() <= presented
    assert 0 < run.final["energy_m1"] < np.inf
    # As many samples later nothing has happened any more.
    longer = train(replace(experiment, gate=MemorizedMistakes(), epochs=4))
    shared = [name for name in table if name not in ("test_loss", "train_loss", "seconds")]
    pd.testing.assert_frame_equal(longer.table[shared], table[shared], check_exact=True)
    # The same network learns at another rate.
    assert not train(replace(experiment, learning_rate=0.01, epochs=1)).diverged


def test_a_run_that_diverges_at_once_has_been_measured_once(few):
    run = train(replace(SMALL, initial="gaussian:1e20"))
    assert run.diverged
    assert run.table["samples"].tolist() == [0]
    assert run.final["updates"] == run.final["energy_m0"] == 0


def test_a_path_ends_where_the_run_diverged():
    """A single pattern with a step so large that each is too far, by more and more."""
    run = train(replace(CLOUDS, learning_rate=10.0, loss="mse"))
    assert run.diverged
    path = run.arrays["path"]
    assert len(path) == run.final["samples"] + 1 < 200
    assert run.arrays["sample_energy"].sum() == pytest.approx(run.final["energy_m1"])


@pytest.mark.parametrize("engine", ["numba", "reference"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_weights_that_are_not_finite_end_a_run_when_it_is_measured(few, engine, value, monkeypatch):
    """No image has the first pixel, so no output tells."""
    experiment = replace(SMALL, engine=engine)
    learn = trainers.Recorder.learn

    def spoil(recorder, samples):
        learn(recorder, samples)
        it = recorder.engine
        weights = it.persistent[0] if engine == "reference" else it.network.synapses
        weights[0, 0] = value

    monkeypatch.setattr(trainers.Recorder, "learn", spoil)
    run = train(experiment)
    assert run.diverged
    assert run.table["samples"].tolist() == [0, 250]
    assert not np.isfinite(run.final["energy_min"])


def test_recording_changes_nothing():
    plain = replace(CLOUDS, record=())
    pd.testing.assert_frame_equal(results(train(CLOUDS)), results(train(plain)), check_exact=True)
    assert list(train(plain).arrays) == ["memory"]


def test_effective_synapses_counts_what_changed_since_it_was_measured_last():
    engine = SimpleNamespace(synapse_updates=None)
    recorder = trainers.Recorder(replace(SMALL, record=("synapse-updates",)), engine, 1)
    found = []
    for counts in ([0, 0, 0, 0], [5, 5, 0, 0], [5, 5, 0, 9], [6, 6, 1, 10], [6, 6, 1, 10]):
        engine.synapse_updates = [np.array([counts]), np.ones(7)]
        found.append(recorder.measure()["effective_synapses"])
    np.testing.assert_array_equal(found, [np.nan, 2, 1, 4, 0])


def test_a_mask_changes_always_the_same_synapses_and_the_largest_updates_do_not(few):
    base = replace(SMALL, zero_mean=True, epochs=1, record=("synapse-updates",))
    mask = train(replace(base, restriction=SynapseMask(0.01, 1)))
    plastic = np.count_nonzero(mask.arrays["synapse_updates_hidden"])
    np.testing.assert_allclose(mask.table["effective_synapses"].iloc[1:], plastic)
    largest = train(replace(base, restriction=LargestUpdates(0.01)))
    selected = number_selected(0.01, 785 * 10)
    assert (largest.table["effective_synapses"].iloc[1:] > 1.5 * selected).all()
    assert "effective_synapses" not in train(SMALL).table


PATH = {"dataset": "two-clouds", "hidden": None, "record": ("path",), "measure_every": 10**9}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"record": ("path",)}, "networks of up to 100 weights; this one has 7960"),
        ({"initial": "values:1,2,3"}, "gives 3 weights; the network has 7960"),
        ({"dataset": "two-clouds", "loss": "cross-entropy"}, "two-clouds has two"),
        ({"dataset": "mnits"}, "dataset is 'mnits'"),
        ({"shifts": 28, "engine": "autograd"}, "shifts is 28, which needs square images larger"),
        ({"hidden": 10**9}, r"hidden is 1000000000: 795,000,000,010 weights take 6,360.0 GB"),
        ({"hidden": 10**6}, r"take 6.4 GB of memory; this machine has 4.0 GB"),
        ({"hidden": 10**18}, "of memory; this machine has 4.0 GB"),
        ({"batch": 601, "engine": "autograd"}, "batch is 601; mnist has 600 training samples"),
        ({"epochs": 10**18}, r"600[,0]* samples to present take more than a year; at most"),
        ({"epochs": 10**6, "measure_every": 1}, r"what is measured takes 1,800.0 GB of memory"),
        ({**PATH, "epochs": 10**7}, r"what is measured takes .* GB of memory"),
    ],
)
def test_what_cannot_be_done_is_refused_before_learning(few, monkeypatch, fields, message):
    monkeypatch.setattr(datasets, "load", lambda name: pytest.fail("data were read"))
    monkeypatch.setattr(trainers.machine, "memory", lambda: 4 * 10**9)
    with pytest.raises(InvalidValue, match=message):
        train(replace(SMALL, **fields))


def test_a_run_may_be_as_long_as_a_year_and_no_longer(monkeypatch):
    monkeypatch.setattr(trainers.machine, "memory", lambda: 10**30)
    facts = datasets.facts("mnist")
    for hidden in (None, 10, 10**6):
        weights = 785 * hidden + (hidden + 1) * 10 if hidden else 7850
        most = trainers.YEAR // (trainers.STEP + weights) // facts.train
        trainers.check(Experiment(hidden=hidden, epochs=most), facts)
        with pytest.raises(InvalidValue, match=f"at most {most:,} epochs"):
            trainers.check(Experiment(hidden=hidden, epochs=most + 1), facts)


def test_memory_that_a_container_may_have_counts(tmp_path, monkeypatch):
    everything = machine.memory()
    assert 10**8 < everything < 10**15
    monkeypatch.setattr(machine, "Path", lambda root, name: tmp_path / name)
    for text, expected in (("1000000", 10**6), ("max", None), ("", None)):
        (tmp_path / "memory.max").write_text(text)
        assert machine.memory() == expected or (expected is None and machine.memory() >= everything)


def test_the_seconds_are_those_of_training_alone(few, monkeypatch):
    train(SMALL)  # so that nothing is left to compile or to prepare
    now = 0.0

    def takes(seconds, method):
        def timed(*arguments):
            nonlocal now
            now += seconds
            return method(*arguments)

        return timed

    monkeypatch.setattr(
        trainers, "time", SimpleNamespace(perf_counter=lambda: now, thread_time=lambda: now)
    )
    monkeypatch.setattr(NumbaEngine, "learn", takes(1, NumbaEngine.learn))
    monkeypatch.setattr(NumbaEngine, "evaluate", takes(1000, NumbaEngine.evaluate))
    run = train(SMALL)
    assert run.table["seconds"].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert run.provenance["compute_seconds"] >= 10 * 1000  # 7 times the test set, 3 the training


@pytest.mark.parametrize("until", [None, 0.3])
def test_progress_adds_up_to_the_samples_presented(few, until):
    told = []
    run = train(replace(SMALL, measure_every=50, until=until), told.append)
    assert sum(told) == run.final["samples"]
    assert len(told) == len(run.table) - 1


def test_provenance_says_what_was_run_on_what(few):
    facts = train(SMALL).provenance
    assert (facts["dataset"], facts["data_checksum"]) == ("mnist", few.checksum)
    assert set(facts["packages"]) == {"lazybook", "numpy", "numba", "torch"}
    assert facts["date"]
    assert facts["machine"]


def test_further_test_sets_are_measured_beside_the_own(few):
    halves = ("random-patterns:30,784", "random-patterns:40,784")
    patterns = Experiment(
        dataset=halves[0], hidden=5, epochs=2, measure_every=20, learning_rate=0.1, zero_mean=True
    )  # fmt: skip
    run = train(replace(patterns, also_test=halves))
    columns = [run.table[f"test_accuracy_{name}"] for name in halves]
    assert columns[0].tolist() == run.table["test_accuracy"].tolist()
    assert columns[1].between(0.2, 0.8).all()
    assert columns[1].tolist() != columns[0].tolist()


def test_the_parts_of_a_test_set_make_up_the_whole():
    parts = ("mnist/classes:0-4", "mnist/classes:5-9")
    run = train(Experiment(dataset="mnist/samples:0-999", hidden=5, epochs=1, also_test=parts))
    correct = sum(run.final[f"test_accuracy_{part}"] * datasets.facts(part).test for part in parts)
    assert correct / 10_000 == pytest.approx(run.final["test_accuracy"])


def test_an_experiment_goes_on_where_another_ended():
    """Two epochs and two more; the order of the second two is not that of the first."""
    first = Experiment(
        dataset="two-clouds", hidden=4, epochs=2, measure_every=100, record=("weights",)
    )  # fmt: skip
    second = replace(first, after=first)
    before, after = train(first), train(second)
    for column in ("test_accuracy", "test_loss", "train_loss"):
        assert after.table[column].iloc[0] == before.table[column].iloc[-1]
    straight = sum(
        np.abs(now - then).sum(dtype=float)
        for now, then in zip(after.weights, before.weights, strict=True)
    )
    assert after.final["energy_min"] == pytest.approx(straight, rel=1e-5)
    orders = [Streams(0, place).next_epoch(200, "permutation").tolist() for place in range(3)]
    assert len({tuple(order) for order in orders}) == 3
    with pytest.raises(InvalidValue, match=r"^before is not the run"):
        train(second, before=after)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"also_test": ("two-clouds",)}, "also_test has two-clouds, with 2 inputs and 2 classes;"),
        ({"after": Experiment(dataset="two-clouds")}, "after has two-clouds, with 2 inputs"),
        ({"also_test": ("mnst",)}, "dataset is 'mnst'; did you mean 'mnist'"),
    ],
)
def test_other_data_have_to_fit_the_network(fields, said):
    with pytest.raises(InvalidValue, match=f"^{re.escape(said)}"):
        train(Experiment(**fields))
