"""What holds for every clock of steps, and for the device that a clock goes by; see :mod:`lightning_carbon.ports`.

A new clock is held to it by a line in ``SUBJECTS``.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from lightning_carbon.metering.step_clock import DeviceStepClock
from lightning_carbon.ports import Clock, EventDevice, StepClock
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.testing import ManualClock, ScriptedDevice
from tests.contracts import event_device
from tests.contracts.event_device import EventDeviceContract


class TestScriptedDevice(EventDeviceContract):
    """The scripted device is held to what holds for GPUs."""

    def make(self) -> event_device.Subject:
        """A scripted device."""
        clock = ManualClock(start_ns=10**9)
        device = ScriptedDevice(clock, drift_ppm=30.0)

        def captured(call: Callable[[], object]) -> None:
            device.closed = True
            call()
            device.closed = False

        return event_device.Subject(
            device, lambda seconds: device.launch(seconds=seconds), device.synchronize, captured
        )


@dataclass
class Subject:
    """A clock of steps under test, and what it tells the time of.

    Args:
        steps: The clock of steps.
        clock: The clock that moments are on.
        step: Does a step of the training.
    """

    steps: StepClock
    clock: Clock
    step: Callable[[], object]


def _none() -> EventDevice[Any] | None:
    return None


def _host() -> Subject:
    clock = SystemClock()
    return Subject(DeviceStepClock(clock, _none), clock, lambda: sum(range(1000)))


def _device(depth: int, *, drift_ppm: float = 0.0) -> Subject:
    clock = ManualClock(start_ns=10**12)
    device = ScriptedDevice(clock, depth=depth, drift_ppm=drift_ppm)
    lengths = itertools.cycle([0.3, 0.01, 0.1])

    def step() -> None:
        clock.advance(seconds=0.002)
        device.launch(seconds=next(lengths))

    return Subject(DeviceStepClock(clock, lambda: device), clock, step)


def _waiting() -> Subject:
    clock = ManualClock()
    device = ScriptedDevice(clock)

    def step() -> None:
        device.launch(seconds=0.1)
        device.synchronize()

    return Subject(DeviceStepClock(clock, lambda: device), clock, step)


def _after(calls: int, *, closed: bool) -> Subject:
    """A device that is lost, or closed, after some steps."""
    clock = ManualClock(start_ns=5)
    device = ScriptedDevice(clock, depth=4)
    count = itertools.count()

    def step() -> None:
        if next(count) == calls:
            device.closed = closed
            device.fails_with = None if closed else RuntimeError("CUDA error: device-side assert triggered")
        device.launch(seconds=0.1)

    return Subject(DeviceStepClock(clock, lambda: device), clock, step)


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "host": _host,
    "device that the program waits for": _waiting,
    "device one step behind": lambda: _device(1),
    "device four steps behind": lambda: _device(4),
    "device ten steps behind, with a slow clock": lambda: _device(10, drift_ppm=-80.0),
    "device with a fast clock": lambda: _device(3, drift_ppm=80.0),
    "device that is lost at once": lambda: _after(0, closed=False),
    "device that is lost": lambda: _after(7, closed=False),
    "device that is closed for long": lambda: _after(7, closed=True),
}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> Subject:
    """Each clock in turn."""
    return SUBJECTS[request.param]()


@dataclass
class Marks:
    """What was seen of marks: the moments just before and after each stamp, and what is asked at every step."""

    tickets: list[object]
    before_ns: list[int]
    earliest_ns: list[int]
    known_ns: list[int | None]
    known_at_ns: list[int | None]

    def ask(self, subject: Subject) -> None:
        """Ask about all marks; what is known must not change, and bounds must not fall."""
        for index, ticket in enumerate(self.tickets):
            low_ns, known_ns = subject.steps.earliest(ticket), subject.steps.resolve(ticket)
            assert low_ns >= self.earliest_ns[index]
            assert self.known_ns[index] in {None, known_ns}
            if known_ns is not None and self.known_ns[index] is None:
                self.known_at_ns[index] = subject.clock.now_ns()
            self.earliest_ns[index], self.known_ns[index] = low_ns, known_ns


def _train(subject: Subject, steps: int = 30) -> Marks:
    marks = Marks([], [], [], [], [])
    for index in range(steps):
        subject.step()
        marks.before_ns.append(subject.clock.now_ns())
        marks.tickets.append(subject.steps.stamp())
        marks.earliest_ns.append(marks.before_ns[-1])
        marks.known_ns.append(None)
        marks.known_at_ns.append(None)
        if index % 5 == 4:
            subject.steps.poll()
        marks.ask(subject)
    subject.steps.flush()
    marks.ask(subject)
    return marks


def _known(marks: Marks) -> list[int]:
    return [moment_ns for moment_ns in marks.known_ns if moment_ns is not None]


def test_it_is_a_step_clock(subject: Subject) -> None:
    """It has all that the port asks for."""
    assert isinstance(subject.steps, StepClock)


def test_every_mark_is_known_at_the_end(subject: Subject) -> None:
    """A flush leaves nothing open, whatever has happened to the device."""
    assert None not in _train(subject).known_ns


def test_marks_keep_their_order(subject: Subject) -> None:
    """A mark is never before the one that was stamped before it."""
    moments = _known(_train(subject))

    assert all(before <= after for before, after in itertools.pairwise(moments))


def test_no_mark_is_before_its_stamp(subject: Subject) -> None:
    """The device cannot have done what it had not been given, nor be earlier than was ever said."""
    marks = _train(subject)

    assert all(stamp <= moment for stamp, moment in zip(marks.before_ns, _known(marks), strict=True))
    assert all(low <= moment for low, moment in zip(marks.earliest_ns, _known(marks), strict=True))


def test_no_mark_is_in_the_future(subject: Subject) -> None:
    """A moment is known only once it has passed."""
    marks = _train(subject)
    pairs = zip(_known(marks), marks.known_at_ns, strict=True)

    assert all(at_ns is not None and moment_ns <= at_ns for moment_ns, at_ns in pairs)


def test_marks_become_known_in_order(subject: Subject) -> None:
    """No mark is known before one that was stamped earlier."""
    tickets = []
    for _ in range(30):
        subject.step()
        tickets.append(subject.steps.stamp())
        known = [subject.steps.resolve(ticket) is not None for ticket in tickets]

        assert sorted(known, reverse=True) == known


def test_it_goes_on_after_a_flush(subject: Subject) -> None:
    """Marks that come later are in order with those before."""
    first = _known(_train(subject))
    second = _known(_train(subject, steps=3))

    assert 3 == len(second)
    assert first[-1] <= second[0]


def test_marks_can_be_asked_for_on_any_thread(subject: Subject) -> None:
    """What is known is the same on the sampler's thread."""
    marks = _train(subject, steps=5)
    found: list[int | None] = []
    thread = threading.Thread(target=lambda: found.extend(map(subject.steps.resolve, marks.tickets)))
    thread.start()
    thread.join()

    assert marks.known_ns == found


def test_what_is_no_mark_of_its_is_not_known(subject: Subject) -> None:
    """Something else than a ticket has no moment, and no bound."""
    assert subject.steps.resolve("ticket") is None
    assert 0 == subject.steps.earliest("ticket")
