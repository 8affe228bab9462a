"""Which samples of a batch are learned: the rules of `lazybook.gates` around any network."""

import inspect
from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor, nn

from lazybook import gates
from lazybook.errors import InvalidValue, check_one_of, check_whole, told
from lazybook.pytorch import ranks
from lazybook.pytorch.judging import PLACES, check_range, check_tensors, judge, whole

Rule = gates.Gate | Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class Gate(nn.Module):
    """Decides for the samples of a batch which are learned, and remembers what its rule says.

    It is a module without parameters: ``.to(device)``, ``state_dict`` and ``load_state_dict`` work
    as for any other, and in ``eval()`` it lets nothing through, remembers and counts nothing.

    In a process group (`torch.distributed`) the ranks share one memory and count together, so each
    has to call the gate equally often. A batch that one rank refuses is refused by all.

    Attributes
    ----------
    remembered: which samples were misclassified before, if the rule wants to know; bool, shape
        ``(samples,)``.
    presented, updates: number of samples judged and learned so far; int64, shape ``()``.

    Parameters
    ----------
    rule: one of `lazybook.gates`; or a function of ``(mistake, remembered, margin, loss)``, all of
        shape ``(batch,)``, that returns which samples are learned, bool, ``(batch,)``. ``mistake``
        says which are misclassified now, ``remembered`` which were at any time before; ``margin``
        is what the output of the right class exceeds the largest other one by, below 0 for a
        mistake; ``loss`` is the cross-entropy, or what the gate is given as ``losses``.
    samples: size of the training set.
    places: for tokens, pixels and whatever has a label at each of several places: a sample is a
        mistake if ``any`` of its places is misclassified, if ``most`` (more than half) are, or if
        ``all`` are. Its margin is what as many places do not exceed as make it a mistake: for
        ``any`` the least over its places, for ``all`` the largest. Its loss is their mean. If None,
        a sample has one label.
    soft_labels: labels are weights of the classes, shaped like the outputs, and the class with the
        largest is right. For a single output: the weight of class 1, from 0 to 1.
    ignore_index: samples and places with this label are not judged; a sample without any other is
        neither learned nor remembered nor counted.

    Raises
    ------
    InvalidValue: a rule, number or name that means nothing here.
    """

    remembered: Tensor
    presented: Tensor
    updates: Tensor

    def __init__(
        self,
        rule: Rule,
        samples: int,
        *,
        places: str | None = None,
        soft_labels: bool = False,
        ignore_index: int = -100,
    ) -> None:
        super().__init__()
        _check_rule(rule)
        if places is not None:
            check_one_of("places", places, PLACES)
        if not isinstance(soft_labels, bool):
            raise InvalidValue(f"soft_labels is {told(soft_labels)}; it must be True or False")
        if places and soft_labels:
            raise InvalidValue(
                "soft_labels is for one label a sample; with places, give the class of the largest"
                " weight as the label of each place"
            )
        self.rule, self.places, self.soft_labels = rule, places, soft_labels
        self.ignore_index = check_whole("ignore_index", ignore_index, -(2**63))
        samples = check_whole("samples", samples, 1)
        self.register_buffer("remembered", torch.zeros(samples, dtype=torch.bool))
        self.register_buffer("presented", torch.zeros((), dtype=torch.int64))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(
        self, outputs: Tensor, labels: Tensor, indices: Tensor, losses: Tensor | None = None
    ) -> Tensor:
        """Return which samples of a batch are learned, bool, shape ``(batch,)``.

        Parameters
        ----------
        outputs: of the network, ``(batch, classes)``; for two classes it may have a single output,
            ``(batch, 1)`` or ``(batch,)``, whose sign is the answer. With ``places`` the classes
            are last, ``(batch, time, classes)``, or second, ``(batch, classes, height, width)``.
        labels: the right classes, whole numbers from 0, ``(batch,)``; with ``places``
            ``(batch, time)`` or ``(batch, height, width)``; with ``soft_labels`` like the outputs.
        indices: of the samples in the training set, whole numbers from 0, ``(batch,)``. A sample
            has the same index each time, however it was augmented.
        losses: of the samples, ``(batch,)``, for a rule that looks at another loss than the
            cross-entropy.

        Raises
        ------
        InvalidValue: shapes, kinds of numbers or devices that do not belong together, a label that
            no class has, an index that no sample has, outputs that are nan, or a rule that answers
            with something else than booleans. Nothing has been remembered or counted then.
        """
        if not self.training:
            return torch.zeros(len(outputs), dtype=torch.bool, device=outputs.device)
        with ranks.together():
            learned, newly, judged = self._judge(outputs, labels, indices, losses)
        for remembered, presented, updates in ranks.gather((newly, judged, int(learned.sum()))):
            self.remembered[remembered.to(self.remembered.device)] = True
            self.presented += presented
            self.updates += updates
        return learned

    def any(self, learned: Tensor) -> bool:
        """Whether any sample is to be learned, on this rank or on another.

        Ranks that step together have to step all or none. One that has nothing to learn while
        another has goes through the same lines: the sum of no losses is 0, and so is its gradient.
        """
        return any(ranks.gather(bool(learned.any())))

    def extra_repr(self) -> str:
        return f"{told(self.rule)}, samples={len(self.remembered)}"

    def _judge(
        self, outputs: Tensor, labels: Tensor, indices: Tensor, losses: Tensor | None
    ) -> tuple[Tensor, Tensor, int]:
        """Judge a batch; nothing is changed.

        Return which samples are learned, bool, ``(batch,)``; the indices of those to be remembered
        from now on, on the CPU; and how many were judged.
        """
        check_tensors(outputs=outputs, labels=labels, indices=indices)
        if outputs.device != labels.device:
            raise InvalidValue(
                f"labels are on {labels.device} and outputs on {outputs.device};"
                " bring them to one device"
            )
        batch = judge(
            outputs,
            labels,
            several=self.places is not None,
            soft=self.soft_labels,
            ignore_index=self.ignore_index,
        )
        places = self.places or "any"
        mistake = batch.mistakes(places)
        if indices.shape != mistake.shape:
            raise InvalidValue(
                f"indices have shape {tuple(indices.shape)};"
                f" give one for each sample, shape {tuple(mistake.shape)}"
            )
        indices = whole("indices", indices, "give each sample's place in the training set")
        check_range("indices", indices, len(self.remembered), "samples")
        remembered = self.remembered[indices.to(self.remembered.device)].to(mistake.device)
        if _is_gate(self.rule):
            margin = [batch.margins(places)] if isinstance(self.rule, gates.Margin) else []
            learned = self.rule.learns(mistake, remembered, *margin)
            remembers = self.rule.remembers(mistake, remembered)
        else:
            loss = batch.losses() if losses is None else losses
            if not isinstance(loss, Tensor) or loss.shape != mistake.shape:
                raise InvalidValue(
                    f"losses are {told(loss)}; give a tensor of one for each sample,"
                    f" shape {tuple(mistake.shape)}"
                )
            learned = self.rule(mistake, remembered, batch.margins(places), loss)
            remembers = mistake | remembered
        for answer in (learned, remembers):
            gates.check_answer(self.rule, answer, mistake)
        # No rule forgets. Writing only what is remembered leaves no doubt when a batch has a sample
        # twice, once a mistake and once not.
        samples = batch.samples
        newly = indices[(remembers & ~remembered & samples).to(indices.device)].cpu()
        return learned & samples, newly, int(samples.sum())


def _is_gate(rule: object) -> bool:
    """Whether ``rule`` has the two methods of those in `lazybook.gates`."""
    return callable(getattr(rule, "learns", None)) and callable(getattr(rule, "remembers", None))


def _check_rule(rule: object) -> None:
    """Raise InvalidValue for what is neither a rule nor a function of the four."""
    valid = not inspect.isclass(rule) and (_is_gate(rule) or callable(rule))
    if valid and not _is_gate(rule):
        with suppress(ValueError):  # some functions do not tell what they take
            try:
                inspect.signature(rule).bind(*range(4))
            except TypeError:
                valid = False
    if not valid:
        raise InvalidValue(
            f"rule is {told(rule)}; give a rule of lazybook.gates, such as MemorizedMistakes(),"
            " or a function of (mistake, remembered, margin, loss)"
        )
