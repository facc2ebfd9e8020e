"""``torch.standin``: what torch asks of a device's module, and what tests do with the device."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    import ctypes

REAL_TIME = 0
MESSAGE = "standin error: an illegal memory access was encountered"

_library: ctypes.CDLL | None = None


class Call(enum.IntFlag):
    """The calls that can be made to fail."""

    RECORD = 1
    QUERY_EVENT = 2
    ELAPSED = 4
    QUERY_STREAM = 8
    MAKE_EVENT = 16
    EVERY = 31


def attach(library: ctypes.CDLL) -> None:
    """Take the loaded library."""
    globals()["_library"] = library


def is_attached() -> bool:
    """Whether this process has loaded the stand-in."""
    return _library is not None


# -- what torch asks ---------------------------------------------------------------------------------------------------


def is_available() -> bool:
    """Whether there is a device."""
    return device_count() > 0


def device_count() -> int:
    """How many devices there are."""
    return int(_loaded().standinDevices())


def current_device() -> int:
    """The index of the current device."""
    return int(torch.accelerator.current_device_index())


def current_stream(device: int | None = None) -> Any:  # noqa: ANN401 -- a stream of torch
    """The current stream of a device."""
    return torch.accelerator.current_stream(device)


def synchronize(device: int | None = None) -> None:
    """Wait until a device has done everything."""
    torch.accelerator.synchronize(device)


def is_initialized() -> bool:
    """Whether anything has been given to a device or asked of it; looking at the current stream is neither."""
    return bool(_loaded().standinStarted())


# -- what tests do -----------------------------------------------------------------------------------------------------


def reset(devices: int = 2, *, manual_ns: int = REAL_TIME, call_ns: int = 0) -> None:
    """Begin with new devices, which have not been started.

    Args:
        devices: How many.
        manual_ns: What their clock shows, which then goes on as :func:`advance` says and where it is waited for a
            device; default: the time is that of ``time.monotonic_ns``.
        call_ns: How long a call takes on that clock.
    """
    _loaded().standinReset(devices, manual_ns, call_ns)


def configure(device: int = 0, *, drift_ppm: float = 0.0, latency_ns: int = 8_000) -> None:
    """Say how many microseconds a device's clock gains in a second, and how long it takes to note the time."""
    _loaded().standinConfigure(device, drift_ppm, latency_ns)


def fail(calls: Call, *, after: int = 0, sticks: bool = False, message: str = MESSAGE) -> None:
    """Let the next call of these kinds fail, or the one after so many; and all that follow, if the error sticks."""
    _loaded().standinFail(int(calls), after, int(sticks), message.encode())


def recover() -> None:
    """Let no call fail any more."""
    _loaded().standinFail(0, 0, 0, b"")


def launch(seconds: float) -> None:
    """Give the current stream something to do."""
    _loaded().standinLaunch(round(seconds * 1e9))


def done_ns() -> int:
    """When the current stream has done, or will have done, all that it was given: the truth."""
    return int(_loaded().standinDone())


def now_ns() -> int:
    """What the clock of the host shows."""
    return int(_loaded().standinNow())


def advance(*, seconds: float = 0.0, nanoseconds: int = 0) -> None:
    """Let time pass on a manual clock."""
    _loaded().standinAdvance(round(seconds * 1e9) + nanoseconds)


def calls() -> int:
    """How many calls there were that have to do with a device."""
    return int(_loaded().standinAsked())


def waits() -> int:
    """How often the program waited for a device."""
    return int(_loaded().standinWaited())


@contextmanager
def captured() -> Iterator[list[int]]:
    """Capture what the current device is given, on a stream of its own, as ``torch.cuda.graph`` does.

    Yields:
        A list that has the number of the graph after the block.

    Raises:
        RuntimeError: Something in the block broke the capture.
    """
    graph: list[int] = []
    with torch.Stream(device=f"standin:{current_device()}"):
        _loaded().standinBeginCapture()
        yield graph
        number = int(_loaded().standinEndCapture())
    if number < 0:
        message = "standin error: the capture was broken by what may not be done in it"
        raise RuntimeError(message)
    graph.append(number)


def replay(graph: list[int]) -> None:
    """Give the current stream what was captured."""
    _loaded().standinReplay(graph[0])


def _loaded() -> ctypes.CDLL:
    if _library is None:
        message = "the stand-in is not loaded in this process"
        raise RuntimeError(message)
    return _library
