"""Figures for people: small is not nothing, and large fits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.records.numbers import (
    CO2E,
    ENERGY,
    POWER,
    WATT_HOURS,
    WIDTH,
    Scale,
    amount,
    digits,
    duration,
    percent,
    printable,
    shorten,
    signed_percent,
    span,
    table,
    wrap,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.00313, "0.00313"),
        (0.5, "0.500"),
        (1.0, "1.00"),
        (12.34, "12.3"),
        (999.4, "999"),
        (1.5e6, "1,500,000"),
        (math.inf, "inf"),
    ],
)
def test_three_digits_count(value: float, text: str) -> None:
    """Without an exponent, and without digits that nobody measured behind the point."""
    assert text == digits(value)


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [
        (0.0, ENERGY, "0 J"),
        (2.5e-7, ENERGY, "0.250 µJ"),
        (0.002, ENERGY, "2.00 mJ"),
        (845.0, ENERGY, "845 J"),
        (12_345.0, ENERGY, "12.3 kJ"),
        (3.6e6, ENERGY, "1.00 kWh"),
        (7.2e9, ENERGY, "2.00 MWh"),
        (3_600.0, WATT_HOURS, "1.00 Wh"),
        (0.36, WATT_HOURS, "0.100 mWh"),
        (0.0, WATT_HOURS, "0 Wh"),
        (700.0, POWER, "700 W"),
        (10_200.0, POWER, "10.2 kW"),
        (0.0031, CO2E, "0.00310 gCO2e"),
        (0.0005, CO2E, "0.500 mgCO2e"),
        (3.1e-6, CO2E, "3.10 µgCO2e"),
        (652_000.0, CO2E, "652 kgCO2e"),
        (25e6, CO2E, "25.0 tCO2e"),
    ],
)
def test_amounts_have_the_unit_that_suits_them(value: float, scale: Scale, text: str) -> None:
    """From a microjoule to a megawatt-hour, from a microgram to tonnes."""
    assert text == amount(value, scale)


@given(st.floats(1e-300, 1e30), st.sampled_from([ENERGY, WATT_HOURS, POWER, CO2E]))
def test_what_is_small_is_not_shown_as_nothing(value: float, scale: Scale) -> None:
    """However small, some digit is not zero; and it is right to half a percent."""
    number, unit = amount(value, scale).replace(",", "").split()
    size = next(unit_of_scale.size for unit_of_scale in scale.units if unit_of_scale.name == unit)

    assert float(number) * size == pytest.approx(value, rel=0.006)


@pytest.mark.parametrize(
    ("low", "high", "like", "text"),
    [(900.0, 1_200.0, 1_000.0, "0.900 to 1.20 kJ"), (0.0, 5.0, 0.0, "0 to 5.00 J"), (0.0, 0.0, 0.0, "0 to 0 J")],
)
def test_ranges_are_in_the_unit_of_their_value(low: float, high: float, like: float, text: str) -> None:
    """So that the three can be compared at a glance."""
    assert text == span(low, high, ENERGY, like=like)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.0, "0.0 %"), (0.0004, "<0.1 %"), (0.5, "50.0 %"), (0.9999, ">99.9 %"), (1.0, "100.0 %"), (1.2, "120.0 %")],
)
def test_shares_tell_a_little_from_nothing_and_almost_all_from_all(ratio: float, text: str) -> None:
    """A run that was covered but for a moment does not read as covered wholly."""
    assert text == percent(ratio)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.250 s"),
        (59.4, "59.4 s"),
        (59.6, "1 min 0 s"),
        (3_599.0, "59 min 59 s"),
        (3_900.0, "1 h 5 min"),
        (90_000.0, "1 d 1 h"),
    ],
)
def test_times_are_in_the_two_largest_units(seconds: float, text: str) -> None:
    """Minutes of a run of days are nobody's concern."""
    assert text == duration(seconds)


@pytest.mark.parametrize(("ratio", "text"), [(0.9, "-10.0 %"), (1.0, "+0.0 %"), (0.9999, "+0.0 %"), (3.0, "+200.0 %")])
def test_a_change_has_a_sign(ratio: float, text: str) -> None:
    """And nothing is not shown as less than nothing."""
    assert text == signed_percent(ratio)


def test_a_table_is_aligned_and_has_no_trailing_space() -> None:
    """Words to the left, numbers to the right."""
    assert table([("name", "J", ""), ("gpu", "12,345", "x")], "<><") == ["name       J", "gpu   12,345  x"]


@given(st.text(max_size=50), st.integers(1, 60))
def test_what_is_shortened_fits_and_says_so(text: str, width: int) -> None:
    """A text that fits stays as it is."""
    short = shorten(text, width)

    assert len(short) <= width
    assert short == text or short.endswith("…")


@given(st.lists(st.text("abc", min_size=1, max_size=30), max_size=60), st.integers(1, 5))
def test_wrapped_text_keeps_its_words_and_fits(words: list[str], lines: int) -> None:
    """Unless it is cut, which shows, every word is there and no line is too wide."""
    broken = wrap(" ".join(words), first="* ", rest="  ", lines=lines)

    assert len(broken) <= lines
    assert all(len(line) <= WIDTH for line in broken)
    assert broken[-1].endswith("…") or words == " ".join(broken)[2:].split()


def test_a_word_wider_than_a_line_stays_whole() -> None:
    """A path can be copied."""
    path = "/a" * 100

    assert wrap(f"see {path} there", rest="  ") == ["see", f"  {path}", "  there"]


@given(st.text())
def test_printable_text_steers_no_terminal(text: str) -> None:
    """Letter by letter, what is no letter, sign or blank becomes a blank."""
    shown = printable(text)

    assert shown.isprintable()
    assert [letter if letter.isprintable() else " " for letter in text] == list(shown)
