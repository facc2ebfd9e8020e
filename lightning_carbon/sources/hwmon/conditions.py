"""The condition of a GPU as the kernel shows it in files beside its power.

``amdgpu`` has all of these but the reasons of throttling, which its files do not tell; ``i915`` and ``xe`` have the
temperature and the power limit.

References: https://docs.kernel.org/gpu/amdgpu/thermal.html and https://docs.kernel.org/hwmon/sysfs-interface.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.condition import Condition
from lightning_carbon.errors import SourceError
from lightning_carbon.sources.kernel_files import NumberFile
from lightning_carbon.units import HERTZ_PER_MEGAHERTZ, MICROWATTS_PER_WATT, MILLIDEGREES_PER_DEGREE, PERCENT

if TYPE_CHECKING:
    from lightning_carbon.sources.hwmon.chips import Chip

_FILES: Final = {
    "utilization_ratio": ("gpu_busy_percent", PERCENT),
    "sm_clock_megahertz": ("freq1_input", HERTZ_PER_MEGAHERTZ),
    "memory_clock_megahertz": ("freq2_input", HERTZ_PER_MEGAHERTZ),
    "memory_used_bytes": ("mem_info_vram_used", 1),
    "power_limit_watts": ("power1_cap", MICROWATTS_PER_WATT),
}
"""The file of each figure, and its steps in a unit. Where several files show a temperature, :func:`_hottest` picks."""
_HOTTEST: Final = ("junction", "edge", "pkg")
"""The labels of temperatures, the hottest spot of the die first; that of the memory comes last."""
_COLDEST_MILLIDEGREES: Final = -100_000


class FileGauges:
    """The gauges of a chip, in files; a :class:`~lightning_carbon.ports.DeviceGauges`.

    Args:
        files: A file for each figure of a :class:`~lightning_carbon.energy.condition.Condition`, by its name, and the
            steps of the file in a unit.
    """

    def __init__(self, files: dict[str, tuple[NumberFile, int]]) -> None:
        self._files = files

    def read_condition(self) -> Condition:
        """Read the files, a system call or two each; what a file does not tell this time is absent."""
        found: dict[str, Any] = {}
        for name, (file, steps) in self._files.items():
            try:
                found[name] = file.read() / steps
            except SourceError:
                continue
        return Condition(**found)


def gauges_of(chip: Chip) -> FileGauges | None:
    """The gauges of a chip; ``None`` where it has none."""
    names = {**_FILES, "temperature_celsius": (_hottest(chip), MILLIDEGREES_PER_DEGREE)}
    files = {}
    for figure, (name, steps) in names.items():
        path = chip.file(name)
        if path is None:
            continue
        least = _COLDEST_MILLIDEGREES if name.startswith("temp") else 0
        try:
            files[figure] = NumberFile(path, chip.opener, what=figure, least=least), steps
        except OSError:
            continue
    return FileGauges(files) if files else None


def _hottest(chip: Chip) -> str:
    """The file of the temperature of the die, at its hottest spot where it shows that."""
    channels = chip.channels("temp", "_input")
    labels = {chip.text(f"temp{channel}_label"): channel for channel in reversed(channels)}
    channel = next((labels[label] for label in _HOTTEST if label in labels), channels[0] if channels else 1)
    return f"temp{channel}_input"
