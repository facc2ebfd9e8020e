"""What a user may set, checked at once: nothing of it waits for the training to fail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from lightning_carbon.errors import ConfigError
from lightning_carbon.ports import EnergyCounter, PowerGauge, Source

if TYPE_CHECKING:
    from lightning_carbon.carbon.intensity import Intensity, PowerUsage

Choice = TypeVar("Choice", bound=str)

MIN_INTERVAL_SECONDS = 0.01
MAX_INTERVAL_SECONDS = 60.0

CpuScope = Literal["auto", "process", "machine"]
"""Whose processor time and memory are charged; ``"auto"``: this job's, where it has only a part of the machine."""

GpuScope = Literal["device", "process"]
"""Whether a GPU that other processes use, too, is charged whole."""

Devices = str | Sequence[int | str]
"""``"auto"``, ``"all"``, or indices and UUIDs."""


Detail = Literal["phase", "step"]
"""How finely a run is told apart: into phases, or also into the parts of its steps."""


@dataclass(frozen=True, slots=True)
class MeterConfig:
    """The settings of one meter.

    Args:
        project: What the run belongs to.
        run_name: What the user calls the run, or ``None``.
        ledger: The folder of all runs.
        interval_seconds: How often sensors are read.
        devices: Which accelerators are metered.
        sources: What is metered instead of what discovery finds, or ``None``.
        per_step: Whether ``steps.csv`` is written.
        strict: Whether trouble in mid-run becomes an exception at the next call.
        intensity: What a kWh stands for.
        pue: What the site uses for each unit of IT energy.
        cpu_scope: Whose processor time is charged: ``"auto"``, ``"process"`` or ``"machine"``.
        gpu_scope: Whether a GPU that others use, too, is charged whole: ``"device"`` or ``"process"``.
        detail: How finely the run is told apart.
    """

    intensity: Intensity
    pue: PowerUsage
    project: str
    run_name: str | None
    ledger: Path
    interval_seconds: float
    devices: Devices
    sources: tuple[Source, ...] | None
    per_step: bool
    strict: bool
    cpu_scope: CpuScope = "auto"
    gpu_scope: GpuScope = "device"
    detail: Detail = "phase"


def check_interval(seconds: object) -> float:
    """Check ``interval_seconds``.

    Raises:
        ConfigError: It is no number or out of range.
    """
    fix = f"give seconds from {MIN_INTERVAL_SECONDS} (10 ms) to {MAX_INTERVAL_SECONDS:.0f}; 0.1 is the default."
    value = _number("interval_seconds", seconds, fix)
    if not MIN_INTERVAL_SECONDS <= value <= MAX_INTERVAL_SECONDS:
        raise ConfigError("interval_seconds", seconds, fix)
    return value


def check_intensity(grams_per_kilowatt_hour: object) -> float:
    """Check ``intensity``.

    Raises:
        ConfigError: It is no number, negative, or not finite.
    """
    fix = "give gCO2e/kWh as a number, zero or more, such as 41.4."
    value = _number("intensity", grams_per_kilowatt_hour, fix)
    if value < 0:
        raise ConfigError("intensity", grams_per_kilowatt_hour, fix)
    return value


def check_pue(ratio: object) -> float:
    """Check ``pue``.

    Raises:
        ConfigError: It is no number, below 1, or not finite.
    """
    fix = "give site energy over IT energy, 1.0 or more, such as 1.2."
    value = _number("pue", ratio, fix)
    if value < 1:
        raise ConfigError("pue", ratio, fix)
    return value


def check_devices(devices: object) -> Devices:
    """Check ``devices``; whether they exist shows at the start.

    Raises:
        ConfigError: It is none of the forms.
    """
    fix = 'give "auto", "all", or a list of indices and UUIDs, such as [0, 1] or ["GPU-5a0b..."].'
    if isinstance(devices, str):
        if devices in {"auto", "all"}:
            return devices
        parts = [part.strip() for part in devices.split(",")]
        if not all(parts):
            raise ConfigError("devices", devices, fix)
        return tuple(int(part) if part.isdecimal() else part for part in parts)
    if not isinstance(devices, Sequence) or isinstance(devices, bytes):
        raise ConfigError("devices", devices, fix)
    for device in devices:
        if isinstance(device, bool) or not isinstance(device, int | str) or (isinstance(device, int) and device < 0):
            raise ConfigError("devices", devices, fix)
    return tuple(devices)


def check_sources(sources: object) -> tuple[Source, ...] | None:
    """Check ``sources``.

    Raises:
        ConfigError: One of them is no source, or two have the same domain.
    """
    if sources is None:
        return None
    fix = "give a list of sources, each with a `sensor` and a `read_energy()` or `read_power()` method."
    if isinstance(sources, str | bytes) or not isinstance(sources, Sequence):
        raise ConfigError("sources", sources, fix)
    seen: set[str] = set()
    for index, source in enumerate(sources):
        if isinstance(source, type) or not isinstance(source, EnergyCounter | PowerGauge):
            raise ConfigError(f"sources[{index}]", source, fix)
        domain = source.sensor.domain.id
        if domain in seen:
            raise ConfigError(f"sources[{index}]", source, f"the domain {domain!r} is there already; give each once.")
        seen.add(domain)
    return tuple(sources)


def check_choice(argument: str, value: object, choices: Sequence[Choice]) -> Choice:
    """Check that a value is one of a few.

    Raises:
        ConfigError: It is none of them.
    """
    for choice in choices:
        if value == choice:
            return choice
    raise ConfigError(argument, value, f"give one of {', '.join(map(repr, choices))}.")


def check_cpu_scope(scope: object) -> CpuScope:
    """Check ``cpu_scope``.

    Raises:
        ConfigError: There is no such scope.
    """
    return check_choice("cpu_scope", scope, get_args(CpuScope))


def check_gpu_scope(scope: object) -> GpuScope:
    """Check ``gpu_scope``.

    Raises:
        ConfigError: There is no such scope.
    """
    return check_choice("gpu_scope", scope, get_args(GpuScope))


def check_detail(detail: object) -> Detail:
    """Check ``detail``.

    Raises:
        ConfigError: It is none of the two.
    """
    return check_choice("detail", detail, get_args(Detail))


def check_name(argument: str, value: object) -> str:
    """Check a name that becomes part of a path.

    Raises:
        ConfigError: It is empty, no text, or cannot name a folder.
    """
    fix = "give a short text without slashes, such as 'lisa'."
    if not isinstance(value, str) or not value.strip() or value in {".", ".."} or any(c in value for c in "/\\\0\n"):
        raise ConfigError(argument, value, fix)
    return value.strip()


def _number(argument: str, value: object, fix: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(argument, value, fix)
    return float(value)
