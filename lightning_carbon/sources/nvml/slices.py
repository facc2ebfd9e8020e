"""MIG slices: no sensor shows a single slice, so each gets its share of its GPU by compute slices.

NVML and DCGM show the whole GPU's power on every slice. The share is a model: it gives idle slices as much as busy
slices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.errors import SourceError, SourceUnavailable
from lightning_carbon.sources.nvml.probing import domain_id
from lightning_carbon.sources.nvml.readings import share_of

if TYPE_CHECKING:
    from types import ModuleType

    from lightning_carbon.ports import Source
    from lightning_carbon.sources.nvml.inventory import Gpu, Slice
    from lightning_carbon.sources.nvml.library import Handle

_PROFILES: Final = range(7)
"""NVML_GPU_INSTANCE_PROFILE_1_SLICE to _6_SLICE in nvml.h; later profiles are variants with the same slices."""

_UNCERTAINTY_RATIO: Final = 0.5
"""An assumption: a slice alone on its GPU draws more than its share, an idle slice beside busy slices less."""


def meter_slice(gpu: Gpu, part: Slice, whole: Source, *, nvml: ModuleType, parent_is_metered: bool) -> Source:
    """Give a slice its share of a source of its GPU.

    Args:
        gpu: The GPU.
        part: The slice.
        whole: The source of the GPU.
        nvml: The module :mod:`pynvml`.
        parent_is_metered: Whether the whole GPU is also metered, so the slice must not be added to it.

    Raises:
        SourceUnavailable: NVML does not give the size of the slice or the GPU.
    """
    try:
        own = int(part.handle.ask(nvml.nvmlDeviceGetAttributes).computeInstanceSliceCount)
    except (SourceError, AttributeError) as error:
        raise SourceUnavailable("nvml", f"NVML does not tell the size of this slice ({error})") from error
    total = None if gpu.handle is None else _compute_slices(gpu.handle, nvml)
    if total is None or not 0 < own <= total:
        raise SourceUnavailable("nvml", f"NVML does not tell what share of its GPU this slice is ({own} of {total})")
    parent = domain_id(gpu.names.uuid) if parent_is_metered else None
    domain = Domain(Kind.GPU, domain_id(part.names.uuid), part.name, parent)
    method = f"{own} of {total} compute slices of {gpu.names.uuid}; assumed; of"
    return share_of(whole, domain, (own, total), uncertainty_ratio=_UNCERTAINTY_RATIO, method=method)


def _compute_slices(gpu: Handle, nvml: ModuleType) -> int | None:
    """The number of slices of the GPU's largest instance: 7 on A100 and H100, 4 on A30."""
    found: list[int] = []
    for profile in _PROFILES:
        for version in (2, 1):
            try:
                info = gpu.ask(lambda handle: nvml.nvmlDeviceGetGpuInstanceProfileInfo(handle, profile, version))  # noqa: B023
            except (SourceError, AttributeError):
                continue
            found.append(int(info.sliceCount))
            break
    return max(found, default=None)
