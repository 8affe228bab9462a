"""Lazy learning's peers do what their papers say, on the same work, and records can be used."""

import json
from dataclasses import asdict, replace

import pandas as pd
import pytest
import torch

from lazybook import datasets
from lazybook.benchmarks.peers import methods, records, training
from lazybook.benchmarks.peers.records import METHODS, Trial
from lazybook.benchmarks.peers.tasks import TASKS
from lazybook.errors import InvalidValue, RecordError

TRIAL = Trial(task="mnist", method="full", epochs=3, samples=640, tests=500, measurements=5)
NOTHING = torch.zeros(0)


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path))
    return tmp_path / "peers"


@pytest.fixture(scope="module")
def found():
    """The measurements of each method on a little of MNIST."""
    found = {}
    for method in METHODS:
        rows, before = training.train(replace(TRIAL, method=method))
        accuracies = [row["test_accuracy"] for row in rows]
        found[method] = rows[-1] | {"before": before, "accuracies": accuracies}
    return found


def test_selective_backprop_learns_what_has_a_high_loss():
    """The more so the higher the loss; of alike samples half, or a third of them if it is picky."""
    recent = torch.rand(1000, generator=draws())
    losses = torch.linspace(0, 1, 101)
    even, picky = (methods.probability(losses, recent, power) for power in (1, 2))
    assert (even.diff() >= 0).all()
    assert (picky <= even).all()
    assert even[50] == pytest.approx(0.5, abs=0.05)
    learned = [methods.probability(recent, recent, power).mean() for power in (1, 2)]
    assert learned == pytest.approx([1 / 2, 1 / 3], abs=0.01)
    method = methods.SelectiveBackprop(draws(), recent=100)
    for loss in recent.split(32):
        chosen = method.rule(loss > 1, loss > 1, loss, loss)
        assert chosen.dtype == torch.bool
    assert len(method.losses) == 100  # the oldest are forgotten
    assert torch.equal(method.losses, recent[-100:])


def test_infobatch_leaves_the_gradient_as_it_is_on_average():
    """What is kept of the small losses counts for what is left out; all is kept at the end."""
    samples = 4000
    method = methods.InfoBatch(samples, draws(), left_out=0.4)
    order = torch.randperm(samples, generator=draws(1))
    assert torch.equal(method.present(order, 0.0), order)  # nothing has been seen yet
    losses = torch.rand(samples, generator=draws(2)) ** 3
    method.weights(torch.arange(samples), NOTHING, NOTHING, losses)
    kept = method.present(order, 0.5)
    small = losses < losses.mean()
    assert torch.isin((~small).nonzero()[:, 0], kept).all()
    assert 0.55 < float(small[kept].sum() / small.sum()) < 0.65
    assert torch.equal(kept, order[torch.isin(order, kept)])  # in the order of the epoch
    weights = method.weights(kept, NOTHING, NOTHING, losses[kept])
    assert float((weights * losses[kept]).sum() / losses.sum()) == pytest.approx(1, abs=0.02)
    assert torch.equal(method.present(order, 0.9), order)
    assert (method.weights(order, NOTHING, NOTHING, losses[order]) == 1).all()


def test_forgetting_is_counted_from_one_presentation_to_the_next():
    method, labels = methods.CountForgetting(4), torch.tensor([0, 0, 0, 0])
    right, wrong = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    answers = [[right, right, wrong, wrong],  # sample 0 is never forgotten, 1 twice,
               [right, wrong, wrong, right],  # 2 never learned, 3 learned later
               [right, right, wrong, right],
               [right, wrong, wrong, right]]  # fmt: skip
    for outputs in answers:
        assert method.weights(torch.arange(4), torch.stack(outputs), labels, NOTHING) is None
    assert method.events.tolist() == [0, 2, 0, 0]
    assert method.hardest(2, draws()).tolist() == [2, 1]  # one never learned is the hardest
    assert {*method.hardest(3, draws()).tolist()} in ({0, 1, 2}, {1, 2, 3})
    drawn = {method.hardest(3, draws(seed))[2].item() for seed in range(20)}
    assert drawn == {0, 3}


def test_only_the_chosen_samples_are_presented():
    chosen = torch.tensor([7, 1, 4])
    assert methods.Only(chosen).present(torch.arange(9), 0.0).tolist() == [1, 4, 7]
    with pytest.raises(InvalidValue, match="chosen is empty"):
        methods.Only(torch.zeros(0, dtype=torch.int64))


def test_all_methods_have_the_same_work(found):
    """And each takes it as its kind is: no pass and no step is left out of the account."""
    work = 3 * 640 * TRIAL.epochs
    for counts in found.values():
        assert len(counts["accuracies"]) == 1 + TRIAL.measurements
        assert work <= counts["work"] < 1.1 * work
        assert counts["work"] == counts["forward"] + 2 * counts["backward"]
        assert counts["updates"] <= counts["backward"]
        assert counts["seconds"] > 0
        assert counts["m1"] > 0
    for name in ("full", "infobatch", "forgetting", "random half"):
        counts = found[name]
        assert counts["presented"] == counts["forward"] == counts["updates"] == counts["backward"]
    for name in ("lazy", "pure lazy"):  # a batch passes backward as a whole
        counts = found[name]
        assert counts["presented"] == counts["forward"]
        assert counts["updates"] < counts["backward"] <= counts["presented"]
    for name in ("lazy packed", "selective backprop"):
        counts = found[name]
        assert counts["forward"] == counts["presented"] + counts["updates"]
        assert counts["updates"] == counts["backward"] == 32 * counts["steps"]


def test_what_learns_less_presents_more(found):
    assert found["selective backprop"]["presented"] > found["full"]["presented"]
    assert found["full"]["updates"] > found["lazy"]["updates"] > found["pure lazy"]["updates"]
    assert all(counts["accuracies"][-1] > 0.3 > counts["accuracies"][0]
               for counts in found.values())  # fmt: skip


def test_a_score_has_its_price(found):
    """Forgetting scores need a full training before; others need none."""
    assert found["forgetting"]["before"]["updates"] == found["full"]["updates"]
    for name in set(METHODS) - {"forgetting"}:
        assert found[name]["before"] == {}


def test_a_seed_gives_one_result_and_nobody_elses_random_numbers_are_drawn():
    state = torch.random.get_rng_state()
    trial = replace(TRIAL, method="infobatch", epochs=1, samples=320)
    first, again, other = (
        [row["m1"] for row in training.train(replace(trial, seed=seed))[0]] for seed in (0, 0, 1)
    )
    assert first == again != other
    assert torch.equal(torch.random.get_rng_state(), state)


def test_each_task_has_a_title():
    assert list(TASKS) == list(records.TITLES)


@pytest.mark.parametrize("name", ["fashion-mnist", "cifar-10-jpeg"])
def test_the_networks_fit_their_images(name):
    facts, task = datasets.facts(name), TASKS[name]
    side = round((facts.inputs / task.channels) ** 0.5)
    assert task.channels * side**2 == facts.inputs
    images = torch.zeros(2, task.channels, side, side)
    assert task.network()(images).shape == (2, facts.classes)


def test_a_trial_is_trained_once(own_store, monkeypatch):
    trials = [replace(TRIAL, method=name, epochs=1, samples=64) for name in ("random half", "full")]
    first = records.collect(trials)
    assert len(list(own_store.iterdir())) == 2
    monkeypatch.setattr(training, "train", None)
    again = records.collect(trials)
    assert (first.computed, again.computed) == (2, 0)
    for one, other in zip(first.runs, again.runs, strict=True):
        pd.testing.assert_frame_equal(one.table, other.table)
        assert one.final["work"] >= 3 * 64
        for name in ("experiment", "before", "provenance"):
            assert getattr(one, name) == getattr(other, name)
    assert first.runs[0].provenance["dataset"] == "mnist"


def test_a_record_that_is_no_record_is_named(own_store):
    own_store.mkdir()
    path = own_store / TRIAL.file
    other = {"trial": asdict(replace(TRIAL, seed=1)), "table": {}, "before": {},
             "provenance": {}}  # fmt: skip
    for contents in ("{", "[]", '{"trial": 1}', json.dumps(other)):
        path.write_text(contents)
        with pytest.raises(RecordError, match=rf"record {path} .*delete it"):
            records.collect([TRIAL])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("task", "cifar-100"),
        ("method", "fastest"),
        ("epochs", 0),
        ("samples", 2.5),
        ("seed", -1),
        ("measurements", 0),
    ],
)
def test_an_impossible_trial(field, value):
    with pytest.raises(InvalidValue, match=field):
        replace(TRIAL, **{field: value})
