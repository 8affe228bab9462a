"""What is to be learned, gathered into full batches."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from lazybook.errors import InvalidValue, check_whole, told
from lazybook.pytorch import ranks
from lazybook.pytorch.gate import Gate


class Packer:
    """Gathers the samples that a gate lets through into full batches, so that few steps are made.

    >>> from lazybook.gates import Mistakes
    >>> packer = Packer(Gate(Mistakes(), samples=100), batch=3)
    >>> outputs, labels = torch.eye(2)[[0, 0, 0, 0]], torch.tensor([1, 0, 1, 1])
    >>> for inputs, wanted in packer(outputs, labels, torch.arange(4), torch.tensor([5, 6, 7, 8])):
    ...     print(inputs, wanted)  # here goes the step
    tensor([5, 7, 8]) tensor([1, 1, 1])

    The outputs need no gradient, so they are best computed under `torch.no_grad`; the step computes
    those of its batch anew. What does not fill a batch waits for the next call. ``len(packer)`` is
    how many samples wait: the gate has counted them as learned. `state_dict` saves them.

    In a process group a batch is full when each rank has one, so that all step together. Each rank
    has to take all the batches that it is given.

    Attributes
    ----------
    gate: which samples are learned.
    batch: how many of them make a full batch.

    Raises
    ------
    InvalidValue: not a gate, or not a whole number from 1.
    """

    def __init__(self, gate: Gate, batch: int) -> None:
        if not isinstance(gate, Gate):
            raise InvalidValue(f"gate is {told(gate)}; give a lazybook.pytorch.Gate")
        self.gate, self.batch = gate, check_whole("batch", batch, 1)
        self._waiting: tuple[Tensor, ...] = ()

    def __len__(self) -> int:
        return len(self._waiting[0]) if self._waiting else 0

    def __call__(
        self, outputs: Tensor, labels: Tensor, indices: Tensor, *inputs: Tensor
    ) -> Iterator[tuple[Tensor, ...]]:
        """Ask the gate, and give out full batches ``(*inputs, labels)`` of what is to be learned.

        Parameters
        ----------
        outputs, labels, indices: as for the gate.
        inputs: what the network needs of each sample to learn it, ``(batch, …)``; the samples of
            all calls have to have one shape.

        Raises
        ------
        InvalidValue: what the gate refuses, or inputs that do not fit. Nothing was remembered then.
        """
        kept = (*inputs, labels)
        with ranks.together():
            self._check(kept)
        learned = self.gate(outputs, labels, indices)
        chosen = tuple(tensor.detach()[learned.to(tensor.device)] for tensor in kept)
        if self._waiting:
            chosen = tuple(map(torch.cat, zip(self._waiting, chosen, strict=True)))
        self._waiting = chosen
        return self._full()

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of what waits, to go on from later; the gate has a state of its own.

        In a process group each rank has another one.
        """
        return {"batch": self.batch, "waiting": [tensor.clone() for tensor in self._waiting]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state; raise InvalidValue for what is none, or of another batch."""
        waiting = state.get("waiting") if isinstance(state, dict) else None
        valid = isinstance(waiting, list) and all(isinstance(each, Tensor) for each in waiting)
        if not valid or len({len(tensor) for tensor in waiting}) > 1:
            raise InvalidValue(f"state is {told(state)}; give what state_dict returned")
        if state.get("batch") != self.batch:
            raise InvalidValue(
                f"the state is one of batches of {told(state.get('batch'))}, not of {self.batch}"
            )
        self._waiting = tuple(tensor.clone() for tensor in waiting)

    def _full(self) -> Iterator[tuple[Tensor, ...]]:
        while all(ranks.gather(len(self) >= self.batch)):
            full = tuple(tensor[: self.batch] for tensor in self._waiting)
            self._waiting = tuple(tensor[self.batch :] for tensor in self._waiting)
            yield full

    def _check(self, kept: tuple[Tensor, ...]) -> None:
        """Raise InvalidValue unless these are samples that can wait with the others."""
        if not all(isinstance(tensor, Tensor) and tensor.ndim for tensor in kept):
            raise InvalidValue("inputs and labels have to be tensors with an entry for each sample")
        if len({len(tensor) for tensor in kept}) > 1:
            lengths = ", ".join(str(len(tensor)) for tensor in kept)
            raise InvalidValue(f"inputs and labels are of different numbers of samples: {lengths}")
        shapes = [tuple(tensor.shape[1:]) for tensor in kept]
        waiting = [tuple(tensor.shape[1:]) for tensor in self._waiting]
        if waiting and shapes != waiting:
            raise InvalidValue(
                f"samples have shapes {shapes}, those that wait {waiting}; bring them to one shape"
            )
