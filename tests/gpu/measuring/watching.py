"""Reads sensors at their own pace on a thread, while the program keeps the device busy."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COUNTER = "counter"
GAUGES = ("POWER_INSTANT", "POWER_AVERAGE", "nvmlDeviceGetPowerUsage")
"""What NVML offers: one count of energy, in joules, and power by several names, in watts."""

_FIELDS = {"POWER_AVERAGE": 185, "POWER_INSTANT": 186}
_MEMBERS = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}
_MILLI = 1e3


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading.

    Args:
        before_ns: When it was asked for, on the monotonic clock.
        after_ns: When it had come.
        value: Joules of a count, watts of a power.
    """

    before_ns: int
    after_ns: int
    value: float

    @property
    def at_ns(self) -> int:
        """The middle of the call."""
        return (self.before_ns + self.after_ns) // 2


def nvml_sensors(uuid: str) -> dict[str, Callable[[], float]]:
    """Every sensor of a GPU that answers, by name.

    Args:
        uuid: The GPU's, with ``GPU-`` in front.
    """
    import pynvml

    pynvml.nvmlInit()
    handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)

    def field(number: int) -> Callable[[], float]:
        def read() -> float:
            answer: Any = pynvml.nvmlDeviceGetFieldValues(handle, [number])[0]
            if answer.nvmlReturn:
                raise pynvml.NVMLError(answer.nvmlReturn)
            return float(getattr(answer.value, _MEMBERS[answer.valueType])) / _MILLI

        return read

    sensors: dict[str, Callable[[], float]] = {
        COUNTER: lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / _MILLI,
        **{name: field(number) for name, number in _FIELDS.items()},
        "nvmlDeviceGetPowerUsage": lambda: pynvml.nvmlDeviceGetPowerUsage(handle) / _MILLI,
    }
    return {name: read for name, read in sensors.items() if _answers(read)}


def _answers(read: Callable[[], float]) -> bool:
    try:
        return read() > 0
    except Exception:  # noqa: BLE001 -- whatever a driver does not offer, in whatever words
        return False


class Watcher:
    """Reads sensors in turn until it is stopped.

    Args:
        sensors: What to read, by name.
        every_seconds: The pause between two rounds.
    """

    def __init__(self, sensors: Mapping[str, Callable[[], float]], every_seconds: float = 0.001) -> None:
        self._sensors = dict(sensors)
        self._every_seconds = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self.readings: dict[str, list[Reading]] = {name: [] for name in sensors}
        self.failed = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; what was read is then in ``readings``."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for name, read in self._sensors.items():
                before_ns = time.monotonic_ns()
                try:
                    value = read()
                except Exception:  # noqa: BLE001 -- a reading that fails is counted, and the next one may work
                    self.failed += 1
                    continue
                self.readings[name].append(Reading(before_ns, time.monotonic_ns(), value))
            self._stopping.wait(self._every_seconds)
