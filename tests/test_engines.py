"""The contract: every engine learns what the reference engine learns.

Engines add up in different orders, so weights and energies agree within float32 rounding, and
counters agree exactly as long as no rounding turns a decision over: real MNIST samples, a few
hundred steps.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from lazybook import datasets, engines, networks
from lazybook.engines import reference
from lazybook.engines.contract import Engine
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes
from lazybook.randomness import Streams

STEPS = 400
RELATIVE, ABSOLUTE = 2e-4, 2e-6  # of weights and energies, after STEPS steps in float32


def build(experiment: Experiment) -> tuple[Engine, np.ndarray]:
    """Return an engine for ``experiment`` and the order in which it presents the samples."""
    dataset = datasets.load(experiment.dataset)
    if experiment.zero_mean:
        dataset = dataset.zero_mean()
    streams = Streams(experiment.seed)
    inputs = dataset.train.values.shape[1]
    shape = networks.shape(experiment.hidden, experiment.bias, inputs, dataset.classes)
    weights = networks.initial_weights(experiment.initial, shape, streams.weights)
    order = streams.next_epoch(len(dataset.train), experiment.order)
    return engines.build(experiment, dataset, weights), order


def assert_same(experiment: Experiment, presented: int = STEPS) -> None:
    """Train both engines on the same samples, half of them twice, and compare all they tell."""
    fast, order = build(replace(experiment, engine="numba"))
    slow, _ = build(replace(experiment, engine="reference"))
    samples = np.concatenate([order[: presented // 2], order[: presented // 2]])
    for engine in (fast, slow):
        engine.learn(samples)

    assert fast.meter.updates == slow.meter.updates > 0
    np.testing.assert_array_equal(fast.memory, slow.memory)
    np.testing.assert_array_equal(fast.meter.m0, slow.meter.m0)
    np.testing.assert_allclose(fast.meter.m1, slow.meter.m1, rtol=RELATIVE)
    for quick, plain in zip(fast.weights, slow.weights, strict=True):
        np.testing.assert_allclose(quick, plain, rtol=RELATIVE, atol=ABSOLUTE)
    test = datasets.load(experiment.dataset).test
    assert fast.evaluate(test).accuracy == pytest.approx(slow.evaluate(test).accuracy, abs=3e-4)
    assert fast.evaluate(test).loss == pytest.approx(slow.evaluate(test).loss, rel=RELATIVE)


@pytest.mark.parametrize("gate", [EverySample(), Mistakes(), MemorizedMistakes()], ids=str)
@pytest.mark.parametrize("loss", networks.LOSSES)
@pytest.mark.parametrize("order", ["permutation", "replacement"])
def test_gates_losses_orders(gate, loss, order):
    assert_same(Experiment(gate=gate, loss=loss, order=order, hidden=30, learning_rate=0.02))


@pytest.mark.parametrize("activation", ["relu", "leaky-relu:0.01", "leaky-relu:0.1"])
@pytest.mark.parametrize("bias", networks.BIASES)
@pytest.mark.parametrize("initial", ["pytorch", "gaussian:0.02"])
def test_activations_biases_initial_weights(activation, bias, initial):
    experiment = Experiment(activation=activation, bias=bias, initial=initial, hidden=16)
    assert_same(experiment)


@pytest.mark.parametrize("hidden", [1, 2, 15, 16, 17, 100])
def test_numbers_of_hidden_units(hidden):
    assert_same(Experiment(hidden=hidden, gate=MemorizedMistakes()))


@pytest.mark.parametrize("gate", [EverySample(), Mistakes(), MemorizedMistakes()], ids=str)
def test_zero_mean(gate):
    assert_same(Experiment(zero_mean=True, hidden=20, gate=gate, loss="half-mse"))


@pytest.mark.parametrize("dataset", ["mnist", "two-clouds"])
@pytest.mark.parametrize("gate", [EverySample(), Mistakes(), MemorizedMistakes()], ids=str)
@pytest.mark.parametrize("bias", ["separate", "none"])
def test_perceptron(dataset, gate, bias):
    experiment = Experiment(dataset=dataset, hidden=None, bias=bias, gate=gate)
    assert_same(experiment, presented=200)


@pytest.mark.parametrize("loss", networks.LOSSES)
@pytest.mark.parametrize("hidden", [12, None])
def test_reference_descends_the_gradient_of_its_loss(loss, hidden):
    """One step of the reference is minus the rate times what autograd gives for the loss."""
    experiment = Experiment(engine="reference", loss=loss, hidden=hidden, learning_rate=0.1)
    engine, order = build(experiment)
    before = [layer.clone().requires_grad_() for layer in engine.synapses]
    rows = torch.as_tensor(order[:1])
    *_, outputs = reference.forward(before, engine.inputs[rows], engine.leak, engine.bias)
    reference.losses(loss, outputs, engine.labels[rows]).sum().backward()
    engine.learn(order[:1])
    for layer, start in zip(engine.synapses, before, strict=True):
        torch.testing.assert_close(layer - start.detach(), -0.1 * start.grad)


def test_cuda_without_a_gpu_is_refused():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InvalidValue, match="cuda"):
        engines.check_device("cuda")
