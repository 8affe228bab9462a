"""A data set that tells which of its samples is which."""

import operator
from collections.abc import Mapping, Sized
from typing import Any

from torch.utils.data import Dataset

from lazybook.errors import InvalidValue, told


class Indexed(Dataset):
    """A data set whose items come with their index, for a gate with a memory.

    ``(input, label)`` becomes ``(input, label, index)``; a dictionary has the index under
    ``"index"``; anything else becomes ``(item, index)``. A `DataLoader` makes batches of them as of
    any others, in any order.

    Raises
    ------
    InvalidValue: a data set without a length or without items by number, or one whose dictionaries
        have an ``"index"`` of their own.
    """

    def __init__(self, dataset: Dataset) -> None:
        if not isinstance(dataset, Sized) or not hasattr(dataset, "__getitem__"):
            raise InvalidValue(
                f"dataset is {told(dataset)}; give one that has a length and items by number"
            )
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        index = operator.index(index)
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no sample {index} of {len(self)}")
        index %= len(self)
        item = self.dataset[index]
        if isinstance(item, Mapping):
            if "index" in item:
                raise InvalidValue("the samples have an 'index' of their own; rename it")
            return {**item, "index": index}
        return (*item, index) if isinstance(item, tuple | list) else (item, index)
