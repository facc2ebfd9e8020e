"""A meter with its real threads, and sources that misbehave: on a clock that the test moves, wherever time matters."""

from __future__ import annotations

import ctypes
import json
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lightning_carbon import Meter
from lightning_carbon.energy.condition import Condition
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import SourceLost
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.simulated import GaugedGPU, SimulatedCounter
from lightning_carbon.units import Energy
from tests.stepped_time import SteppedClock, engine_on
from tests.threads import NAMES, lasting_samplers, samplers

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.ports import Clock

PATIENCE_SECONDS = 300.0


class Misbehaving:
    """A counter of 100 W whose readings a test can spoil.

    Args:
        clock: Whose time it lives in.
        name: Its domain.
    """

    def __init__(self, clock: Clock, name: str = "odd") -> None:
        self._clock = clock
        self._sensor = Sensor(Domain(Kind.GPU, name, name), Provenance.COUNTER, 0.0, "test")
        self.spoil: Callable[[], object] = lambda: None
        self.base = 0
        self.sometimes: Energy | None = None
        self._readings = 0

    @property
    def sensor(self) -> Sensor:
        """Its sensor."""
        return self._sensor

    def read_energy(self) -> Energy:
        """100 W since the epoch of the monotonic clock, unless spoilt."""
        self.spoil()
        self._readings += 1
        if self.sometimes is not None and self._readings % 3 == 0:
            return self.sometimes
        return Energy(self._clock.now_ns() // 10 - self.base)


def steady(clock: Clock, *, wraps_at: Energy | None = None) -> SimulatedCounter:
    """A well-behaved counter of 50 W."""
    return SimulatedCounter(clock, 50.0, domain=Domain(Kind.GPU, "good", "good"), wraps_at=wraps_at)


def test_a_hanging_source_is_given_up_and_the_others_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A reading that hangs for two seconds loses that source alone; the training goes on and the rest is exact."""
    clock = SteppedClock()
    odd = Misbehaving(clock)
    meter = engine_on(clock, sources=[odd, steady(clock)], ledger=tmp_path)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter.start("train")
        clock.sleep(0.3)
        odd.spoil = clock.hang  # for as long as the run is under way: no step waits for it
        for _ in range(150):
            clock.sleep(0.02)
            meter.step_done()
        record = meter.stop()
    clock.let_go()
    lost, good = record.energy.domains

    assert lost.lost == "a reading hung for 2 s"
    assert good.lost is None
    assert pytest.approx((150, 3.3)) == (record.steps, record.duration_seconds)
    assert good.joules == pytest.approx(50 * record.duration_seconds)
    assert lost.joules == pytest.approx(100 * record.duration_seconds * lost.coverage_ratio)
    assert 0 < lost.coverage_ratio < 0.1
    assert len(caplog.records) == 1


def test_a_source_that_hangs_at_the_end_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """The end waits for a hanging reading a second at most, and the record is closed without it."""
    clock = SteppedClock()
    odd = Misbehaving(clock)
    meter = engine_on(clock, sources=[odd, steady(clock)], ledger=tmp_path)
    meter.start("train")
    clock.sleep(0.3)
    odd.spoil = clock.hang
    clock.sleep(0.2)
    before_ns = clock.now_ns()
    record = meter.stop()  # would wait for ever, as the sensor answers only after the end
    after_ns = clock.now_ns()
    clock.let_go()

    assert after_ns - before_ns <= 1_000_000_000
    assert record.energy.domains[0].lost == "a reading hung at the end of the run"


def test_a_source_that_hangs_at_its_first_reading_does_not_hold_up_the_start(tmp_path: Path) -> None:
    """The start gives it up within its patience, and meters the others."""
    clock, release = SteppedClock(), threading.Event()
    odd = Misbehaving(clock)
    odd.spoil = release.wait
    meter = engine_on(clock, sources=[odd, steady(clock)], ledger=tmp_path)
    meter.start("train")  # would wait for ever, as the sensor answers only after the end
    clock.sleep(0.3)
    record = meter.stop()
    release.set()
    lost, good = record.energy.domains

    assert (lost.lost, lost.joules, lost.coverage_ratio) == ("the first reading hung", 0.0, 0.0)
    assert good.joules == pytest.approx(50 * record.duration_seconds)


def test_a_reading_that_comes_back_is_taken_up_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A sensor that did not answer for 3 s is metered from its answer on; the gap stands, and no thread stays."""
    already = set(threading.enumerate())
    clock = SteppedClock()
    odd = Misbehaving(clock)
    meter = engine_on(clock, sources=[odd, steady(clock)], ledger=tmp_path)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter.start("train")
        clock.sleep(0.3)
        odd.spoil = hang_once(odd, clock, 3.0)
        clock.sleep(4.0)
        record = meter.stop()
    late, good = record.energy.domains
    for thread in set(threading.enumerate()) - already:
        thread.join(PATIENCE_SECONDS)

    assert (late.lost, good.lost) == (None, None)
    assert 0.2 < late.coverage_ratio < 0.35
    assert late.joules == pytest.approx(100 * record.duration_seconds * late.coverage_ratio, rel=0.1)
    assert good.joules == pytest.approx(50 * record.duration_seconds)
    assert ["no longer metered", "metered again"] == [
        next(part for part in ("no longer metered", "metered again") if part in entry.message)
        for entry in caplog.records
    ]
    assert set(threading.enumerate()) <= already


def test_gauges_that_hang_cost_no_energy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A driver that does not answer for the temperature goes on to be asked for energy, by another thread."""
    clock = SteppedClock()

    def condition(seconds: float) -> Condition:
        if seconds > 1:
            clock.hang()
        return Condition(temperature_celsius=50.0)

    meter = engine_on(clock, sources=[GaugedGPU(clock, 100.0, condition=condition)], ledger=tmp_path)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter.start("train")
        clock.sleep(8.0)
        record = meter.stop()
    clock.let_go()
    [domain] = record.energy.domains

    assert [] == [entry.message for entry in caplog.records]
    assert domain.lost is None
    assert domain.device is not None
    assert 50.0 == domain.device.gauges["temperature_celsius"].mean
    assert domain.joules == pytest.approx(100 * record.duration_seconds, rel=0.35)  # of 8 s, 2 of them hang


def hang_once(source: Misbehaving, clock: SteppedClock, seconds: float) -> Callable[[], None]:
    """Spoils one reading: it takes so long."""

    def hang() -> None:
        source.spoil = lambda: None
        clock.hang(seconds)

    return hang


def test_an_interpreter_that_is_held_loses_no_source(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While one call keeps all threads waiting for over two seconds, no sensor is to blame, and none is given up."""
    clock, is_read = SystemClock(), threading.Event()
    odd = Misbehaving(clock)
    hold = ctypes.PyDLL(None).usleep  # keeps the interpreter's lock, as gc.collect() and json.loads() do

    def answer_late() -> None:
        is_read.set()
        time.sleep(0.02)  # nearly always in the middle of a reading

    with (
        caplog.at_level(logging.WARNING, "lightning_carbon"),
        Meter(sources=[odd, steady(clock)], ledger=tmp_path, interval_seconds=0.01) as meter,
    ):
        odd.spoil = answer_late
        is_read.wait(PATIENCE_SECONDS)
        hold(2_600_000)
        is_read.clear()
        is_read.wait(PATIENCE_SECONDS)
    record = meter.record

    assert [] == [entry.message for entry in caplog.records]
    assert [None, None] == [domain.lost for domain in record.energy.domains]
    assert min(domain.coverage_ratio for domain in record.energy.domains) > 0.5  # the time that was held is in it
    assert not lasting_samplers()


def test_readings_that_are_none_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A source that shows no number now and then costs one warning; the record is that of its other readings."""
    clock = SteppedClock()
    nan = Energy(float("nan"))  # type: ignore[arg-type]
    odd = Misbehaving(clock)
    odd.sometimes = nan
    with (
        caplog.at_level(logging.WARNING, "lightning_carbon"),
        engine_on(clock, sources=[odd], ledger=tmp_path) as meter,
    ):
        clock.sleep(1.0)
    domain = meter.record.energy.domains[0]

    assert ["odd: its sensor showed nan microjoules, which is no reading; said once"] == [
        entry.message for entry in caplog.records
    ]
    assert domain.joules == pytest.approx(100 * meter.record.duration_seconds * domain.coverage_ratio)
    assert domain.coverage_ratio > 0.8


def test_the_time_in_which_a_counter_may_have_wrapped_unseen_is_not_covered(tmp_path: Path) -> None:
    """A process that is stopped for longer than its counter takes to wrap reports what it has seen of its time."""
    clock = SteppedClock()
    counter = steady(clock, wraps_at=Energy.from_joules(10))
    with engine_on(clock, sources=[counter], ledger=tmp_path, interval_seconds=0.02) as meter:
        clock.sleep(1.0)
        clock.advance(seconds=3.0)  # no thread gets a turn meanwhile
        clock.sleep(1.0)
    domain = meter.record.energy.domains[0]

    assert domain.lost is None
    assert pytest.approx(5.0) == meter.record.duration_seconds
    assert pytest.approx(0.4, abs=0.02) == domain.coverage_ratio
    assert pytest.approx(50 * 5.0 * domain.coverage_ratio, rel=0.01) == domain.joules


def test_a_vanishing_source_is_lost_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A source that says it is gone is not asked again, and the thread goes on."""
    calls = []

    def vanish() -> None:
        calls.append(1)
        message = "fell off the bus"
        raise SourceLost(message)

    clock = SteppedClock()
    odd = Misbehaving(clock)
    with (
        caplog.at_level(logging.WARNING, "lightning_carbon"),
        engine_on(clock, sources=[odd, steady(clock)], ledger=tmp_path) as meter,
    ):
        clock.sleep(0.4)
        odd.spoil = vanish
        clock.sleep(0.6)
    lost, good = meter.record.energy.domains

    assert lost.lost == "fell off the bus"
    assert len(calls) == 1
    assert good.joules == pytest.approx(50 * meter.record.duration_seconds)
    assert len(caplog.records) == 1


def test_a_counter_that_goes_back_leaves_a_gap(tmp_path: Path) -> None:
    """After a driver reload the counter starts anew: what was counted stays, nothing is invented, coverage falls."""
    clock = SteppedClock()
    odd = Misbehaving(clock)
    with engine_on(clock, sources=[odd], ledger=tmp_path) as meter:
        clock.sleep(0.5)
        odd.base = clock.now_ns() // 10 - 7
        clock.sleep(0.5)
    domain = meter.record.energy.domains[0]

    assert domain.lost is None
    assert 0.5 < domain.coverage_ratio < 1
    assert domain.joules == pytest.approx(100 * meter.record.duration_seconds * domain.coverage_ratio)


def test_a_starved_interpreter_loses_no_counter_energy(tmp_path: Path) -> None:
    """While the program gives no other thread a turn, readings are late, and counters lose nothing."""
    clock = SteppedClock()
    with engine_on(clock, sources=[steady(clock)], ledger=tmp_path) as meter:
        for _ in range(3):
            clock.advance(seconds=0.7)
            meter.step_done()
    record = meter.record

    assert record.energy.total_joules == pytest.approx(50 * record.duration_seconds)
    assert record.energy.coverage_ratio == 1.0


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    """Its threads are daemons, and end with their meter."""
    with Meter(sources=[steady(SystemClock())], ledger=tmp_path):
        during = samplers()

    assert set(NAMES) == {thread.name for thread in during}
    assert all(thread.daemon for thread in during)
    assert not lasting_samplers()


_WITHOUT_A_FREE_THREAD = """
import json, sys, threading, time
from pathlib import Path
from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedCounter

threading.stack_size(2**46)  # more than there is: no thread can be started
with Meter(sources=[SimulatedCounter(watts=50.0)], ledger=Path(sys.argv[1])) as meter:
    time.sleep(0.1)
    meter.step_done()
    meter.row()
record = meter.record
watts = record.energy.total_joules / record.duration_seconds
print(json.dumps([record.status, record.steps, watts, meter.record_path]))
"""


def test_a_process_without_a_free_thread_is_metered(tmp_path: Path) -> None:
    """By the first and the last reading; the record is stored, one warning says so, and nothing is raised."""
    told = subprocess.run(
        [sys.executable, "-c", _WITHOUT_A_FREE_THREAD, str(tmp_path)], check=True, capture_output=True, text=True
    )
    status, steps, watts, path = json.loads(told.stdout)

    assert ("completed", 1, True) == (status, steps, Path(path).exists())
    assert watts == pytest.approx(50.0, rel=0.05)
    assert ["sensors are read at the start and the end alone, without a thread: can't start new thread"] == (
        told.stderr.splitlines()
    )


def test_a_ledger_that_goes_away_costs_a_warning_not_the_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When the final record cannot be written, it is warned of once, and the record is there in memory."""
    ledger = tmp_path / "ledger"
    meter = Meter(sources=[steady(SystemClock())], ledger=ledger, per_step=True)
    meter.start("train")
    meter.step_done()
    run = next(ledger.glob("default/*"))
    (run / "record.json").unlink()
    (run / "record.json").mkdir()
    (run / "record.json" / "in-the-way").touch()
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        record = meter.stop()

    assert record.steps == 1
    assert ["could not be written" in entry.message for entry in caplog.records] == [True]
