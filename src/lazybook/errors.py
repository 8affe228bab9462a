"""What can go wrong through no fault of the program: each error is one clear line."""

import math
from collections.abc import Callable, Collection
from contextlib import suppress
from numbers import Integral, Real
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LONGEST = 100  # characters of a value in a message
LARGEST = 1e30  # that is reckoned with: float32 ends at 3e38


class LazybookError(Exception):
    """Base of all errors that a user can cause and mend; the command line exits with 2."""


class InvalidValue(LazybookError, ValueError):
    """A value that means nothing here; the message names it and what is allowed."""


class DataError(LazybookError):
    """A data file that is missing, truncated or altered."""


class RecordError(LazybookError):
    """A run record that cannot be read, or a folder for records that cannot be written."""


class LazybookWarning(UserWarning):
    """Base of all our warnings: one line, which the command line shows on stderr."""


def told(value: object) -> str:
    """Return what stands for ``value`` in a message: one line, not long, whatever it is."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # numbers of more digits than Python prints, what has no end
        text = f"<{type(value).__name__}>"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def check_one_of(name: str, value: object, allowed: Collection[str]) -> str:
    """Return ``value``; raise InvalidValue if it is not among those allowed, which are named."""
    if not isinstance(value, str) or value not in allowed:
        raise InvalidValue(f"{name} is {told(value)}; choose from: {', '.join(allowed)}")
    return str(value)


def check_whole(name: str, value: object, least: int, most: int = 2**63 - 1) -> int:
    """Return ``value`` as int; raise InvalidValue if it is no whole number in these bounds."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise InvalidValue(f"{name} is {told(value)}; it must be a whole number, at least {least}")
    if value > most:
        raise InvalidValue(f"{name} is {told(value)}; it must be at most {most:,}")
    return int(value)


def check_number(name: str, value: object, allowed: str, valid: Callable[[float], bool]) -> float:
    """Return ``value`` as float; raise InvalidValue if it is no number that is ``valid``.

    ``allowed`` says which are, as in "a number from 0". None is valid beyond `LARGEST`.
    """
    number = math.nan
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):  # a whole number beyond floats
            number = float(value)
    if not (abs(number) <= LARGEST and valid(number)):
        beyond = f", at most {LARGEST:g}" if abs(number) > LARGEST else ""
        raise InvalidValue(f"{name} is {told(value)}; it must be {allowed}{beyond}")
    return number + 0.0  # -0.0 is 0.0


def check_numbers(
    name: str, values: object, allowed: str, valid: "Callable[[np.ndarray], np.ndarray]"
) -> "np.ndarray":
    """Return ``values`` as an array; raise InvalidValue unless they are finite and ``valid``."""
    import numpy as np  # here, as errors are what every command imports first

    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        array = np.array(None)
    if array.dtype.kind not in "iuf" or not (np.isfinite(array) & valid(array)).all():
        raise InvalidValue(f"{name} is {told(values)}; it must be {allowed}")
    return array
