"""Processors that show their power in hwmon: NVIDIA Grace, Ampere Altra and eMAG, and AMD's by HSMP.

Grace's firmware has several ACPI power meters, identified by their OEM information: ``Module Power Socket 0`` (CPU, GPU
and their memory, on Grace Hopper), ``Grace Power Socket 0`` (the CPU's side: cores, SoC and LPDDR5X), and inside of
that ``CPU Power`` and ``SysIO Power`` (https://docs.nvidia.com/grace-perf-tuning-guide/power-thermals.html). A socket
counts by its Grace meter, memory included, and a GPU beside it by NVML, so the module, which includes both, is not
added. Altra's ``apm_xgene`` shows the power of the cores and of the rest of the chip (drivers/hwmon/xgene-hwmon.c),
which are added up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import SourceError
from lightning_carbon.ports import Finding
from lightning_carbon.sources.hwmon.readings import FileGauge, microwatts, why_not

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.sources.hwmon.chips import Chip, Chips
    from lightning_carbon.sources.patience import Patience

SOURCE: Final = "hwmon"
METER: Final = "power_meter"
XGENE: Final = "apm_xgene"
HSMP: Final = "amd_hsmp_hwmon"

UNCERTAINTY_RATIO: Final = 0.15
"""Half width of the range: no study bounds these sensors; ours, between RAPL's on Intel and on AMD."""

_SOCKET: Final = r"(?i:(module|grace|cpu|sysio) power soc?ket (\d{1,4}))"


def grace_meter(chip: Chip) -> tuple[str, int] | None:
    """The part of Grace that an ACPI power meter covers, with the number of the socket; ``None`` for other meters."""
    match = re.search(_SOCKET, chip.text("power1_oem_info"))
    return None if match is None or chip.name != METER else (match[1].lower(), int(match[2]))


def discover(chips: Chips, patience: Patience) -> list[Finding]:
    """Find the sockets that have a sensor, each once.

    Args:
        chips: What was found.
        patience: How long a sensor may take to answer.
    """
    findings = _grace(chips, patience)
    for number, chip in enumerate(chips.named(XGENE)):
        files = [path for name in ("power1_input", "power2_input") if (path := chip.file(name)) is not None]
        method = f"{chip.name}, CPU and IO power, integrated"
        findings.append(_socket(chip, number, files, method=method, patience=patience))
    for number, chip in enumerate(chips.named(HSMP)):
        files = [path for name in ("power1_input",) if (path := chip.file(name)) is not None]
        findings.append(_socket(chip, number, files, method=f"{chip.name} power1_input, integrated", patience=patience))
    return findings


def _grace(chips: Chips, patience: Patience) -> list[Finding]:
    meters: dict[tuple[str, int], Chip] = {}
    for chip in chips.named(METER):
        known = grace_meter(chip)
        if known is not None:
            meters.setdefault(known, chip)
    findings: list[Finding] = []
    for socket in sorted({number for _, number in meters}):
        whole, rails = (
            meters.get(("grace", socket)),
            [meters[key] for key in (("cpu", socket), ("sysio", socket)) if key in meters],
        )
        counted = [whole] if whole is not None else rails
        files = [path for chip in counted if (path := chip.file("power1_average")) is not None]
        if files:
            word = "Grace" if whole is not None else "CPU and SysIO"
            method = f"ACPI power meter, {word} power of socket {socket}, integrated"
            findings.append(
                _socket(counted[0], socket, files, method=method, patience=patience, covers_memory=whole is not None)
            )
        if ("module", socket) in meters:
            reason = "it has the GPU inside, which is metered by itself"
            findings.append(Finding(SOURCE, f"module of socket {socket} ({METER})", reason=reason))
        if whole is not None and rails:
            reason = "inside the power of Grace, and counted there"
            findings.append(Finding(SOURCE, f"rails of socket {socket} ({METER})", reason=reason))
    return findings


def _socket(
    chip: Chip, number: int, files: list[Path], *, method: str, patience: Patience, covers_memory: bool = False
) -> Finding:
    name = f"CPU package {number}"
    subject = f"{name} ({chip.name})"
    if not files:
        return Finding(SOURCE, subject, reason="its driver shows no power")
    domain = Domain(Kind.PACKAGE, f"package:{number}", name)
    sensor = Sensor(domain, Provenance.INTEGRATED, UNCERTAINTY_RATIO, method)

    def opened() -> FileGauge:
        gauge = FileGauge(sensor, [microwatts(path, chip.opener) for path in files], covers_memory=covers_memory)
        gauge.read_power()
        return gauge

    try:
        return Finding(SOURCE, subject, patience.ask(opened), "its memory is inside" if covers_memory else "")
    except (OSError, SourceError) as error:
        return Finding(SOURCE, subject, reason=why_not(error))
