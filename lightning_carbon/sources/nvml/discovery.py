"""Discovery of GPUs by NVML: which can be metered, and why the others cannot."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from lightning_carbon.errors import SourceError, SourceUnavailable
from lightning_carbon.ports import Finding
from lightning_carbon.sources.nvml.conditions import gauges_of
from lightning_carbon.sources.nvml.inventory import take_inventory
from lightning_carbon.sources.nvml.library import LIBRARY, SHADOWED_FIX, is_shadowed
from lightning_carbon.sources.nvml.modules import meter_modules
from lightning_carbon.sources.nvml.probing import NO_SENSOR, Probed, probe
from lightning_carbon.sources.nvml.processes import Watch
from lightning_carbon.sources.nvml.readings import NvmlCounter, NvmlGauge
from lightning_carbon.sources.nvml.selection import select
from lightning_carbon.sources.nvml.visible_devices import Place
from lightning_carbon.sources.patience import PATIENCE_SECONDS, NoAnswer, Patience
from lightning_carbon.sources.process_tree import ProcessTree, job_tree
from lightning_carbon.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from types import ModuleType

    from lightning_carbon.settings.checks import GpuScope
    from lightning_carbon.sources.nvml.inventory import Gpu
    from lightning_carbon.sources.nvml.processes import Pids
    from lightning_carbon.sources.nvml.selection import Selection


SOURCE: Final = "nvml"
_EVERYTHING: Final = "NVIDIA GPUs"

_LATER_LOOKS: Final = 3
_LATER_SECONDS: Final = 0.1
"""How often, and how far apart, GPUs without an answering sensor are asked again; ours."""


@dataclass(frozen=True, slots=True)
class _Asker:
    """Everything that is needed to try a device."""

    nvml: ModuleType
    scope: GpuScope
    pids: Pids
    root: Path
    fix: str
    patience: Patience


def discover(
    devices: Literal["auto", "all"] | Sequence[int | str] = "auto",
    environ: Mapping[str, str] = os.environ,
    gpu_scope: GpuScope = "device",
    *,
    pids: Pids | None = None,
    root: Path = Path("/"),
    patience_seconds: float = PATIENCE_SECONDS,
) -> list[Finding]:
    """Try every GPU that the setting ``devices`` names.

    Args:
        devices: ``"auto"`` for what ``CUDA_VISIBLE_DEVICES`` shows to CUDA, ``"all"`` for every GPU that NVML shows,
            or a list. In a list, a number is an index among the visible devices, as torch counts them; a text is a
            UUID or an unambiguous beginning of one (``"GPU-8932f937"``, ``"MIG-..."``), also without ``GPU-`` or
            ``MIG-`` as torch's device properties print it, and may name a device that is not visible. An empty list
            asks for none.
        environ: Where ``CUDA_VISIBLE_DEVICES`` and ``CUDA_DEVICE_ORDER`` stand.
        gpu_scope: ``"device"`` charges a GPU whole, with a remark that names other processes on it; ``"process"``
            charges the job its share of the work on it, modelled.
        pids: Gives the process ids of the job; default those of this process and its descendants, or of its launcher.
        root: Where ``proc`` is.
        patience_seconds: How long the driver may take to answer.

    Returns:
        A finding for each device, in the order asked for, then one for each module that they are on; a single finding
        without a port where NVML cannot be used or nothing is visible. :func:`neighbours` later looks again for other
        processes on them.

    Raises:
        ConfigError: ``devices`` names a device that is not among those that NVML shows.
    """
    if not isinstance(devices, str) and not devices:
        return []
    with Patience(patience_seconds) as patience:
        return _discovered(devices, environ, gpu_scope, pids=pids, root=root, patience=patience)


def _discovered(
    devices: Literal["auto", "all"] | Sequence[int | str],
    environ: Mapping[str, str],
    gpu_scope: GpuScope,
    *,
    pids: Pids | None,
    root: Path,
    patience: Patience,
) -> list[Finding]:
    """What :func:`discover` finds, with the patience that all its calls share."""
    try:
        nvml = LIBRARY.open(patience.seconds)
        gpus = patience.ask(lambda: take_inventory(LIBRARY))
    except SourceUnavailable as error:
        return [Finding(SOURCE, _EVERYTHING, reason=error.reason, fix=error.fix)]
    except SourceError as error:
        return [Finding(SOURCE, _EVERYTHING, reason=str(error))]
    selection = select(devices, gpus, environ)
    if not selection.places:
        return [_nothing(gpus, selection, environ)]
    modules: list[Finding] = []
    parents: dict[str, str] = {}
    if gpu_scope == "device":  # nothing shows the share of a process in a module's power
        modules, parents = meter_modules(selection.whole(), gpus, selection.of_job(), nvml=nvml, patience=patience)
    fix = SHADOWED_FIX if is_shadowed(nvml) else ""
    asker = _Asker(nvml, gpu_scope, _job_pids(environ) if pids is None else pids, root, fix, patience)
    return [*_settled(selection, asker, parents), *modules]


def close() -> None:
    """Shut NVML down; sources that are still read afterwards are lost. The end of a process does so by itself."""
    LIBRARY.close()


def covers_host(findings: Iterable[Finding]) -> bool:
    """Whether a source, such as that of a module, includes the CPU and its memory, which then may not be added."""
    return any(getattr(finding.port, "covers_host", False) for finding in findings)


def neighbours(finding: Finding) -> str:
    """Look again for other processes on a GPU that is charged whole; takes some calls of NVML, so call it rarely.

    Args:
        finding: A finding of :func:`discover`.

    Returns:
        A warning that names them; empty where there are none, or NVML does not show them.
    """
    watch = getattr(finding.port, "watch", None)
    return watch.remark() if isinstance(watch, Watch) else ""


def _job_pids(environ: Mapping[str, str]) -> Pids:
    """A function that gives the job's processes, which it looks up when first called."""
    trees: list[ProcessTree] = []

    def pids() -> AbstractSet[int]:
        if not trees:
            trees.append(job_tree(environ))
        return trees[0].pids()

    return pids


def _nothing(gpus: Sequence[Gpu], selection: Selection, environ: Mapping[str, str]) -> Finding:
    if not gpus:
        return Finding(SOURCE, _EVERYTHING, reason="NVML shows no GPU")
    value = environ.get("CUDA_VISIBLE_DEVICES")
    reason = "no GPU is visible to CUDA"
    if value is not None:
        reason = f"CUDA_VISIBLE_DEVICES={value!r} shows none of the GPUs here"
    if selection.remark:
        reason = f"{reason}: {selection.remark}"
    return Finding(SOURCE, _EVERYTHING, reason=reason, fix='to meter all GPUs nevertheless, set devices to "all"')


def _settled(selection: Selection, asker: _Asker, parents: Mapping[str, str]) -> list[Finding]:
    """The verdicts on all devices; a driver that is just being loaded is asked again where it gave no answer."""
    findings = {place: _found(place, selection, asker, parents=parents) for place in selection.places}
    for _ in range(_LATER_LOOKS):
        doubtful = [place for place, finding in findings.items() if finding.reason.startswith(NO_SENSOR)]
        if not doubtful:
            break
        time.sleep(_LATER_SECONDS)
        findings |= {place: _found(place, selection, asker, parents=parents) for place in doubtful}
    return list(findings.values())


def _found(place: Place, selection: Selection, asker: _Asker, *, parents: Mapping[str, str]) -> Finding:
    """The verdict on a device."""
    gpu = selection.gpus[place.gpu]
    part = gpu.slices[place.slice] if place.slice >= 0 else None
    subject = gpu.subject if part is None else f"GPU {gpu.index} {part.name} {part.names.uuid}"
    try:
        probed = asker.patience.ask(lambda: _metered(place, selection, asker, parents=parents))
    except SourceUnavailable as error:
        return Finding(SOURCE, subject, reason=error.reason, fix=error.fix or asker.fix)
    except NoAnswer as error:
        return Finding(SOURCE, subject, reason=f"its first reading hangs: {error}", fix=asker.fix)
    except Exception as error:  # noqa: BLE001 -- whatever a driver or an old pynvml does, the training must start
        return Finding(SOURCE, subject, reason=f"{type(error).__name__}: {error}", fix=asker.fix)
    gauges = gauges_of(gpu.handle, asker.nvml)
    return Finding(SOURCE, subject, probed.source, probed.remark, asker.fix, probed.fallback, probed.later, gauges)


def _metered(place: Place, selection: Selection, asker: _Asker, *, parents: Mapping[str, str]) -> Probed:
    """The sensors of a device, with remarks on what may surprise a user."""
    gpu = selection.gpus[place.gpu]
    probed = probe(gpu, asker.nvml, parents.get(gpu.names.uuid))
    if place.slice >= 0:
        from lightning_carbon.sources.nvml.slices import meter_slice  # as below: few runs need it

        part, is_metered = gpu.slices[place.slice], Place(place.gpu) in selection.places
        probed = probed.mapped(
            lambda whole: meter_slice(gpu, part, whole, nvml=asker.nvml, parent_is_metered=is_metered)
        )
    scoped, warning = _scoped(gpu, probed, asker, is_slice=place.slice >= 0)
    return replace(scoped, remark="; ".join(filter(None, [warning, selection.remark, probed.remark])))


def _scoped(gpu: Gpu, probed: Probed, asker: _Asker, *, is_slice: bool) -> tuple[Probed, str]:
    """The sensors for the scope, and a warning of other processes on the GPU."""
    if gpu.handle is None:
        return probed, ""
    watch = Watch(gpu.handle, asker.nvml, asker.pids, root=asker.root)
    if asker.scope == "process":
        from lightning_carbon.sources.nvml.process_share import WHOLE_FIX, ProcessShare, share

        if is_slice:
            raise SourceUnavailable(SOURCE, "NVML does not tell whose the work on a MIG slice is", WHOLE_FIX)
        splitting = ProcessShare(gpu.handle, asker.nvml, watch)
        return probed.mapped(lambda whole: share(whole, splitting)), splitting.remark
    if is_slice:  # processes on other slices are no neighbours, and whether NVML shows them differs by driver
        return probed, ""
    if isinstance(probed.source, NvmlCounter | NvmlGauge):
        probed.source.watch = watch
    return probed, watch.remark()
