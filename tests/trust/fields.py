"""What the fields of an experiment cannot be, nor the options that are named like them."""

from .values import JUNK, NO_NUMBERS, TEXTS, Values, number, truth, whole, word

DATASETS = word("mnist", "two-clouds", "random-patterns:30,40", arguments=NO_NUMBERS)
NO_MARGIN = (*(text for text in NO_NUMBERS if text != ":-1"), ":1,2")
GATE = word("every-sample", "mistakes", "margin:0.1", arguments=NO_MARGIN)
RESTRICTION = word(
    "synapse-mask:0.5,0.5", "neuron-mask:3", "subnet-per-class:3", "largest-per-layer:0.1",
    arguments=NO_NUMBERS,
)  # fmt: skip
CACHING = word("synaptic-caching:0.1", "immediate", arguments=NO_NUMBERS)
BUFFER = word(
    "everything", "mistakes", "random-share:0.1", "reservoir:7", arguments=(*NO_NUMBERS, ":0")
)  # fmt: skip
ENGINE = word("numba", "reference", "autograd")
DEVICE = word("cpu", "cuda")
PRESET = word("lazy", "competitive", "perceptron")
PROFILE = word("smoke", "quick", "paper")
RECORD = word("sample-energy", "path", "potentiation", "synapse-updates", "weights")
FIELDS: dict[str, Values] = {
    "dataset": DATASETS,
    "zero_mean": truth(),
    "shifts": whole(0),
    "hidden": whole(1, none=True),
    "activation": word("relu", "leaky-relu:0.1", arguments=(*NO_NUMBERS, ":1", ":2")),
    "initial": word("pytorch", "zeros", "gaussian:0.1", arguments=(*NO_NUMBERS, ":0")),
    "bias": word("separate", "clamped-unit", "none"),
    "loss": word("mse", "half-mse", "cross-entropy", "perceptron"),
    "learning_rate": number(0.0, -0.1, 1e-40),
    "batch": whole(1),
    "optimizer": word("sgd", "momentum:0.9", "adam", arguments=(*NO_NUMBERS, ":1", ":0")),
    "order": word("permutation", "replacement", "in-turn"),
    "gate": GATE,
    "restriction": RESTRICTION,
    "caching": CACHING,
    "epochs": whole(1),
    "until": number(0.0, -1.0, 1.01, 95.0, none=True),
    "measure_every": whole(1),
    "measure_training": truth(),
    "seed": whole(0),
    "engine": ENGINE,
    "device": DEVICE,
    "energy_exponents": number(-1.0, none=True),
    "record": RECORD,
    "after": Values(lambda random: random.choice((*JUNK, 5, "mnist")), lambda r: r.choice(TEXTS)),
    "keep_memory": truth(),
    "gated": word("sample", "batch"),
    "buffer": Values(lambda random: random.choice((*JUNK, 5, "mistake")), BUFFER.text),
    "also_test": DATASETS,
}
LISTS = ("energy_exponents", "record", "also_test")
FLAGS = ("zero_mean", "measure_training", "keep_memory")
