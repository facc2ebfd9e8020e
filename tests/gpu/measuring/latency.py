"""How long a device without work takes to note the time, and what asking for that costs the program."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, Protocol

from lightning_carbon.ports import EventT as Event

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE_NS = 1_000_000_000


class Events(Protocol[Event]):
    """What is measured of an :class:`~lightning_carbon.ports.EventDevice`."""

    def record(self, event: Event | None) -> Event:
        """Have the device note the time once it gets there."""

    def done(self, event: Event) -> bool:
        """Whether it has got there."""


@dataclass(frozen=True, slots=True)
class Latency:
    """What events cost, in seconds.

    Args:
        events: How many there were.
        done_seconds: From being asked for until it was seen to be done, the median.
        late_done_seconds: The 99th percentile of it.
        record_seconds: How long asking for it takes, the median.
        late_record_seconds: The 99th percentile of it.
        query_seconds: How long a look at it takes, the median.
    """

    events: int
    done_seconds: float
    late_done_seconds: float
    record_seconds: float
    late_record_seconds: float
    query_seconds: float


def event_latency(
    device: Events[Event],
    count: int = 1_000,
    pause_seconds: float = 0.002,
    now_ns: Callable[[], int] = time.monotonic_ns,
    pause: Callable[[float], object] = time.sleep,
) -> Latency:
    """Ask a device that has nothing to do for events, one after the other.

    Args:
        device: The device.
        count: How many.
        pause_seconds: The pause before each, so that it has nothing to do indeed.
        now_ns: The clock.
        pause: Waits for so many seconds.

    Raises:
        TimeoutError: An event was not done within a second: the device has something to do.
    """
    event: Event | None = None
    done, recorded, looked = [], [], []
    for _ in range(count):
        pause(pause_seconds)
        asked_ns = now_ns()
        event = device.record(event)
        back_ns = now_ns()
        looks, is_done = 0, False
        while not is_done:
            is_done = device.done(event)
            looks += 1
            if now_ns() - asked_ns > _PATIENCE_NS:
                message = "the device has something to do"
                raise TimeoutError(message)
        seen_ns = now_ns()
        done.append((seen_ns - asked_ns) / 1e9)
        recorded.append((back_ns - asked_ns) / 1e9)
        looked.append((seen_ns - back_ns) / looks / 1e9)
    return Latency(
        events=count,
        done_seconds=median(done),
        late_done_seconds=_late(done),
        record_seconds=median(recorded),
        late_record_seconds=_late(recorded),
        query_seconds=median(looked),
    )


def _late(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[-1]
