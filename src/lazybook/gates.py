"""Which samples are learned?

A gate decides for each sample that is presented whether the network learns it, from two
booleans: is the sample misclassified now, and was it ever before? The methods work alike on
Python booleans, NumPy arrays and PyTorch tensors of any shape.

Source: Pache & van Rossum 2023, Eqs. 1 and 2; under the name *mistake gating* Pache &
van Rossum 2026.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from lazybook.support import spelling

Booleans = TypeVar("Booleans")


@dataclass(frozen=True)
class EverySample:
    """Ordinary backpropagation: learn every sample."""

    words: ClassVar[dict] = {"every-sample": {}}

    def learns(self, mistake: Booleans, remembered: Booleans) -> Booleans:
        """Which samples are learned: all."""
        return mistake | True

    def remembers(self, mistake: Booleans, remembered: Booleans) -> Booleans:
        """The memory after the sample: unchanged."""
        return remembered

    __str__ = spelling.spell


@dataclass(frozen=True)
class Mistakes:
    """Pure lazy learning: learn a sample only if it is misclassified now."""

    words: ClassVar[dict] = {"mistakes": {}}

    def learns(self, mistake: Booleans, remembered: Booleans) -> Booleans:
        """Which samples are learned: the present mistakes (Eq. 1)."""
        return mistake

    def remembers(self, mistake: Booleans, remembered: Booleans) -> Booleans:
        """The memory after the sample: unchanged."""
        return remembered

    __str__ = spelling.spell


@dataclass(frozen=True)
class MemorizedMistakes:
    """Lazy learning: learn a sample if it is misclassified now or was at any time before."""

    words: ClassVar[dict] = {"memorized-mistakes": {}}

    def learns(self, mistake: Booleans, remembered: Booleans) -> Booleans:
        """Which samples are learned: present and remembered mistakes (Eq. 2)."""
        return mistake | remembered

    def remembers(self, mistake: Booleans, remembered: Booleans) -> Booleans:
        """The memory after the sample: a mistake is never forgotten."""
        return mistake | remembered

    __str__ = spelling.spell


Gate = EverySample | Mistakes | MemorizedMistakes
GATES = (EverySample, Mistakes, MemorizedMistakes)


def parse(text: str) -> Gate:
    """Return the gate that ``text`` names; raise InvalidValue for an unknown one."""
    return spelling.parse(text, GATES, "gate")
