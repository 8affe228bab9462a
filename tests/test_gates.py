"""Which samples are learned: by definition, and by the networks that are trained."""

import numpy as np
import pytest
import torch

from lazybook import gates, trainers
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes
from lazybook.support.randomness import Streams

MISTAKE = [False, False, True, True]
REMEMBERED = [False, True, False, True]


@pytest.mark.parametrize(
    ("gate", "learns", "remembers"),
    [
        (EverySample(), [True, True, True, True], REMEMBERED),
        (Mistakes(), MISTAKE, REMEMBERED),
        (MemorizedMistakes(), [False, True, True, True], [False, True, True, True]),
    ],
    ids=str,
)
def test_truth_tables_of_booleans_arrays_and_tensors(gate, learns, remembers):
    pairs = list(zip(MISTAKE, REMEMBERED, strict=True))
    assert [gate.learns(*pair) for pair in pairs] == learns
    assert [gate.remembers(*pair) for pair in pairs] == remembers
    for kind in (np.array, torch.tensor):
        arrays = kind(MISTAKE), kind(REMEMBERED)
        for answer, expected in ((gate.learns, learns), (gate.remembers, remembers)):
            result = answer(*arrays)
            assert result.dtype == kind(MISTAKE).dtype
            assert result.tolist() == expected


@pytest.mark.parametrize("gate", gates.GATES)
def test_a_gate_is_what_it_is_spelled(gate):
    assert gates.parse(str(gate())) == gate()
    with pytest.raises(InvalidValue, match=f"{gate()} takes no values"):
        gates.parse(f"{gate()}:1")


@pytest.mark.parametrize("text", ["", "lazy", "Mistakes", "mistakes ", "all", "subnet:1"])
def test_an_unknown_gate_is_refused_with_the_choice(text):
    with pytest.raises(InvalidValue) as caught:
        gates.parse(text)
    assert str(caught.value) == (
        f"unknown gate {text!r}; choose from: every-sample, mistakes, memorized-mistakes"
    )


@pytest.fixture
def observed(few, monkeypatch):
    """Train on few images; return what was presented, was it a mistake, was it learned, the run.

    Mistakes are found here by an independent computation, from the weights before each
    presentation; a sample counts as learned if the weights are others after it.
    """
    monkeypatch.setattr(trainers, "LONGEST_VECTOR", 20_000)

    def observe(**fields):
        experiment = Experiment(hidden=20, epochs=3, record=("path",), **fields)
        run = trainers.train(experiment)
        streams = Streams(experiment.seed)
        presented = [streams.next_epoch(600, experiment.order) for _ in range(3)]
        presented = np.concatenate(presented)
        path = run.arrays["path"]
        first, second = np.split(path.astype(float), [785 * 20], axis=1)
        inputs = few.train.inputs().astype(float)
        mistakes = np.empty(len(presented), bool)
        for t, sample in enumerate(presented):
            sums = np.append(inputs[sample], 1) @ first[t].reshape(785, 20)
            hidden = np.append(np.where(sums > 0, sums, 0.01 * sums), 1)
            mistakes[t] = np.argmax(hidden @ second[t].reshape(21, 10)) != few.train.labels[sample]
        return presented, mistakes, (path[1:] != path[:-1]).any(axis=1), run

    return observe


def test_every_sample_is_learned(observed):
    _, mistakes, learned, run = observed(gate=EverySample())
    assert learned.all()
    assert not mistakes.all()
    assert run.table["updates"].tolist() == run.table["samples"].tolist()
    assert not run.arrays["memory"].any()


@pytest.mark.parametrize("order", ["permutation", "replacement"])
def test_pure_lazy_learns_its_mistakes_and_never_a_sample_classified_correctly(observed, order):
    _, mistakes, learned, run = observed(gate=Mistakes(), order=order, learning_rate=0.03)
    np.testing.assert_array_equal(learned, mistakes)
    assert 0 < learned.sum() < len(learned)
    assert run.final["updates"] == learned.sum()
    assert not run.arrays["memory"].any()


@pytest.mark.parametrize("order", ["permutation", "replacement"])
def test_lazy_learns_what_is_or_ever_was_a_mistake(observed, order):
    presented, mistakes, learned, run = observed(
        gate=MemorizedMistakes(), order=order, learning_rate=0.03
    )
    memory, expected = set(), []
    for sample, mistake in zip(presented.tolist(), mistakes, strict=True):
        if mistake:
            memory.add(sample)
        expected.append(sample in memory)
    np.testing.assert_array_equal(learned, expected)
    assert mistakes.sum() < learned.sum() < len(learned)
    assert run.final["updates"] == learned.sum()
    assert set(np.flatnonzero(run.arrays["memory"]).tolist()) == memory


def test_the_memory_of_lazy_learning_only_grows_and_an_epoch_learns_what_is_in_it():
    run = trainers.train(Experiment(hidden=30, epochs=3, gate=MemorizedMistakes()))
    table = run.table
    assert table["memorized"].is_monotonic_increasing
    # Each epoch presents each sample once, so what is in the memory at its end was learned in it.
    ends = table[table["epoch"] % 1 == 0]
    assert ends["updates"].diff()[1:].tolist() == ends["memorized"][1:].tolist()
    assert run.final["memorized"] == run.arrays["memory"].sum()
