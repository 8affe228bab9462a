"""An experiment: everything that determines one training run."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from lazybook import buffers, caching, gates, networks, restrictions
from lazybook.buffers import Buffer
from lazybook.caching import Caching, Immediate
from lazybook.datasets.own import named
from lazybook.errors import InvalidValue, check_number, check_one_of, check_whole, told
from lazybook.gates import EverySample, Gate, Mistakes, OwnRule
from lazybook.restrictions import (
    AllSynapses,
    LargestToOutputs,
    LargestUpdates,
    Restriction,
    SynapseMask,
)

ORDERS = ("permutation", "replacement", "in-turn")
ENGINES = ("numba", "reference", "autograd", "numba-cuda")
IN_PYTORCH = ("reference", "autograd")
DEVICES = ("cpu", "cuda")
GATED = ("sample", "batch")
ONLY_AUTOGRAD = ("batch", "gated", "optimizer", "shifts")
ONLY_OTHERS = ("restriction", "caching", "buffer", "energy_exponents", "record")
SAME_NETWORK = ("hidden", "activation", "initial", "bias")  # of experiments that follow each other
RECORDABLE = ("sample-energy", "path", "potentiation", "synapse-updates", "weights")

LEAST_RATE = 1e-30  # a step in float32 is told from 0


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One training run, validated on construction.

    Attributes
    ----------
    dataset: a name that `lazybook.datasets.load` knows. The path of a file of your own samples
        (`lazybook.datasets.from_file`) becomes such a name.
    after: start from the final weights of this experiment, whose network has to be the same; None:
        from the initial weights. What is spent, and the straight path, count from there.
    keep_memory: remember from the start what was remembered there, of the same data set.
    zero_mean: subtract the mean over all pixels of all training images.
    shifts: present each training image shifted at random by up to so many pixels up or down and
        to the left or right, anew each time; what is shifted in is background.
    hidden: number of hidden units; None for a perceptron.
    activation: ``leaky-relu:SLOPE``, ``relu`` or ``logistic``, of the hidden units.
    initial: initial weights, see `lazybook.networks.initial_weights`.
    bias: ``separate``, ``clamped-unit`` or ``none``, see `lazybook.networks.shape`.
    loss: ``mse`` (mean over outputs), ``half-mse`` (half the sum), ``cross-entropy`` (softmax),
        ``perceptron`` (what the output chosen exceeds the right one by; its gradient is the
        perceptron rule) or ``logistic`` (half the sum of squared differences between the logistic
        function of the outputs and targets of 0.01 and 0.99).
    learning_rate: size of a step against the gradient of the loss.
    batch: samples a step; what is descended is the mean of their losses, in which those that the
        gate does not let through count as 0. If it lets none through there is no step.
    gated: ``sample`` by sample, as just said; or as a whole ``batch``, all of which is learned if
        the gate lets any of its samples through.
    optimizer: ``sgd``, ``momentum:M`` (each step is M times the last one, and what the gradient
        adds) or ``adam`` (Kingma & Ba 2015).
    order: a fresh ``permutation`` of the training set each epoch, drawn with ``replacement``, or
        ``in-turn``: from the first sample to the last, each epoch the same.
    gate, restriction, caching: which samples are learned, which synapses change, and when. A gate
        may be a function of your own, see `lazybook.gates.OwnRule`, for the engines in PyTorch.
    buffer: None, or the training set is a stream that is seen once, in this ``order``, and this
        buffer says which samples are kept. After each that arrives, kept ones are presented, drawn
        at random, so many that there are ``epochs`` presentations for each that arrives.
    epochs: an epoch is as many presentations as there are training samples.
    until: stop at the first measurement with this accuracy on the test set; None: never.
    measure_every: presentations between two measurements on the test set.
    measure_training: measure on the training set too, at the ends of epochs.
    also_test: names of further data sets whose test samples are measured too, as those of some
        classes, or sharp ones beside the blurred.
    seed: of the independent random streams for weights, order, masks and ties.
    engine: ``numba`` (fast), ``reference`` (PyTorch, the definition), ``autograd`` (PyTorch's own
        layers and optimizers; the one for batches, optimizers and shifts, and for nothing else
        beyond gates) or ``numba-cuda`` (many networks side by side on a GPU; all gates and
        restrictions but redrawn masks and largest updates of synapse masks, synaptic caching of
        variant ``synapse``, and nothing else).
    device: ``cpu`` or ``cuda``: the two engines in PyTorch run on either.
    energy_exponents: further exponents alpha for which to measure the energy, beside 0 and 1.
    record: further results to keep: ``sample-energy`` (M1 spent on each training sample),
        ``path`` (the weights after each presentation; perceptrons with few weights only),
        ``potentiation`` (the part of M0 and M1 in changes that raise a weight),
        ``synapse-updates`` (how often each synapse changed) and ``weights`` (at the end).

    Numbers may be NumPy's, and lists stand for tuples. Experiments that say the same are equal and
    have one record, however it is said: 1 or 1.0, ``leaky-relu:0.1`` or ``leaky-relu:1e-1``, what
    is recorded in this order or that.

    Raises
    ------
    InvalidValue: a value that is impossible; the message names it and what is allowed.
    """

    dataset: str = "mnist"
    after: Self | None = None
    keep_memory: bool = False
    zero_mean: bool = False
    shifts: int = 0
    hidden: int | None = 100
    activation: str = "leaky-relu:0.01"
    initial: str = "pytorch"
    bias: str = "separate"
    loss: str = "mse"
    learning_rate: float = 0.01
    batch: int = 1
    gated: str = "sample"
    optimizer: str = "sgd"
    order: str = "permutation"
    gate: Gate = EverySample()
    restriction: Restriction = AllSynapses()
    caching: Caching = Immediate()
    buffer: Buffer | None = None
    epochs: int = 50
    until: float | None = None
    measure_every: int = 5000
    measure_training: bool = True
    also_test: tuple[str, ...] = ()
    seed: int = 0
    engine: str = "numba"
    device: str = "cpu"
    energy_exponents: tuple[float, ...] = ()
    record: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = _CHECKS[field.name](getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        self._check_together()

    def _check_together(self) -> None:
        """Raise InvalidValue for fields that do not go together."""
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
                "engine 'numba' runs on the CPU only; on device 'cuda' use 'numba-cuda',"
                " 'reference' or 'autograd'"
            )
        if self.after:
            self._check_after(self.after)
        elif self.keep_memory:
            raise InvalidValue("keep_memory is True; say after which experiment, with after")
        if self.buffer and {"sample-energy", "path"} & {*self.record}:
            raise InvalidValue(
                f"record is {', '.join(self.record)}; sample-energy and path are not recorded where"
                " a buffer says what is presented"
            )
        if self.engine == "numba" and isinstance(self.gate, OwnRule):
            raise InvalidValue(
                f"gate is {self.gate}, a rule of your own; for that use engine 'reference' or"
                " 'autograd', not 'numba'"
            )
        if self.engine == "numba-cuda":
            self._check_side_by_side()
        autograd = self.engine == "autograd"
        for name in ONLY_OTHERS if autograd else ONLY_AUTOGRAD:
            value = getattr(self, name)
            if name == "record":  # every engine has weights
                value = tuple(what for what in value if what != "weights")
            if value != getattr(type(self), name):
                other = "engine 'numba' or 'reference'" if autograd else "engine 'autograd'"
                raise InvalidValue(f"{name} is {value}; for that use {other}, not {self.engine!r}")

    def _check_after(self, before: Self) -> None:
        """Raise InvalidValue unless this can go on with the network, or memory, of ``before``."""
        for name in SAME_NETWORK:
            value, there = getattr(self, name), getattr(before, name)
            if value != there:
                raise InvalidValue(
                    f"{name} is {told(value)}, and in the experiment that it comes after"
                    f" {told(there)}; the network must be the same"
                )
        if self.keep_memory and self.dataset != before.dataset:
            raise InvalidValue(
                f"keep_memory is True, but the memory is of samples of {before.dataset}, and"
                f" dataset is {self.dataset!r}; it must be the same"
            )

    @property
    def place(self) -> int:
        """How many experiments come before this one, each after another."""
        return self.after.place + 1 if self.after else 0

    def _check_side_by_side(self) -> None:
        """Raise InvalidValue for what networks cannot learn side by side on a GPU."""
        if self.device != "cuda":
            raise InvalidValue(
                f"engine 'numba-cuda' runs on device 'cuda' only; on {self.device!r} use 'numba'"
            )
        redrawn = any(getattr(part, "draw", "once") != "once" for part in self.restriction.parts)
        kinds = {type(part) for part in self.restriction.parts}
        masked = {SynapseMask, LargestUpdates} <= kinds or LargestToOutputs in kinds
        caching = self.caching
        beyond = {
            "after": self.after is not None,
            "hidden": self.hidden is None,
            "activation": self.activation == "logistic",
            "loss": self.loss == "logistic",
            "gate": isinstance(self.gate, OwnRule),
            "restriction": redrawn or masked,
            "caching": getattr(caching, "variant", "synapse") != "synapse"
            or getattr(caching, "strict", False),
            "buffer": self.buffer is not None,
            "also_test": self.also_test != (),
            "energy_exponents": self.energy_exponents != (),
            "record": self.record not in ((), ("weights",)),
        }
        for name, is_beyond in beyond.items():
            if is_beyond:
                raise InvalidValue(
                    f"{name} is {getattr(self, name)}; for that use engine 'reference', not"
                    " 'numba-cuda'"
                )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values; the rules are spelled as on the command line."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        rules = {name: str(values[name]) for name in ("gate", "restriction", "caching")}
        lists = {name: list(values[name]) for name in ("also_test", "energy_exponents", "record")}
        buffer = {"buffer": str(self.buffer) if self.buffer else None}
        after = {"after": self.after.to_dict() if self.after else None}
        return values | rules | lists | buffer | after

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return the experiment that `to_dict` described.

        Raises InvalidValue for what describes none.
        """
        if not isinstance(values, Mapping):
            raise InvalidValue(f"an experiment is {told(values)}; it must be a table of its fields")
        _check_fields(values)
        rules = {
            name: parse(values[name])
            for name, parse in (
                ("gate", gates.parse),
                ("restriction", restrictions.parse),
                ("caching", caching.parse),
                ("buffer", _unless_none(buffers.parse)),
                ("after", _unless_none(cls.from_dict)),
            )
            if name in values
        }
        return cls(**(dict(values) | rules))


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
    "caching-network": {  # Li & van Rossum 2020, Fig. 5, before any caching
        "activation": "logistic",
        "initial": "gaussian:0.01",
        "bias": "none",
        "loss": "logistic",
        "learning_rate": 0.1,
        "order": "in-turn",
        "epochs": 30,
        "until": 0.97,
        "measure_every": 1000,
        "measure_training": False,
    },
}


def field_value(name: str, value: object) -> Any:
    """Return ``value`` as an experiment has it in its field ``name``.

    Raises InvalidValue for an unknown field, or a value that none has.
    """
    _check_fields([name])
    return _CHECKS[name](value)


def preset(name: str, **changes: Any) -> Experiment:
    """Return the experiment of the preset ``name`` with some fields changed.

    Raises InvalidValue for an unknown preset, an unknown field or an impossible value.
    """
    check_one_of("preset", name, tuple(PRESETS))
    _check_fields(changes)
    return Experiment(**PRESETS[name] | changes)


def grid(base: Experiment, **choices: Collection) -> list[Experiment]:
    """Return ``base`` with every combination of the given values, the last name varying fastest.

    Raises InvalidValue for an unknown field, choices that are no list, or an impossible value.

    >>> [e.hidden for e in grid(Experiment(), hidden=[100, 200])]
    [100, 200]
    """
    if not isinstance(base, Experiment):
        raise InvalidValue(f"base is {told(base)}; it must be an Experiment")
    _check_fields(choices)
    experiments = [base]
    for name, values in choices.items():
        values = _list(name, values)
        experiments = [replace(e, **{name: value}) for e in experiments for value in values]
    return experiments


def _check_fields(names: Collection) -> None:
    known = {field.name for field in fields(Experiment)}
    unknown = [name for name in names if not isinstance(name, str) or name not in known]
    if unknown:
        raise InvalidValue(
            f"an experiment has no field {', '.join(map(told, unknown))};"
            f" it has: {', '.join(sorted(known))}"
        )


def _list(name: str, values: object) -> list:
    if isinstance(values, Collection) and not isinstance(values, str | bytes | Mapping):
        with suppress(TypeError):  # an array of no dimension
            return list(values)
    raise InvalidValue(f"{name} is {told(values)}; it must be a list")


def _name(dataset: object, field: str = "dataset") -> str:
    dataset = named(dataset)
    if not isinstance(dataset, str):
        raise InvalidValue(
            f"{field} is {told(dataset)}; it must be a name, see: lazybook data list"
        )
    return str(dataset)


def _after(before: object) -> Experiment | None:
    """Return an experiment to come after: its weights are kept."""
    if before is None:
        return None
    if not isinstance(before, Experiment):
        raise InvalidValue(f"after is {told(before)}; it must be an Experiment, or None")
    return replace(before, record=tuple({*before.record, "weights"}))


def _names(values: object) -> tuple[str, ...]:
    names = [_name(name, "also_test") for name in _list("also_test", values)]
    _check_different("also_test", names)
    return tuple(sorted(names))


def _unless_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise InvalidValue(f"{name} is {told(value)}; it must be True or False")
    return bool(value)


def _goal(until: object) -> float:
    allowed = "a number above 0 and at most 1, or None"
    return check_number("until", until, allowed, lambda accuracy: 0 < accuracy <= 1)


def _spelled(text: object, check: Callable[[str], object]) -> str:
    check(text)
    return networks.spell(text)


def _check_optimizer(optimizer: object) -> None:
    word, numbers = networks.read(optimizer)
    momentum = word == "momentum" and len(numbers) == 1 and 0 < numbers[0] < 1
    if not momentum and (word not in ("sgd", "adam") or numbers):
        raise InvalidValue(
            f"optimizer {told(optimizer)} is unknown; choose sgd, momentum:M with 0 < M < 1,"
            " or adam"
        )


def _rule(name: str, value: object, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise InvalidValue(f"{name} is {told(value)}, not a rule of lazybook.{name}s")
    return value


def _exponents(values: object) -> tuple[float, ...]:
    exponents = [
        check_number("energy_exponents", exponent, "numbers from 0", lambda alpha: alpha >= 0)
        for exponent in _list("energy_exponents", values)
    ]
    _check_different("energy_exponents", [f"{exponent:g}" for exponent in exponents])
    return tuple(sorted(exponents))


def _record(values: object) -> tuple[str, ...]:
    names = [check_one_of("record", name, RECORDABLE) for name in _list("record", values)]
    _check_different("record", names)
    return tuple(sorted(names))


def _check_different(field: str, names: list[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise InvalidValue(f"{field} has {name} {times} times; each must be there once")


def _rate(value: object) -> float:
    allowed = f"a number above 0, at least {LEAST_RATE}"
    return check_number("learning_rate", value, allowed, lambda rate: rate >= LEAST_RATE)


# Each returns a field's value as experiments have it, or raises InvalidValue.
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "dataset": _name,
    "after": _after,
    "keep_memory": lambda value: _truth("keep_memory", value),
    "zero_mean": lambda value: _truth("zero_mean", value),
    "shifts": lambda value: check_whole("shifts", value, 0),
    "hidden": lambda value: None if value is None else check_whole("hidden", value, 1),
    "activation": lambda value: _spelled(value, networks.check_activation),
    "initial": lambda value: _spelled(value, networks.check_initial),
    "bias": lambda value: check_one_of("bias", value, networks.BIASES),
    "loss": lambda value: check_one_of("loss", value, networks.LOSSES),
    "learning_rate": _rate,
    "batch": lambda value: check_whole("batch", value, 1),
    "gated": lambda value: check_one_of("gated", value, GATED),
    "optimizer": lambda value: _spelled(value, _check_optimizer),
    "order": lambda value: check_one_of("order", value, ORDERS),
    "gate": lambda value: value if isinstance(value, Gate) else OwnRule.of(value),
    "restriction": lambda value: _rule("restriction", value, Restriction),
    "caching": lambda value: _rule("caching", value, Caching),
    "buffer": _unless_none(lambda value: _rule("buffer", value, Buffer)),
    "epochs": lambda value: check_whole("epochs", value, 1),
    "until": _unless_none(_goal),
    "measure_every": lambda value: check_whole("measure_every", value, 1),
    "measure_training": lambda value: _truth("measure_training", value),
    "also_test": _names,
    "seed": lambda value: check_whole("seed", value, 0, 2**128),
    "engine": lambda value: check_one_of("engine", value, ENGINES),
    "device": lambda value: check_one_of("device", value, DEVICES),
    "energy_exponents": _exponents,
    "record": _record,
}
