"""The clock of steps on the real torch's events: its moments beside the truth, in every kind of trouble."""

from __future__ import annotations

import logging
import math
from typing import Any

import pytest
import torch

from lightning_carbon.metering.step_clock import (
    LATENCY_NS,
    MOST_FOUND,
    MOST_REST_NS,
    REST_NS,
    DeviceStepClock,
)
from lightning_carbon.ports import ClockUse, DeviceState
from lightning_carbon.sources.torch_devices import device_in_use, event_device_of
from tests.gpu.computing import StandinClock
from tests.torch_standin import device as standin
from tests.torch_standin.device import Call

LENGTHS = (0.3, 0.02, 0.15, 0.08)
EXACT_NS = 2 * LATENCY_NS
EVERY_CALL = [Call.RECORD, Call.QUERY_EVENT, Call.ELAPSED, Call.QUERY_STREAM, Call.MAKE_EVENT]


def _find() -> Any:  # noqa: ANN401 -- an event device
    device = device_in_use()
    return None if device is None else event_device_of(device)


class World:
    """A program that gives the stand-in its work, the clock of its steps, and the truth about each of them.

    Args:
        late: Whether the clock begins before the program uses the device.
    """

    def __init__(self, *, late: bool = False) -> None:
        standin.reset(manual_ns=10**13, call_ns=1_000)
        standin.configure(drift_ppm=30.0)
        self.steps = DeviceStepClock(StandinClock(), _find)
        self.tickets: list[object] = []
        self.truth: list[int] = []
        self.stamped: list[int] = []
        if not late:
            standin.launch(0.0)
            self.steps.poll()

    def step(self, seconds: float) -> None:
        """Do a step that takes the device so long, and mark its end."""
        standin.advance(seconds=0.002)
        standin.launch(seconds)
        self.truth.append(standin.done_ns())
        self.stamped.append(standin.now_ns())
        self.tickets.append(self.steps.stamp())

    def train(self, steps: int = 12) -> None:
        """Do some steps, and wait for every fourth one alone, as a program that looks at its loss does."""
        for index in range(steps):
            self.step(LENGTHS[index % len(LENGTHS)])
            if index % 4 == 3:
                standin.synchronize()
                self.steps.poll()

    def known(self) -> int:
        """How many marks are known."""
        return sum(self.steps.resolve(ticket) is not None for ticket in self.tickets)

    def errors_ns(self) -> list[float]:
        """How far each moment is from the truth."""
        found = [self.steps.resolve(ticket) for ticket in self.tickets]
        return [math.inf if at is None else abs(at - true) for at, true in zip(found, self.truth, strict=True)]

    def exact(self) -> list[bool]:
        """Which moments are right."""
        return [error <= EXACT_NS for error in self.errors_ns()]


def test_a_clock_that_began_before_the_device_finds_it_with_the_first_step() -> None:
    """A meter that starts before torch touches the device starts nothing, and has its clock from the first mark on.

    Until the program waits for the device the two clocks cannot be held to each other: by less than a step.
    """
    world = World(late=True)
    for _ in range(10):
        world.steps.poll()
        standin.advance(seconds=0.5)
    started = standin.is_initialized()
    world.train(40)

    assert not started
    assert max(world.errors_ns()[:4]) < max(LENGTHS) * 1e9
    assert [True] * 36 == world.exact()[4:]
    assert ClockUse(40, 0) == world.steps.use


def test_marks_before_the_device_is_used_are_the_program_s() -> None:
    """What comes before torch uses a device is at the moment of its stamp, and the record can say that."""
    world = World(late=True)
    before_ns = standin.now_ns()
    mark = world.steps.stamp()
    standin.advance(seconds=1.0)
    world.train()

    assert before_ns == world.steps.resolve(mark) == world.steps.earliest(mark)
    assert ClockUse(12, 1) == world.steps.use


@pytest.mark.parametrize("call", EVERY_CALL, ids=lambda call: call.name)
@pytest.mark.parametrize("after", [0, 2])
def test_a_call_that_fails_once_is_no_loss_for_the_run(
    call: Call, after: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is warned of once, a few marks are the program's, and a second later the device's clock is back, exactly."""
    world = World()
    world.train(4)
    standin.fail(call, after=after, message=f"{call.name} failed\nadvice")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        for _ in range(8):
            world.step(0.02)
        standin.synchronize()
        for _ in range(2):
            standin.advance(nanoseconds=REST_NS)
            world.steps.poll()
        back = len(world.tickets)
        world.train(40)
    exact = world.exact()

    assert 1 == len(caplog.records)
    assert f"RuntimeError: {call.name} failed" == world.steps.use.reason
    assert "mixed" == world.steps.use.clock
    assert [True] * 4 == exact[:4]
    assert [True] * 40 == exact[back:]
    assert 0 < world.steps.use.host_marks <= 8


def test_an_error_that_sticks_leaves_the_program_s_marks(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is raised, one warning is given, the device is asked ever less often, and every mark is known."""
    world = World()
    world.train(4)
    standin.fail(Call.EVERY, sticks=True)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        for _ in range(600):
            world.stamped.append(standin.now_ns())
            world.tickets.append(world.steps.stamp())
            standin.advance(seconds=1.0)
        asked = standin.calls()
        for _ in range(MOST_REST_NS // 10**9):
            world.steps.poll()
            standin.advance(seconds=1.0)
    world.steps.flush()
    found = [world.steps.resolve(ticket) for ticket in world.tickets]

    assert 1 == len(caplog.records)
    assert world.stamped[5:] == found[5:]
    assert standin.calls() - asked <= 2
    assert (4, 600) == (world.steps.use.device_marks, world.steps.use.host_marks)


def test_a_reset_after_an_error_brings_the_device_s_clock_back() -> None:
    """Also where the events of before are of no use any more."""
    world = World()
    world.train(4)
    standin.fail(Call.EVERY, sticks=True)
    world.train(8)
    for _ in range(20):
        standin.advance(seconds=1.0)
        world.steps.poll()
    standin.recover()
    standin.advance(nanoseconds=MOST_REST_NS)
    world.steps.poll()
    back = len(world.tickets)
    world.train(40)

    assert [True] * 40 == world.exact()[back:]


def test_a_graph_is_captured_in_peace() -> None:
    """Marks while the metered stream is captured ask nothing, and are known with the next mark after it."""
    world = World()
    world.train(4)
    with standin.captured() as graph:
        standin.launch(0.5)
        amid = [world.steps.stamp() for _ in range(3)]
        world.steps.poll()
        world.steps.flush(0.0)
    standin.replay(graph)
    world.train(8)

    assert world.steps.trouble is None
    assert None not in [world.steps.resolve(ticket) for ticket in amid]
    assert [True] * 12 == world.exact()


@pytest.mark.parametrize("metered", [0, 1])
@pytest.mark.parametrize("captured", [0, 1])
def test_a_capture_is_seen_on_whichever_device_it_is(metered: int, captured: int) -> None:
    """The stream of the metered device is asked, and that of the current device, too: both would break the capture."""
    standin.reset(manual_ns=10**13)
    device = event_device_of(f"standin:{metered}")
    assert device is not None
    standin.advance(seconds=1.0)
    torch.accelerator.set_device_index(captured)
    states = [device.state()]
    with standin.captured():
        states.append(device.state())
    states.append(device.state())

    assert [DeviceState.IDLE, DeviceState.CLOSED, DeviceState.IDLE] == states


def test_the_metered_device_s_capture_is_seen_when_another_device_is_current() -> None:
    """A capture goes on while the program makes another device current for a moment."""
    standin.reset(manual_ns=10**13)
    device = event_device_of("standin:0")
    assert device is not None
    standin.advance(seconds=1.0)
    with standin.captured():
        torch.accelerator.set_device_index(1)
        amid = device.state()
        torch.accelerator.set_device_index(0)

    assert DeviceState.CLOSED is amid


def test_a_device_without_an_index_is_the_one_of_the_start() -> None:
    """A program that makes another device current later does not take the clock with it."""
    standin.reset(manual_ns=10**13)
    torch.accelerator.set_device_index(1)
    device = event_device_of("standin")
    assert device is not None
    standin.advance(seconds=1.0)
    torch.accelerator.set_device_index(0)
    standin.launch(1.0)
    before = device.state()
    event = device.record(None)
    torch.accelerator.set_device_index(1)
    standin.launch(1.0)

    assert DeviceState.IDLE is before
    assert DeviceState.BUSY is device.state()
    assert "standin:1" == str(torch.device(event.device))  # type: ignore[attr-defined]  # torch's own has one


def test_a_poll_that_finds_a_thousand_marks_takes_some_of_them() -> None:
    """So many calls a poll and no more; a few polls later all marks are known, as exactly as if taken at once."""
    world = World()
    standin.configure()  # over the ten seconds a clock that drifts is off by more than that
    for _ in range(1_000):
        world.step(0.01)
    standin.synchronize()
    asked, known = [], []
    for _ in range(1_000 // MOST_FOUND + 2):
        before = standin.calls()
        world.steps.poll()
        asked.append(standin.calls() - before)
        known.append(world.known())

    assert max(asked) <= 4 * MOST_FOUND + 8
    assert 1_000 == known[-1]
    assert [True] * 1_000 == world.exact()


def test_a_stamp_takes_no_more_than_a_poll() -> None:
    """The bound holds on the way of a step, too."""
    world = World()
    for _ in range(1_000):
        world.step(0.01)
    standin.synchronize()
    before = standin.calls()
    world.steps.stamp()

    assert standin.calls() - before <= 4 * MOST_FOUND + 8


def test_an_accelerator_without_events_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """Marks are the program's, with the reason."""
    world = World(late=True)
    standin.launch(0.1)
    standin.fail(Call.MAKE_EVENT, sticks=True, message="Backend doesn't support events.")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        world.train(20)

    assert 1 == len(caplog.records)
    assert world.stamped == [world.steps.resolve(ticket) for ticket in world.tickets]
    assert ClockUse(0, 20, "RuntimeError: Backend doesn't support events.") == world.steps.use


def test_no_device_is_found_where_none_is_used() -> None:
    """Looking for a device starts none."""
    standin.reset()
    found = (device_in_use(), _find())

    assert (None, None) == found
    assert not standin.is_initialized()


def test_a_device_that_is_in_use_is_found_with_its_index() -> None:
    """It is the device that is current then, and stays so."""
    standin.reset()
    torch.accelerator.set_device_index(1)
    standin.launch(0.0)

    assert torch.device("standin", 1) == device_in_use()
