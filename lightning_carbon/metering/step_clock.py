"""When the device got to a mark: at once on a processor, and by its own clock on a GPU.

The time that a GPU notes is put on the host's clock by what the host knows anyway: it had not been noted before it was
asked for, nor when it was last looked for in vain, and it had been when it was found
(:class:`~lightning_carbon.metering.clock_alignment.ClockAlignment`). Where the GPU has nothing left to do as a mark
comes, which is wherever the program has just waited for it, both bounds are some microseconds apart. These are the
anchors.

Distances are measured from one event to the next, never further: CUDA gives them as 32-bit milliseconds, good for half
a microsecond, the resolution of its events, only up to some seconds (CUDA runtime API, cudaEventElapsedTime).

A device is asked on the training's thread only. To look for an event from another one, while a CUDA graph is being
captured, breaks the capture (https://github.com/pytorch/pytorch/pull/104555, 2023).
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic

from lightning_carbon.energy.curve import FOREVER_NS
from lightning_carbon.metering.clock_alignment import ClockAlignment
from lightning_carbon.ports import DeviceState, EventT
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from lightning_carbon.ports import Clock, EventDevice

FLUSH_SECONDS: Final = 5.0
"""How long the end of a run waits for the device."""
MOST_EVENTS: Final = 1024
"""How many events there are at most; with as many under way, further marks share the next one that is recorded."""
ANCHOR_EVERY_NS: Final = NANOSECONDS_PER_SECOND
"""How often a device without work is anchored while no mark comes."""
LATENCY_NS: Final = 50_000
"""How long a device without work takes to note the time, at most; some microseconds are usual for CUDA."""


class HostStepClock:
    """Marks are known at once: where the program computes by itself, the stamp is the moment.

    Args:
        clock: The meter's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._now_ns = clock.now_ns

    def stamp(self) -> int:
        """The moment."""
        return self._now_ns()

    def resolve(self, ticket: object) -> int | None:
        """The moment of a mark."""
        return ticket if isinstance(ticket, int) else None

    def earliest(self, ticket: object) -> int:
        """The moment of a mark."""
        return ticket if isinstance(ticket, int) else 0

    def poll(self) -> None:
        """Nothing is under way."""

    def flush(self, seconds: float = 0.0) -> None:
        """Nothing is under way."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """A mark: not before ``low_ns``, and at ``moment_ns`` once that is known."""

    low_ns: int
    moment_ns: int | None = None


@dataclass(slots=True, eq=False)
class _Pending(Generic[EventT]):
    """A mark whose event has not been found done, or that has none and shares the next; bounds as far as known."""

    ticket: _Ticket
    event: EventT | None = None
    high_ns: int = FOREVER_NS
    device_ns: float = 0.0


class DeviceStepClock(Generic[EventT]):
    """Marks are known once the device got there, which its events tell.

    Marks that come while the device may not be asked share the next event. Once the device has failed, the marks are
    the host's.

    Args:
        clock: The meter's clock.
        device: The device.
        most_events: How many events there are at most; two, if less is said, as one alone has no distance.
    """

    def __init__(self, clock: Clock, device: EventDevice[EventT], *, most_events: int = MOST_EVENTS) -> None:
        self._now_ns = clock.now_ns
        self._device: EventDevice[EventT] | None = device
        self._most_events = max(most_events, 2)
        # May be taken twice on one thread, by the handler of a signal that ends the run.
        self._lock = threading.RLock()
        self._pending: deque[_Pending[EventT]] = deque()
        self._free: list[EventT] = []
        self._events = 0
        self._reckoning = ClockAlignment()
        self._last_event: EventT | None = None
        self._last_device_ns = 0.0
        self._last_ns = 0
        self._anchored_ns: int | None = None
        self.trouble: Exception | None = None
        """What the device failed with, if it did; marks are the host's since."""

    def stamp(self) -> object:
        """Have the device note the time when it gets here."""
        ticket = _Ticket(self._now_ns())
        with self._lock:
            try:
                if self._device is not None:
                    self._mark(self._device, ticket)
            except Exception as error:  # noqa: BLE001 -- whatever ails the device, the training goes on
                self._lose(error)
            if self._device is None:
                self._reach(ticket, ticket.low_ns)
        return ticket

    def resolve(self, ticket: object) -> int | None:
        """When the device got to a mark, if it is known to have got there."""
        return ticket.moment_ns if isinstance(ticket, _Ticket) else None

    def earliest(self, ticket: object) -> int:
        """The moment of a mark that is known; else the mark before it, or when the device was last not there yet."""
        if not isinstance(ticket, _Ticket):
            return 0
        # First this, then whether it is known: another way round, the last mark could by now be a later one.
        low_ns = max(self._last_ns, ticket.low_ns)
        return low_ns if ticket.moment_ns is None else ticket.moment_ns

    def poll(self) -> None:
        """See how far the device has got; anchor its clock now and then, if it has nothing to do."""
        with self._lock:
            try:
                if self._device is not None:
                    self._see(self._device)
            except Exception as error:  # noqa: BLE001 -- likewise
                self._lose(error)

    def flush(self, seconds: float = FLUSH_SECONDS) -> None:
        """Wait until the device has got to every mark, so many seconds at most; the marks it then lacks are now."""
        with self._lock:
            try:
                if self._device is not None and self._see(self._device) is not DeviceState.CLOSED:
                    last = next((one.event for one in reversed(self._pending) if one.event is not None), None)
                    if last is not None:
                        self._device.wait(last, seconds)
                        self._look(self._device)
            except Exception as error:  # noqa: BLE001 -- likewise
                self._lose(error)
            self._give_up(self._now_ns())

    def _mark(self, device: EventDevice[EventT], ticket: _Ticket) -> None:
        state = self._look(device)
        last = self._pending[-1].ticket if self._pending else None
        self._pending.append(self._record(device, ticket, state))
        if state is DeviceState.IDLE and (last is None or last.moment_ns is not None):
            self._reach(ticket, ticket.low_ns)  # there is nothing that it could still have to do

    def _see(self, device: EventDevice[EventT]) -> DeviceState:
        state, now_ns = self._look(device), self._now_ns()
        sharing = bool(self._pending) and self._pending[-1].event is None
        stale = self._anchored_ns is None or now_ns - self._anchored_ns >= ANCHOR_EVERY_NS
        if sharing or (stale and state is DeviceState.IDLE):
            anchor = self._record(device, _Ticket(now_ns), state)
            if anchor.event is not None:
                self._pending.append(anchor)
        return state

    def _look(self, device: EventDevice[EventT]) -> DeviceState:
        """See which events are done, and make the marks up to there known."""
        state = device.state()
        if state is DeviceState.CLOSED:
            return state
        done: list[_Pending[EventT]] = []
        for one in self._pending:
            if one.event is None:
                continue
            asked_ns = self._now_ns()
            if not device.done(one.event):
                one.ticket.low_ns = max(one.ticket.low_ns, asked_ns)
                break
            found_ns = self._now_ns()
            # A device without work that was found not to have noted the time by then was slower than is usual.
            one.high_ns = min(one.high_ns, found_ns) if one.high_ns >= one.ticket.low_ns else found_ns
            self._measure(device, one, one.event)
            done.append(one)
        for one in done:  # only now, as the later ones may have told more of the clocks
            moment_ns = self._reckoning.moment(one.device_ns, one.ticket.low_ns, one.high_ns)
            while self._pending[0] is not one:
                self._reach(self._pending.popleft().ticket, moment_ns)
            self._reach(self._pending.popleft().ticket, moment_ns)
        return state

    def _measure(self, device: EventDevice[EventT], one: _Pending[EventT], event: EventT) -> None:
        """Learn when a done event was, on the device's clock, and what that says of the clocks."""
        if self._last_event is not None:
            self._last_device_ns += device.nanoseconds_between(self._last_event, event)
            self._free.append(self._last_event)
        self._last_event = event
        one.device_ns = self._last_device_ns
        self._reckoning.narrow(one.device_ns, one.ticket.low_ns, one.high_ns)

    def _record(self, device: EventDevice[EventT], ticket: _Ticket, state: DeviceState) -> _Pending[EventT]:
        one = _Pending[EventT](ticket)
        if state is DeviceState.CLOSED or (not self._free and self._events >= self._most_events):
            return one
        self._events += not self._free
        one.event = device.record(self._free.pop() if self._free else None)
        if state is DeviceState.IDLE:
            self._anchored_ns = self._now_ns()
            one.high_ns = self._anchored_ns + LATENCY_NS
        return one

    def _reach(self, ticket: _Ticket, moment_ns: int) -> None:
        if ticket.moment_ns is None:
            ticket.moment_ns = self._last_ns = max(moment_ns, ticket.low_ns, self._last_ns)

    def _give_up(self, moment_ns: int) -> None:
        """Wait for no event any more; those under way are not used again."""
        for one in self._pending:
            self._events -= one.event is not None
            self._reach(one.ticket, moment_ns)
        self._pending.clear()

    def _lose(self, error: Exception) -> None:
        self._device, self.trouble = None, error
        self._give_up(0)
