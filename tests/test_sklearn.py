"""The estimator: scikit-learn's own checks, and that it learns what the engines learn."""

import doctest
import gc
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import lazybook.sklearn
from lazybook import Experiment, MemorizedMistakes, Subnet, SynapticCaching, train
from lazybook.datasets import Split
from lazybook.errors import InvalidValue
from lazybook.sklearn import LazyClassifier

SETTINGS = [
    LazyClassifier(hidden=20),
    LazyClassifier(hidden=20, restriction="subnet:10", caching="synaptic-caching:0.01", epochs=10),
]


@parametrize_with_checks(SETTINGS)
def test_scikit_learn_takes_it_for_an_estimator(estimator, check):
    check(estimator)


@pytest.fixture
def samples(part_of_mnist):
    """Images of MNIST, and the names of their digits."""
    return part_of_mnist.train.inputs(), np.array([*"zabcdefghi"])[part_of_mnist.train.labels]


def fitted(samples, **settings):
    return LazyClassifier(
        **{"hidden": 10, "scale": 1, "random_state": 0, "epochs": 2} | settings
    ).fit(*samples)


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"gate": "every-sample", "loss": "cross-entropy", "order": "replacement"},
        {"restriction": "subnet-per-sample:4 & largest-per-layer:0.1"},
        {"caching": "synaptic-caching:0.01", "activation": "relu"},
        {"hidden": None, "gate": "mistakes"},
        {"gate": "margin:0.3"},
    ],
    ids=str,
)
def test_it_learns_what_an_experiment_learns(few, rules):
    given = {"gate": "memorized-mistakes", "hidden": 10, "epochs": 2, "record": ["weights"]} | rules
    run = train(Experiment.from_dict(given))
    model = fitted((few.train.inputs(), few.train.labels), **rules)
    for mine, theirs in zip(model.weights_, run.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(model.predict(few.test.inputs()), run.predict(few.test.inputs()))
    score = model.score(few.test.inputs(), few.test.labels)
    assert score == pytest.approx(run.final["test_accuracy"])
    assert (model.presented_, model.updates_) == (1200, run.final["updates"])
    for energy in ("m0", "m1"):
        expected = run.final[f"energy_{energy}"] + run.final[f"pending_{energy}"]
        assert getattr(model, f"energy_{energy}_") == pytest.approx(expected)


def test_rules_may_be_spelled_or_not(samples):
    rules = {"gate": MemorizedMistakes(), "restriction": Subnet(5), "caching": SynapticCaching(0.1)}
    spelled = fitted(samples, **{name: str(rule) for name, rule in rules.items()})
    for mine, theirs in zip(fitted(samples, **rules).weights_, spelled.weights_, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_it_goes_on_learning_where_it_was(samples):
    X, y = samples
    part = LazyClassifier(hidden=10, gate="every-sample", order="in-turn", scale=1, random_state=0)
    whole = clone(part).set_params(epochs=1).fit(X, y)
    part.partial_fit(X[:200], y[:200], classes=np.unique(y))
    pickle.loads(pickle.dumps(part)).partial_fit(X, y)
    part.partial_fit(X[200:], y[200:])
    for mine, theirs in zip(part.weights_, whole.weights_, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    assert (part.presented_, part.updates_) == (len(X), len(X))
    assert part.energy_m1_ == pytest.approx(whole.energy_m1_)


def test_a_subnet_stays_the_same_from_call_to_call_and_one_per_sample_does_not(samples):
    X, y = samples
    for restriction, fewest, most in (("subnet:2", 2, 2), ("subnet-per-sample:2", 5, 10)):
        model = LazyClassifier(hidden=10, restriction=restriction, gate="every-sample")
        model.set_params(random_state=0).partial_fit(X[:1], y[:1], classes=np.unique(y))
        begun, units = model.weights_[0], set()
        for sample in range(1, 10):
            model.partial_fit(X[sample : sample + 1], y[sample : sample + 1])
            changed = (model.weights_[0] != begun).any(axis=0)
            units |= {*np.flatnonzero(changed)}
        assert fewest <= len(units) <= most


@pytest.mark.parametrize("loss", ["mse", "half-mse", "cross-entropy"])
@pytest.mark.parametrize("classes", [2, 10])
def test_probabilities_are_probabilities(part_of_mnist, loss, classes):
    X, y = part_of_mnist.train.inputs(), part_of_mnist.train.labels
    X, y = X[y < classes], y[y < classes]
    if classes == 2 and loss == "cross-entropy":
        with pytest.raises(InvalidValue, match="needs more than two classes"):
            fitted((X, y), loss=loss)
        return
    model = fitted((X, y), loss=loss, scale=None, hidden=50, epochs=10)
    found = model.predict_proba(X)
    assert found.shape == (len(X), classes)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_[found.argmax(axis=1)], model.predict(X))
    assert model.score(X, y) > 0.7


def test_the_nearest_probabilities_are_nearer_than_others():
    generator = np.random.default_rng(0)
    outputs = generator.normal(0.3, 1, (50, 4))
    nearest = lazybook.sklearn._nearest(outputs)
    for other in generator.dirichlet(np.ones(4), 200):
        assert (((outputs - nearest) ** 2).sum(1) <= ((outputs - other) ** 2).sum(1)).all()


def test_what_cannot_be_is_refused_in_one_line(samples):
    X, y = samples
    begun = LazyClassifier(hidden=10).partial_fit(X, y, classes=np.unique(y))
    for told, act in (
        ("hidden is 0", lambda: fitted(samples, hidden=0)),
        ("unknown gate 'lazy'", lambda: fitted(samples, gate="lazy")),
        ("gate is 5", lambda: fitted(samples, gate=5)),
        ("epochs is 0", lambda: fitted(samples, epochs=0)),
        ("seed is -1", lambda: fitted(samples, random_state=-1)),
        ("restriction subnet:11 needs 11", lambda: fitted(samples, restriction="subnet:11")),
        ("y has one class only", lambda: fitted((X, np.full(len(X), "a")))),
        ("scale is 0", lambda: fitted(samples, scale=0)),
        ("the network diverged; lower learning_rate", lambda: fitted((X * 1000, y))),
        ("classes is None", lambda: LazyClassifier().partial_fit(X, y)),
        ("classes are not those", lambda: begun.partial_fit(X, y, classes=["a", "b"])),
        ("y has x, which is not among", lambda: begun.partial_fit(X[:1], ["x"])),
        ("hidden is now 5", lambda: clone_begun(begun, hidden=5).partial_fit(X, y)),
        (
            "restriction is now",
            lambda: clone_begun(begun, restriction="subnet:5").partial_fit(X, y),
        ),
    ):
        with pytest.raises(InvalidValue, match=f"^{told}") as caught:
            act()
        assert "\n" not in str(caught.value)


def clone_begun(model, **changes):
    return pickle.loads(pickle.dumps(model)).set_params(**changes)


def test_what_diverged_is_not_fitted(samples):
    X, y = samples
    model = fitted(samples)
    with pytest.raises(InvalidValue, match="diverged"):
        model.fit(X * 1000, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_the_samples_of_a_fit_are_not_kept(samples):
    def splits() -> int:
        gc.collect()
        return sum(type(found) is Split for found in gc.get_objects())

    fitted(samples)
    kept = splits()
    fitted(samples)
    assert splits() <= kept


@pytest.mark.parametrize("size", [1e-10, 1, 100, 1e25])
def test_what_it_learns_does_not_depend_on_the_unit_of_the_inputs(samples, size):
    X, y = samples
    expected = fitted(samples, scale=None).predict_proba(X)
    found = fitted((X * size, y), scale=None).predict_proba(X * size)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    scaled = X * fitted(samples, scale=None).scale_
    assert np.square(scaled).mean() == pytest.approx(1)


def test_the_example_in_the_documentation():
    results = doctest.testmod(lazybook.sklearn)
    assert results.attempted > 3 and not results.failed


def test_the_guide_runs_as_it_is_written(folders, part_of_mnist, capsys):
    page = (Path(__file__).parents[1] / "book" / "your_own_training.md").read_text("utf8")
    [section] = re.findall(r"^## Without a loop.*?(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    halves = {"": part_of_mnist.train, "_test": part_of_mnist.test}
    names = {f"X{end}": half.inputs() for end, half in halves.items()}
    names |= {f"y{end}": half.labels for end, half in halves.items()}
    for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        exec(block, names)
    assert capsys.readouterr().out.endswith(f"at an energy of {names['model'].energy_m1_}\n")
    assert names["run"].final["samples"] == 5 * 600


def test_without_scikit_learn_the_error_names_the_extra():
    script = "import sys; sys.modules['sklearn'] = None; import lazybook.sklearn"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "install lazybook[sklearn]" in ran.stderr.splitlines()[-1]
