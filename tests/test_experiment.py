"""An experiment is possible, or it is refused by name; and it survives being written down."""

import json
import math
import re
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lazybook import caching, energy, gates, networks, restrictions
from lazybook.buffers import Everything, OnlyMistakes, RandomShare, Reservoir
from lazybook.caching import Immediate, SynapticCaching
from lazybook.errors import InvalidValue
from lazybook.experiment import (
    DEVICES,
    GATED,
    ONLY_AUTOGRAD,
    ORDERS,
    RECORDABLE,
    Experiment,
    grid,
    preset,
)
from lazybook.gates import EverySample, Margin, MemorizedMistakes, Mistakes
from lazybook.restrictions import (
    AllSynapses,
    Combined,
    LargestUpdates,
    NeuronMask,
    Subnet,
    SynapseMask,
)
from lazybook.runs import record_name
from lazybook.support import paths
from lazybook.support.randomness import Streams
from lazybook.theory import RandomMasks

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
    learning_rate=st.floats(1e-30, 1e30) | st.integers(1, 3),
    order=st.sampled_from(ORDERS),
    gate=st.sampled_from([EverySample(), Mistakes(), MemorizedMistakes(), Margin(-0.2)]),
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
    also_test=st.lists(st.sampled_from(["mnist/classes:0-4", "two-clouds"]), unique=True),
)
streams = st.builds(
    Experiment,
    buffer=st.sampled_from([Everything(), OnlyMistakes(), RandomShare(0.1), Reservoir(7)]),
    after=st.none() | st.just(Experiment(dataset="mnist/classes:0-4", after=Experiment())),
)


autograds = st.builds(
    Experiment,
    engine=st.just("autograd"),
    device=st.sampled_from(DEVICES),
    batch=st.integers(1, 10**5),
    optimizer=st.sampled_from(["sgd", "adam"])
    | st.floats(0, 1, exclude_min=True, exclude_max=True).map("momentum:{}".format),
    shifts=st.integers(0, 27),
    gated=st.sampled_from(GATED),
)


@given(experiments | autograds | streams)
def test_an_experiment_is_what_its_json_says(experiment):
    text = json.dumps(experiment.to_dict(), allow_nan=False)
    again = Experiment.from_dict(json.loads(text))
    assert again == experiment
    assert hash(again) == hash(experiment)
    assert json.dumps(again.to_dict()) == text


def test_fields_that_are_not_written_down_have_their_defaults():
    assert Experiment.from_dict({"hidden": 7}) == Experiment(hidden=7)
    for make in (lambda **f: Experiment.from_dict(f), lambda **f: preset("lazy", **f)):
        with pytest.raises(InvalidValue, match=r"no field 'hiden'; it has: .*hidden"):
            make(hiden=7)
    with pytest.raises(InvalidValue, match="no field 'hiden'"):
        grid(Experiment(), hiden=[7])
    with pytest.raises(InvalidValue, match=r"unknown gate 'lazy'; choose from: every-sample, mis"):
        Experiment.from_dict({"gate": "lazy"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("dataset", value) for value in (None, 5, ["mnist"])),
        *(("hidden", value) for value in (0, -1, 1.0, "100", True, math.nan)),
        *(("epochs", value) for value in (0, -1, 0.5, None, True)),
        *(("measure_every", value) for value in (0, -5000, 1e3, None, True)),
        *(("batch", value) for value in (0, -1, 32.0, "32", None, True)),
        *(("shifts", value) for value in (-1, 0.5, "2", None, True)),
        *(("optimizer", value) for value in ("SGD", "momentum", "momentum:1", "momentum:x", None)),
        *(("optimizer", value) for value in ("momentum:0", "momentum:nan", "adam:0.9", "sgd:0")),
        *(("seed", value) for value in (-1, 0.0, None, True)),
        *(("learning_rate", value) for value in (0, 0.0, -0.01, math.nan, math.inf, "0.1", True)),
        *(("learning_rate", value) for value in (1e-50, 1e39)),  # 0 and infinite in float32
        *(("until", value) for value in (0, -0.5, 1.5, 97, math.nan, math.inf, "0.9", True)),
        *(("zero_mean", value) for value in (1, "no", None)),
        *(("measure_training", value) for value in (1, 0, "no", None)),
        *(("energy_exponents", value) for value in (0.5, None, "0.5", {0.5: 1})),
        *(("record", value) for value in ("path", None, 5, {"path": True})),
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
            for value in (
                "zeros:1",
                "gaussian",
                "gaussian:0",
                "gaussian:-1",
                "gaussian:1,2,3",
                None,
            )
        ),
        *(("initial", value) for value in ("gaussian:nan", "values:", "values:1,x", "pytorch:1")),
        *(("initial", value) for value in ("gaussian:1e39", "gaussian:1e-50", "values:1e39")),
        *(("gate", value) for value in ("mistakes", Mistakes, None)),
        *(("restriction", value) for value in ("all", EverySample(), None)),
        *(("caching", value) for value in ("immediate", None)),
        *(("after", value) for value in ("mnist", Experiment, 5, True)),
        *(("keep_memory", value) for value in (1, "no", None, True)),
        *(("gated", value) for value in ("batches", None, True)),
        *(("buffer", value) for value in ("mistakes", Reservoir, 5, Mistakes())),
        *(("also_test", value) for value in ("mnist", None, 5)),
    ],
)
def test_an_impossible_value_is_named(name, value):
    with pytest.raises(InvalidValue) as caught:
        Experiment(**{name: value})
    message = str(caught.value)
    assert message.startswith(name)
    assert repr(value) in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        *(
            ("energy_exponents", (0.5, v), repr(v))
            for v in (-0.1, -1, math.nan, math.inf, "1", True)
        ),
        ("energy_exponents", (0.5, 2, 0.5), "has 0.5 2 times"),
        ("energy_exponents", (1, 1.0), "has 1 2 times"),
        ("energy_exponents", (0.5, 0.50000001), "has 0.5 2 times"),  # they would share a column
        ("record", ("path", "everything"), "'everything'; choose from: sample-energy, "),
        ("record", ("path", 5), "5"),
        ("record", ("path", "path"), "has path 2 times"),
        ("also_test", ("mnist", 5), "5"),
        ("also_test", ("mnist", "mnist"), "has mnist 2 times"),
    ],
)
def test_what_does_not_belong_in_a_list_is_named(name, values, said):
    for several in (values, list(values)):
        with pytest.raises(InvalidValue, match=f"^{name} .*{re.escape(said)}"):
            Experiment(**{name: several})


SAME = [
    ("dataset", "mnist", np.str_("mnist")),
    ("zero_mean", True, np.True_),
    ("hidden", 50, np.int64(50)),
    ("hidden", 50, np.uint8(50)),
    ("activation", "leaky-relu:0.1", "leaky-relu:1e-1"),
    ("activation", "leaky-relu:0", "leaky-relu:-0.0"),
    ("initial", "gaussian:0.01", "gaussian:1e-2"),
    ("initial", "values:1,2", "values:1.0, 2e0"),
    ("learning_rate", 1, 1.0),
    ("learning_rate", 0.5, np.float32(0.5)),
    ("until", 1, 1.0),
    ("until", 1, np.int64(1)),
    ("epochs", 3, np.int32(3)),
    ("seed", 3, np.uint64(3)),
    ("energy_exponents", (1,), (1.0,)),
    ("energy_exponents", (0.5, 2), [2.0, np.float64(0.5)]),
    ("energy_exponents", (0.5, 2), np.array([0.5, 2])),
    ("energy_exponents", (0,), (-0.0,)),
    ("record", ("path", "sample-energy"), ["sample-energy", "path"]),
    ("also_test", ("mnist", "two-clouds"), ["two-clouds", np.str_("mnist")]),
    ("buffer", RandomShare(1), RandomShare(np.float64(1))),
    ("buffer", Reservoir(5), Reservoir(np.int64(5))),
    ("after", Experiment(), Experiment(record=("weights",))),
    ("restriction", SynapseMask(0, 1), SynapseMask(0.0, 1.0)),
    ("restriction", Subnet(5), Subnet(np.int64(5))),
    ("restriction", Subnet(5) & LargestUpdates(1), Combined([LargestUpdates(1.0), Subnet(5)])),
    ("caching", SynapticCaching(1), SynapticCaching(np.float64(1), decay=-0.0)),
]


@pytest.mark.parametrize(("name", "one", "other"), SAME)
def test_equal_experiments_are_equal_and_written_alike(name, one, other):
    first, second = (Experiment(**{name: value}) for value in (one, other))
    assert first == second
    assert hash(first) == hash(second)
    assert json.dumps(first.to_dict()) == json.dumps(second.to_dict())
    assert repr(first) == repr(second)
    assert [type(value) for value in vars(first).values()] == [
        type(value) for value in vars(second).values()
    ]


def test_every_other_value_makes_another_experiment():
    """What is written down leaves nothing out."""
    others = {
        "dataset": "two-clouds", "zero_mean": True, "shifts": 1, "hidden": 7, "activation": "relu",
        "initial": "gaussian:0.1", "bias": "none", "loss": "half-mse", "learning_rate": 0.1,
        "batch": 2, "optimizer": "adam", "order": "in-turn", "gate": Mistakes(),
        "restriction": Subnet(5), "caching": SynapticCaching(1), "epochs": 7, "until": 0.9,
        "measure_every": 7, "measure_training": False, "seed": 7, "engine": "reference",
        "device": "cuda", "energy_exponents": (0.5,), "record": ("path",), "after": Experiment(),
        "keep_memory": True, "gated": "batch", "buffer": Reservoir(5), "also_test": ("two-clouds",),
    }  # fmt: skip
    assert set(others) == {field.name for field in fields(Experiment)}
    needs = dict.fromkeys(ONLY_AUTOGRAD, "autograd") | {"device": "reference"}
    for name, value in others.items():
        after = Experiment() if name == "keep_memory" else None
        base = Experiment(engine=needs.get(name, "numba"), after=after)
        other = replace(base, **{name: value})
        assert other != base
        assert other.to_dict() != base.to_dict()


def test_every_published_record_is_found_by_what_was_run():
    """Its experiment is read back as it was written, and gives the record its name."""
    records = sorted(paths.published().glob("*/*.parquet"))
    assert len(records) > 1000
    for path in records:
        facts = json.loads(pq.read_metadata(path).metadata[b"lazybook"])
        experiment = Experiment.from_dict(facts["experiment"])
        assert facts["experiment"].items() <= experiment.to_dict().items()
        data = SimpleNamespace(checksum=facts["provenance"]["data_checksum"])
        assert str(path).endswith(record_name(experiment, data))


# What may come out of JSON, or out of NumPy, or is no value at all.
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([400, 5000]).map(lambda digits: 10**digits)
    | st.floats()
    | st.text()
    | st.sampled_from(["1", "all", "mistakes", "subnet:1e9", "subnet:5 & 7", "0.1,,", "lazy:1:2"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
values = (
    json_values
    | st.tuples(json_values)
    | st.sampled_from(
        [
            *(np.int64(-1), np.float32("nan"), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array(5)),
            *(object(), Mistakes, b"mnist", 1 + 2j, Subnet(5), Experiment(), float, {1, 2}),
        ]
    )
)


def refused(make, *arguments):
    """Return the message of InvalidValue, one line and not long, or None if all went well."""
    try:
        make(*arguments)
    except InvalidValue as error:
        message = str(error)
        assert message
        assert len(message.splitlines()) == 1
        assert len(message) < 500
        return message


@given(name=st.sampled_from([field.name for field in fields(Experiment)]), value=values)
def test_any_value_makes_an_experiment_or_is_named(name, value):
    message = refused(lambda: Experiment(**{name: value}))
    if message is not None:
        assert name in message
        assert refused(lambda: preset("lazy", **{name: value})) == message
        assert refused(lambda: grid(Experiment(), **{name: [value]})) == message
    else:
        experiment = Experiment(**{name: value})
        assert hash(experiment) == hash(Experiment.from_dict(experiment.to_dict()))
        text = json.dumps(experiment.to_dict(), allow_nan=False)
        assert Experiment.from_dict(json.loads(text)) == experiment


@given(
    make=st.sampled_from(
        [
            lambda v: SynapseMask(v, 0.5),
            lambda v: SynapseMask(0.5, v),
            lambda v: SynapseMask(0.5, 0.5, v),
            NeuronMask,
            lambda v: NeuronMask(1, v),
            Subnet,
            lambda v: Subnet(1, v),
            LargestUpdates,
            lambda v: LargestUpdates(0.1, v),
            Combined,
            lambda v: Subnet(5) & v,
            lambda v: AllSynapses() & v,
            SynapticCaching,
            lambda v: SynapticCaching(1, v),
            lambda v: SynapticCaching(1, 0, v),
            lambda v: SynapticCaching(1, 0, 0, v),
            gates.parse,
            restrictions.parse,
            caching.parse,
            networks.leak,
            networks.check_initial,
            lambda v: networks.shape(v, "separate", 784, 10),
            lambda v: networks.shape(5, v, 784, 10),
            lambda v: networks.shape(5, "none", v, 10),
            lambda v: networks.shape(5, "none", 784, v),
            RandomMasks,
            lambda v: RandomMasks(5, v),
            lambda v: RandomMasks(5, 5, v),
            lambda v: RandomMasks(5).fractions(v),
            energy.effective_number,
            Streams,
            lambda v: Streams(0).next_epoch(5, v),
            Experiment.from_dict,
            lambda v: Experiment.from_dict({"gate": v}),
            lambda v: Experiment.from_dict({"restriction": v}),
            lambda v: Experiment.from_dict({"caching": v}),
            lambda v: Experiment.from_dict({"record": v}),
            lambda v: Experiment.from_dict({v: 1} if isinstance(v, str | float | int) else {}),
            preset,
            grid,
            lambda v: grid(Experiment(), seed=v),
        ]
    ),
    value=values,
)
@settings(max_examples=1000)
def test_any_value_anywhere_is_taken_or_refused_in_one_line(make, value):
    refused(make, value)


def test_what_is_no_restriction_cannot_be_combined_from_either_side():
    for wrong in (5, None, "all", {1}, Subnet, Mistakes()):
        for combine in (lambda: Subnet(5) & wrong, lambda: wrong & Subnet(5)):  # noqa: B023
            with pytest.raises(InvalidValue, match="cannot be combined"):
                combine()


def test_what_does_not_go_together_is_refused():
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
        ("record", ("path", "weights"), r"\('path',\)"),
    ],
)
def test_what_autograd_cannot_do_is_refused(name, value, said):
    with pytest.raises(InvalidValue, match=f"^{name} is {said}; for that use engine 'numba' or"):
        Experiment(engine="autograd", **{name: value})
    assert Experiment(engine="autograd", record=("weights",)).record == ("weights",)


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
    for wrong in ("mnist", 5, None, iter([1, 2]), {"a": 1}):
        with pytest.raises(InvalidValue, match=r"dataset is .*; it must be a list"):
            grid(base, dataset=wrong)
    assert grid(base, seed=range(2), hidden=np.array([5])) == grid(base, seed=(0, 1), hidden=[5])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"hidden": 50}, "hidden is 50, and in the experiment that it comes after 100"),
        ({"bias": "none"}, "bias is 'none', and in the experiment that it comes after 'separate'"),
        ({"activation": "relu"}, "activation is 'relu'"),
        ({"initial": "gaussian:0.1"}, "initial is 'gaussian:0.1'"),
        ({"keep_memory": True}, "keep_memory is True, but the memory is of samples of two-clouds"),
    ],
)
def test_only_the_same_network_goes_on_and_only_with_its_own_memory(fields, said):
    with pytest.raises(InvalidValue, match=f"^{re.escape(said)}"):
        Experiment(after=Experiment(dataset="two-clouds"), **fields)


def test_a_memory_is_kept_after_an_experiment_only():
    with pytest.raises(InvalidValue, match=r"^keep_memory is True; say after which experiment"):
        Experiment(keep_memory=True)


@pytest.mark.parametrize("what", ["sample-energy", "path"])
def test_where_a_buffer_is_what_is_recorded_by_sample_is_refused(what):
    with pytest.raises(InvalidValue, match=r"^record is .*where a buffer"):
        Experiment(buffer=OnlyMistakes(), record=(what,))


def test_experiments_follow_one_another():
    first = Experiment(dataset="mnist/classes:0-4")
    second = Experiment(after=first)
    third = Experiment(after=second, epochs=3)
    assert [e.place for e in (first, second, third)] == [0, 1, 2]
    assert third.after.after.dataset == "mnist/classes:0-4"
