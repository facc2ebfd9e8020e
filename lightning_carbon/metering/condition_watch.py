"""Reads the gauges of a device now and then, beside its power, and sums what they show."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.condition import READ_SECONDS, ConditionSum, Look, after
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.ports import DeviceGauges

FIRST_SECONDS: Final = 0.25
"""How far apart the first readings are, so that a short run has some."""
OF_THE_TIME: Final = 1 / 8
"""How far apart they are from there, as a share of the time since the first, until they are two seconds apart; ours."""
FIRST_EDGES: Final = 3
"""After how many begins of a phase readings are close again; ours: the set-up, a sanity check and the training."""
_MOST_PENDING: Final = 64
"""The most readings that are kept until somebody sums them; ours: two minutes' worth."""


class ConditionWatch:
    """The gauges of a device.

    Readings are taken on the sampling thread, and summed there or by those that ask for the sums, under the run's lock.

    Args:
        port: The gauges.
        now_ns: The clock.
        phase: Gives the phase that the program is in.
    """

    __slots__ = ("_before", "_is_dropped", "_now_ns", "_pending", "_phase", "_read", "_sums", "reading_since_ns")

    def __init__(self, port: DeviceGauges, now_ns: Callable[[], int], phase: Callable[[], str]) -> None:
        self._read = port.read_condition
        self._now_ns = now_ns
        self._phase = phase
        self._pending: deque[Look] = deque(maxlen=_MOST_PENDING)
        self._before: Look | None = None
        self._is_dropped = False
        self._sums: ConditionSum | None = None
        #: Since when a reading has not come back; ``None`` between readings.
        self.reading_since_ns: int | None = None

    def drop(self) -> None:
        """Read it no more: a reading hangs, and may never come back."""
        self._is_dropped = True
        self.reading_since_ns = None

    def read(self) -> None:
        """Take a reading; whatever the driver raises, the time until the next is a gap."""
        if self._is_dropped:
            return
        self.reading_since_ns = self._now_ns()
        try:
            condition = self._read()
        except Exception:  # noqa: BLE001 - gauges explain a run, and never end it
            return
        finally:
            self.reading_since_ns = None
        if not self._is_dropped:
            self._pending.append(Look(self._now_ns(), condition, self._phase()))

    @property
    def sums(self) -> ConditionSum | None:
        """What the gauges have shown so far; ``None`` before the first reading. The run's lock is held."""
        self.add_up()
        return self._sums

    def add_up(self) -> None:
        """Sum the readings that are not summed yet; the run's lock is held."""
        while self._pending:
            look = self._pending.popleft()
            self._sums = after(self._sums or ConditionSum(), self._before, look)
            self._before = look


def next_look_ns(since_ns: int, now_ns: int) -> int:
    """When gauges are read next: soon at the start of a run, every two seconds later."""
    age_seconds = (now_ns - since_ns) / NANOSECONDS_PER_SECOND
    return now_ns + round(min(READ_SECONDS, max(FIRST_SECONDS, age_seconds * OF_THE_TIME)) * NANOSECONDS_PER_SECOND)
