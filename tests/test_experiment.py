"""An experiment is possible, or it is refused by name; and it survives being written down."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazybook import networks
from lazybook.caching import Immediate, SynapticCaching
from lazybook.errors import InvalidValue
from lazybook.experiment import DEVICES, ORDERS, RECORDABLE, Experiment, grid, preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes
from lazybook.restrictions import AllSynapses, LargestUpdates, Subnet, SynapseMask

experiments = st.builds(
    Experiment,
    zero_mean=st.booleans(),
    hidden=st.integers(2, 10**6),
    activation=st.just("relu") | st.floats(0, 0.99).map("leaky-relu:{}".format),
    initial=st.just("pytorch")
    | st.floats(0.001, 10).map("gaussian:{}".format)
    | st.lists(st.floats(-5, 5), min_size=1).map(lambda w: "values:" + ",".join(map(str, w))),
    bias=st.sampled_from(networks.BIASES),
    loss=st.sampled_from(networks.LOSSES),
    learning_rate=st.floats(0, exclude_min=True, allow_infinity=False) | st.integers(1, 3),
    order=st.sampled_from(ORDERS),
    gate=st.sampled_from([EverySample(), Mistakes(), MemorizedMistakes()]),
    restriction=st.sampled_from(
        [AllSynapses(), Subnet(2, "class"), SynapseMask(0.1, 1.0) & Subnet(2) & LargestUpdates(0.1)]
    ),
    caching=st.sampled_from([Immediate(), SynapticCaching(0.1), SynapticCaching(0, 1, 2, "sum")]),
    epochs=st.integers(1, 1000),
    until=st.none() | st.floats(0, 1, exclude_min=True),
    measure_every=st.integers(1, 10**9),
    seed=st.integers(0, 2**128),
    engine=st.just("reference"),
    device=st.sampled_from(DEVICES),
    record=st.lists(st.sampled_from(RECORDABLE), unique=True).map(tuple),
)


autograds = st.builds(
    Experiment,
    engine=st.just("autograd"),
    device=st.sampled_from(DEVICES),
    batch=st.integers(1, 10**5),
    optimizer=st.sampled_from(["sgd", "adam"])
    | st.floats(0, 1, exclude_min=True, exclude_max=True).map("momentum:{}".format),
    shifts=st.integers(0, 27),
)


@given(experiments | autograds)
def test_an_experiment_is_what_its_json_says(experiment):
    text = json.dumps(experiment.to_dict(), allow_nan=False)
    again = Experiment.from_dict(json.loads(text))
    assert again == experiment
    assert hash(again) == hash(experiment)
    assert json.dumps(again.to_dict()) == text


def test_fields_that_are_not_written_down_have_their_defaults():
    assert Experiment.from_dict({"hidden": 7}) == Experiment(hidden=7)
    with pytest.raises(InvalidValue, match="no field hiden"):
        Experiment.from_dict({"hiden": 7})
    with pytest.raises(InvalidValue, match=r"unknown gate 'lazy'; choose from: every-sample, mis"):
        Experiment.from_dict({"gate": "lazy"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("hidden", value) for value in (0, -1, 1.0, "100", True, math.nan)),
        *(("epochs", value) for value in (0, -1, 0.5, None, True)),
        *(("measure_every", value) for value in (0, -5000, 1e3, None, True)),
        *(("batch", value) for value in (0, -1, 32.0, "32", None, True)),
        *(("shifts", value) for value in (-1, 0.5, "2", None, True)),
        *(("optimizer", value) for value in ("SGD", "momentum", "momentum:1", "momentum:x", None)),
        *(("optimizer", value) for value in ("momentum:0", "momentum:nan", "adam:0.9", "sgd:0")),
        *(("seed", value) for value in (-1, 0.0, None, True)),
        *(("learning_rate", value) for value in (0, 0.0, -0.01, math.nan, math.inf, "0.1", True)),
        *(("until", value) for value in (0, -0.5, 1.5, 97, math.nan, math.inf, "0.9", True)),
        *(("zero_mean", value) for value in (1, "no", None)),
        *(("bias", value) for value in ("both", "", None, False)),
        *(("loss", value) for value in ("MSE", None)),
        *(("order", value) for value in ("random", None)),
        *(("engine", value) for value in ("torch", None)),
        *(("device", value) for value in ("gpu", None)),
        *(
            ("activation", value)
            for value in ("tanh", "leaky-relu", "leaky-relu:-1", "leaky-relu:1", "relu:2", None)
        ),
        ("activation", "leaky-relu:nan"),
        *(
            ("initial", value)
            for value in ("zeros:1", "gaussian", "gaussian:0", "gaussian:-1", "gaussian:1,2", None)
        ),
        *(("initial", value) for value in ("gaussian:nan", "values:", "values:1,x", "pytorch:1")),
        *(("gate", value) for value in ("mistakes", Mistakes, None)),
        *(("restriction", value) for value in ("all", EverySample(), None)),
        *(("caching", value) for value in ("immediate", None)),
    ],
)
def test_an_impossible_value_is_named(name, value):
    with pytest.raises(InvalidValue) as caught:
        Experiment(**{name: value})
    message = str(caught.value)
    assert message.startswith(name)
    assert repr(value) in message
    assert "\n" not in message


def test_what_does_not_go_together_is_refused():
    with pytest.raises(InvalidValue, match="record is 'everything'"):
        Experiment(record=("everything",))
    for hidden in (None, 1):
        with pytest.raises(InvalidValue, match=f"'clamped-unit' needs.*not {hidden}"):
            Experiment(bias="clamped-unit", hidden=hidden)
    with pytest.raises(InvalidValue, match="'zeros' is for perceptrons; 7 hidden units"):
        Experiment(initial="zeros", hidden=7)
    with pytest.raises(InvalidValue, match=r"'numba' runs on the CPU only.*'reference'"):
        Experiment(engine="numba", device="cuda")


@pytest.mark.parametrize("engine", ["numba", "reference"])
@pytest.mark.parametrize(
    ("name", "value"), [("batch", 32), ("optimizer", "momentum:0.9"), ("shifts", 2)]
)
def test_what_only_autograd_can_do_is_refused_elsewhere(engine, name, value):
    with pytest.raises(InvalidValue, match=f"^{name} is {value}; for that use engine 'autograd'"):
        Experiment(engine=engine, **{name: value})
    assert getattr(Experiment(engine="autograd", **{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("restriction", Subnet(5), "subnet:5"),
        ("caching", SynapticCaching(0.1), r"synaptic-caching:0\.1,.*"),
        ("energy_exponents", (0.5,), r"\(0\.5,\)"),
        ("record", ("path",), r"\('path',\)"),
    ],
)
def test_what_autograd_cannot_do_is_refused(name, value, said):
    with pytest.raises(InvalidValue, match=f"^{name} is {said}; for that use engine 'numba' or"):
        Experiment(engine="autograd", **{name: value})


def test_the_lazy_preset_is_the_papers_setting():
    lazy = preset("lazy")
    assert (lazy.dataset, lazy.zero_mean, lazy.bias) == ("mnist", False, "separate")
    assert networks.leak(lazy.activation) == 0.01
    assert (lazy.initial, lazy.loss, lazy.learning_rate) == ("pytorch", "mse", 0.01)
    assert (lazy.order, lazy.epochs, lazy.until) == ("permutation", 50, None)
    assert lazy.measure_every == 5000


def test_the_competitive_preset_is_the_papers_setting():
    competitive = preset("competitive")
    assert (competitive.dataset, competitive.zero_mean) == ("mnist", True)
    assert competitive.bias == "clamped-unit"
    assert networks.leak(competitive.activation) == 0.1
    word, deviation = competitive.initial.split(":")
    assert word == "gaussian"
    assert 0.01 <= float(deviation) <= 0.03
    assert (competitive.loss, competitive.learning_rate) == ("half-mse", 0.01)
    assert (competitive.order, competitive.epochs, competitive.until) == ("replacement", 5, 0.95)
    assert competitive.measure_every == 1000


def test_the_perceptron_preset_is_the_papers_setting():
    perceptron = preset("perceptron")
    assert (perceptron.dataset, perceptron.zero_mean) == ("random-patterns:1000,1000", False)
    assert (perceptron.hidden, perceptron.bias) == (None, "separate")
    assert (perceptron.loss, perceptron.learning_rate) == ("perceptron", 1)
    assert (perceptron.gate, perceptron.order) == (Mistakes(), "in-turn")
    assert (perceptron.epochs, perceptron.until) == (10_000, 1)
    assert perceptron.initial == "zeros"


def test_a_preset_can_be_changed():
    assert preset("competitive", hidden=300, until=None) == preset(
        "competitive", until=None
    ).__class__(**(vars(preset("competitive")) | {"hidden": 300, "until": None}))
    with pytest.raises(
        InvalidValue, match=r"preset is 'lasy'; choose from: lazy, competitive, perceptron"
    ):
        preset("lasy")
    with pytest.raises(InvalidValue, match="hidden is 0"):
        preset("lazy", hidden=0)


def test_a_grid_holds_every_combination_the_last_name_varying_fastest():
    base = Experiment(epochs=3)
    found = grid(base, hidden=[200, 100], seed=[0, 1, 2])
    assert [(e.hidden, e.seed) for e in found] == [
        (200, 0), (200, 1), (200, 2), (100, 0), (100, 1), (100, 2)
    ]  # fmt: skip
    assert {e.epochs for e in found} == {3}
    assert grid(base) == [base]
    assert grid(base, seed=[]) == []
    with pytest.raises(InvalidValue, match="seed is -1"):
        grid(base, seed=[0, -1])
