r"""The two networks of the papers, as shapes, initial weights, activations and losses.

A bias is a synapse from a unit that is always 1, so a layer of synapses is one matrix whose last
row holds the biases: ``[inputs + 1, hidden]`` and ``[hidden + 1, outputs]``. What restricts,
caches or counts synapses then needs no special case for biases.

* One hidden layer: :math:`h = f(W_1^T \tilde x)`, :math:`o = W_2^T \tilde h`, with a leaky or
  plain rectifier or the logistic function as :math:`f` and linear outputs;
  :math:`\tilde x = (x, 1)`. The loss ``logistic`` puts the logistic function after the outputs.
* The perceptron: :math:`o = W^T \tilde x`. With a single output its class is the Heaviside
  function of the output, with targets -1 and 1; otherwise, and with a hidden layer always, the
  class is the largest output and the targets are one-hot.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from lazybook.errors import LARGEST, InvalidValue, check_one_of, check_whole, told

if TYPE_CHECKING:
    from torch import Tensor

BIASES = ("separate", "clamped-unit", "none")
LOSSES = ("mse", "half-mse", "cross-entropy", "perceptron", "logistic")
LOGISTIC_TARGETS = (0.01, 0.99)  # of the loss "logistic": Li & van Rossum 2020


SMALLEST = 1e-30  # standard deviation; its weights are told from 0


def leak(activation: str) -> float:
    """Return the slope below zero of ``relu`` or ``leaky-relu:SLOPE``.

    Raises InvalidValue for another activation or a slope outside 0 to 1.
    """
    word, numbers = read(activation)
    if word == "relu" and numbers == []:
        return 0.0
    if word == "leaky-relu" and len(numbers) == 1 and 0 <= numbers[0] < 1:
        return numbers[0]
    raise InvalidValue(
        f"activation {told(activation)} is unknown; choose relu, leaky-relu:SLOPE with"
        " 0 <= SLOPE < 1, or logistic"
    )


def check_activation(activation: str) -> None:
    """Raise InvalidValue unless ``activation`` is ``logistic``, or one that `leak` knows."""
    if activation != "logistic":
        leak(activation)


def read(text: object) -> tuple[str, list[float]]:
    """Return the word of ``WORD`` or ``WORD:NUMBER,NUMBER,…``, and the numbers.

    The word is empty if ``text`` is nothing of the kind, or a number beyond what is reckoned with.
    """
    word, colon, values = text.partition(":") if isinstance(text, str) else ("", "", "")
    try:
        numbers = [float(value) + 0.0 for value in values.split(",")] if colon else []
    except ValueError:
        numbers = [np.nan]
    return word if all(abs(number) <= LARGEST for number in numbers) else "", numbers


def spell(text: str) -> str:
    """Return ``WORD`` or ``WORD:NUMBER,…`` spelled as all are that say the same."""
    word, numbers = read(text)
    return f"{word}:{','.join(map(repr, numbers))}" if numbers else word


@dataclass(frozen=True)
class Shape:
    """Sizes of a network.

    Attributes
    ----------
    inputs, outputs: number of input and output units, biases not counted.
    hidden: number of hidden units that learn; None for a perceptron.
    bias: whether each layer has a unit that is always 1.
    """

    inputs: int
    hidden: int | None
    outputs: int
    bias: bool

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Shapes of the weight matrices, ``[from, to]`` with the bias row, from the inputs up."""
        sizes = [self.inputs, *([self.hidden] if self.hidden else []), self.outputs]
        return [(a + self.bias, b) for a, b in pairwise(sizes)]


def shape(hidden: int | None, bias: str, inputs: int, classes: int) -> Shape:
    """Return the shape of a network for data with ``inputs`` values and ``classes`` classes.

    ``bias="clamped-unit"`` (van Rossum & Pache 2024) clamps one of the ``hidden`` units to 1: it
    gives the outputs their bias, and the others learn. Raises InvalidValue for an impossible value.
    """
    check_one_of("bias", bias, BIASES)
    check_whole("inputs", inputs, 1)
    check_whole("classes", classes, 1)
    if hidden is not None:
        check_whole("hidden", hidden, 1 + (bias == "clamped-unit"))
    return Shape(
        inputs=inputs,
        hidden=hidden - 1 if hidden and bias == "clamped-unit" else hidden,
        outputs=1 if classes == 2 else classes,
        bias=bias != "none",
    )


def initial_weights(initial: str, shape: Shape, generator: np.random.Generator) -> list[np.ndarray]:
    r"""Draw initial weights, float32, one matrix a layer, for a network of this ``shape``.

    From ``generator``, which only they are drawn from.

    Parameters
    ----------
    initial: ``pytorch`` for the default of ``torch.nn.Linear``, uniform within
        :math:`\pm 1/\sqrt{\text{fan-in}}`, biases too; ``gaussian:SD``, or ``gaussian:SD,BIAS``
        with this mean of the hidden units' biases: one below 0 is a threshold, with which few
        units are active at a time; ``zeros``, of which only a perceptron can learn;
        ``values:W,W,…`` for given weights, row by row (for networks that are small enough to
        write down).
    """
    check_size(initial, shape)
    word, numbers = read(initial)
    if word == "zeros":
        return [np.zeros(layer, np.float32) for layer in shape.layers]
    if word == "pytorch":
        layers = [generator.random(layer, dtype=np.float32) for layer in shape.layers]
        for layer in layers:  # in place, as the networks may be large
            layer -= np.float32(0.5)
            layer *= np.float32(2 / np.sqrt(len(layer) - shape.bias))
        return layers
    if word == "gaussian":
        deviation, *bias = numbers
        layers = [generator.standard_normal(layer, dtype=np.float32) for layer in shape.layers]
        for layer in layers:
            layer *= np.float32(deviation)
        for mean in bias:
            layers[0][-1] += np.float32(mean)
        return layers
    values = np.array(numbers, dtype=np.float32)
    ends = np.cumsum([rows * columns for rows, columns in shape.layers])
    return [
        part.reshape(layer)
        for part, layer in zip(np.split(values, ends[:-1]), shape.layers, strict=True)
    ]


def check_initial(initial: str) -> None:
    """Raise InvalidValue unless `initial_weights` understands ``initial``."""
    word, numbers = read(initial)
    if not (
        (word in ("pytorch", "zeros") and not numbers)
        or (word == "gaussian" and len(numbers) in (1, 2) and numbers[0] >= SMALLEST)
        or (word == "values" and numbers)
    ):
        raise InvalidValue(
            f"initial {told(initial)} is unknown; choose pytorch, gaussian:SD with SD > 0,"
            " gaussian:SD,BIAS, zeros, or values:W,W,…"
        )


def check_size(initial: str, shape: Shape) -> None:
    """Raise InvalidValue if ``initial`` gives another number of weights than ``shape`` has."""
    check_initial(initial)
    word, numbers = read(initial)
    needed = sum(rows * columns for rows, columns in shape.layers)
    if word == "gaussian" and len(numbers) == 2 and not (shape.hidden and shape.bias):
        raise InvalidValue(
            f"initial {told(initial)} gives hidden units a bias; the network has"
            f" {'no bias' if shape.hidden else 'no hidden units'}"
        )
    if word == "values" and len(numbers) != needed:
        raise InvalidValue(
            f"initial {told(initial)} gives {len(numbers)} weights; the network has {needed}"
        )


def outputs(
    weights: Sequence[np.ndarray], inputs: np.ndarray, activation: str, bias: bool
) -> np.ndarray:
    """Return what a network gives out, ``(n, outputs)``, for ``inputs`` of shape ``(n, inputs)``.

    ``weights`` are ``[from, to]``, with the bias row if there is a ``bias``, a layer each. The
    ``activation`` is that of the hidden units, as in an experiment.
    """
    values = inputs
    for number, layer in enumerate(weights):
        if number and activation == "logistic":
            values = 0.5 + 0.5 * np.tanh(0.5 * values)  # it cannot overflow
        elif number:
            values = np.where(values > 0, values, leak(activation) * values)
        values = values @ layer[:-1] + layer[-1] if bias else values @ layer
    return values


def classify(outputs: "Tensor") -> "Tensor":
    """Return the class that ``outputs`` of shape ``(…, outputs)`` stand for.

    A single output is read by the Heaviside function, several by the largest.
    """
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > 0).long()
    return outputs.argmax(dim=-1)


def margins(outputs: "Tensor", labels: "Tensor") -> "Tensor":
    """Return what the right class's output exceeds the largest other one by, shaped like labels.

    ``outputs`` have shape ``(…, outputs)`` and ``labels``, int64, ``(…)``. Below 0 it is a mistake.
    A single output counts as that of class 1; the other class has 0.
    """
    if outputs.shape[-1] == 1:
        return outputs[..., 0] * (2 * labels - 1)
    at = labels[..., None]
    right = outputs.gather(-1, at)[..., 0]
    other = outputs.scatter(-1, at, -math.inf).amax(dim=-1)
    return (right - other).where(right != other, 0.0)  # infinite ones may be equal too
