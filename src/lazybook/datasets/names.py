"""How data sets are named: by a word, and those that are made here by sizes after a colon too."""

import difflib
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lazybook.errors import InvalidValue, check_whole, told


@dataclass(frozen=True)
class Sizes:
    """How data sets are named of which there is one for each choice of sizes.

    Attributes
    ----------
    form: the name with letters for the sizes, such as ``random-patterns:P,N``.
    meaning: what the letters stand for, and what they may be.
    most: the largest product of the sizes.
    seeded: whether a seed may follow the sizes, from 1; without one the set is that of seed 0.
    """

    form: str
    meaning: str
    most: int
    seeded: bool = False

    @property
    def word(self) -> str:
        return self.form.partition(":")[0]

    def read(self, name: str) -> list[int]:
        """Return the sizes in ``name``, and the seed if it has one.

        Raises InvalidValue if there can be no such data set.
        """
        texts = name.partition(":")[2].split(",")
        digits = len(str(self.most))  # Python does not read numbers of any length
        if not all(re.fullmatch(rf"[1-9][0-9]{{,{digits}}}", text) for text in texts):
            raise self._refusal(name)
        sizes = list(map(int, texts))
        if not self._fit(sizes):
            raise self._refusal(name)
        return sizes

    def name(self, **sizes: int) -> str:
        """Return the name with these sizes; raise InvalidValue if there can be no such data set."""
        whole = [check_whole(size, value, least=1) for size, value in sizes.items()]
        name = f"{self.word}:{','.join(map(str, whole))}"
        if not self._fit(whole):
            raise self._refusal(name)
        return name

    def _fit(self, sizes: Sequence[int]) -> bool:
        number = self.form.partition("[")[0].count(",") + 1
        several = (number, number + 1) if self.seeded else (number,)
        return len(sizes) in several and math.prod(sizes[:number]) <= self.most

    def _refusal(self, name: str) -> InvalidValue:
        return InvalidValue(f"dataset is {told(name)}; write {self.form} with {self.meaning}")


def check_known(what: str, name: object, known: Collection[str]) -> None:
    """Raise InvalidValue unless ``name`` is among those ``known``; say which may be meant."""
    if isinstance(name, str) and name in known:
        return
    meant = ""
    if isinstance(name, str):
        word, colon, sizes = re.sub(r"[\s_]+", "-", name.strip().lower()).partition(":")
        words = [entry.partition(":")[0] for entry in known]
        if close := difflib.get_close_matches(word, words, n=1, cutoff=0.75):
            meant = f"did you mean {told(close[0] + colon + sizes)}? "
    raise InvalidValue(f"{what} is {told(name)}; {meant}choose from: {', '.join(known)}")
