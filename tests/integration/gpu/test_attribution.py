"""Steps of a device that is behind the program: held against boundaries that were waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from queue import SimpleQueue

import pytest

from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU
from tests.gpu.measuring.attribution import LENGTHS, Step, attributed, read_steps, run_steps
from tests.gpu.measuring.latency import event_latency

SECOND = 1e9
COUNT, BEHIND = 60, 3


class ThreadQueue:
    """A device that sleeps as long as it is told to, one thing after the other, on a thread of its own."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[float | threading.Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def launch(self, seconds: float) -> None:
        """Give it so much to do."""
        self._jobs.put(seconds)

    def mark(self) -> threading.Event:
        """An event behind it."""
        event = threading.Event()
        self._jobs.put(event)
        return event

    def wait(self, mark: threading.Event) -> None:
        """Wait for it."""
        mark.wait()

    def end(self) -> None:
        """Let it go."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, threading.Event):
                job.set()
            else:
                time.sleep(job)


@pytest.fixture
def queue() -> Iterator[ThreadQueue]:
    """A device."""
    made = ThreadQueue()
    yield made
    made.end()


def lengths() -> list[float]:
    """How long steps are, in nanoseconds."""
    return [LENGTHS[index % len(LENGTHS)] * SECOND for index in range(COUNT)]


def steps_ending_at(edges_ns: list[float]) -> list[Step]:
    """Steps of 300 W that end there."""
    starts = [0.0, *edges_ns]
    return [Step(start, end, 300.0 * (end - start) / SECOND) for start, end in zip(starts, edges_ns, strict=False)]


def test_marks_where_the_device_was_have_no_error() -> None:
    """Whereas the program had come to them earlier, and would have cut other steps."""
    done = list(accumulate(lengths()))
    came = [0.0] * BEHIND + done[:-BEHIND]
    found = attributed(steps_ending_at(done), came, done, BEHIND)

    assert (0.0, 0.0, 0.0) == (found.moment_seconds, found.error_ratio, found.high_error_ratio)
    assert found.program_error_ratio > 0.2
    assert (COUNT - 2 * BEHIND - 2, BEHIND) == (found.steps, found.behind)
    assert found.step_seconds == pytest.approx(sum(LENGTHS) / len(LENGTHS), rel=0.1)


def test_marks_that_are_all_late_by_the_same_cut_the_same_steps() -> None:
    """At constant power; how late they are is told beside."""
    done = list(accumulate(lengths()))
    found = attributed(steps_ending_at([at + 0.002 * SECOND for at in done]), done, done, BEHIND)

    assert found.moment_seconds == pytest.approx(0.002)
    assert found.error_ratio == pytest.approx(0.0, abs=1e-6)


def test_marks_that_tremble_cost_what_they_are_off() -> None:
    """Every other one is 2 ms late: each step is off by as much of its power, up to a tenth of a step of 20 ms."""
    done = list(accumulate(lengths()))
    marks = [at + (0.002 * SECOND if index % 2 else 0.0) for index, at in enumerate(done)]
    found = attributed(steps_ending_at(marks), done, done, BEHIND)

    assert 0.02 < found.error_ratio < 0.1
    assert found.high_error_ratio == pytest.approx(0.1, rel=0.1)
    assert found.late_moment_seconds == pytest.approx(0.002)


def test_a_run_is_cut_at_what_was_waited_for(queue: ThreadQueue, tmp_path: Path) -> None:
    """A real meter without a device's clock puts its marks where the program was, and that is what it is told."""
    with Meter(sources=[SimulatedGPU(tick_seconds=0)], ledger=tmp_path, per_step=True) as meter:
        came, done = run_steps(queue, meter, steps=24, behind=BEHIND)
    assert meter.record.location is not None
    steps = read_steps(Path(meter.record.location).parent)
    found = attributed(steps, came, done, BEHIND)

    assert 24 == len(steps) == len(came) == len(done)
    assert all(later >= earlier for earlier, later in zip(came, done, strict=True))
    assert sorted(done) == done
    # The device is three steps behind: 150 ms, and more on a busy machine.
    assert 0.05 < found.moment_seconds
    assert found.error_ratio == pytest.approx(found.program_error_ratio, abs=0.2)


class Device:
    """A device that needs three looks until an event is done; its clock and the program's are one.

    Args:
        never: Whether none is ever done.
    """

    def __init__(self, *, never: bool = False) -> None:
        self.now = 0
        self._never = never
        self._looks = 0

    def record(self, event: int | None) -> int:
        """Ten microseconds."""
        self.now += 10_000
        self._looks = 0
        return 0 if event is None else event

    def done(self, event: int) -> bool:
        """Two microseconds, or half a second where nothing ever is."""
        self.now += 500_000_000 if self._never else 2_000
        self._looks += 1
        return self._looks == 3 and not self._never


def test_the_latency_of_events_is_what_the_program_sees() -> None:
    """From asking to having seen it done, to the nanosecond."""
    device = Device()
    found = event_latency(device, 20, now_ns=lambda: device.now, pause=lambda _: None)

    assert 20 == found.events
    assert (found.record_seconds, found.done_seconds, found.query_seconds) == pytest.approx((10e-6, 16e-6, 2e-6))
    assert (found.late_record_seconds, found.late_done_seconds) == pytest.approx((10e-6, 16e-6))


def test_a_device_with_work_is_told_from_one_without() -> None:
    """No latency is made up from it."""
    device = Device(never=True)
    with pytest.raises(TimeoutError, match="has something to do"):
        event_latency(device, 20, now_ns=lambda: device.now, pause=lambda _: None)
