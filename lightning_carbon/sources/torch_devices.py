"""What the meter and the trainers' callbacks need of torch; the only importer of torch in this package.

Nothing here waits for a GPU, and nothing makes one start that is not in use. Loaded only where torch is loaded already.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

import torch

from lightning_carbon.ports import DeviceState, EventDevice

Device = torch.device | str | int
"""A device, as torch takes it."""

_LOOK_SECONDS: Final = 0.000_2
_NS_PER_MS: Final = 1e6


def device_uuids(devices: Iterable[Device]) -> list[int | str]:
    """Name the NVIDIA GPUs among some devices, in a way that the driver understands.

    To be called in the process that computes and once it does: asking for a GPU's properties makes CUDA start, and a
    process that has started CUDA cannot be forked any more.

    Args:
        devices: Torch devices; a number is an index of a GPU, as in torch. Devices of other kinds are left out.

    Returns:
        UUIDs as torch prints them, without ``GPU-`` or ``MIG-`` in front. In a torch that cannot tell them (before
        2.4), the indices among the GPUs that are visible to this process. Each once; none where torch has no CUDA.
    """
    named = [torch.device("cuda", one) if isinstance(one, int) else torch.device(one) for one in devices]
    gpus = [one for one in named if one.type == "cuda"]
    # A build for ROCm calls its devices "cuda" too; NVIDIA's driver knows nothing of them.
    cuda_version: str | None = vars(torch.version).get("cuda")
    if not gpus or cuda_version is None or not torch.cuda.is_available():
        return []
    return list(dict.fromkeys(_name(one) for one in gpus))


class TimedEvent(Protocol):
    """What all of torch's events that note the time have in common."""

    def record(self, stream: object) -> object:
        """Have the time noted once a stream gets there."""
        ...

    def query(self) -> bool:
        """Whether it was."""
        ...

    def elapsed_time(self, later: TimedEvent) -> float:
        """Milliseconds between two that were."""
        ...


class TorchEvents:
    """A device's own clock, by the events of torch, on the stream that is current where a mark comes.

    Work on other streams counts as far as the current one waits for it. Nothing here makes a device wait, nor the
    program, save :meth:`wait`.

    Args:
        make_event: Makes an event that notes the time.
        current_stream: The stream that is current.
        capturing: Whether a graph is being captured: to be asked anything would then break the capture.
    """

    def __init__(
        self, make_event: Callable[[], TimedEvent], current_stream: Callable[[], Any], capturing: Callable[[], bool]
    ) -> None:
        self._make_event = make_event
        self._current_stream = current_stream
        self._capturing = capturing

    def state(self) -> DeviceState:
        """Whether the current stream has anything left to do."""
        if self._capturing():
            return DeviceState.CLOSED
        return DeviceState.IDLE if self._current_stream().query() else DeviceState.BUSY

    def record(self, event: TimedEvent | None) -> TimedEvent:
        """Have the time noted on the current stream."""
        event = self._make_event() if event is None else event
        event.record(self._current_stream())
        return event

    def done(self, event: TimedEvent) -> bool:
        """Whether the time was noted."""
        return event.query()

    def nanoseconds_between(self, earlier: TimedEvent, later: TimedEvent) -> float:
        """The time between two events that are done."""
        return earlier.elapsed_time(later) * _NS_PER_MS

    def wait(self, event: TimedEvent, seconds: float) -> None:
        """Look until an event is done, so many seconds at most: torch itself can only wait without end."""
        until = time.monotonic() + seconds
        while not event.query() and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)


class CudaEvents(TorchEvents):
    """The clock of a GPU that torch calls ``cuda``, by NVIDIA or AMD.

    Args:
        device: The GPU.
    """

    def __init__(self, device: Device) -> None:
        make_event: Any = torch.cuda.Event
        super().__init__(
            lambda: make_event(enable_timing=True),
            lambda: torch.cuda.current_stream(device),
            torch.cuda.is_current_stream_capturing,
        )


def event_device_of(device: Device) -> EventDevice[TimedEvent] | None:
    """The clock of a device, where torch can tell it.

    To be called in the process that computes and once it does, as :func:`device_uuids`.

    Args:
        device: A torch device; a number is an index of a GPU, as in torch.

    Returns:
        Its events; ``None`` for the processor, and for accelerators whose events do not exist or note no time.
    """
    named = torch.device("cuda", device) if isinstance(device, int) else torch.device(device)
    events: TorchEvents | None = None
    if named.type == "cuda" and torch.cuda.is_available():
        events = CudaEvents(named)
    elif _is_accelerator(named):
        make_event: Any = torch.Event
        events = TorchEvents(
            lambda: make_event(named, enable_timing=True),
            lambda: torch.accelerator.current_stream(named),
            lambda: False,
        )
    if events is not None:
        # Whatever a backend lacks shows in one of these calls, as errors of many types.
        with contextlib.suppress(Exception):
            events.state()
            events.done(events.record(None))
            return events
    return None


def device_in_use() -> torch.device | None:
    """The accelerator that this process computes on; ``None`` where none has been started."""
    gpus = devices_in_use()
    if gpus:
        return gpus[0]
    accelerator: Any = getattr(torch, "accelerator", None)
    current = accelerator.current_accelerator() if accelerator is not None else None
    # Others than CUDA do not tell whether they have been started; where there is one, torch computes on it or not.
    return current if current is not None and current.type not in {"cpu", "cuda"} else None


def devices_in_use(index: int | None = None) -> list[torch.device]:
    """The GPUs that this process computes on, the current one first; none where CUDA has not been started.

    Programs that name their GPU at every call (``model.to("cuda:1")``) leave the first one current, so those count on
    which torch holds memory.

    Args:
        index: The GPU to name where torch holds memory on none and the first one is current, as it is at the start.
    """
    cuda: Any = torch.cuda
    if not (cuda.is_available() and cuda.is_initialized()):
        return []
    current, count = cuda.current_device(), cuda.device_count()
    # Other allocators start a GPU when they are asked what they hold there.
    native = cuda.get_allocator_backend() == "native"
    holding = [one for one in range(count) if cuda.memory_reserved(one)] if native else []
    if not holding:
        chosen = index if index is not None and current == 0 and index < count else current
        return [torch.device("cuda", chosen)]
    return [torch.device("cuda", one) for one in sorted(holding, key=lambda one: one != current)]


def as_tensors(values: Mapping[str, float]) -> dict[str, torch.Tensor]:
    """Figures as trainers compare them: in full precision, and on the processor, where reading one waits for no GPU."""
    return {name: torch.tensor(value, dtype=torch.float64, device="cpu") for name, value in values.items()}


def _name(gpu: torch.device) -> int | str:
    index: int | None = gpu.index  # None in torch.device("cuda"), whatever the stubs say
    index = torch.cuda.current_device() if index is None else index
    uuid: Any = getattr(torch.cuda.get_device_properties(index), "uuid", None)
    return index if uuid is None else str(uuid)


def _is_accelerator(device: torch.device) -> bool:
    """Whether torch knows this device as the accelerator of this machine; ``torch.accelerator`` came with 2.6."""
    accelerator: Any = getattr(torch, "accelerator", None)
    current = accelerator.current_accelerator() if accelerator is not None else None
    return current is not None and bool(current.type == device.type) and device.type not in {"cpu", "cuda"}
