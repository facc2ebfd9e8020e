"""From readings to a curve: nothing lost, nothing invented, nothing changed afterwards."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.curve import FOREVER_NS
from lightning_carbon.energy.plausibility import GIVE_UP_NS
from lightning_carbon.energy.readings import CounterReading, GaugeReading
from lightning_carbon.energy.timeline import STILL_AFTER_NS, CounterTimeline, GaugeTimeline, Timeline
from lightning_carbon.units import Energy, Power
from tests.strategies import (
    MILLISECOND,
    SECOND,
    Readings,
    counted,
    counts,
    gauged,
    moments,
    powers,
    random_counts,
    timelines,
)


def reading(at_ns: int, microjoules: int) -> CounterReading:
    """A counter's count at a moment."""
    return CounterReading(at_ns, Energy(microjoules))


def drawn(timeline: Timeline) -> list[tuple[int, int]]:
    """Height and covered time all along a curve."""
    assert timeline.curve is not None
    start, end = timeline.curve.start_ns, timeline.curve.end_ns
    at = [start + (end - start) * part // 97 for part in range(98)]
    return [(timeline.height(moment), timeline.covered(moment)) for moment in at]


# What holds for every timeline


@given(timelines(), st.data())
def test_windows_that_tile_a_run_sum_to_it(timeline: Timeline, data: st.DataObject) -> None:
    """However a run is cut into windows, not a microjoule is lost or invented."""
    cuts = data.draw(moments(timeline, min_size=2))
    parts = [timeline.between(a, b) for a, b in pairwise(cuts)]

    assert timeline.between(cuts[0], cuts[-1]) == sum(parts, start=Energy.ZERO)


@given(timelines(), st.data())
def test_heights_never_fall_and_coverage_is_a_share(timeline: Timeline, data: st.DataObject) -> None:
    """No window has negative energy, and none is covered less than not at all or more than wholly."""
    for earlier, later in pairwise(data.draw(moments(timeline, min_size=2))):
        assert timeline.between(earlier, later) >= Energy.ZERO
        assert 0 <= timeline.coverage_ratio(earlier, later) <= 1


@given(timelines(), st.data())
def test_forgetting_the_past_changes_nothing_after_it(timeline: Timeline, data: st.DataObject) -> None:
    """From the given moment on, every window keeps its energy."""
    cuts = data.draw(moments(timeline, min_size=2))
    before = [(timeline.height(at), timeline.covered(at)) for at in cuts]
    timeline.trim(cuts[0])

    assert before == [(timeline.height(at), timeline.covered(at)) for at in cuts]


@pytest.mark.parametrize("timeline", [CounterTimeline(), GaugeTimeline(max_gap_ns=SECOND)])
def test_a_timeline_that_has_no_reading_covers_nothing(timeline: Timeline) -> None:
    """It is flat, its watermark says that nothing is settled, and an empty interval lacks nothing."""
    timeline.trim(5)

    assert timeline.watermark_ns == -1
    assert timeline.between(0, 10) == Energy.ZERO
    assert (timeline.coverage_ratio(0, 10), timeline.coverage_ratio(10, 10)) == (0.0, 1.0)


@given(timelines())
def test_an_ended_timeline_takes_no_more_readings(timeline: Timeline) -> None:
    """Its curve is final, for ever."""
    before = drawn(timeline)
    if isinstance(timeline, CounterTimeline):
        timeline.append(reading(10**17, 10**17))
    elif isinstance(timeline, GaugeTimeline):
        timeline.append(GaugeReading(10**17, Power(100)))
    timeline.end()

    assert timeline.ended
    assert timeline.watermark_ns == FOREVER_NS
    assert before == drawn(timeline)


# Counters


@given(counts, st.booleans())
def test_what_a_counter_counted_is_what_its_curve_rises(series: Readings, ticking: bool) -> None:  # noqa: FBT001
    """Wherever the jumps are placed, their energy is all there once the timeline has ended, to the microjoule."""
    timeline = counted(series, ticking=ticking)
    timeline.end()

    assert series[-1].energy - series[0].energy == timeline.between(-FOREVER_NS, FOREVER_NS)
    assert timeline.coverage_ratio(series[0].at_ns, series[-1].at_ns) == 1.0


@given(counts, st.booleans(), st.data())
def test_later_readings_do_not_change_the_settled_past(series: Readings, ticking: bool, data: st.DataObject) -> None:  # noqa: FBT001
    """Up to the watermark every height stays, whatever comes, the end included; and the watermark never falls."""
    timeline = counted(series[:1], ticking=ticking)
    settled: dict[int, tuple[int, int]] = {}
    mark = timeline.watermark_ns
    for count in series[1:]:
        timeline.append(count)
        assert mark <= timeline.watermark_ns <= count.at_ns
        mark = timeline.watermark_ns
        if mark >= 0:
            at = data.draw(st.sampled_from([mark, mark - 1, (mark + series[0].at_ns) // 2]))
            settled[at] = (timeline.height(at), timeline.covered(at))
    timeline.close(series[-1].at_ns)

    assert settled == {at: (timeline.height(at), timeline.covered(at)) for at in settled}


@given(counts, st.booleans(), st.integers(0, 10**6))
def test_wrapping_is_invisible(series: Readings, ticking: bool, extra: int) -> None:  # noqa: FBT001
    """A count that starts again from zero, at any range of more than twice the largest rise, gives the same curve."""
    largest = max(b.energy.microjoules - a.energy.microjoules for a, b in pairwise(series))
    modulus = 2 * largest + 1 + extra
    wrapped = [reading(count.at_ns, count.energy.microjoules % modulus) for count in series]
    plain, wrapping = counted(series, ticking=ticking), counted(wrapped, ticking=ticking, wraps_at=Energy(modulus))
    plain.end()
    wrapping.end()

    assert drawn(plain) == drawn(wrapping)


@given(random_counts(min_size=2), random_counts(min_size=2), st.none() | st.just(Energy(10**15)))
def test_a_reset_leaves_a_gap_and_nothing_else(before: Readings, after: Readings, wraps_at: Energy | None) -> None:
    """A counter that starts over, as after a reloaded driver, loses what nobody saw, and says so by its coverage."""
    after.append(reading(after[-1].at_ns + GIVE_UP_NS, after[-1].energy.microjoules))
    before = [CounterReading(count.at_ns, count.energy + after[-1].energy + Energy(1)) for count in before]
    last_ns = before[-1].at_ns
    shift = last_ns + 17 - after[0].at_ns
    later = [reading(count.at_ns + shift, count.energy.microjoules) for count in after]
    timeline = counted([*before, *later], wraps_at=wraps_at)
    timeline.end()

    seen = (before[-1].energy - before[0].energy) + (after[-1].energy - after[0].energy)
    assert seen == timeline.between(-FOREVER_NS, FOREVER_NS)
    assert timeline.between(last_ns, last_ns + 17) == Energy.ZERO
    assert timeline.coverage_ratio(last_ns, last_ns + 17) == 0.0
    assert timeline.coverage_ratio(later[0].at_ns, later[-1].at_ns) == 1.0


def test_a_count_that_fell_has_wrapped_if_it_rose_by_less_than_half_of_the_range() -> None:
    """Less than half of the range since the last reading is a wrap, more is not believed."""
    wrap = counted([reading(0, 900), reading(10, 100)], wraps_at=Energy(1_000), ticking=False)
    reset = counted([reading(0, 900), reading(10, 500)], wraps_at=Energy(1_000), ticking=False)

    assert (Energy(200), 1.0) == (wrap.between(0, 10), wrap.coverage_ratio(0, 10))
    assert (Energy(0), 0.0) == (reset.between(0, 10), reset.coverage_ratio(0, 10))


@given(counts, st.integers(2, 1_000))
def test_twice_the_power_is_twice_the_energy(series: Readings, factor: int) -> None:
    """A counter that counts faster has the same knots, so many times as high."""
    low = counted(series)
    high = counted([reading(count.at_ns, count.energy.microjoules * factor) for count in series])
    low.end()
    high.end()

    for (small, covered), (large, as_covered) in zip(drawn(low), drawn(high), strict=True):
        assert 0 <= large - factor * small < factor
        assert covered == as_covered


@given(counts, st.data())
def test_readings_that_come_late_or_twice_are_ignored(series: Readings, data: st.DataObject) -> None:
    """A reading that is not after the last one changes nothing, whatever it says."""
    plain, disturbed = CounterTimeline(), CounterTimeline()
    for count in series:
        plain.append(count)
        disturbed.append(count)
        disturbed.append(reading(data.draw(st.integers(0, count.at_ns)), 5))
    plain.end()
    disturbed.end()

    assert drawn(plain) == drawn(disturbed)


def test_a_counter_that_stands_still_does_not_hold_up_the_rest() -> None:
    """After a second without a move it is taken to stand still: the watermark goes on, and the time is covered."""
    timeline = counted([reading(at * 100 * MILLISECOND, 7) for at in range(51)])
    late = 5 * SECOND - STILL_AFTER_NS - 100 * MILLISECOND

    assert late <= timeline.watermark_ns
    assert timeline.between(0, late) == Energy.ZERO
    assert timeline.coverage_ratio(0, late) == 1.0
    assert not timeline.learning


@pytest.mark.parametrize("moves_after", [1, 30])
def test_a_counter_that_stood_still_goes_on(moves_after: int) -> None:
    """Energy after the rest belongs after the rest, and is all there."""
    counts = [7] * moves_after + [1_000] * 40
    timeline = counted([reading(at * 100 * MILLISECOND, count) for at, count in enumerate(counts)])

    assert timeline.between(0, timeline.watermark_ns) == Energy(993)
    assert timeline.height(moves_after * 100 * MILLISECOND - 2 * STILL_AFTER_NS) == 0


def test_a_model_that_stands_still_is_taken_at_its_word() -> None:
    """A modelled counter has no beat to wait for, so every reading settles the time before it."""
    timeline = counted([reading(0, 7), reading(10, 7), reading(20, 9)], ticking=False)

    assert (timeline.watermark_ns, timeline.height(10), timeline.height(20)) == (20, 0, 2)
    assert timeline.period_ns is None
    assert not timeline.learning


def test_the_part_of_the_first_jump_from_before_the_meter_is_told_apart() -> None:
    """A counter that jumped 30 ms before the first reading had 30 % of its next jump counted already then."""
    jumps = [at * 100 * MILLISECOND for at in range(8)]
    stamps = range(30 * MILLISECOND, 700 * MILLISECOND, MILLISECOND)
    timeline = counted([reading(at, 1_000 * sum(jump <= at for jump in jumps)) for at in stamps])

    assert timeline.period_ns == pytest.approx(100 * MILLISECOND, abs=MILLISECOND)
    assert timeline.between(30 * MILLISECOND, 100 * MILLISECOND).microjoules == pytest.approx(700, abs=10)
    assert timeline.between(100 * MILLISECOND, 500 * MILLISECOND).microjoules == pytest.approx(4_000, abs=10)


def test_learning_ends_with_the_timeline() -> None:
    """Nobody has to read more often for a counter that is not read any more."""
    timeline = counted([reading(0, 7)])

    assert timeline.learning
    timeline.end()
    assert not timeline.learning


@pytest.mark.parametrize("microjoules", [7, 8])
def test_closing_waits_for_no_jump(microjoules: int) -> None:
    """Time up to the moment of closing is covered, whether or not the counter ever moved; time after it is not."""
    timeline = counted([reading(0, 7), reading(10, microjoules), reading(20, microjoules), reading(30, microjoules)])
    timeline.close(20)

    assert timeline.watermark_ns == FOREVER_NS
    assert timeline.between(0, 20) == Energy(microjoules - 7)
    assert timeline.coverage_ratio(0, 20) == 1.0
    assert timeline.coverage_ratio(20, 40) == 0.0


def jumping(stamps: list[int], power: int = 300) -> Readings:
    """What a counter shows at these milliseconds that counts 300 W and jumps every 100 ms, the first time at 43 ms."""
    return [reading(at * MILLISECOND, power * 100_000 * ((at + 57) // 100)) for at in stamps]


OFTEN = list(range(0, 1_105, 5))


@pytest.mark.parametrize(
    ("on_jump", "later", "last_ms"),
    [
        (1_644, [1_645, 1_650, 1_655], 1_643),  # the next readings show no move: it had come
        (1_641, [1_646], 1_643),  # the next reading shows one: it had not, and both jumps are known
        (1_644, [1_800], 1_743),  # two may have come since: the likelier is taken, and the next is sure again
    ],
)
def test_a_reading_upon_a_jump_is_settled_by_the_next(on_jump: int, later: list[int], last_ms: int) -> None:
    """What a reading within the range of an expected jump has seen is left open until another tells."""
    timeline = counted(jumping([*OFTEN, 1_500, on_jump]))
    held_ns = timeline.watermark_ns
    for count in jumping(later):
        timeline.append(count)

    assert held_ns == pytest.approx(1_443 * MILLISECOND, abs=6 * MILLISECOND)
    assert timeline.watermark_ns == pytest.approx(last_ms * MILLISECOND, abs=6 * MILLISECOND)
    assert timeline.between(1_200 * MILLISECOND, 1_600 * MILLISECOND).joules == pytest.approx(120, rel=0.03)


def test_a_doubt_wants_another_reading_soon() -> None:
    """While it is open the sampler is asked to read often, or once where the jump must have come, and no longer."""
    timeline = counted(jumping([*OFTEN, 1_500]))
    states, until = [timeline.learning], [timeline.in_doubt_until_ns]
    for count in jumping([1_644, 1_646, 1_655]):
        timeline.append(count)
        states.append(timeline.learning)
        until.append(timeline.in_doubt_until_ns)

    assert states == [False, True, True, False]
    assert [None, pytest.approx(1_648 * MILLISECOND, abs=6 * MILLISECOND), until[1], None] == until


def test_a_gauge_leaves_nothing_open() -> None:
    """It has no count that later readings explain, and no jumps."""
    timeline = GaugeTimeline(max_gap_ns=SECOND)

    assert not timeline.is_held
    assert timeline.in_doubt_until_ns is None


@pytest.mark.parametrize("end", ["close", "reset", "still"])
def test_a_doubt_that_nothing_settles_loses_no_energy(end: str) -> None:
    """The likelier jump is taken where the run ends, the counter is reset or stands still meanwhile."""
    series = jumping([*OFTEN, 1_500, 1_644])
    timeline = counted(series)
    if end == "reset":
        timeline.append(reading(1_645 * MILLISECOND, 5))
    elif end == "still":
        timeline.append(CounterReading(2_900 * MILLISECOND, series[-1].energy))
    timeline.end()

    assert series[-1].energy - series[0].energy == timeline.between(-FOREVER_NS, FOREVER_NS)


# Gauges


@given(st.floats(0, 1_000), st.floats(0, 100), st.lists(st.integers(1, SECOND), min_size=1, max_size=30))
def test_a_power_that_rises_steadily_is_integrated_exactly(watts: float, slope: float, gaps: list[int]) -> None:
    """The trapezoid is exact for it, to a microjoule over the whole, however irregular the readings are."""
    stamps = [sum(gaps[:count]) for count in range(len(gaps) + 1)]
    timeline = gauged([GaugeReading(at, Power(watts + slope * at / SECOND)) for at in stamps])
    seconds = stamps[-1] / SECOND
    joules = watts * seconds + slope * seconds**2 / 2

    assert timeline.between(0, stamps[-1]).joules == pytest.approx(joules, rel=1e-9, abs=2e-6)
    assert timeline.coverage_ratio(0, stamps[-1]) == 1.0
    assert timeline.watermark_ns == stamps[-1]


def test_silence_of_a_gauge_is_not_filled() -> None:
    """Readings too far apart cover nothing and add nothing; readings just close enough do."""
    timeline = gauged([GaugeReading(at, Power(100)) for at in (0, 10, 21)], max_gap_ns=10)

    assert (Energy(1), Energy(0)) == (timeline.between(0, 10), timeline.between(10, 21))
    assert (1.0, 0.0) == (timeline.coverage_ratio(0, 10), timeline.coverage_ratio(10, 21))


@given(powers(min_size=2), st.integers(1, 40))
def test_later_powers_do_not_change_the_settled_past(series: list[GaugeReading], count: int) -> None:
    """Up to the last reading every height stays, whatever comes."""
    count = min(count, len(series))
    timeline = gauged(series[:count])
    before = drawn(timeline)
    start, end = series[0].at_ns, series[count - 1].at_ns
    for later in series[count:]:
        timeline.append(later)
    timeline.close(series[-1].at_ns)

    at = [start + (end - start) * part // 97 for part in range(98)]
    assert before == [(timeline.height(moment), timeline.covered(moment)) for moment in at]


@given(powers())
def test_powers_that_come_late_or_twice_are_ignored(series: list[GaugeReading]) -> None:
    """A repeated power is kept where time has passed, and dropped where it has not."""
    doubled = [again for count in series for again in (count, GaugeReading(count.at_ns, Power(1e6)))]

    assert drawn(gauged(series)) == drawn(gauged(doubled))
