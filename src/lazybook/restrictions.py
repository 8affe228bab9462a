"""Which synapses may change?

Source: van Rossum & Pache 2024, "Randomly restricting plasticity", "Coordination of
plasticity" and "Restricting plasticity to synapses with large updates".
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from lazybook.errors import InvalidValue, check_one_of
from lazybook.networks import Shape
from lazybook.support import spelling

if TYPE_CHECKING:
    from torch import Tensor

DRAWS = ("once", "sample", "class")


class Restrictive:
    """What all restrictions share: ``a & b`` leaves plastic what both leave plastic.

    A selection of the largest updates is made last, among what the masks leave. The order does
    not matter. Raises InvalidValue for two restrictions that say different things of the same:
    two of one kind, or a neuron mask and a subnet.
    """

    __str__ = spelling.spell

    @property
    def parts(self) -> tuple["Restriction", ...]:
        """The restrictions that are combined here, in the order of `RESTRICTIONS`."""
        return (self,)

    def __and__(self, other: "Restriction") -> "Restriction":
        parts = sorted(self.parts + other.parts, key=lambda part: RESTRICTIONS.index(type(part)))
        for first, second in pairwise(parts):
            units = isinstance(first, NeuronMask) and isinstance(second, Subnet)
            if type(first) is type(second) or units:
                raise InvalidValue(f"{first} and {second} cannot be combined; choose one of them")
        if len(parts) > 1:
            return Combined(tuple(parts))
        return parts[0] if parts else AllSynapses()


@dataclass(frozen=True)
class AllSynapses(Restrictive):
    """Ordinary learning: every synapse may change."""

    words: ClassVar[dict] = {"all": {}}

    @property
    def parts(self) -> tuple["Restriction", ...]:
        """Nothing: it leaves all that another restriction leaves."""
        return ()


@dataclass(frozen=True)
class SynapseMask(Restrictive):
    """A random mask for each layer of synapses.

    Attributes
    ----------
    p_in, p_out: probability that a synapse is plastic, into and out of the hidden layer. With
        ``p_in`` 0 only the output layer learns.
    draw: the mask is drawn ``once``, anew for each ``sample``, or one for each ``class``.
    """

    p_in: float
    p_out: float
    draw: str = "once"
    words: ClassVar[dict] = {
        "synapse-mask": {"draw": "once"},
        "synapse-mask-per-sample": {"draw": "sample"},
        "synapse-mask-per-class": {"draw": "class"},
    }

    def __post_init__(self) -> None:
        for name in ("p_in", "p_out"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= 1:
                raise InvalidValue(f"synapse mask: {name} is {value!r}; it must be from 0 to 1")
        check_one_of("draw", self.draw, DRAWS)


@dataclass(frozen=True)
class NeuronMask(Restrictive):
    """The synapses into ``n`` hidden units are plastic, and all that leave the hidden layer.

    The back-propagated error of the other hidden units is multiplied by 0. ``draw`` as in
    `SynapseMask`.
    """

    n: int
    draw: str = "once"
    words: ClassVar[dict] = {
        "neuron-mask": {"draw": "once"},
        "neuron-mask-per-sample": {"draw": "sample"},
        "neuron-mask-per-class": {"draw": "class"},
    }

    def __post_init__(self) -> None:
        _units("neuron mask", self.n)
        check_one_of("draw", self.draw, DRAWS)


@dataclass(frozen=True)
class Subnet(Restrictive):
    """The synapses into and out of ``n`` hidden units are plastic, and no others.

    ``draw`` as in `SynapseMask`.
    """

    n: int
    draw: str = "once"
    words: ClassVar[dict] = {
        "subnet": {"draw": "once"},
        "subnet-per-sample": {"draw": "sample"},
        "subnet-per-class": {"draw": "class"},
    }

    def __post_init__(self) -> None:
        _units("subnet", self.n)
        check_one_of("draw", self.draw, DRAWS)


@dataclass(frozen=True)
class LargestUpdates(Restrictive):
    """Of the first layer of synapses, only those with the largest updates change on a sample.

    Attributes
    ----------
    fraction: how many, as a share of the layer's plastic synapses; rounded, at least one.
    per: they compete within the ``layer``, or within each ``neuron`` for its inputs.
    """

    fraction: float
    per: str = "layer"
    words: ClassVar[dict] = {
        "largest-per-layer": {"per": "layer"},
        "largest-per-neuron": {"per": "neuron"},
    }

    def __post_init__(self) -> None:
        _fraction("largest updates: fraction", self.fraction)
        if self.per not in ("layer", "neuron"):
            raise InvalidValue(f"largest updates: per is {self.per!r}; choose layer or neuron")


@dataclass(frozen=True)
class Combined(Restrictive):
    """Several restrictions that hold together; made with ``&``."""

    several: tuple["Restriction", ...]

    @property
    def parts(self) -> tuple["Restriction", ...]:
        """The restrictions that are combined here, in the order of `RESTRICTIONS`."""
        return self.several

    def __str__(self) -> str:
        return " & ".join(map(str, self.several))


Restriction = AllSynapses | SynapseMask | NeuronMask | Subnet | LargestUpdates | Combined
RESTRICTIONS = (AllSynapses, SynapseMask, NeuronMask, Subnet, LargestUpdates)


def parse(text: str) -> Restriction:
    """Return the restriction that ``text`` spells, such as ``subnet:100 & largest-per-layer:0.05``.

    Raises InvalidValue for an unknown one, an impossible value or an impossible combination.
    """
    restriction: Restriction = AllSynapses()
    for part in text.split("&"):
        restriction &= spelling.parse(part.strip(), RESTRICTIONS, "restriction")
    return restriction


def check(restriction: Restriction, shape: Shape) -> None:
    """Raise InvalidValue if the network has fewer hidden units than are to be plastic."""
    for part in restriction.parts:
        hidden = shape.hidden or 0
        if isinstance(part, NeuronMask | Subnet) and part.n > hidden:
            raise InvalidValue(
                f"restriction {part} needs {part.n} hidden units that learn; there are {hidden}"
            )


@dataclass(frozen=True)
class Plan:
    """A restriction, sorted by what it needs, with its random masks drawn.

    Attributes
    ----------
    units: the plastic hidden units, int64, shape ``(draws, n)``, one row, or one a class; None if
        all are. If they are drawn for each sample: all units, shape ``(1, hidden)``.
    unit_count: how many of the units are plastic at a time.
    unit_draw: when the units are drawn, see `SynapseMask`.
    outputs_of_units: whether the synapses that leave the other units are fixed too (a subnet).
    masks: for each layer the plastic synapses, bool, shape ``(draws, from, to)``; None if all
        are, or if they are drawn for each sample.
    mask: the synapse mask, or None.
    largest: the selection of the largest updates, or None.
    """

    units: np.ndarray | None = None
    unit_count: int = 0
    unit_draw: str = "once"
    outputs_of_units: bool = False
    masks: list[np.ndarray] | None = None
    mask: SynapseMask | None = None
    largest: LargestUpdates | None = None

    @classmethod
    def draw(
        cls, restriction: Restriction, shape: Shape, classes: int, generator: np.random.Generator
    ) -> Self:
        """Draw the masks of ``restriction`` for a network that it fits (see `check`)."""
        plan = {}
        for part in restriction.parts:
            draws = classes if getattr(part, "draw", "once") == "class" else 1
            if isinstance(part, NeuronMask | Subnet):
                units = np.tile(np.arange(shape.hidden), (draws, 1))
                plan["units"] = generator.permuted(units, axis=1)
                if part.draw != "sample":
                    plan["units"] = np.sort(plan["units"][:, : part.n], axis=1)
                plan["unit_count"], plan["unit_draw"] = part.n, part.draw
                plan["outputs_of_units"] = isinstance(part, Subnet)
            elif isinstance(part, SynapseMask):
                plan["mask"] = part
                if part.draw != "sample":
                    plan["masks"] = [
                        generator.random((draws, *layer), dtype=np.float32) < probability
                        for layer, probability in zip(
                            shape.layers, (part.p_in, part.p_out), strict=False
                        )
                    ]
            elif isinstance(part, LargestUpdates):
                plan["largest"] = part
        return cls(**plan)


def number_selected(fraction: float, plastic: int) -> int:
    """Return how many of ``plastic`` synapses are a ``fraction`` of them, at least one."""
    return max(1, round(fraction * plastic))


def largest(magnitude: "Tensor", number: int, begin: int) -> "Tensor":
    """Return which synapses have the ``number`` largest of the update sizes ``magnitude``.

    Ties are massive, as most pixels of an image are alike. The synapses that tie for the last
    places stand column by column; as many as there are places are chosen, one after another from
    a begin on that ``begin``, any whole number, determines, and after the last the first. With
    ``begin`` random this favours none, and it costs no random number a synapse. An update of 0 is
    never chosen.

    ``magnitude``, not negative, and the result, bool, have shape ``(from, to)``.
    """
    last = magnitude.flatten().topk(number).values[-1]
    chosen = magnitude > last
    if last > 0:
        columns, rows = (magnitude == last).T.nonzero().T
        places = begin % len(rows) + np.arange(number - int(chosen.sum()))
        tied = places % len(rows)
        chosen[rows[tied], columns[tied]] = True
    return chosen


def _fraction(name: str, value: object) -> None:
    if not isinstance(value, int | float) or not 0 < value <= 1:
        raise InvalidValue(f"{name} is {value!r}; it must be above 0 and at most 1")


def _units(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidValue(f"{name}: n is {value!r}; it must be a whole number, at least 1")
