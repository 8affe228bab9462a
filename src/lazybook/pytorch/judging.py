"""What a network answers to a batch, compared with its labels, whatever their shapes."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from lazybook.errors import InvalidValue
from lazybook.networks import classify, margins

PLACES = ("any", "most", "all")


@dataclass(frozen=True)
class Judged:
    """A batch that was judged, place by place; a sample with a single label is one place.

    Attributes
    ----------
    outputs: of the network, shape ``(batch, places, classes)``, at least two classes.
    labels: the right classes, int64, ``(batch, places)``; 0 where nothing is judged.
    weights: of the classes, ``(batch, places, classes)``, if the labels are soft.
    judged: which places are judged, bool, ``(batch, places)``.
    wrong: which of them are misclassified, bool, ``(batch, places)``.
    """

    outputs: Tensor
    labels: Tensor
    weights: Tensor | None
    judged: Tensor
    wrong: Tensor

    @property
    def samples(self) -> Tensor:
        """Which samples have a place that is judged, bool, ``(batch,)``."""
        return self.judged.any(dim=1)

    def mistakes(self, places: str) -> Tensor:
        """Which samples are misclassified, at ``places`` of `PLACES`; bool, ``(batch,)``."""
        if places == "any":
            return self.wrong.any(dim=1)
        return self.wrong.sum(dim=1) >= self._enough(places)

    def margins(self, places: str) -> Tensor:
        """What the right class's output exceeds the largest other one by, ``(batch,)``.

        Of several places it is the margin that as many do not exceed as make a sample a mistake: so
        it is below 0 for the mistakes at ``places``.
        """
        found = margins(_wide(self.outputs), self.labels).where(self.judged, torch.inf)
        if places == "any":
            return found.amin(dim=1)
        return found.sort(dim=1).values.gather(1, self._enough(places)[:, None] - 1)[:, 0]

    def _enough(self, places: str) -> Tensor:
        """How many misclassified places make a sample a mistake, at least 1; int64, ``(batch,)``.

        They are most of those that are judged, or all.
        """
        judged = self.judged.sum(dim=1)
        return judged.clamp(min=1) if places == "all" else judged // 2 + 1

    def losses(self) -> Tensor:
        """The cross-entropy, ``(batch,)``; of several places the mean."""
        labels = self.labels if self.weights is None else self.weights
        flat = _wide(self.outputs).flatten(0, 1), labels.flatten(0, 1)
        losses = cross_entropy(*flat, reduction="none").view_as(self.judged)
        return losses.where(self.judged, 0).sum(dim=1) / self.judged.sum(dim=1).clamp(min=1)


def judge(
    outputs: Tensor, labels: Tensor, *, several: bool, soft: bool, ignore_index: int
) -> Judged:
    """Compare ``outputs`` with ``labels``; for both, and what is raised, see `Gate.forward`.

    ``several`` says whether samples may have several places, ``soft`` whether labels are weights.
    """
    if not outputs.is_floating_point():
        raise InvalidValue(f"outputs are {outputs.dtype}; give what the network yields, as floats")
    outputs, labels = (_soft if soft else _by_place)(outputs, labels, several)
    answers = classify(outputs)
    if outputs.shape[-1] == 1:  # the sign of one output is the larger of two
        outputs = torch.cat([torch.zeros_like(outputs), outputs], dim=-1)
    if soft:
        weights, judged = labels, torch.ones_like(answers, dtype=torch.bool)
        largest = weights.amax(dim=-1, keepdim=True)
        # Of several classes with the largest weight that is right which has the largest output.
        finite = outputs.clamp(min=torch.finfo(outputs.dtype).min)
        labels = finite.where(weights == largest, -torch.inf).argmax(dim=-1)
        wrong = (weights.gather(-1, answers[..., None]) < largest)[..., 0]
    else:
        weights, judged = None, labels != ignore_index
        labels = labels.where(judged, 0)
        check_range("labels", labels, outputs.shape[-1], "classes")
        wrong = judged & (answers != labels)
    nan = outputs.isnan()
    if nan.any() and (judged & nan.any(dim=-1)).any():
        raise InvalidValue("outputs are not numbers (nan): the network has diverged")
    return Judged(outputs, labels, weights, judged, wrong)


def check_tensors(**tensors: object) -> None:
    """Raise InvalidValue for what is not a tensor, or has no values."""
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise InvalidValue(f"{name} is a {type(tensor).__name__}; give a tensor")
        if tensor.is_meta:
            raise InvalidValue(f"{name} is on the device meta, where tensors have no values")


def check_range(name: str, values: Tensor, number: int, of_what: str) -> None:
    """Raise InvalidValue unless all ``values`` are from 0 to below ``number``."""
    for value in map(int, values.aminmax() if values.numel() else ()):
        if not 0 <= value < number:
            raise InvalidValue(f"{name} hold {value}; there are {number} {of_what}, from 0")


def whole(name: str, tensor: Tensor, remedy: str) -> Tensor:
    """Return whole numbers as int64; raise InvalidValue for any others and for truth values."""
    if tensor.is_floating_point() or tensor.is_complex() or tensor.dtype == torch.bool:
        raise InvalidValue(f"{name} are {tensor.dtype}; {remedy}")
    return tensor.long()


def _by_place(outputs: Tensor, labels: Tensor, several: bool) -> tuple[Tensor, Tensor]:
    """Return outputs as ``(batch, places, classes)``, and classes as ``(batch, places)``."""
    shape, given = tuple(outputs.shape), tuple(labels.shape)
    shapes = f"outputs of shape {shape} and labels of shape {given}"
    alone, last = given == shape, given == shape[:-1]
    second = len(given) > 1 and given == shape[:1] + shape[2:]
    if len(given) != 1 and not several:
        raise InvalidValue(
            f"{shapes} do not fit: a sample has one label, so that there are (batch,) of them,"
            " unless the gate is told of places or soft_labels"
        )
    if last and second:
        raise InvalidValue(
            f"{shapes} fit with the classes last and second; give outputs[:, None] and"
            " labels[:, None] if they are last, outputs[..., None] and labels[..., None] if second"
        )
    if not given or not (alone or last or second) or (last and not shape[-1]):
        raise InvalidValue(f"{shapes} do not fit: each label needs an output for every class")
    labels = whole("labels", labels, "give classes as whole numbers, or set soft_labels=True")
    if not last:
        outputs = outputs[..., None] if alone else outputs.movedim(1, -1)
    return outputs[:, None].flatten(1, -2), labels[:, None].flatten(1)


def _soft(outputs: Tensor, labels: Tensor, several: bool) -> tuple[Tensor, Tensor]:
    """Return outputs ``(batch, 1, outputs)`` and weights of classes ``(batch, 1, classes)``."""
    shape, given = tuple(outputs.shape), tuple(labels.shape)
    if shape != given or len(shape) not in (1, 2) or 0 in shape[1:]:
        raise InvalidValue(
            f"outputs of shape {shape} and soft labels of shape {given} do not fit:"
            " both are (batch, classes), or (batch,) for a single output"
        )
    if len(shape) == 1:
        outputs, labels = outputs[:, None], labels[:, None]
    weights = labels.to(torch.promote_types(labels.dtype, torch.float32))
    single = weights.shape[-1] == 1
    if not ((weights >= 0) & (weights <= (1 if single else torch.inf))).all():
        raise InvalidValue(
            f"soft labels are weights of the classes, {'from 0 to 1' if single else 'at least 0'};"
            " there are others"
        )
    if single:
        weights = torch.cat([1 - weights, weights], dim=-1)
    return outputs[:, None], weights[:, None]


def _wide(tensor: Tensor) -> Tensor:
    """Return it in at least float32: half precision does not tell close margins apart."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
