"""Training loops as one would write them in NumPy and JAX, to compare the engines with.

They learn what the engines learn, one sample at a time, and count no energy; those in PyTorch are
in `eager`. Each is built as an engine is, ``Loop(experiment, dataset, start)``, and has a method
``learn``. They know only what they are needed for: one hidden layer with biases, squared losses,
the gates, and of the other rules what is said at each.
"""

from importlib.util import find_spec

import numpy as np

from lazybook import networks
from lazybook.caching import Immediate
from lazybook.datasets import Dataset
from lazybook.engines.contract import Start
from lazybook.experiment import Experiment
from lazybook.gates import EverySample
from lazybook.restrictions import AllSynapses


def is_plain(experiment: Experiment) -> bool:
    """Whether all synapses may change at once, as the NumPy and the JAX loop have it."""
    return experiment.restriction == AllSynapses() and experiment.caching == Immediate()


def jax_installed() -> bool:
    """Whether JAX, which is optional, can be imported."""
    return find_spec("jax") is not None


class NumpyLoop:
    """Matrix products and outer products in NumPy; plain or lazy."""

    def __init__(self, experiment: Experiment, dataset: Dataset, start: Start) -> None:
        (self.W1, self.b1), (self.W2, self.b2) = (
            (weights[:-1].copy(), weights[-1].copy()) for weights in start.weights
        )
        self.leak = np.float32(networks.leak(experiment.activation))
        self.rate = np.float32(experiment.learning_rate)
        self.factor = np.float32(error_factor(experiment, len(self.b2)))
        self.inputs, self.labels = dataset.train.inputs(), dataset.train.labels
        self.targets = np.eye(len(self.b2), dtype=np.float32)[self.labels]
        self.gate = experiment.gate
        self.remembered = np.zeros(len(self.labels), bool)
        self.updates = 0

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return activities of the hidden units and outputs for ``(inputs,)`` or a batch of it."""
        sums = x @ self.W1 + self.b1
        hidden = np.maximum(sums, self.leak * sums)
        return hidden, hidden @ self.W2 + self.b2

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, one after another."""
        for sample in samples:
            x = self.inputs[sample]
            hidden, outputs = self.forward(x)
            mistake, remembered = outputs.argmax() != self.labels[sample], self.remembered[sample]
            self.remembered[sample] = self.gate.remembers(mistake, remembered)
            if self.gate.learns(mistake, remembered):
                step = self.rate * self.factor * (outputs - self.targets[sample])
                hidden_step = (self.W2 @ step) * np.where(hidden > 0, np.float32(1), self.leak)
                self.W2 -= np.outer(hidden, step)
                self.b2 -= step
                self.W1 -= np.outer(x, hidden_step)
                self.b1 -= hidden_step
                self.updates += 1

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weight matrices, ``[from, to]`` with the bias row, a layer each."""
        return [np.vstack([self.W1, self.b1]), np.vstack([self.W2, self.b2])]


class JaxLoop:
    """``jax.lax.scan`` over the samples, compiled for the CPU; plain or lazy.

    Raises ModuleNotFoundError where JAX is not installed, see `jax_installed`.
    """

    def __init__(self, experiment: Experiment, dataset: Dataset, start: Start) -> None:
        import jax
        from jax import numpy as jnp

        rate, factor = experiment.learning_rate, error_factor(experiment, dataset.classes)
        slope, gate = networks.leak(experiment.activation), experiment.gate

        def forward(weights, x):
            (W1, b1), (W2, b2) = weights
            return jax.nn.leaky_relu(x @ W1 + b1, slope) @ W2 + b2

        def loss(weights, x, label):
            target = jax.nn.one_hot(label, dataset.classes)
            return factor / 2 * ((forward(weights, x) - target) ** 2).sum()

        def descend(weights, x, label):
            gradient = jax.grad(loss)(weights, x, label)
            return jax.tree.map(lambda w, g: w - rate * g, weights, gradient)

        def present(data, state, sample):
            inputs, labels = data
            weights, remembered, updates = state
            x, label = inputs[sample], labels[sample]
            if isinstance(gate, EverySample):
                return (descend(weights, x, label), remembered, updates + 1), None
            mistake, before = forward(weights, x).argmax() != label, remembered[sample]
            learned = gate.learns(mistake, before)
            weights = jax.lax.cond(learned, descend, lambda w, *_: w, weights, x, label)
            remembered = remembered.at[sample].set(gate.remembers(mistake, before))
            return (weights, remembered, updates + learned), None

        def learn(data, state, samples):
            return jax.lax.scan(lambda *at: present(data, *at), state, samples)[0]

        self.compiled = jax.jit(learn, donate_argnums=1)
        self.data = (
            jnp.asarray(dataset.train.inputs()),
            jnp.asarray(dataset.train.labels, jnp.int32),
        )
        weights = [(jnp.asarray(w[:-1]), jnp.asarray(w[-1])) for w in start.weights]
        self.state = (weights, jnp.zeros(len(dataset.train), bool), jnp.int32(0))

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, one after another."""
        self.state = self.compiled(self.data, self.state, samples.astype(np.int32))
        self.state[2].block_until_ready()

    @property
    def updates(self) -> int:
        """The number of samples learned."""
        return int(self.state[2])

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weight matrices, ``[from, to]`` with the bias row, a layer each."""
        return [np.vstack(layer) for layer in self.state[0]]


def error_factor(experiment: Experiment, outputs: int) -> float:
    """Return what the difference of outputs and targets is multiplied by in the gradient."""
    return 1.0 if experiment.loss == "half-mse" else 2 / outputs
