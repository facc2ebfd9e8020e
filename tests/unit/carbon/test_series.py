"""An energy priced by a series of carbon intensities, interval by interval: the laws, and one day by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.carbon.series import (
    EnergyProfile,
    IntensitySeries,
    SeriesUse,
    joined,
    steps_of,
    use_of,
    windows_of,
)
from tests.unit.carbon.test_footprint import intensity_of

HOUR = 3600.0
REST = intensity_of(200.0, 300.0, 500.0)


def hourly(*grams: float, start: float = 0.0) -> IntensitySeries:
    """A series with a value for each hour."""
    return IntensitySeries(*steps_of((start + hour * HOUR, value) for hour, value in enumerate(grams)))


@st.composite
def serieses(draw: st.DrawFn) -> IntensitySeries:
    """A series with gaps, in whole seconds."""
    gaps = draw(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 100)), min_size=1, max_size=12))
    starts, ends, at = [], [], float(draw(st.integers(0, 100)))
    for gap, length in gaps:
        starts.append(at + gap)
        ends.append(at + gap + length)
        at = ends[-1]
    grams = draw(st.lists(st.floats(0, 2_000), min_size=len(starts), max_size=len(starts)))
    return IntensitySeries(tuple(starts), tuple(ends), tuple(grams))


@st.composite
def profiles(draw: st.DrawFn) -> EnergyProfile:
    """The energy of a run with an uneven power; some of it all at once."""
    steps = draw(st.lists(st.tuples(st.integers(0, 200), st.floats(0, 1e6)), min_size=1, max_size=12))
    start = draw(st.integers(0, 300))
    seconds = list(accumulate((float(length) for length, _ in steps), initial=float(start)))
    return EnergyProfile(seconds, list(accumulate((joules for _, joules in steps), initial=0.0)))


def price_of(use: SeriesUse) -> tuple[float, float]:
    """The covered share, and that share times its mean: what the price of a run follows from."""
    return use.covered_ratio, use.covered_ratio * (use.grams_per_kilowatt_hour or 0.0)


@given(series=serieses(), profile=profiles(), where=st.data())
def test_a_series_cut_and_joined_prices_the_same(
    series: IntensitySeries, profile: EnergyProfile, where: st.DataObject
) -> None:
    """However an interval is cut in two of the same value, the price stays."""
    place = where.draw(st.integers(0, len(series.starts) - 1))
    start, end = series.starts[place], series.ends[place]
    middle = start + (end - start) * where.draw(st.floats(0.1, 0.9))
    cut = replace(
        series,
        starts=(*series.starts[: place + 1], middle, *series.starts[place + 1 :]),
        ends=(*series.ends[:place], middle, *series.ends[place:]),
        grams=(*series.grams[: place + 1], *series.grams[place:]),
    )

    assert price_of(use_of(profile, series, REST)) == pytest.approx(
        price_of(use_of(profile, cut, REST)), rel=1e-9, abs=1e-9
    )


@given(profile=profiles(), grams=st.floats(0, 2_000))
def test_a_constant_series_prices_as_its_constant(profile: EnergyProfile, grams: float) -> None:
    """Where every hour is the same, the power of the run does not matter."""
    use = use_of(profile, IntensitySeries((0.0, 400.0), (400.0, 5_000.0), (grams, grams)), REST)

    if profile.joules[-1] > 0:
        assert 1.0 == pytest.approx(use.covered_ratio)
        assert grams == use.grams_per_kilowatt_hour
        assert grams == pytest.approx(use.intensity.value, abs=1e-6)
    else:
        assert use.intensity == REST


@given(series=serieses(), profile=profiles(), shift=st.integers(-(10**6), 10**6))
def test_shifting_both_clocks_changes_nothing(series: IntensitySeries, profile: EnergyProfile, shift: int) -> None:
    """Only the distance between the series and the run matters."""
    moved = replace(
        series,
        starts=tuple(start + shift for start in series.starts),
        ends=tuple(end + shift for end in series.ends),
    )
    later = EnergyProfile([at + shift for at in profile.seconds], profile.joules)

    assert price_of(use_of(profile, series, REST)) == pytest.approx(price_of(use_of(later, moved, REST)))


@given(series=serieses(), first=profiles(), second=profiles())
def test_ranks_price_as_their_sum(series: IntensitySeries, first: EnergyProfile, second: EnergyProfile) -> None:
    """What two ranks emit together is what each emits."""
    uses = [(use_of(profile, series, REST), profile.joules[-1]) for profile in (first, second)]
    both = joined(uses)
    total = sum(joules for _, joules in uses)

    expected = sum(use.intensity.value * joules for use, joules in uses)
    assert expected == pytest.approx(both.intensity.value * total, rel=1e-9, abs=1e-6)
    assert sum(use.covered_ratio * joules for use, joules in uses) == pytest.approx(both.covered_ratio * total)


@given(series=serieses(), profile=profiles())
def test_the_price_lies_within_what_it_is_made_of(series: IntensitySeries, profile: EnergyProfile) -> None:
    """No mean is outside the values that it is a mean of, and ranges hold their value."""
    use = use_of(profile, series, REST)

    assert 0 <= use.covered_ratio <= 1
    assert use.intensity.low <= use.intensity.value <= use.intensity.high
    if use.grams_per_kilowatt_hour is not None:
        assert use.least is not None
        assert use.greatest is not None
        assert min(series.grams) <= use.least <= use.grams_per_kilowatt_hour <= use.greatest <= max(series.grams)


def test_a_run_is_weighted_by_energy_and_not_by_time() -> None:
    """An hour at 3 kW and 100 g, then one at 1 kW and 500 g: (3 x 100 + 1 x 500) / 4 = 200 g/kWh."""
    use = use_of(EnergyProfile([0.0, HOUR, 2 * HOUR], [0.0, 10.8e6, 14.4e6]), hourly(100.0, 500.0), REST)

    assert (1.0, 200.0) == pytest.approx((use.covered_ratio, use.grams_per_kilowatt_hour))
    assert (100.0, 500.0) == (use.least, use.greatest)
    assert ("given", "as given", None, False) == (
        use.intensity.source,
        use.intensity.basis,
        use.intensity.year,
        use.intensity.assumed,
    )


def test_what_a_series_lacks_is_priced_by_the_other_factor() -> None:
    """Half of the energy lies after the end of the series: half of its price, with its range, is that of the region."""
    use = use_of(EnergyProfile([0.0, 2 * HOUR], [0.0, 7.2e6]), hourly(100.0), REST)

    assert 0.5 == pytest.approx(use.covered_ratio)
    assert (150.0, 200.0, 300.0) == pytest.approx((use.intensity.low, use.intensity.value, use.intensity.high))
    assert ("SWE", 2024, "given; the rest: a test") == (
        use.intensity.region,
        use.intensity.year,
        use.intensity.source,
    )


def test_a_marginal_series_prices_no_run() -> None:
    """Marginal factors stand beside the average ones, and are never mixed with them."""
    use = use_of(EnergyProfile([0.0, HOUR], [0.0, 3.6e6]), replace(hourly(700.0), signal="marginal"), REST)

    assert pytest.approx(700.0) == use.grams_per_kilowatt_hour
    assert use.intensity == REST


def test_a_region_that_was_assumed_is_not_that_of_a_series_that_covers_all() -> None:
    """Nothing is assumed of the place where the series covers the run; the zone of the series is named where known."""
    assumed = replace(REST, assumed=True)
    profile = EnergyProfile([0.0, HOUR], [0.0, 3.6e6])

    assert "custom" == use_of(profile, hourly(100.0), assumed).intensity.region
    assert "DE" == use_of(profile, replace(hourly(100.0), region="DE"), assumed).intensity.region


def test_an_energy_of_a_moment_lies_in_its_interval() -> None:
    """What was used all at once belongs to the interval that began before or then, and to none in a gap."""
    series = hourly(100.0, 500.0)

    assert pytest.approx(500.0) == use_of(EnergyProfile([HOUR, HOUR], [0.0, 1.0]), series, REST).grams_per_kilowatt_hour
    assert use_of(EnergyProfile([5 * HOUR, 5 * HOUR], [0.0, 1.0]), series, REST).grams_per_kilowatt_hour is None


def test_nothing_is_covered_where_nothing_was_used() -> None:
    """A run without energy, and a series without a value, leave the other factor."""
    empty = IntensitySeries((), (), ())

    assert use_of(EnergyProfile([], []), hourly(1.0), REST).intensity == REST
    assert use_of(EnergyProfile([0.0, HOUR], [0.0, 1.0]), empty, REST).intensity == REST
    assert use_of(EnergyProfile([1.0, 1.0], [0.0, 1.0]), empty, REST).intensity == REST
    nothing = use_of(EnergyProfile([], []), empty, REST)
    assert nothing == joined([(nothing, 0.0), (nothing, 0.0)])
    assert nothing == joined([(nothing, 1.0)])


def test_a_value_holds_until_the_next_or_as_long_as_most() -> None:
    """A missing hour is a gap, and the last value holds for an hour, too; a single value holds for an hour."""
    series = IntensitySeries(*steps_of([(4 * HOUR, 4.0), (0.0, 1.0), (HOUR, 2.0)]))

    assert (0.0, HOUR, 4 * HOUR) == series.starts
    assert (HOUR, 2 * HOUR, 5 * HOUR) == series.ends
    assert (1.0, 2.0, 4.0) == series.grams
    assert ((7.0,), (7.0 + HOUR,), (1.0,)) == steps_of([(7.0, 1.0)])
    assert ((), (), ()) == steps_of([])
    assert 3 * HOUR == series.seconds
    assert 7 / 3 == pytest.approx(series.mean_grams)


def test_windows_are_means_and_never_reach_into_a_gap() -> None:
    """A job of two hours may begin in any hour that has the next; of an hour and a half, the last counts half."""
    series = IntensitySeries(*steps_of([(0.0, 1.0), (HOUR, 2.0), (2 * HOUR, 6.0), (9 * HOUR, 4.0)]))

    assert [(0.0, 1.5), (HOUR, 4.0)] == windows_of(series, 2 * HOUR)
    assert [2 / 1.5, 5 / 1.5] == pytest.approx([window.grams for window in windows_of(series, 1.5 * HOUR)])
    assert [1.0, 2.0, 6.0, 4.0] == [window.grams for window in windows_of(series, HOUR)]
    assert [] == windows_of(series, 4 * HOUR)
