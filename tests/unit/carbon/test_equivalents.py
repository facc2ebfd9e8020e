"""Which comparison is chosen for a mass, and how it reads."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.equivalents import CAR_LIFETIME, FLIGHT, REFERENCES, equivalent_of, times
from lightning_carbon.units import CarbonMass

LEAST_GRAMS = 0.16
MOST_GRAMS = 5.7e13


def test_the_four_masses_are_those_of_the_study() -> None:
    """Strubell et al. 2019, Table 1, in pounds; in tonnes as press reports have them."""
    assert [1_984, 11_023, 36_156, 126_000] == [round(reference.mass.pounds, 9) for reference in REFERENCES]
    assert ["0.90", "5.00", "16.40", "57.15"] == [f"{reference.mass.grams / 1e6:.2f}" for reference in REFERENCES]


@pytest.mark.parametrize(
    ("mass", "text"),
    [
        (CarbonMass(0.2), "1.3 seconds of an average human life"),
        (CarbonMass(2.742), "17 seconds of an average human life"),
        (CarbonMass(60), "6.3 minutes of an average human life"),
        (CarbonMass(899), "1.6 hours of an average human life"),
        (CarbonMass(2_700), "0.3 % of a New York to San Francisco return flight"),
        (CarbonMass(890_000), "99 % of a New York to San Francisco return flight"),
        (CarbonMass.from_pounds(1_984), "a New York to San Francisco return flight"),
        (CarbonMass(1.9e6), "2.11 New York to San Francisco return flights"),
        (CarbonMass(1.2e7), "2.40 years of an average human life"),
        (CarbonMass.from_pounds(78_468), "2.17 years of an average American life"),
        (CarbonMass.from_pounds(626_155), "4.97 car lifetimes"),
        (CarbonMass(2e9), "35.0 car lifetimes"),
        (CarbonMass(5e12), "87,485 car lifetimes"),
    ],
)
def test_a_mass_is_compared_with_what_reads_naturally(mass: CarbonMass, text: str) -> None:
    """Lives, flights and cars, each for the masses that they fit."""
    equivalent = equivalent_of(mass)

    assert equivalent is not None
    assert text == equivalent.text


@pytest.mark.parametrize("grams", [0.0, 1e-6, 0.15, 6e13, 1e300, float("inf"), float("nan"), -5.0])
def test_what_nobody_can_picture_is_compared_with_nothing(grams: float) -> None:
    """Less than a second of a life, more than a million cars, and what is no mass."""
    assert equivalent_of(CarbonMass(grams)) is None


def test_the_sentence_says_what_is_included_and_who_said_so() -> None:
    """A comparison carries its source, and what its figure holds, where that needs saying."""
    car, life = equivalent_of(CarbonMass(2.8402e8)), equivalent_of(CarbonMass(2.742))

    assert car is not None
    assert life is not None
    assert "about as much as 4.97 car lifetimes (fuel included; Strubell et al. 2019)" == car.sentence
    assert "about as much as 17 seconds of an average human life (Strubell et al. 2019)" == life.sentence


@given(st.floats(LEAST_GRAMS, MOST_GRAMS))
def test_the_figure_in_the_words_is_never_absurd(grams: float) -> None:
    """From a sixth of a gram to a million cars: no exponent, nothing like 0.0, and no share of 100 % or more."""
    equivalent = equivalent_of(CarbonMass(grams))

    assert equivalent is not None
    number = re.match(r"[\d,]*\.?\d*", equivalent.text)
    assert number is not None
    figure = float((number[0] or "1").replace(",", ""))
    assert "e+" not in equivalent.text
    assert 0.1 <= figure <= 1_000_000
    if "%" in equivalent.text:
        assert figure < 100


@given(st.floats(LEAST_GRAMS, MOST_GRAMS))
def test_a_comparison_gives_the_mass_back(grams: float) -> None:
    """So many times the thing is the mass, whichever thing was chosen."""
    equivalent = equivalent_of(CarbonMass(grams))

    assert equivalent is not None
    assert grams == pytest.approx(equivalent.times * equivalent.reference.mass.grams)


@given(st.lists(st.floats(LEAST_GRAMS, MOST_GRAMS), min_size=2, max_size=9))
def test_a_larger_mass_is_never_compared_with_a_smaller_thing(masses: list[float]) -> None:
    """From the share of a flight on; below that a life's seconds lead up to it."""
    chosen = [equivalent_of(CarbonMass(grams)) for grams in sorted(masses) if grams >= 900]
    sizes = [comparison.reference.mass for comparison in chosen if comparison is not None]

    assert all(early <= late for early, late in pairwise(sizes))


@given(st.floats(0, 1e15), st.floats(0, 1e15))
def test_comparing_is_linear(first: float, second: float) -> None:
    """Two masses together are as many flights as each of them, together."""
    both = times(CarbonMass(first) + CarbonMass(second), FLIGHT)

    assert both == pytest.approx(times(CarbonMass(first), FLIGHT) + times(CarbonMass(second), FLIGHT))
    assert times(CAR_LIFETIME.mass, CAR_LIFETIME) == 1.0
