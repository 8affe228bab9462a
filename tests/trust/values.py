"""A grammar of wrong values: for each kind of value, what it cannot be."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

import numpy as np

# What no field takes.
JUNK = (
    b"x", 1j, object(), math.nan, -math.inf, np.array([[1, 2], [3, 4]]), {"a": 1}, {1, 2}, [None],
    lambda: 1, int, Decimal("1"), ..., range(3), np.array(["x"]), [[]], "\0", "x\ny", "x" * 10_000,
)  # fmt: skip
# What no list is.
NO_LISTS = ("x", "1", b"x", 1.5, True, {"a": 1}, math.nan, object(), np.array(1))
# What no option takes; none is empty or begins with a dash.
TEXTS = (
    "x", "nan", "inf", "½", "0x10", "1;2", "None", "[1]", "{}", "1,2,", ":", "a:b:c", "\t", "1 2",
    "💥", "%s", "$HOME", "`ls`", "../x", "'", '"', "x" * 5000, "\udcff", "1e5x", "true", "[bold]x",
)  # fmt: skip
# After a word: numbers that cannot be, too many of them, or none where there is a colon.
NO_NUMBERS = (
    ":nan", ":inf", ":x", "::", ":,", ":1;2", ":1e400", ":0.1,x", ":½", ":None", ":1 2", ":\n",
    ":" + ",".join(["0.5"] * 30), "=0.1", ":0.1:0.1", ":1" + "0" * 400, ":-1", ":-0.5,0.5",
    ":0.5,0.5,0.5,0.5,0.5",
)  # fmt: skip


@dataclass(frozen=True)
class Values:
    """Wrong values of one kind.

    Attributes
    ----------
    python: draws one to be given in Python.
    text: draws one to be given on a command line.
    """

    python: Callable[[Random], object]
    text: Callable[[Random], str]


def whole(least: int, *, none: bool = False, huge: bool = False) -> Values:
    """What is no whole number from ``least``; ``none``: None is right, ``huge``: no bound above."""
    below = [least - 1, -(10**30), -(2**63)]
    above = [] if huge else [2**200, 10**400]
    wrong = [*JUNK, "3", 1.5, np.float64(3), [3], np.array([3]), 1e400, True, "", *below, *above]
    wrong += [] if none else [None]
    texts = [*TEXTS, "1.5", "1e3", "", "9" * 5000, *map(str, below), *map(str, above)]
    return Values(lambda random: random.choice(wrong), lambda random: random.choice(texts))


def number(*wrong: float, none: bool = False) -> Values:
    """What is no number, or one of those that are out of range."""
    values = [*JUNK, "0.5", [0.5], np.array([0.5]), 10**400, 1e300, math.inf, True, "", *wrong]
    values += [] if none else [None]
    texts = [*TEXTS, "0,5", "", "1e400", "-inf", *map(str, wrong)]
    return Values(lambda random: random.choice(values), lambda random: random.choice(texts))


def truth() -> Values:
    """What is neither True nor False."""
    wrong = [*JUNK, 0, 1, "yes", "True", None, "", [True], np.array([True, False]), 1.0]
    return Values(lambda random: random.choice(wrong), lambda random: random.choice(TEXTS))


def word(*known: str, arguments: tuple[str, ...] = ()) -> Values:
    """What is none of the ``known`` words: misspelt, or with ``arguments`` that it cannot have."""

    def text(random: Random) -> str:
        chosen = random.choice(known)
        if arguments and random.random() < 0.5:
            return chosen.partition(":")[0] + random.choice(arguments)
        if random.random() < 0.3:
            return random.choice((*TEXTS, ""))
        return _misspelt(random, chosen, known)

    def python(random: Random) -> object:
        if random.random() < 0.3:
            return random.choice((*JUNK, None, 1, True, [*known]))
        return text(random)

    return Values(python, text)


def _misspelt(random: Random, chosen: str, known: tuple[str, ...]) -> str:
    """Return a word with one slip of the finger, or one that looks like it."""
    chosen, colon, values = chosen.partition(":")
    wrong = chosen
    names = [name.partition(":")[0] for name in known]
    while wrong in names:
        place = random.randrange(len(chosen))
        before, letter, after = chosen[:place], chosen[place], chosen[place + 1 :]
        wrong = random.choice((
            before + after,
            before + letter + letter + after,
            before + random.choice("qzü_ \n") + after,
            chosen.upper(),
            chosen.title(),
            f" {chosen}",
            f"{chosen} ",
            f"{chosen}\n",
            f"{chosen}, {names[-1]}",
            chosen.replace("e", "е"),  # a Cyrillic one
            chosen + "s",
        ))  # fmt: skip
    return wrong + colon + values
