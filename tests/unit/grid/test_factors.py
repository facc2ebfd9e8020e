"""The table of country factors: its own sanity, and how places are found in it."""

from __future__ import annotations

import pickle
from bisect import bisect_left
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import ConfigError, UnknownRegion
from lightning_carbon.grid.factors import FLOOR_RATIO, Factor, intensity_of, regions
from lightning_carbon.grid.tables import WORLD, countries, zones

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

    assert replace(intensity_of(row.iso3), typed=row.iso2) == found
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

    found = intensity_of(f" {typed}\n")

    assert replace(found, typed=code) == intensity_of(code)
    assert (typed, typed) == (found.typed, found.place)


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
    ("year", "priced", "grams"), [(2020, 2020, 242.5), (2026, 2025, 217.41), (2000, 2010, 517.2), (None, 2025, 217.41)]
)
def test_a_run_is_priced_with_its_year_or_the_nearest(year: int | None, priced: int, grams: float) -> None:
    """The factor says which year it is of."""
    found = intensity_of("GB", year)

    assert (priced, grams) == (found.year, found.value)


def test_the_range_of_a_published_year_spans_the_methods_of_that_year_alone() -> None:
    """A run of 2022 is not as uncertain as a run whose year is not out yet."""
    then, now = intensity_of("DE", 2022), intensity_of("DE", 2026)
    ember, maps = countries()["DE"].grams[2022], zones()["DE"].grams[2022]

    assert then.low == pytest.approx(min(ember * 0.88, maps), abs=0.005)
    assert then.high == pytest.approx(max(ember * 1.12, maps), abs=0.005)
    assert then.high / then.low < now.high / now.low


def test_ranges_cover_the_methods_of_other_publishers() -> None:
    """Wherever two publishers describe a country, both are in its range, and no range is narrower than the floor."""
    found = {code: intensity_of(code) for code in countries() if code in zones()}
    inside = [code for code, factor in found.items() if factor.low <= zones()[code].grams[2025] <= factor.high]
    narrow = [code for code, factor in found.items() if factor.high - factor.low < 0.23 * factor.value]

    assert (197, 197, []) == (len(found), len(inside), narrow)


def test_the_floor_is_the_median_difference_of_two_publishers() -> None:
    """The constant is what the packaged tables say, and the floor alone would hold about half of the countries."""
    both = [(countries()[code], zones()[code]) for code in countries() if code in zones()]
    apart = sorted(abs(maps.grams[2025] / ember.grams[ember.nearest(2025)] - 1) for ember, maps in both)

    assert pytest.approx(FLOOR_RATIO, abs=0.005) == apart[len(apart) // 2]
    assert sum(share <= FLOOR_RATIO for share in apart) / len(apart) == pytest.approx(0.5, abs=0.02)


def test_a_cloud_has_the_factor_that_it_publishes() -> None:
    """Google's own figure is direct and of the consumption; the range reaches to the life cycle of the place."""
    google, amazon = intensity_of("gcp:europe-west4"), intensity_of("aws:eu-north-1")

    assert (194.35, "direct, consumption", 194.35, "NLD") == (google.value, google.basis, google.direct, google.region)
    assert google.low < google.value < intensity_of("NL").value <= google.high
    assert replace(amazon, typed="SE") == intensity_of("SE")


def test_a_part_of_a_country_says_its_own_basis() -> None:
    """EPA counts what leaves the stack, which is Scope 2 and no life cycle."""
    found = intensity_of("US-CA")

    assert ("direct, generation", 2023, 179.06, "US-CA") == (found.basis, found.year, found.direct, found.region)
    assert found.low < 179.06 < zones()["US-CAL-CISO"].grams[2023] <= found.high


@pytest.mark.parametrize("typed", ["", "   ", "EU", "XX", "\N{SNOWMAN}"])
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
    except ConfigError:
        hints = ()  # a mix that does not add up

    assert all(intensity_of(hint.split(" ")[0]) for hint in hints)
    assert len(hints) <= 3


def test_the_refusal_is_a_config_error_that_survives_pickling() -> None:
    """Workers that are spawned hand their errors to the parent by pickle."""
    with pytest.raises(ConfigError) as refused:
        intensity_of("Sweeden")
    copy = pickle.loads(pickle.dumps(refused.value))  # noqa: S301 (our own bytes)

    assert str(refused.value) == str(copy)
