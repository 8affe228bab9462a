"""What becomes of the changes of a network's weights, in anyone's own loop, and what it costs."""

import io

import numpy as np
import pytest
import torch
from torch import nn

from lazybook.errors import InvalidValue
from lazybook.pytorch import Meter, plasticity


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


@pytest.mark.parametrize(
    ("kind", "size", "change"), [(torch.float16, 3000**2, 0.01), (torch.bfloat16, 100_001, 0.013)]
)
def test_sums_are_wider_than_the_weights(kind, size, change):
    weights = torch.zeros(size, dtype=kind)
    meter = Meter([weights])
    with meter:
        weights += change
    assert meter.m0.tolist() == [size]
    assert meter.m1.item() == pytest.approx(size * weights[0].item(), rel=1e-9)
    assert meter.m_min.item() == pytest.approx(size * weights[0].item(), rel=1e-9)


def test_sums_are_kept_on_the_cpu_whatever_the_weights_are_on():
    there = Meter(nn.Linear(2, 2, device="meta").parameters())
    assert {there.m0.device.type, there.m1.device.type} == {"cpu"}


def test_a_device_without_float64_is_summed_up_on_the_cpu(monkeypatch):
    weights = torch.ones(5)
    meter = Meter([weights])
    monkeypatch.setattr(plasticity, "has_float64", lambda device: False)
    with meter:
        weights -= 0.25
    assert meter.m1.tolist() == [1.25]


WEIGHT = nn.Parameter(torch.zeros(2, 2))


@pytest.mark.parametrize(
    ("parameters", "part"),
    [
        ([], "there are no parameters"),
        (WEIGHT, "parameters are a Parameter"),
        (None, "parameters are a NoneType"),
        (nn.Linear(2, 2), "parameters are a Linear"),
        (nn.Sequential(nn.Linear(2, 2)), "parameters hold Linear"),
        (torch.optim.SGD([WEIGHT], 0.1).param_groups, "parameters hold {"),
        (nn.Linear(2, 2).named_parameters(), "parameters hold \\('weight'"),
        ([torch.arange(3)], "parameters hold tensor"),
        ([WEIGHT, WEIGHT], "the same tensor twice"),
        (nn.LazyLinear(2).parameters(), "no shape yet"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_cannot_be_measured_is_refused(parameters, part):
    with pytest.raises(InvalidValue, match=part):
        Meter(parameters)


def test_a_meter_is_not_entered_twice():
    meter = Meter([WEIGHT])
    with meter, pytest.raises(InvalidValue, match="already"), meter:
        pass
    with meter:
        pass
    assert meter.steps == 2


def test_what_was_changed_before_an_error_was_changed():
    weights = torch.zeros(3)
    meter = Meter([weights])
    with pytest.raises(ZeroDivisionError), meter:
        weights += 1 / torch.tensor(2)
        _ = 1 / 0
    assert meter.m1.tolist() == [1.5]


def test_a_window_is_what_was_spent_inside():
    weights = torch.zeros(4)
    meter = Meter([weights])

    def change(by):
        with meter:
            weights[0] += by

    change(1.0)
    with meter.window("there and back") as whole:
        change(2.0)
        with meter.window("back") as part:
            change(-1.5)
    change(3.0)
    assert (whole.steps, whole.m0.item(), whole.m1.item(), whole.m_min.item()) == (2, 2, 3.5, 0.5)
    assert (part.steps, part.m0.item(), part.m1.item(), part.m_min.item()) == (1, 1, 1.5, 1.5)
    assert (whole.inefficiency, part.inefficiency) == (7, 1)
    assert str(whole) == (
        "there and back: 2 steps, M0 = 2 changes, M1 = 3.5 in units of the weights,"
        " 7 times the straight path"
    )
    assert whole.pending_m1.item() == whole.transient == 0
    assert meter.m_min.item() == 4.5


def test_a_meter_is_saved_and_goes_on():
    def step(weights, meter, by):
        with meter:
            weights += by

    whole, half, resumed = ((w, Meter([w])) for w in (torch.zeros(3) for _ in range(3)))
    for by in (1.0, -2.5):
        step(*whole, by)
    step(*half, 1.0)
    file = io.BytesIO()
    torch.save(half[1].state_dict(), file)
    file.seek(0)
    resumed[0].copy_(half[0])
    resumed[1].load_state_dict(torch.load(file))
    step(*resumed, -2.5)
    for name in ("m0", "m1", "m_min", "steps"):
        assert getattr(resumed[1], name) == getattr(whole[1], name)
    for state in ({}, Meter([torch.zeros(4)]).state_dict(), Meter([WEIGHT]).state_dict(), None):
        with pytest.raises(InvalidValue, match="state is not one of"):
            resumed[1].load_state_dict(state)
