"""A part of what a counter counts: split between those who share the device, interval by interval.

A split is itself a pair of counts that only rise: how much of something was done by us, and how much by everybody. What
the device used between two moments at which the second count moved is charged by the ratio of the two rises. So the
shares of all who share a device never add up to more than it used, and late readings lose nothing: both counts went on
meanwhile. What has not been split yet is charged later, or never, where a run ends first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from lightning_carbon.units import Energy, Power

if TYPE_CHECKING:
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
    """

    def __init__(self, counter: EnergyCounter, splitting: Splitting, sensor: Sensor) -> None:
        self.covers_host = bool(getattr(counter, "covers_host", False))
        self._counter = counter
        self._splitting = splitting
        self._sensor = sensor
        self._energy: Energy | None = None
        self._split = Split(0, 0)
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
            SourceLost: The counter is gone, or all of whose share this is.
        """
        energy = self._counter.read_energy()
        split = self._splitting.read()
        if self._energy is None:
            self._energy, self._split = energy, split
            return Energy.ZERO
        self._unsplit += rise(self._energy, energy, self._counter.sensor.wraps_at)
        self._energy = energy
        whole = split.whole - self._split.whole
        if whole > 0:
            part = min(max(split.part - self._split.part, 0), whole)
            self._charged += self._unsplit * _PARTS_PER_MICROJOULE * part // whole
            self._unsplit, self._split = 0, split
        return Energy(self._charged // _PARTS_PER_MICROJOULE)


class SharedGauge:
    """Our share of a power gauge: that of the interval before; a :class:`~lightning_carbon.ports.PowerGauge`.

    Args:
        gauge: What shows the whole.
        splitting: Who did how much.
        sensor: What it says of itself.
        first: How it is shared as long as no interval has told.

    Raises:
        ReadFailed: The splitting cannot be read.
        SourceLost: Likewise.
    """

    def __init__(self, gauge: PowerGauge, splitting: Splitting, sensor: Sensor, first: Split) -> None:
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


def rise(before: Energy, after: Energy, wraps_at: Energy | None) -> int:
    """How much a counter counted between two readings, in microjoules; nothing where it was reset in between.

    A count that went back is a wrap when less than half of the range would have been counted since, as for the timeline
    of a counter that is not shared.
    """
    risen = after.microjoules - before.microjoules
    if risen < 0 and wraps_at is not None and (risen + wraps_at.microjoules) * 2 < wraps_at.microjoules:
        risen += wraps_at.microjoules
    return max(risen, 0)
