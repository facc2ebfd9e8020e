"""Keeps a device busy in known shapes: not at all, all the time, half of it, in short bursts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tests.gpu.measuring.curves import (
    LINE_SECONDS,
    SETTLING_SECONDS,
    integral_of,
    joules_between,
    lag_seconds,
    moves_of,
)
from tests.gpu.measuring.watching import COUNTER, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


LONGEST_SECONDS = 0.002
"""A product takes no longer, so that bursts of 20 ms are bursts of 20 ms."""
LEAST_SIZE = 64


class Load(Protocol):
    """Something that can be kept busy."""

    def busy(self, seconds: float) -> None:
        """Keep it busy for about so long, and return when it is done."""
        ...


class Matmuls:
    """Products of large matrices on a torch device: on a GPU in bf16, its tensor cores at full power.

    Args:
        device: The device.
        size: Rows and columns; half, or less, on a device that takes too long for one.
    """

    def __init__(self, device: str = "cuda", size: int = 8192) -> None:
        import torch

        self._torch = torch
        self._device = torch.device(device)
        self.size = 2 * size
        """Rows and columns as they are in the end."""
        self.seconds = LONGEST_SECONDS + 1
        """How long one takes, when the device is warm."""
        while self.seconds > LONGEST_SECONDS and self.size > LEAST_SIZE:
            self.size //= 2
            self._prepare()

    @property
    def flops_per_second(self) -> float:
        """How much it computes in a second."""
        return 2 * self.size**3 / self.seconds

    def _prepare(self) -> None:
        torch = self._torch
        dtype = torch.bfloat16 if self._device.type == "cuda" else torch.float32
        self._one = torch.randn(self.size, self.size, device=self._device, dtype=dtype)
        self._into = torch.empty_like(self._one)
        self.launch(3)
        self.wait()
        start = time.perf_counter()
        self.launch(10)
        self.wait()
        self.seconds = (time.perf_counter() - start) / 10

    def launch(self, count: int) -> None:
        """Give the device so many, without waiting for it."""
        for _ in range(count):
            self._torch.matmul(self._one, self._one, out=self._into)

    def launch_seconds(self, seconds: float) -> None:
        """Give the device about so much work, without waiting for it."""
        self.launch(max(1, round(seconds / self.seconds)))

    def wait(self) -> None:
        """Wait until the device has done all of them."""
        if self._device.type == "cuda":
            self._torch.cuda.synchronize(self._device)

    def busy(self, seconds: float) -> None:
        """Keep it busy for about so long, without a gap: the next ones are there before the last ones are done."""
        chunk = max(1, round(min(0.01, seconds / 8) / self.seconds))
        # What has been given when the time is over is still done: two chunks.
        until = time.perf_counter() + seconds - 2 * chunk * self.seconds
        marks: list[Any] = []
        while time.perf_counter() < until:
            self.launch(chunk)
            if self._device.type == "cuda":
                make_event: Any = self._torch.cuda.Event
                mark = make_event(blocking=True)
                mark.record()
                marks.append(mark)
                if len(marks) > 1:
                    marks.pop(0).synchronize()
        self.wait()


class Sleep:
    """Nothing that is kept busy: for devices whose power does not depend on what they are given."""

    def busy(self, seconds: float) -> None:
        """Let the time pass."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Shape:
    """A load over time.

    Args:
        name: What it is called.
        busy_seconds: How long it is busy in each period.
        period_seconds: The period.
    """

    name: str
    busy_seconds: float
    period_seconds: float


SHAPES = (
    Shape("idle", 0.0, 1.0),
    Shape("half", 0.25, 0.5),
    Shape("full", 1.0, 1.0),
    Shape("bursts of 20 ms", 0.02, 0.1),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """One shape of load, by all sensors.

    Args:
        shape: Its name.
        seconds: How long it was looked at.
        counter_watts: The mean power by the counter.
        ratios: The integral of each gauge over what the counter rose by.
        readings: How often each gauge was read.
    """

    shape: str
    seconds: float
    counter_watts: float
    ratios: dict[str, float]
    readings: dict[str, int]


def drive(load: Load, shape: Shape, seconds: float) -> None:
    """Keep a device busy in a shape, for so long."""
    start = time.monotonic()
    periods = 0
    while time.monotonic() - start < seconds:
        if shape.busy_seconds:
            load.busy(shape.busy_seconds)
        periods += 1
        time.sleep(max(0.0, start + periods * shape.period_seconds - time.monotonic()))


def compare_shapes(
    load: Load,
    sensors: Mapping[str, Callable[[], float]],
    shapes: Sequence[Shape] = SHAPES,
    *,
    seconds: float = 8.0,
    lead_seconds: float = 1.5,
) -> list[Compared]:
    """Hold power, integrated, against the counter, for each shape of load.

    Args:
        load: What is kept busy.
        sensors: The sensors, a counter among them.
        shapes: The shapes.
        seconds: How long each is looked at.
        lead_seconds: How long it goes on before and after, so that a mean of the last second shows this load alone.
    """
    found = []
    for shape in shapes:
        with Watcher(sensors, every_seconds=0.01) as watcher:
            began_ns = time.monotonic_ns()
            drive(load, shape, seconds + 2 * lead_seconds)
        start_ns = began_ns + lead_seconds * 1e9
        end_ns = start_ns + seconds * 1e9
        joules = joules_between(moves_of(watcher.readings[COUNTER]), start_ns, end_ns)
        gauges = {name: readings for name, readings in watcher.readings.items() if name != COUNTER}
        found.append(
            Compared(
                shape.name,
                seconds,
                joules / seconds,
                {name: joules_between(integral_of(curve), start_ns, end_ns) / joules for name, curve in gauges.items()},
                {name: len(curve) for name, curve in gauges.items()},
            )
        )
    return found


def lags(
    load: Load,
    sensors: Mapping[str, Callable[[], float]],
    *,
    times: int = 3,
    settling_seconds: float = SETTLING_SECONDS,
    line_seconds: float = LINE_SECONDS,
) -> dict[str, list[float]]:
    """How late each sensor shows that a load began, and that it ended.

    Args:
        load: What is kept busy.
        sensors: The sensors.
        times: How often it begins and ends.
        settling_seconds: For so long after an edge nothing is looked at.
        line_seconds: For so long after that, the load stays as it is and its power is looked at.

    Returns:
        By sensor, seconds for every edge that could be told.
    """
    edges = []
    seconds = settling_seconds + line_seconds
    with Watcher(sensors, every_seconds=0.004) as watcher:
        time.sleep(seconds)
        for _ in range(times):
            edges.append(time.monotonic_ns())
            load.busy(seconds)
            edges.append(time.monotonic_ns())
            time.sleep(seconds)
    curves = {
        name: moves_of(readings) if name == COUNTER else integral_of(readings)
        for name, readings in watcher.readings.items()
    }
    return {
        name: [
            lag
            for lag in (lag_seconds(curve, edge, settling_seconds, line_seconds) for edge in edges)
            if lag is not None
        ]
        for name, curve in curves.items()
    }
