"""What can go wrong through no fault of the program: each error is one clear line."""

from collections.abc import Collection


class LazybookError(Exception):
    """Base of all errors that a user can cause and mend; the command line exits with 2."""


class InvalidValue(LazybookError, ValueError):
    """A value that means nothing here; the message names it and what is allowed."""


class DataError(LazybookError):
    """A data file that is missing, truncated or altered."""


class RecordError(LazybookError):
    """A run record that cannot be read, or a folder for records that cannot be written."""


def check_one_of(name: str, value: object, allowed: Collection) -> None:
    """Raise InvalidValue if ``value`` is not among those allowed; the message names them."""
    if value not in allowed:
        raise InvalidValue(f"{name} is {value!r}; choose from: {', '.join(allowed)}")
