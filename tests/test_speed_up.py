"""Runs of both rules, timed by turns with what a sample costs."""

import pytest

from lazybook.benchmarks import speed_up
from lazybook.errors import DataError, RecordError


@pytest.fixture
def clock(monkeypatch):
    """A sample takes 2 s, and 3 s more if it is learned."""

    def timed(learner, samples):
        before = learner.meter.updates
        learner.learn(samples)
        return 2 * len(samples) + 3 * (learner.meter.updates - before)

    monkeypatch.setattr(speed_up, "timed", timed)


SMALL = {"hidden": [10, 20], "seeds": [3], "samples": 600, "epochs": 2}


def test_times_are_those_of_a_sample(clock):
    table = speed_up.measure("MNIST", **SMALL).table
    assert table["hidden"].tolist() == [10, 20]
    assert table["seed"].tolist() == [3, 3]
    assert (table["looked"] == 2).all()
    assert (table["learned"] == 5).all()
    assert (table["backprop"] == 5).all()
    assert table["share"].between(0.05, 0.95).all()
    assert (table["lazy"] - 2).tolist() == pytest.approx((3 * table["share"]).tolist())


def test_deformed_digits_are_timed_too(clock):
    table = speed_up.measure("deformed MNIST", **SMALL).table
    assert (table["dataset"] == "deformed MNIST").all()


def test_a_data_set_that_is_not_here_is_an_error(monkeypatch, tmp_path):
    def load(name):
        raise DataError(f"{name} is not here")

    monkeypatch.setattr(speed_up.datasets, "load", load)
    with pytest.raises(DataError):
        speed_up.measure("Fashion-MNIST")


def test_what_is_published_is_what_was_measured(clock, tmp_path):
    path = tmp_path / "speed_up.json"
    speed_up.publish(path, ["MNIST"], **SMALL)
    found, again = speed_up.published(path), speed_up.measure("MNIST", **SMALL)
    assert found.table.columns.tolist() == again.table.columns.tolist()
    for column in found.table.columns[1:]:
        assert found.table[column].tolist() == pytest.approx(again.table[column].tolist(), 1e-3)
    assert found.source
    assert not again.source


def test_each_published_run_has_all_sizes_and_seeds():
    table = speed_up.published().table
    expected = {(n, h, s) for n in speed_up.SETS for h in speed_up.SIZES for s in speed_up.SEEDS}
    assert len(table) == len(expected)
    assert set(zip(table["dataset"], table["hidden"], table["seed"], strict=True)) == expected
    assert (table["looked"] < table["learned"]).all()


def test_damaged_times_are_named(tmp_path):
    path = tmp_path / "speed_up.json"
    path.write_text("[]")
    with pytest.raises(RecordError, match=r"speed_up\.json cannot be read"):
        speed_up.published(path)


def test_outside_a_copy_of_the_repository_none_are_published(monkeypatch):
    monkeypatch.setattr(speed_up.paths, "published", lambda: None)
    assert speed_up.published().table.empty
