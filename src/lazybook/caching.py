"""When does a change become permanent?

Source: Li & van Rossum 2020; van Rossum & Pache 2024, "Combining mask with synaptic caching".
"""

from dataclasses import dataclass
from typing import ClassVar

from lazybook import spelling


@dataclass(frozen=True)
class Immediate:
    """Ordinary learning: every change is permanent at once."""

    word: ClassVar[str] = "immediate"

    __str__ = spelling.spell


Caching = Immediate
CACHINGS = (Immediate,)


def parse(text: str) -> Caching:
    """Return the caching that ``text`` names; raise InvalidValue for an unknown one."""
    return spelling.parse(text, CACHINGS, "caching")
