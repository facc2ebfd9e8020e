"""The parts of torch that the meter and the callbacks need, imported nowhere else in this package.

Nothing here waits for a GPU or starts a GPU that is not in use. Loaded only where torch is loaded already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, Protocol

import torch

from lightning_carbon.ports import DeviceState, EventDevice
from lightning_carbon.sources.accelerators import ROCM
from lightning_carbon.units import NANOSECONDS_PER_MILLISECOND
from lightning_carbon.values import dataclass

Device = torch.device | str | int
"""A device, in any form that torch takes."""

_LOOK_SECONDS: Final = 0.000_2


def device_uuids(devices: Iterable[Device]) -> list[int | str]:
    """Name the GPUs among some devices, in a way that their drivers understand.

    Call it in the process that computes, once it does: asking for a GPU's properties starts CUDA, and a process that
    has started CUDA cannot be forked any more.

    Args:
        devices: Torch devices; a number is an index of a GPU, as in torch. Devices of other kinds are left out.

    Returns:
        Of NVIDIA's, UUIDs as torch prints them, without ``GPU-`` or ``MIG-`` in front; of AMD's and Intel's, PCI
        addresses. Of a torch that cannot tell them (before 2.4), the indices among the GPUs that are visible to this
        process. Each once; none where torch has no GPUs.
    """
    named = [torch.device("cuda", device) if isinstance(device, int) else torch.device(device) for device in devices]
    names: list[int | str] = []
    for device in named:
        if device.type == "cuda" and torch.cuda.is_available():
            # A build for ROCm also calls its devices "cuda"; NVIDIA's driver knows nothing of them.
            is_nvidia = vars(torch.version).get("cuda") is not None
            names.append(_name(device) if is_nvidia else address_of(device, torch.cuda))
        elif device.type == "xpu" and torch.xpu.is_available():
            names.append(address_of(device, torch.xpu))
    return list(dict.fromkeys(names))


def address_of(device: torch.device, module: Any) -> int | str:  # noqa: ANN401 -- torch.cuda, torch.xpu and the like
    """The PCI address of a GPU as Linux writes it, such as ``0000:03:00.0``.

    Args:
        device: The GPU; the current GPU where it has no index.
        module: What torch has of its kind.

    Returns:
        The address; the index where this torch does not tell it.
    """
    given: int | None = device.index  # None in torch.device("xpu"), whatever the stubs say
    index: int = module.current_device() if given is None else given
    properties = module.get_device_properties(index)
    domain, bus, slot = (getattr(properties, f"pci_{name}_id", None) for name in ("domain", "bus", "device"))
    return index if bus is None or slot is None else f"{domain or 0:04x}:{bus:02x}:{slot:02x}.0"


class TimedEvent(Protocol):
    """The common interface of torch's timing events."""

    def record(self, stream: object) -> object:
        """Have a stream note the time once it gets to the event."""
        ...

    def query(self) -> bool:
        """Whether the stream got to the event."""
        ...

    def elapsed_time(self, later: TimedEvent) -> float:
        """Milliseconds between two events that have happened."""
        ...


class TorchEvents:
    """A device's own clock, by torch's events on the stream that is current when a mark comes.

    Work on other streams counts as far as the current stream waits for it. Nothing here makes the device wait, and only
    :meth:`wait` makes the program wait.

    Args:
        make_event: Makes an event that notes the time.
        current_stream: Gives the current stream of the device.
        is_capturing: Whether a graph is being captured, given that stream; any call would break the capture.
    """

    def __init__(
        self,
        make_event: Callable[[], TimedEvent],
        current_stream: Callable[[], Any],
        is_capturing: Callable[[Any], bool],
    ) -> None:
        self._make_event = make_event
        self._current_stream = current_stream
        self._is_capturing = is_capturing

    def state(self) -> DeviceState:
        """Whether the current stream has work left."""
        stream = self._current_stream()
        if self._is_capturing(stream):
            return DeviceState.CLOSED
        return DeviceState.IDLE if stream.query() else DeviceState.BUSY

    def record(self, event: TimedEvent | None) -> TimedEvent:
        """Have the current stream note the time."""
        event = self._make_event() if event is None else event
        event.record(self._current_stream())
        return event

    def done(self, event: TimedEvent) -> bool:
        """Whether the device has noted the time."""
        return event.query()

    def nanoseconds_between(self, earlier: TimedEvent, later: TimedEvent) -> float:
        """The time between two events that are done."""
        return earlier.elapsed_time(later) * NANOSECONDS_PER_MILLISECOND

    def wait(self, event: TimedEvent, seconds: float) -> None:
        """Poll until an event is done, for a limited number of seconds; torch itself can only wait without a limit."""
        until = time.monotonic() + seconds
        while not event.query() and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)


def event_device_of(device: Device) -> EventDevice[TimedEvent] | None:
    """The clock of a device, read by the same calls on every accelerator.

    Call it in the process that computes, once it does, like :func:`device_uuids`. A device without an index means the
    device that is current now, whatever the program makes current later.

    Args:
        device: A torch device; a number is an index of a GPU, as in torch.

    Returns:
        Its events; ``None`` for the processor, and for accelerators that this torch, or this machine, does not have.

    Raises:
        Exception: The device cannot be asked; of many types. Other gaps of a back end show when it is used.
    """
    named = torch.device("cuda", device) if isinstance(device, int) else torch.device(device)
    calls = _calls_of(named)
    if calls is None:
        return None
    index: int | None = named.index  # None in torch.device("cuda"), whatever the stubs say
    pinned = torch.device(named.type, calls.current_index() if index is None else index)
    events = TorchEvents(
        lambda: calls.make_event(pinned, enable_timing=True),
        lambda: calls.current_stream(pinned.index),
        partial(calls.is_capturing, pinned.index),
    )
    events.state()  # a missing device shows here; recording an event would give the device work
    return events


def device_in_use() -> torch.device | None:
    """The accelerator that this process computes on, with its index; ``None`` where none has been started.

    Costs a microsecond or two as long as none is.
    """
    gpus = devices_in_use()
    if gpus:
        return gpus[0]
    kind = _accelerator_kind()
    if kind is None or kind == "cuda":
        return None
    module: Any = torch.get_device_module(kind)
    # Some back ends do not say whether they have been started; an accelerator that is there then counts as in use.
    started: Any = getattr(module, "is_initialized", torch.accelerator.is_available)
    return torch.device(kind, torch.accelerator.current_device_index()) if started() else None


def accelerator_of(device: Device | None = None) -> str | None:
    """The kind of accelerator that this process computes on, as :func:`~.accelerators.not_metered` takes it.

    Args:
        device: The device that the trainer computes on; default the device in use.

    Returns:
        Torch's type of the device, which is ``"cpu"`` for the processor, or ``"rocm"`` for a GPU of AMD, which torch
        calls ``"cuda"``; ``None`` where none has been started.
    """
    computes_on = device_in_use() if device is None else device
    if computes_on is None:
        return None
    kind = "cuda" if isinstance(computes_on, int) else torch.device(computes_on).type
    return ROCM if kind == "cuda" and vars(torch.version).get("hip") else kind


def devices_in_use(index: int | None = None) -> list[torch.device]:
    """The GPUs that this process computes on, the current GPU first; none where CUDA has not been started.

    Programs that name their GPU at every call (``model.to("cuda:1")``) leave the first GPU current, so GPUs on which
    torch holds memory count.

    Args:
        index: The GPU to name where torch holds memory on none and the first is current, as at the start.
    """
    cuda: Any = torch.cuda
    if not (cuda.is_initialized() and cuda.is_available()):
        return []
    current, count = cuda.current_device(), cuda.device_count()
    # Other allocators start a GPU when asked what they hold there.
    native = cuda.get_allocator_backend() == "native"
    holding = [number for number in range(count) if cuda.memory_reserved(number)] if native else []
    if not holding:
        chosen = index if index is not None and current == 0 and index < count else current
        return [torch.device("cuda", chosen)]
    return [torch.device("cuda", number) for number in sorted(holding, key=lambda number: number != current)]


def capture_check(
    module: Any,  # noqa: ANN401 -- torch.cuda, torch.xpu and the like
    current_stream: Callable[[int], Any],
    current_index: Callable[[], int],
    *,
    streams_tell: bool = hasattr(torch.Stream, "is_capturing"),
) -> Callable[[int, Any], bool]:
    """Make a function that checks whether a graph is being captured on a stream of a device.

    Args:
        module: Torch's module for the kind of device.
        current_stream: The current stream of the device of an index.
        current_index: The index of the current device.
        streams_tell: Whether streams have ``is_capturing``, which is of 2026
            (https://github.com/pytorch/pytorch/pull/171443). Before, the module can be asked about the current device
            alone, if it knows of captures at all.

    Returns:
        The check, given the index of a device and its current stream.
    """
    on_current: Callable[[], bool] | None = getattr(module, "is_current_stream_capturing", None)

    def is_capturing(index: int, stream: Any) -> bool:  # noqa: ANN401 -- a stream of torch
        del index
        if stream.is_capturing():
            return True
        return bool(current_stream(current_index()).is_capturing() if on_current is None else on_current())

    def is_capturing_before(index: int, stream: Any) -> bool:  # noqa: ANN401 -- a stream of torch
        del stream
        if on_current is None:
            return False
        if on_current() or current_index() == index:
            return on_current()
        with module.device(index):
            return on_current()

    return is_capturing if streams_tell else is_capturing_before


def as_tensors(values: Mapping[str, float]) -> dict[str, torch.Tensor]:
    """Figures as tensors for trainers: in full precision, and on the processor, where reading them waits for no GPU."""
    return {name: torch.tensor(value, dtype=torch.float64, device="cpu") for name, value in values.items()}


def _name(gpu: torch.device) -> int | str:
    index: int | None = gpu.index  # None in torch.device("cuda"), whatever the stubs say
    index = torch.cuda.current_device() if index is None else index
    uuid: Any = getattr(torch.cuda.get_device_properties(index), "uuid", None)
    return index if uuid is None else str(uuid)


@dataclass(frozen=True, slots=True)
class _Calls:
    """The calls of torch for a kind of device.

    Args:
        make_event: Makes an event, given the device and ``enable_timing``.
        current_stream: The current stream of the device of an index.
        current_index: The index of the current device.
        is_capturing: Whether a graph is being captured, given the index of a device and its current stream.
    """

    make_event: Callable[..., TimedEvent]
    current_stream: Callable[[int], Any]
    current_index: Callable[[], int]
    is_capturing: Callable[[int, Any], bool]


def _calls_of(device: torch.device) -> _Calls | None:
    if device.type == "cpu":
        return None
    if device.type == _accelerator_kind():
        accelerator: Any = torch.accelerator
        if not accelerator.is_available():
            return None
        make_event: Any = torch.Event
        stream, current = accelerator.current_stream, accelerator.current_device_index
        return _Calls(make_event, stream, current, capture_check(torch.get_device_module(device.type), stream, current))
    if device.type == "cuda" and torch.cuda.is_available():  # before 2.6, or a back end that was added later
        stream, current = torch.cuda.current_stream, torch.cuda.current_device
        make_event = torch.cuda.Event
        return _Calls(
            lambda _, **flags: make_event(**flags), stream, current, capture_check(torch.cuda, stream, current)
        )
    return None


def _accelerator_kind() -> str | None:
    """Torch's type of the accelerator that it was built for, if any; ``torch.accelerator`` came with 2.6."""
    accelerator: Any = getattr(torch, "accelerator", None)
    current = accelerator.current_accelerator() if accelerator is not None else None
    return None if current is None or current.type == "cpu" else str(current.type)
