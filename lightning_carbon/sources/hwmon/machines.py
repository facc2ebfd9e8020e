"""Sensors of the whole machine: ACPI's power meter, service processors, power supplies and batteries.

* ``power_meter`` (ACPI) shows a server's power as its service processor measures it, averaged over some time.
* ``ibmaem`` and ``ibmpowernv`` show the same of IBM's machines, by IPMI and by their firmware.
* ``corsairpsu`` shows the output of some power supplies of desktops.
* A battery shows the power of a laptop while it runs on the battery.

A machine with several meters that cannot be distinguished counts as having none.

References:
    * https://docs.kernel.org/hwmon/acpi_power_meter.html, ibmaem.html, ibmpowernv.html, corsair-psu.html
    * https://docs.kernel.org/power/power_supply_class.html
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, SourceError
from lightning_carbon.ports import Finding
from lightning_carbon.sources.hwmon.processors import METER, grace_meter
from lightning_carbon.sources.hwmon.readings import FileGauge, microwatts, why_not
from lightning_carbon.sources.kernel_files import NumberFile, read_small
from lightning_carbon.units import MICROWATTS_PER_WATT, MILLI

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.sources.hwmon.chips import Chip, Chips
    from lightning_carbon.sources.kernel_files import Opener
    from lightning_carbon.sources.patience import Patience

SOURCE: Final = "machine"
MACHINE_ID: Final = "machine:0"

UNCERTAINTY_RATIO: Final = 0.05
"""Half width of the range of a service processor's meter; ours."""

SUPPLY_RATIO: Final = 0.15
"""Half width for a power supply, whose driver does not say whether it shows input or output; ours."""

_SUPPLIES: Final = Path("sys/class/power_supply")
_SYSTEM: Final = "system"


def discover(chips: Chips, root: Path, patience: Patience) -> list[Finding]:
    """Find the sensors of the whole machine: at most one finding with a port, and the reasons for all others.

    Args:
        chips: What was found.
        root: Where ``sys`` is.
        patience: How long a sensor may take to answer.
    """
    findings = [_meters(chips, patience), *_others(chips, patience), _batteries(root, patience)]
    known = [finding for finding in findings if finding is not None]
    first = next((finding for finding in known if finding.port is not None), None)
    reason = "the machine is metered by a better sensor"
    return [
        finding if finding is first or finding.port is None else Finding(SOURCE, finding.subject, reason=reason)
        for finding in known
    ]


def _meters(chips: Chips, patience: Patience) -> Finding | None:
    meters = [
        chip
        for chip in chips.named(METER)
        if grace_meter(chip) is None and chip.text("power1_is_battery") != "1" and chip.file("power1_average")
    ]
    if not meters:
        return None
    if len(meters) > 1:
        reason = f"{len(meters)} meters are there, and nothing tells which of them sees the machine"
        return Finding(SOURCE, "ACPI power meters", reason=reason)
    interval = meters[0].text("power1_average_interval")
    seconds = int(interval) * MILLI if interval.isdecimal() else 0.0
    method = "ACPI power meter, the machine's mean power" + (f" of {seconds:g} s" if seconds else "") + ", integrated"
    return _metered(meters[0], "power1_average", method, patience=patience, window_seconds=seconds)


def _others(chips: Chips, patience: Patience) -> list[Finding]:
    findings = [
        _metered(chip, "power1_average", f"{chip.name} power1_average, by IPMI, integrated", patience=patience)
        for chip in chips.found
        if chip.name in {"aem0", "aem1", "aem2", "ibmaem"} and chip.file("power1_average")
    ]
    for chip in chips.named("ibmpowernv"):
        findings += [
            _metered(chip, f"power{channel}_input", f"{chip.name} power of the system, integrated", patience=patience)
            for channel in chip.channels("power", "_input")
            if chip.text(f"power{channel}_label").lower() == _SYSTEM
        ]
    for chip in chips.named("corsairpsu"):
        method = "corsairpsu power1_input, what the power supply delivers, integrated"
        findings.append(_metered(chip, "power1_input", method, patience=patience, ratio=SUPPLY_RATIO))
    return findings


def _metered(
    chip: Chip,
    file: str,
    method: str,
    *,
    patience: Patience,
    window_seconds: float = 0.0,
    ratio: float = UNCERTAINTY_RATIO,
) -> Finding:
    subject, path = f"machine ({chip.name})", chip.file(file)
    if path is None:
        return Finding(SOURCE, subject, reason=f"it has no {file}")
    sensor = _sensor(method, ratio, window_seconds)

    def opened() -> FileGauge:
        gauge = FileGauge(sensor, [microwatts(path, chip.opener)])
        if gauge.read_power().watts == 0:
            raise ReadFailed("it shows 0 W, which no machine draws")
        return gauge

    try:
        return Finding(SOURCE, subject, patience.ask(opened))
    except (OSError, SourceError) as error:
        return Finding(SOURCE, subject, reason=why_not(error))


def _sensor(method: str, ratio: float, window_seconds: float = 0.0) -> Sensor:
    domain = Domain(Kind.MACHINE, MACHINE_ID, "machine at its plug")
    return Sensor(domain, Provenance.INTEGRATED, ratio, method, window_seconds=window_seconds)


def _batteries(root: Path, patience: Patience, opener: Opener = os.open) -> Finding | None:
    """The power that a laptop draws from its batteries; without a discharging battery, no reading counts."""
    folder = root / _SUPPLIES
    try:
        supplies = sorted(folder.iterdir())
    except OSError:
        return None
    batteries = [supply for supply in supplies if _is_of_system(supply, opener)]
    if not batteries:
        return None
    subject = f"battery {', '.join(path.name for path in batteries)}"
    method = "power_supply, what the battery gives, integrated"

    def opened() -> FileGauge:
        gauge = FileGauge(_sensor(method, UNCERTAINTY_RATIO), [_drawn(batteries, opener)])
        gauge.read_power()
        return gauge

    try:
        return Finding(SOURCE, subject, patience.ask(opened), "while it runs on battery alone")
    except (OSError, SourceError) as error:
        return Finding(
            SOURCE, subject, reason=why_not(error), fix="unplug it: a battery that discharges shows the power"
        )


def _is_of_system(folder: Path, opener: Opener) -> bool:
    """Whether a battery is the machine's, not that of a mouse."""
    try:
        if read_small(folder / "type", opener) != "Battery":
            return False
    except (OSError, ValueError):
        return False
    try:
        return read_small(folder / "scope", opener) != "Device"
    except (OSError, ValueError):
        return True


def _drawn(batteries: list[Path], opener: Opener) -> Callable[[], int]:
    """A function that reads the power of all batteries, in microwatts, while at least one discharges and none charges.

    Raises:
        OSError: A battery shows neither its power nor its voltage and current.
    """
    powers = [(folder / "status", _power_of(folder, opener)) for folder in batteries]

    def read() -> int:
        total, gives = 0, False
        for status, power in powers:
            try:
                state = read_small(status, opener)
            except (OSError, ValueError) as error:
                raise ReadFailed(f"{status}: {why_not(error)}") from error
            if state == "Charging":
                raise ReadFailed("the machine is on mains, and its battery charges")
            if state == "Discharging":
                total += power()
                gives = True
        if not gives:
            raise ReadFailed("the machine is on mains: its battery gives nothing")
        return total

    return read


def _power_of(folder: Path, opener: Opener) -> Callable[[], int]:
    try:
        power = NumberFile(folder / "power_now", opener, what="power in microwatts", least=-(1 << 40))
    except OSError:
        volts = NumberFile(folder / "voltage_now", opener, what="voltage in microvolts")
        amperes = NumberFile(folder / "current_now", opener, what="current in microamperes", least=-(1 << 40))
        return lambda: volts.read() * abs(amperes.read()) // MICROWATTS_PER_WATT  # one micro too many
    return lambda: abs(power.read())
