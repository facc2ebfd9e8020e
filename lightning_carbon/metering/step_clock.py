"""The clock of steps: when the device got to a mark, by its own clock, else when the program did.

The time that a GPU notes is put on the host's clock by what the host knows anyway: it was noted after it was asked for,
after the last look that did not find it, and before the look that did
(:class:`~lightning_carbon.metering.clock_alignment.ClockAlignment`). Where the GPU has no work left when a mark comes,
as after every wait of the program for it, the bounds are some microseconds apart. Such marks are the anchors.

Times are measured from each event to the next, never further: CUDA gives them as 32-bit milliseconds, which keep the
resolution of its events, half a microsecond, only up to some seconds (CUDA runtime API, cudaEventElapsedTime).

A device is asked on the training's thread only. Looking for an event from another thread while a CUDA graph is being
captured breaks the capture (https://github.com/pytorch/pytorch/pull/104555, 2023).
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic

from lightning_carbon.energy.curve import FOREVER_NS
from lightning_carbon.metering.clock_alignment import ClockAlignment
from lightning_carbon.ports import ClockUse, DeviceState, EventT
from lightning_carbon.units import NANOSECONDS_PER_SECOND
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.ports import Clock, EventDevice

FLUSH_SECONDS: Final = 5.0
"""How long the end of a run may wait for the device."""
MOST_EVENTS: Final = 1024
"""The most events; with as many under way, further marks share the next event that is recorded."""
MOST_FOUND: Final = 64
"""The most events that a look takes in, at some microseconds each on the training's thread."""
ANCHOR_EVERY_NS: Final = NANOSECONDS_PER_SECOND
"""The interval at which an idle device is anchored while no mark comes."""
LATENCY_NS: Final = 50_000
"""How long an idle device may take to note the time; some microseconds are usual for CUDA."""
FIND_EVERY_NS: Final = 10_000_000
"""The interval at which to check whether the program uses a device by now."""
REST_NS: Final = NANOSECONDS_PER_SECOND
"""How long a failed device is left alone; twice as long after every further failure in a row."""
MOST_REST_NS: Final = 64 * NANOSECONDS_PER_SECOND
"""The longest time that a failed device is left alone."""

logger = logging.getLogger("lightning_carbon")


@dataclass(slots=True, eq=False)
class _Ticket:
    """A mark, or an anchor beside the training's: not before ``low_ns``, and at ``moment_ns`` once that is known."""

    low_ns: int
    moment_ns: int | None = None
    is_anchor: bool = False


@dataclass(slots=True, eq=False)
class _Pending(Generic[EventT]):
    """A mark whose event is not known to be done, or that shares the next event; with its bounds as far as known."""

    ticket: _Ticket
    event: EventT | None = None
    high_ns: int = FOREVER_NS
    device_ns: float = 0.0


class DeviceStepClock(Generic[EventT]):
    """A clock whose marks are known once the device's events show that it got there.

    Until the program uses a device, marks are the host's: the moments when they were stamped. The same holds for a
    while after a call of the device has failed; then it is asked again. Marks that come while the device may not be
    asked share the next event.

    Args:
        clock: The meter's clock.
        find: Gives the device once the program uses it, and ``None`` before; called on the training's thread, again and
            again until then. May raise where the device cannot note the time.
        most_events: The most events; at least two, as a single event measures no time.
    """

    def __init__(
        self, clock: Clock, find: Callable[[], EventDevice[EventT] | None], *, most_events: int = MOST_EVENTS
    ) -> None:
        self._now_ns = clock.now_ns
        self._find = find
        self._device: EventDevice[EventT] | None = None
        self._ask_ns = 0  # before that, the device is left alone
        self._rest_ns = REST_NS
        self._most_events = max(most_events, 2)
        # May be taken twice on the same thread, by the handler of a signal that ends the run.
        self._lock = threading.RLock()
        self._pending: deque[_Pending[EventT]] = deque()
        self._taken = 0  # the number of pending marks that are measured, and wait for those done before them
        self._free: list[EventT] = []
        self._events = 0
        self._alignment = ClockAlignment()
        self._last_event: EventT | None = None
        self._last_device_ns = 0.0
        self._last_ns = 0
        self._anchored_ns: int | None = None
        self._device_marks = self._host_marks = 0
        self._reason: str | None = None
        self.trouble: Exception | None = None
        """The last error of a call of the device."""

    @property
    def use(self) -> ClockUse:
        """The clocks that timed the marks so far, and the error that kept the device from timing all of them."""
        return ClockUse(self._device_marks, self._host_marks, self._reason)

    def stamp(self) -> object:
        """Have the device note the time when it gets here."""
        now_ns = self._now_ns()
        if now_ns < self._ask_ns:
            self._host_marks += 1
            return now_ns
        ticket = _Ticket(now_ns)
        with self._lock:
            try:
                device = self._at_hand(now_ns)
                if device is None:
                    self._reach(ticket, now_ns, by_device=False)
                else:
                    self._mark(device, ticket)
            except Exception as error:  # noqa: BLE001 -- whatever ails the device, the training goes on
                self._lose(error)
                self._reach(ticket, now_ns, by_device=False)
        return ticket

    def resolve(self, ticket: object) -> int | None:
        """When the device got to a mark, if it is known to have got there."""
        if isinstance(ticket, _Ticket):
            return ticket.moment_ns
        return ticket if isinstance(ticket, int) else None

    def earliest(self, ticket: object) -> int:
        """The moment of a known mark; else that of the mark before it, or of the last look at which it was not done."""
        if not isinstance(ticket, _Ticket):
            return ticket if isinstance(ticket, int) else 0
        # First this, then whether it is known: in the other order, the last mark could by now be a later one.
        low_ns = max(self._last_ns, ticket.low_ns)
        return low_ns if ticket.moment_ns is None else ticket.moment_ns

    def poll(self) -> None:
        """See how far the device has got, and anchor its clock now and then while it is idle."""
        now_ns = self._now_ns()
        if now_ns < self._ask_ns:
            return
        with self._lock:
            try:
                device = self._at_hand(now_ns)
                if device is not None:
                    self._see(device)
            except Exception as error:  # noqa: BLE001 -- as in `stamp`
                self._lose(error)

    def flush(self, seconds: float = FLUSH_SECONDS) -> None:
        """Wait until the device has got to every mark, for some seconds at most; further marks then count as now."""
        with self._lock:
            try:
                if self._device is not None and self._now_ns() >= self._ask_ns:
                    self._await(self._device, seconds)
            except Exception as error:  # noqa: BLE001 -- as in `stamp`
                self._lose(error)
            if self._pending:
                self._reason = self._reason or "the device had not done everything at the end of the run"
            self._give_up(self._now_ns())

    def _at_hand(self, now_ns: int) -> EventDevice[EventT] | None:
        if self._device is None:
            self._ask_ns = now_ns + FIND_EVERY_NS
            self._device = self._find()
            if self._device is not None:
                self._ask_ns = 0
        return self._device

    def _await(self, device: EventDevice[EventT], seconds: float) -> None:
        if self._see(device) is DeviceState.CLOSED:
            return
        last = next((pending.event for pending in reversed(self._pending) if pending.event is not None), None)
        if last is not None:
            device.wait(last, seconds)
            self._look(device, self._most_events)

    def _mark(self, device: EventDevice[EventT], ticket: _Ticket) -> None:
        state = self._look(device)
        last = self._pending[-1].ticket if self._pending else None
        self._pending.append(self._record(device, ticket, state))
        if state is DeviceState.IDLE and (last is None or last.moment_ns is not None):
            self._reach(ticket, ticket.low_ns)  # it cannot have any work left

    def _see(self, device: EventDevice[EventT]) -> DeviceState:
        state, now_ns = self._look(device), self._now_ns()
        sharing = bool(self._pending) and self._pending[-1].event is None
        stale = self._anchored_ns is None or now_ns - self._anchored_ns >= ANCHOR_EVERY_NS
        if sharing or (stale and state is DeviceState.IDLE):
            anchor = self._record(device, _Ticket(now_ns, is_anchor=True), state)
            if anchor.event is not None:
                self._pending.append(anchor)
        return state

    def _look(self, device: EventDevice[EventT], most: int = MOST_FOUND) -> DeviceState:
        """Take in the events that are done, up to a number; once all are, make the marks up to there known."""
        state = device.state()
        if state is DeviceState.CLOSED:
            return state
        if state is DeviceState.IDLE and self._pending:
            last = self._pending[-1]
            last.high_ns = min(last.high_ns, self._now_ns())
        if self._take(device, most):
            self._tell()  # only now, as later events may have narrowed the bounds of the clocks
        return state

    def _take(self, device: EventDevice[EventT], most: int) -> bool:
        """Measure the events that are done, up to a number, and say whether none of them is left."""
        left = most
        for place, pending in enumerate(islice(self._pending, self._taken, None), self._taken + 1):
            if pending.event is None:
                continue
            if not left:
                return False
            asked_ns = self._now_ns()
            if not device.done(pending.event):
                pending.ticket.low_ns = max(pending.ticket.low_ns, asked_ns)
                return True
            found_ns = self._now_ns()
            # An idle device that had not noted the time by then was slower than usual.
            pending.high_ns = min(pending.high_ns, found_ns) if pending.high_ns >= pending.ticket.low_ns else found_ns
            self._measure(device, pending, pending.event)
            self._taken = place
            left -= 1
        return True

    def _tell(self) -> None:
        """Make the marks known whose events are measured, and earlier marks that share them."""
        sharing: list[_Ticket] = []
        for _ in range(self._taken):
            pending = self._pending.popleft()
            sharing.append(pending.ticket)
            if pending.event is not None:
                moment_ns = self._alignment.moment(pending.device_ns, pending.ticket.low_ns, pending.high_ns)
                for ticket in sharing:
                    self._reach(ticket, moment_ns)
                sharing.clear()
        self._taken = 0

    def _measure(self, device: EventDevice[EventT], pending: _Pending[EventT], event: EventT) -> None:
        """Measure when an event happened on the device's clock, and narrow the bounds of the clocks."""
        if self._last_event is not None:
            self._last_device_ns += device.nanoseconds_between(self._last_event, event)
            self._free.append(self._last_event)
        self._last_event = event
        pending.device_ns = self._last_device_ns
        self._alignment.narrow(pending.device_ns, pending.ticket.low_ns, pending.high_ns)
        self._rest_ns = REST_NS

    def _record(self, device: EventDevice[EventT], ticket: _Ticket, state: DeviceState) -> _Pending[EventT]:
        pending = _Pending[EventT](ticket)
        if state is DeviceState.CLOSED or (not self._free and self._events >= self._most_events):
            return pending
        self._events += not self._free
        pending.event = device.record(self._free.pop() if self._free else None)
        if state is DeviceState.IDLE:
            self._anchored_ns = self._now_ns()
            pending.high_ns = self._anchored_ns + LATENCY_NS
        return pending

    def _reach(self, ticket: _Ticket, moment_ns: int, *, by_device: bool = True) -> None:
        if ticket.moment_ns is not None:
            return
        ticket.moment_ns = self._last_ns = max(moment_ns, ticket.low_ns, self._last_ns)
        if not ticket.is_anchor:
            self._device_marks += by_device
            self._host_marks += not by_device

    def _give_up(self, moment_ns: int) -> None:
        """Stop waiting for events; events under way are not used again."""
        self._tell()
        for pending in self._pending:
            self._events -= pending.event is not None
            self._reach(pending.ticket, moment_ns, by_device=False)
        self._pending.clear()

    def _lose(self, error: Exception) -> None:
        """Leave the device alone for a while, with marks by the host until then."""
        self.trouble = error
        if self._reason is None:
            self._reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            logger.warning(
                "steps end where the program says so for now, as the device's own clock fails (%s); "
                "it is tried again, and the record says so",
                self._reason,
            )
        self._give_up(0)
        if self._rest_ns > REST_NS:  # no answer since the last failure: it may be failing on an old event
            self._last_event, self._last_device_ns, self._alignment = None, 0.0, ClockAlignment()
        self._free.clear()
        self._events = int(self._last_event is not None)
        self._ask_ns = self._now_ns() + self._rest_ns
        self._rest_ns = min(2 * self._rest_ns, MOST_REST_NS)
