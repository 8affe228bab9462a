"""The engine `autograd`: step by step the reference, and what it adds to it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from lazybook import datasets, engines, networks, trainers
from lazybook.datasets import Dataset
from lazybook.engines import autograd, reference
from lazybook.engines.contract import Engine, Start
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, Margin, MemorizedMistakes, Mistakes
from lazybook.runs import Store
from lazybook.support.randomness import Streams
from lazybook.trainers import train

GATES = (EverySample(), Mistakes(), MemorizedMistakes(), Margin(-0.1), Margin(0.3))
RELATIVE, ABSOLUTE = 3e-4, 3e-6  # of weights and energies, after a few hundred steps in float32
LOST = 0.02  # share of the changes that may be too small for the weight that they should change
DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
    ),
]


def small(**changes) -> Experiment:
    """A small network, learning fast enough to get some samples right."""
    return Experiment(**{"engine": "autograd", "hidden": 18, "learning_rate": 0.02} | changes)


def build(experiment: Experiment) -> tuple[Engine, np.ndarray, Dataset]:
    """Return an engine for ``experiment``, the order of the samples, and the data."""
    dataset = datasets.load(experiment.dataset)
    if experiment.zero_mean:
        dataset = dataset.zero_mean()
    streams = Streams(experiment.seed)
    start = Start.draw(experiment, dataset, streams)
    order = streams.next_epoch(len(dataset.train), experiment.order)
    return engines.build(experiment, dataset, start), order, dataset


def assert_same(experiment: Experiment, presented: int = 150) -> None:
    """Train this engine and the reference on the same samples, twice, and compare them."""
    ours, order, dataset = build(experiment)
    theirs, *_ = build(replace(experiment, engine="reference"))
    for engine in (ours, theirs):
        engine.learn(order[:presented])
        engine.learn(order[:presented])
    assert ours.meter.updates == theirs.meter.updates > 0
    np.testing.assert_array_equal(ours.memory, theirs.memory)
    for found, defined in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(found, defined, rtol=RELATIVE, atol=ABSOLUTE)
    np.testing.assert_allclose(ours.meter.m1, theirs.meter.m1, rtol=RELATIVE)
    kept = ours.meter.m0 / theirs.meter.m0
    assert (kept <= 1).all()
    assert (kept > 1 - LOST).all()
    assert ours.distance() == pytest.approx(theirs.distance(), rel=RELATIVE)
    a, b = ours.evaluate(dataset.test), theirs.evaluate(dataset.test)
    assert a.accuracy == pytest.approx(b.accuracy, abs=5e-4)
    assert a.loss == pytest.approx(b.loss, rel=1e-3)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("gate", GATES, ids=str)
@pytest.mark.parametrize("loss", networks.LOSSES)
def test_alone_and_plain_a_sample_is_learned_as_the_reference_learns_it(gate, loss, device):
    assert_same(small(gate=gate, loss=loss, device=device))


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": "relu", "bias": "none"},
        {"activation": "leaky-relu:0.1", "bias": "clamped-unit", "initial": "gaussian:0.02"},
        {"zero_mean": True, "order": "replacement", "seed": 3},
        {"hidden": None},
        {"hidden": None, "bias": "none", "dataset": "two-clouds"},
    ],
    ids=str,
)
def test_networks_and_data_of_all_kinds(changes):
    assert_same(small(gate=MemorizedMistakes(), loss="half-mse", **changes))


def gradients(weights, rows, experiment, dataset, learned=None) -> list[torch.Tensor]:
    """The gradient of the mean loss of a batch, by the definitions of the reference engine."""
    engine, *_ = build(replace(experiment, engine="reference", batch=1, optimizer="sgd"))
    layers = [torch.tensor(layer).requires_grad_() for layer in weights]
    *_, outputs = reference.forward(layers, torch.tensor(dataset.train.inputs(rows)), engine)
    losses = reference.losses(experiment.loss, outputs, torch.tensor(dataset.train.labels[rows]))
    (losses if learned is None else losses[learned]).sum().div(len(rows)).backward()
    return [layer.grad.numpy() for layer in layers]


@pytest.mark.parametrize("loss", ["mse", "half-mse", "cross-entropy"])
def test_a_batch_is_learned_as_the_mean_of_what_the_gate_lets_through(loss):
    experiment = small(loss=loss, batch=40, gate=Mistakes())
    engine, order, dataset = build(experiment)
    engine.learn(order[:200])  # now some are right and some are wrong
    before, updates, rows = engine.weights, engine.meter.updates, order[200:240]
    with torch.no_grad():
        outputs = engine.network(torch.tensor(dataset.train.inputs(rows)))
    mistakes = (outputs.argmax(dim=1).numpy() != dataset.train.labels[rows]).nonzero()[0]
    assert 0 < len(mistakes) < 40
    engine.learn(rows)
    assert engine.meter.updates - updates == len(mistakes)
    expected = gradients(before, rows, experiment, dataset, mistakes)
    for now, then, gradient in zip(engine.weights, before, expected, strict=True):
        np.testing.assert_allclose(now, then - 0.02 * gradient, rtol=RELATIVE, atol=1e-7)


def test_a_batch_gated_as_a_whole_is_learned_whole_if_one_of_it_is():
    """Where the gate lets any through it is backprop's step; else nothing moves or counts."""
    rules = {"batch": 10, "learning_rate": 0.2}
    whole, order, dataset = build(small(gate=Mistakes(), gated="batch", **rules))
    backprop, *_ = build(small(**rules))
    for engine in (whole, backprop):
        engine.learn(order[:200])
    assert whole.meter.updates == backprop.meter.updates == 200  # a mistake in each batch
    for ours, theirs in zip(whole.weights, backprop.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)

    digit = np.flatnonzero(dataset.train.labels == 1)[:10]
    for _ in range(100):
        updates, weights = whole.meter.updates, whole.weights
        whole.learn(digit)
        if whole.meter.updates == updates:  # all ten are right now
            break
        assert whole.meter.updates == updates + 10
    assert whole.meter.updates == updates
    for ours, theirs in zip(whole.weights, weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("batch", [40, 600, 1100])
def test_only_the_last_batch_is_smaller(batch):
    whole, order, _ = build(small(batch=batch))
    parts, *_ = build(small(batch=batch))
    whole.learn(order[: 2 * batch + 10])
    for begin in (0, batch, 2 * batch):
        parts.learn(order[begin : min(begin + batch, 2 * batch + 10)])
    for a, b in zip(whole.weights, parts.weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole.meter.updates == whole.presented == 2 * batch + 10
    assert not whole.diverged


@pytest.mark.parametrize("optimizer", ["sgd", "momentum:0.9", "adam"])
def test_where_nothing_is_learned_nothing_moves(optimizer):
    """Not even what momentum would carry on."""
    experiment = small(batch=5, optimizer=optimizer, gate=Mistakes(), learning_rate=0.01)
    engine, order, dataset = build(experiment)
    engine.learn(order[:300])
    with torch.no_grad():
        outputs = engine.network(torch.tensor(dataset.train.inputs()))
    right = (outputs.argmax(dim=1).numpy() == dataset.train.labels).nonzero()[0]
    before, meter = engine.weights, engine.meter
    engine.learn(right[:20])
    for now, then in zip(engine.weights, before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert engine.meter.updates == meter.updates
    np.testing.assert_array_equal(engine.meter.m0, meter.m0)


def test_momentum_carries_part_of_a_step_on():
    experiment = small(batch=10, optimizer="momentum:0.7")
    engine, order, dataset = build(experiment)
    velocity, spent = [np.zeros_like(layer) for layer in engine.weights], np.zeros(2)
    for begin in range(0, 50, 10):
        rows, before = order[begin : begin + 10], engine.weights
        engine.learn(rows)
        found = gradients(before, rows, experiment, dataset)
        velocity = [0.7 * v + g for v, g in zip(velocity, found, strict=True)]
        for now, then, v in zip(engine.weights, before, velocity, strict=True):
            np.testing.assert_allclose(now, then - 0.02 * v, rtol=RELATIVE, atol=1e-7)
        spent += [0.02 * np.abs(v).sum() for v in velocity]
    np.testing.assert_allclose(engine.meter.m1, spent, rtol=RELATIVE)


def test_adam_moves_each_weight_that_has_a_gradient_by_the_rate_at_first():
    engine, order, dataset = build(small(batch=10, optimizer="adam", learning_rate=0.001))
    engine.learn(order[:10])
    pixels = (dataset.train.values[order[:10]] > 0).any(axis=0).sum()
    np.testing.assert_array_equal(engine.meter.m0, [(pixels + 1) * 18, 19 * 10])
    np.testing.assert_allclose(engine.meter.m1, 0.001 * engine.meter.m0, rtol=1e-2)


def test_shifted_images_are_the_images_elsewhere():
    """With enough empty space around it an image goes wherever it is shifted to, unchanged."""
    generator = np.random.default_rng(0)
    images = np.zeros((500, 12, 12), np.uint8)
    images[:, 2:-2, 2:-2] = generator.integers(1, 256, (500, 8, 8))
    flat = images.reshape(500, -1)
    found = autograd.shifted(flat, 2, generator).reshape(images.shape)
    places = [
        [(y, x) for y in range(-2, 3) for x in range(-2, 3)
         if np.array_equal(np.roll(image, (y, x), (0, 1)), one)]
        for image, one in zip(images, found, strict=True)
    ]  # fmt: skip
    assert {len(place) for place in places} == {1}
    counts = np.unique([place[0] for place in places], axis=0, return_counts=True)[1]
    assert len(counts) == 25
    assert counts.min() > 5
    np.testing.assert_array_equal(autograd.shifted(flat, 0, generator), flat)


def test_shifts_are_drawn_anew_from_a_stream_of_their_own():
    """They do not depend on how the samples are handed over, nor on what the gate does."""
    engine, order, dataset = build(small(shifts=2, zero_mean=True))
    first, again = (engine.prepare(order[:1000])[0] for _ in range(2))
    assert (first != again).any(dim=1).float().mean() > 0.9
    parts, *_ = build(small(shifts=2, zero_mean=True, gate=MemorizedMistakes()))
    for begin, end in ((0, 7), (7, 500), (500, 1000)):
        parts.learn(order[begin:end])
    torch.testing.assert_close(parts.prepare(order[:1000])[0], again, rtol=0, atol=0)
    other, *_ = build(small(shifts=2, zero_mean=True, seed=1))
    assert (other.prepare(order[:1000])[0] != first).any()

    background = np.float32(-dataset.train.offset)
    rolled = torch.tensor(dataset.train.inputs(order[:1000])).reshape(-1, 28, 28)
    framed = nn.functional.pad(rolled, (2, 2, 2, 2), value=float(background))
    windows = framed.unfold(1, 28, 1).unfold(2, 28, 1).reshape(1000, 25, 784)
    assert (windows == first[:, None]).all(dim=2).any(dim=1).all()


def test_without_a_shift_the_images_are_as_they_are():
    engine, order, dataset = build(small())
    inputs, labels, indices = engine.prepare(order[:50])
    np.testing.assert_array_equal(inputs, dataset.train.inputs(order[:50]))
    np.testing.assert_array_equal(labels, dataset.train.labels[order[:50]])
    np.testing.assert_array_equal(indices, order[:50])


def settings() -> tuple[int, bool]:
    """PyTorch's number of threads here, and whether it takes the smallest numbers as 0."""
    return torch.get_num_threads(), bool(torch.tensor(1e-40) * 1 == 0)


@pytest.fixture(params=[(1, False), (2, False), (2, True)], ids=str)
def chosen(request):
    """Settings that somebody chose."""
    before = settings()
    torch.set_num_threads(request.param[0])
    torch.set_flush_denormal(request.param[1])
    yield request.param
    torch.set_num_threads(before[0])
    torch.set_flush_denormal(before[1])


def test_the_settings_of_pytorch_are_left_as_they_were(chosen):
    engine, order, dataset = build(small())
    engine.learn(order[:3])
    assert settings() == chosen
    engine.evaluate(replace(dataset.test, values=dataset.test.values[:9], labels=np.zeros(9, int)))
    assert settings() == chosen
    with pytest.raises(IndexError):
        engine.learn(np.array([10**6]))
    assert settings() == chosen


def test_runs_beside_each_other_leave_them_too(chosen):
    """However they overlap: also for the threads that begin later, or began in the middle."""
    inside = [threading.Event() for _ in range(2)]
    found = []

    def run(mine, other):
        with autograd.one_thread():
            found.append(torch.get_num_threads())
            inside[mine].set()
            assert inside[other].wait(timeout=30)
        found.append(torch.get_num_threads())

    for _ in range(5):
        for event in inside:
            event.clear()
        with ThreadPoolExecutor(2) as pool:
            done = [pool.submit(run, 0, 1), pool.submit(run, 1, 0)]
            assert [each.result() for each in done] == [None, None]
        assert found == [1, 1, chosen[0], chosen[0]]
        found.clear()
        with ThreadPoolExecutor(1) as later:
            assert later.submit(torch.get_num_threads).result() == chosen[0]
    assert settings() == chosen


# The logistic loss saturates instead, and then nothing is left to learn.
@pytest.mark.parametrize("loss", [loss for loss in networks.LOSSES if loss != "logistic"])
@pytest.mark.parametrize("rate", [1e3, 1e9, 1e25])
def test_it_diverges_where_the_reference_does(loss, rate):
    experiment = small(loss=loss, learning_rate=rate, gate=MemorizedMistakes())
    ours, order, dataset = build(experiment)
    theirs, *_ = build(replace(experiment, engine="reference"))
    for engine in (ours, theirs):
        for begin in (0, 50, 100):
            engine.learn(order[begin : begin + 50])
    assert ours.diverged
    assert theirs.diverged
    assert ours.presented == theirs.presented < 100
    assert ours.meter.updates == theirs.meter.updates
    np.testing.assert_array_equal(ours.memory, theirs.memory)
    np.testing.assert_allclose(ours.meter.m1, theirs.meter.m1, rtol=1e-3)
    assert 0 <= ours.evaluate(dataset.test).accuracy <= 1


def test_a_batch_that_diverges_is_not_learned_at_all():
    experiment = small(batch=20, learning_rate=1e9, gate=MemorizedMistakes())
    engine, order, _ = build(experiment)
    while not engine.diverged:
        before = engine.weights, engine.meter, engine.memory, engine.presented
        engine.learn(order[engine.presented : engine.presented + 20])
    engine.learn(order[:100])
    after = engine.weights, engine.meter, engine.memory, engine.presented
    assert 0 < after[3] == before[3] < 100
    assert after[3] % 20 == 0
    assert after[1].updates == before[1].updates <= after[3]
    np.testing.assert_array_equal(after[1].m1, before[1].m1)
    np.testing.assert_array_equal(after[2], before[2])
    for now, then in zip(after[0], before[0], strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("batch", [1, 7, 32, 1000])
def test_measurements_fall_between_batches(batch):
    experiment = Experiment(engine="autograd", batch=batch, epochs=2, measure_every=250)
    found = list(trainers.presentations(experiment, 600, Streams(0)))
    streams, sizes = Streams(0), []
    for epoch in range(2):
        parts = [part for part, passed in found if epoch < passed <= epoch + 1]
        np.testing.assert_array_equal(np.concatenate(parts), streams.next_epoch(600, "permutation"))
        assert all(len(part) % batch == 0 for part in parts[:-1])
        sizes += [len(part) for part in parts]
    if batch == 1:
        assert sizes == [250, 250, 100, 150, 250, 200]
    if batch == 1000:
        assert sizes == [600, 600]


def test_a_run_with_all_of_it_learns_and_is_kept(few, tmp_path):
    experiment = Experiment(
        engine="autograd", gate=MemorizedMistakes(), batch=8, optimizer="adam", shifts=1,
        loss="cross-entropy", learning_rate=0.003, epochs=6, measure_every=300,
    )  # fmt: skip
    run = train(experiment)
    assert run.final["test_accuracy"] > 0.7
    assert 0 < run.final["memorized"] < run.final["updates"] < run.final["samples"] == 3600
    assert run.final["energy_min"] < run.final["energy_m1"]
    assert run.table["energy_m0"].is_monotonic_increasing
    store = Store(tmp_path)
    store.save(run, few)
    assert store.find(experiment, few).final == run.final
    again = train(experiment)
    assert again.final["energy_m1"] == run.final["energy_m1"]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"dataset": "two-clouds"}, "two-clouds has 2 inputs"),
        ({"dataset": "random-patterns:10,12"}, "has 12 inputs"),
        ({"shifts": 28}, "shifts is 28"),
    ],
    ids=str,
)
def test_what_cannot_be_shifted_is_refused(few, changes, part):
    with pytest.raises(InvalidValue, match=part):
        train(small(**{"shifts": 1, "epochs": 1} | changes))
