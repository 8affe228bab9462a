"""The gates, and a meter of what learning costs, for your own PyTorch training loop.

Three lines put a gate into a loop: ask it which samples to learn, make no step if that is none, and
leave out the losses of the others. Its memory has to know which sample is which, so it is given
their indices in the training set:

>>> import torch
>>> from torch.nn.functional import cross_entropy
>>> from lazybook.gates import MemorizedMistakes
>>> inputs, labels = torch.randn(100, 20), torch.randint(3, (100,))
>>> network = torch.nn.Linear(20, 3)
>>> optimizer = torch.optim.Adam(network.parameters())
>>> gate, meter = Gate(MemorizedMistakes(), samples=100), Meter(network.parameters())

>>> for indices in torch.randperm(100).split(10):
...     outputs = network(inputs[indices])
...     learned = gate(outputs, labels[indices], indices)
...     if learned.any():
...         losses = cross_entropy(outputs, labels[indices], reduction="none")
...         optimizer.zero_grad()
...         (learned * losses).mean().backward()
...         with meter:
...             optimizer.step()

Now ``gate.updates`` samples were learned, ``gate.remembered`` tells which ones are to be learned
from now on, and ``meter.m1.sum()`` is the energy that was spent.
"""

from collections.abc import Iterable
from typing import Self

import torch
from torch import Tensor

from lazybook import gates
from lazybook.networks import classify


class Gate:
    """Decides for the samples of a batch which are learned, and remembers what its rule says.

    Attributes
    ----------
    rule: one of `lazybook.gates`.
    remembered: which samples were misclassified before, if the rule wants to know; bool, shape
        ``(samples,)``.
    updates: number of samples learned so far.
    """

    def __init__(self, rule: gates.Gate, samples: int, device: torch.device | str = "cpu") -> None:
        self.rule = rule
        self.remembered = torch.zeros(samples, dtype=torch.bool, device=device)
        self.updates = 0

    def __call__(self, outputs: Tensor, labels: Tensor, indices: Tensor) -> Tensor:
        """Return which samples of a batch are learned, bool, shape ``(batch,)``.

        Parameters
        ----------
        outputs: of the network, shape ``(batch, classes)``; for two classes it may have a single
            output, whose sign is the answer.
        labels: the right classes, from 0, shape ``(batch,)``.
        indices: of the samples in the training set, from 0, shape ``(batch,)``. A sample has the
            same index each time, however it was augmented.
        """
        mistake, remembered = classify(outputs) != labels, self.remembered[indices]
        learned = self.rule.learns(mistake, remembered)
        # No rule forgets. Writing only what is remembered leaves no doubt when a batch has a sample
        # twice, once a mistake and once not.
        self.remembered[indices[self.rule.remembers(mistake, remembered)]] = True
        self.updates += int(learned.sum())
        return learned


class Meter:
    """Measures the energy of all changes of ``parameters`` that are made inside ``with meter:``.

    It compares the weights before and after, so it does not matter what changes them: any
    optimizer, weight decay, clipping. A change too small for the weight's precision is none.

    Attributes
    ----------
    m0, m1: number of changes and sum of their sizes so far, one entry a parameter tensor, float64;
        see `lazybook.energy`.
    """

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self.parameters = list(parameters)
        zeros = torch.zeros(len(self.parameters), dtype=torch.float64)
        self.m0, self.m1 = (zeros.to(self.parameters[0].device, copy=True) for _ in range(2))

    def __enter__(self) -> Self:
        self._before = [parameter.detach().clone() for parameter in self.parameters]
        return self

    def __exit__(self, *error: object) -> None:
        pairs = zip(self.parameters, self._before, strict=True)
        sizes = [before.sub_(after.detach()).abs_() for after, before in pairs]
        self.m0 += torch.stack([size.count_nonzero() for size in sizes])
        self.m1 += torch.stack([size.sum() for size in sizes])
