"""The devices that ``CUDA_VISIBLE_DEVICES`` selects, as a pure function of its text and of all devices.

These functions follow CUDA's rules:

* Unset shows every GPU; an empty text, ``-1`` or anything else that is no device shows none.
* Entries are indices, or UUIDs, or unambiguous beginnings of UUIDs (``GPU-8932f937``). An entry that fits no device
  ends the list, and the entries before it count.
* A MIG slice is ``MIG-<uuid>``, before driver 470 ``MIG-<GPU uuid>/<GPU instance>/<compute instance>``.
* A GPU in MIG mode is not visible as a whole. Where such a GPU is chosen by index, by UUID or by default, CUDA shows
  the first of its slices, and then no other device.

As in torch, the first entry decides whether the rest must be indices, GPUs or slices, the digits at the beginning of an
entry are its index (``1gpu`` is 1), and naming a device twice leaves none visible.

References: CUDA Programming Guide, "CUDA Environment Variables"; NVIDIA MIG User Guide, "CUDA Device Enumeration".
"""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# As C's strtoul reads it; no GPU has more digits.
_LEADING_INDEX = r"(?P<sign>[+-]?)0*(?P<digits>[0-9]{1,6})(?![0-9])"

_SEVERAL_SLICES = "CUDA may use only the first of several MIG slices"
_FIRST_SLICE = "a GPU in MIG mode is visible, of which CUDA uses the first slice and then no other device"
_NO_SLICES = "a GPU in MIG mode without slices cannot be used by CUDA"


@dataclass(frozen=True, slots=True)
class SliceNames:
    """The names of a MIG slice.

    Args:
        uuid: Its UUID, as NVML gives it.
        address: ``MIG-<GPU uuid>/<GPU instance>/<compute instance>``.
    """

    uuid: str
    address: str


@dataclass(frozen=True, slots=True)
class GpuNames:
    """The names of a GPU and its slices.

    Args:
        uuid: Its UUID, as NVML gives it.
        mig_enabled: Whether it is in MIG mode.
        slices: Its MIG slices, in NVML's order.
    """

    uuid: str
    mig_enabled: bool = False
    slices: tuple[SliceNames, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The place of a device in the list of GPUs.

    Args:
        gpu: The position of the GPU.
        slice: The position of the slice in the GPU, or -1 for the GPU as a whole.
    """

    gpu: int
    slice: int = -1


@dataclass(frozen=True, slots=True)
class Visible:
    """The devices that are visible to CUDA.

    Args:
        places: The devices in CUDA's order, each at most once.
        by_index: Whether the order of GPUs decided the selection.
        remark: What may surprise a user, for people; mostly empty.
    """

    places: tuple[Place, ...]
    by_index: bool = False
    remark: str = ""


def visible(value: str | None, gpus: Sequence[GpuNames]) -> Visible:
    """Find the devices that are visible to CUDA.

    Args:
        value: The text of ``CUDA_VISIBLE_DEVICES``, or ``None`` where it is unset.
        gpus: All GPUs, in CUDA's order.
    """
    if value is None:
        return _without_mig_parents(range(len(gpus)), gpus, by_index=False)
    entries = [entry.strip() for entry in value.split(",")]
    kind = entries[0][:4].upper()
    if kind == "MIG-":
        return _named(entries, kind, lambda entry: slice_positions(entry, gpus), gpus=gpus)
    if kind == "GPU-":
        uuids = [gpu.uuid for gpu in gpus]
        return _named(
            entries, kind, lambda entry: [Place(position) for position in beginning_with(entry, uuids)], gpus=gpus
        )
    return _indexed(entries, gpus)


def beginning_with(name: str, uuids: Sequence[str]) -> list[int]:
    """The positions of the UUIDs that begin with a text, in any case."""
    folded = name.casefold()
    return [position for position, uuid in enumerate(uuids) if uuid.casefold().startswith(folded)]


def slice_positions(name: str, gpus: Sequence[GpuNames]) -> list[Place]:
    """The MIG slices whose UUID begins with a text, or whose address equals it, in any case."""
    folded = name.casefold()
    return [
        Place(position, number)
        for position, gpu in enumerate(gpus)
        for number, part in enumerate(gpu.slices)
        if part.uuid.casefold().startswith(folded) or part.address.casefold() == folded
    ]


def _indexed(entries: Iterable[str], gpus: Sequence[GpuNames]) -> Visible:
    asked: list[int] = []
    for entry in entries:
        index = _index(entry)
        if index in asked:
            return Visible((), remark=_twice(entry))
        if index is None:
            break
        asked.append(index)
    chosen = takewhile(lambda index: index < len(gpus), asked)
    return _without_mig_parents(chosen, gpus, by_index=True)


def _index(entry: str) -> int | None:
    """The index that an entry begins with, if it does."""
    found = re.match(_LEADING_INDEX, entry)
    if found is None or (found["sign"] == "-" and int(found["digits"]) > 0):
        return None
    return int(found["digits"])


def _named(
    entries: Iterable[str], kind: str, find: Callable[[str], list[Place]], *, gpus: Sequence[GpuNames]
) -> Visible:
    asked: list[str] = []
    for entry in entries:
        if entry in asked:
            return Visible((), remark=_twice(entry))
        if entry[:4].upper() != kind:
            break
        asked.append(entry)
    chosen: list[Place] = []
    for entry in asked:
        found = find(entry)
        if len(found) != 1:
            break
        if found[0] in chosen:
            return Visible((), remark=_twice(entry))
        chosen += found
    if kind == "MIG-":
        return Visible(tuple(chosen), remark=_SEVERAL_SLICES if len(chosen) > 1 else "")
    return _without_mig_parents((place.gpu for place in chosen), gpus, by_index=False)


def _without_mig_parents(chosen: Iterable[int], gpus: Sequence[GpuNames], *, by_index: bool) -> Visible:
    """Replace GPUs in MIG mode by the slices that CUDA shows in their stead."""
    positions = list(chosen)
    first = next((position for position in positions if gpus[position].slices), None)
    if first is not None:
        return Visible((Place(first, 0),), by_index, _FIRST_SLICE)
    whole = [position for position in positions if not gpus[position].mig_enabled]
    remark = _NO_SLICES if len(whole) < len(positions) else ""
    return Visible(tuple(map(Place, whole)), by_index, remark)


def _twice(entry: str) -> str:
    return f"{entry!r} is in it twice, which leaves no device visible"
