"""What learning costs: the energies of runs against their paths through the space of weights."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazybook import caching, energy, networks, restrictions, trainers
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, Margin, MemorizedMistakes, Mistakes

HIDDEN = 12
ROUNDING = 1e-3  # of a step in float32 that is seen as the difference of two weights


@pytest.fixture
def short(few, monkeypatch):
    """A function to train on few images, recorded after each of 600 presentations."""
    monkeypatch.setattr(trainers, "LONGEST_VECTOR", 20_000)

    def train(**fields):
        fields = {"hidden": HIDDEN, "epochs": 1, "measure_every": 20, "record": ("path",)} | fields
        return trainers.train(Experiment(**fields))

    return train


@given(
    gate=st.sampled_from([EverySample(), Mistakes(), MemorizedMistakes(), Margin(0.2)]),
    loss=st.sampled_from(networks.LOSSES),
    activation=st.sampled_from(["relu", "leaky-relu:0.1"]),
    bias=st.sampled_from(networks.BIASES),
    order=st.sampled_from(["permutation", "replacement"]),
    hidden=st.sampled_from([2, HIDDEN, None]),
    learning_rate=st.floats(0.001, 0.03),
    zero_mean=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_energy_is_the_length_of_every_step_and_adds_up(short, **fields):
    if fields["bias"] == "clamped-unit" and fields["hidden"] is None:
        fields["bias"] = "separate"
    run = short(**fields)
    path = run.arrays["path"].astype(float)
    steps = np.abs(np.diff(path, axis=0))
    table = run.table

    expected = summed(run, steps.sum(axis=1))
    np.testing.assert_allclose(table["energy_m1"], expected, rtol=ROUNDING, atol=1e-4)
    distances = np.abs(path - path[0]).sum(axis=1)[table["samples"]]
    np.testing.assert_allclose(table["energy_min"], distances, rtol=1e-6, atol=1e-6)
    assert (table["energy_m0"].diff()[1:] >= np.diff(summed(run, (steps > 0).sum(axis=1)))).all()
    assert (table["energy_m0"] <= path.shape[1] * table["updates"]).all()
    assert (table["energy_m1"] >= table["energy_min"] * (1 - ROUNDING)).all()

    layers = ["output"] if fields["hidden"] is None else ["hidden", "output"]
    for total in ("energy_m0", "energy_m1"):
        assert table[total].is_monotonic_increasing
        np.testing.assert_allclose(table[total], sum(table[f"{total}_{n}"] for n in layers))


def summed(run, each: np.ndarray) -> np.ndarray:
    """Return the sum of what each presentation gives, up to each measurement."""
    return np.append(0, each.cumsum())[run.table["samples"]]


ONE_OF_EACH = st.tuples(
    st.sampled_from(["all", "synapse-mask:0.3,0.6", "synapse-mask-per-sample:0.3,0.6"]),
    st.sampled_from(["all", "subnet:5", "neuron-mask:5", "subnet-per-class:5"]),
    st.sampled_from(["all", "largest-per-layer:0.05", "largest-per-neuron:0.05"]),
)


@given(
    gate=st.sampled_from([EverySample(), Mistakes(), MemorizedMistakes(), Margin(0.2)]),
    restriction=ONE_OF_EACH.map(lambda parts: restrictions.parse("&".join(parts))),
    cache=st.sampled_from(
        ["immediate", "0.001", "0.001,0.01,0.1", "0.004,0.001,0,any", "0.5,0,0.1,sum", "1000"]
    ),
    loss=st.sampled_from(networks.LOSSES),
    bias=st.sampled_from(networks.BIASES),
    zero_mean=st.booleans(),
    seed=st.integers(0, 1000),
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_rules_there_is_no_way_below_the_straight_one(short, cache, **fields):
    run = short(caching=caching.parse(cache), record=(), measure_every=100, **fields)
    table = run.table
    shape = networks.shape(HIDDEN, fields["bias"], inputs=784, classes=10)
    synapses = sum(rows * columns for rows, columns in shape.layers)
    assert table["updates"].iloc[-1] > 0
    assert (table["energy_m0"] <= synapses * table["updates"]).all()
    assert (table["pending_m0"] <= synapses).all()
    spent = table["energy_m1"] + table["pending_m1"]
    assert (spent >= table["energy_min"] * (1 - ROUNDING)).all()
    for column in ("energy_m0", "energy_m1", "transient_energy", "updates"):
        assert table[column].is_monotonic_increasing
    if cache == "immediate":
        assert (table[["pending_m0", "pending_m1", "transient_energy"]] == 0).all(axis=None)


def test_a_step_changes_a_synapse_for_each_input_and_each_error_that_are_not_zero(short, few):
    run = short(learning_rate=0.001)
    inputs = np.count_nonzero(few.train.values, axis=1) + 1  # and the bias
    changed = inputs.sum() * HIDDEN + len(few.train) * (HIDDEN + 1) * 10
    assert run.final["energy_m0"] == changed


# The weights of a layer in a path, by the ending of the layer's columns.
LAYERS = {
    "": slice(None),
    "_hidden": slice(785 * HIDDEN),
    "_output": slice(785 * HIDDEN, None),
}


BOTH = pytest.mark.parametrize("engine", ["numba", "reference"])


@BOTH
def test_energies_of_other_exponents(short, engine):
    run = short(energy_exponents=(0.0, 0.5, 1.0, 2.0), engine=engine)
    steps = np.abs(np.diff(run.arrays["path"].astype(float), axis=0))
    for alpha in (0.5, 2):
        for column, part in LAYERS.items():
            expected = summed(run, (steps[:, part] ** alpha).sum(axis=1))
            np.testing.assert_allclose(run.table[f"energy_m{alpha}{column}"], expected, rtol=0.02)


@BOTH
@pytest.mark.parametrize("cache", ["immediate", "0.002,0,0", "0.004,0,0,any"])
def test_potentiation_is_the_part_of_the_steps_that_rise(short, engine, cache):
    """What is permanent of a network's path: with caching what of it is charged at once."""
    record = ("path", "potentiation", "synapse-updates")
    fields = {"caching": caching.parse(cache), "gate": Mistakes()}
    run = short(engine=engine, record=record, **fields)
    path = run.arrays["path"].astype(float)
    if cache == "immediate":
        steps = np.diff(path, axis=0)
        for column, part in LAYERS.items():
            rising = np.clip(steps[:, part], 0, None)
            np.testing.assert_allclose(
                run.table[f"energy_m1_potentiation{column}"],
                summed(run, rising.sum(axis=1)),
                rtol=ROUNDING,
                atol=1e-5,
            )
            seen = summed(run, np.count_nonzero(rising, axis=1))
            assert (run.table[f"energy_m0_potentiation{column}"] >= seen).all()
        counts = np.count_nonzero(steps, axis=0)
        updates = np.concatenate(
            [run.arrays[f"synapse_updates_{layer}"].ravel() for layer in ("hidden", "output")]
        )
        assert (updates >= counts).all()
    # What rises less what falls is how far the weights have come, the transient part left out.
    final = run.final
    for measure in ("m0", "m1"):
        assert 0 < final[f"energy_{measure}_potentiation"] < final[f"energy_{measure}"]
    net = 2 * final["energy_m1_potentiation"] - final["energy_m1"]
    assert net == pytest.approx((path[-1] - path[0]).sum(), abs=final["pending_m1"] + 1e-2)


@BOTH
@pytest.mark.parametrize("decay", [0, 0.1])
def test_all_that_is_transient_costs_and_is_pending(short, engine, decay):
    """Under a threshold that nothing reaches, what is transient is the way from the start."""
    cache = caching.SynapticCaching(1000, decay=decay, transient_cost=0.1)
    fields = {"gate": MemorizedMistakes(), "learning_rate": 0.03}
    run = short(engine=engine, caching=cache, **fields)
    path = run.arrays["path"].astype(float)
    left = np.abs(path - path[0]).sum(axis=1)
    table = run.table
    measured = table["samples"]
    np.testing.assert_allclose(table["pending_m1"], left[measured], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(table["transient_energy"], 0.1 * summed(run, left[1:]), rtol=1e-3)
    assert (table["energy_m1"] == 0).all()
    assert (table["pending_m0"] >= np.count_nonzero(path - path[0], axis=1)[measured]).all()


def test_samples_share_all_of_the_energy(short):
    run = short(gate=Mistakes(), order="replacement", epochs=2, record=("sample-energy",))
    shares = run.arrays["sample_energy"]
    assert shares.sum() == pytest.approx(run.final["energy_m1"])
    assert (shares >= 0).all()
    assert 0 < np.count_nonzero(shares) <= min(len(shares), run.final["updates"])


def test_a_whole_run_is_never_cheaper_than_the_straight_path():
    for gate in (EverySample(), Mistakes()):
        table = trainers.train(Experiment(hidden=50, epochs=2, gate=gate)).table
        assert (table["energy_m1"] >= table["energy_min"]).all()
        assert table["energy_m1"].iloc[-1] > 2 * table["energy_min"].iloc[-1]
        assert (table["energy_m0"] <= (785 * 50 + 51 * 10) * table["updates"]).all()


@given(
    count=st.integers(1, 50),
    share=st.floats(1e-6, 1e6),
    nothing=st.integers(0, 20),
)
def test_as_many_take_part_as_share_equally(count, share, nothing):
    shares = np.array([share] * count + [0.0] * nothing)
    assert energy.effective_number(shares) == pytest.approx(count)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30))
def test_unequal_shares_count_for_less(shares):
    number = energy.effective_number(np.array(shares))
    assert 1 - 1e-9 <= number <= len(shares) + 1e-9
    assert energy.effective_number(7 * np.array(shares)) == pytest.approx(number)
    if len(set(shares)) == 1:
        assert number == pytest.approx(len(shares))


def test_nobody_takes_part_in_nothing():
    assert energy.effective_number(np.zeros(5)) == 0


def test_the_straight_path():
    before = [np.array([[1, -2]], np.float32), np.array([[0.5]], np.float32)]
    after = [np.array([[0, 2]], np.float32), np.array([[0.25]], np.float32)]
    assert energy.m_min(after, before) == 1 + 4 + 0.25
    assert energy.m_min(before, before) == 0
