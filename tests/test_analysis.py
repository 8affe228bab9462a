"""From measurements to what is compared, on tables that can be checked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lazybook.book import analysis
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.runs import Run


def run(accuracies, energy=(), **fields):
    """A run with these accuracies and, if given, energies; measured once an epoch."""
    table = pd.DataFrame({"test_accuracy": accuracies, "epoch": np.arange(len(accuracies))})
    if len(energy):
        table["energy_m1"] = energy
    return Run(Experiment(**fields), table, {}, {})


def test_when_an_accuracy_was_first_reached():
    measured = run([0.1, 0.5, 0.4, 0.5, 0.9, 0.8], [0, 10, 20, 30, 40, 50])
    found = analysis.when_reached(
        measured, np.array([0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95]), "energy_m1"
    )
    # From 0.5, first reached at 10 and not again before 40, the way to 0.9 goes from 10 to 40.
    np.testing.assert_allclose(found, [0, 0, 5, 10, 25, 40, np.nan])


@given(st.lists(st.integers(1, 9999), min_size=1, max_size=20))
def test_a_measured_best_was_reached_when_it_was_first_measured(measured):
    accuracies = np.array(measured) / 10_000
    energy = np.arange(len(accuracies)) * 3.0
    for best in np.unique(np.maximum.accumulate(accuracies)):
        first = energy[np.argmax(accuracies >= best)]
        found = analysis.when_reached(run(accuracies, energy), np.array([best]), "energy_m1")
        assert found == pytest.approx(first)


@given(best=st.integers(5001, 10_000), other=st.integers(5001, 10_000))
def test_common_accuracies_are_reached_by_all(best, other):
    runs = [run([0.1, best / 10_000, 0.2], [0, 1, 2]), run([0.1, other / 10_000], [0, 1])]
    accuracies = analysis.common_accuracies(runs, least=0.5)
    assert accuracies[0] == 0.5
    assert accuracies[-1] >= min(best, other) / 10_000 - 0.0011
    for measured in runs:
        assert np.isfinite(analysis.when_reached(measured, accuracies, "energy_m1")).all()


def test_no_common_accuracies():
    assert len(analysis.common_accuracies([run([0.1, 0.6]), run([0.1, 0.95])], least=0.9)) == 0


def test_the_ratio_at_equal_accuracy():
    cheap = run([0.1, 0.9, 0.8, 0.95], [0, 10, 20, 30])
    dear = run([0.1, 0.9, 0.93], [0, 20, 65])
    # Both have 90 % for 10 and 20; then cheap pays 4 a point, dear 15. Only one gets beyond 93 %.
    found = analysis.ratio(dear, cheap, "energy_m1", least=0.9)
    np.testing.assert_allclose(found.iloc[[0, 10, 20]], [20 / 10, 35 / 14, 50 / 18])


MEASURED = st.lists(st.tuples(st.floats(0.2, 1), st.floats(0.1, 10)), min_size=1, max_size=10)


@given(MEASURED, MEASURED)
def test_ratios_of_two_runs_are_inverse_to_each_other(one, other):
    runs = [
        run([0.1, *(accuracy for accuracy, _ in rows)], np.cumsum([0, *(c for _, c in rows)]))
        for rows in (one, other)
    ]
    found = analysis.ratio(*runs, "energy_m1", least=0.2)
    accuracies = analysis.common_accuracies(runs, least=0.2)
    np.testing.assert_array_equal(found.index, accuracies)
    np.testing.assert_allclose(found * analysis.ratio(*runs[::-1], "energy_m1", least=0.2), 1)
    assert (analysis.ratio(runs[0], runs[0], "energy_m1", least=0.2) == 1).all()


def test_no_ratio_where_one_run_did_not_get():
    found = analysis.ratio(run([0.1, 0.6], [0, 1]), run([0.1, 0.95], [0, 1]), "energy_m1")
    assert len(found) == 0
    assert np.isnan(found.max())


@given(st.lists(st.integers(0, 100), min_size=1, max_size=20), st.integers(0, 100))
def test_a_run_is_cut_where_it_first_reached_an_accuracy(percents, goal):
    whole = run([percent / 100 for percent in percents])
    before = whole.table.copy()
    cut = analysis.cut(whole, goal / 100)
    first = next((n for n, percent in enumerate(percents) if percent >= goal), len(percents) - 1)
    pd.testing.assert_frame_equal(cut.table, before.iloc[: first + 1])
    pd.testing.assert_frame_equal(whole.table, before)
    assert cut.experiment == whole.experiment


@given(
    exponent=st.floats(-3, 3),
    factor=st.floats(0.01, 100),
    x=st.lists(st.integers(1, 50), min_size=3, max_size=8, unique=True),
)
def test_a_power_law_is_found_again(exponent, factor, x):
    law = analysis.power_law(x, factor * np.array(x, float) ** exponent)
    assert law.exponent == pytest.approx(exponent, abs=1e-6)
    assert law.factor == pytest.approx(factor, rel=1e-5)
    assert law.interval == pytest.approx((exponent, exponent), abs=1e-4)
    assert law(7.0) == pytest.approx(factor * 7.0**exponent, rel=1e-4)


def test_the_interval_holds_the_exponent_in_95_of_100_fits():
    rng = np.random.default_rng(0)
    x = np.array([30, 100, 300, 1000, 3000])
    noise = np.exp(0.3 * rng.standard_normal((500, len(x))))
    laws = [analysis.power_law(x, 2 * np.sqrt(x) * each) for each in noise]
    held = sum(law.interval[0] < 0.5 < law.interval[1] for law in laws)
    low, high = stats.binom(len(laws), 0.95).interval(0.999)
    assert low <= held <= high


def test_the_interval_of_a_prediction_holds_95_of_100_further_points():
    rng = np.random.default_rng(0)
    x, at = np.array([30, 100, 300, 1000, 3000]), np.array([1, 300, 1e9])
    held = 0
    for _ in range(500):
        noise = np.exp(0.3 * rng.standard_normal(len(x) + len(at)))
        y, further = np.split(2 * np.sqrt(np.append(x, at)) * noise, [len(x)])
        low, high = analysis.prediction(x, y, at)
        held += (low < further) & (further < high)
    least, most = stats.binom(500, 0.95).interval(0.999)
    assert (least <= held).all()
    assert (held <= most).all()


def test_two_points_give_a_power_law_without_an_interval():
    law = analysis.power_law([10, 1000], [1, 10])
    assert law.exponent == pytest.approx(0.5)
    assert np.isnan(law.interval).all()


@given(
    points=st.lists(st.floats(0, 1), min_size=2, max_size=10, unique=True).map(sorted),
    direction=st.tuples(st.floats(0.1, 5), st.floats(-5, -0.1), st.floats(-5, 5)),
)
def test_a_straight_path_has_tortuosity_one(points, direction):
    straight = np.outer(np.array(points) + np.arange(len(points)), direction)
    assert analysis.tortuosity(straight) == pytest.approx(1)


@given(
    at=st.floats(3, 300),
    curvature=st.floats(0.1, 3),
    sizes=st.permutations([10, 20, 50, 100, 200, 500]),
)
def test_the_vertex_of_a_parabola_is_found_or_the_end_next_to_it(at, curvature, sizes):
    y = np.exp(curvature * np.log(np.array(sizes) / at) ** 2)
    assert analysis.lowest(sizes, y) == pytest.approx(max(at, 10))


def test_what_has_no_value_is_not_lowest():
    assert analysis.lowest([10, 100, 1000, 10_000], [np.nan, 3, 2, 3]) == pytest.approx(1000)
    assert analysis.lowest([10, 100], [np.nan, 3]) == pytest.approx(100)
    assert analysis.lowest([10, 100, 1000], [1, 2, 5]) == pytest.approx(10)
    assert analysis.lowest([10, 100, 1000], [1, 9, 10]) == pytest.approx(10)
    assert np.isnan(analysis.lowest([10, 100], [np.nan, np.nan]))


def test_tortuosity_of_three_sides_of_a_square_and_of_all_four():
    square = np.array([[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]])
    assert analysis.tortuosity(square[:-1]) == pytest.approx(3)
    assert np.isnan(analysis.tortuosity(square))
    assert np.isnan(analysis.tortuosity(np.ones((4, 2))))


def test_picking_a_run():
    runs = [
        run([0.1], hidden=100, gate=gate, seed=seed)
        for gate in (EverySample(), MemorizedMistakes())
        for seed in (0, 1)
    ]
    assert analysis.pick(runs, gate="memorized-mistakes", seed=1) is runs[3]
    for fields in ({"seed": 0}, {"seed": 2}):
        with pytest.raises(LookupError):
            analysis.pick(runs, **fields)


def test_the_band_of_seeds():
    band = analysis.band([run([0.1, 0.5]), run([0.2, 0.9]), run([0.3, 0.7])], "test_accuracy")
    np.testing.assert_allclose(band["mean"], [0.2, 0.7])
    np.testing.assert_allclose(band["low"], [0.1, 0.5])
    np.testing.assert_allclose(band["high"], [0.3, 0.9])
    assert band.index.tolist() == [0, 1]


def test_the_band_goes_as_far_as_all_seeds():
    runs = [run([0.1, 0.5, 0.9]), run([0.2, 0.9]), run([0.3, np.nan, 0.8, 0.8])]
    assert analysis.band(runs[:2], "test_accuracy").index.tolist() == [0, 1]
    assert analysis.band(runs[::2], "test_accuracy").index.tolist() == [0, 2]


def test_exponents_are_of_seeds_that_all_sizes_have():
    sizes = np.array([10.0, 100.0, 1000.0])
    table = pd.concat(
        pd.DataFrame({"seed": seed, "hidden": sizes, "m0": sizes**exponent})
        for seed, exponent in enumerate((0.5, 1.0, 2.0))
    ).reset_index(drop=True)
    table.loc[(table["seed"] == 1) & (table["hidden"] == 100), "m0"] = np.nan  # missed its goal
    few = table[(table["seed"] != 2) | (table["hidden"] < 1000)]  # the largest has fewer seeds
    found = analysis.exponents(few, "m0")
    assert found.keys() == {0, 1}
    assert found[0] == pytest.approx(0.5)
    assert np.isnan(found[1])
    assert np.isnan(analysis.exponents(table[table["hidden"] == 10], "m0")[0])
