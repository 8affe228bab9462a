"""An experiment: everything that determines one training run."""

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from lazybook import caching, gates, networks, restrictions
from lazybook.caching import Caching, Immediate
from lazybook.errors import InvalidValue, check_one_of
from lazybook.gates import EverySample, Gate, Mistakes
from lazybook.restrictions import AllSynapses, Restriction

ORDERS = ("permutation", "replacement", "in-turn")
ENGINES = ("numba", "reference", "autograd")
DEVICES = ("cpu", "cuda")
ONLY_AUTOGRAD = ("batch", "optimizer", "shifts")
ONLY_OTHERS = ("restriction", "caching", "energy_exponents", "record")
RECORDABLE = ("sample-energy", "path", "potentiation", "synapse-updates")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One training run, validated on construction.

    Attributes
    ----------
    dataset: a name that `lazybook.datasets.load` knows.
    zero_mean: subtract the mean over all pixels of all training images.
    shifts: present each training image shifted at random by up to so many pixels up or down and
        to the left or right, anew each time; what is shifted in is background.
    hidden: number of hidden units; None for a perceptron.
    activation: ``leaky-relu:SLOPE`` or ``relu``, of the hidden units.
    initial: initial weights, see `lazybook.networks.initial_weights`.
    bias: ``separate``, ``clamped-unit`` or ``none``, see `lazybook.networks.shape`.
    loss: ``mse`` (mean over outputs), ``half-mse`` (half the sum), ``cross-entropy`` (softmax)
        or ``perceptron`` (what the output chosen exceeds the right one by; its gradient is the
        perceptron rule).
    learning_rate: size of a step against the gradient of the loss.
    batch: samples a step; what is descended is the mean of their losses, in which those that the
        gate does not let through count as 0. If it lets none through there is no step.
    optimizer: ``sgd``, ``momentum:M`` (each step is M times the last one, and what the gradient
        adds) or ``adam`` (Kingma & Ba 2015).
    order: a fresh ``permutation`` of the training set each epoch, drawn with ``replacement``, or
        ``in-turn``: from the first sample to the last, each epoch the same.
    gate, restriction, caching: which samples are learned, which synapses change, and when.
    epochs: an epoch is as many presentations as there are training samples.
    until: stop at the first measurement with this accuracy on the test set; None: never.
    measure_every: presentations between two measurements on the test set.
    measure_training: measure on the training set too, at the ends of epochs.
    seed: of the independent random streams for weights, order, masks and ties.
    engine: ``numba`` (fast), ``reference`` (PyTorch, the definition) or ``autograd`` (PyTorch's own
        layers and optimizers; the one for batches, optimizers and shifts, and for nothing else
        beyond gates).
    device: ``cpu`` or ``cuda``, where the two engines in PyTorch run.
    energy_exponents: further exponents alpha for which to measure the energy, beside 0 and 1.
    record: further results to keep: ``sample-energy`` (M1 spent on each training sample),
        ``path`` (the weights after each presentation; perceptrons with few weights only),
        ``potentiation`` (the part of M0 and M1 in changes that raise a weight) and
        ``synapse-updates`` (how often each synapse changed).

    Raises
    ------
    InvalidValue: a value that is impossible; the message names it and what is allowed.
    """

    dataset: str = "mnist"
    zero_mean: bool = False
    shifts: int = 0
    hidden: int | None = 100
    activation: str = "leaky-relu:0.01"
    initial: str = "pytorch"
    bias: str = "separate"
    loss: str = "mse"
    learning_rate: float = 0.01
    batch: int = 1
    optimizer: str = "sgd"
    order: str = "permutation"
    gate: Gate = EverySample()
    restriction: Restriction = AllSynapses()
    caching: Caching = Immediate()
    epochs: int = 50
    until: float | None = None
    measure_every: int = 5000
    measure_training: bool = True
    seed: int = 0
    engine: str = "numba"
    device: str = "cpu"
    energy_exponents: tuple[float, ...] = ()
    record: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.hidden is not None:
            _whole("hidden", self.hidden, 1)
        _whole("epochs", self.epochs, 1)
        _whole("measure_every", self.measure_every, 1)
        _whole("batch", self.batch, 1)
        _whole("shifts", self.shifts, 0)
        _whole("seed", self.seed, 0)
        _number("learning_rate", self.learning_rate, "above 0", lambda rate: rate > 0)
        for name in ("zero_mean", "measure_training"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidValue(f"{name} is {getattr(self, name)!r}; it must be True or False")
        if self.until is not None:
            _number("until", self.until, "above 0 and at most 1", lambda goal: 0 < goal <= 1)
        check_one_of("bias", self.bias, networks.BIASES)
        check_one_of("loss", self.loss, networks.LOSSES)
        check_one_of("order", self.order, ORDERS)
        check_one_of("engine", self.engine, ENGINES)
        check_one_of("device", self.device, DEVICES)
        networks.leak(self.activation)
        networks.check_initial(self.initial)
        _optimizer(self.optimizer)
        _instance("gate", self.gate, Gate)
        _instance("restriction", self.restriction, Restriction)
        _instance("caching", self.caching, Caching)
        for exponent in self.energy_exponents:
            _number("energy_exponents", exponent, "from 0", lambda alpha: alpha >= 0)
        # 1 and 1.0 are one experiment, and have one record.
        object.__setattr__(self, "learning_rate", float(self.learning_rate))
        for name in self.record:
            check_one_of("record", name, RECORDABLE)
        if self.bias == "clamped-unit" and (self.hidden is None or self.hidden < 2):
            raise InvalidValue(
                f"bias 'clamped-unit' needs at least 2 hidden units, not {self.hidden}"
            )
        if self.initial == "zeros" and self.hidden is not None:
            raise InvalidValue(
                "initial 'zeros' is for perceptrons;"
                f" {self.hidden} hidden units would all stay alike"
            )
        if self.device == "cuda" and self.engine == "numba":
            raise InvalidValue(
                "engine 'numba' runs on the CPU only; on device 'cuda' use 'reference' or"
                " 'autograd'"
            )
        autograd = self.engine == "autograd"
        for name in ONLY_OTHERS if autograd else ONLY_AUTOGRAD:
            value = getattr(self, name)
            if value != getattr(type(self), name):
                other = "engine 'numba' or 'reference'" if autograd else "engine 'autograd'"
                raise InvalidValue(f"{name} is {value}; for that use {other}, not {self.engine!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values; the rules are spelled as on the command line."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        rules = {name: str(values[name]) for name in ("gate", "restriction", "caching")}
        lists = {name: list(values[name]) for name in ("energy_exponents", "record")}
        return values | rules | lists

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return the experiment that `to_dict` described."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise InvalidValue(f"an experiment has no field {', '.join(sorted(unknown))}")
        rules = {
            name: parse(values[name])
            for name, parse in (
                ("gate", gates.parse),
                ("restriction", restrictions.parse),
                ("caching", caching.parse),
            )
            if name in values
        }
        tuples = {
            name: tuple(values[name]) for name in ("energy_exponents", "record") if name in values
        }
        return cls(**(values | rules | tuples))


# The settings of the papers' figures. The perceptron's energy is compared with the sum of its final
# weights' sizes, so it starts from none. Measured at the ends of epochs, however many patterns
# there are, it stops once all are right: the next epoch would be the one without an error.
PRESETS: dict[str, dict[str, Any]] = {
    "lazy": {},  # Pache & van Rossum 2023: the defaults above
    "competitive": {  # van Rossum & Pache 2024
        "zero_mean": True,
        "activation": "leaky-relu:0.1",
        "initial": "gaussian:0.01",
        "bias": "clamped-unit",
        "loss": "half-mse",
        "order": "replacement",
        "epochs": 5,
        "until": 0.95,
        "measure_every": 1000,
        "measure_training": False,
    },
    "perceptron": {  # Li & van Rossum 2020
        "dataset": "random-patterns:1000,1000",
        "hidden": None,
        "initial": "zeros",
        "loss": "perceptron",
        "learning_rate": 1.0,
        "order": "in-turn",
        "gate": Mistakes(),
        "epochs": 10_000,
        "until": 1.0,
        "measure_every": 10**9,
    },
}


def preset(name: str, **changes: Any) -> Experiment:
    """Return the experiment of a preset with some fields changed.

    Raises InvalidValue for an unknown preset or an impossible value.
    """
    check_one_of("preset", name, tuple(PRESETS))
    return Experiment(**PRESETS[name] | changes)


def grid(base: Experiment, **choices: list) -> list[Experiment]:
    """Return ``base`` with every combination of the given values, the last name varying fastest.

    >>> [e.hidden for e in grid(Experiment(), hidden=[100, 200])]
    [100, 200]
    """
    experiments = [base]
    for name, values in choices.items():
        experiments = [replace(e, **{name: value}) for e in experiments for value in values]
    return experiments


def _whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidValue(f"{name} is {value!r}; it must be a whole number, at least {least}")


def _number(name: str, value: object, allowed: str, valid: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not valid(value):
        raise InvalidValue(f"{name} is {value!r}; it must be a number {allowed}")


def _optimizer(optimizer: object) -> None:
    word, _, momentum = str(optimizer).partition(":")
    try:
        valid = optimizer in ("sgd", "adam") or (word == "momentum" and 0 < float(momentum) < 1)
    except ValueError:
        valid = False
    if not valid:
        raise InvalidValue(
            f"optimizer {optimizer!r} is unknown; choose sgd, momentum:M with 0 < M < 1, or adam"
        )


def _instance(name: str, value: object, kind: Any) -> None:
    if not isinstance(value, kind):
        raise InvalidValue(f"{name} is {value!r}, not a rule of lazybook.{name}s")
