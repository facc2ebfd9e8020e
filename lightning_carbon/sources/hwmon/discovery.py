"""Discovery of hwmon's sensors: of accelerators, of processors, and of the whole machine."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from lightning_carbon.energy.readings import Kind
from lightning_carbon.ports import Finding
from lightning_carbon.sources.accelerators import ROCM
from lightning_carbon.sources.hwmon import jetson, machines, processors
from lightning_carbon.sources.hwmon.chips import PCI_ADDRESS, explore
from lightning_carbon.sources.hwmon.gpus import AMD, KernelGpu, amd_gpus, intel_gpus, meter, tiles_of
from lightning_carbon.sources.hwmon.visible import visible_to_level_zero, visible_to_rocm
from lightning_carbon.sources.patience import PATIENCE_SECONDS, Patience
from lightning_carbon.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.sources.hwmon.amd_library import AmdLibrary
    from lightning_carbon.sources.kernel_files import Opener

_NVIDIA: Final = "cuda"
_XPU: Final = "xpu"


@dataclass(frozen=True, slots=True)
class Sensors:
    """The findings of discovery.

    Args:
        accelerators: GPUs of AMD and Intel, and the rails of a Jetson.
        processors: The sockets.
        machine: The sensors of the whole machine.
    """

    accelerators: list[Finding] = field(default_factory=list)
    processors: list[Finding] = field(default_factory=list)
    machine: list[Finding] = field(default_factory=list)


def addresses_among(devices: Literal["auto", "all"] | Sequence[int | str]) -> list[str]:
    """The PCI addresses, which name GPUs by AMD and Intel, in the setting ``devices``."""
    if isinstance(devices, str):
        return []
    return [device for device in devices if isinstance(device, str) and re.fullmatch(PCI_ADDRESS, device)]


def discover(
    devices: Literal["auto", "all"] | Sequence[int | str] = "auto",
    environ: Mapping[str, str] = os.environ,
    root: Path = Path("/"),
    *,
    host: bool = True,
    computes_on: str | None = None,
    opener: Opener = os.open,
    patience_seconds: float = PATIENCE_SECONDS,
    library: AmdLibrary | None = None,
) -> Sensors:
    """Try every sensor that hwmon shows.

    Args:
        devices: As in :func:`lightning_carbon.sources.discovery.discover`. GPUs of AMD and Intel go by their PCI
            address (``"0000:03:00.0"``); a number is an index among those that are visible, as torch counts them.
        environ: The environment variables.
        root: Where ``sys`` is.
        host: Whether to also look for processors and the machine.
        computes_on: Torch's type of the device that the training computes on, or
            :data:`~lightning_carbon.sources.accelerators.ROCM`, where that is known: GPUs of other makers are then
            left out of ``"auto"``, and have no index.
        opener: Opens files, as :func:`os.open` does.
        patience_seconds: How long a sensor may take to answer.
        library: AMD's library, for its GPUs' UUIDs and the programs on them; ``None`` for none.

    Returns:
        A finding for everything that was tried. Never raises for what the machine lacks.
    """
    chips, patience = explore(root, opener), Patience(patience_seconds)
    shown = Sensors(processors=[Finding("hwmon", name, reason=reason) for name, reason in chips.troubles.items()])
    of_amd, apus = amd_gpus(chips, root)
    if library is not None:
        of_amd = [gpu if gpu.unique_id else replace(gpu, unique_id=library.uuid(gpu.address)) for gpu in of_amd]
    of_intel = intel_gpus(chips)
    visible_amd = visible_to_rocm(of_amd, environ, lambda gpu: gpu.unique_id)
    visible_intel = visible_to_level_zero(of_intel, environ, tiles_of(chips))
    kind = (computes_on or "").partition(":")[0]
    makers = {_NVIDIA, ROCM, _XPU}
    for known, visible, own in ((of_amd, visible_amd, ROCM), (of_intel, visible_intel, _XPU)):
        is_elsewhere = kind in makers - {own}
        chosen = _chosen(devices, known, [] if is_elsewhere else visible)
        if chosen:
            found = meter(chosen, known, patience)
            shown.accelerators.extend(found if library is None else map(library.added_to, found))
        elif known and devices == "auto":
            shown.accelerators.append(_left_out(known, is_elsewhere=is_elsewhere))
    shown.accelerators.extend(apus)
    if host:
        rails = jetson.discover(chips, patience)
        shown.accelerators.extend(finding for finding in rails if _is_gpu(finding))
        shown.processors.extend(finding for finding in rails if not _is_gpu(finding))
        shown.processors.extend(processors.discover(chips, patience))
        shown.machine.extend(machines.discover(chips, root, patience))
    return shown


def _left_out(known: Sequence[KernelGpu], *, is_elsewhere: bool) -> Finding:
    maker = "AMD" if known[0].chip.name == AMD else "Intel"
    reason = "the training computes on another accelerator" if is_elsewhere else "none is visible to this process"
    fix = 'to meter all GPUs nevertheless, set devices to "all"'
    return Finding(known[0].chip.name, f"GPUs of {maker}", reason=reason, fix=fix)


def _is_gpu(finding: Finding) -> bool:
    return finding.port is not None and finding.port.sensor.domain.kind is Kind.GPU


def _chosen(
    devices: Literal["auto", "all"] | Sequence[int | str], known: Sequence[KernelGpu], visible: Sequence[KernelGpu]
) -> list[KernelGpu]:
    if devices == "auto":
        return list(visible)
    if devices == "all":
        return list(known)
    chosen: list[KernelGpu] = []
    for device in devices:
        if isinstance(device, int):
            chosen += visible[device : device + 1]
        else:
            chosen += [gpu for gpu in known if gpu.address == device.lower()][:1]
    return chosen
