"""What holds for every device that notes times; see :class:`lightning_carbon.ports.EventDevice`.

Needs nothing but pytest, as the tests on a GPU run wherever a GPU is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from lightning_carbon.ports import DeviceState, EventDevice

BEAT_NS = 2_000
"""How far two distances on one clock may be off: its events are half a microsecond apart."""


@dataclass
class Subject:
    """A device under test.

    Args:
        device: The device, which has nothing to do.
        launch: Gives it something to do for so many seconds.
        synchronize: Waits until it has done everything.
        captured: Calls something while a graph is being captured, for devices that can.
    """

    device: EventDevice[Any]
    launch: Callable[[float], object]
    synchronize: Callable[[], object]
    captured: Callable[[Callable[[], object]], object] | None = None


class EventDeviceContract(ABC):
    """A new device is held to it by a subclass."""

    @abstractmethod
    def make(self) -> Subject:
        """Make a device that has nothing to do."""

    @pytest.fixture
    def subject(self) -> Subject:
        """The device under test."""
        return self.make()

    def test_it_is_busy_while_it_has_something_to_do(self, subject: Subject) -> None:
        """Work can be seen to be under way, and to be over, without waiting for it."""
        before = subject.device.state()
        subject.launch(0.2)
        amid = subject.device.state()
        subject.synchronize()

        assert (DeviceState.IDLE, DeviceState.BUSY, DeviceState.IDLE) == (before, amid, subject.device.state())

    def test_an_event_is_done_after_what_was_given_before_it(self, subject: Subject) -> None:
        """It comes in its turn: not while there is work before it, and once there is none."""
        subject.launch(0.2)
        event = subject.device.record(None)
        amid = subject.device.done(event)
        subject.device.wait(event, 10.0)

        assert (False, True) == (amid, subject.device.done(event))

    def test_waiting_has_an_end(self, subject: Subject) -> None:
        """It gives up after the time given, whatever there is left to do."""
        subject.launch(0.5)
        event = subject.device.record(None)
        subject.device.wait(event, 0.01)
        amid = subject.device.done(event)
        subject.synchronize()

        assert (False, True) == (amid, subject.device.done(event))

    def test_distances_add_up(self, subject: Subject) -> None:
        """Three times on one clock agree, and there is as much between two as there was to do."""
        first = subject.device.record(None)
        subject.launch(0.1)
        second = subject.device.record(None)
        subject.launch(0.2)
        third = subject.device.record(None)
        subject.synchronize()
        former = subject.device.nanoseconds_between(first, second)
        latter = subject.device.nanoseconds_between(second, third)

        assert abs(subject.device.nanoseconds_between(first, third) - former - latter) <= BEAT_NS
        assert abs(subject.device.nanoseconds_between(second, first) + former) <= BEAT_NS
        assert 0 < former < latter

    def test_an_event_can_be_used_again(self, subject: Subject) -> None:
        """It then tells the later time, and is not done before."""
        first, again = subject.device.record(None), subject.device.record(None)
        subject.synchronize()
        before_ns = subject.device.nanoseconds_between(first, again)
        subject.launch(0.2)
        same = subject.device.record(again)
        amid = subject.device.done(same)
        subject.synchronize()

        assert again is same
        assert (False, True) == (amid, subject.device.done(same))
        assert before_ns < subject.device.nanoseconds_between(first, same)

    def test_no_distance_is_told_before_its_time(self, subject: Subject) -> None:
        """The distance to an event that is not done is an error, and nothing is waited for."""
        first = subject.device.record(None)
        subject.launch(0.2)
        second = subject.device.record(None)
        with pytest.raises(Exception, match=r"."):
            subject.device.nanoseconds_between(first, second)
        amid = subject.device.done(second)
        subject.synchronize()

        assert not amid

    def test_it_says_when_it_may_not_be_asked(self, subject: Subject) -> None:
        """While a graph is captured it is closed, and that can be asked all the time."""
        if subject.captured is None:
            pytest.skip("this device captures no graphs")
        states = [subject.device.state()]
        subject.captured(lambda: states.append(subject.device.state()))
        states.append(subject.device.state())

        assert [DeviceState.IDLE, DeviceState.CLOSED, DeviceState.IDLE] == states
