"""What a bit of memory costs: values from elsewhere with their uncertainty, in units.

``energy_per_bit.yaml`` says what is known, how well and from where. Values are drawn at random
within their intervals; what is computed from the draws, by plain arithmetic, has an interval then,
and units that have been checked.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
import pandas as pd
import pint
import yaml

from lazybook.errors import InvalidValue, check_number, check_one_of, told

units = pint.UnitRegistry()
units.define("ATP = 50 kilojoule / mole / avogadro_constant")  # hydrolysed in a cell
Quantity = units.Quantity

INTERVAL = 0.9  # the probability that a value lies between its low and its high
NBSP = "\N{NBSP}"  # no line ends there
READ, TOLD = "●", "○"  # stand for values that were read in their source, and for all others


@dataclass(frozen=True)
class Known:
    """A positive value that is known from elsewhere, up to a factor.

    Attributes
    ----------
    name: what it is.
    low, high: the 90 % interval. The logarithm of the value is normally distributed; with
        ``limits`` it is uniformly distributed, and the value never lies outside.
    unit: of both, as Pint spells it.
    known: ``read`` in the source, ``second-hand``, ``inferred`` here, or ``given`` by the reader.
    source, note: where from, and what else there is to know.
    kind: of what is compared, such as ``memory``.

    Raises
    ------
    InvalidValue: low or high is no number above 0, or high is below low.
    """

    name: str
    low: float
    high: float
    unit: str
    known: str
    source: str
    note: str = ""
    limits: bool = False
    kind: str = ""

    def __post_init__(self) -> None:
        for end in ("low", "high"):
            number = getattr(self, end)
            what = f"{self.name}: {end}"
            number = check_number(what, number, "a number above 0", lambda n: n > 0)
            object.__setattr__(self, end, number)
        if self.high < self.low:
            raise InvalidValue(
                f"{self.name}: high is {self.high:g}; it must be at least low, {self.low:g}"
            )

    @property
    def ends(self) -> Quantity:
        """Low and high, shape ``(2,)``, in the value's unit."""
        return Quantity(np.array([self.low, self.high]), self.unit)

    @property
    def variance(self) -> float:
        """The variance of the value's logarithm."""
        width = math.log(self.high / self.low)
        if self.limits:
            return width**2 / 12
        return (width / 2 / NormalDist().inv_cdf((1 + INTERVAL) / 2)) ** 2

    def draw(self, generator: np.random.Generator, number: int) -> Quantity:
        """Return ``number`` values, drawn at random by ``generator``, in the value's unit."""
        low, high = math.log(self.low), math.log(self.high)
        if self.limits:
            logarithms = generator.uniform(low, high, number)
        else:
            logarithms = generator.normal((low + high) / 2, math.sqrt(self.variance), number)
        return Quantity(np.exp(logarithms), self.unit)


@cache
def known(section: str) -> Mapping[str, Known]:
    """Return the values of one section of ``energy_per_bit.yaml``: fly, ladder or prices.

    Raises InvalidValue for another section.
    """
    text = (files("lazybook") / "energy_per_bit.yaml").read_text("utf8")
    sections = yaml.safe_load(text)
    entries = sections[check_one_of("section", section, sections)]
    return MappingProxyType({key: Known(**entry) for key, entry in entries.items()})


def draw(values: Mapping[str, Known], seed: int, number: int) -> dict[str, Quantity]:
    """Return ``number`` draws of each of the ``values``, independent of one another.

    Each has a stream of its own from ``seed``: what is drawn of one does not depend on the others.
    """
    streams = np.random.SeedSequence(seed).spawn(len(values))
    return {
        key: value.draw(np.random.default_rng(stream), number)
        for (key, value), stream in zip(values.items(), streams, strict=True)
    }


def spelled(number: float, digits: int = 2) -> str:
    """Return ``number`` with so many digits, as a power of ten if it is large or small.

    >>> spelled(1234), spelled(1.23e17)
    ('1,200', '1.2×10¹⁷')
    """
    rounded = float(f"{number:.{digits}g}")
    return f"{rounded:,g}" if 1e-3 <= rounded < 1e6 else f"{Quantity(rounded):.{digits}g~P}"


def between(ends: Quantity, digits: int = 2) -> str:
    """Return an interval without its unit, such as ``0.25 to 1``; one number if both are alike."""
    return " to ".join(dict.fromkeys(spelled(end, digits) for end in ends.magnitude))


def table(values: Iterable[Known]) -> pd.DataFrame:
    """Return a row for each value: its name, interval, source, how it is known and the note."""
    rows = []
    for value in values:
        interval = f"{between(value.ends, 4)} {Quantity(1, value.unit).units:~P}"
        rows.append(
            {
                "value": value.name,
                "interval": interval.strip().replace(" ", NBSP),
                "known": f"{READ if value.known == 'read' else TOLD}{NBSP}{value.known}",
                "source": value.source,
                "note": value.note,
            }
        )
    return pd.DataFrame(rows)


def replaced(value: Known, given: object, by: str) -> Known:
    """Return ``value`` with the interval ``given``, a list of low and high in the value's unit.

    ``by`` names it in the error. Raises InvalidValue for what is no such list.
    """
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise InvalidValue(
            f"{by} is {told(given)}; it must be None or [low, high], in {value.unit}"
        )
    own = Known(by, *given, value.unit, "given", "given", limits=value.limits)
    if own.low == own.high:
        raise InvalidValue(f"{by} is {told(given)}; low and high must differ, if only by little")
    return own


def landauer(temperature: Quantity) -> Quantity:
    """Return the least energy to erase a bit, k T ln 2, in J/bit (Landauer 1961).

    Raises InvalidValue for a temperature that is not above 0 K.
    """
    kelvin = temperature.m_as("kelvin")
    check_number("temperature", kelvin, "a number of kelvin above 0", lambda number: number > 0)
    energy = units.boltzmann_constant * temperature * math.log(2)
    return (energy / units.bit).to("joule / bit")


def power(oxygen: Quantity, heat: Quantity, mass: Quantity) -> Quantity:
    """Return what a fly burns, in W: oxygen by mass and time, heat by volume of oxygen, mass."""
    return (oxygen * heat * mass).to("watt")


def interval(draws: Quantity) -> Quantity:
    """Return the 90 % interval of ``draws``, shape ``(2,)``: as many lie below it as above."""
    tail = (1 - INTERVAL) / 2
    return np.quantile(draws, [tail, 1 - tail])


def shares(result: Quantity, inputs: Mapping[str, Quantity]) -> dict[str, float]:
    """Return how much of the uncertainty of ``result`` each of the ``inputs`` brings.

    That is the squared correlation of their logarithms, over draws. For a result that is a product
    of powers of independent inputs these are Sobol's indices of first order; there are no higher
    ones, and they add up to 1.
    """
    logarithm = np.log(result.magnitude)
    return {
        key: float(np.corrcoef(np.log(values.magnitude), logarithm)[0, 1] ** 2)
        for key, values in inputs.items()
    }
