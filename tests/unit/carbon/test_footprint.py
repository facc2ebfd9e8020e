"""From energy to CO2e, with its range."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.footprint import footprint, mass_of
from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.units import CarbonMass, Energy, Power
from tests.strategies import around

energies = st.builds(around, st.integers(0, 10**18).map(Energy), st.floats(0, 2))


@st.composite
def triples(draw: st.DrawFn, least: float = 0.0) -> tuple[float, float, float]:
    """A value between the ends of its range: low, value, high."""
    low, value, high = sorted(draw(st.lists(st.floats(least, 3_000), min_size=3, max_size=3)))
    return low, value, high


def intensity_of(low: float, value: float, high: float) -> Intensity:
    """A carbon intensity in grams per kWh."""
    return Intensity(
        value=value,
        low=low,
        high=high,
        source="a test",
        year=2024,
        basis="life-cycle",
        region="SWE",
        assumed=False,
    )


def pue_of(low: float, value: float, high: float) -> PowerUsage:
    """A power usage effectiveness."""
    return PowerUsage(value, low, high, "a test", assumed=False)


@given(energies)
def test_the_range_of_a_sensor_holds_its_value_and_nothing_below_zero(energy: Bounds[Energy]) -> None:
    """However wide the range, no energy is negative."""
    assert Energy.ZERO <= energy.low <= energy.value <= energy.high


@given(energies, energies)
def test_ranges_add_end_to_end(first: Bounds[Energy], second: Bounds[Energy]) -> None:
    """Errors of two sensors are not assumed to cancel."""
    both = first + second

    assert (both.value, both.low, both.high) == (
        first.value + second.value,
        first.low + second.low,
        first.high + second.high,
    )
    assert both == second + first


@given(energies, triples(least=1.0), triples())
def test_the_value_lies_within_its_range(
    energy: Bounds[Energy], pue: tuple[float, float, float], grid: tuple[float, float, float]
) -> None:
    """Whatever the three ranges, and to the last bit."""
    priced = footprint(energy, pue_of(*pue), intensity_of(*grid))

    assert CarbonMass(0) <= priced.low <= priced.value <= priced.high
    assert (pue_of(*pue), intensity_of(*grid)) == (priced.pue, priced.intensity)


@given(st.integers(0, 10**15), st.integers(1, 1_000), triples(least=1.0), triples())
def test_so_many_times_the_energy_is_so_many_times_the_mass(
    microjoules: int, factor: int, pue: tuple[float, float, float], grid: tuple[float, float, float]
) -> None:
    """A footprint is linear in energy."""
    priced = footprint(Bounds.exactly(Energy(microjoules)), pue_of(*pue), intensity_of(*grid))
    many = footprint(Bounds.exactly(Energy(microjoules * factor)), pue_of(*pue), intensity_of(*grid))

    assert many.value.grams == pytest.approx(priced.value.grams * factor)
    assert many.high.grams == pytest.approx(priced.high.grams * factor)


@given(energies)
def test_certain_inputs_give_a_certain_result(energy: Bounds[Energy]) -> None:
    """Where no factor has a range, the ends lie on the value."""
    certain = Bounds.exactly(energy.value)
    priced = footprint(certain, pue_of(1.2, 1.2, 1.2), intensity_of(41, 41, 41))

    assert priced.low == priced.value == priced.high


def test_the_published_figure_for_bert() -> None:
    """Strubell et al. 2019: 12,041.51 W over 79.2 h, at PUE 1.58 and 0.954 lb/kWh, are 1,507 kWh and 1,438 lb CO2e.

    References:
        E. Strubell, A. Ganesh, A. McCallum, Energy and Policy Considerations for Deep Learning in NLP, ACL 2019
        (https://aclanthology.org/P19-1355/).
    """
    energy = Power(12_041.51).for_nanoseconds(round(79.2 * 3_600 * 10**9))
    per_kwh = CarbonMass.from_pounds(0.954).grams
    priced = footprint(Bounds.exactly(energy), pue_of(1.58, 1.58, 1.58), intensity_of(per_kwh, per_kwh, per_kwh))

    assert energy.kilowatt_hours * 1.58 == pytest.approx(1_507, abs=0.5)
    assert priced.value.pounds == pytest.approx(1_438, abs=1)


@given(energies, triples(least=1.0), triples())
def test_the_central_value_alone_is_the_value_of_the_footprint(
    energy: Bounds[Energy], pue: tuple[float, float, float], grid: tuple[float, float, float]
) -> None:
    """Rows of a run and its record say the same, to the last bit."""
    assert footprint(energy, pue_of(*pue), intensity_of(*grid)).value == mass_of(
        energy.value, pue_of(*pue), intensity_of(*grid)
    )


def test_two_kilowatt_hours_of_250_grams_are_half_a_kilogram() -> None:
    """An intensity is in grams for a kilowatt-hour."""
    mass = mass_of(Energy.from_joules(7_200_000), pue_of(1.0, 1.0, 1.0), intensity_of(250, 250, 250))

    assert 500 == pytest.approx(mass.grams)


def test_a_footprint_by_hand() -> None:
    """One kWh ±10 %, PUE 1.0 to 2.0 and 100 to 400 g/kWh: every end of the range is the product of the ends."""
    energy = around(Energy.from_joules(3_600_000), 0.1)
    priced = footprint(energy, pue_of(1.0, 1.5, 2.0), intensity_of(100, 200, 400))

    assert priced.value.grams == pytest.approx(300)
    assert (priced.low.grams, priced.high.grams) == pytest.approx((90, 880))
