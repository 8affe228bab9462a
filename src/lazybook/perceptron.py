r"""The perceptron of Li & van Rossum 2020, and what it costs to teach it with synaptic caching.

A pattern :math:`x` with target :math:`t = \pm 1` is an error if :math:`t\, w \cdot x \le 0`; an
error is learned by :math:`w \to w + t x`, and nothing else is. All is said by the *signed* patterns
:math:`\xi = t x`, which a perceptron that has learned them all sees on one side. Weights start at 0
and patterns are presented in the same order each epoch, until an epoch passes without an error.

With synaptic caching (`lazybook.caching`) a weight is :math:`w = l + s`, and at each presentation

1. the transient part decays, :math:`s \to s\, e^{-\text{decay}}`;
2. :math:`c \sum_i |s_i|` is charged;
3. an error is learned, :math:`s \to s + \xi`;
4. what the threshold says is consolidated: :math:`|s_i|` is charged, and moves to :math:`l_i`.

At the end what is left is consolidated too. This is the paper's order; `lazybook.experiment` has
another one, that of the paper's network, in which 2. comes last. Its preset ``perceptron`` also
takes an output of 0 for an answer, where the paper takes it for an error.

`learn` does this as it stands here. Two shortcuts give the same results in a fraction of the time.
*The price c never influences learning*, so that the sizes :math:`\sum_i |s_i|` are added up once
and priced afterwards. And *without decay caching does not either*: :math:`l + s` is what it would
be without any. Then one `Trajectory`, the order of the errors, serves every threshold, variant and
price; and to know which pattern is an error takes no weights at all, but the products of
the patterns, :math:`\xi_\mu \cdot \xi_\nu`: a presentation costs a look at one number and an update
an addition for each pattern.
"""

import math
from dataclasses import dataclass

import numpy as np

from lazybook.caching import SynapticCaching
from lazybook.errors import InvalidValue, check_number, check_whole, told
from lazybook.support.compiling import compiled, inner

EPOCHS = 10_000  # after which the paper gives up
EACH_SYNAPSE, ANY_SYNAPSE, SUM = range(3)
VARIANTS = {"synapse": EACH_SYNAPSE, "any": ANY_SYNAPSE, "sum": SUM}
LARGEST_PRODUCT = 2**15 - 1  # of two patterns: a number of 16 bits


def signed(inputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the signed patterns, int8 ``(P, N + 1)``, the last input of which is the bias.

    ``inputs`` of -1 and 1 have shape ``(P, N)``; ``labels`` ``(P,)`` are 0 or 1, for the targets -1
    and 1. Raises InvalidValue for others.
    """
    inputs, labels = np.asarray(inputs), np.asarray(labels)
    if inputs.ndim != 2 or labels.shape != inputs.shape[:1]:
        raise InvalidValue(
            f"inputs and labels are of shapes {inputs.shape} and {labels.shape}; they must be"
            " (P, N) and (P,)"
        )
    if not (np.isin(inputs, (-1, 1)).all() and np.isin(labels, (0, 1)).all()):
        raise InvalidValue("inputs must be -1 or 1, and labels 0 or 1")
    if inputs.shape[1] >= LARGEST_PRODUCT:
        raise InvalidValue(
            f"patterns have {inputs.shape[1]:,} inputs; at most {LARGEST_PRODUCT - 1:,} are allowed"
        )
    with_bias = np.pad(inputs.astype(np.int8), ((0, 0), (0, 1)), constant_values=1)
    return with_bias * np.where(labels == 1, 1, -1).astype(np.int8)[:, None]


def decay_rate(time_constant: float) -> float:
    """Return the ``decay`` of a `SynapticCaching` that keeps 1 - 1/τ at each presentation.

    ``time_constant`` τ is in presentations; infinite for no decay. Raises InvalidValue below 1.
    """
    if time_constant == math.inf:
        return 0.0
    allowed = "a number above 1, or inf"
    return -math.log1p(-1 / check_number("time_constant", time_constant, allowed, lambda t: t > 1))


@dataclass(frozen=True)
class Costs:
    """What learning with caching cost, in parts that are priced afterwards; see `energy`.

    Attributes
    ----------
    consolidated: the sizes of all consolidations, the last one of what is left included.
    transient: :math:`\\sum_i |s_i|`, added up over presentations.
    changed: the sizes of all changes that were not consolidated at once.
    consolidations: how many there were.
    """

    consolidated: float
    transient: float
    changed: float
    consolidations: int

    def energy(self, cost: float, change_cost: float = 0.0) -> float:
        """Return the energy: consolidations, ``cost`` c times ``transient``, and changes.

        ``change_cost`` b is the price of a change of 1 of what is transient.
        """
        return self.consolidated + cost * self.transient + change_cost * self.changed


@dataclass(frozen=True)
class Trajectory:
    """How a perceptron without decay learned its patterns.

    Attributes
    ----------
    patterns: the signed patterns, int8 ``(P, synapses)``.
    order: which pattern was learned, update by update, int64 ``(K,)``.
    presentations: at which presentation, from 1, int64 ``(K,)``.
    epochs: how many there were, the last one without an error if it ``converged``.
    """

    patterns: np.ndarray
    order: np.ndarray
    presentations: np.ndarray
    epochs: int
    converged: bool

    @property
    def updates(self) -> int:
        """The number K of updates."""
        return len(self.order)

    @property
    def weights(self) -> np.ndarray:
        """The weights in the end, int64 ``(synapses,)``."""
        return self._times @ self.patterns.astype(np.int64)

    @property
    def _times(self) -> np.ndarray:
        """How often each pattern was learned, int64 ``(P,)``."""
        return np.bincount(self.order, minlength=len(self.patterns))

    @property
    def energy(self) -> float:
        """The energy without caching, for every exponent: each update changes each synapse by 1."""
        return float(self.updates * self.patterns.shape[1])

    def minimal(self, exponent: float = 1.0) -> float:
        """Return the energy of the straight path, the sum of the weights' sizes to an exponent."""
        sizes = np.abs(self.weights)
        return float((sizes[sizes > 0].astype(float) ** exponent).sum())

    @property
    def potentiation(self) -> tuple[float, float]:
        """Energy, and energy of the straight path, if only what raises a weight costs."""
        raised = self._times @ (self.patterns > 0).sum(axis=1)
        return float(raised), float(np.maximum(self.weights, 0).sum())

    def cached(self, rule: SynapticCaching) -> Costs:
        """Return what learning costs with this caching, which must not decay.

        Raises InvalidValue for one that decays, or the variant ``unit``.
        """
        if rule.decay:
            raise InvalidValue(f"caching is {rule}; without decay it could be had from this run")
        totals, (permanent, part) = np.zeros(4), np.zeros((2, self.patterns.shape[1]))
        replay(
            self.patterns, self.order, self.presentations, self.epochs * len(self.patterns),
            permanent, part, VARIANTS[_checked(rule)], _threshold(rule), totals,
        )  # fmt: skip
        return Costs(*totals[:3], int(totals[3]))

    def synapse(self, number: int, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """Return one synapse's permanent and transient part after each presentation.

        Consolidated alone, above the threshold; int64 ``(presentations + 1,)`` each, from the
        first weight on.
        """
        number = check_whole("number", number, 0, self.patterns.shape[1] - 1)
        permanent, transient = np.zeros((2, self.epochs * len(self.patterns) + 1), np.int64)
        kept, part, before = 0, 0, 0
        for pattern, presentation in zip(self.order, self.presentations, strict=True):
            permanent[before:presentation], transient[before:presentation] = kept, part
            part += int(self.patterns[pattern, number])
            if abs(part) > threshold:
                kept, part = kept + part, 0
            before = presentation
        permanent[before:], transient[before:] = kept, part
        return permanent, transient


def trajectory(patterns: np.ndarray, epochs: int = EPOCHS) -> Trajectory:
    """Let a perceptron learn the signed ``patterns``, int8 ``(P, synapses)``, see `signed`.

    It gives up after so many ``epochs``. Raises InvalidValue for other patterns.
    """
    patterns, epochs = _patterns(patterns), check_whole("epochs", epochs, 1)
    exact = patterns.astype(np.float32)  # whole numbers: sums of them are exact
    products = (exact @ exact.T).astype(np.int16)
    margins, wrong = np.zeros(len(patterns), np.int32), np.empty(len(patterns), np.int64)
    orders: list[np.ndarray] = []
    while len(orders) < epochs:
        orders.append(wrong[: find_errors(products, margins, wrong)].copy())
        if not len(orders[-1]):
            break
    began = len(patterns) * np.repeat(np.arange(len(orders)), [len(o) for o in orders])
    order = np.concatenate(orders)
    return Trajectory(patterns, order, began + order + 1, len(orders), not len(orders[-1]))


@dataclass(frozen=True)
class Learning:
    """What a perceptron with caching did, epoch by epoch: arrays ``(epochs,)``.

    Attributes
    ----------
    errors: how many patterns were wrong, and learned.
    consolidated, transient, changed, consolidations: see `Costs`; without the last consolidation.
    weights: in the end, float64 ``(synapses,)``; ``left`` are their transient parts.
    converged: whether the last epoch passed without an error.
    """

    errors: np.ndarray
    consolidated: np.ndarray
    transient: np.ndarray
    changed: np.ndarray
    consolidations: np.ndarray
    weights: np.ndarray
    left: np.ndarray
    converged: bool

    @property
    def epochs(self) -> int:
        """The number of epochs."""
        return len(self.errors)

    @property
    def costs(self) -> Costs:
        """What all of it cost, the last consolidation included."""
        return Costs(
            float(self.consolidated.sum() + np.abs(self.left).sum()),
            float(self.transient.sum()),
            float(self.changed.sum()),
            int(self.consolidations.sum()) + np.count_nonzero(self.left),
        )


def learn(patterns: np.ndarray, rule: SynapticCaching, epochs: int = EPOCHS) -> Learning:
    """Let a perceptron learn the signed ``patterns`` with synaptic caching, step by step.

    Parameters
    ----------
    patterns: see `signed`.
    rule: ``strict`` as in the paper or not; its ``transient_cost`` is of no effect here, and the
        variant ``unit`` is refused: a perceptron has but one.
    epochs: after which it gives up.

    Raises InvalidValue for a value that is impossible.
    """
    patterns, epochs = _patterns(patterns), check_whole("epochs", epochs, 1)
    variant, rows = VARIANTS[_checked(rule)], []
    permanent, part = np.zeros((2, patterns.shape[1]))
    while len(rows) < epochs:
        row = np.zeros(5)
        present(patterns, permanent, part, variant, rule.kept, _threshold(rule), row)
        rows.append(row)
        if row[4] == 0:
            break
    consolidated, transient, changed, consolidations, errors = np.array(rows).T
    return Learning(
        errors.astype(int), consolidated, transient, changed, consolidations.astype(int),
        permanent + part, part, not errors[-1],
    )  # fmt: skip


def _patterns(patterns: np.ndarray) -> np.ndarray:
    if getattr(patterns, "dtype", None) != np.int8 or patterns.ndim != 2:
        raise InvalidValue(f"patterns are {told(patterns)}; make them with perceptron.signed")
    return np.ascontiguousarray(patterns)


def _checked(rule: SynapticCaching) -> str:
    if not isinstance(rule, SynapticCaching) or rule.variant not in VARIANTS:
        raise InvalidValue(
            f"caching is {told(rule)}; it must be a SynapticCaching whose variant is one of"
            f" {', '.join(VARIANTS)}"
        )
    return rule.variant


def _threshold(rule: SynapticCaching) -> float:
    """Return the least size that is consolidated."""
    return math.nextafter(rule.threshold, math.inf) if rule.strict else rule.threshold


@compiled
def find_errors(products, margins, wrong):
    """Present all patterns once; return how many are ``wrong``, where they are written.

    ``margins`` are the products of weights and patterns, ``(P,)``, and change with each error.
    """
    count = 0
    for pattern in range(margins.shape[0]):
        if margins[pattern] <= 0:
            wrong[count] = pattern
            count += 1
            row = products[pattern]
            for other in range(margins.shape[0]):
                margins[other] += row[other]
    return count


@compiled
def present(patterns, permanent, transient, variant, kept, threshold, totals):
    """Present all patterns once, and learn those that are errors: the method as it is defined.

    Adds to ``totals``: sizes consolidated, transient sizes, sizes of changes that stay transient,
    number of consolidations, number of errors.
    """
    synapses = patterns.shape[1]
    for pattern in range(patterns.shape[0]):
        margin, size = 0.0, 0.0
        for i in range(synapses):
            transient[i] *= kept
            size += abs(transient[i])
            margin += patterns[pattern, i] * (permanent[i] + transient[i])
        totals[1] += size
        if margin <= 0:
            totals[4] += 1
            for i in range(synapses):
                transient[i] += patterns[pattern, i]
            consolidate(permanent, transient, variant, threshold, totals)


@compiled
def replay(patterns, order, presentations, end, permanent, transient, variant, threshold, totals):
    """Make the updates of a trajectory again, to see what they cost with caching.

    ``totals`` are those of `present`, but for the last. Between two updates nothing changes.
    """
    size, before = 0.0, 0
    for update in range(order.shape[0]):
        totals[1] += size * (presentations[update] - before)
        before = presentations[update]
        row = patterns[order[update]]
        for i in range(row.shape[0]):
            transient[i] += row[i]
        size = consolidate(permanent, transient, variant, threshold, totals)
    totals[1] += size * (end - before)
    totals[0] += size
    for i in range(transient.shape[0]):
        totals[3] += transient[i] != 0


@inner
def consolidate(permanent, transient, variant, threshold, totals):
    """Consolidate what the variant says, after an update; return the size that stays transient."""
    size, largest = 0.0, 0.0
    for i in range(transient.shape[0]):
        size += abs(transient[i])
        largest = max(largest, abs(transient[i]))
    if variant == EACH_SYNAPSE:
        least = threshold
    elif (variant == ANY_SYNAPSE and largest >= threshold) or (
        variant == SUM and size >= threshold
    ):
        least = 0.0
    else:
        least = np.inf
    moved, stays = 0.0, 0
    for i in range(transient.shape[0]):
        full = abs(transient[i]) >= least
        move = transient[i] if full else 0.0
        permanent[i] += move
        transient[i] -= move
        moved += abs(move)
        totals[3] += move != 0
        stays += not full
    totals[0] += moved
    totals[2] += stays
    return size - moved
