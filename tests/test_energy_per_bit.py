"""What a bit costs: units, limits, and draws against what is known in closed form."""

import math
from dataclasses import replace

import numpy as np
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazybook import energy_per_bit
from lazybook.energy_per_bit import Known, Quantity, between, interval, known, spelled
from lazybook.errors import InvalidValue

SECTIONS = ("fly", "ladder", "prices")
EACH = [pytest.param(value, id=f"{s}-{key}") for s in SECTIONS for key, value in known(s).items()]
FLY = known("fly")
DRAWS = 100_000


def value(low=1.0, high=2.0, limits=False) -> Known:
    return Known("a value", low, high, "joule", "read", "somewhere", limits=limits)


@pytest.fixture(scope="module")
def fly():
    return energy_per_bit.draw(FLY, 0, DRAWS)


@pytest.fixture(scope="module")
def energy(fly):
    """Of an association."""
    return energy_per_bit.power(fly["oxygen"], fly["heat"], fly["mass"]) * fly["life_lost"]


@pytest.mark.parametrize("one", EACH)
def test_what_is_known_has_a_source_and_a_unit(one):
    assert one.known in ("read", "second-hand", "inferred")
    assert one.source and one.name
    assert one.ends.magnitude[0] <= one.ends.magnitude[1]


@pytest.mark.parametrize("key", known("ladder"))
def test_all_steps_of_the_ladder_are_energies_per_bit(key):
    step = known("ladder")[key]
    assert step.kind in ("memory", "biology")
    assert step.ends.check("[energy]")  # a bit has no dimension


def test_landauers_limit():
    at_300 = energy_per_bit.landauer(Quantity(300, "kelvin"))
    assert at_300.m_as("joule / bit") == pytest.approx(2.871e-21, rel=1e-3)
    twice = energy_per_bit.landauer(Quantity(600, "kelvin"))
    assert (twice / at_300).m_as("") == pytest.approx(2)
    # A mole of bits at body temperature: R T ln 2.
    mole = energy_per_bit.landauer(Quantity(310, "kelvin")) * Quantity(1, "bit * avogadro_number")
    assert mole.m_as("joule") == pytest.approx(8.314462 * 310 * math.log(2))


@pytest.mark.parametrize("kelvin", [0, -3, math.nan])
def test_no_temperature(kelvin):
    with pytest.raises(InvalidValue, match=r"temperature is .*; it must be a number of kelvin"):
        energy_per_bit.landauer(Quantity(kelvin, "kelvin"))


def test_an_unknown_section():
    with pytest.raises(InvalidValue, match="section is 'bee'; choose from: fly, ladder, prices"):
        known("bee")


def test_atp():
    assert Quantity(1, "ATP").m_as("joule") == pytest.approx(8.30e-20, rel=1e-3)
    assert Quantity(10, "millijoule").m_as("ATP") == pytest.approx(1.2e17, rel=0.01)


def test_the_power_of_a_fly():
    """One milligram that takes up 4 µl of oxygen an hour, at 20.1 J for each ml, burns 22 µW."""
    oxygen, heat = Quantity(4, "microliter / milligram / hour"), Quantity(20.1, "joule / ml")
    power = energy_per_bit.power(oxygen, heat, Quantity(1, "mg"))
    assert power.m_as("microwatt") == pytest.approx(4e-3 * 20.1 / 3600 * 1e6)


def test_a_wrong_unit_is_an_error():
    with pytest.raises(pint.DimensionalityError):
        energy_per_bit.power(Quantity(4, "ml / hour"), Quantity(20, "J / ml"), Quantity(1, "mg"))


def test_the_information_in_a_choice_of_kenyon_cells():
    assert FLY["bits"].high == int(math.log2(math.comb(2000, 100)))


@pytest.mark.parametrize("limits", [False, True])
def test_draws_lie_where_they_should(limits):
    one = value(2, 50, limits)
    drawn = one.draw(np.random.default_rng(0), DRAWS).m_as("joule")
    inside = ((drawn >= 2) & (drawn <= 50)).mean()
    assert inside == (1 if limits else pytest.approx(0.9, abs=0.005))
    assert np.median(drawn) == pytest.approx(10, rel=0.03)
    assert np.log(drawn).var() == pytest.approx(one.variance, rel=0.02)


def test_draws_of_a_product_have_the_interval_of_the_closed_form(energy):
    """The logarithms of lognormal values add up, and so do their variances."""
    factors = [one for key, one in FLY.items() if key != "bits"]
    middle = math.prod(math.sqrt(one.low * one.high) for one in factors)
    spread = 1.6448536 * math.sqrt(sum(one.variance for one in factors))
    # 1 µl/mg/h × 1 J/ml × 1 mg × 1 h is a millijoule.
    expected = 1e-3 * middle * np.exp([-spread, spread])
    np.testing.assert_allclose(interval(energy).m_as("joule"), expected, rtol=0.02)


def test_shares_are_those_of_the_closed_form_and_add_up_to_one(fly, energy):
    shares = energy_per_bit.shares(energy / fly["bits"], fly)
    total = sum(one.variance for one in FLY.values())
    for key, share in shares.items():
        assert share == pytest.approx(FLY[key].variance / total, abs=0.01)
    assert sum(shares.values()) == pytest.approx(1, abs=0.02)


def test_what_a_result_does_not_depend_on_has_no_share(fly, energy):
    assert energy_per_bit.shares(energy, fly)["bits"] == pytest.approx(0, abs=1e-3)


@given(st.lists(st.floats(1e-3, 1e3), min_size=2), st.floats(1e-3, 1e3))
def test_bits_and_energy_per_bit_are_inverse(joules, millijoules):
    """Were an association to hold that many bits, the interval would end at that energy."""
    energy = Quantity(np.array(joules), "joule")
    per_bit = Quantity(millijoules, "millijoule / bit")
    few, many = interval(energy / per_bit).to("bit")
    low, high = interval(energy).to("millijoule")
    assert (low / few).m_as("millijoule / bit") == pytest.approx(millijoules)
    assert (high / many).m_as("millijoule / bit") == pytest.approx(millijoules)


def test_what_is_drawn_depends_on_the_seed_alone():
    once, again, other = (energy_per_bit.draw(FLY, seed, 5) for seed in (1, 1, 2))
    fewer = energy_per_bit.draw(dict(list(FLY.items())[:2]), 1, 5)
    for key in FLY:
        np.testing.assert_array_equal(once[key].magnitude, again[key].magnitude)
        assert (once[key].magnitude != other[key].magnitude).all()
    for key in fewer:
        np.testing.assert_array_equal(once[key].magnitude, fewer[key].magnitude)


def test_a_value_that_is_known_exactly():
    one = value(3, 3)
    np.testing.assert_allclose(one.draw(np.random.default_rng(0), 4).magnitude, 3)
    assert one.variance == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "bits is 3; it must be None or [low, high], in bit"),
        ([1], "bits is [1]; it must be None or [low, high]"),
        ("12", "bits is '12'; it must be None or [low, high]"),
        ([0, 5], "bits: low is 0; it must be a number above 0"),
        ([1, -5], "bits: high is -5; it must be a number above 0"),
        ([1, math.nan], "bits: high is nan"),
        ([1, math.inf], "bits: high is inf"),
        (["1", 5], "bits: low is '1'"),
        ([True, 5], "bits: low is True"),
        ([5, 1], "bits: high is 1; it must be at least low, 5"),
        ([5, 5], "bits is [5, 5]; low and high must differ"),
    ],
)
def test_numbers_of_ones_own_that_mean_nothing(given, message):
    with pytest.raises(InvalidValue) as caught:
        energy_per_bit.replaced(FLY["bits"], given, "bits")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_of_ones_own_keep_the_unit():
    own = energy_per_bit.replaced(FLY["bits"], [10, 20], "bits")
    assert own.unit == "bit"
    assert own.limits
    assert (own.low, own.high) == (10, 20)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0123, "0.012"),
        (1234, "1,200"),
        (999_999, "1×10⁶"),
        (1.23e17, "1.2×10¹⁷"),
        (2.87e-21, "2.9×10⁻²¹"),
    ],
)
def test_numbers_in_words(number, text):
    assert spelled(number) == text


def test_an_interval_in_words():
    assert between(Quantity(np.array([0.254, 1.03]), "joule")) == "0.25 to 1"
    assert between(value(3, 3).ends) == "3"


def test_the_table_tells_what_was_read_from_what_was_not():
    read = value()
    table = energy_per_bit.table([read, replace(read, known="inferred")])
    assert [text[0] for text in table["known"]] == ["●", "○"]
    assert set(table["interval"]) == {"1\N{NBSP}to\N{NBSP}2\N{NBSP}J"}
