"""What the processes of a distributed training, its ranks, tell each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch.distributed

from lazybook.errors import InvalidValue

Value = TypeVar("Value")


@dataclass(frozen=True)
class Refusal:
    """Why a rank goes no further."""

    why: str


def gather(value: Value) -> list[Value]:
    """Return what each rank calls this with, the same list on all; alone, ``[value]``.

    Every rank waits here until all have come, so all have to call it equally often. Raises
    InvalidValue if another rank has failed in `together`.
    """
    values = exchange(value)
    for other in values:
        if isinstance(other, Refusal) and not isinstance(value, Refusal):
            raise InvalidValue(f"another rank refused its batch: {other.why}")
    return values


@contextmanager
def together() -> Iterator[None]:
    """Where this rank fails in here, the others fail in the `gather` that follows.

    They would wait there for ever.
    """
    try:
        yield
    except Exception as error:
        gather(Refusal(str(error)))
        raise


def exchange(value: Value) -> list[Value]:
    """Return what each rank calls this with."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [value]
    values = [value] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, value)
    return values
