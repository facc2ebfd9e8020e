"""One source with its timeline: what is a reading, what is none, and when a source is lost."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from lightning_carbon.energy.readings import CounterReading, Domain, GaugeReading, Kind, Provenance, Sensor
from lightning_carbon.errors import NoNews, ReadFailed, SourceLost
from lightning_carbon.metering.probe import Probe
from lightning_carbon.testing import ManualClock
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy, Power

GPU = Domain(Kind.GPU, "gpu:0", "GPU 0")


class Counter:
    """A counter that shows what a test sets; in microjoules, of any type."""

    def __init__(self, provenance: Provenance = Provenance.COUNTER) -> None:
        self.sensor = Sensor(GPU, provenance, 0.0, "test", max_power=Power(700.0))
        self.shows: object = Energy(0)

    def read_energy(self) -> Energy:
        """What was set."""
        if isinstance(self.shows, Exception):
            raise self.shows
        return self.shows  # type: ignore[return-value]


class Gauge:
    """A gauge that shows what a test sets; in watts, of any type."""

    def __init__(self, provenance: Provenance = Provenance.INTEGRATED) -> None:
        self.sensor = Sensor(GPU, provenance, 0.0, "test", max_power=Power(700.0))
        self.shows: object = Power(0.0)

    def read_power(self) -> Power:
        """What was set."""
        return self.shows  # type: ignore[return-value]


@dataclass
class Odd:
    """A value that is no amount."""

    microjoules: object = None
    watts: object = None


def read(
    probe: Probe, clock: ManualClock, times: int, seconds: float = 0.1
) -> list[CounterReading | GaugeReading | None]:
    """Read and append so many times."""
    readings = []
    for _ in range(times):
        clock.advance(seconds=seconds)
        reading = probe.read()
        if reading is not None:
            probe.append(reading)
        readings.append(reading)
    return readings


@pytest.mark.parametrize(
    "odd",
    [float("nan"), float("inf"), float("-inf"), -5, -0.5, "5", None, [5], 1 + 1j, object()],
)
@pytest.mark.parametrize("make", [Counter, Gauge])
def test_what_is_no_number_or_negative_is_no_reading(odd: object, make: type[Counter | Gauge]) -> None:
    """The source is asked again, and what it shows next counts."""
    clock, source = ManualClock(), make()
    probe = Probe(source, clock, NANOSECONDS_PER_SECOND)
    good = source.shows
    source.shows = Odd(odd, odd)
    bad = read(probe, clock, 3)
    source.shows = good
    later = read(probe, clock, 1)

    assert [None, None, None] == bad
    assert later[0] is not None
    assert probe.alive


@pytest.mark.parametrize("shows", [None, 5.0, "5 J", object()])
@pytest.mark.parametrize("make", [Counter, Gauge])
def test_what_is_no_amount_is_no_reading(shows: object, make: type[Counter | Gauge]) -> None:
    """A source that returns something else for two seconds is lost, with a reason."""
    clock, source = ManualClock(), make()
    probe = Probe(source, clock, NANOSECONDS_PER_SECOND)
    source.shows = shows
    read(probe, clock, 25)

    assert probe.lost is not None
    assert "failed for 2 s" in probe.lost


@pytest.mark.parametrize("count", [7.0, Fraction(7), True + 6])
def test_a_whole_number_of_another_type_counts(count: object) -> None:
    """A count of another numeric type is turned into the microjoules that it stands for."""
    clock, source = ManualClock(), Counter()
    source.shows = Odd(count)

    assert [7] == [
        reading.energy.microjoules
        for reading in read(Probe(source, clock, 1), clock, 1)
        if isinstance(reading, CounterReading)
    ]


def test_a_power_that_no_such_hardware_draws_is_no_reading() -> None:
    """4.29 MW for one reading are left out, and the seconds around it are those of 300 W."""
    clock, source = ManualClock(), Gauge()
    probe = Probe(source, clock, NANOSECONDS_PER_SECOND)
    for watts in (*[300.0] * 11, 4.29e6, *[300.0] * 20):
        source.shows = Power(watts)
        read(probe, clock, 1)

    assert 930.0 == pytest.approx(probe.timeline.between(0, clock.now_ns()).joules)
    assert probe.remark is not None
    assert "4290000.0 W, which is no reading; it draws 1400 W at most" in probe.remark


def test_a_power_that_stays_too_high_loses_the_source() -> None:
    """After two seconds the record says what it showed."""
    clock, source = ManualClock(), Gauge()
    probe = Probe(source, clock, NANOSECONDS_PER_SECOND)
    source.shows = Power(1e6)
    read(probe, clock, 25)

    assert probe.lost is not None
    assert "1000000.0 W" in probe.lost


def test_a_model_may_show_any_power() -> None:
    """A model catches up with what has ended, and is not held against hardware."""
    clock, gauge, counter = ManualClock(), Gauge(Provenance.MODELLED), Counter(Provenance.MODELLED)
    gauge.shows = Power(1e6)
    probe = Probe(counter, clock, NANOSECONDS_PER_SECOND)
    read(probe, clock, 2)
    counter.shows = Energy.from_joules(1e6)
    read(probe, clock, 1)

    assert read(Probe(gauge, clock, 1), clock, 1)[0] is not None
    assert Energy.from_joules(1e6) == probe.timeline.between(0, clock.now_ns())


def test_a_counter_that_runs_backwards_is_lost() -> None:
    """300 W backwards for 3 s are no energy; the record has the reason."""
    clock, source = ManualClock(), Counter()
    probe = Probe(source, clock, NANOSECONDS_PER_SECOND)
    for tick in range(30):
        source.shows = Energy.from_joules(5_000 - 30 * tick)
        read(probe, clock, 1)

    assert "its count runs backwards" == probe.lost
    assert Energy.ZERO == probe.timeline.between(0, clock.now_ns())


def test_a_source_that_is_gone_is_lost_at_once() -> None:
    """What a source says of its end is the reason, and it is not asked again."""
    clock, source = ManualClock(), Counter()
    probe = Probe(source, clock, NANOSECONDS_PER_SECOND)
    source.shows = SourceLost("fell off the bus")
    read(probe, clock, 1)

    assert ("fell off the bus", False) == (probe.lost, probe.alive)


def test_a_source_that_fails_for_a_moment_stays() -> None:
    """Failures that end within two seconds cost nothing of a counter."""
    clock, source = ManualClock(), Counter()
    probe = Probe(source, clock, NANOSECONDS_PER_SECOND)
    for tick in range(60):
        source.shows = ReadFailed("not now") if 20 <= tick < 38 else Energy.from_joules(30 * tick)
        read(probe, clock, 1)
    probe.timeline.end()

    assert probe.lost is None
    assert Energy.from_joules(30 * 59) == probe.timeline.between(0, clock.now_ns())


@pytest.mark.parametrize("make", [Counter, Gauge])
def test_a_source_that_was_given_up_is_taken_up_again(make: type[Counter | Gauge]) -> None:
    """A late reading ends the loss: it is alive, nothing is lost any more, and the gap is not covered."""
    clock, source = ManualClock(), make()
    probe = Probe(source, clock, NANOSECONDS_PER_SECOND)
    read(probe, clock, 15)
    late = probe.read()
    probe.lose("a reading hung for 2 s")
    probe.timeline.end()
    clock.advance(seconds=3)
    assert late is not None
    probe.take_up(late)
    read(probe, clock, 10)
    probe.timeline.close(clock.now_ns())

    assert (None, None) == (probe.lost, probe.lost_at_ns)
    assert pytest.approx((1.4 + 1.0) / 5.4, abs=0.02) == probe.timeline.coverage_ratio(
        round(0.1 * NANOSECONDS_PER_SECOND), clock.now_ns()
    )


class Remote(Gauge):
    """A gauge that is asked over a network."""

    def read_power(self) -> Power:
        """What was set, or what was set to be raised."""
        if isinstance(self.shows, Exception):
            raise self.shows
        return super().read_power()


def test_a_gauge_without_news_is_asked_on_and_covers_nothing() -> None:
    """For however long, from the start or later; what it shows before and after counts."""
    clock, gauge = ManualClock(), Remote()
    probe = Probe(gauge, clock, NANOSECONDS_PER_SECOND)
    start_ns = clock.now_ns()
    for shows in (NoNews("no answer yet"), Power(100.0), NoNews("no answer in time"), Power(100.0)):
        gauge.shows = shows
        read(probe, clock, 50)
    curve = probe.timeline.curve
    assert curve is not None
    covered_ns = curve.covered(clock.now_ns()) - curve.covered(start_ns)

    assert probe.alive
    assert probe.timeline.watermark_ns == clock.now_ns()
    assert pytest.approx(9.8e9) == covered_ns
    assert pytest.approx(980.0) == (curve.height(clock.now_ns()) - curve.height(start_ns)) / 1e6


def test_a_counter_without_news_fails_as_any_other() -> None:
    """A count that is known later has everything in it."""
    clock, counter = ManualClock(), Counter()
    probe = Probe(counter, clock, NANOSECONDS_PER_SECOND)
    counter.shows = NoNews("not now")
    read(probe, clock, 30)

    assert "failed for 2 s: not now" == probe.lost
