"""The devices that the argument ``devices`` selects among those that NVML shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lightning_carbon.errors import ConfigError
from lightning_carbon.sources.nvml.visible_devices import Place, beginning_with, slice_positions, visible
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.sources.nvml.inventory import Gpu
    from lightning_carbon.sources.nvml.visible_devices import Visible

# The first group of a UUID: fewer digits could as well be an index or a typing error.
SHORTEST_BARE_UUID = 8


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected devices.

    Args:
        gpus: The GPUs that the places point into.
        places: The devices selected, each at most once.
        remark: What may surprise a user, for people; mostly empty.
        visible: The devices that CUDA shows to the job, its other ranks included.
    """

    gpus: tuple[Gpu, ...]
    places: tuple[Place, ...]
    remark: str = ""
    visible: tuple[Place, ...] = ()

    def whole(self) -> list[Gpu]:
        """The GPUs that were selected as a whole."""
        return [self.gpus[place.gpu] for place in self.places if place.slice < 0]

    def of_job(self) -> set[str]:
        """The UUIDs of the GPUs that the job may use as a whole, whether this process meters them or not."""
        return {self.gpus[place.gpu].names.uuid for place in (*self.places, *self.visible) if place.slice < 0}


def select(
    devices: Literal["auto", "all"] | Sequence[int | str], gpus: Sequence[Gpu], environ: Mapping[str, str]
) -> Selection:
    """Find the devices that a setting selects.

    Args:
        devices: As in :func:`~lightning_carbon.sources.nvml.discover`.
        gpus: The GPUs that NVML shows.
        environ: Where ``CUDA_VISIBLE_DEVICES`` and ``CUDA_DEVICE_ORDER`` stand.

    Raises:
        ConfigError: An index or UUID fits no device, or more than one.
    """
    if devices == "all":
        return Selection(tuple(gpus), tuple(map(Place, range(len(gpus)))))
    counted = tuple(gpu for gpu in gpus if not gpu.is_denied)
    value = environ.get("CUDA_VISIBLE_DEVICES")
    seen = visible(value, [gpu.names for gpu in counted])
    if isinstance(devices, str):
        remarks = [seen.remark, _order_remark(counted, environ) if seen.by_index else ""]
        return Selection(counted, seen.places, "; ".join(filter(None, remarks)), seen.places)
    places = [place for device in devices for place in _asked(device, devices, counted, seen=seen, value=value)]
    by_index = seen.by_index or value is None
    remark = _order_remark(counted, environ) if by_index and any(isinstance(device, int) for device in devices) else ""
    return Selection(counted, tuple(dict.fromkeys(places)), remark, seen.places)


def _asked(
    device: int | str, devices: Sequence[int | str], gpus: Sequence[Gpu], *, seen: Visible, value: str | None
) -> list[Place]:
    if isinstance(device, int):
        if device < len(seen.places):
            return [seen.places[device]]
        shown = "unset" if value is None else repr(value)
        raise ConfigError(
            "devices",
            list(devices),
            f"there is no GPU {device}: {len(seen.places)} visible, counted from 0 (CUDA_VISIBLE_DEVICES is {shown})",
        )
    found = _named(device.strip(), gpus, seen)
    if len(found) == 1:
        return found
    known = ", ".join(
        name for gpu in gpus for name in (gpu.names.uuid, *(part.uuid for part in gpu.names.slices)) if name
    )
    problem = "fits more than one device" if found else "fits no device"
    raise ConfigError("devices", list(devices), f"{device!r} {problem}; NVML shows {known or 'none'}")


def _named(name: str, gpus: Sequence[Gpu], seen: Visible) -> list[Place]:
    names = [gpu.names for gpu in gpus]
    uuids = [gpu_names.uuid for gpu_names in names]
    match name[:4].upper():
        case "GPU-":
            return [Place(position) for position in beginning_with(name, uuids)]
        case "MIG-":
            return slice_positions(name, names)
    if len(name) < SHORTEST_BARE_UUID:
        return []
    # As torch prints a UUID, without its prefix. CUDA gives a MIG slice its own UUID or, in older versions, its GPU's:
    # where that GPU is cut into slices, the visible slice is the one in use.
    found = slice_positions(f"MIG-{name}", names)
    for position in beginning_with(f"GPU-{name}", uuids):
        if names[position].slices:
            of_this_gpu = [place for place in seen.places if place.gpu == position]
            found.append(of_this_gpu[0] if of_this_gpu else Place(position, 0))
        else:
            found.append(Place(position))
    return found


def _order_remark(gpus: Sequence[Gpu], environ: Mapping[str, str]) -> str:
    """A remark where CUDA may count the GPUs in another order than NVML, which goes by PCI address.

    CUDA puts the fastest GPU first by default, and GPUs of the same model in the order of PCI addresses.
    """
    if environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID" or len({gpu.name for gpu in gpus}) <= 1:
        return ""
    return (
        "the GPUs here differ, so CUDA may count them in another order than NVML; "
        "set CUDA_DEVICE_ORDER=PCI_BUS_ID or name GPUs by UUID"
    )
