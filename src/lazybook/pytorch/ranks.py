"""What the processes of a distributed training, its ranks, tell each other."""

from typing import TypeVar

import torch.distributed

Value = TypeVar("Value")


def gather(value: Value) -> list[Value]:
    """Return what each rank calls this with, the same list on all; alone, ``[value]``.

    Every rank waits here until all have come, so all have to call it equally often.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [value]
    values = [value] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(values, value)
    return values
