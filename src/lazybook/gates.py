"""Which samples are learned?

A gate decides for each sample that is presented whether the network learns it, from two
booleans: is the sample misclassified now, and was it ever before? `Margin` asks for one number
more, how clearly it is right. The methods work alike on Python's own values, NumPy arrays and
PyTorch tensors of any shape. A rule of your own may look at the loss as well, see `OwnRule`.

Source: Pache & van Rossum 2023, Eqs. 1 and 2; under the name *mistake gating* Pache &
van Rossum 2026.
"""

import inspect
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from lazybook.errors import InvalidValue, check_number, told
from lazybook.support import functions, spelling

if TYPE_CHECKING:
    from torch import Tensor

Booleans = TypeVar("Booleans")
Numbers = TypeVar("Numbers")


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


@dataclass(frozen=True)
class Margin:
    r"""Pure lazy learning that wants to be sure: learn a sample if its margin is below ``margin``.

    A sample's margin is what the output of the right class exceeds the largest other one by
    (`lazybook.networks.margins`), below 0 for a mistake. It is in units of the outputs, as they are
    before any loss: the mean squared error draws those of a sample towards 0 and 1, the
    cross-entropy takes them as logits. A sample whose margin is just ``margin`` is learned if it is
    misclassified. So ``margin:0`` learns what `Mistakes` does, to the last tie; below 0 only
    mistakes by at least :math:`|\text{margin}|` are learned, above 0 all mistakes, and what is
    right by less than ``margin``.

    Source: for perceptrons, Krauth & Mézard 1987.

    Attributes
    ----------
    margin: any number. It is compared in the precision of the outputs.
    """

    margin: float
    words: ClassVar[dict] = {"margin": {}}

    def __post_init__(self) -> None:
        value = check_number("gate: margin", self.margin, "a number", math.isfinite)
        object.__setattr__(self, "margin", value)

    def learns(self, mistake: Booleans, remembered: Booleans, margin: Numbers) -> Booleans:
        """Which samples are learned: those whose ``margin`` is too small."""
        return (margin < self.margin) | ((margin == self.margin) & mistake)

    def remembers(self, mistake: Booleans, remembered: Booleans) -> Booleans:
        """The memory after the sample: unchanged."""
        return remembered

    __str__ = spelling.spell


@dataclass(frozen=True)
class OwnRule:
    """A rule of your own: what an `lazybook.experiment.Experiment` makes of a function as its gate.

    The function is called with ``(mistake, remembered, margin, loss)``, PyTorch tensors of shape
    ``(batch,)``, and returns which samples are learned, bool, ``(batch,)``. ``mistake`` says which
    are misclassified now and ``remembered`` which were at any time before; ``margin`` is what the
    output of the right class exceeds the largest other one by (`lazybook.networks.margins`), and
    ``loss`` is that of the experiment. All it knows must come from these, or one seed would not
    give one result.

    It is spelled by the function's name and a checksum of what it does, as in
    ``unsure:3f2a90c1b7de``. So runs by another function, or by the same one after a change, have
    other records. A record names the rule, and does not hold it: read from there, ``function`` is
    None, and nothing can be trained by it.

    Attributes
    ----------
    word: the function's name, its underscores as hyphens.
    checksum: see `lazybook.support.functions.checksum`.
    function: the rule itself.
    """

    word: str
    checksum: str
    function: Callable | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, function: object) -> Self:
        """Return the rule that ``function`` is.

        Raises InvalidValue for what is no function of the four, has no name, or refers to what
        cannot be named.
        """
        try:
            valid = isinstance(function, FunctionType)
            valid = valid and bool(inspect.signature(function).bind(*range(4)))
        except TypeError:
            valid = False
        if not valid:
            raise InvalidValue(
                f"gate is {told(function)}, not a rule of lazybook.gates, nor a function of"
                " (mistake, remembered, margin, loss) that was defined with def"
            )
        word = function.__name__.replace("_", "-").strip("-")
        if not re.fullmatch(WORD, word) or word in KNOWN:
            raise InvalidValue(
                f"gate is a function of the name {function.__name__}; define it with def, by a name"
                " of its own in letters, digits and underscores"
            )
        return cls(word, functions.checksum(function), function)

    def __call__(
        self, mistake: "Tensor", remembered: "Tensor", margin: "Tensor", loss: "Tensor"
    ) -> "Tensor":
        """Which samples are learned."""
        return self.function(mistake, remembered, margin, loss)

    def __str__(self) -> str:
        return f"{self.word}:{self.checksum}"


WORD = "[A-Za-z][A-Za-z0-9-]*"
Gate = EverySample | Mistakes | MemorizedMistakes | Margin | OwnRule
GATES = (EverySample, Mistakes, MemorizedMistakes, Margin)
KNOWN = tuple(word for gate in GATES for word in gate.words)


def parse(text: str) -> Gate:
    """Return the gate that ``text`` names; raise InvalidValue for an unknown one."""
    own = re.fullmatch(f"({WORD}):([0-9a-f]{{12}})", text) if isinstance(text, str) else None
    if own and own[1] not in KNOWN:
        return OwnRule(*own.groups())
    return spelling.parse(text, GATES, "gate")


def check_answer(rule: object, answer: object, mistake: "Tensor") -> None:
    """Raise InvalidValue unless a rule's ``answer`` is a tensor like ``mistake``, of booleans."""
    like = type(answer) is type(mistake) and answer.dtype == mistake.dtype
    if not like or answer.shape != mistake.shape:
        raise InvalidValue(
            f"rule {told(rule)} answers {told(answer)};"
            f" it must be a bool tensor of shape {tuple(mistake.shape)}"
        )
