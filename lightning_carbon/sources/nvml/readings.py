"""NVML's sources: a counter, gauges of power, and a slice's share of either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lightning_carbon.energy.readings import Provenance
from lightning_carbon.errors import ReadFailed
from lightning_carbon.ports import EnergyCounter
from lightning_carbon.units import MILLIWATTS_PER_WATT, Energy, Power
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.energy.readings import Domain, Sensor
    from lightning_carbon.ports import PowerGauge, Source
    from lightning_carbon.sources.nvml.library import Handle
    from lightning_carbon.sources.nvml.processes import Watch


class NvmlCounter:
    """The energy counter of a GPU, in millijoules since the driver was loaded.

    Args:
        sensor: What it says of itself.
        handle: The GPU.
        question: ``nvmlDeviceGetTotalEnergyConsumption``.
    """

    covers_host = False

    def __init__(self, sensor: Sensor, handle: Handle, question: Callable[[Any], int]) -> None:
        self._sensor = sensor
        self._handle = handle
        self._question = question
        self.watch: Watch | None = None

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_energy(self) -> Energy:
        """Take one reading; one call of NVML, about 2 µs in Python beside the driver's own time.

        Raises:
            ReadFailed: This time only.
            SourceLost: The GPU or the driver is gone.
        """
        return Energy.from_millijoules(self._handle.ask(self._question))


class NvmlGauge:
    """The power of a GPU, or of the module that it is on.

    Args:
        sensor: What it says of itself.
        handle: The GPU.
        milliwatts: Asks NVML for the power.
        covers_host: Whether it is the power of a module, which includes the host's CPU and its memory.
    """

    def __init__(
        self, sensor: Sensor, handle: Handle, milliwatts: Callable[[Any], float], *, covers_host: bool = False
    ) -> None:
        self._sensor = sensor
        self._handle = handle
        self._milliwatts = milliwatts
        self.covers_host = covers_host
        self.watch: Watch | None = None

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_power(self) -> Power:
        """Take one reading; one call of NVML.

        Raises:
            ReadFailed: This time only. So does a reading of 0 W, which no powered GPU draws and NVML shows in passing
                when it is asked often (seen by the authors of Zeus below 50 ms).
            SourceLost: The GPU or the driver is gone.
        """
        milliwatts = self._handle.ask(self._milliwatts)
        if not milliwatts > 0:
            raise ReadFailed(f"NVML: a power of {milliwatts} mW")
        return Power(milliwatts / MILLIWATTS_PER_WATT)


class SliceCounter:
    """A MIG slice's share of its GPU's counter.

    Args:
        whole: The counter of the GPU.
        domain: The slice.
        share: Its compute slices, and those of the GPU.
        uncertainty_ratio: What it says of its accuracy.
        method: What it says of its method.
    """

    covers_host = False

    def __init__(
        self, whole: EnergyCounter, domain: Domain, share: tuple[int, int], *, uncertainty_ratio: float, method: str
    ) -> None:
        self._whole = whole
        self._share = share
        self._sensor = _as_share(whole, domain, uncertainty_ratio, method=method)
        #: What the GPU showed when the share was last read.
        self.seen: Energy | None = None

    @property
    def whole(self) -> EnergyCounter:
        """The sensor of the GPU."""
        return self._whole

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_energy(self) -> Energy:
        """Take the share of one reading of the GPU.

        Raises:
            ReadFailed: This time only.
            SourceLost: The GPU or the driver is gone.
        """
        own, total = self._share
        self.seen = self._whole.read_energy()
        return Energy(self.seen.microjoules * own // total)


class SliceGauge:
    """A MIG slice's share of its GPU's power; arguments as of :class:`SliceCounter`."""

    covers_host = False

    def __init__(
        self, whole: PowerGauge, domain: Domain, share: tuple[int, int], *, uncertainty_ratio: float, method: str
    ) -> None:
        self._whole = whole
        self._share = share
        self._sensor = _as_share(whole, domain, uncertainty_ratio, method=method)
        #: What the GPU showed when the share was last read.
        self.seen: Power | None = None

    @property
    def whole(self) -> PowerGauge:
        """The sensor of the GPU."""
        return self._whole

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_power(self) -> Power:
        """Take the share of one reading of the GPU.

        Raises:
            ReadFailed: This time only.
            SourceLost: The GPU or the driver is gone.
        """
        own, total = self._share
        self.seen = self._whole.read_power()
        return Power(self.seen.watts * own / total)


def share_of(whole: Source, domain: Domain, share: tuple[int, int], *, uncertainty_ratio: float, method: str) -> Source:
    """A slice's share of its GPU's source, counter or gauge."""
    if isinstance(whole, EnergyCounter):
        return SliceCounter(whole, domain, share, uncertainty_ratio=uncertainty_ratio, method=method)
    return SliceGauge(whole, domain, share, uncertainty_ratio=uncertainty_ratio, method=method)


def _as_share(whole: Source, domain: Domain, uncertainty_ratio: float, *, method: str) -> Sensor:
    return replace(
        whole.sensor,
        domain=domain,
        provenance=Provenance.MODELLED,
        uncertainty_ratio=uncertainty_ratio,
        accuracy=None,
        method=f"{method} {whole.sensor.method}",
    )
