"""The gate and the meter for anyone's own loop, against what they promise."""

import doctest

import numpy as np
import pytest
import torch
from torch import nn

from lazybook import pytorch
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes
from lazybook.pytorch import Gate, Meter

RIGHT, WRONG = [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]  # outputs for a sample of class 0


def present(gate: Gate, answers: dict[int, list[float]]) -> list[int]:
    """Return which of the samples of class 0 with these outputs are learned."""
    indices = torch.tensor(list(answers))
    labels = torch.zeros(len(answers), dtype=torch.int64)
    return indices[gate(torch.tensor(list(answers.values())), labels, indices)].tolist()


def test_the_example_runs():
    assert doctest.testmod(pytorch).attempted > 0
    assert doctest.testmod(pytorch).failed == 0


@pytest.mark.parametrize(
    ("rule", "first", "second", "remembered"),
    [
        (EverySample(), [7, 2, 5], [5, 2, 0], []),
        (Mistakes(), [2], [5], []),
        (MemorizedMistakes(), [2], [5, 2], [2, 5]),
    ],
    ids=str,
)
def test_a_gate_learns_and_remembers_what_its_rule_says(rule, first, second, remembered):
    gate = Gate(rule, samples=8)
    assert present(gate, {7: RIGHT, 2: WRONG, 5: RIGHT}) == first
    assert present(gate, {5: WRONG, 2: RIGHT, 0: RIGHT}) == second
    assert gate.updates == len(first) + len(second)
    assert gate.remembered.nonzero()[:, 0].tolist() == remembered


@pytest.mark.parametrize("outputs", [[RIGHT, WRONG], [WRONG, RIGHT]])
def test_a_sample_that_is_twice_in_a_batch_is_remembered_for_one_mistake(outputs):
    gate = Gate(MemorizedMistakes(), samples=5)
    gate(torch.tensor(outputs), torch.tensor([0, 0]), torch.tensor([3, 3]))
    assert gate.remembered.tolist() == [False, False, False, True, False]
    assert gate.updates == 1


def test_a_single_output_answers_with_its_sign():
    gate = Gate(Mistakes(), samples=4)
    outputs, labels = torch.tensor([[-0.1], [0.1], [-2.0], [2.0]]), torch.tensor([0, 0, 1, 1])
    assert gate(outputs, labels, torch.arange(4)).tolist() == [False, True, True, False]


def test_what_is_not_learned_adds_nothing_to_the_gradient():
    torch.manual_seed(0)
    inputs, labels, network = torch.randn(12, 6), torch.randint(3, (12,)), nn.Linear(6, 3)
    outputs = network(inputs)
    learned = Gate(Mistakes(), samples=12)(outputs, labels, torch.arange(12))
    assert 0 < learned.sum() < 12
    losses = nn.functional.cross_entropy(outputs, labels, reduction="none")
    (learned * losses).mean().backward()
    found = network.weight.grad.clone()
    network.zero_grad()
    nn.functional.cross_entropy(
        network(inputs[learned]), labels[learned], reduction="sum"
    ).backward()
    torch.testing.assert_close(found, network.weight.grad / 12)


def test_the_meter_counts_changes_and_adds_up_their_sizes():
    weights, others = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([[4.0]])
    meter = Meter(iter([weights, others]))
    with meter:
        weights += torch.tensor([0.5, 0.0, -0.25])
    weights += 1  # nobody measures this
    with meter:
        weights += torch.tensor([-0.5, 0.0, 1e-9])  # the last is lost to rounding
        others *= 2
    assert meter.m0.tolist() == [3, 1]
    assert meter.m1.tolist() == [1.25, 4.0]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_meter_of_gradient_descent(momentum):
    """Under a constant gradient, what comes back of each step is the momentum's series."""
    network, gradient = nn.Linear(5, 2), torch.tensor([3.0, -1.0, 0.0, 2.0, 0.5]).repeat(2, 1)
    optimizer = torch.optim.SGD([network.weight], lr=0.125, momentum=momentum)
    meter = Meter(network.parameters())
    for _ in range(4):
        network.weight.grad = gradient.clone()
        with meter:
            optimizer.step()
    velocities = np.cumsum(momentum ** np.arange(4))
    assert meter.m0.tolist() == [4 * 8, 0]
    assert meter.m1[0] == pytest.approx(0.125 * 13 * velocities.sum(), rel=1e-6)
    assert meter.m1[1] == 0


def test_the_meter_of_adam():
    """Its first step moves each weight by the rate, whatever the size of the gradient."""
    network = nn.Linear(5, 2)
    optimizer, meter = torch.optim.Adam([network.weight], lr=0.01), Meter([network.weight])
    network.weight.grad = torch.tensor([3.0, -1.0, 0.0, 20.0, 0.5]).repeat(2, 1)
    with meter:
        optimizer.step()
    assert meter.m0.tolist() == [8]
    assert meter.m1.item() == pytest.approx(0.08, rel=1e-5)
