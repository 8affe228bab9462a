"""Wrong values in Python."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from lazybook import caching, datasets, gates, restrictions
from lazybook.caching import SynapticCaching
from lazybook.experiment import Experiment, grid, preset
from lazybook.restrictions import (
    LargestToOutputs,
    LargestUpdates,
    NeuronMask,
    SelectedNeurons,
    Subnet,
    SynapseMask,
)
from lazybook.sweep import sweep

from .answers import check_raises
from .fields import CACHING, DATASETS, FIELDS, GATE, LISTS, PRESET, RESTRICTION
from .values import JUNK, NO_LISTS, number, whole, word

Input = tuple[str, Callable[[], object]]  # what is said of it, and how it is given


def _as_field(random: Random, name: str) -> object:
    """A wrong value of a field of an experiment; of a list, one with a wrong entry, or no list."""
    value = FIELDS[name].python(random)
    if name in LISTS:
        return [value] if random.random() < 0.7 else random.choice(NO_LISTS)
    return value


def _experiment(random: Random) -> Input:
    name = random.choice(list(FIELDS))
    # Any text may be the name of a data set; that is found out when it is looked up.
    value = _as_field(random, name)
    if name in ("dataset", "also_test"):
        value = random.choice(JUNK[:11])
    way = random.choice((
        lambda: Experiment(**{name: value}),
        lambda: preset("competitive", **{name: value}),
        lambda: grid(Experiment(), **{name: [value]}),
        lambda: Experiment.from_dict(Experiment().to_dict() | {name: value}),
    ))  # fmt: skip
    return f"{name}={value!r}", way


def _unknown(random: Random) -> Input:
    wrong = word(*FIELDS).text(random)
    way = random.choice((
        lambda: preset("lazy", **{wrong: 1}),
        lambda: grid(Experiment(), **{wrong: [1]}),
        lambda: Experiment.from_dict({wrong: 1}),
    ))  # fmt: skip
    return f"field {wrong!r}", way


def _rule(random: Random) -> Input:
    share, units, draw = number(-0.1, 1.1, 2), whole(1), word("once", "sample", "class")
    amount, variant = number(-1.0), word("synapse", "any", "sum")
    make, fields = random.choice((
        (SynapseMask, {"p_in": share, "p_out": share, "draw": draw}),
        (NeuronMask, {"n": units, "draw": draw}),
        (Subnet, {"n": units, "draw": draw}),
        (SelectedNeurons, {"fraction": number(0.0, -0.1, 1.1), "by": word("activity", "error")}),
        (LargestUpdates, {"fraction": number(0.0, -0.1, 1.1), "per": word("layer", "neuron")}),
        (LargestToOutputs, {"fraction": number(0.0, -0.1, 1.1)}),
        (
            SynapticCaching,
            {"threshold": amount, "decay": amount, "transient_cost": amount, "variant": variant},
        ),
    ))  # fmt: skip
    right = {"p_in": 0.5, "p_out": 0.5, "n": 3, "fraction": 0.5, "by": "error", "threshold": 1.0}
    name = random.choice(list(fields))
    value = fields[name].python(random)
    given = {field: right[field] for field in fields if field in right} | {name: value}
    return f"{make.__name__}({name}={value!r})", lambda: make(**given)


def _parsed(random: Random) -> Input:
    parse, values = random.choice((
        (gates.parse, GATE), (restrictions.parse, RESTRICTION), (caching.parse, CACHING),
        (datasets.load, DATASETS), (datasets.facts, DATASETS),
    ))  # fmt: skip
    value = values.python(random)
    return f"{parse.__module__}.{parse.__name__}({value!r})", lambda: parse(value)


def _combined(random: Random) -> Input:
    left, right = random.choice((
        (Subnet(5), 5), (5, Subnet(5)), (Subnet(5), Subnet(6)), (Subnet(5), NeuronMask(5)),
        (SynapseMask(0.5, 0.5), "all"), (LargestUpdates(0.1), LargestUpdates(0.1, per="neuron")),
        (Subnet(5), None), (NeuronMask(5), SynapticCaching(1.0)),
    ))  # fmt: skip
    return f"{left!r} & {right!r}", lambda: left & right


def _swept(random: Random) -> Input:
    small = Experiment(dataset="two-clouds", hidden=2, epochs=1)
    junk, jobs = random.choice(JUNK), whole(1, none=True).python(random)
    way = random.choice((
        lambda: sweep(random.choice(NO_LISTS)),
        lambda: sweep([small, junk]),
        lambda: sweep(small),
        lambda: sweep([small], jobs=jobs),
        lambda: sweep([small], store=random.choice(("runs", 1, Path("runs")))),
        lambda: grid(random.choice(("lazy", None, small.to_dict())), hidden=[1]),
        lambda: grid(small, hidden=random.choice((3, "12", None, {1: 2}))),
        lambda: preset(PRESET.python(random)),
        lambda: Experiment.from_dict(random.choice((None, 1, "x", [("hidden", 3)]))),
    ))  # fmt: skip
    return f"sweep, grid and preset with {junk!r}, {jobs!r}", way


def constructors(random: Random, folder: Path, figures: dict) -> None:
    """A wrong value in Python raises InvalidValue, in one line."""
    kinds = (_experiment, _experiment, _experiment, _rule, _parsed, _unknown, _combined, _swept)
    check_raises(*random.choice(kinds)(random))
