"""Which synapses may change?

Source: van Rossum & Pache 2024, "Randomly restricting plasticity", "Coordination of
plasticity" and "Restricting plasticity to synapses with large updates".
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from lazybook.errors import InvalidValue, check_number, check_one_of, check_whole, told
from lazybook.networks import Shape
from lazybook.support import spelling

if TYPE_CHECKING:
    from torch import Tensor

DRAWS = ("once", "sample", "class")


class Restrictive:
    """What all restrictions share: ``a & b`` leaves plastic what both leave plastic.

    A selection of the largest updates is made last, among what the masks leave. The order does
    not matter. Raises InvalidValue for two restrictions that say different things of the same:
    two of one kind, or two of neuron mask, subnet and selected neurons.
    """

    __str__ = spelling.spell

    @property
    def parts(self) -> tuple["Restriction", ...]:
        """The restrictions that are combined here, in the order of `RESTRICTIONS`."""
        return (self,)

    def __and__(self, other: "Restriction") -> "Restriction":
        parts = _together(self, other)
        if len(parts) > 1:
            return Combined(parts)
        return parts[0] if parts else AllSynapses()

    __rand__ = __and__  # for what is no restriction, which is refused


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
            value = check_number(
                f"synapse mask: {name}",
                getattr(self, name),
                "a number from 0 to 1",
                lambda p: 0 <= p <= 1,
            )
            object.__setattr__(self, name, value)
        check_one_of("synapse mask: draw", self.draw, DRAWS)


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
        object.__setattr__(self, "n", check_whole("neuron mask: n", self.n, 1))
        check_one_of("neuron mask: draw", self.draw, DRAWS)


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
        object.__setattr__(self, "n", check_whole("subnet: n", self.n, 1))
        check_one_of("subnet: draw", self.draw, DRAWS)


@dataclass(frozen=True)
class SelectedNeurons(Restrictive):
    """The synapses into some hidden units change on a sample, and all that leave the hidden layer.

    The units compete anew on every sample, as whole neurons ("It is also possible to select only
    neurons …", van Rossum & Pache 2024, text to Fig. 3).

    Attributes
    ----------
    fraction: how many, as a share of the hidden units that learn; rounded, at least one.
    by: those with the largest ``activity``, or with the largest absolute ``error``, the gradient
        of the loss with respect to what a unit receives. See `strongest`.
    """

    fraction: float
    by: str
    words: ClassVar[dict] = {
        "most-active-neurons": {"by": "activity"},
        "largest-error-neurons": {"by": "error"},
    }

    def __post_init__(self) -> None:
        fraction = _check_share("selected neurons: fraction", self.fraction)
        object.__setattr__(self, "fraction", fraction)
        check_one_of("selected neurons: by", self.by, ("activity", "error"))


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
        fraction = _check_share("largest updates: fraction", self.fraction)
        object.__setattr__(self, "fraction", fraction)
        check_one_of("largest updates: per", self.per, ("layer", "neuron"))


@dataclass(frozen=True)
class LargestToOutputs(Restrictive):
    """Of the synapses that leave the hidden layer, only those with the largest updates change.

    They compete anew on every sample, all together. Not in the papers, whose selections leave this
    layer plastic: `LargestUpdates` for the layer before.

    Attributes
    ----------
    fraction: how many, as a share of the layer's plastic synapses; rounded, at least one.
    """

    fraction: float
    words: ClassVar[dict] = {"largest-to-outputs": {}}

    def __post_init__(self) -> None:
        fraction = _check_share("largest to outputs: fraction", self.fraction)
        object.__setattr__(self, "fraction", fraction)


@dataclass(frozen=True)
class Combined(Restrictive):
    """Several restrictions that hold together; made with ``&``."""

    several: tuple["Restriction", ...]

    def __post_init__(self) -> None:
        several = self.several if isinstance(self.several, tuple | list) else (self.several,)
        parts = _together(*several)
        if len(parts) < 2:
            raise InvalidValue(f"several is {told(self.several)}; it must be several rules")
        object.__setattr__(self, "several", parts)

    @property
    def parts(self) -> tuple["Restriction", ...]:
        """The restrictions that are combined here, in the order of `RESTRICTIONS`."""
        return self.several

    def __str__(self) -> str:
        return " & ".join(map(str, self.several))


RESTRICTIONS = (
    AllSynapses, SynapseMask, NeuronMask, Subnet, SelectedNeurons, LargestUpdates, LargestToOutputs
)  # fmt: skip
Restriction = (
    AllSynapses
    | SynapseMask
    | NeuronMask
    | Subnet
    | SelectedNeurons
    | LargestUpdates
    | LargestToOutputs
    | Combined
)
OF_UNITS = (NeuronMask, Subnet, SelectedNeurons)  # each says which hidden units are plastic


def parse(text: str) -> Restriction:
    """Return the restriction that ``text`` spells, such as ``subnet:100 & largest-per-layer:0.05``.

    Raises InvalidValue for an unknown one, an impossible value or an impossible combination.
    """
    restriction: Restriction = AllSynapses()
    for part in map(str.strip, text.split("&")) if isinstance(text, str) else [text]:
        restriction &= spelling.parse(part, RESTRICTIONS, "restriction")
    return restriction


def check(restriction: Restriction, shape: Shape) -> None:
    """Raise InvalidValue if the network has fewer hidden units than are to be plastic."""
    hidden = shape.hidden or 0
    for part in restriction.parts:
        if isinstance(part, SelectedNeurons | LargestToOutputs) and not hidden:
            raise InvalidValue(f"restriction {part} needs hidden units that learn; there are 0")
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
    unit_count: how many of the units are plastic at a time; of selected ones too.
    unit_draw: when the units are drawn, see `SynapseMask`.
    outputs_of_units: whether the synapses that leave the other units are fixed too (a subnet).
    masks: for each layer the plastic synapses, bool, shape ``(draws, from, to)``; None if all
        are, or if they are drawn for each sample.
    mask: the synapse mask, or None.
    neurons: the selection of whole neurons, or None.
    largest: the selection of the largest updates of the first layer, or None.
    to_outputs: the selection of the largest updates of the last layer, or None.
    """

    units: np.ndarray | None = None
    unit_count: int = 0
    unit_draw: str = "once"
    outputs_of_units: bool = False
    masks: list[np.ndarray] | None = None
    mask: SynapseMask | None = None
    neurons: SelectedNeurons | None = None
    largest: LargestUpdates | None = None
    to_outputs: LargestToOutputs | None = None

    def number_of_largest(self, rows: int, columns: int) -> int:
        """Return how many updates of the first layer are selected, 0 without a selection.

        That is of each unit, or of the whole layer, of shape ``(rows, columns)``. With a synapse
        mask fewer are: a share of those that it leaves plastic.
        """
        if self.largest is None:
            return 0
        units = 1 if self.largest.per == "neuron" else self.unit_count or columns
        return number_selected(self.largest.fraction, rows * units)

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
            elif isinstance(part, SelectedNeurons):
                plan["neurons"] = part
                plan["unit_count"] = number_selected(part.fraction, shape.hidden)
            elif isinstance(part, LargestUpdates):
                plan["largest"] = part
            elif isinstance(part, LargestToOutputs):
                plan["to_outputs"] = part
        return cls(**plan)


def number_selected(fraction: float, plastic: int) -> int:
    """Return how many of ``plastic`` synapses or units a ``fraction`` of them is, at least one."""
    return max(1, round(fraction * plastic))


def strongest(strength: "Tensor", number: int) -> "Tensor":
    """Return which units have the ``number`` largest of ``strength``; of equal ones the first.

    Both ``strength`` and the result, bool, have shape ``(units,)``. Raises InvalidValue if
    ``number`` is less than 1 or more than there are.
    """
    check_whole("number", number, 1, len(strength))
    chosen = strength.new_zeros(len(strength), dtype=bool)
    chosen[strength.argsort(descending=True, stable=True)[:number]] = True
    return chosen


def largest(magnitude: "Tensor", number: int, begin: int) -> "Tensor":
    """Return which synapses have the ``number`` largest of the update sizes ``magnitude``.

    Ties are massive, as most pixels of an image are alike. The synapses that tie for the last
    places stand column by column; as many as there are places are chosen, one after another from
    a begin on that ``begin``, any whole number, determines, and after the last the first. With
    ``begin`` random this favours none, and it costs no random number a synapse. An update of 0 is
    never chosen.

    ``magnitude``, not negative, and the result, bool, have shape ``(from, to)``. Raises
    InvalidValue if ``number`` is less than 1 or more than there are.
    """
    check_whole("number", number, 1, magnitude.numel())
    last = magnitude.flatten().topk(number).values[-1]
    chosen = magnitude > last
    if last > 0:
        columns, rows = (magnitude == last).T.nonzero().T
        places = begin % len(rows) + np.arange(number - int(chosen.sum()))
        tied = places % len(rows)
        chosen[rows[tied], columns[tied]] = True
    return chosen


def _check_share(name: str, value: object) -> float:
    allowed = "a number above 0 and at most 1"
    return check_number(name, value, allowed, lambda share: 0 < share <= 1)


def _together(*restrictions: Restriction) -> tuple[Restriction, ...]:
    """Return the parts of ``restrictions`` in order; raise InvalidValue if two are of one kind."""
    for restriction in restrictions:
        if not isinstance(restriction, Restriction):
            raise InvalidValue(
                f"{told(restriction)} cannot be combined; it must be a rule of"
                " lazybook.restrictions"
            )
    parts = sorted(
        (part for restriction in restrictions for part in restriction.parts),
        key=lambda part: RESTRICTIONS.index(type(part)),
    )
    for first, second in pairwise(parts):
        units = isinstance(first, OF_UNITS) and isinstance(second, OF_UNITS)
        if type(first) is type(second) or units:
            raise InvalidValue(f"{first} and {second} cannot be combined; choose one of them")
    return tuple(parts)
