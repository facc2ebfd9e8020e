"""Torch's events as a device's clock: what holds without a GPU."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from lightning_carbon.ports import DeviceState
from lightning_carbon.sources.torch_devices import TorchEvents, address_of, capture_check, event_device_of


class Stream:
    """A stream as torch has them."""

    def __init__(self, *, idle: bool = True) -> None:
        self.idle = idle
        self.asked = 0

    def query(self) -> bool:
        """Whether it has nothing left to do."""
        self.asked += 1
        return self.idle


class Event:
    """An event as torch has them, which is done as soon as its stream is idle; the n-th is n milliseconds in."""

    count = 0

    def __init__(self) -> None:
        self.at_milliseconds = -1.0
        self.stream: Stream | None = None

    def record(self, stream: object) -> None:
        """Remember the stream and the time."""
        assert isinstance(stream, Stream)
        self.stream = stream
        Event.count += 1
        self.at_milliseconds = float(Event.count)

    def query(self) -> bool:
        """Whether it is done."""
        return self.stream is not None and self.stream.idle

    def elapsed_time(self, later: object) -> float:
        """Milliseconds to another one."""
        assert isinstance(later, Event)
        return later.at_milliseconds - self.at_milliseconds


def _events(stream: Stream, *, capturing: bool = False) -> TorchEvents:
    return TorchEvents(Event, lambda: stream, lambda _: capturing)


@pytest.mark.parametrize("device", ["cpu", "meta", torch.device("cpu")])
def test_a_device_that_does_not_run_behind_has_no_events(device: str | torch.device) -> None:
    """On the processor the host's clock is the device's."""
    assert event_device_of(device) is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU; tests/gpu looks at it")
@pytest.mark.parametrize("device", [0, "cuda", "cuda:1", "xpu", "mps"])
def test_a_device_that_is_not_there_has_no_events(device: str | int) -> None:
    """A torch without such a device, or a machine without it, is no error."""
    assert event_device_of(device) is None


@pytest.mark.parametrize(("idle", "state"), [(True, DeviceState.IDLE), (False, DeviceState.BUSY)])
def test_the_current_stream_tells_whether_there_is_work(idle: bool, state: DeviceState) -> None:  # noqa: FBT001
    """A stream that is done is an idle device."""
    assert state is _events(Stream(idle=idle)).state()


def test_a_stream_that_is_captured_is_not_asked() -> None:
    """To ask it would break the capture."""
    stream = Stream()

    assert DeviceState.CLOSED is _events(stream, capturing=True).state()
    assert 0 == stream.asked


def test_distances_are_nanoseconds() -> None:
    """Torch gives milliseconds, positive towards the later event; an event is used again when it is given back."""
    device = _events(Stream())
    first, second = device.record(None), device.record(None)
    apart = device.nanoseconds_between(first, second)

    assert 1e6 == apart
    assert first is device.record(first)
    assert -1e6 == device.nanoseconds_between(first, second)


def test_waiting_ends_with_the_event_or_with_the_time() -> None:
    """A done event takes no time, and one that is never done no more than was given."""
    idle, busy = _events(Stream()), _events(Stream(idle=False))
    idle.wait(idle.record(None), 1_000.0)
    start = time.monotonic()
    never = busy.record(None)
    busy.wait(never, 0.01)

    assert not busy.done(never)
    assert time.monotonic() - start >= 0.01


class Module:
    """A module of torch before its streams told of captures: it can be asked about the current device alone.

    Args:
        captured: The index of the device on which a graph is being captured.
    """

    def __init__(self, captured: int | None) -> None:
        self.captured = captured
        self.current = 0

    def is_current_stream_capturing(self) -> bool:
        """Whether that is on the current device."""
        return self.captured == self.current

    @contextmanager
    def device(self, index: int) -> Iterator[None]:
        """Make another device current for a while."""
        before, self.current = self.current, index
        yield
        self.current = before


@pytest.mark.parametrize(("captured", "closed"), [(None, False), (0, True), (1, True), (2, False)])
def test_a_torch_whose_streams_do_not_tell_is_asked_about_the_metered_device(
    captured: int | None,
    closed: bool,  # noqa: FBT001
) -> None:
    """A capture on the metered device, or on the current one, is seen, and the current device stays the same."""
    module = Module(captured)
    check = capture_check(module, lambda _: Stream(), lambda: module.current, streams_tell=False)

    assert closed is check(1, Stream())
    assert 0 == module.current


def test_a_device_that_knows_no_captures_has_none() -> None:
    """A module that cannot be asked captures nothing."""
    check = capture_check(object(), lambda _: Stream(), lambda: 0, streams_tell=False)

    assert not check(0, Stream())


class Properties:
    """What torch tells of a device."""

    def __init__(self, **told: int) -> None:
        vars(self).update(told)


class Kind:
    """What torch has of a kind of devices, of which the third one is current."""

    def __init__(self, **told: int) -> None:
        self._told = told

    def current_device(self) -> int:
        """The index of the current one."""
        return 2

    def get_device_properties(self, index: int) -> Properties:
        """What is told of a device, whose bus is its index beyond the first."""
        return Properties(**{name: value + index * (name == "pci_bus_id") for name, value in self._told.items()})


@pytest.mark.parametrize(
    ("device", "told", "expected"),
    [
        ("xpu:0", {"pci_domain_id": 1, "pci_bus_id": 0xA3, "pci_device_id": 0}, "0001:a3:00.0"),
        ("xpu", {"pci_bus_id": 3, "pci_device_id": 31}, "0000:05:1f.0"),
        ("xpu:1", {}, 1),
        ("xpu", {}, 2),
    ],
)
def test_a_gpu_goes_by_its_address_where_torch_tells_it(device: str, told: dict[str, int], expected: str | int) -> None:
    """The address as Linux writes it, or else the index, which is that of the current device where none is given."""
    assert expected == address_of(torch.device(device), Kind(**told))
