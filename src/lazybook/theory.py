"""How many synapses should a random mask leave plastic?

The counting argument of van Rossum & Pache 2024, "Randomly restricting plasticity to save energy".
"""

from dataclasses import dataclass

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
