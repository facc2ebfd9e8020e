"""What a counter says is believed as far as its hardware can have used it: glitches leave no trace, resets a gap."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.curve import FOREVER_NS
from lightning_carbon.energy.plausibility import CEILINGS, MARGIN, ceiling_of
from lightning_carbon.energy.readings import CounterReading, Domain, Kind, Provenance, Sensor
from lightning_carbon.energy.timeline import CounterTimeline
from lightning_carbon.units import Energy, Power
from tests.strategies import MILLISECOND, SECOND

CEILING = Power(1_000.0)
TICK = 100 * MILLISECOND
WATTS = 300
RANGE = Energy.from_joules(65_532.610987)
"""The range of a RAPL counter that counts 2^32 units of 15.3 microjoules."""

bad_counts = st.integers(0, 10**15)


@st.composite
def steady_counts(draw: st.DrawFn) -> list[int]:
    """Counts of hardware of at most 500 W, read every 0.1 s, that has moved at every reading."""
    rises = draw(st.lists(st.integers(1, 50_000_000), min_size=30, max_size=60))
    return list(accumulate(rises, initial=draw(st.integers(10**9, 10**12))))


def timeline_of(counts: list[int], wraps_at: Energy | None = None, every_ns: int = TICK) -> CounterTimeline:
    """The ended timeline of counts in microjoules, read at an even pace."""
    timeline = CounterTimeline(wraps_at=wraps_at, ceiling=CEILING, ticking=False)
    for number, count in enumerate(counts):
        timeline.append(CounterReading(number * every_ns, Energy(count)))
    timeline.close((len(counts) - 1) * every_ns)
    return timeline


def total(timeline: CounterTimeline) -> int:
    """All that its curve rises, in microjoules."""
    return timeline.between(-FOREVER_NS, FOREVER_NS).microjoules


@given(steady_counts(), st.integers(2, 20), st.lists(bad_counts, min_size=1, max_size=9), st.booleans())
def test_a_glitch_leaves_no_trace(counts: list[int], start: int, bad: list[int], wraps: bool) -> None:  # noqa: FBT001
    """For up to 0.9 s a counter may show what is impossible: its curve is as high and as covered as without."""
    highest = counts[-1] + 10**9
    # Far from what can be, seen from the last believed count and from each other.
    glitch = [highest + 10**13 * (number + 1) + extra for number, extra in enumerate(bad)]
    spoilt = [*counts[:start], *glitch, *counts[start + len(glitch) :]]
    timeline = timeline_of(spoilt, Energy(10**18) if wraps else None)

    assert counts[-1] - counts[0] == total(timeline)
    assert timeline.coverage_ratio(0, (len(counts) - 1) * TICK) == 1.0


@given(steady_counts(), st.integers(2, 20), st.integers(1, 9), st.integers(0, 10**8), st.booleans())
def test_a_dip_that_comes_back_books_no_rise_for_the_way_back(
    counts: list[int],
    start: int,
    length: int,
    low: int,
    wraps: bool,  # noqa: FBT001
) -> None:
    """A count that falls to a low one for less than a second and comes back has only gone on meanwhile."""
    spoilt = [*counts[:start], *[low] * length, *counts[start + length :]]
    timeline = timeline_of(spoilt, Energy(10**18) if wraps else None)

    assert counts[-1] - counts[0] == total(timeline)
    assert timeline.coverage_ratio(0, (len(counts) - 1) * TICK) == 1.0


@given(steady_counts(), st.integers(2, 15), st.integers(0, 10**8))
def test_a_reset_costs_the_time_between_its_two_readings(counts: list[int], start: int, low: int) -> None:
    """A counter that goes on from far below has lost what was used between two readings, and that time alone."""
    after = [low + count - counts[start] for count in counts[start:]]
    timeline = timeline_of([*counts[:start], *after])

    seen = counts[start - 1] - counts[0] + counts[-1] - counts[start]
    assert seen == total(timeline)
    assert timeline.coverage_ratio((start - 1) * TICK, start * TICK) == 0.0
    assert timeline.coverage_ratio(start * TICK, (len(counts) - 1) * TICK) == 1.0


@given(st.lists(bad_counts, min_size=2, max_size=60), st.none() | st.just(RANGE))
def test_no_counts_make_more_energy_than_the_hardware_can_draw(counts: list[int], wraps_at: Energy | None) -> None:
    """Whatever a counter shows, its curve rises by the ceiling in the time at most, and a second for each reset."""
    if wraps_at is not None:
        counts = [count % wraps_at.microjoules for count in counts]
    timeline = timeline_of(counts, wraps_at)
    seconds = (len(counts) - 1) * TICK / SECOND

    assert 0 <= total(timeline) <= CEILING.watts * (2 * seconds + 3) * 1e6


def test_a_count_that_dips_for_a_moment() -> None:
    """300 W with a zero for 0.15 s are 300 W."""
    counts = [5_283_000_000 + 15_000_000 * number for number in range(33)]
    spoilt = [0 if 10 <= number <= 12 else count for number, count in enumerate(counts)]

    assert total(timeline_of(spoilt, every_ns=50 * MILLISECOND)) == 480_000_000


def test_a_count_that_is_held_back_wants_readings() -> None:
    """It is held until later counts explain it."""
    timeline = CounterTimeline(ceiling=CEILING, ticking=False)
    held = []
    for number, count in enumerate([10**9, 10**9 + 10**7, 5, 10**9 + 3 * 10**7]):
        timeline.append(CounterReading(number * TICK, Energy(count)))
        held.append(timeline.is_held)

    assert [False, False, True, False] == held


def test_a_count_that_falls_for_long_and_comes_back() -> None:
    """A zero that stands for 3 s is taken for a reset, and the way back from it for another: neither is energy."""
    counts = [400_000_000 + 30_000_000 * number for number in range(60)]
    spoilt = [0 if 10 <= number < 40 else count for number, count in enumerate(counts)]
    timeline = timeline_of(spoilt)

    assert total(timeline) == (9 + 19) * 30_000_000
    assert timeline.coverage_ratio(3_900 * MILLISECOND, 4_000 * MILLISECOND) == 0.0


def test_a_spike_at_the_first_reading() -> None:
    """A first count that no later one bears out is left behind, with the time up to the second one."""
    timeline = timeline_of([0, *(10**12 + 30_000_000 * number for number in range(20))])

    assert total(timeline) == 19 * 30_000_000
    assert timeline.coverage_ratio(0, TICK) == 0.0
    assert timeline.coverage_ratio(TICK, 20 * TICK) == 1.0


@pytest.mark.parametrize("wraps_at", [None, RANGE])
def test_a_counter_that_runs_backwards_is_none(wraps_at: Energy | None) -> None:
    """300 W backwards add nothing, and after two seconds the fault has a name."""
    timeline = CounterTimeline(wraps_at=wraps_at, ceiling=CEILING)
    for number in range(30):
        timeline.append(CounterReading(number * TICK, Energy(900_000_000 - 30_000_000 * number)))

    assert "its count runs backwards" == timeline.fault
    assert timeline.between(-FOREVER_NS, FOREVER_NS) == Energy.ZERO


def test_a_counter_that_jumps_about_is_none() -> None:
    """Jumps at every reading that no hardware makes add nothing, and after two seconds the fault has a name."""
    timeline = CounterTimeline(ceiling=CEILING)
    for number in range(40):
        timeline.append(CounterReading(number * TICK, Energy(10**13 * number)))

    assert "its count rises by more than its hardware can draw" == timeline.fault


@pytest.mark.parametrize("every_ms", [5, 100])
def test_a_counter_in_a_unit_ten_times_too_small_is_none(every_ms: int) -> None:
    """Where each rise alone might be, but not all of them together, the hardware is believed and not the counter."""
    timeline = CounterTimeline(ceiling=CEILING)
    for number in range(5_000 // every_ms):
        timeline.append(CounterReading(number * every_ms * MILLISECOND, Energy(10 * 300_000 * every_ms * number)))
        if timeline.fault is not None:
            break

    assert "its count rises by more than its hardware can draw" == timeline.fault
    assert timeline.between(-FOREVER_NS, FOREVER_NS) <= CEILING.for_nanoseconds(2 * SECOND)


def test_a_counter_of_whole_watt_hours_is_believed() -> None:
    """Its moves are far apart and large, and no larger than what its hardware draws in the time."""
    timeline = CounterTimeline(ceiling=CEILING, ticking=False)
    for second in range(61):
        timeline.append(CounterReading(second * SECOND, Energy.from_joules(3_600 * (second * 400 // 3_600))))

    assert Energy.from_joules(6 * 3_600) == timeline.between(0, 60 * SECOND)
    assert timeline.coverage_ratio(0, 60 * SECOND) == 1.0


def test_a_sensor_that_works_has_no_fault() -> None:
    """Counts that rise as they can are a counter's."""
    assert timeline_of([0, 30_000_000, 60_000_000]).fault is None


@pytest.mark.parametrize("level", [0.3, 0.7, 0.95])
def test_a_suspended_machine_resets_its_counters_anywhere_in_their_range(level: float) -> None:
    """A count that starts at zero again is a reset where a wrap would be more than was physically possible."""
    high = int(RANGE.microjoules * level)
    counts = [high + 30_000_000 * number for number in range(10)]
    timeline = timeline_of([*counts, *(30_000_000 * number for number in range(15))], RANGE)

    assert total(timeline) == (9 + 14) * 30_000_000
    assert timeline.coverage_ratio(9 * TICK, 10 * TICK) == 0.0


def test_a_wrap_that_the_hardware_can_have_counted_is_a_wrap() -> None:
    """A count that passes its range at 300 W goes on without a gap."""
    modulus = RANGE.microjoules
    timeline = timeline_of([(modulus - 100_000_000 + 30_000_000 * number) % modulus for number in range(10)], RANGE)

    assert total(timeline) == 9 * 30_000_000
    assert timeline.coverage_ratio(0, 9 * TICK) == 1.0


def test_a_gap_in_which_a_counter_may_have_wrapped_twice_is_not_covered() -> None:
    """50 W for 10 s on a range of 100 J, 6 s of it stopped: readings bear out 200 J, on 40 % of the time."""
    stamps = [*range(0, 2_001, 100), *range(8_000, 10_001, 100)]
    timeline = CounterTimeline(wraps_at=Energy.from_joules(100), ceiling=CEILING, ticking=False)
    for stamp in stamps:
        timeline.append(CounterReading(stamp * MILLISECOND, Energy(50_000 * stamp % 100_000_000)))
    timeline.end()

    assert Energy.from_joules(200) == timeline.between(0, 10 * SECOND)
    assert timeline.coverage_ratio(0, 10 * SECOND) == pytest.approx(0.4)


def test_a_long_gap_on_a_wide_range_is_covered() -> None:
    """Where the hardware cannot have wrapped its counter twice in the time, nothing is lost."""
    timeline = timeline_of([0, 30_000_000], RANGE, every_ns=20 * SECOND)

    assert (Energy(30_000_000), 1.0) == (timeline.between(0, 20 * SECOND), timeline.coverage_ratio(0, 20 * SECOND))


@pytest.mark.parametrize(("end", "joules"), [([0, 0], 570), ([0, 30_000_000], 600)])
def test_a_run_that_ends_while_counts_are_held_back(end: list[int], joules: int) -> None:
    """A counter that has begun to count from another level was reset; one that stands there has not been read."""
    timeline = timeline_of([*(10**9 + 30_000_000 * number for number in range(20)), *end])

    assert total(timeline) == joules * 1_000_000
    assert timeline.coverage_ratio(20 * TICK, 21 * TICK) == float(joules == 600)
    assert timeline.coverage_ratio(0, 19 * TICK) == 1.0
    assert timeline.coverage_ratio(19 * TICK, 20 * TICK) == 0.0


@pytest.mark.parametrize(
    ("kind", "max_power", "watts"),
    [
        (Kind.GPU, Power(700.0), 700.0 * MARGIN),
        (Kind.GPU, None, CEILINGS[Kind.GPU].watts),
        (Kind.PACKAGE, Power(4_095.0), CEILINGS[Kind.PACKAGE].watts),
    ],
)
def test_the_ceiling_of_a_sensor(kind: Kind, max_power: Power | None, watts: float) -> None:
    """It is the limit with a margin where that is known, and never more than hardware of the kind can draw."""
    sensor = Sensor(Domain(kind, "a", "a"), Provenance.COUNTER, 0.0, "test", max_power=max_power)

    assert pytest.approx(watts) == ceiling_of(sensor).watts


def test_every_kind_has_a_ceiling() -> None:
    """No kind of hardware is left without one, and larger units have higher ones."""
    assert set(Kind) == set(CEILINGS)
    for smaller, larger in pairwise([Kind.DRAM, Kind.PACKAGE, Kind.GPU, Kind.MODULE, Kind.HOST]):
        assert CEILINGS[smaller] < CEILINGS[larger]
