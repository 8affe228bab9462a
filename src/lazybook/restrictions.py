"""Which synapses may change?

Source: van Rossum & Pache 2024, "Randomly restricting plasticity", "Coordination of
plasticity" and "Restricting plasticity to synapses with large updates".
"""

from dataclasses import dataclass
from typing import ClassVar

from lazybook import spelling


@dataclass(frozen=True)
class AllSynapses:
    """Ordinary learning: every synapse may change."""

    word: ClassVar[str] = "all"

    __str__ = spelling.spell


Restriction = AllSynapses
RESTRICTIONS = (AllSynapses,)


def parse(text: str) -> Restriction:
    """Return the restriction that ``text`` names; raise InvalidValue for an unknown one."""
    return spelling.parse(text, RESTRICTIONS, "restriction")


def combine(texts: list[str]) -> Restriction:
    """Return the restrictions that ``texts`` name, combined; all of them hold together."""
    (restriction,) = {parse(text) for text in texts}
    return restriction
