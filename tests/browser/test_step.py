"""The playground's step is the reference engine's, in the reader's browser."""

from dataclasses import replace

import numpy as np
import pytest

from book.playground.record import FOLDER, LEARNED, TO_LEARN, TO_TEST
from lazybook import datasets
from lazybook.datasets import Dataset
from lazybook.experiment import Experiment
from tests.browser import record

pytestmark = pytest.mark.browser

RACE = """([runs, orders]) => runs.map(({ start, gate, rate, threshold, seed }) => {
  const points = lazybook.clouds.points.map(([x, y], at) =>
    ({ x: Math.fround(x), y: Math.fround(y), label: lazybook.clouds.labels[at] }));
  const { w1, w2, energy, learned } =
    lazybook.track(points, orders[seed], { start, gate, rate, threshold });
  const rows = [];
  let updates = 0;
  learned.forEach((does, time) => {
    updates += does;
    const now = time + 1;
    if (now % 100 === 0) rows.push([w1[now], w2[now], energy[now], updates]);
  });
  return rows;
})"""
LEARN = """async ([gate, threshold, order]) => {
  const { weights, sizes, samples } = await lazybook.unpacked(lazybook.digits);
  const { rate, leak } = lazybook.digits;
  const network = new lazybook.Network({ weights, sizes, bias: true, leak, gate, rate, threshold });
  order.forEach((number) => network.present(samples[number].inputs, samples[number].label, number));
  return {
    weights: network.weights.map((layer) => [...layer]),
    energy: network.energy,
    updates: network.updates,
    remembered: [...network.remembered].sort((a, b) => a - b),
    pixels: samples.map(({ pixels }) => pixels.reduce((a, b) => a + b, 0)),
    labels: samples.map(({ label }) => label),
  };
}"""


@pytest.fixture(scope="module")
def scripts(browser):
    """An empty page with the playground's scripts that have to do with learning."""
    page = browser.new_page()
    for name in ("step", "race", "clouds-data", "digits-data", "unpack"):
        page.add_script_tag(path=FOLDER / f"{name}.js")
    yield page
    page.close()


@pytest.fixture(scope="module")
def recorded() -> np.ndarray:
    """Weights, M1 and updates of all runs, every 100 presentations: ``(runs, 60, 4)``."""
    return np.load(record.RECORD)["measured"]


def test_paths_are_those_of_the_reference_engine(scripts, recorded):
    runs = record.runs()
    orders = [record.order(seed).tolist() for seed in range(20)]
    here = np.array(scripts.evaluate(RACE, [runs, orders]))
    assert here.shape == recorded.shape
    assert np.abs(here - recorded).max() < 1e-9
    assert np.ptp(recorded[:, -1, 3]) > 0  # rules and starts differ


@pytest.mark.parametrize("number", [0, 1, 2, 61])
def test_the_record_is_of_this_reference_engine(recorded, number):
    again = record.learn(record.runs()[number], 600)
    np.testing.assert_allclose(again, recorded[number, :6], rtol=0, atol=1e-9)


def test_the_points_are_the_book_s(scripts):
    split = datasets.load("two-clouds").train
    points, labels = scripts.evaluate("[lazybook.clouds.points, lazybook.clouds.labels]")
    np.testing.assert_array_equal(np.float32(points), split.inputs())
    assert labels == split.labels.tolist()


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """The images that the page has: those that it learns and those that it is tested with."""
    mnist = datasets.load("mnist")
    return replace(
        mnist,
        train=mnist.train.part(slice(LEARNED, LEARNED + TO_LEARN)),
        test=mnist.test.part(slice(0, TO_TEST)),
    )


@pytest.mark.parametrize("gate", record.GATES)
@pytest.mark.parametrize("threshold", [0.0, 0.002])
def test_digits_are_learned_as_by_the_reference_engine(scripts, digits, gate, threshold):
    order = np.random.default_rng(0).integers(TO_LEARN, size=300)
    here = scripts.evaluate(LEARN, [gate, threshold, order.tolist()])
    assert here["labels"] == [*digits.train.labels, *digits.test.labels]
    values = np.concatenate([digits.train.values, digits.test.values])
    assert here["pixels"] == values.sum(axis=1).tolist()

    before = scripts.evaluate(LEARN, [gate, threshold, []])["weights"]
    shapes = ((785, 30), (31, 10))
    weights = [np.reshape(w, shape) for w, shape in zip(before, shapes, strict=True)]
    experiment = Experiment.from_dict(
        {"hidden": 30, "gate": gate, "caching": str(threshold), "engine": "reference"}
    )
    network = record.engine(experiment, digits, weights)
    network.learn(order)
    for now, wanted in zip(here["weights"], network.weights, strict=True):
        np.testing.assert_allclose(np.reshape(now, wanted.shape), wanted, rtol=0, atol=1e-9)
    assert here["energy"] == pytest.approx(network.meter.m1.sum(), abs=1e-8)
    assert here["updates"] == network.meter.updates
    assert here["remembered"] == np.flatnonzero(network.memory).tolist()


def test_the_network_was_trained_by_lazybook(scripts, digits):
    """Once on each of 5,000 images: as a run that is made now, which differs by rounding alone."""
    from book.playground.record import pretrained

    here = scripts.evaluate(LEARN, ["mistakes", 0.0, []])["weights"]
    for layer, wanted in zip(here, pretrained(datasets.load("mnist")).weights, strict=True):
        np.testing.assert_allclose(layer, wanted.ravel(), rtol=0, atol=1e-3)
