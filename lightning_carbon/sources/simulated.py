"""Sources without hardware, whose power is a closed form of time and whose true energy is therefore known.

For demonstrations and tests; their numbers say that they are simulated.

Example:
    >>> from lightning_carbon.sources.simulated import SimulatedGPU, Square
    >>> from lightning_carbon.testing import ManualClock
    >>> clock = ManualClock()
    >>> gpu = SimulatedGPU(clock, watts=Square(100, 300, period_seconds=2), tick_seconds=0.1)
    >>> clock.advance(seconds=2)
    >>> gpu.read_energy().joules
    400.0
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ConfigError
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy, Power
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.energy.condition import Condition
    from lightning_carbon.ports import Clock


class Waveform(Protocol):
    """Power over time, and its exact integral."""

    def watts(self, seconds: float) -> float:
        """Power at that time, in watts; never negative."""
        ...

    def joules(self, seconds: float) -> float:
        """Energy from zero to that time, in joules."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """The same power all the time.

    Args:
        level_watts: That power.
    """

    level_watts: float

    def __post_init__(self) -> None:
        _check("level_watts", self.level_watts, at_least=0.0)

    def watts(self, seconds: float) -> float:  # noqa: ARG002  (a waveform's signature)
        """The power at that time."""
        return self.level_watts

    def joules(self, seconds: float) -> float:
        """The energy up to that time."""
        return self.level_watts * seconds


@dataclass(frozen=True, slots=True)
class Sine:
    """A sine around a mean.

    Args:
        mean_watts: The mean.
        amplitude_watts: The amplitude; at most the mean.
        period_seconds: The time of a swing.
    """

    mean_watts: float
    amplitude_watts: float
    period_seconds: float

    def __post_init__(self) -> None:
        _check("amplitude_watts", self.amplitude_watts, at_least=0.0)
        _check("mean_watts", self.mean_watts, at_least=self.amplitude_watts)
        _check_period(self.period_seconds)

    def watts(self, seconds: float) -> float:
        """The power at that time."""
        return self.mean_watts + self.amplitude_watts * math.sin(math.tau * seconds / self.period_seconds)

    def joules(self, seconds: float) -> float:
        """The energy up to that time."""
        swing = 1.0 - math.cos(math.tau * seconds / self.period_seconds)
        return self.mean_watts * seconds + self.amplitude_watts * self.period_seconds / math.tau * swing


@dataclass(frozen=True, slots=True)
class Square:
    """Low and high power in turn, low first.

    Args:
        low_watts: Power in the first part of a period.
        high_watts: Power in the rest.
        period_seconds: The time of both.
        high_ratio: The share of the period that is high, 0 to 1.
    """

    low_watts: float
    high_watts: float
    period_seconds: float
    high_ratio: float = 0.5

    def __post_init__(self) -> None:
        _check("low_watts", self.low_watts, at_least=0.0)
        _check("high_watts", self.high_watts, at_least=0.0)
        _check("high_ratio", self.high_ratio, at_least=0.0)
        _check("1 - high_ratio", 1.0 - self.high_ratio, at_least=0.0)
        _check_period(self.period_seconds)

    def watts(self, seconds: float) -> float:
        """The power at that time."""
        within = seconds % self.period_seconds
        return self.low_watts if within < self.period_seconds * (1.0 - self.high_ratio) else self.high_watts

    def joules(self, seconds: float) -> float:
        """The energy up to that time."""
        periods, within = divmod(seconds, self.period_seconds)
        low_seconds = self.period_seconds * (1.0 - self.high_ratio)
        period_joules = self.low_watts * low_seconds + self.high_watts * (self.period_seconds - low_seconds)
        part = self.low_watts * min(within, low_seconds) + self.high_watts * max(0.0, within - low_seconds)
        return periods * period_joules + part


@dataclass(frozen=True, slots=True)
class Saw:
    """A linear rise from low to high, then a sudden fall.

    Args:
        low_watts: Power at the start of a period.
        high_watts: Power at its end.
        period_seconds: The time of a rise.
    """

    low_watts: float
    high_watts: float
    period_seconds: float

    def __post_init__(self) -> None:
        _check("low_watts", self.low_watts, at_least=0.0)
        _check("high_watts", self.high_watts, at_least=0.0)
        _check_period(self.period_seconds)

    def watts(self, seconds: float) -> float:
        """The power at that time."""
        return (
            self.low_watts + (self.high_watts - self.low_watts) * (seconds % self.period_seconds) / self.period_seconds
        )

    def joules(self, seconds: float) -> float:
        """The energy up to that time."""
        periods, within = divmod(seconds, self.period_seconds)
        rise = (self.high_watts - self.low_watts) / self.period_seconds
        period_joules = (self.low_watts + self.high_watts) / 2 * self.period_seconds
        return periods * period_joules + self.low_watts * within + rise * within**2 / 2


class _Simulated:
    """The clock and the waveform of a simulated source, counter or gauge."""

    def __init__(self, clock: Clock | None, watts: float | Waveform, sensor: Sensor) -> None:
        self._now_ns = time.monotonic_ns if clock is None else clock.now_ns
        self._wave: Waveform = Constant(float(watts)) if isinstance(watts, int | float) else watts
        self._sensor = sensor
        self._start_ns = self._now_ns()

    @property
    def sensor(self) -> Sensor:
        """What it stands for."""
        return self._sensor

    def truth(self, start_ns: int, end_ns: int) -> Energy:
        """The exact energy between two stamps of its clock."""
        joules = [self._wave.joules((stamp - self._start_ns) / NANOSECONDS_PER_SECOND) for stamp in (start_ns, end_ns)]
        return Energy.from_joules(joules[1] - joules[0])


class SimulatedCounter(_Simulated):
    """An energy counter; an :class:`~lightning_carbon.ports.EnergyCounter`.

    Args:
        clock: Whose time it lives in; default the machine's monotonic clock, as the meter's.
        watts: A power in watts, or a shape such as :class:`Sine`.
        tick_seconds: How often the count moves, as GPUs' do every 0.02 to 0.1 s; 0 for always.
        domain: What it stands for.
        wraps_at: The count at which it starts again from zero, if it does.
        uncertainty_ratio: What it says of its accuracy.

    Raises:
        ConfigError: ``watts`` or ``tick_seconds`` is negative or not finite.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        watts: float | Waveform = 100.0,
        tick_seconds: float = 0.0,
        *,
        domain: Domain | None = None,
        wraps_at: Energy | None = None,
        uncertainty_ratio: float = 0.0,
    ) -> None:
        _check("tick_seconds", tick_seconds, at_least=0.0)
        sensor = Sensor(
            domain or Domain(Kind.GPU, "gpu:simulated-0", "Simulated GPU 0"),
            Provenance.COUNTER,
            uncertainty_ratio,
            "simulated energy counter",
            wraps_at,
        )
        super().__init__(clock, watts, sensor)
        self._tick_ns = round(tick_seconds * NANOSECONDS_PER_SECOND)

    def read_energy(self) -> Energy:
        """The count at the last tick."""
        elapsed_ns = self._now_ns() - self._start_ns
        if self._tick_ns:
            elapsed_ns -= elapsed_ns % self._tick_ns
        count = Energy.from_joules(self._wave.joules(elapsed_ns / NANOSECONDS_PER_SECOND))
        limit = self._sensor.wraps_at
        return count if limit is None else Energy(count.microjoules % limit.microjoules)


class SimulatedGauge(_Simulated):
    """A power gauge; a :class:`~lightning_carbon.ports.PowerGauge`.

    Args:
        clock: Whose time it lives in; default the machine's monotonic clock, as the meter's.
        watts: A power in watts, or a shape such as :class:`Sine`.
        domain: What it stands for.
        uncertainty_ratio: What it says of its accuracy.

    Raises:
        ConfigError: ``watts`` is negative or not finite.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        watts: float | Waveform = 100.0,
        *,
        domain: Domain | None = None,
        uncertainty_ratio: float = 0.0,
    ) -> None:
        sensor = Sensor(
            domain or Domain(Kind.GPU, "gpu:simulated-0", "Simulated GPU 0"),
            Provenance.INTEGRATED,
            uncertainty_ratio,
            "simulated power gauge",
        )
        super().__init__(clock, watts, sensor)

    def read_power(self) -> Power:
        """The power now."""
        return Power(self._wave.watts((self._now_ns() - self._start_ns) / NANOSECONDS_PER_SECOND))


class SimulatedGPU(SimulatedCounter):
    """A GPU with an energy counter that ticks every 0.1 s, as many real counters do.

    Args:
        clock: Whose time it lives in; default the machine's monotonic clock, as the meter's.
        watts: A power in watts, or a shape such as :class:`Sine`.
        tick_seconds: How often the count moves; 0 for always.
        index: Its number, where there are several.

    Raises:
        ConfigError: ``watts`` or ``tick_seconds`` is negative or not finite.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        watts: float | Waveform = 300.0,
        tick_seconds: float = 0.1,
        *,
        index: int = 0,
    ) -> None:
        domain = Domain(Kind.GPU, f"gpu:simulated-{index}", f"Simulated GPU {index}")
        super().__init__(clock, watts, tick_seconds, domain=domain)


class GaugedGPU(SimulatedGPU):
    """A GPU that also shows its condition; a :class:`~lightning_carbon.ports.DeviceGauges`.

    Args:
        clock: Whose time it lives in; default the machine's monotonic clock, as the meter's.
        watts: A power in watts, or a shape such as :class:`Sine`.
        condition: Gives its condition at a time in seconds since it was made; an exception of it is that of a reading.
        index: Its number, where there are several.

    Raises:
        ConfigError: ``watts`` is negative or not finite.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        watts: float | Waveform = 300.0,
        *,
        condition: Callable[[float], Condition],
        index: int = 0,
    ) -> None:
        super().__init__(clock, watts, index=index)
        self._condition = condition

    def read_condition(self) -> Condition:
        """The condition now."""
        return self._condition((self._now_ns() - self._start_ns) / NANOSECONDS_PER_SECOND)


def _check(argument: str, value: float, *, at_least: float) -> None:
    if not (math.isfinite(value) and value >= at_least):
        raise ConfigError(argument, value, f"give a finite number of at least {at_least:g}")


def _check_period(period_seconds: float) -> None:
    if not (math.isfinite(period_seconds) and period_seconds > 0):
        raise ConfigError("period_seconds", period_seconds, "give a finite number above 0")
