"""From measurements to what is compared, on tables that can be checked by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazybook import analysis
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, MemorizedMistakes


def run(accuracies, energy=(), **fields):
    """A run with these accuracies and, if given, energies; measured once an epoch."""
    table = pd.DataFrame({"test_accuracy": accuracies, "epoch": np.arange(len(accuracies))})
    if len(energy):
        table["energy_m1"] = energy
    return SimpleNamespace(table=table, experiment=Experiment(**fields))


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


@given(
    points=st.lists(st.floats(0, 1), min_size=2, max_size=10, unique=True).map(sorted),
    direction=st.tuples(st.floats(0.1, 5), st.floats(-5, -0.1), st.floats(-5, 5)),
)
def test_a_straight_path_has_tortuosity_one(points, direction):
    straight = np.outer(np.array(points) + np.arange(len(points)), direction)
    assert analysis.tortuosity(straight) == pytest.approx(1)


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
