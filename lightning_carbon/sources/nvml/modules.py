"""Modules that carry a CPU beside their GPUs, such as GH200 (one GPU), GB200 and GB300 (two).

NVML shows the power of a module at every GPU on it. So each GPU is metered in its own scope, the module once for all of
its GPUs, known by the serial number of the board that they share, and the GPUs are inside it. A module counts where all
GPUs on it are this job's. Otherwise it would include the power of another job's GPU, so its CPU stays out of totals.
Nothing is inferred from a GPU's link to the CPU (C2C): a scope covers what nvml.h says.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import SourceError, SourceLost
from lightning_carbon.ports import Finding
from lightning_carbon.sources.nvml.accuracy import ask_family, stated
from lightning_carbon.sources.nvml.fields import (
    AVERAGE,
    INSTANT,
    SCOPE_MODULE,
    WINDOW_SECONDS,
    module_limit,
    power_field,
)
from lightning_carbon.sources.nvml.library import as_text
from lightning_carbon.sources.nvml.readings import NvmlGauge
from lightning_carbon.sources.patience import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import ModuleType

    from lightning_carbon.sources.nvml.inventory import Gpu
    from lightning_carbon.sources.patience import Patience

SOURCE: Final = "nvml"

_GPUS_ON_A_MODULE: Final = {"GH200": 1, "GB200": 2, "GB300": 2}
"""GPUs beside each Grace CPU, by NVIDIA's data sheets of 2023 to 2025, since a container may not show all of them."""


class _Way(NamedTuple):
    """A way in which NVML shows a module's power."""

    field: str
    method: str


_WAYS: Final = (
    _Way(INSTANT, "nvmlDeviceGetFieldValues POWER_INSTANT of the module, integrated"),
    _Way(AVERAGE, "nvmlDeviceGetFieldValues POWER_AVERAGE of the module, integrated"),
)


def meter_modules(
    metered: Sequence[Gpu], known: Sequence[Gpu], of_job: Collection[str], *, nvml: ModuleType, patience: Patience
) -> tuple[list[Finding], dict[str, str]]:
    """Find the modules whose power NVML shows, each once.

    Args:
        metered: The GPUs that are metered whole.
        known: All GPUs that NVML lists.
        of_job: The UUIDs of the GPUs that the job may use, those of its other ranks included.
        nvml: The module :mod:`pynvml`.
        patience: How long to wait for GPUs that do not answer; such a GPU is on no module.

    Returns:
        A finding for each module, with a port where it counts; and, for the UUID of each GPU that is inside such a
        module, the id of the module's domain.
    """
    findings: dict[str, Finding] = {}
    parents: dict[str, str] = {}
    serials = _Serials(nvml)
    for gpu in metered:
        try:
            way = patience.ask(partial(_way, gpu, nvml))
        except NoAnswer:
            continue
        if way is None:
            continue
        serial = serials.of(gpu)
        if serial is None:
            findings[gpu.names.uuid] = _uncounted(gpu, "NVML gives no serial number to know it by")
            continue
        if serial not in findings:
            mates = [mate for mate in known if serials.of(mate) == serial]
            reason = _why_not(gpu, mates, known, of_job=of_job)
            findings[serial] = (
                _uncounted(gpu, reason) if reason else _counted(gpu, serial, len(mates), way=way, nvml=nvml)
            )
        if findings[serial].port is not None:
            parents[gpu.names.uuid] = module_id(serial)
    return list(findings.values()), parents


def module_id(serial: str) -> str:
    """The id of the domain of a module."""
    return f"module:{serial}"


class _Serials:
    """The serial numbers of GPUs' boards, each read once."""

    def __init__(self, nvml: ModuleType) -> None:
        self._nvml = nvml
        self._known: dict[str, str | None] = {}

    def of(self, gpu: Gpu) -> str | None:
        """The serial number, or ``None`` where NVML gives none."""
        uuid, handle = gpu.names.uuid, gpu.handle
        if handle is None:
            return None
        if uuid not in self._known:
            try:
                serial = handle.ask(self._nvml.nvmlDeviceGetSerial)
            except (SourceError, AttributeError):
                serial = ""
            self._known[uuid] = as_text(serial).strip() or None
        return self._known[uuid]


def _way(gpu: Gpu, nvml: ModuleType) -> _Way | None:
    """The way in which NVML shows the power of the GPU's module, if it does."""
    for way in _WAYS:
        try:
            if gpu.handle is not None and gpu.handle.ask(power_field(nvml, way.field, SCOPE_MODULE)) > 0:
                return way
        except SourceLost:
            return None
        except (SourceError, AttributeError):
            continue
    return None


def _why_not(gpu: Gpu, mates: Sequence[Gpu], known: Sequence[Gpu], *, of_job: Collection[str]) -> str:
    """The reason why a module must not count, or an empty string."""
    strangers = [mate.subject for mate in mates if mate.names.uuid not in of_job]
    if strangers:
        return f"its power has that of {', '.join(strangers)} in it, which is not this job's"
    expected = next((number for name, number in _GPUS_ON_A_MODULE.items() if re.search(rf"\b{name}\b", gpu.name)), None)
    if expected is None and any(gpu.handle is None for gpu in known):
        return "NVML hides a GPU, which may be on it"
    if len(mates) < (expected or 1):
        return f"its power has that of {expected} GPUs in it, of which NVML shows {len(mates)}"
    return ""


def _uncounted(gpu: Gpu, reason: str) -> Finding:
    return Finding(
        SOURCE,
        f"module of {gpu.subject}",
        reason=f"{reason}; GPUs are metered by themselves, and the module's CPU only where something else meters it",
        fix='where the job has all GPUs of the module, let it see them, or set devices to "all"',
    )


def _counted(gpu: Gpu, serial: str, gpus: int, *, way: _Way, nvml: ModuleType) -> Finding:
    gpus_in_words = "1 GPU" if gpus == 1 else f"{gpus} GPUs"
    domain = Domain(Kind.MODULE, module_id(serial), f"{gpu.name} module, CPU and {gpus_in_words}")
    assert gpu.handle is not None  # noqa: S101 - its module has answered
    accuracy, basis = stated(ask_family(gpu.name, gpu.handle, nvml), is_mean=way.field == AVERAGE)
    sensor = Sensor(
        domain,
        Provenance.INTEGRATED,
        max(accuracy.below_ratio, accuracy.above_ratio),
        f"{way.method}; {basis}",
        max_power=module_limit(gpu.handle, nvml),
        window_seconds=WINDOW_SECONDS if way.field == AVERAGE else 0.0,
        accuracy=accuracy,
    )
    gauge = NvmlGauge(sensor, gpu.handle, power_field(nvml, way.field, SCOPE_MODULE), covers_host=True)
    return Finding(SOURCE, f"module {serial}", gauge, "its GPUs and its CPU are inside")
