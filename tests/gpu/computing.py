"""The devices that the tests of the clock run on: a GPU, and torch's stand-in where this process has loaded it."""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch

from lightning_carbon.ports import Clock
from lightning_carbon.sources.clock import SystemClock
from tests.torch_standin import device as standin


class Computing(ABC):
    """A device that torch computes on; everything is done on its current stream.

    Args:
        clock: The clock of the host.
    """

    name: str
    """What torch calls it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    @abstractmethod
    def spin(self, seconds: float) -> None:
        """Keep the device busy for so many seconds, without waiting for it."""

    @abstractmethod
    def capture(self, call: Callable[[], object]) -> bool:
        """Call something while a graph is captured; whether the graph is whole, and does its work when replayed."""

    @abstractmethod
    @contextmanager
    def no_waiting(self) -> Iterator[None]:
        """Whatever makes the program wait for the device in this block is an error."""
        yield

    def done_ns(self) -> int | None:
        """When it has done all that it was given so far, where that can be known beforehand."""
        return None

    def synchronize(self) -> None:
        """Wait until the device has done everything."""
        torch.get_device_module(self.name).synchronize()

    def event(self) -> Any:  # noqa: ANN401 -- an event of torch
        """An event that notes no time, recorded now."""
        event: Any = torch.Event(self.name)
        event.record(torch.get_device_module(self.name).current_stream())
        return event


class Cuda(Computing):
    """NVIDIA's or AMD's GPU."""

    name = "cuda"

    def __init__(self, *, real_time: bool = False) -> None:
        del real_time  # a GPU has no manual clock
        super().__init__(SystemClock())

    def spin(self, seconds: float) -> None:
        """Spin so many cycles."""
        _sleep(round(seconds * _cycles_per_second()))

    def capture(self, call: Callable[[], object]) -> bool:
        """Capture an addition."""
        graph, tensor = torch.cuda.CUDAGraph(), torch.zeros(8, device="cuda")
        tensor.add_(0)  # loads the kernel, which cannot be done amid a capture
        with torch.cuda.graph(graph):
            tensor.add_(1)
            call()
        graph.replay()
        torch.cuda.synchronize()
        return float(tensor.sum()) == 8.0

    @contextmanager
    def no_waiting(self) -> Iterator[None]:
        """Have torch raise."""
        torch.cuda.synchronize()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch says, once, that it does not notice every kind of waiting
            torch.cuda.set_sync_debug_mode("error")
        yield
        torch.cuda.set_sync_debug_mode("default")


class StandinClock:
    """The stand-in's clock of the host, which goes on by what calls take and where the device is waited for."""

    def now_ns(self) -> int:
        """What it shows, in nanoseconds."""
        return standin.now_ns()

    def wall_seconds(self) -> float:
        """The same, in seconds."""
        return standin.now_ns() / 1e9


class Standin(Computing):
    """The stand-in accelerator.

    Args:
        real_time: Whether its clock is the machine's; else no scheduling comes in between.
    """

    name = "standin"

    def __init__(self, *, real_time: bool = False) -> None:
        super().__init__(StandinClock())
        standin.reset(manual_ns=0 if real_time else 10**13, call_ns=1_000)

    def done_ns(self) -> int:
        """When it has done all that it was given so far: the stand-in knows."""
        return standin.done_ns()

    def spin(self, seconds: float) -> None:
        """Launch work of that length."""
        standin.launch(seconds)

    def capture(self, call: Callable[[], object]) -> bool:
        """Capture 20 ms of work."""
        with standin.captured() as graph:
            standin.launch(0.02)
            call()
        begun_ns = standin.now_ns()
        standin.replay(graph)
        self.synchronize()
        return standin.now_ns() - begun_ns >= 20_000_000

    @contextmanager
    def no_waiting(self) -> Iterator[None]:
        """Count how often the device is waited for."""
        waits = standin.waits()
        yield
        assert waits == standin.waits()


DEVICES: dict[str, type[Cuda | Standin]] = {"cuda": Cuda, **({"standin": Standin} if standin.is_attached() else {})}


def _sleep(cycles: int) -> None:
    sleep: Any = torch.cuda._sleep  # noqa: SLF001 -- torch's own tests wait like this; it has no public way to
    sleep(cycles)


@cache
def _cycles_per_second() -> float:
    """How many cycles the GPU spins in a second, by the difference of a long and a short spin."""
    taken = []
    for cycles in (10_000_000, 10_000_000, 110_000_000):
        torch.cuda.synchronize()
        start = time.perf_counter()
        _sleep(cycles)
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return 100_000_000 / (taken[2] - taken[1])
