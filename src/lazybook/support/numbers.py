"""What counts as a number where one is asked for: truth values do not."""


def is_whole(value: object, least: int) -> bool:
    """Whether ``value`` is a whole number from ``least`` on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_number(value: object) -> bool:
    """Whether ``value`` is a number, nan and infinity among them."""
    return isinstance(value, int | float) and not isinstance(value, bool)
