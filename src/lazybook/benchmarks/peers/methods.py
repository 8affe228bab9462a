"""Which samples are presented, which of these are learned, and with what weight.

A method answers the three questions for one training. What is lazy is a rule of `lazybook.gates`;
the others are written from their papers' descriptions, and each says which.
"""

import torch
from torch import Tensor

from lazybook.errors import InvalidValue
from lazybook.pytorch.gate import Rule


class Method:
    """Full training: all samples are presented and learned, with weight 1. Others differ in this.

    Attributes
    ----------
    rule: which of the presented samples are learned, for `lazybook.pytorch.Gate`; None: all.
    packed: the samples that the rule lets through are gathered into full batches, by
        `lazybook.pytorch.Packer`: a forward pass without gradients finds them.
    """

    rule: Rule | None = None
    packed = False

    def present(self, order: Tensor, done: float) -> Tensor:
        """Return which samples of an epoch are presented, in their order.

        Parameters
        ----------
        order: all samples, shuffled, int64 ``(samples,)``.
        done: the share of the training that is over.
        """
        return order

    def weights(
        self, indices: Tensor, outputs: Tensor, labels: Tensor, losses: Tensor
    ) -> Tensor | None:
        """Return what the ``losses`` of a batch are multiplied by, ``(batch,)``; None: by 1.

        It is asked where there is no rule.
        """
        return None


class Lazy(Method):
    """Learn present mistakes, or present and past ones: Pache & van Rossum 2023, Eqs. 1 and 2."""

    def __init__(self, rule: Rule, packed: bool = False) -> None:
        self.rule, self.packed = rule, packed


class SelectiveBackprop(Method):
    """Learn a sample with a probability that rises with its loss: Jiang et al. 2019.

    It is the share of recent losses that lie below the sample's, to the power ``selectivity``: of
    samples alike 1 / (1 + selectivity) are learned. They are gathered into full batches.

    Attributes
    ----------
    selectivity: 1, so that about half is learned.
    recent: how many losses are remembered.
    """

    packed = True

    def __init__(
        self, generator: torch.Generator, selectivity: float = 1, recent: int = 1024
    ) -> None:
        self.generator, self.selectivity, self.recent = generator, selectivity, recent
        self.losses = torch.zeros(0)

    def rule(self, mistake: Tensor, remembered: Tensor, margin: Tensor, loss: Tensor) -> Tensor:
        """Draw which samples of a batch are learned, bool ``(batch,)``."""
        self.losses = torch.cat([self.losses, loss])[-self.recent :]
        chance = probability(loss, self.losses, self.selectivity)
        return torch.rand(len(loss), generator=self.generator) < chance


def probability(losses: Tensor, recent: Tensor, selectivity: float) -> Tensor:
    """Return the probability that samples of these ``losses``, ``(batch,)``, are learned.

    The share of the ``recent`` losses, ``(n,)``, that are not above, to the power ``selectivity``.
    """
    below = torch.searchsorted(recent.sort().values, losses, right=True)
    return (below / len(recent)) ** selectivity


class InfoBatch(Method):
    """Leave out a random part of the samples whose loss is small, anew each epoch: Qin et al. 2024.

    Small is below the mean of the losses that were seen last. Those of them that are kept count for
    those left out, so that the gradient is the same on average; towards the end all are presented.

    Attributes
    ----------
    left_out: the probability that a sample with a small loss is left out.
    until: the share of the training after which none is.
    """

    def __init__(
        self,
        samples: int,
        generator: torch.Generator,
        left_out: float = 0.5,
        until: float = 0.875,
    ) -> None:
        self.generator, self.left_out, self.until = generator, left_out, until
        self.losses = torch.full((samples,), torch.inf)  # of samples not seen yet: not small
        self.weight = torch.ones(samples)

    def present(self, order: Tensor, done: float) -> Tensor:
        self.weight.fill_(1)
        seen = self.losses.isfinite()
        if done >= self.until or not seen.any():
            return order
        small = self.losses < self.losses[seen].mean()
        drawn = torch.rand(len(small), generator=self.generator) < self.left_out
        self.weight[small] = 1 / (1 - self.left_out)
        return order[~(small & drawn)[order]]

    def weights(self, indices: Tensor, outputs: Tensor, labels: Tensor, losses: Tensor) -> Tensor:
        self.losses[indices] = losses
        return self.weight[indices]


class CountForgetting(Method):
    """Full training that counts how often each sample is forgotten: Toneva et al. 2019.

    A sample is forgotten when it is misclassified, and was not when it was presented before.

    Attributes
    ----------
    events: how often each sample was forgotten, int64 ``(samples,)``.
    learned: which were classified correctly when last presented, bool ``(samples,)``.
    ever: which ever were.
    """

    def __init__(self, samples: int) -> None:
        self.events = torch.zeros(samples, dtype=torch.int64)
        self.learned, self.ever = (torch.zeros(samples, dtype=torch.bool) for _ in "01")

    def weights(self, indices: Tensor, outputs: Tensor, labels: Tensor, losses: Tensor) -> None:
        mistakes = outputs.argmax(dim=1) != labels
        self.events[indices] += self.learned[indices] & mistakes
        self.learned[indices] = ~mistakes
        self.ever[indices] |= ~mistakes

    def hardest(self, number: int, generator: torch.Generator) -> Tensor:
        """Return the samples forgotten most often, int64 ``(number,)``; of equal ones any.

        Those that were never learned come first.
        """
        score = self.events.where(self.ever, self.events.max() + 1)
        shuffled = torch.randperm(len(score), generator=generator)
        return shuffled[score[shuffled].argsort(descending=True, stable=True)[:number]]


class Only(Method):
    """Present some samples only, the ``chosen`` ones, int64 ``(n,)``: each epoch is shorter."""

    def __init__(self, chosen: Tensor) -> None:
        if not len(chosen):
            raise InvalidValue("chosen is empty; there must be a sample to present")
        self.chosen = chosen

    def present(self, order: Tensor, done: float) -> Tensor:
        return order[torch.isin(order, self.chosen)]
