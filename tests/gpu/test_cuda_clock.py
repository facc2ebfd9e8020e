"""The clock of a device of torch: its events fit the port, nothing waits, and moments are where the device was.

Moments are held to the host's clock by what the host can see for itself: with a device that is waited for after every
step, the end of the waiting is when it was done, within what it takes to wake up. The stand-in tells the truth itself.

On a GPU by ``make test-gpu``; in ``make test`` on torch's stand-in, which shows that torch is used rightly and nothing
about a driver (``tests/torch_standin``).
"""

from __future__ import annotations

from typing import Any

import pytest

from lightning_carbon.metering.step_clock import DeviceStepClock
from tests.contracts.event_device import EventDeviceContract, Subject

torch = pytest.importorskip("torch", reason="torch is not installed")

from tests.gpu.computing import DEVICES, Computing  # noqa: E402 -- it needs torch

pytestmark = pytest.mark.gpu

BOUND_NS = 1_000_000
"""By how much a moment may be off from when a waiting program woke up: 1 ms, the scheduling of a busy host included."""


def _device(name: str, *, real_time: bool = False) -> Computing:
    if not torch.get_device_module(name).is_available():
        pytest.skip("torch finds no GPU that it can use")
    return DEVICES[name](real_time=real_time)


@pytest.fixture(params=DEVICES)
def computing(request: pytest.FixtureRequest) -> Computing:
    """Each kind of device in turn."""
    return _device(request.param)


def _steps(computing: Computing) -> DeviceStepClock[Any]:
    from lightning_carbon.sources.torch_devices import event_device_of

    device = event_device_of(computing.name)
    assert device is not None
    computing.synchronize()
    return DeviceStepClock(computing.clock, lambda: device)


class TestTorchEvents(EventDeviceContract):
    """The events of torch are held to what holds for the scripted device."""

    @pytest.fixture(params=DEVICES)
    def subject(self, request: pytest.FixtureRequest) -> Subject:
        """Each kind of device in turn, in real time, as a wait that ends by itself takes that."""
        self.computing = _device(request.param, real_time=True)
        return self.make()

    def make(self) -> Subject:
        """The device."""
        from lightning_carbon.sources.torch_devices import event_device_of

        device = event_device_of(self.computing.name)
        assert device is not None
        self.computing.synchronize()
        return Subject(device, self.computing.spin, self.computing.synchronize, self.computing.capture)


def test_the_step_path_waits_for_nothing(computing: Computing) -> None:
    """Stamps, polls and questions are over before a device that has a second of work left to do."""
    steps = _steps(computing)
    computing.spin(1.0)
    with computing.no_waiting():
        tickets = [steps.stamp() for _ in range(100)]
        for ticket in tickets:
            steps.poll()
            steps.resolve(ticket)
            steps.earliest(ticket)
        behind = [steps.resolve(ticket) for ticket in tickets]
    computing.synchronize()
    steps.flush()

    assert steps.trouble is None
    assert [None] * 100 == behind
    assert None not in [steps.resolve(ticket) for ticket in tickets]


@pytest.mark.parametrize("behind", [1, 3, 10])
def test_moments_are_where_the_device_was(behind: int, computing: Computing) -> None:
    """With the device behind by some steps, marks lie as far from its being done as their work is long, within 1 ms."""
    steps = _steps(computing)
    steps.stamp()
    lengths = [0.03 if index % 3 else 0.09 for index in range(60)]
    tickets: list[object] = []
    done_ns: list[int | None] = [None] * len(lengths)
    events = []
    for index, seconds in enumerate(lengths):
        computing.spin(seconds)
        done_ns[index] = computing.done_ns()
        tickets.append(steps.stamp())
        events.append(computing.event())
        if index >= behind:
            events[index - behind].synchronize()
            done_ns[index - behind] = done_ns[index - behind] or computing.clock.now_ns()
    computing.synchronize()
    done_ns[-1] = done_ns[-1] or computing.clock.now_ns()
    steps.flush()
    found = [steps.resolve(ticket) for ticket in tickets]
    off = sorted(
        abs(done - moment)
        for done, moment in zip(done_ns, found, strict=True)
        if done is not None and moment is not None
    )

    assert steps.trouble is None
    assert None not in found
    assert off[len(off) // 2] < BOUND_NS // 5
    assert off[len(off) * 9 // 10] < BOUND_NS


def test_a_device_that_is_waited_for_has_the_host_s_marks(computing: Computing) -> None:
    """Where the program waits after every step, marks are known at once, and are the stamps."""
    steps = _steps(computing)
    for _ in range(20):
        computing.spin(0.005)
        computing.synchronize()
        before_ns = computing.clock.now_ns()
        moment_ns = steps.resolve(steps.stamp())
        after_ns = computing.clock.now_ns()

        assert moment_ns is not None
        assert before_ns <= moment_ns <= after_ns


def test_a_capture_is_not_broken(computing: Computing) -> None:
    """Marks while a graph is captured leave the graph whole, and are known later."""
    steps = _steps(computing)
    computing.spin(0.05)
    tickets = [steps.stamp()]

    def mark() -> None:
        tickets.append(steps.stamp())
        steps.poll()

    whole = computing.capture(mark)
    steps.flush()

    assert whole
    assert steps.trouble is None
    assert [True, True] == [steps.resolve(ticket) is not None for ticket in tickets]
