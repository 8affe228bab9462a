"""Which samples of a stream are kept, to be presented again?

A stream brings each training sample once. When one arrives it is presented, and a buffer says
whether it is kept; then samples that were kept are presented again. A buffer decides from what is
known at that moment: whether the network misclassified the sample, how many samples have arrived
and are kept, and a random number.

Source: Pache & van Rossum 2026, who keep mistakes only; the reservoir is Vitter's (1985).
"""

from dataclasses import dataclass
from typing import ClassVar

from lazybook.errors import check_number, check_whole
from lazybook.support import spelling


@dataclass(frozen=True)
class Everything:
    """Keep every sample."""

    words: ClassVar[dict] = {"everything": {}}

    def place(self, mistake: bool, arrived: int, kept: int, number: int) -> int | None:
        """Return the place in the buffer where a sample that arrives is put; None: nowhere.

        Parameters
        ----------
        mistake: whether it was misclassified when it was presented on arrival.
        arrived: how many samples arrived before it.
        kept: how many are in the buffer, at the places from 0 to ``kept - 1``.
        number: a random uint64.
        """
        return kept

    __str__ = spelling.spell


@dataclass(frozen=True)
class OnlyMistakes:
    """Keep a sample if it is misclassified when it arrives."""

    words: ClassVar[dict] = {"mistakes": {}}

    def place(self, mistake: bool, arrived: int, kept: int, number: int) -> int | None:
        """Return where a sample is put: see `Everything.place`.

        It is given ``mistake``, ``arrived``, ``kept`` and ``number`` as there.
        """
        return kept if mistake else None

    __str__ = spelling.spell


@dataclass(frozen=True)
class RandomShare:
    """Keep a sample with the probability ``share``, above 0 and at most 1."""

    share: float
    words: ClassVar[dict] = {"random-share": {}}

    def __post_init__(self) -> None:
        allowed = "a number above 0 and at most 1"
        share = check_number("share", self.share, allowed, lambda share: 0 < share <= 1)
        object.__setattr__(self, "share", share)

    def place(self, mistake: bool, arrived: int, kept: int, number: int) -> int | None:
        """Return where a sample is put: see `Everything.place`.

        It is given ``mistake``, ``arrived``, ``kept`` and ``number`` as there.
        """
        return kept if number >> 11 < self.share * 2.0**53 else None

    __str__ = spelling.spell


@dataclass(frozen=True)
class Reservoir:
    """Keep ``size`` samples, at any time a random choice among those that have arrived."""

    size: int
    words: ClassVar[dict] = {"reservoir": {}}

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", check_whole("size", self.size, 1))

    def place(self, mistake: bool, arrived: int, kept: int, number: int) -> int | None:
        """Return where a sample is put, in place of another if it is full: see `Everything.place`.

        It is given ``mistake``, ``arrived``, ``kept`` and ``number`` as there.
        """
        if kept < self.size:
            return kept
        place = number % (arrived + 1)
        return place if place < self.size else None

    __str__ = spelling.spell


Buffer = Everything | OnlyMistakes | RandomShare | Reservoir
BUFFERS = (Everything, OnlyMistakes, RandomShare, Reservoir)


def parse(text: str) -> Buffer:
    """Return the buffer that ``text`` names; raise InvalidValue for an unknown one."""
    return spelling.parse(text, BUFFERS, "buffer")
