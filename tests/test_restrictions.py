"""Which synapses may change: how restrictions combine, and what is drawn and selected for them."""

from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lazybook import restrictions
from lazybook.errors import InvalidValue
from lazybook.networks import Shape
from lazybook.restrictions import (
    DRAWS,
    AllSynapses,
    LargestToOutputs,
    LargestUpdates,
    NeuronMask,
    Plan,
    SelectedNeurons,
    Subnet,
    SynapseMask,
    largest,
    number_selected,
)

SHAPE = Shape(inputs=784, hidden=40, outputs=10, bias=True)

fractions = st.floats(0, 1, exclude_min=True)
draws = st.sampled_from(DRAWS)
kinds = {
    SynapseMask: st.builds(SynapseMask, fractions, fractions, draws),
    NeuronMask: st.builds(NeuronMask, st.integers(1, 10**6), draws),
    Subnet: st.builds(Subnet, st.integers(1, 10**6), draws),
    SelectedNeurons: st.builds(SelectedNeurons, fractions, st.sampled_from(["activity", "error"])),
    LargestUpdates: st.builds(LargestUpdates, fractions, st.sampled_from(["layer", "neuron"])),
    LargestToOutputs: st.builds(LargestToOutputs, fractions),
}
single = st.just(AllSynapses()) | st.one_of(*kinds.values())


def combined(*parts):
    """Return the combination of ``parts`` from left to right, or the class of the error."""
    try:
        whole = AllSynapses()
        for part in parts:
            whole = whole & part
        return whole
    except InvalidValue as error:
        return type(error)


@given(single, single)
def test_the_order_of_a_combination_does_not_matter(a, b):
    assert combined(a, b) == combined(b, a)


@given(single, single, single)
def test_nor_does_its_grouping(a, b, c):
    left = combined(a, b) if combined(a, b) is InvalidValue else combined(combined(a, b), c)
    right = combined(b, c) if combined(b, c) is InvalidValue else combined(a, combined(b, c))
    assert left == right == combined(a, b, c)


@given(single)
def test_all_synapses_add_nothing(restriction):
    assert restriction & AllSynapses() == AllSynapses() & restriction == restriction


@given(*(kinds[kind] for kind in (SynapseMask, Subnet, LargestUpdates)))
def test_a_combination_has_its_parts_masks_first(mask, subnet, selection):
    whole = selection & subnet & mask
    assert whole.parts == (mask, subnet, selection)
    assert (whole.parts[0] & whole.parts[2]).parts == (mask, selection)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        *((a, b) for a in kinds for b in kinds if a is b),
        *combinations((NeuronMask, Subnet, SelectedNeurons), 2),
    ],
    ids=lambda kind: kind.__name__,
)
@given(data=st.data())
def test_what_cannot_be_combined_is_named(first, second, data):
    a, b, more = data.draw(kinds[first]), data.draw(kinds[second]), data.draw(single)
    with pytest.raises(InvalidValue) as caught:
        a & b
    assert str(a) in str(caught.value)
    assert str(b) in str(caught.value)
    assert combined(a, more, b) is InvalidValue


@given(st.lists(single, max_size=4))
def test_a_restriction_is_what_it_is_spelled(parts):
    whole = combined(*parts)
    if whole is not InvalidValue:
        assert restrictions.parse(str(whole)) == whole
        assert restrictions.parse(" & ".join(map(str, reversed(parts))) or "all") == whole


@pytest.mark.parametrize(
    ("text", "restriction"),
    [
        ("all", AllSynapses()),
        ("synapse-mask:0.1,1", SynapseMask(0.1, 1.0)),
        ("synapse-mask-per-sample:0.1,0.5", SynapseMask(0.1, 0.5, "sample")),
        ("neuron-mask-per-class:30", NeuronMask(30, "class")),
        ("subnet:100", Subnet(100)),
        ("largest-per-neuron:0.05", LargestUpdates(0.05, "neuron")),
        ("most-active-neurons:0.1", SelectedNeurons(0.1, "activity")),
        ("largest-error-neurons:0.1", SelectedNeurons(0.1, "error")),
        ("largest-per-layer:0.05&subnet:100", Subnet(100) & LargestUpdates(0.05)),
        ("largest-to-outputs:0.1 & subnet:100", Subnet(100) & LargestToOutputs(0.1)),
    ],
)
def test_spellings(text, restriction):
    assert restrictions.parse(text) == restriction


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SynapseMask(-0.1, 1), "p_in is -0.1; it must be a number from 0 to 1"),
        (lambda: SynapseMask(1, 1.01), "synapse mask: p_out is 1.01"),
        (lambda: SynapseMask(float("nan"), 1), "synapse mask: p_in is nan"),
        (lambda: SynapseMask("0.1", 1), "synapse mask: p_in is '0.1'"),
        (lambda: SynapseMask(0.1, 1, "often"), "draw is 'often'; choose from: once, sample, class"),
        (lambda: NeuronMask(0), "neuron mask: n is 0; it must be a whole number, at least 1"),
        (lambda: NeuronMask(True), "neuron mask: n is True"),
        (lambda: Subnet(1.0), "subnet: n is 1.0"),
        (lambda: Subnet(1, None), "draw is None"),
        (lambda: LargestUpdates(0.0), "largest updates: fraction is 0.0"),
        (lambda: LargestToOutputs(0.0), "largest to outputs: fraction is 0.0"),
        (lambda: SelectedNeurons(1.1, "error"), "selected neurons: fraction is 1.1; it must be"),
        (lambda: SelectedNeurons(0.1, "age"), "by is 'age'; choose from: activity, error"),
        (lambda: LargestUpdates(0.1, "synapse"), "per is 'synapse'; choose from: layer, neuron"),
    ],
)
def test_an_impossible_restriction_is_refused(make, message):
    with pytest.raises(InvalidValue) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", [NeuronMask, Subnet])
@pytest.mark.parametrize("draw", DRAWS)
def test_a_network_has_the_units_that_are_to_be_plastic(kind, draw):
    restrictions.check(kind(40, draw) & LargestUpdates(0.1), SHAPE)
    with pytest.raises(InvalidValue, match="needs 41 hidden units that learn; there are 40"):
        restrictions.check(SynapseMask(0.1, 1) & kind(41, draw), SHAPE)
    with pytest.raises(InvalidValue, match="there are 0"):
        restrictions.check(kind(1, draw), Shape(784, None, 10, bias=True))


def test_neurons_can_be_selected_where_there_are_some():
    restrictions.check(SelectedNeurons(0.1, "error"), SHAPE)
    with pytest.raises(InvalidValue, match=r"most-active-neurons:0\.1 needs hidden units"):
        restrictions.check(SelectedNeurons(0.1, "activity"), Shape(784, None, 10, bias=True))


def plan(restriction, seed=0, shape=SHAPE) -> Plan:
    return Plan.draw(restriction, shape, 10, np.random.default_rng(seed))


def test_nothing_is_drawn_for_nothing():
    assert plan(AllSynapses()) == Plan()
    assert plan(LargestUpdates(0.1, "neuron")) == Plan(largest=LargestUpdates(0.1, "neuron"))
    neurons = SelectedNeurons(0.1, "error")
    assert plan(neurons) == Plan(neurons=neurons, unit_count=4)


@pytest.mark.parametrize("kind", [NeuronMask, Subnet])
@pytest.mark.parametrize(("draw", "rows"), [("once", 1), ("class", 10)])
def test_units_are_drawn_without_repetition(kind, draw, rows):
    drawn = plan(kind(7, draw))
    assert drawn.units.shape == (rows, 7)
    assert all(len(set(row)) == 7 for row in drawn.units.tolist())
    assert (drawn.units >= 0).all()
    assert (drawn.units < 40).all()
    assert (drawn.unit_count, drawn.unit_draw) == (7, draw)
    assert drawn.outputs_of_units == (kind is Subnet)
    assert drawn.masks is None


def test_every_unit_is_as_likely_as_any():
    chosen = np.concatenate([plan(Subnet(7), seed).units[0] for seed in range(2000)])
    counts = np.bincount(chosen, minlength=40)
    assert np.abs(counts - 350).max() < 5 * np.sqrt(350)


def test_units_for_each_sample_are_drawn_from_all():
    drawn = plan(NeuronMask(7, "sample"))
    np.testing.assert_array_equal(np.sort(drawn.units), np.arange(40)[None])
    assert (drawn.unit_count, drawn.unit_draw) == (7, "sample")


@pytest.mark.parametrize(("draw", "rows"), [("once", 1), ("class", 10)])
def test_masks_leave_the_fractions_plastic_that_they_say(draw, rows):
    masks = plan(SynapseMask(0.3, 0.6, draw)).masks
    assert [mask.shape for mask in masks] == [(rows, 785, 40), (rows, 41, 10)]
    for mask, probability in zip(masks, (0.3, 0.6), strict=True):
        assert mask.dtype == bool
        error = np.sqrt(probability * (1 - probability) / mask.size)
        assert mask.mean() == pytest.approx(probability, abs=5 * error)


def test_a_mask_of_one_leaves_all_plastic():
    assert all(mask.all() for mask in plan(SynapseMask(1, 1)).masks)


def test_a_perceptron_has_one_mask():
    [mask] = plan(SynapseMask(0.5, 0.1), shape=Shape(784, None, 10, bias=True)).masks
    assert mask.shape == (1, 785, 10)
    assert mask.mean() == pytest.approx(0.5, abs=0.03)


def test_masks_for_each_sample_are_not_drawn_ahead():
    drawn = plan(SynapseMask(0.3, 0.6, "sample"))
    assert drawn.masks is None
    assert drawn.mask == SynapseMask(0.3, 0.6, "sample")


def test_each_class_has_a_mask_and_units_of_its_own():
    drawn = plan(SynapseMask(0.3, 0.6, "class") & Subnet(7, "class"))
    for array in (*drawn.masks, drawn.units):
        assert len({row.tobytes() for row in array}) == 10


@pytest.mark.parametrize(
    "restriction", [SynapseMask(0.3, 0.6), NeuronMask(7), Subnet(7, "class")], ids=str
)
def test_a_seed_gives_one_plan_and_another_seed_another(restriction):
    first, again, other = (plan(restriction, seed) for seed in (0, 0, 1))
    for name in ("units", "masks"):
        a, b, c = (getattr(drawn, name) for drawn in (first, again, other))
        if a is not None:
            for x, y, z in zip(a, b, c, strict=True):
                np.testing.assert_array_equal(x, y)
                assert (x != z).any()


@pytest.mark.parametrize(
    ("fraction", "plastic", "number"),
    [(0.05, 78_500, 3925), (1.0, 785, 785), (0.01, 785, 8), (0.001, 785, 1), (0.0001, 785, 1)],
)
def test_how_many_are_selected(fraction, plastic, number):
    assert number_selected(fraction, plastic) == number


@given(fractions, st.integers(1, 10**6))
def test_at_least_one_and_at_most_all_are_selected(fraction, plastic):
    number = number_selected(fraction, plastic)
    assert 1 <= number <= plastic
    assert number == 1 or abs(number - fraction * plastic) <= 0.5


# The three 1s tie. Column by column they are (1, 0), (0, 1), (1, 1).
TIED = torch.tensor([[3.0, 1.0], [1.0, 1.0], [0.0, 2.0]])


@pytest.mark.parametrize(
    ("number", "begin", "chosen"),
    [
        (1, 5, {(0, 0)}),
        (2, 5, {(0, 0), (2, 1)}),
        (3, 0, {(0, 0), (2, 1), (1, 0)}),
        (3, 1, {(0, 0), (2, 1), (0, 1)}),
        (3, 2, {(0, 0), (2, 1), (1, 1)}),
        (3, 3, {(0, 0), (2, 1), (1, 0)}),
        (4, 1, {(0, 0), (2, 1), (0, 1), (1, 1)}),
        (4, 2, {(0, 0), (2, 1), (1, 1), (1, 0)}),
        (5, 1, {(0, 0), (2, 1), (1, 0), (0, 1), (1, 1)}),
        (6, 1, {(0, 0), (2, 1), (1, 0), (0, 1), (1, 1)}),  # no change is no update
    ],
)
def test_the_largest_and_how_ties_are_broken(number, begin, chosen):
    selected = largest(TIED, number, begin)
    assert selected.dtype == torch.bool
    assert {tuple(place) for place in selected.nonzero().tolist()} == chosen


@given(
    sizes=st.integers(1, 5).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(0, 3), min_size=columns, max_size=columns), min_size=1, max_size=6
        )
    ),
    part=st.floats(0, 1),
    begin=st.integers(0, 2**64 - 1),
)
def test_as_many_as_there_are_to_be_and_none_is_smaller_than_one_left_out(sizes, part, begin):
    sizes = torch.tensor(sizes, dtype=torch.float32)
    number = max(1, round(part * sizes.numel()))
    chosen = largest(sizes, number, begin)
    assert chosen.sum() == min(number, torch.count_nonzero(sizes))
    if 0 < chosen.sum() < chosen.numel():
        assert sizes[chosen].min() >= sizes[~chosen].max()
        assert (sizes[chosen] > 0).all()


@pytest.mark.parametrize("number", range(1, 13))
def test_no_place_in_a_tie_is_favoured(number):
    sizes = torch.ones(4, 3)
    counts = sum(largest(sizes, number, begin).long() for begin in range(12))
    assert (counts == number).all()


def test_neighbouring_begins_choose_neighbours():
    chosen = [largest(torch.ones(4, 3), 5, begin).T.flatten() for begin in range(12)]
    for before, after in pairwise(chosen):
        assert torch.equal(before.roll(1), after)
