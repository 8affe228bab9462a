r"""What did it cost?

The energy of learning is what the permanent changes of the synapses cost. With
:math:`\Delta w_i(t)` the change of synapse :math:`i` at the :math:`t`-th presentation,

.. math:: M_\alpha = \sum_t \sum_i |\Delta w_i(t)|^\alpha .

``M0``, the limit of small :math:`\alpha`, counts the changes; ``M1`` adds up their sizes. No path
to the final weights is cheaper than the straight one,
:math:`M_\mathrm{min} = \sum_i |w_i(T) - w_i(0)|`, and the inefficiency
:math:`M_1 / M_\mathrm{min}` says how winding the path was.

Source: Pache & van Rossum 2023, Eqs. 3 to 5; van Rossum & Pache 2024, "Estimating the energy
needed for plasticity".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from lazybook.errors import InvalidValue, check_numbers


@dataclass
class Meter:
    """Running totals of one training run.

    Attributes
    ----------
    updates: number of samples learned.
    m0, m1: the energies, one entry a layer from the inputs up, float64 ``(layers,)``.
    m0_potentiation, m1_potentiation: their part in changes that raise a weight, if recorded.
    m_alpha: the energies for the experiment's exponents, ``(exponents, layers)``.
    transient: cost of what was transient (see `lazybook.caching.SynapticCaching`).
    pending_m0, pending_m1: what it would cost to make permanent now all that is transient.
    """

    updates: int
    m0: np.ndarray
    m1: np.ndarray
    m0_potentiation: np.ndarray
    m1_potentiation: np.ndarray
    m_alpha: np.ndarray
    transient: float
    pending_m0: np.ndarray
    pending_m1: np.ndarray

    @classmethod
    def zero(cls, layers: int, exponents: int = 0) -> Self:
        """Return the meter of a network with that many layers of synapses, before learning."""
        none = [np.zeros(layers) for _ in range(6)]
        return cls(0, *none[:4], np.zeros((exponents, layers)), 0.0, *none[4:])


def m_min(weights: Sequence[np.ndarray], initial: Sequence[np.ndarray]) -> float:
    """Return the energy of the straight path from ``initial`` to ``weights`` (Eq. 4).

    Both are lists of arrays of equal shapes, one a layer. Raises InvalidValue if they are not.
    """
    if [np.shape(layer) for layer in weights] != [np.shape(layer) for layer in initial]:
        raise InvalidValue("weights and initial are not alike; they must be arrays of equal shapes")
    return float(
        sum(
            np.abs(now - before).sum(dtype=np.float64)
            for now, before in zip(weights, initial, strict=True)
        )
    )


def effective_number(shares: np.ndarray) -> float:
    r"""Return the inverse Simpson index :math:`1 / \sum_i p_i^2` of non-negative ``shares``.

    ``shares`` of any shape, normalised here to a sum of 1. It is K when K entries share all
    equally, so it says how many samples (or synapses) really take part. It is 0 when there is
    nothing to share. Raises InvalidValue if one is negative or not finite.
    """
    shares = check_numbers("shares", shares, "numbers from 0", lambda share: share >= 0)
    total = shares.sum(dtype=np.float64)
    if total == 0:
        return 0.0
    return float(1 / np.square(shares / total, dtype=np.float64).sum())
