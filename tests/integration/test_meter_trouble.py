"""A meter with its real thread on the real clock, and sources that misbehave."""

from __future__ import annotations

import ctypes
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lightning_carbon import Meter
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import SourceLost
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.simulated import SimulatedCounter
from lightning_carbon.units import Energy

if TYPE_CHECKING:
    from collections.abc import Callable


class Misbehaving:
    """A counter of 100 W whose readings a test can spoil.

    Args:
        name: Its domain.
    """

    def __init__(self, name: str = "odd") -> None:
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
        return Energy(time.monotonic_ns() // 10 - self.base)


def steady(name: str) -> SimulatedCounter:
    """A well-behaved counter of 50 W."""
    return SimulatedCounter(SystemClock(), 50.0, domain=Domain(Kind.GPU, name, name))


def sampling_threads() -> list[threading.Thread]:
    """The sampling threads that are alive."""
    return [thread for thread in threading.enumerate() if thread.name == "lightning-carbon-sampler"]


def test_a_hanging_source_is_given_up_and_the_others_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A reading that hangs for two seconds loses that source alone; the training goes on and the rest is exact."""
    release = threading.Event()
    odd = Misbehaving()
    meter = Meter(sources=[odd, steady("good")], ledger=tmp_path)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter.start("train")
        time.sleep(0.3)
        odd.spoil = release.wait
        slowest = 0.0
        for _ in range(150):
            time.sleep(0.02)
            before = time.perf_counter()
            meter.step_done()
            slowest = max(slowest, time.perf_counter() - before)
        record = meter.stop()
    release.set()
    lost, good = record.energy.domains

    assert lost.lost == "a reading hung for 2 s"
    assert good.lost is None
    assert good.joules == pytest.approx(50 * record.duration_seconds, rel=0.001)
    assert lost.joules < 100 * record.duration_seconds / 2
    assert lost.coverage_ratio < 0.5
    assert slowest < 0.5
    assert len(caplog.records) == 1


def test_a_source_that_hangs_at_the_end_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """The end waits for a hanging reading a second at most, and the record is closed without it."""
    release = threading.Event()
    odd = Misbehaving()
    meter = Meter(sources=[odd, steady("good")], ledger=tmp_path)
    meter.start("train")
    time.sleep(0.3)
    odd.spoil = release.wait
    time.sleep(0.2)
    before = time.perf_counter()
    record = meter.stop()
    waited = time.perf_counter() - before
    release.set()

    assert waited < 1.5
    assert record.energy.domains[0].lost is not None


def test_a_source_that_hangs_at_its_first_reading_does_not_hold_up_the_start(tmp_path: Path) -> None:
    """The start gives it up within its patience, and meters the others."""
    release = threading.Event()
    odd = Misbehaving()
    odd.spoil = release.wait
    meter = Meter(sources=[odd, steady("good")], ledger=tmp_path)
    meter.start("train")  # would wait for ever, as the sensor answers only after the end
    time.sleep(0.3)
    record = meter.stop()
    release.set()
    lost, good = record.energy.domains

    assert (lost.lost, lost.joules, lost.coverage_ratio) == ("the first reading hung", 0.0, 0.0)
    assert good.joules == pytest.approx(50 * record.duration_seconds, rel=0.01)


def test_a_reading_that_comes_back_is_taken_up_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A sensor that did not answer for 3 s is metered from its answer on; the gap stands, and no thread stays."""
    before, already = len(sampling_threads()), set(threading.enumerate())
    odd = Misbehaving()
    meter = Meter(sources=[odd, steady("good")], ledger=tmp_path)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter.start("train")
        time.sleep(0.3)
        odd.spoil = hang_once(odd, 3.0)
        time.sleep(4.0)
        record = meter.stop()
    late, good = record.energy.domains
    left = [thread.name for thread in set(threading.enumerate()) - already if "given-up" in thread.name]

    assert (late.lost, good.lost) == (None, None)
    assert 0.1 < late.coverage_ratio < 0.5
    assert late.joules == pytest.approx(100 * record.duration_seconds * late.coverage_ratio, rel=0.1)
    assert good.joules == pytest.approx(50 * record.duration_seconds, rel=0.01)
    assert ["no longer metered", "metered again"] == [
        next(part for part in ("no longer metered", "metered again") if part in entry.message)
        for entry in caplog.records
    ]
    assert (before, []) == (len(sampling_threads()), left)


def hang_once(source: Misbehaving, seconds: float) -> Callable[[], None]:
    """Spoils one reading: it takes so long."""

    def hang() -> None:
        source.spoil = lambda: None
        time.sleep(seconds)

    return hang


def test_an_interpreter_that_is_held_loses_no_source(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While one call keeps all threads waiting for over two seconds, no sensor is to blame, and none is given up."""
    before = len(sampling_threads())
    odd = Misbehaving()
    hold = ctypes.PyDLL(None).usleep  # keeps the interpreter's lock, as gc.collect() and json.loads() do
    with (
        caplog.at_level(logging.WARNING, "lightning_carbon"),
        Meter(sources=[odd, steady("good")], ledger=tmp_path, interval_seconds=0.01) as meter,
    ):
        odd.spoil = lambda: time.sleep(0.02)  # nearly always in the middle of a reading
        time.sleep(0.5)
        hold(2_600_000)
        time.sleep(0.5)
    record = meter.record

    assert [] == [entry.message for entry in caplog.records]
    assert [None, None] == [domain.lost for domain in record.energy.domains]
    assert record.energy.total_joules == pytest.approx(150 * record.duration_seconds, rel=0.05)
    assert before == len(sampling_threads())


def test_readings_that_are_none_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A source that shows no number now and then costs one warning; the record is that of its other readings."""
    nan = Energy(float("nan"))  # type: ignore[arg-type]
    odd = Misbehaving()
    odd.sometimes = nan
    with caplog.at_level(logging.WARNING, "lightning_carbon"), Meter(sources=[odd], ledger=tmp_path) as meter:
        time.sleep(1.0)
    record = meter.record

    assert ["odd: its sensor showed nan microjoules, which is no reading; said once"] == [
        entry.message for entry in caplog.records
    ]
    assert record.energy.total_joules == pytest.approx(100 * record.duration_seconds, rel=0.15)


def test_the_time_in_which_a_counter_may_have_wrapped_unseen_is_not_covered(tmp_path: Path) -> None:
    """A process that is stopped for longer than its counter takes to wrap reports what it has seen of its time."""
    script = Path(__file__).with_name("stopped.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    seconds, joules, ratio, lost = done.stdout.split()

    assert "None" == lost
    assert float(seconds) > 4.5
    assert 0.2 < float(ratio) < 0.55
    assert float(joules) == pytest.approx(50 * float(seconds) * float(ratio), rel=0.05)


def test_a_vanishing_source_is_lost_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A source that says it is gone is not asked again, and the thread goes on."""
    calls = []

    def vanish() -> None:
        calls.append(1)
        message = "fell off the bus"
        raise SourceLost(message)

    odd = Misbehaving()
    with (
        caplog.at_level(logging.WARNING, "lightning_carbon"),
        Meter(sources=[odd, steady("good")], ledger=tmp_path) as m,
    ):
        time.sleep(0.4)
        odd.spoil = vanish
        time.sleep(0.6)
    lost, good = m.record.energy.domains

    assert lost.lost == "fell off the bus"
    assert len(calls) == 1
    assert good.joules == pytest.approx(50 * m.record.duration_seconds, rel=0.002)
    assert len(caplog.records) == 1


def test_a_counter_that_goes_back_leaves_a_gap(tmp_path: Path) -> None:
    """After a driver reload the counter starts anew: what was counted stays, nothing is invented, coverage falls."""
    odd = Misbehaving()
    with Meter(sources=[odd], ledger=tmp_path) as meter:
        time.sleep(0.5)
        odd.base = time.monotonic_ns() // 10 - 7
        time.sleep(0.5)
    domain = meter.record.energy.domains[0]

    assert domain.lost is None
    assert 0.5 < domain.coverage_ratio < 1
    assert domain.joules == pytest.approx(100 * meter.record.duration_seconds * domain.coverage_ratio, rel=0.05)


def test_a_starved_interpreter_loses_no_counter_energy(tmp_path: Path) -> None:
    """While one call holds the interpreter's lock, readings are late, and counters lose nothing."""
    with Meter(sources=[steady("good")], ledger=tmp_path) as meter:
        for _ in range(3):
            sum(bytes(60_000_000))  # one call into C that holds the lock all the time
            meter.step_done()
    record = meter.record

    assert record.energy.total_joules == pytest.approx(50 * record.duration_seconds, rel=0.002)
    assert record.energy.coverage_ratio == 1.0


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    """The sampling thread is a daemon, and ends with its meter."""
    before = len(sampling_threads())
    with Meter(sources=[steady("good")], ledger=tmp_path):
        during = sampling_threads()
    after = len(sampling_threads())

    assert (len(during), all(thread.daemon for thread in during), after) == (before + 1, True, before)


def test_a_ledger_that_goes_away_costs_a_warning_not_the_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When the final record cannot be written, it is warned of once, and the record is there in memory."""
    ledger = tmp_path / "ledger"
    meter = Meter(sources=[steady("good")], ledger=ledger, per_step=True)
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
