"""The GPUs by AMD and Intel that a process sees, as a pure function of its variables and of all GPUs.

AMD: ``ROCR_VISIBLE_DEVICES`` lists indices or UUIDs (``GPU-`` and the unique id of the board) of all GPUs, and
``HIP_VISIBLE_DEVICES``, or else ``CUDA_VISIBLE_DEVICES``, indices of those that are left. Intel: ``ZE_AFFINITY_MASK``
lists indices, or ``device.tile``; an index counts tiles, each of which is a device of torch's, unless
``ZE_FLAT_DEVICE_HIERARCHY`` is ``COMPOSITE`` (its default is ``FLAT`` since late 2023). Unset shows all; an entry that
fits no GPU ends the list.

References:
    * https://rocm.docs.amd.com/en/latest/conceptual/gpu-isolation.html
    * https://intel.com/content/www/us/en/docs/oneapi/optimization-guide-gpu/2024-1/exposing-device-hierarchy.html
    * https://oneapi-src.github.io/level-zero-spec/level-zero/latest/core/PROG.html#affinity-mask
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_T = TypeVar("_T")

_INDEX: Final = r"\d{1,6}"
_TILE: Final = r"(\d{1,6})(\.\d{1,6})?"
_FLAT: Final = "FLAT"
_COMPOSITE: Final = "COMPOSITE"


def visible_to_rocm(devices: Sequence[_T], environ: Mapping[str, str], unique_id: Callable[[_T], str]) -> list[_T]:
    """The GPUs by AMD that torch sees, in its order.

    Args:
        devices: All of them, in the driver's order.
        environ: The environment variables.
        unique_id: Gives the unique id of a GPU, as the kernel writes it; empty where it has none.
    """
    rocr = environ.get("ROCR_VISIBLE_DEVICES")
    left = list(devices) if rocr is None else _chosen(devices, rocr, unique_id)
    hip = environ.get("HIP_VISIBLE_DEVICES", environ.get("CUDA_VISIBLE_DEVICES"))
    return left if hip is None else _chosen(left, hip, lambda _: "")


def visible_to_level_zero(
    devices: Sequence[_T], environ: Mapping[str, str], tiles: Callable[[_T], int] = lambda _: 1
) -> list[_T]:
    """The GPUs by Intel that torch sees, a GPU for each of its tiles that is a device; a selected tile selects its GPU.

    Args:
        devices: All of them, in the driver's order.
        environ: The environment variables.
        tiles: Gives the number of tiles of a GPU.
    """
    is_flat = environ.get("ZE_FLAT_DEVICE_HIERARCHY", _FLAT).upper() != _COMPOSITE
    counted = [device for device in devices for _ in range(tiles(device))] if is_flat else list(devices)
    mask = environ.get("ZE_AFFINITY_MASK")
    if not mask:  # an empty mask does not count
        return counted
    chosen: list[_T] = []
    for entry in mask.split(","):
        match = re.fullmatch(_TILE, entry.strip())
        among = counted if match is None or match[2] is None else list(devices)
        if match is None or int(match[1]) >= len(among):
            break
        device = among[int(match[1])]
        if match[2] is None or device not in chosen:
            chosen.append(device)
    return chosen


def _chosen(devices: Sequence[_T], value: str, unique_id: Callable[[_T], str]) -> list[_T]:
    chosen: list[_T] = []
    for entry in map(str.strip, value.split(",")):
        if re.fullmatch(_INDEX, entry):
            fits = [devices[int(entry)]] if int(entry) < len(devices) else []
        else:
            wanted = entry.removeprefix("GPU-").lower()
            fits = [device for device in devices if wanted and unique_id(device).lower() == wanted]
        if len(fits) != 1:
            break
        chosen += fits
    return chosen
