"""The options that say what is learned: one for each field of an experiment, in one table.

`lazybook train` takes one value of each, `lazybook sweep` makes a grid of several, and
`lazybook runs list` looks for runs that have one of several.
"""

import inspect
import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lazybook.errors import InvalidValue, told

if TYPE_CHECKING:
    from lazybook.experiment import Experiment

MOST = 100_000  # runs of a grid

RANGE = re.compile(r"([+-]?\d{1,40}):([+-]?\d{1,40})(?::([+-]?\d{1,40}))?")

NONE = "none"  # said of an option whose value may be that there is none

Choices = dict[str, list]  # the values that were given for some fields, in the order of the table


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{told(text)} is not a whole number") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{told(text)} is not a number") from None


def _whole_or_none(text: str) -> int | None:
    try:
        return None if text == NONE else int(text)
    except ValueError:
        raise typer.BadParameter(f"{told(text)} is neither a whole number nor {NONE!r}") from None


def _number_or_none(text: str) -> float | None:
    try:
        return None if text == NONE else float(text)
    except ValueError:
        raise typer.BadParameter(f"{told(text)} is neither a number nor {NONE!r}") from None


def _dataset(text: str) -> str:
    # Commas stand only between the sizes that follow a colon, and in paths.
    if not text or ("," in text and ":" not in text and not text.lower().endswith(".npz")):
        raise typer.BadParameter(f"{told(text)} is not the name of one data set")
    return text


@dataclass(frozen=True)
class Field:
    """How a field of an experiment is given.

    Attributes
    ----------
    help: what is said of it.
    read: makes its value of a text; None for what is on or off.
    commas: whether a value has commas in itself, so that they do not separate several.
    listed: whether its value is made of several, each an option of its own.
    """

    help: str
    read: Callable[[str], Any] | None = str
    commas: bool = False
    listed: bool = False

    @property
    def kind(self) -> str:
        """What stands for a value in the help."""
        kinds = {_whole: "int", _whole_or_none: "int", _number: "float", _number_or_none: "float"}
        return kinds.get(self.read, "str")

    def read_one(self, text: str) -> list:
        """Return the value in what was typed, in a list."""
        return [self.read(text)]

    def read_several(self, text: str) -> list:
        """Return the values in what was typed once."""
        if self.commas or self.listed:
            return self.read_one(text)
        return [value for part in text.split(",") for value in self._read_part(part.strip())]

    def _read_part(self, text: str) -> Sequence:
        wholes = RANGE.fullmatch(text) if self.read in (_whole, _whole_or_none) else None
        if not wholes:
            return [self.read(text)]
        begin, end, step = (int(number or 1) for number in wholes.groups())
        numbers = range(begin, end, step) if step else ()
        if not numbers:
            raise typer.BadParameter(f"{told(text)} is empty: a:b is from a to b - 1, as in Python")
        if numbers[MOST:]:
            raise typer.BadParameter(f"{told(text)} is more than {MOST:,} numbers")
        return numbers


PRESET = Field(
    "a paper's settings, which other options change: lazy (unless you say otherwise), competitive,"
    " perceptron (no hidden layer, random patterns) or caching-network (logistic units)"
)
FIELDS = {
    "dataset": Field(
        "see: lazybook data list; or a file of your own samples, *.npz; after a slash, what is made"
        " of it: classes:A-B, samples:A-B, blur:S or random-labels:SHARE,SEED",
        _dataset,
        commas=True,
    ),
    "after": Field(
        "start from the final weights of a run that was kept: the first letters of its record's"
        " name, see lazybook runs list; or none"
    ),
    "keep_memory": Field("remember from the start what was remembered there", None),
    "hidden": Field("number of hidden units, or none at all", _whole_or_none),
    "gate": Field("every-sample, mistakes, memorized-mistakes or margin:M, a number"),
    "restriction": Field(
        "all, synapse-mask:P1,P2, neuron-mask:N, subnet:N, most-active-neurons:F,"
        " largest-error-neurons:F, largest-per-layer:F, largest-per-neuron:F or"
        " largest-to-outputs:F; a mask or subnet is drawn once, and subnet-per-sample:N or"
        " subnet-per-class:N for each sample or class; ' & ' combines several",
        commas=True,
    ),
    "caching": Field(
        "immediate, or THRESHOLD[,DECAY[,COST[,VARIANT]]] with the variants synapse, any, sum and"
        " unit; strict-synaptic-caching:THRESHOLD… consolidates only above the threshold",
        commas=True,
    ),
    "loss": Field("mse, half-mse, cross-entropy, perceptron or logistic"),
    "activation": Field("relu, leaky-relu:SLOPE or logistic"),
    "initial": Field(
        "initial weights: pytorch, zeros, gaussian:DEVIATION or gaussian:DEVIATION,BIAS with a mean"
        " bias of the hidden units",
        commas=True,
    ),
    "bias": Field("separate, clamped-unit or none"),
    "learning_rate": Field("size of a step", _number),
    "batch": Field("samples a step, with the autograd engine", _whole),
    "gated": Field("by sample, or the batch as a whole, with the autograd engine"),
    "optimizer": Field("sgd; with the autograd engine also momentum:M or adam"),
    "shifts": Field(
        "shift training images at random by up to so many pixels, with the autograd engine", _whole
    ),
    "zero_mean": Field("subtract the mean input", None),
    "order": Field("permutation, replacement or in-turn"),
    "buffer": Field(
        "see the training set once, as a stream, and keep everything, mistakes, random-share:P or"
        " reservoir:N of it to be presented again; or none: have all of it each epoch"
    ),
    "epochs": Field("length of the run", _whole),
    "until": Field("stop at this test accuracy, such as 0.95, or at none", _number_or_none),
    "measure_every": Field("samples between two measurements", _whole),
    "measure_training": Field("measure on the training set too, at the ends of epochs", None),
    "also_test": Field(
        "measure on the test samples of this data set too; repeat the option for several",
        _dataset,
        listed=True,
    ),
    "seed": Field("one seed gives one result", _whole),
    "engine": Field("numba, reference or autograd; on a GPU also numba-cuda"),
    "device": Field("cpu, or cuda with any engine but numba"),
    "energy_exponents": Field(
        "measure the energy with this exponent too; repeat the option for several",
        _number,
        listed=True,
    ),
    "record": Field(
        "keep sample-energy, path, potentiation, synapse-updates or weights; repeat the option for"
        " several",
        listed=True,
    ),
}


def takes_fields(several: bool, *but: str) -> Callable[[Callable], Callable]:
    """Give a command an option for the preset and each field; it is called with their `Choices`.

    With ``several`` there may be any number of values of each, else one. The fields that are named
    are left out.
    """
    fields = {name: f for name, f in ({"preset": PRESET} | FIELDS).items() if name not in but}

    def decorate(command: Callable) -> Callable:
        def called(**given: Any) -> None:
            values = {name: _values(name, f, given, several) for name, f in fields.items()}
            command({name: chosen for name, chosen in values.items() if chosen}, **given)

        own = list(inspect.signature(command).parameters.values())[1:]
        options = [o for name, field in fields.items() for o in _options(name, field, several)]
        called.__signature__ = inspect.Signature([*options, *own])
        called.__name__, called.__doc__ = command.__name__, command.__doc__
        return called

    return decorate


def _options(name: str, field: Field, several: bool) -> Iterator[inspect.Parameter]:
    """Yield what Typer makes the option of a field of; in two parts if it is on, off or both."""
    dashed = name.replace("_", "-")
    if field.read is None and several:
        yield _option(name, bool, False, f"--{dashed}", help=field.help)
        yield _option(
            f"no_{name}", bool, False, f"--no-{dashed}", help="or not; give both for both"
        )
    elif field.read is None:
        yield _option(name, bool | None, None, f"--{dashed}/--no-{dashed}", help=field.help)
    else:
        read, metavar, more = field.read_one, f"<{field.kind}>", ""
        if several:
            read = field.read_several
            metavar += "" if field.commas or field.listed else ",…"
            more = "; repeat the option for several" if field.commas else ""
        elif name == "restriction":
            more = ", as does repeating the option"
        look = {"parser": read, "metavar": metavar, "help": field.help + more}
        yield _option(name, list[Any] | None, None, f"--{dashed}", **look)


def _option(name: str, kind: Any, default: Any, dashed: str, **look: Any) -> inspect.Parameter:
    annotation = Annotated[kind, typer.Option(dashed, **look)]
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation
    )


def _values(name: str, field: Field, given: dict[str, Any], several: bool) -> list:
    """Take the values of a field from what Typer was ``given``; none if it was left out."""
    if field.read is None and several:
        return [True] * given.pop(name) + [False] * given.pop(f"no_{name}")
    if field.read is None:
        value = given.pop(name)
        return [] if value is None else [value]
    values = [value for typed in given.pop(name) or () for value in typed]
    if field.listed:
        return [values] if values else []
    if several:
        return values
    return [" & ".join(values)] if name == "restriction" and values else values[-1:]


def experiments(choices: Choices) -> list["Experiment"]:
    """Return every combination of what was chosen, the last field varying fastest.

    Raises InvalidValue for an impossible one, or more than `MOST`.
    """
    from lazybook.experiment import preset

    choices = {"preset": ["lazy"]} | _parsed(choices)
    number = math.prod(map(len, choices.values()))
    if number > MOST:
        raise InvalidValue(f"these options make {number:,} runs; at most {MOST:,} go together")
    made = []
    for values in itertools.product(*choices.values()):
        settings = dict(zip(choices, values, strict=True))
        if settings.get("device") == "cuda":
            settings.setdefault("engine", "reference")
        made.append(preset(settings.pop("preset"), **settings))
    return list(dict.fromkeys(made))


def is_among(choices: Choices) -> Callable[["Experiment"], bool]:
    """Return what tells whether an experiment has one of the values of each field that is chosen.

    Of what a field lists it has to have all that are given. Raises InvalidValue for a value that no
    experiment has.
    """
    from lazybook.experiment import field_value

    wanted = {
        name: [field_value(name, value) for value in values]
        for name, values in _parsed(choices).items()
    }

    def tell(experiment: "Experiment") -> bool:
        for name, values in wanted.items():
            there = getattr(experiment, name)
            if there not in values and not (FIELDS[name].listed and {*there} >= {*values[0]}):
                return False
        return True

    return tell


def _parsed(choices: Choices) -> Choices:
    """Return the choices with rules in place of their spellings, and names in that of files."""
    from lazybook import buffers, caching, gates, restrictions
    from lazybook.datasets import named

    def kept(text: str) -> "Experiment | None":
        from lazybook.runs import Store

        return None if text == NONE else Store().named(text).experiment

    parse = {
        "dataset": named,
        "gate": gates.parse,
        "restriction": restrictions.parse,
        "caching": caching.parse,
        "buffer": lambda text: None if text == NONE else buffers.parse(text),
        "after": kept,
    }
    return {
        name: [parse[name](value) for value in values] if name in parse else values
        for name, values in choices.items()
    }
