"""What the papers' theories expect, to be compared with what is simulated.

* `RandomMasks`: how many synapses should a random mask leave plastic? The counting argument of van
  Rossum & Pache 2024, "Randomly restricting plasticity to save energy".
* `Perceptron` and `DecayingCache`: what a perceptron's learning costs, without and with synaptic
  caching (Li & van Rossum 2020).
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from lazybook.errors import check_number, check_numbers, check_whole


@dataclass(frozen=True)
class RandomMasks:
    """The random masks that learn at the least cost, for networks with one hidden layer.

    A network in which every synapse is plastic needs ``needed`` hidden units, so that many plastic
    paths between each input and each output. Masks that leave fractions ``p_in`` and ``p_out`` of
    the two layers plastic leave ``p_in * p_out * hidden`` paths. Learning costs in proportion to
    the plastic synapses, which are to be as few as give the paths needed.

    Attributes
    ----------
    needed: hidden units needed when every synapse is plastic.
    inputs, outputs: of the network; by default those of MNIST.

    Raises
    ------
    InvalidValue: a number that is not above 0, or one of inputs or outputs that is not whole.
    """

    needed: float
    inputs: int = 784
    outputs: int = 10

    def __post_init__(self) -> None:
        needed = check_number("needed", self.needed, "a number above 0", lambda n: n > 0)
        object.__setattr__(self, "needed", needed)
        for name in ("inputs", "outputs"):
            object.__setattr__(self, name, check_whole(name, getattr(self, name), 1))

    @property
    def kink(self) -> float:
        """The number of hidden units from which on the outputs are masked too."""
        return self.needed * self.inputs / self.outputs

    def fractions(self, hidden: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return the best ``p_in`` and ``p_out`` for networks of ``hidden`` units.

        1 and 1 in a network that has no more units than are needed. In larger ones only the
        inputs are masked, as there are more of them. Only from the kink on are both, so that as
        many synapses are plastic in one layer as in the other. Raises InvalidValue for sizes that
        are not numbers above 0.
        """
        hidden = check_numbers("hidden", hidden, "numbers above 0", lambda sizes: sizes > 0)
        p_out = np.minimum(1, np.sqrt(self.kink / hidden))
        return np.minimum(1, self.needed / (hidden * p_out)), p_out

    def plastic(self, hidden: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return how many synapses these masks leave plastic, into and out of the hidden layer."""
        hidden = check_numbers("hidden", hidden, "numbers above 0", lambda sizes: sizes > 0)
        p_in, p_out = self.fractions(hidden)
        return p_in * self.inputs * hidden, p_out * hidden * self.outputs


@dataclass(frozen=True)
class Perceptron:
    r"""What Li & van Rossum 2020 expect of a perceptron that learns random patterns.

    Its weights are taken to walk at random, a step of the learning rate at each update; the numbers
    of updates and of presentations were found numerically. With caching and no decay, each synapse
    consolidated alone, the transient part is then spread over :math:`\pm\theta` like a triangle.

    Attributes
    ----------
    patterns, inputs: their numbers P and N, with P < 2 N.
    rate: the learning rate η, the size of a change.
    variance: of the weights, relative to the random walk's; the paper finds 20 % less.

    Raises
    ------
    InvalidValue: a number that means nothing.
    """

    patterns: int
    inputs: int
    rate: float = 1.0
    variance: float = 1.0

    def __post_init__(self) -> None:
        check_whole("inputs", self.inputs, 1)
        check_whole("patterns", self.patterns, 1, 2 * self.inputs - 1)
        for name in ("rate", "variance"):
            check_number(name, getattr(self, name), "a number above 0", lambda n: n > 0)

    @property
    def updates(self) -> float:
        """The number of updates, K = 2 P / (2 - P/N)²."""
        return 2 * self.patterns / (2 - self.patterns / self.inputs) ** 2

    @property
    def presentations(self) -> float:
        """The number of presentations, T = P^(3/2) / (2 - P/N)²."""
        return self.patterns**1.5 / (2 - self.patterns / self.inputs) ** 2

    @property
    def energy(self) -> float:
        """The energy without caching, N K η."""
        return self.inputs * self.updates * self.rate

    @property
    def minimal(self) -> float:
        """The least energy, that of the straight path: N η √(2 K / π) for a random walk."""
        walked = math.sqrt(2 * self.variance * self.updates / math.pi)
        return self.inputs * self.rate * walked

    @property
    def inefficiency(self) -> float:
        """Energy without caching by the least energy: √(πP) / (2 - P/N), Eq. 3."""
        return self.energy / self.minimal

    def inefficiency_at(self, exponent: np.ndarray | float) -> np.ndarray:
        """Return the inefficiency if a change of size d costs d to the power of ``exponent``.

        For normally distributed weights; exactly 1 at the exponent 2, if ``variance`` is 1.
        """
        exponent = check_numbers("exponent", exponent, "numbers from 0", lambda a: a >= 0)
        gamma = np.vectorize(math.gamma)((exponent + 1) / 2)
        spread = 2 * self.variance * self.updates
        return self.updates * math.sqrt(math.pi) / (spread ** (exponent / 2) * gamma)

    def consolidation(self, threshold: np.ndarray | float) -> np.ndarray:
        """Return the energy of all consolidations, N (η² K/θ + θ/3), the last one included."""
        threshold = _thresholds(threshold)
        return self.inputs * (self.rate**2 * self.updates / threshold + threshold / 3)

    def maintenance(self, threshold: np.ndarray | float, cost: float) -> np.ndarray:
        """Return the energy of keeping what is transient, c N T θ/3."""
        return cost * self.inputs * self.presentations * _thresholds(threshold) / 3

    def best_threshold(self, cost: np.ndarray | float) -> np.ndarray:
        """Return the threshold with the least energy, η √(3 K / (1 + c T))."""
        cost = check_numbers("cost", cost, "numbers from 0", lambda c: c >= 0)
        return self.rate * np.sqrt(3 * self.updates / (1 + cost * self.presentations))

    def efficiency(self, cost: np.ndarray | float) -> np.ndarray:
        """Return the energy at the best threshold by the least energy.

        min(√(2π (1 + c T)/3), √(πK/2)): no worse than without caching. At c = 0 the best is one
        consolidation in the end, which costs the least energy; the formula, made for a transient
        part that is spread over all thresholds, says 1.45.
        """
        cost = check_numbers("cost", cost, "numbers from 0", lambda c: c >= 0)
        cached = np.sqrt(2 * math.pi * (1 + cost * self.presentations) / (3 * self.variance))
        return np.minimum(cached, self.inefficiency)

    def changes(self, threshold: np.ndarray | float) -> np.ndarray:
        """Return the sizes of all changes that are not consolidated at once.

        N K η (1 - 1/n²), with n the steps to the threshold: it takes n² of them to get there.
        """
        steps = np.ceil(_thresholds(threshold) / self.rate)
        return self.energy * (1 - 1 / steps**2)


@dataclass(frozen=True)
class DecayingCache:
    r"""Powers of synaptic caching whose transient part decays, per synapse and presentation.

    The transient part walks at random, is pulled back to 0 with a time constant and put to 0 at the
    threshold. In the steady state its density is

    .. math:: P(s) = \frac 1Z e^{-s^2/\sigma^2}
        \left[\mathrm{erfi}(|s|/\sigma) - \mathrm{erfi}(\theta/\sigma)\right]

    within :math:`\pm\theta`, with :math:`\sigma^2 = \tau p \eta^2`. Here all is written with
    Dawson's integral :math:`D(x) = e^{-x^2} \int_0^x e^{u^2} du`, as erfi grows beyond all numbers.

    Source: Li & van Rossum 2020, "Synaptic caching with decay". The rate of consolidation printed
    there lacks :math:`1/\tau`; with it the rate goes to :math:`p\eta^2/\theta^2` without decay.

    Attributes
    ----------
    threshold: θ.
    time_constant: τ, in presentations.
    error_rate: p, updates per presentation.
    rate: the learning rate η.

    Raises
    ------
    InvalidValue: a number that is not above 0.
    """

    threshold: float
    time_constant: float
    error_rate: float
    rate: float = 1.0

    def __post_init__(self) -> None:
        for name in ("threshold", "time_constant", "error_rate", "rate"):
            check_number(name, getattr(self, name), "a number above 0", lambda n: n > 0)

    @property
    def spread(self) -> float:
        """The width σ of the density that there would be without a threshold."""
        return self.rate * math.sqrt(self.time_constant * self.error_rate)

    @property
    def normalisation(self) -> float:
        """-Z / (σ erfi(θ/σ)), which does not grow beyond all numbers."""
        reach = self.threshold / self.spread
        within, share = _unit_nodes(reach)
        area = float(share @ dawson(within))  # 2F2(1, 1; 3/2, 2; -θ²/σ²) θ²/(2σ²)
        return math.sqrt(math.pi) * math.erf(reach) - 4 / math.sqrt(math.pi) * area * self._left

    @property
    def _left(self) -> float:
        """1 / erfi(θ/σ)."""
        reach = self.threshold / self.spread
        return math.sqrt(math.pi) / 2 * math.exp(-(reach**2)) / float(dawson(reach))

    @property
    def size(self) -> float:
        """The mean size of the transient part; θ/3 where the decay does not matter.

        Times c it is the power of maintenance.
        """
        reach = self.threshold / self.spread
        inside = 1 - 2 * reach / math.sqrt(math.pi) * self._left
        return self.spread * inside / self.normalisation

    @property
    def consolidations(self) -> float:
        """How many consolidations r there are; p η²/θ² where the decay does not matter."""
        factor = 2 / (self.time_constant * math.sqrt(math.pi))
        return factor * self._left / self.normalisation

    @property
    def consolidation(self) -> float:
        """The power of consolidation, θ r."""
        return self.threshold * self.consolidations


def dawson(x: np.ndarray | float) -> np.ndarray:
    """Return Dawson's integral of ``x`` from 0 up."""
    within, share = _unit_nodes(np.asarray(x, dtype=float)[..., None])
    return np.sum(share * np.exp(within**2 - np.asarray(x, dtype=float)[..., None] ** 2), axis=-1)


def _unit_nodes(end: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """Return the nodes and weights of Gauss and Legendre for an integral from 0 to ``end``."""
    nodes, weights = _legendre()
    return end * (nodes + 1) / 2, end * weights / 2


@cache
def _legendre() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(200)


def _thresholds(values: np.ndarray | float) -> np.ndarray:
    return check_numbers("threshold", values, "numbers above 0", lambda theta: theta > 0)
