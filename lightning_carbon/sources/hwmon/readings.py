"""Readings of a chip: a count of microjoules, microwatts, or millivolts times milliamperes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import ReadFailed, SourceError
from lightning_carbon.sources.kernel_files import NumberFile, reason_of
from lightning_carbon.units import MICROWATTS_PER_WATT, MILLIWATTS_PER_WATT, Power

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.sources.kernel_files import Opener

_UNKNOWN_MILLIWATTS: Final = 0xFFFF_FFFF
"""The milliwatts that ACPI's power meter shows where it does not know its power: 4.29 MW
(https://github.com/lm-sensors/lm-sensors/issues/460, 2023)."""
_UNKNOWN_MICROWATTS: Final = _UNKNOWN_MILLIWATTS * MICROWATTS_PER_WATT // MILLIWATTS_PER_WATT


class FileGauge:
    """Power that the kernel shows in files, added up; a :class:`~lightning_carbon.ports.PowerGauge`.

    Args:
        sensor: What it covers.
        powers: Each gives microwatts, or raises a :class:`~lightning_carbon.errors.SourceError`.
        covers_host: Whether the processors and their memory are inside.
        covers_memory: Whether the memory is inside.
    """

    watch: object = None
    """What looks for other programs on the same hardware, where something does."""

    def __init__(
        self,
        sensor: Sensor,
        powers: Sequence[Callable[[], int]],
        *,
        covers_host: bool = False,
        covers_memory: bool = False,
    ) -> None:
        self.covers_host = covers_host
        self.covers_memory = covers_memory or covers_host
        self._sensor = sensor
        self._powers = tuple(powers)

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_power(self) -> Power:
        """Read the files.

        Raises:
            ReadFailed: A text is no number, or the kernel failed this time.
            SourceLost: A file is gone.
        """
        return Power(sum(power() for power in self._powers) / MICROWATTS_PER_WATT)


def microwatts(path: Path, opener: Opener = os.open) -> Callable[[], int]:
    """A function that reads the power in a file, in microwatts.

    Raises:
        OSError: The file cannot be opened.
    """
    file = NumberFile(path, opener, what="power in microwatts")

    def read() -> int:
        power = file.read()
        if power == _UNKNOWN_MICROWATTS:
            raise ReadFailed(f"{path}: the meter does not know its power")
        return power

    return read


def millivolts_times_milliamperes(volts: Path, amperes: Path, opener: Opener = os.open) -> Callable[[], int]:
    """A function that reads a rail's power, in microwatts, by its voltage and current; reverse current counts as 0.

    Raises:
        OSError: A file cannot be opened.
    """
    voltage = NumberFile(volts, opener, what="voltage in millivolts")
    current = NumberFile(amperes, opener, what="current in milliamperes", least=-(1 << 31))
    return lambda: voltage.read() * max(0, current.read())


def why_not(error: Exception) -> str:
    """The reason why a file cannot be read, for people."""
    return str(error) if isinstance(error, SourceError) else f"it cannot be read: {reason_of(error)}"
