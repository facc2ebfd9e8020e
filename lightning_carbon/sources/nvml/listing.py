"""The GPUs and MIG slices of a machine, with those that CUDA would see and those that the meter reads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lightning_carbon.errors import SourceError
from lightning_carbon.sources.nvml.inventory import take_inventory
from lightning_carbon.sources.nvml.library import LIBRARY
from lightning_carbon.sources.nvml.selection import select
from lightning_carbon.sources.nvml.visible_devices import Place
from lightning_carbon.sources.patience import patient
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.settings.checks import Devices
    from lightning_carbon.sources.nvml.inventory import Gpu
    from lightning_carbon.sources.nvml.selection import Selection


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU, or a MIG slice of a GPU.

    Args:
        kind: ``"gpu"`` or ``"mig"``.
        index: NVML's index of the GPU.
        name: The model.
        uuid: Its UUID; empty where NVML gives no access.
        cuda_index: Its index in CUDA, and so in torch; ``None`` where CUDA would not see it.
        metered: Whether the meter reads it.
        trouble: Why NVML gives no access, or an empty string.
    """

    kind: str
    index: int
    name: str
    uuid: str
    cuda_index: int | None
    metered: bool
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DeviceList:
    """The GPUs and slices of a machine.

    Args:
        devices: In the order of NVML, slices after their GPU.
        cuda_visible_devices: The variable ``CUDA_VISIBLE_DEVICES``, ``None`` where it is not set.
        cuda_device_order: The variable ``CUDA_DEVICE_ORDER``, ``None`` where it is not set.
        remark: What may surprise the user, or an empty string.
        trouble: Why NVML cannot be used, or an empty string.
        driver: The version of the driver, ``None`` where there is none.
    """

    devices: tuple[Device, ...]
    cuda_visible_devices: str | None
    cuda_device_order: str | None
    remark: str = ""
    trouble: str = ""
    driver: str | None = None


def list_devices(devices: Devices, environ: Mapping[str, str] = os.environ) -> DeviceList:
    """List the GPUs and slices of this machine.

    Args:
        devices: Which of them the meter reads, as in the meter's argument.
        environ: Where CUDA's variables stand.

    Raises:
        ConfigError: ``devices`` names a device that is not there.
    """
    value, order = environ.get("CUDA_VISIBLE_DEVICES"), environ.get("CUDA_DEVICE_ORDER")
    try:
        nvml = LIBRARY.open()
        gpus = patient(lambda: take_inventory(LIBRARY))
        driver = str(nvml.nvmlSystemGetDriverVersion())
    except SourceError as error:
        return DeviceList((), value, order, trouble=getattr(error, "reason", "") or str(error))
    except Exception as error:  # noqa: BLE001 - a driver that hides its version is no reason to end
        return DeviceList((), value, order, trouble=f"{type(error).__name__}: {error}")
    seen = select("auto", gpus, environ)
    metered = _uuids(select(devices, gpus, environ))
    counted = _uuids(seen)
    listed = [device for gpu in gpus for device in _of(gpu, counted, metered)]
    return DeviceList(tuple(listed), value, order, seen.remark, driver=driver)


def _of(gpu: Gpu, counted: list[str], metered: list[str]) -> list[Device]:
    names = [("gpu", gpu.name, gpu.names.uuid), *(("mig", part.name, part.names.uuid) for part in gpu.slices)]
    return [
        Device(
            kind,
            gpu.index,
            name,
            uuid,
            counted.index(uuid) if uuid in counted else None,
            uuid != "" and uuid in metered,
            gpu.trouble,
        )
        for kind, name, uuid in names
    ]


def _uuids(selection: Selection) -> list[str]:
    return [_uuid(selection.gpus[place.gpu], place) for place in selection.places]


def _uuid(gpu: Gpu, place: Place) -> str:
    return gpu.names.uuid if place.slice < 0 else gpu.slices[place.slice].names.uuid
