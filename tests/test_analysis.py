"""From measurements to what is compared, on tables that can be checked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lazybook.book import analysis
from lazybook.caching import SynapticCaching
from lazybook.experiment import Experiment, preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.restrictions import LargestUpdates, Subnet, SynapseMask
from lazybook.runs import Run
from lazybook.support.statistics import mean_interval
from lazybook.sweep import Sweep


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


def test_the_mean_over_seeds_of_ratios_is_that_of_their_logarithms():
    ratios = {(100, 0): 2.0, (100, 1): 8.0, (30, 0): 3.0, (30, 1): np.nan, (500, 0): 5.0}
    found = analysis.over_seeds(ratios)
    np.testing.assert_allclose(found[[100, 500]], [4, 5])
    assert np.isnan(found[30])  # a seed has no value
    turned = analysis.over_seeds({key: 1 / ratio for key, ratio in ratios.items()})
    np.testing.assert_allclose(turned, 1 / found)


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
    spent = analysis.spent(whole, goal / 100)
    assert spent.isna().all() if max(percents) < goal else spent.equals(cut.table.iloc[-1])


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
    found = analysis.lowest(sizes, y)
    least = min(zip(y, sizes, strict=True))[1]
    assert found == pytest.approx(10 if least == 10 else at)


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


def test_a_mean_has_the_interval_of_student():
    values = [1.0, 2.0, 6.0]
    mean, interval = mean_interval(values)
    assert mean == pytest.approx(3)
    expected = stats.t.interval(0.95, 2, loc=3, scale=stats.sem(values))
    assert interval == pytest.approx(expected)
    times, bounds = mean_interval(np.exp(values), log=True)
    assert np.log([times, *bounds]) == pytest.approx([mean, *interval])
    assert mean_interval([2.0]) == (2.0, None)
    assert mean_interval([2.0, np.inf]) == (np.inf, None)


def test_growth_is_the_mean_of_the_laws_of_the_seeds():
    sizes = np.array([10.0, 100.0, 1000.0])
    table = pd.concat(
        pd.DataFrame({"seed": seed, "hidden": sizes, "m0": 3 ** (seed - 1) * sizes**exponent})
        for seed, exponent in enumerate((0.5, 0.6, 1.0))
    )
    law = analysis.growth(table, "m0")
    assert law.exponent == pytest.approx(0.7)
    assert law.factor == pytest.approx(1)
    half = stats.t.ppf(0.975, 2) * np.std([0.5, 0.6, 1.0], ddof=1) / np.sqrt(3)
    assert law.interval == pytest.approx((0.7 - half, 0.7 + half))
    alone = analysis.growth(table[table["seed"] == 1], "m0")
    assert alone.exponent == pytest.approx(0.6)
    assert alone.range == "one seed"
    missed = table.assign(m0=table["m0"].where(table["m0"] < 1000))
    assert np.isnan(analysis.growth(missed, "m0").exponent)


def ends(*rows):
    """The ends of runs: size, seed, energy, and whether the goal was reached."""
    return pd.DataFrame(rows, columns=["hidden", "seed", "energy_m0", "reached"])


THREE = ends((100, 0, 2.0, True), (100, 1, 4.0, True), (200, 0, 8.0, True), (200, 1, 9.0, False))


def test_what_was_not_reached_has_no_cost():
    table = analysis.reached(THREE, ["energy_m0"])
    np.testing.assert_equal(table["energy_m0"].to_numpy(), [2, 4, 8, np.nan])
    assert list(table["seed"]) == list(THREE["seed"])


def test_means_over_seeds_are_nan_where_one_has_no_value():
    table = analysis.reached(THREE, ["energy_m0"])
    means = analysis.means(table, "hidden", ["energy_m0"])["energy_m0"]
    np.testing.assert_equal(dict(means), {100: 3.0, 200: np.nan})


def test_two_rules_are_compared_size_by_size_and_seed_by_seed():
    rule = analysis.reached(THREE, ["energy_m0"]).sample(frac=1, random_state=0)
    plain = ends((200, 1, 3.0, True), (100, 1, 8.0, True), (100, 0, 1.0, True), (200, 0, 2.0, True))
    ratio = analysis.compared(rule, plain, "energy_m0").to_dict()
    assert ratio == {(100, 0): 2.0, (100, 1): 0.5, (200, 0): 4.0, (200, 1): np.inf}
    assert analysis.compared(plain, plain, "energy_m0").eq(1).all()


def test_only_sizes_that_both_have_are_compared():
    plain = ends((100, 0, 1.0, True), (100, 1, 1.0, True), (300, 0, 1.0, True))
    assert set(analysis.compared(THREE, plain, "energy_m0").index) == {(100, 0), (100, 1)}


def test_a_seed_that_cannot_be_compared_is_not_left_out_in_silence():
    with pytest.raises(LookupError, match=r"\(100, 1\)"):
        analysis.compared(THREE, THREE[THREE["seed"] == 0], "energy_m0")
    with pytest.raises(LookupError, match="several values"):
        analysis.compared(pd.concat([THREE, THREE]), THREE, "energy_m0")


def test_the_ends_of_a_sweep_say_what_its_rules_set():
    table = pd.DataFrame({"test_accuracy": [0.1, 0.5], "epoch": [0, 1]})
    runs = [
        Run(preset("competitive", **rules), table, {}, {})
        for rules in (
            {},
            {"restriction": Subnet(7) & LargestUpdates(0.1)},
            {"restriction": SynapseMask(0.2, 0.3), "caching": SynapticCaching(0.4, 0.5)},
        )
    ]
    found = analysis.ends(Sweep(runs, computed=0))
    assert list(found["rule"]) == ["all", "subnet & largest-per-layer", "synapse-mask"]
    for column, values in {
        "n": [np.nan, 7, np.nan],
        "fraction": [np.nan, 0.1, np.nan],
        "p_in": [np.nan, np.nan, 0.2],
        "threshold": [np.nan, np.nan, 0.4],
        "decay": [np.nan, np.nan, 0.5],
    }.items():
        np.testing.assert_equal(found[column].to_numpy(float), values)


def test_what_is_infinite_or_nothing_is_no_ratio():
    values = analysis.finite(pd.DataFrame({"x": [1.0, np.inf, 0.0, np.nan, 2.0]}), "x")
    np.testing.assert_equal(values.to_numpy(), [1, np.nan, np.nan, np.nan, 2])


def test_how_far_a_path_departs_from_another():
    square = np.array([[0, 0], [3, 0], [3, 4]])
    assert analysis.departure(square, square) == 0
    assert analysis.departure(square + np.array([0, 10]), square) == 2  # its box has the diagonal 5
    away = square.astype(float)
    away[1] += [0, -2.5]
    assert analysis.departure(away, square) == 0.5


def test_a_power_law_is_spelled_with_its_interval():
    law = analysis.PowerLaw(-0.001, (-0.25, 0.5), 3.0)
    assert law.spelled("M_0") == r"$M_0 \sim H^{0.00}$ (95 % interval −0.25 to 0.50)"


def test_the_interval_of_an_exponent_has_the_degrees_of_freedom_of_a_line():
    """Three points, by hand: one degree of freedom, where Student's t is 12.706."""
    x, y = np.exp([0.0, 1.0, 2.0]), np.exp([0.0, 1.5, 2.0])
    law = analysis.power_law(x, y)
    # slope 1; residuals -1/6, 1/3, -1/6; s² = 1/6; standard error √(1/6 / 2)
    half = 12.7062047 * np.sqrt(1 / 12)
    assert law.exponent == pytest.approx(1)
    assert law.interval == pytest.approx((1 - half, 1 + half))


def test_a_band_is_the_mean_of_three_and_not_their_median():
    runs = [run([0.1, value], seed=seed) for seed, value in enumerate((0.2, 0.3, 0.7))]
    band = analysis.band(runs, "test_accuracy")
    assert band.loc[1].to_dict() == pytest.approx({"mean": 0.4, "low": 0.2, "high": 0.7})
