"""Shares of a counter or a gauge, for devices that several jobs use: split interval by interval.

A split is itself a pair of counts that only rise: the work of this job, and the work of all jobs. The energy of the
device between two moments at which the second count moved is charged by the ratio of the two rises. So the shares of
all jobs never add up to more than the device used, and late readings lose nothing, as both counts went on. Energy that
has not been split yet is charged later, or never, where a run ends first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lightning_carbon.energy.plausibility import RESTARTED, CountCheck, ceiling_of
from lightning_carbon.errors import SourceLost
from lightning_carbon.units import Energy, Power

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.ports import EnergyCounter, PowerGauge

# Charged energy is kept finer than it is shown, so the rounding of all intervals never adds up to a microjoule.
_PARTS_PER_MICROJOULE = 1_000_000_000


class Split(NamedTuple):
    """The split of a device's work up to now.

    Args:
        part: The work of this job; never falls, and never rises by more than ``whole``.
        whole: The work of all jobs. It also rises in an interval that is charged to nobody.
    """

    part: int
    whole: int


class Splitting(Protocol):
    """The source of a device's split."""

    def read(self) -> Split:
        """The split up to now.

        Raises:
            ReadFailed: This time only.
            SourceLost: The split will never be known again.
        """
        ...


class SharedCounter:
    """The job's share of an energy counter; an :class:`~lightning_carbon.ports.EnergyCounter` that starts at zero.

    Args:
        counter: The counter of the whole.
        splitting: Who did how much.
        sensor: Its description, without a wrap.
        now_ns: A monotonic clock, as the time limits what the counter can have counted.
    """

    def __init__(
        self,
        counter: EnergyCounter,
        splitting: Splitting,
        sensor: Sensor,
        *,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.covers_host = bool(getattr(counter, "covers_host", False))
        self._counter = counter
        self._splitting = splitting
        self._sensor = sensor
        self._now_ns = now_ns
        self._check = CountCheck(ceiling_of(counter.sensor), counter.sensor.wraps_at)
        self._split: Split | None = None
        self._unsplit = 0
        self._charged = 0
        #: What the counter stood at when the share was last read.
        self.seen: Energy | None = None

    @property
    def whole(self) -> EnergyCounter:
        """The counter that this is a share of."""
        return self._counter

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_energy(self) -> Energy:
        """The energy charged since the first reading.

        Raises:
            ReadFailed: This time only.
            SourceLost: The counter is gone or broken, or the processes of this share are gone.
        """
        energy = self.seen = self._counter.read_energy()
        split = self._splitting.read()
        self._unsplit += self._rise(energy)
        if self._split is None:
            self._split = split
            return Energy.ZERO
        whole = split.whole - self._split.whole
        if whole > 0:
            part = min(max(split.part - self._split.part, 0), whole)
            self._charged += self._unsplit * _PARTS_PER_MICROJOULE * part // whole
            self._unsplit, self._split = 0, split
        return Energy(self._charged // _PARTS_PER_MICROJOULE)

    def _rise(self, energy: Energy) -> int:
        """The rise of the counter since the last believable reading, in microjoules."""
        risen = self._check.rise(self._now_ns(), energy.microjoules)
        if risen == RESTARTED:
            return sum(rise for _, rise in self._check.replayed)
        if self._check.fault is not None:
            raise SourceLost(self._check.fault)
        return max(risen, 0)


class SharedGauge:
    """The job's share of a power gauge, by the interval before; a :class:`~lightning_carbon.ports.PowerGauge`.

    Args:
        gauge: The gauge of the whole.
        splitting: Who did how much.
        sensor: What it says of itself.
        first: The split until an interval is known.

    Raises:
        ReadFailed: The splitting cannot be read.
        SourceLost: The splitting cannot be read any more.
    """

    def __init__(self, gauge: PowerGauge, splitting: Splitting, sensor: Sensor, *, first: Split) -> None:
        self.covers_host = bool(getattr(gauge, "covers_host", False))
        self._gauge = gauge
        self._splitting = splitting
        self._sensor = sensor
        self._split = splitting.read()
        self._ratio = _ratio(first)
        #: What the gauge showed when the share was last read.
        self.seen: Power | None = None

    @property
    def whole(self) -> PowerGauge:
        """The gauge that this is a share of."""
        return self._gauge

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_power(self) -> Power:
        """The present power times the last known share.

        Raises:
            ReadFailed: This time only.
            SourceLost: The gauge is gone, or the processes of this share are gone.
        """
        power = self.seen = self._gauge.read_power()
        split = self._splitting.read()
        if split.whole > self._split.whole:
            self._ratio = _ratio(Split(split.part - self._split.part, split.whole - self._split.whole))
            self._split = split
        return Power(power.watts * self._ratio)


def _ratio(split: Split) -> float:
    return min(max(split.part, 0), split.whole) / split.whole if split.whole > 0 else 0.0
