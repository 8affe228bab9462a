"""What can go wrong through no fault of the program: each error is one clear line."""


class LazybookError(Exception):
    """Base of all errors that a user can cause and mend; the command line exits with 2."""


class InvalidValue(LazybookError, ValueError):
    """A value that means nothing here; the message names it and what is allowed."""


class DataError(LazybookError):
    """A data file that is missing, truncated or altered."""


class RecordError(LazybookError):
    """A run record that cannot be read, or a folder for records that cannot be written."""
