"""What can be measured on this machine, by what, and why not the rest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from lightning_carbon.energy.readings import Kind
from lightning_carbon.ports import Finding
from lightning_carbon.sources import host_model, nvml, rapl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lightning_carbon.sources.host_model import CpuScope


def discover(
    devices: Literal["auto", "all"] | Sequence[int | str] = "auto",
    powercap_root: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    cpu_scope: CpuScope = "process",
    *,
    host: bool = True,
) -> list[Finding]:
    """Try every source this package has.

    GPUs by NVML; packages, memory and platform by RAPL; what RAPL does not show of a host, by the host model. Where a
    GPU's counter includes the CPU, as on a Grace Hopper module, no CPU is counted beside it.

    Args:
        devices: Which accelerators: ``"auto"`` (those visible to this process), ``"all"``, or indices or UUIDs.
        powercap_root: The powercap tree; default ``LIGHTNING_CARBON_POWERCAP_ROOT``, then ``/sys/class/powercap``.
        environ: The environment variables.
        cpu_scope: Whose processor time the host model charges: ``"process"`` or ``"machine"``.
        host: Whether to look for the host's domains; one process a machine should.

    Returns:
        A finding for everything that was tried, with a port where it can be read.

    Raises:
        ConfigError: ``devices`` or ``cpu_scope`` cannot be used.
    """
    findings = nvml.discover(devices, environ)
    if not host:
        return findings
    if nvml.covers_host(findings):
        reason = "the module's own counter includes its CPU; counted there"
        return [*findings, Finding("host_model", "CPU and memory", reason=reason)]
    measured = rapl.discover(powercap_root, environ)
    kinds = {finding.port.sensor.domain.kind for finding in measured if finding.port is not None}
    # A platform counter has both inside.
    cpu = not kinds & {Kind.PACKAGE, Kind.PSYS}
    dram = not kinds & {Kind.DRAM, Kind.PSYS}
    return [*findings, *measured, *host_model.discover(environ, cpu=cpu, dram=dram, cpu_scope=cpu_scope)]
