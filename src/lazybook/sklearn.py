"""Lazy learning as an estimator of scikit-learn; needs ``lazybook[sklearn]``.

>>> from sklearn.datasets import load_digits
>>> from sklearn.model_selection import train_test_split
>>> X, X_test, y, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
>>> model = LazyClassifier(learning_rate=0.05, random_state=0).fit(X, y)
>>> model.score(X_test, y_test) > 0.95
True
>>> model.updates_ < model.presented_ / 3  # of the samples presented, few were learned
True
"""

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import Self

import numpy as np

from lazybook import caching, engines, gates, networks, restrictions
from lazybook.caching import Caching
from lazybook.datasets import Dataset, Split
from lazybook.engines.contract import Start
from lazybook.errors import InvalidValue, check_number
from lazybook.experiment import Experiment
from lazybook.gates import Gate
from lazybook.restrictions import Restriction
from lazybook.support.randomness import Streams
from lazybook.trainers import check

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets, unique_labels
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"lazybook.sklearn needs {error.name}; install lazybook[sklearn]", name=error.name
    ) from None


class LazyClassifier(ClassifierMixin, BaseEstimator):
    """A network with one hidden layer that learns one sample at a time, only what it has to.

    The rules of `lazybook.gates`, `lazybook.restrictions` and `lazybook.caching` in the fast
    engine: what it learns is what `lazybook.train` learns from the same samples and seed.

    Inputs are multiplied by one number, the ``scale``, and nothing else is done to them: zeros stay
    zeros, which cost no time. That is all that images or counts need. Where each input has a unit
    of its own, put a ``StandardScaler`` before it.

    Parameters
    ----------
    hidden: number of hidden units; None for a perceptron.
    gate, restriction, caching: which samples are learned, which synapses change, and when for good;
        spelled as on the command line, or a rule such as ``MemorizedMistakes()``.
    activation, loss, learning_rate, order: see `lazybook.Experiment`.
    epochs: passes of `fit` over the samples.
    scale: what inputs are multiplied by; None for what makes the root of their mean square 1, over
        all samples that `fit` or the first `partial_fit` is given.
    random_state: an int, the seed of the initial weights, order and masks; a ``RandomState`` to
        draw it from; or None for another one each time.

    Attributes
    ----------
    classes_: the classes, sorted, ``(classes,)``.
    n_features_in_: number of inputs.
    scale_: what inputs are multiplied by.
    weights_: float32 ``[from, to]`` with the bias row, a layer each, from the inputs up; for two
        classes there is a single output.
    presented_, updates_: how many samples were presented, and how many of them learned.
    energy_m0_, energy_m1_: what learning has cost, see `lazybook.energy`. What was transient when a
        call ended became permanent then, and is charged.

    Sources: Pache & van Rossum 2023; van Rossum & Pache 2024; Li & van Rossum 2020.
    """

    def __init__(
        self,
        hidden: int | None = 100,
        *,
        gate: str | Gate = "memorized-mistakes",
        restriction: str | Restriction = "all",
        caching: str | Caching = "immediate",
        activation: str = "leaky-relu:0.01",
        loss: str = "mse",
        learning_rate: float = 0.01,
        order: str = "permutation",
        epochs: int = 20,
        scale: float | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden = hidden
        self.gate = gate
        self.restriction = restriction
        self.caching = caching
        self.activation = activation
        self.loss = loss
        self.learning_rate = learning_rate
        self.order = order
        self.epochs = epochs
        self.scale = scale
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> Self:
        """Learn the samples ``X``, ``(samples, inputs)``, of classes ``y``, from the beginning.

        Raises
        ------
        InvalidValue: impossible parameters, one class only, or the network diverged.
        ValueError: samples or classes that no classifier takes.
        """
        X, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        self._begin(X, unique_labels(y))
        self._learn(X, y, self._experiment())
        return self

    def partial_fit(self, X: np.ndarray, y: np.ndarray, classes: np.ndarray | None = None) -> Self:
        """Go on learning with one pass over the samples ``X``, ``(samples, inputs)``.

        Which samples were mistakes before is not known from one call to the next, so what
        ``memorized-mistakes`` learns are those that are mistakes now.

        Parameters
        ----------
        y: their classes, ``(samples,)``.
        classes: all classes that there will be; needed by the first call, unless `fit` was called.

        Raises what `fit` does, and InvalidValue for a class that is not among those first given.
        """
        first = not hasattr(self, "classes_")
        X, y = validate_data(self, X, y, dtype=np.float32, reset=first)
        check_classification_targets(y)
        if first and classes is None:
            raise InvalidValue("classes is None; the first call of partial_fit needs all of them")
        if first:
            self._begin(X, unique_labels(classes))
        elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
            raise InvalidValue("classes are not those of the first call; leave them out")
        self._learn(X, y, replace(self._experiment(), epochs=1))
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the probability of each class, ``(samples, classes)``, sorted as ``classes_``.

        Of the samples ``X``, ``(samples, inputs)``. With the loss ``cross-entropy`` it is the
        softmax of the outputs. With squared losses the outputs estimate the probabilities
        themselves; what is returned is the nearest to them that is not negative and adds up to 1.
        """
        check_is_fitted(self, "weights_")
        X = validate_data(self, X, dtype=np.float32, reset=False)
        weights = [layer.astype(float) for layer in self.weights_]
        outputs = networks.outputs(weights, X * np.float32(self.scale_), self.activation, bias=True)
        if outputs.shape[1] == 1:  # from -1 to 1
            second = np.clip((1 + outputs) / 2, 0, 1)
            return np.hstack([1 - second, second])
        return _softmax(outputs) if self.loss == "cross-entropy" else _nearest(outputs)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the class of each sample of ``X``, ``(samples,)``."""
        chosen = self.predict_proba(X).argmax(axis=1)
        return self.classes_[chosen]

    def _begin(self, X: np.ndarray, classes: np.ndarray) -> None:
        """Forget what was learned; prepare to learn samples like ``X``."""
        if len(classes) == 1:
            raise InvalidValue(f"y has one class only, {classes[0]}; there must be two or more")
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = int(check_random_state(seed).randint(2**31 - 1))
        self._streams, self._start = Streams(int(seed)), None
        self.classes_, self.scale_ = classes, self._scale_of(X)
        vars(self).pop("weights_", None)
        self.presented_ = self.updates_ = 0
        self.energy_m0_ = self.energy_m1_ = 0.0

    def _learn(self, X: np.ndarray, y: np.ndarray, experiment: Experiment) -> None:
        """Learn all samples as ``experiment`` says, on top of what was learned."""
        strange = np.setdiff1d(y, self.classes_)
        if len(strange):
            raise InvalidValue(f"y has {strange[0]}, which is not among the classes first given")
        samples = Split(X, np.searchsorted(self.classes_, y), self.scale_)
        dataset = Dataset("X", samples, samples, len(self.classes_), checksum="")
        check(experiment, dataset.facts)
        start = self._next_start(experiment, dataset)
        engine = engines.build(experiment, dataset, start)
        for _ in range(experiment.epochs):
            engine.learn(self._streams.next_epoch(len(X), experiment.order))
        weights, meter = engine.weights, engine.meter
        if engine.diverged or not all(np.isfinite(layer).all() for layer in weights):
            raise InvalidValue(
                f"the network diverged; lower learning_rate, which is {self.learning_rate}, or"
                " standardize the inputs, as StandardScaler does"
            )
        self._start, self.weights_ = start, weights
        self.presented_ += experiment.epochs * len(X)
        self.updates_ += meter.updates
        self.energy_m0_ += float((meter.m0 + meter.pending_m0).sum())
        self.energy_m1_ += float((meter.m1 + meter.pending_m1).sum())

    def _scale_of(self, X: np.ndarray) -> float:
        if self.scale is not None:
            allowed = "a number above 0, or None"
            return check_number("scale", self.scale, allowed, lambda scale: scale > 0)
        largest = float(np.abs(X).max())  # whose square may be beyond numbers
        return 1 / (largest * float(np.sqrt(np.square(X / largest).mean()))) if largest else 1.0

    def _experiment(self) -> Experiment:
        """Return what the parameters say; raise InvalidValue if they are impossible."""
        return Experiment(
            hidden=self.hidden,
            gate=_rule(self.gate, gates.parse),
            restriction=_rule(self.restriction, restrictions.parse),
            caching=_rule(self.caching, caching.parse),
            activation=self.activation,
            loss=self.loss,
            learning_rate=self.learning_rate,
            order=self.order,
            epochs=self.epochs,
        )

    def _next_start(self, experiment: Experiment, dataset: Dataset) -> Start:
        """Return what the next samples find: the network as it is, and the masks that stay."""
        if self._start is None:
            self._begun = experiment
            return Start.draw(experiment, dataset, self._streams)
        for name in ("hidden", "restriction"):
            before, now = getattr(self._begun, name), getattr(experiment, name)
            if now != before:
                raise InvalidValue(
                    f"{name} is now {now}, and was {before} when learning began; call fit instead"
                )
        key = self._streams.masks.integers(2**63, dtype=np.uint64)
        return replace(self._start, weights=self.weights_, key=key)


def _rule(given: object, parse: Callable[[str], object]) -> object:
    return parse(given) if isinstance(given, str) else given


def _softmax(outputs: np.ndarray) -> np.ndarray:
    shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def _nearest(outputs: np.ndarray) -> np.ndarray:
    """Return for each row the nearest one that is not negative and adds up to 1.

    What is too much is taken from the largest outputs alike (Held, Wolfe & Crowder 1974), so their
    order stays.
    """
    falling = -np.sort(-outputs, axis=1)
    counts = np.arange(1, outputs.shape[1] + 1)
    excess = (np.cumsum(falling, axis=1) - 1) / counts
    kept = (falling > excess).sum(axis=1, keepdims=True)
    return np.maximum(outputs - np.take_along_axis(excess, kept - 1, axis=1), 0)
