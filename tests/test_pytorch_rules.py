"""Restrictions and caching in anyone's own loop: in plain steps, what the reference engine does."""

import copy
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_engines import CACHINGS, RESTRICTIONS, small
from torch import nn
from torch.nn.functional import cross_entropy

from lazybook import caching, datasets, engines, restrictions
from lazybook.caching import SynapticCaching
from lazybook.engines import autograd
from lazybook.engines.contract import Start
from lazybook.engines.reference import losses
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.gates import MemorizedMistakes
from lazybook.pytorch import Gate, Plasticity, chain
from lazybook.restrictions import (
    LargestUpdates,
    NeuronMask,
    SelectedNeurons,
    Subnet,
    SynapseMask,
)
from lazybook.support.randomness import Streams

SLOW_CACHINGS = ("synaptic-caching:0.05,0.01,0.1,any", "synaptic-caching:20,0.01,0.1,sum")


@pytest.fixture(scope="module")
def digits():
    return datasets.load("mnist").zero_mean()


def assert_as_the_reference(experiment: Experiment, dataset, kind=torch.float64) -> None:
    """Learn 60 samples twice, in a loop of one's own and with the reference, and compare."""
    streams = Streams(experiment.seed)
    start = Start.draw(experiment, dataset, streams)
    order = np.tile(streams.next_epoch(len(dataset.train), experiment.order)[:60], 2)
    defined = engines.build(replace(experiment, engine="reference"), dataset, start)
    defined.learn(order)

    network = autograd.network(experiment, start).to(kind)
    optimizer = torch.optim.SGD(network.parameters(), lr=experiment.learning_rate)
    gate = Gate(experiment.gate, samples=len(dataset.train))
    rules = experiment.restriction, experiment.caching
    plasticity = Plasticity(network, *rules, seed=experiment.seed)
    inputs = torch.tensor(dataset.train.inputs(order)).to(kind)
    labels = torch.tensor(dataset.train.labels[order])
    batches = zip(inputs.split(1), labels.split(1), torch.tensor(order).split(1), strict=True)
    for given, wanted, indices in batches:
        with plasticity(wanted):
            outputs = network(given)
            if gate(outputs, wanted, indices).any():
                optimizer.zero_grad()
                losses(experiment.loss, outputs, wanted).sum().backward()
                optimizer.step()

    assert gate.updates == defined.meter.updates
    np.testing.assert_array_equal(gate.remembered, defined.memory)
    layers = len(start.weights)
    lost = 0 if kind == torch.float64 else 1e-3  # changes too small for the weight they are for
    for name in ("m0", "m1", "pending_m0", "pending_m1"):
        np.testing.assert_allclose(
            getattr(plasticity, name).numpy().reshape(layers, -1).sum(axis=1),
            getattr(defined.meter, name),
            rtol=lost if name.endswith("m0") else 1e-5,
        )
    assert plasticity.transient == pytest.approx(defined.meter.transient, rel=1e-5)
    assert plasticity.m_min.sum() == pytest.approx(defined.distance(), rel=1e-5)
    modules = [module for module in network if isinstance(module, nn.Linear)]
    for module, weights in zip(modules, defined.weights, strict=True):
        found = np.vstack([parameter.detach().numpy().T for parameter in module.parameters()])
        np.testing.assert_allclose(found, weights, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("restriction", [r for r in RESTRICTIONS if "neurons" not in r])
def test_every_restriction_is_that_of_the_reference(restriction, digits):
    rule = restrictions.parse(restriction)
    assert_as_the_reference(small(restriction=rule, gate=MemorizedMistakes(), seed=2), digits)


@pytest.mark.parametrize("cache", [c for c in CACHINGS + SLOW_CACHINGS if "unit" not in c])
@pytest.mark.parametrize("restriction", ["all", "subnet-per-sample:7 & largest-per-layer:0.05"])
def test_every_caching_is_that_of_the_reference(cache, restriction, digits):
    rules = {"caching": caching.parse(cache), "restriction": restrictions.parse(restriction)}
    assert_as_the_reference(small(gate=MemorizedMistakes(), **rules), digits)


def test_what_enters_a_unit_is_not_known_here():
    with pytest.raises(InvalidValue, match="variant is 'unit'"):
        Plasticity(nn.Linear(2, 2), caching=caching.SynapticCaching(0.1, variant="unit"))


@pytest.mark.parametrize("hidden", [18, None])
@pytest.mark.parametrize("bias", ["separate", "none"])
def test_networks_of_both_shapes(hidden, bias, digits):
    rule = restrictions.parse("synapse-mask-per-sample:0.4,0.7 & largest-per-neuron:0.3")
    experiment = small(hidden=hidden, bias=bias, restriction=rule)
    assert_as_the_reference(replace(experiment, caching=SynapticCaching(0.003, 0.01)), digits)


@pytest.mark.parametrize(
    "restriction", ["all", "synapse-mask-per-class:0.4,0.7", "subnet:7", "largest-per-neuron:0.4"]
)
def test_weights_may_be_float32(restriction, digits):
    rule = restrictions.parse(restriction)
    assert_as_the_reference(small(restriction=rule), digits, torch.float32)


@pytest.mark.parametrize("per", ["layer", "neuron"])
def test_the_largest_are_chosen_as_the_definition_chooses(per):
    generator = torch.Generator().manual_seed(0)
    for begin in (0, 7, 2**63 + 5):
        sizes = torch.randint(4, (6, 30), generator=generator).double()  # full of ties, and of 0
        sizes[3] = 0
        rows = sizes.flatten()[None] if per == "layer" else sizes
        numbers = [20] if per == "layer" else [1, 5, 30, 4, 12, 29]
        noise = 1e-9 * torch.rand(rows.shape, generator=generator, dtype=torch.float64)
        sizes, rounding = (rows + noise) * (rows > 0), torch.full_like(rows, 1e-9)
        found = chain.largest(sizes, numbers, [begin] * len(rows), rounding)
        for row, chosen, number in zip(rows, found, numbers, strict=True):
            defined = restrictions.largest(row[:, None], number, begin)[:, 0]
            assert chosen.tolist() == defined.tolist()


def convolutional() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU(),
        nn.Sequential(nn.Conv2d(6, 8, 3, groups=2, bias=False), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Flatten(), nn.Dropout(0.1), nn.Linear(8 * 2 * 2, 10),
    )  # fmt: skip


def train(network: nn.Module, plasticity: Plasticity, steps: int = 4, begin: int = 0) -> None:
    """Make steps of Adam with weight decay and clipping on images that are noise."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.1)
    kind = next(network.parameters()).dtype
    for seed in range(begin, begin + steps):
        generator = torch.Generator().manual_seed(seed)
        inputs = torch.randn(5, 1, 13, 13, generator=generator).to(kind)
        loss = cross_entropy(network(inputs), torch.randint(10, (5,), generator=generator))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        with plasticity:
            optimizer.step()


def changed(network: nn.Module, before: nn.Module) -> dict[str, torch.Tensor]:
    old = dict(before.named_parameters())
    return {name: now.detach() != old[name] for name, now in network.named_parameters()}


def test_a_unit_of_a_convolution_is_an_output_channel():
    network = convolutional()
    before, plasticity = copy.deepcopy(network), Plasticity(network, NeuronMask(3), seed=1)
    train(network, plasticity)
    moved = changed(network, before)
    for name in ("0.weight", "0.bias", "3.0.weight"):
        units = moved[name].flatten(1).any(dim=1) if moved[name].ndim > 1 else moved[name]
        assert units.sum() == 3
        assert moved[name][units].all()
    assert moved["6.weight"].all()
    assert moved["6.bias"].all()
    assert (moved["0.bias"] == moved["0.weight"].flatten(1).any(dim=1)).all()
    spent = {name: place for place, name in enumerate(moved)}
    assert plasticity.m0[spent["3.0.weight"]] == 4 * 3 * 3 * 9


def test_a_subnet_is_coordinated_along_the_chain():
    network = convolutional()
    before, plasticity = copy.deepcopy(network), Plasticity(network, Subnet(3), seed=1)
    train(network, plasticity)
    moved = changed(network, before)
    first = moved["0.bias"]
    second = moved["3.0.weight"].flatten(1).any(dim=1)
    assert first.sum() == 3
    assert 0 < second.sum() <= 3  # with groups, a unit may be connected to none of the subnet
    assert (moved["0.weight"].flatten(1).any(dim=1) == first).all()
    for unit in range(8):
        inputs = first[:3] if unit < 4 else first[3:]
        allowed = inputs & second[unit]
        assert (moved["3.0.weight"][unit].flatten(1).all(dim=1) == allowed).all()
        assert (moved["3.0.weight"][unit].flatten(1).any(dim=1) == allowed).all()
    leaving = moved["6.weight"].reshape(10, 8, 4)
    assert (leaving.all(dim=2) == leaving.any(dim=2)).all()
    units = leaving.any(dim=0).any(dim=1)
    assert units.sum() == 3
    assert (units | ~second).all()
    assert leaving[:, units].all()
    assert not moved["6.bias"].any()
    assert moved["1.weight"].all()  # a norm is not part of the chain


def test_masks_along_a_chain():
    network = convolutional()
    before = copy.deepcopy(network)
    train(network, Plasticity(network, SynapseMask(0.0, 0.25)))
    moved = changed(network, before)
    for name in ("0.weight", "0.bias", "3.0.weight"):
        assert not moved[name].any()
    assert moved["6.weight"].float().mean() == pytest.approx(0.25, abs=0.1)


@pytest.mark.parametrize("per", ["layer", "neuron"])
def test_exactly_k_synapses_of_each_layer_but_the_last_change(per):
    network = convolutional()
    plasticity = Plasticity(network, LargestUpdates(0.2, per=per))
    train(network, plasticity, steps=3)
    weight, bias, *_, last, _ = plasticity.m0.tolist()
    second = plasticity.m0[4].item()
    if per == "layer":
        assert (weight + bias, second) == (3 * round(0.2 * 60), 3 * round(0.2 * 216))
    else:
        assert (weight + bias, second) == (3 * 6 * round(0.2 * 10), 3 * 8 * round(0.2 * 27))
    assert last == 3 * 320


@pytest.mark.parametrize("draw", ["once", "sample"])
def test_a_convolution_over_a_single_point_is_a_linear_layer(draw):
    """The same choices, of the same seed, and so the same weights."""
    rule = SynapseMask(0.4, 0.7, draw) & Subnet(5, draw) & LargestUpdates(0.3, "neuron")
    torch.manual_seed(0)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(169, 8), nn.ReLU(), nn.Linear(8, 10)).double()
    point = nn.Sequential(nn.Conv2d(1, 8, 13), nn.ReLU(), nn.Flatten(), nn.Linear(8, 10)).double()
    for target, source in zip(point.parameters(), linear.parameters(), strict=True):
        target.data = source.detach().clone().view_as(target)
    rules = [Plasticity(network, rule, seed=4) for network in (linear, point)]
    for network, plasticity in zip((linear, point), rules, strict=True):
        train(network, plasticity)
    assert rules[0].m0.tolist() == rules[1].m0.tolist()
    for a, b in zip(linear.parameters(), point.parameters(), strict=True):
        torch.testing.assert_close(a, b.view_as(a))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.entering, self.leaving = nn.Linear(169, 8), nn.Linear(8, 10)
        self.around = nn.Linear(169, 10)

    def forward(self, inputs):
        flat = inputs.flatten(1)
        return self.leaving(self.entering(flat).relu()) + self.around(flat)


def test_the_chain_of_other_networks_is_given():
    torch.manual_seed(0)
    network = Residual()
    with pytest.raises(InvalidValue, match="no chain of layers is found in a Residual"):
        Plasticity(network, Subnet(3))
    train(network, Plasticity(network, caching=SynapticCaching(0.1)))  # needs none
    before = copy.deepcopy(network)
    train(network, Plasticity(network, Subnet(3), chain=[network.entering, network.leaving]))
    moved = changed(network, before)
    assert (
        moved["entering.weight"].any(dim=1).sum() == moved["leaving.weight"].any(dim=0).sum() == 3
    )
    assert moved["around.weight"].all()


TIED = nn.Linear(4, 4)
BAD = [
    ({"restriction": "subnet:3"}, "restriction is 'subnet:3'"),
    ({"restriction": None}, "restriction is None"),
    ({"caching": 0.01}, "caching is 0.01"),
    ({"seed": -1}, "seed is -1"),
    ({"model": [TIED.weight]}, "model is"),
    ({"model": nn.ReLU()}, "there are no parameters"),
    ({"chain": []}, "chain is empty"),
    ({"chain": [nn.ReLU()]}, "chain has ReLU"),
    ({"chain": [nn.Linear(4, 4)]}, "are no parameters of the network"),
    ({"chain": [TIED, TIED]}, "twice"),
    ({"model": nn.Sequential(nn.Linear(4, 3), nn.Linear(4, 2))}, "layer 0 has 3 units"),
    ({"model": nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2))}, "needs 3 hidden units"),
    ({"model": nn.Sequential(nn.Conv2d(4, 2, 3), nn.Linear(8, 2))}, "needs 3 hidden units"),
    ({"model": nn.Linear(4, 2)}, "needs 3 hidden units"),
    ({"restriction": SelectedNeurons(0.5, "error")}, "largest-error-neurons:0.5 chooses by"),
    ({"model": nn.Sequential(nn.LSTM(4, 3), nn.Linear(3, 2))}, "no chain .* in a LSTM"),
    ({"model": nn.Sequential(nn.ConvTranspose2d(4, 3, 2))}, "no chain .* in a ConvTranspose2d"),
]


@pytest.mark.parametrize(("values", "part"), BAD, ids=[part for _, part in BAD])
def test_what_means_nothing_is_refused(values, part):
    model = nn.Sequential(TIED, nn.ReLU(), nn.Linear(4, 2))
    with pytest.raises(InvalidValue, match=part):
        Plasticity(**{"model": model, "restriction": Subnet(3)} | values)


@pytest.mark.parametrize("labels", [4, -1, 1.0, True, None, torch.tensor([0, 1]), torch.tensor([])])
def test_a_restriction_per_class_needs_to_know_which(labels):
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    plasticity = Plasticity(network, Subnet(3, draw="class"))
    with pytest.raises(InvalidValue, match=r"labels (are|is)"), plasticity(labels):
        pass
    with pytest.raises(InvalidValue, match="say which"), plasticity:
        pass
    with plasticity(torch.tensor([3, 3])):
        pass
    with pytest.raises(InvalidValue, match="say which"), plasticity:
        pass


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_keeps_what_is_transient_wider(kind):
    """Changes that a half-precision weight can hardly keep add up, and are charged once."""
    network = nn.Linear(3, 2, bias=False).to(kind)
    with torch.no_grad():
        network.weight.fill_(1)
    plasticity = Plasticity(network, caching=SynapticCaching(0.1))
    step = torch.finfo(kind).eps
    steps = int(0.1 / step)
    for _ in range(steps):
        with plasticity, torch.no_grad():
            network.weight += step
    assert plasticity.m0.item() == 0
    assert plasticity.pending_m0.item() == 6
    assert plasticity.pending_m1.item() == pytest.approx(6 * steps * step)
    with plasticity, torch.no_grad():
        network.weight += step
    assert plasticity.m0.item() == 6
    assert plasticity.m1.item() == pytest.approx(6 * (steps + 1) * step)
    assert plasticity.pending_m1.item() == 0
    torch.testing.assert_close(
        network.weight, torch.full_like(network.weight, 1 + (steps + 1) * step)
    )


def test_weights_that_somebody_else_changes_are_not_charged():
    network = nn.Linear(3, 2)
    plasticity = Plasticity(network, caching=SynapticCaching(0.5, decay=0.1))
    with plasticity, torch.no_grad():
        network.weight += 0.1
    other = nn.Linear(3, 2)
    network.load_state_dict(other.state_dict())
    with plasticity:
        pass
    assert plasticity.m0.sum() == 0
    held = 0.1 * (1 - np.exp(-0.1))
    torch.testing.assert_close(network.weight, other.weight - held)


RULES = (
    {"restriction": Subnet(3, "sample") & LargestUpdates(0.1)},
    {"restriction": SynapseMask(0.3, 0.6, "sample")},
    {"caching": SynapticCaching(0.02, 0.01, 0.1)},
)


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_what_is_saved_goes_on_as_if_nothing_had_been(rules):
    networks = [nn.Sequential(convolutional(), nn.Identity()).double() for _ in range(3)]
    whole, half, resumed = (Plasticity(network, **rules, seed=5) for network in networks)
    for network, plasticity in zip(networks[:2], (whole, half), strict=True):
        torch.manual_seed(1)
        train(network, plasticity, steps=3)
    file = io.BytesIO()
    torch.save([networks[1].state_dict(), half.state_dict()], file)
    file.seek(0)
    state, rest = torch.load(file)
    networks[2].load_state_dict(state)
    resumed.load_state_dict(rest)
    for network, plasticity in ((networks[0], whole), (networks[2], resumed)):
        torch.manual_seed(2)
        train(network, plasticity, steps=3, begin=3)
    for name in ("m0", "m1", "m_min", "pending_m0", "pending_m1"):
        assert getattr(resumed, name).tolist() == getattr(whole, name).tolist()
    assert (resumed.steps, resumed.transient) == (whole.steps, whole.transient)
    for a, b in zip(networks[0].parameters(), networks[2].parameters(), strict=True):
        assert a.equal(b)
    for other in (Plasticity(networks[2]), Plasticity(networks[2], **rules, seed=6)):
        with pytest.raises(InvalidValue, match="with these rules"):
            other.load_state_dict(rest)


def test_a_window_tells_of_what_is_transient():
    network = nn.Linear(3, 2, bias=False).double()
    plasticity = Plasticity(network, caching=SynapticCaching(0.25, transient_cost=0.5))

    def change(by):
        with plasticity, torch.no_grad():
            network.weight[0, 0] += by

    change(0.125)
    with plasticity.window("a") as first:
        change(0.0625)
    with plasticity.window("b") as second:
        change(0.0625)
    assert (first.m0.item(), first.pending_m0.item(), first.pending_m1.item()) == (0, 1, 0.1875)
    assert first.transient == 0.5 * 0.1875
    assert first.m_min.item() == 0.0625
    assert (second.m0.item(), second.m1.item(), second.transient) == (1, 0.25, 0)
    assert "pending" in str(first)
    assert "pending" not in str(second)


def test_nothing_restricted_and_nothing_held_is_a_meter():
    network = convolutional()
    before, plasticity = copy.deepcopy(network), Plasticity(network)
    train(network, plasticity)
    pairs = [
        (now.detach(), then.detach())
        for now, then in zip(network.parameters(), before.parameters(), strict=True)
    ]
    assert plasticity.persistent == plasticity.held == []
    assert plasticity.m_min.tolist() == pytest.approx(
        [float((now - then).abs().sum(dtype=torch.float64)) for now, then in pairs]
    )
    assert (plasticity.m1 > plasticity.m_min).all()
    assert all((now != then).any() for now, then in pairs)
