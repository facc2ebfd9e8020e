"""The table of country factors: its own sanity, and how places are found in it."""

from __future__ import annotations

import pickle
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError, UnknownRegion
from lightning_carbon.grid.factors import WORLD, Factor, intensity_of, regions

rows = st.sampled_from(regions())
codes = rows.flatmap(lambda row: st.sampled_from([row.iso2, row.iso3]))


def test_values_lie_in_their_ranges() -> None:
    """No row's value is outside its own range, and none is zero: no electricity is free of emissions over its life."""
    outside = [row.name for row in regions() if not 0 < row.low <= row.grams_per_kilowatt_hour <= row.high < 2000]

    assert outside == []


def test_every_row_states_its_year_basis_and_source() -> None:
    """A factor without a year, a basis or a source is of no use to whoever has to report it."""
    incomplete = [row.name for row in regions() if not (2020 <= row.year <= 2025 and row.basis and row.source)]

    assert incomplete == []


def test_codes_are_unique_and_well_formed() -> None:
    """One code leads to one row."""
    countries = [row for row in regions() if row.iso3 != WORLD]
    found = {code for row in countries for code in (row.iso2, row.iso3)}

    assert len(found) == 2 * len(countries) > 400
    assert all(len(row.iso2) == 2 and len(row.iso3) == 3 and (row.iso2 + row.iso3).isupper() for row in countries)


@pytest.mark.parametrize(
    ("code", "grams_per_kilowatt_hour"),
    [
        ("SE", 35.26),
        ("USA", 384.40),
        ("FRA", 41.44),
        ("DEU", 329.65),
        ("GBR", 217.41),
        ("CHN", 525.34),
        ("IND", 670.13),
        ("WORLD", 458.29),
    ],
)
def test_published_values_for_2025(code: str, grams_per_kilowatt_hour: float) -> None:
    """The table says what Ember published for 2025."""
    found = intensity_of(code)

    assert (grams_per_kilowatt_hour, 2025) == (found.value, found.year)
    assert found.basis == "life-cycle, generation"
    assert not found.assumed


@given(row=rows)
def test_both_codes_lead_to_the_row_they_came_from(row: Factor) -> None:
    """Whatever is listed can be looked up, by either code, and comes back unchanged."""
    found = intensity_of(row.iso2)

    assert intensity_of(row.iso3) == found
    assert (row.iso3, row.year, row.source) == (found.region, found.year, found.source)
    assert (row.low, row.grams_per_kilowatt_hour, row.high) == (
        found.low,
        found.value,
        found.high,
    )


@given(code=codes, raised=st.lists(st.booleans(), min_size=5, max_size=5))
def test_case_and_surrounding_space_do_not_matter(code: str, raised: list[bool]) -> None:
    """A code is a code in any case."""
    typed = "".join(letter if up else letter.lower() for letter, up in zip(code, raised, strict=False))

    assert intensity_of(f" {typed}\n") == intensity_of(code)


def test_nowhere_is_the_world_and_says_so() -> None:
    """Nobody having said where, the world's average is taken, marked as assumed."""
    assumed, said = intensity_of(None), intensity_of(WORLD)

    assert assumed.assumed
    assert (said.value, WORLD) == (assumed.value, assumed.region)


def test_the_range_of_nowhere_holds_nine_of_ten_countries() -> None:
    """The range of an unknown place leaves one country in twenty out at either end."""
    values = sorted(row.grams_per_kilowatt_hour for row in regions() if row.iso3 != WORLD)
    assumed = intensity_of(None)
    below = bisect_left(values, assumed.low) / len(values)
    above = 1 - bisect_left(values, assumed.high) / len(values)

    assert below == pytest.approx(0.05, abs=1 / len(values))
    assert above == pytest.approx(0.05, abs=1 / len(values))
    assert assumed.low < intensity_of(WORLD).low
    assert intensity_of(WORLD).high < assumed.high


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Sweden", "SE (Sweden)"),
        ("swedn", "SE (Sweden)"),
        ("Untied States", "US (United States)"),
        ("UK", "GB (United Kingdom)"),
        ("GER", "DE (Germany)"),
        ("US-CA", "US (United States)"),
        ("us-east-1", "US (United States)"),
        ("SE3", "SE (Sweden)"),
        ("global", "WORLD"),
        ("South Korea", "KR (South Korea)"),
        ("SWW", "SE (Sweden)"),
    ],
)
def test_what_was_meant_is_named(typed: str, meant: str) -> None:
    """A country by its name, a wrong code or a part of a country is refused with the code that would work."""
    with pytest.raises(UnknownRegion) as refused:
        intensity_of(typed)

    assert meant in refused.value.near
    assert meant in str(refused.value)
    assert repr(typed) in str(refused.value)


@pytest.mark.parametrize("typed", ["", "   ", "EU", "XX", "eu-north-1", "\N{SNOWMAN}"])
def test_nothing_is_suggested_where_nothing_resembles(typed: str) -> None:
    """A hint that has nothing to do with what was typed is worse than none."""
    with pytest.raises(UnknownRegion) as refused:
        intensity_of(typed)

    assert refused.value.near == ()


@given(typed=st.text(max_size=30))
def test_any_text_is_found_or_refused_with_codes_that_work(typed: str) -> None:
    """Whatever is typed leads to a row or to an error whose hints can be looked up."""
    try:
        intensity_of(typed)
        hints: tuple[str, ...] = ()
    except UnknownRegion as refused:
        hints = refused.near

    assert {hint.split(" ")[0] for hint in hints} <= {row.iso2 for row in regions()}
    assert len(hints) <= 3


def test_the_refusal_is_a_config_error_that_survives_pickling() -> None:
    """Workers that are spawned hand their errors to the parent by pickle."""
    with pytest.raises(ConfigError) as refused:
        intensity_of("Sweden")
    copy = pickle.loads(pickle.dumps(refused.value))  # noqa: S301 (our own bytes)

    assert str(refused.value) == str(copy)
