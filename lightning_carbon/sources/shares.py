"""A part of what a counter counts: split between those who share the device, interval by interval.

A split is itself a pair of counts that only rise: how much of something was done by us, and how much by everybody. What
the device used between two moments at which the second count moved is charged by the ratio of the two rises. So the
shares of all who share a device never add up to more than it used, and late readings lose nothing: both counts went on
meanwhile. What has not been split yet is charged later, or never, where a run ends first.
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

# Charged energy is kept finer than it is shown, so that what is cut off at each interval never adds up to a microjoule.
_PARTS_PER_MICROJOULE = 1_000_000_000


class Split(NamedTuple):
    """How a device was shared up to now.

    Args:
        part: What was done by us; never falls, and never rises by more than ``whole``.
        whole: What was done by everybody. An interval that is to be charged to nobody makes it rise, too.
    """

    part: int
    whole: int


class Splitting(Protocol):
    """Tells how a device is shared."""

    def read(self) -> Split:
        """The counts up to now.

        Raises:
            ReadFailed: This time only.
            SourceLost: Nobody will ever know any more.
        """
        ...


class SharedCounter:
    """Our share of an energy counter; an :class:`~lightning_carbon.ports.EnergyCounter` that starts at zero.

    Args:
        counter: What counts the whole.
        splitting: Who did how much.
        sensor: What it says of itself; wraps nowhere.
        now_ns: A monotonic clock: what the counter can have counted depends on the time.
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

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_energy(self) -> Energy:
        """What has been charged since the first reading.

        Raises:
            ReadFailed: This time only.
            SourceLost: The counter is gone, or is none, or all of whose share this is.
        """
        energy = self._counter.read_energy()
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
        """What the counter has counted since the last reading that can be believed, in microjoules."""
        risen = self._check.rise(self._now_ns(), energy.microjoules)
        if risen == RESTARTED:
            return sum(rise for _, rise in self._check.replayed)
        if self._check.fault is not None:
            raise SourceLost(self._check.fault)
        return max(risen, 0)


class SharedGauge:
    """Our share of a power gauge: that of the interval before; a :class:`~lightning_carbon.ports.PowerGauge`.

    Args:
        gauge: What shows the whole.
        splitting: Who did how much.
        sensor: What it says of itself.
        first: How it is shared as long as no interval has told.

    Raises:
        ReadFailed: The splitting cannot be read.
        SourceLost: It cannot be read any more.
    """

    def __init__(self, gauge: PowerGauge, splitting: Splitting, sensor: Sensor, *, first: Split) -> None:
        self.covers_host = bool(getattr(gauge, "covers_host", False))
        self._gauge = gauge
        self._splitting = splitting
        self._sensor = sensor
        self._split = splitting.read()
        self._ratio = _ratio(first)

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_power(self) -> Power:
        """The power now, times the last share that is known.

        Raises:
            ReadFailed: This time only.
            SourceLost: The gauge is gone, or all of whose share this is.
        """
        power = self._gauge.read_power()
        split = self._splitting.read()
        if split.whole > self._split.whole:
            self._ratio = _ratio(Split(split.part - self._split.part, split.whole - self._split.whole))
            self._split = split
        return Power(power.watts * self._ratio)


def _ratio(split: Split) -> float:
    return min(max(split.part, 0), split.whole) / split.whole if split.whole > 0 else 0.0
