"""The GPUs and MIG slices that NVML shows, before anything is known of their sensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.errors import SourceError
from lightning_carbon.sources.nvml.library import NO_PERMISSION, Handle, as_text, code_of, describe
from lightning_carbon.sources.nvml.visible_devices import GpuNames, SliceNames
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from types import ModuleType

    from lightning_carbon.sources.nvml.library import Library


@dataclass(frozen=True, slots=True)
class Slice:
    """A MIG slice.

    Args:
        names: What it goes by.
        name: The model, with its profile.
        handle: Its own handle, which knows its attributes and no readings.
    """

    names: SliceNames
    name: str
    handle: Handle


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU.

    Args:
        index: NVML's index.
        names: Its names and those of its slices.
        name: The model.
        handle: Its handle, or ``None`` where NVML gave none.
        slices: Its MIG slices, in the order of ``names.slices``.
        trouble: Why there is no handle.
        is_denied: Whether permission is lacking: CUDA does not count such a GPU.
    """

    index: int
    names: GpuNames
    name: str = "GPU"
    handle: Handle | None = None
    slices: tuple[Slice, ...] = ()
    trouble: str = ""
    is_denied: bool = False

    @property
    def subject(self) -> str:
        """The name of the GPU in a finding."""
        return f"GPU {self.index} {self.name} {self.names.uuid}".strip()


def take_inventory(library: Library) -> list[Gpu]:
    """List the GPUs and their slices, in the order of NVML's indices.

    Raises:
        SourceUnavailable: NVML cannot be used.
        ReadFailed: NVML does not give the number of GPUs.
    """
    nvml = library.open()
    count = Handle(library, "", None).ask(lambda _: nvml.nvmlDeviceGetCount())
    return [_gpu(library, nvml, index) for index in range(count)]


def _gpu(library: Library, nvml: ModuleType, index: int) -> Gpu:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid = as_text(nvml.nvmlDeviceGetUUID(handle))
        bound = Handle(library, uuid, handle)
        slices = _slices(library, nvml, bound, uuid=uuid)
        is_mig = slices is not None
        names = GpuNames(uuid, is_mig, tuple(part.names for part in slices or ()))
        return Gpu(index, names, _name(nvml, handle), bound, tuple(slices or ()))
    except Exception as error:  # noqa: BLE001 -- a broken GPU must not hide the others, whatever is wrong with it
        return Gpu(index, GpuNames(""), trouble=describe(error), is_denied=code_of(error) == NO_PERMISSION)


def _slices(library: Library, nvml: ModuleType, gpu: Handle, *, uuid: str) -> list[Slice] | None:
    """The MIG slices of a GPU; ``None`` where it is not in MIG mode or does not know the mode."""
    try:
        if gpu.ask(nvml.nvmlDeviceGetMigMode)[0] != nvml.NVML_DEVICE_MIG_ENABLE:
            return None
        number = gpu.ask(nvml.nvmlDeviceGetMaxMigDeviceCount)
    except (SourceError, AttributeError):
        return None
    found = (_slice(library, nvml, gpu, uuid=uuid, position=position) for position in range(number))
    return [part for part in found if part is not None]


def _slice(library: Library, nvml: ModuleType, gpu: Handle, *, uuid: str, position: int) -> Slice | None:
    try:
        handle = gpu.ask(lambda parent: nvml.nvmlDeviceGetMigDeviceHandleByIndex(parent, position))
        own_uuid = as_text(nvml.nvmlDeviceGetUUID(handle))
        instances = (nvml.nvmlDeviceGetGpuInstanceId(handle), nvml.nvmlDeviceGetComputeInstanceId(handle))
    except Exception:  # noqa: BLE001 -- positions without a slice are the rule: NVML says NotFound
        return None
    address = f"MIG-{uuid}/{instances[0]}/{instances[1]}"
    return Slice(SliceNames(own_uuid, address), _name(nvml, handle), Handle(library, own_uuid, handle))


def _name(nvml: ModuleType, handle: object) -> str:
    try:
        return as_text(nvml.nvmlDeviceGetName(handle))
    except Exception:  # noqa: BLE001 -- a GPU that hides its model can still be metered
        return "NVIDIA GPU"
