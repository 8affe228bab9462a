"""When does a change become permanent?

Source: Li & van Rossum 2020; van Rossum & Pache 2024, "Combining mask with synaptic caching".
"""

import math
import operator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from lazybook.errors import check_number, check_one_of
from lazybook.support import spelling

if TYPE_CHECKING:
    from torch import Tensor

VARIANTS = ("synapse", "any", "sum", "unit")


@dataclass(frozen=True)
class Immediate:
    """Ordinary learning: every change is permanent at once."""

    words: ClassVar[dict] = {"immediate": {}}
    transient_cost: ClassVar[float] = 0.0
    kept: ClassVar[float] = 1.0

    def consolidates(self, transient: list["Tensor"]) -> list["Tensor"]:
        """Which synapses become permanent, for each layer: all."""
        return [layer == layer for layer in transient]

    __str__ = spelling.spell


@dataclass(frozen=True)
class SynapticCaching:
    r"""Changes are transient first, and are consolidated when they have added up.

    A weight is the sum of a persistent and a transient part. Updates go to the transient part,
    which decays by :math:`e^{-\text{decay}}` at each presentation, learned or not. Consolidation
    adds it to the persistent part and sets it to 0; only that is counted as energy (M0, M1).

    Attributes
    ----------
    threshold: size of the transient part at which a synapse is consolidated. With 0 every change
        is permanent at once.
    decay: rate at which the transient part decays, per presentation.
    transient_cost: cost of a transient part of size 1, per presentation.
    variant: each ``synapse`` that reaches the threshold is consolidated; or all are as soon as
        ``any`` reaches it; or all are as soon as the ``sum`` of all transient parts' sizes does; or
        all that enter a ``unit`` are as soon as one of these reaches it.
    strict: consolidate only what exceeds the threshold.
    """

    threshold: float
    decay: float = 0.0
    transient_cost: float = 0.0
    variant: str = "synapse"
    strict: bool = False
    words: ClassVar[dict] = {
        "synaptic-caching": {"strict": False},
        "strict-synaptic-caching": {"strict": True},
    }

    def __post_init__(self) -> None:
        for name in ("threshold", "decay", "transient_cost"):
            value = check_number(
                f"caching: {name}", getattr(self, name), "a number from 0", lambda v: v >= 0
            )
            object.__setattr__(self, name, value)
        check_one_of("caching: variant", self.variant, VARIANTS)

    @property
    def kept(self) -> float:
        """The part of a transient change that is left at the next presentation."""
        return math.exp(-self.decay)

    def consolidates(self, transient: list["Tensor"]) -> list["Tensor"]:
        """Which synapses become permanent, for each layer, given their ``transient`` parts.

        Layers are ``[from, to]``.
        """
        reaches = operator.gt if self.strict else operator.ge
        sizes = [layer.abs() for layer in transient]
        if self.variant == "synapse":
            return [reaches(size, self.threshold) for size in sizes]
        if self.variant == "unit":
            units = [reaches(size.amax(dim=0), self.threshold) for size in sizes]
            return [(size == size) & unit for size, unit in zip(sizes, units, strict=True)]
        if self.variant == "any":
            reached = reaches(max(size.max() for size in sizes), self.threshold)
        else:
            reached = reaches(sum(size.sum() for size in sizes), self.threshold)
        return [(size == size) & reached for size in sizes]

    __str__ = spelling.spell


Caching = Immediate | SynapticCaching
CACHINGS = (Immediate, SynapticCaching)


def parse(text: str) -> Caching:
    """Return the caching that ``text`` names; before numbers ``synaptic-caching:`` may be left out.

    Raises InvalidValue for an unknown one or an impossible value.
    """
    if isinstance(text, str):
        with suppress(ValueError):
            float(text.partition(",")[0])
            text = f"synaptic-caching:{text}"
    return spelling.parse(text, CACHINGS, "caching")
