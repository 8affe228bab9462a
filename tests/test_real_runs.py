"""Whole runs in PyTorch, beside the time that is modelled for them."""

import pytest

from lazybook.benchmarks import cost, real_runs, timing
from lazybook.benchmarks.cost import Cost
from lazybook.errors import InvalidValue, RecordError


@pytest.fixture
def clock(monkeypatch):
    """A sample takes 2 s, and 3 s more if it is learned; they are modelled by half of that."""

    def timed(loop, order):
        before = loop.updates
        loop.learn(order)
        return 2 * len(order) + 3 * (loop.updates - before)

    monkeypatch.setattr(real_runs, "timed", timed)
    monkeypatch.setattr(
        cost, "measure", lambda sizes, rounds: {size: Cost(1, 1.5) for size in sizes}
    )
    monkeypatch.setattr(real_runs, "SAMPLES", 60)


def test_real_time_is_divided_by_the_modelled(clock):
    [(size, check)] = real_runs.measure([20], rounds=2).items()
    assert size == 20
    for quotient, expected in ((check.backprop, 2), (check.lazy, 2), (check.gain, 1)):
        assert [quotient.median, quotient.low, quotient.high] == pytest.approx([expected] * 3)
    assert 0 < check.learned.low < 1


def test_what_is_published_is_what_was_measured(clock, tmp_path):
    path = tmp_path / "runs.json"
    real_runs.publish(path, [20, 30], rounds=1)
    found = real_runs.published(path)
    assert found == real_runs.measure([20, 30], rounds=1)
    assert found.source.startswith("1 rounds on ")


def test_the_published_runs_bear_the_model_out():
    """They are those of the page's sizes; a model that is wrong by a third would be no use."""
    found = real_runs.published()
    assert set(found) == {*real_runs.SIZES}
    for check in found.values():
        for quotient in (check.backprop, check.lazy, check.gain):
            assert 0.75 < quotient.median < 1.33
        assert check.learned.high < 0.5


def test_without_pytorch_nothing_is_timed(monkeypatch):
    monkeypatch.setattr(timing, "torch_installed", lambda: False)
    with pytest.raises(InvalidValue, match=r"install lazybook\[torch\]"):
        real_runs.measure([20])


def test_damaged_runs_are_named(tmp_path):
    path = tmp_path / "runs.json"
    path.write_text("[]")
    with pytest.raises(RecordError, match=r"runs\.json cannot be read"):
        real_runs.published(path)


def test_outside_a_copy_of_the_repository_none_are_published(monkeypatch):
    monkeypatch.setattr(real_runs.paths, "published", lambda: None)
    assert real_runs.published() == {}
