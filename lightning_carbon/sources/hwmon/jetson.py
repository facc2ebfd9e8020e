"""Jetson modules: the rails watched by INA3221 monitors, with the labels of the board's device tree.

A monitor shows millivolts and milliamperes of up to three rails (https://docs.kernel.org/hwmon/ina3221.html). Where the
input of the module is watched (``VDD_IN`` of Orin NX, Orin Nano, Xavier NX and TX2, ``POM_5V_IN`` of Nano), it counts
and the other rails are inside. Otherwise (AGX Orin, AGX Xavier) the known rails add up; memory that a 5 V rail feeds is
inside that rail.

Labels: arch/arm64/boot/dts/nvidia of Linux (2023), and NVIDIA's Jetson Linux Developer Guide, "Power and Performance".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import SourceError
from lightning_carbon.ports import Finding
from lightning_carbon.sources.hwmon.readings import FileGauge, millivolts_times_milliamperes, why_not

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.sources.hwmon.chips import Chip, Chips
    from lightning_carbon.sources.patience import Patience

SOURCE: Final = "jetson"
MONITOR: Final = "ina3221"

UNCERTAINTY_RATIO: Final = 0.05
"""Half width of the range: the monitor is accurate to 1 %, its shunt to about as much (TI, INA3221 data sheet, 2016);
we add the rest because it is read at moments."""

INPUTS: Final = frozenset({"VDD_IN", "POM_5V_IN"})
"""The domain of a whole module."""

_SYSTEM: Final = "VIN_SYS_5V0"
_CHANNELS: Final = 3


class _Rail(NamedTuple):
    """A rail of the module.

    Args:
        kind: The kind of hardware that it feeds.
        name: For people.
        feeder: The label of the rail that feeds it, or an empty string.
    """

    kind: Kind
    name: str
    feeder: str = ""


_RAILS: Final = {
    "VDD_GPU_SOC": _Rail(Kind.GPU, "GPU and SoC"),
    "VDD_CPU_GPU_CV": _Rail(Kind.GPU, "CPU, GPU and CV"),
    "POM_5V_GPU": _Rail(Kind.GPU, "GPU"),
    "VDD_GPU": _Rail(Kind.GPU, "GPU"),
    "GPU": _Rail(Kind.GPU, "GPU"),
    "VDD_CPU_CV": _Rail(Kind.PACKAGE, "CPU and CV"),
    "POM_5V_CPU": _Rail(Kind.PACKAGE, "CPU"),
    "VDD_CPU": _Rail(Kind.PACKAGE, "CPU"),
    "CPU": _Rail(Kind.PACKAGE, "CPU"),
    "VDD_SOC": _Rail(Kind.HOST, "SoC"),
    "SOC": _Rail(Kind.HOST, "SoC"),
    "CV": _Rail(Kind.HOST, "CV"),
    "VDDRQ": _Rail(Kind.DRAM, "memory"),
    "VDDQ_VDD2_1V8AO": _Rail(Kind.DRAM, "memory", _SYSTEM),
    _SYSTEM: _Rail(Kind.HOST, "5 V of the system, memory included"),
    "SYS5V": _Rail(Kind.HOST, "5 V of the system"),
}


def discover(chips: Chips, patience: Patience) -> list[Finding]:
    """Find the rails of a Jetson; none where no monitor watches the rail of a GPU or the input of a module.

    Args:
        chips: What was found.
        patience: How long a monitor may take to answer.
    """
    rails = {label: place for chip in chips.named(MONITOR) for label, place in _labels(chip).items()}
    if not any(label in INPUTS or (label in _RAILS and _RAILS[label].kind is Kind.GPU) for label in rails):
        return []
    whole = next((label for label in sorted(rails) if label in INPUTS), None)
    findings = []
    for label, (chip, channel) in sorted(rails.items(), key=lambda pair: pair[0] != whole):
        if label != whole and label not in _RAILS:
            findings.append(Finding(SOURCE, f"rail {label}", reason="what it feeds is not known here"))
            continue
        findings.append(_metered(label, chip, channel, whole=whole, known=rails.keys(), patience=patience))
    return findings


def _labels(chip: Chip) -> dict[str, tuple[Chip, int]]:
    """The rails of monitors, by their labels; unconnected rails are labelled ``NC``."""
    labels = {channel: chip.text(f"in{channel}_label") for channel in range(1, _CHANNELS + 1)}
    return {label: (chip, channel) for channel, label in labels.items() if label not in {"", "NC"}}


def _metered(label: str, chip: Chip, channel: int, *, whole: str | None, known: object, patience: Patience) -> Finding:
    if label == whole:
        domain = Domain(Kind.MODULE, "module:jetson", "Jetson module")
    else:
        rail = _RAILS[label]
        feeder = rail.feeder if rail.feeder in known else ""  # type: ignore[operator]
        parent = _id(_RAILS[feeder].kind, feeder) if feeder else None if whole is None else "module:jetson"
        domain = Domain(rail.kind, _id(rail.kind, label), f"Jetson {rail.name} ({label})", parent)
    sensor = Sensor(domain, Provenance.INTEGRATED, UNCERTAINTY_RATIO, f"INA3221 {label}, integrated")
    volts, amperes = chip.file(f"in{channel}_input"), chip.file(f"curr{channel}_input")
    if volts is None or amperes is None:
        return Finding(SOURCE, f"rail {label}", reason="its monitor shows no voltage or current")
    try:
        gauge = patience.ask(lambda: _opened(sensor, volts, amperes, chip=chip, covers=label))
    except (OSError, SourceError) as error:
        return Finding(SOURCE, f"rail {label}", reason=why_not(error))
    return Finding(SOURCE, f"rail {label}", gauge, "the other rails are inside" if label == whole else "")


def _opened(sensor: Sensor, volts: Path, amperes: Path, *, chip: Chip, covers: str) -> FileGauge:
    powers = [millivolts_times_milliamperes(volts, amperes, chip.opener)]
    is_whole = covers in INPUTS
    gauge = FileGauge(sensor, powers, covers_host=is_whole, covers_memory=covers == _SYSTEM)
    gauge.read_power()
    return gauge


def _id(kind: Kind, label: str) -> str:
    return f"{kind.value}:jetson-{label}"
