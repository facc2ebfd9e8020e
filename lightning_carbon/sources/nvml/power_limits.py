"""The power limits of GPUs: what they are, and setting them, which takes root.

A limit is the driver's and lasts until it is set again or the driver is unloaded, whatever becomes of the process that
set it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.errors import SourceError, SourceUnavailable
from lightning_carbon.sources.nvml.inventory import take_inventory
from lightning_carbon.sources.nvml.library import LIBRARY, NO_PERMISSION, code_of, describe
from lightning_carbon.sources.nvml.processes import Watch, names
from lightning_carbon.sources.nvml.selection import select
from lightning_carbon.sources.patience import patient
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from lightning_carbon.settings.checks import Devices
    from lightning_carbon.sources.nvml.inventory import Gpu

_SOURCE: Final = "power limits"
_AS_ROOT: Final = (
    "run it as root (sudo -E env PATH=$PATH lightning-carbon ...); a container needs the capability SYS_ADMIN, too"
)


@dataclass(frozen=True, slots=True)
class LimitedGpu:
    """A GPU with its power limits.

    Args:
        index: NVML's index.
        name: The model.
        uuid: Its UUID.
        milliwatts: The limit that is set.
        default_milliwatts: The limit that the driver sets by itself.
        lowest_milliwatts: The lowest limit that the driver accepts.
        highest_milliwatts: The highest limit that the driver accepts.
        others: The processes on it, by name, for people; empty where there are none.
    """

    index: int
    name: str
    uuid: str
    milliwatts: int
    default_milliwatts: int
    lowest_milliwatts: int
    highest_milliwatts: int
    others: str


def limited_gpus(devices: Devices, environ: Mapping[str, str] = os.environ) -> list[LimitedGpu]:
    """The GPUs that a setting selects, each with its power limits.

    Args:
        devices: As in the meter's argument.
        environ: Where CUDA's variables stand.

    Raises:
        SourceUnavailable: There is no GPU, one is cut into slices, or one has no power limit that can be read.
        ConfigError: ``devices`` names a device that is not there.
    """
    nvml = LIBRARY.open()
    try:
        selection = select(devices, patient(lambda: take_inventory(LIBRARY)), environ)
    except SourceUnavailable:
        raise
    except SourceError as error:
        raise SourceUnavailable(_SOURCE, str(error)) from error
    if not selection.places:
        fix = "see with lightning-carbon doctor what there is, and choose with --devices"
        raise SourceUnavailable(_SOURCE, "no NVIDIA GPU is visible", fix)
    return [_limited(nvml, selection.gpus[place.gpu]) for place in selection.places]


def set_power_limit(uuid: str, milliwatts: int) -> None:
    """Set the power limit of a GPU.

    Raises:
        SourceUnavailable: The driver does not allow it; the error says what would help.
    """
    nvml = LIBRARY.open()

    def call() -> None:
        nvml.nvmlDeviceSetPowerManagementLimit(nvml.nvmlDeviceGetHandleByUUID(uuid), milliwatts)

    try:
        patient(call)
    except Exception as error:
        if code_of(error) == NO_PERMISSION:
            raise SourceUnavailable(_SOURCE, "only root may set them", _AS_ROOT) from error
        raise SourceUnavailable(_SOURCE, f"{uuid}: {describe(error)}") from error


def _limited(nvml: ModuleType, gpu: Gpu) -> LimitedGpu:
    if gpu.names.mig_enabled:
        fix = "choose another GPU with --devices, or turn MIG off"
        raise SourceUnavailable(_SOURCE, f"{gpu.subject} is cut into MIG slices, which share one limit", fix)
    handle = gpu.handle
    if handle is None:
        raise SourceUnavailable(_SOURCE, f"{gpu.subject}: {gpu.trouble}")

    def limits() -> tuple[int, int, int, int]:
        lowest, highest = handle.ask(nvml.nvmlDeviceGetPowerManagementLimitConstraints)
        default = handle.ask(nvml.nvmlDeviceGetPowerManagementDefaultLimit)
        return handle.ask(nvml.nvmlDeviceGetPowerManagementLimit), default, lowest, highest

    try:
        found = patient(limits)
    except SourceError as error:
        raise SourceUnavailable(_SOURCE, f"{gpu.subject} has none that can be read: {error}") from error
    return LimitedGpu(gpu.index, gpu.name, gpu.names.uuid, *found, _others(handle, nvml))


def _others(handle: Any, nvml: ModuleType) -> str:  # noqa: ANN401 - a handle, whose type is not needed here
    try:
        occupants = patient(Watch(handle, nvml, lambda: frozenset({os.getpid()})).look)
    except SourceError:
        return ""  # a driver without lists of processes
    return names(occupants.others)
