"""Which GPUs can be metered here, and why not the rest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Literal

from lightning_carbon.errors import SourceError, SourceUnavailable
from lightning_carbon.ports import Finding
from lightning_carbon.sources.nvml.inventory import take_inventory
from lightning_carbon.sources.nvml.library import LIBRARY, SHADOWED_FIX, is_shadowed
from lightning_carbon.sources.nvml.probing import probe
from lightning_carbon.sources.nvml.selection import check_devices, select
from lightning_carbon.sources.nvml.slices import meter_slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import ModuleType

    from lightning_carbon.sources.nvml.inventory import Gpu
    from lightning_carbon.sources.nvml.selection import Selection
    from lightning_carbon.sources.nvml.visible_devices import Place

SOURCE: Final = "nvml"
_EVERYTHING: Final = "NVIDIA GPUs"


def discover(
    devices: Literal["auto", "all"] | Sequence[int | str] = "auto", environ: Mapping[str, str] = os.environ
) -> list[Finding]:
    """Try every GPU that is asked for.

    Args:
        devices: ``"auto"`` for what ``CUDA_VISIBLE_DEVICES`` shows to CUDA, ``"all"`` for every GPU that NVML shows,
            or a list. In a list, a number is an index among the visible devices, as torch counts them; a text is a
            UUID or an unambiguous beginning of one (``"GPU-8932f937"``, ``"MIG-..."``), also without ``GPU-`` or
            ``MIG-`` as torch's device properties print it, and may name a device that is not visible. An empty list
            asks for none.
        environ: Where ``CUDA_VISIBLE_DEVICES`` and ``CUDA_DEVICE_ORDER`` stand.

    Returns:
        A finding for each device, in the order asked for; a single one without a port where NVML cannot be used or
        nothing is visible. A port has an attribute ``covers_host``.

    Raises:
        ConfigError: ``devices`` is no selection, or names a device that is not among those that NVML shows.
    """
    check_devices(devices)
    if not isinstance(devices, str) and not devices:
        return []
    try:
        nvml = LIBRARY.open()
        inventory = take_inventory(LIBRARY)
    except SourceUnavailable as error:
        return [Finding(SOURCE, _EVERYTHING, reason=error.reason, fix=error.fix)]
    except SourceError as error:
        return [Finding(SOURCE, _EVERYTHING, reason=str(error))]
    selection = select(devices, inventory.gpus, environ)
    if not selection.places:
        return [_nothing(inventory.gpus, selection, environ)]
    fix = SHADOWED_FIX if is_shadowed(nvml) else ""
    return [_try(place, selection, nvml, fix) for place in selection.places]


def close() -> None:
    """Give NVML back; sources that are still read afterwards are lost. The end of a process does so by itself."""
    LIBRARY.close()


def covers_host(findings: Iterable[Finding]) -> bool:
    """Whether one of these sources counts the CPU and its memory too, so that neither may be added to it."""
    return any(getattr(finding.port, "covers_host", False) for finding in findings)


def _nothing(gpus: Sequence[Gpu], selection: Selection, environ: Mapping[str, str]) -> Finding:
    if not gpus:
        return Finding(SOURCE, _EVERYTHING, reason="NVML shows no GPU")
    value = environ.get("CUDA_VISIBLE_DEVICES")
    reason = "no GPU is visible to CUDA"
    if value is not None:
        reason = f"CUDA_VISIBLE_DEVICES={value!r} shows none of the GPUs here"
    if selection.remark:
        reason = f"{reason}: {selection.remark}"
    return Finding(SOURCE, _EVERYTHING, reason=reason, fix='to meter all GPUs nevertheless: devices="all"')


def _try(place: Place, selection: Selection, nvml: ModuleType, fix: str) -> Finding:
    gpu = selection.gpus[place.gpu]
    one = gpu.slices[place.slice] if place.slice >= 0 else None
    subject = gpu.subject if one is None else f"GPU {gpu.index} {one.name} {one.names.uuid}"
    try:
        probed = probe(gpu, nvml)
        port = probed.source
        if one is not None:
            is_metered = any(other.gpu == place.gpu and other.slice < 0 for other in selection.places)
            port = meter_slice(gpu, one, port, nvml, parent_is_metered=is_metered)
    except SourceUnavailable as error:
        return Finding(SOURCE, subject, reason=error.reason, fix=error.fix or fix)
    except Exception as error:  # noqa: BLE001 -- whatever a driver or an old pynvml does, the training must start
        return Finding(SOURCE, subject, reason=f"{type(error).__name__}: {error}", fix=fix)
    return Finding(SOURCE, subject, port, "; ".join(filter(None, [selection.remark, probed.remark])), fix)
