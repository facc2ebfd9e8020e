"""Value types: exact energy, and the only conversion factors of the package."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.units import CarbonMass, Energy, Power

energies = st.integers(-(10**18), 10**18).map(Energy)


@given(energies, energies, energies)
def test_energy_adds_exactly(first: Energy, second: Energy, third: Energy) -> None:
    """Sums and differences lose nothing, in any order, at any size."""
    assert first + (second + third) == (third + first) + second
    assert first == first + second - second
    assert first == first + Energy.ZERO


@given(st.integers(0, 2**63))
def test_millijoules_of_a_driver_convert_exactly(count: int) -> None:
    """Even a counter at the end of its 64 bits keeps every digit."""
    assert count * 1_000 == Energy.from_millijoules(count).microjoules


@given(st.floats(-1e9, 1e9))
def test_joules_round_to_the_nearest_microjoule(joules: float) -> None:
    """What a float says is off by half a microjoule at most, beside the float's own last digit."""
    energy = Energy.from_joules(joules)

    assert abs(Fraction(energy.microjoules, 10**6) - Fraction(joules)) <= Fraction(1, 10**6)
    assert energy.joules == pytest.approx(joules, abs=1e-6)


def test_a_kilowatt_hour_is_three_point_six_megajoules() -> None:
    """By definition (SI Brochure, table 8)."""
    assert Energy.from_joules(3_600_000).kilowatt_hours == 1.0
    assert Energy(1).kilowatt_hours == 1 / 3.6e12


@given(st.floats(0.001, 1e6), st.integers(1_000_000, 10**15))
def test_power_and_energy_are_inverse_over_time(watts: float, nanoseconds: int) -> None:
    """The mean power of a constant power is itself, to the rounding of one microjoule."""
    energy = Power(watts).for_nanoseconds(nanoseconds)

    assert energy.over(nanoseconds).watts == pytest.approx(watts, rel=1e-9, abs=500 / nanoseconds)


def test_a_hundred_watts_for_two_seconds_are_two_hundred_joules() -> None:
    """The units of power, time and energy fit together."""
    assert Power(100).for_nanoseconds(2_000_000_000) == Energy(200_000_000)
    assert Energy(200_000_000).over(2_000_000_000) == Power(100)


def test_a_pound_is_what_the_yard_and_pound_agreement_says() -> None:
    """0.45359237 kg, exactly, since 1959."""
    assert CarbonMass.from_pounds(1).grams == 453.59237
    assert CarbonMass(453.59237).pounds == 1.0
    assert CarbonMass(1_500).kilograms == 1.5
    assert CarbonMass.from_kilograms(1.5) == CarbonMass(1_500)
    assert CarbonMass(1_500_000).tonnes == 1.5
    assert CarbonMass(1) + CarbonMass(2) == CarbonMass(3)


@pytest.mark.parametrize("small", [Energy(1), Power(1), CarbonMass(1)])
def test_values_compare_and_do_not_change(small: Energy | Power | CarbonMass) -> None:
    """They are values: equal by content, ordered, and safe to share."""
    field = type(small).__slots__[0]
    large = type(small)(2)

    assert small < large  # type: ignore[operator]
    assert len({small, type(small)(1)}) == 1
    with pytest.raises(FrozenInstanceError):
        setattr(small, field, 3)
