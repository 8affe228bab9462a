"""When a change becomes permanent: by definition, and in perceptrons that can be worked out."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lazybook import caching, datasets
from lazybook.caching import VARIANTS, Immediate, SynapticCaching
from lazybook.errors import InvalidValue
from lazybook.experiment import preset
from lazybook.trainers import train

# Two layers; the sizes add up to 2 and the largest is 0.75, in the second.
TRANSIENT = [torch.tensor([[0.25, -0.5], [0.0, 0.125]]), torch.tensor([[-0.75], [0.375]])]
NONE = [[[False, False], [False, False]], [[False], [False]]]
ALL = [[[True, True], [True, True]], [[True], [True]]]


@pytest.mark.parametrize(
    ("rule", "permanent"),
    [
        (Immediate(), ALL),
        (SynapticCaching(0.0), ALL),
        (SynapticCaching(0.375), [[[False, True], [False, False]], [[True], [True]]]),
        (SynapticCaching(0.5), [[[False, True], [False, False]], [[True], [False]]]),
        (SynapticCaching(0.76), NONE),
        (SynapticCaching(0.75, variant="any"), ALL),
        (SynapticCaching(0.76, variant="any"), NONE),
        (SynapticCaching(2.0, variant="sum"), ALL),
        (SynapticCaching(2.01, variant="sum"), NONE),
        (SynapticCaching(0.5, variant="unit"), [[[False, True], [False, True]], [[True], [True]]]),
        (SynapticCaching(0.76, variant="unit"), NONE),
        (
            SynapticCaching(0.375, strict=True),
            [[[False, True], [False, False]], [[True], [False]]],
        ),
        (SynapticCaching(0.75, variant="any", strict=True), NONE),
        (SynapticCaching(2.0, variant="sum", strict=True), NONE),
        (
            SynapticCaching(0.5, variant="unit", strict=True),
            [[[False, False], [False, False]], [[True], [True]]],
        ),
    ],
    ids=str,
)
def test_what_is_consolidated(rule, permanent):
    found = rule.consolidates(TRANSIENT)
    assert [layer.dtype for layer in found] == [torch.bool, torch.bool]
    assert [layer.tolist() for layer in found] == permanent


layers = st.lists(
    st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=5).map(
        lambda values: torch.tensor(values)[:, None]
    ),
    min_size=1,
    max_size=2,
)


@given(layers, st.floats(0, 2))
def test_variants_compared(transient, threshold):
    each, any_, sum_, unit = (
        SynapticCaching(threshold, variant=variant).consolidates(transient) for variant in VARIANTS
    )
    for synapses, units in zip(each, unit, strict=True):  # of one unit here
        assert (units == synapses.any()).all()
    for variant in (any_, sum_):  # all or nothing
        assert len({bool(synapse) for layer in variant for synapse in layer}) == 1
    assert bool(any_[0][0]) == any(layer.any() for layer in each)
    assert bool(sum_[0][0]) >= bool(any_[0][0])


@given(layers, st.floats(0, 2), st.sampled_from(VARIANTS))
def test_signs_do_not_matter(transient, threshold, variant):
    rule = SynapticCaching(threshold, variant=variant)
    flipped = [-layer for layer in transient]
    sizes = [layer.abs() for layer in transient]
    for other in (flipped, sizes):
        for a, b in zip(rule.consolidates(transient), rule.consolidates(other), strict=True):
            assert torch.equal(a, b)


def test_what_is_left_of_a_transient_change():
    assert SynapticCaching(1).kept == Immediate().kept == 1
    assert SynapticCaching(1, decay=0.1).kept == pytest.approx(math.exp(-0.1))


numbers = st.floats(0, 1e6)
rules = st.just(Immediate()) | st.builds(
    SynapticCaching, numbers, numbers, numbers, st.sampled_from(VARIANTS), st.booleans()
)


@given(rules)
def test_a_caching_is_what_it_is_spelled(rule):
    assert caching.parse(str(rule)) == rule
    if not getattr(rule, "strict", False):
        assert caching.parse(str(rule).removeprefix("synaptic-caching:")) == rule


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("immediate", Immediate()),
        ("0.01", SynapticCaching(0.01)),
        ("0.01,1e-4", SynapticCaching(0.01, 1e-4)),
        ("0.01,1e-4,0.1,sum", SynapticCaching(0.01, 1e-4, 0.1, "sum")),
        ("synaptic-caching:0.01", SynapticCaching(0.01)),
    ],
)
def test_spellings(text, rule):
    assert caching.parse(text) == rule


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((-0.1,), "caching: threshold is -0.1; it must be a number from 0"),
        ((math.nan,), "caching: threshold is nan"),
        ((math.inf,), "caching: threshold is inf"),
        (("0.1",), "caching: threshold is '0.1'"),
        ((None,), "caching: threshold is None"),
        ((0.1, -1), "caching: decay is -1"),
        ((0.1, 0, -1), "caching: transient_cost is -1"),
        ((0.1, 0, 0, "all"), "caching: variant is 'all'; choose from: synapse, any, sum, unit"),
    ],
)
def test_an_impossible_caching_is_refused(values, message):
    with pytest.raises(InvalidValue) as caught:
        SynapticCaching(*values)
    assert message in str(caught.value)


@pytest.mark.parametrize("engine", ["numba", "reference"])
def test_a_transient_change_decays_and_costs_at_every_presentation(engine):
    """One pattern, learned once: a change of 1 in each of 10 synapses, which nothing touches."""
    assert datasets.load("random-patterns:1,9").train.labels == [1]  # 0 needs no learning
    run = train(
        preset(
            "perceptron",
            dataset="random-patterns:1,9",
            caching=SynapticCaching(5, decay=0.1, transient_cost=0.01),
            epochs=20,
            until=None,
            engine=engine,
        )
    )
    assert (run.table["updates"][1:] == 1).all()
    left = 10 * np.exp(-0.1 * np.arange(20))
    np.testing.assert_allclose(run.table["pending_m1"][1:], left, rtol=1e-5)
    np.testing.assert_allclose(run.table["energy_min"][1:], left, rtol=1e-5)
    np.testing.assert_allclose(run.table["transient_energy"][1:], 0.01 * left.cumsum(), rtol=1e-5)
    assert run.final["pending_m0"] == 10
    assert run.final["energy_m1"] == run.final["energy_m0"] == 0


@pytest.mark.parametrize("engine", ["numba", "reference"])
@pytest.mark.parametrize(
    ("rule", "patterns"),
    [
        (SynapticCaching(0), 30),
        (SynapticCaching(3), 30),
        (SynapticCaching(1.7, decay=0.05, transient_cost=0.1), 30),
        (SynapticCaching(3.7, decay=0.01, transient_cost=0.1, variant="any"), 30),
        (SynapticCaching(70, variant="sum"), 30),
        # What so many presentations in one call leave of the first change is too small for float32,
        # exp(-100), and so is what a strong decay leaves of any.
        (SynapticCaching(1.7, decay=0.5, transient_cost=0.1), 200),
        (SynapticCaching(2.9, decay=0.5, transient_cost=0.1, variant="any"), 200),
        (SynapticCaching(300, decay=0.5, transient_cost=0.1, variant="sum"), 200),
        (SynapticCaching(0.5, decay=1000, transient_cost=0.1), 30),
    ],
    ids=str,
)
def test_a_perceptron_that_caches(engine, rule, patterns):
    """Against the rule written out for a perceptron, one pattern after another."""
    name = f"random-patterns:{patterns},{patterns}"
    run = train(preset("perceptron", dataset=name, caching=rule, engine=engine, epochs=40))
    patterns = datasets.load(name).train
    persistent, transient = (np.zeros(patterns.values.shape[1] + 1) for _ in range(2))
    m0 = m1 = cost = updates = 0
    for _ in range(int(run.final["epoch"])):
        for values, label in zip(patterns.inputs(), patterns.labels, strict=True):
            transient *= math.exp(-rule.decay)
            values = np.append(values, 1)
            if (values @ (persistent + transient) > 0) != label:
                transient += (2 * label - 1) * values
                updates += 1
                sizes = np.abs(transient)
                reached = {"synapse": sizes, "any": sizes.max(), "sum": sizes.sum()}
                permanent = (sizes >= 0) & (reached[rule.variant] >= rule.threshold)
                m0 += np.count_nonzero(transient[permanent])
                m1 += sizes[permanent].sum()
                persistent[permanent] += transient[permanent]
                transient[permanent] = 0
            cost += rule.transient_cost * np.abs(transient).sum()
    final = run.final
    learnable = rule.threshold == 0 or rule.decay < 0.1
    assert final["test_accuracy"] == 1 or not learnable
    assert final["updates"] == updates
    assert final["energy_m0"] == m0
    assert m0 > 0 or not learnable
    assert final["energy_m1"] == pytest.approx(m1, rel=1e-5)
    assert final["pending_m0"] == np.count_nonzero(transient)
    assert final["pending_m1"] == pytest.approx(np.abs(transient).sum(), rel=1e-5, abs=1e-5)
    assert final["transient_energy"] == pytest.approx(cost, rel=1e-5)
    straight = np.abs(persistent + transient).sum()
    assert final["energy_min"] == pytest.approx(straight, rel=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_consolidating_once_at_the_end_costs_no_more_than_the_straight_path(variant):
    plain = train(preset("perceptron", dataset="random-patterns:200,200"))
    cached = train(
        preset(
            "perceptron",
            dataset="random-patterns:200,200",
            caching=SynapticCaching(1e9, variant=variant),
        )
    )
    assert cached.final["updates"] == plain.final["updates"]
    assert cached.final["energy_min"] == plain.final["energy_min"]
    assert cached.final["energy_m1"] == 0
    assert cached.final["pending_m1"] == plain.final["energy_min"] < plain.final["energy_m1"] / 5
