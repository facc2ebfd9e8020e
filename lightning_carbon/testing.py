"""Fakes for tests of anything that is metered, held to the same contract suites as the real adapters.

Example:
    >>> from lightning_carbon.testing import ManualClock, ScriptedCounter
    >>> clock = ManualClock()
    >>> gpu = ScriptedCounter(clock, watts=lambda seconds: 300.0)
    >>> clock.advance(seconds=2)
    >>> gpu.read_energy().joules
    600.0
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.metering.sampler import Sampler
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy, Power

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GPU = Domain(Kind.GPU, "gpu:fake-0", "Fake GPU")


class ManualClock:
    """A clock that moves only when told to.

    Args:
        start_ns: What the monotonic clock shows first.
        wall_start_seconds: What the wall clock shows first, in seconds since 1970.
    """

    def __init__(self, start_ns: int = 0, wall_start_seconds: float = 1_767_225_600.0) -> None:
        self._now_ns = start_ns
        self._wall_offset = wall_start_seconds - start_ns / NANOSECONDS_PER_SECOND

    def now_ns(self) -> int:
        """Nanoseconds on the monotonic clock."""
        return self._now_ns

    def wall_seconds(self) -> float:
        """Seconds since 1970, moving along with the monotonic clock."""
        return self._wall_offset + self._now_ns / NANOSECONDS_PER_SECOND

    def advance(self, *, seconds: float = 0.0, nanoseconds: int = 0) -> None:
        """Move both clocks forward."""
        self._now_ns += round(seconds * NANOSECONDS_PER_SECOND) + nanoseconds

    def set_back_wall(self, seconds: float) -> None:
        """Set the wall clock back; the monotonic one goes on."""
        self._wall_offset -= seconds


class ScriptedCounter:
    """An energy counter that follows a script.

    Args:
        clock: Whose time it lives in.
        watts: Power as a function of seconds since construction, held constant between calls of :meth:`read_energy`
            when ``joules`` is not given (the left value of each span counts).
        joules: Energy as a function of seconds since construction; takes precedence over ``watts``.
        domain: What it pretends to be.
        wraps_at: Where the count starts again from zero, if anywhere.
        provenance: What it says of its numbers.
        uncertainty_ratio: What it says of its accuracy.
    """

    def __init__(
        self,
        clock: ManualClock,
        watts: Callable[[float], float] | None = None,
        joules: Callable[[float], float] | None = None,
        *,
        domain: Domain = GPU,
        wraps_at: Energy | None = None,
        provenance: Provenance = Provenance.COUNTER,
        uncertainty_ratio: float = 0.0,
    ) -> None:
        self._clock = clock
        self._watts = watts or (lambda _seconds: 100.0)
        self._joules = joules
        self._sensor = Sensor(domain, provenance, uncertainty_ratio, "scripted counter", wraps_at)
        self._start_ns = self._last_ns = clock.now_ns()
        self._count = 0.0
        self.fails_with: Exception | None = None

    @property
    def sensor(self) -> Sensor:
        """What it pretends to be."""
        return self._sensor

    def read_energy(self) -> Energy:
        """The scripted count at the clock's time.

        Raises:
            Exception: Whatever ``fails_with`` was set to.
        """
        if self.fails_with is not None:
            raise self.fails_with
        now = self._clock.now_ns()
        if self._joules is not None:
            self._count = self._joules((now - self._start_ns) / NANOSECONDS_PER_SECOND)
        else:
            watts = self._watts((self._last_ns - self._start_ns) / NANOSECONDS_PER_SECOND)
            self._count += watts * (now - self._last_ns) / NANOSECONDS_PER_SECOND
        self._last_ns = now
        microjoules = Energy.from_joules(self._count).microjoules
        wraps_at = self._sensor.wraps_at
        return Energy(microjoules % wraps_at.microjoules if wraps_at is not None else microjoules)


class ScriptedGauge:
    """A power gauge that follows a script.

    Args:
        clock: Whose time it lives in.
        watts: Power as a function of seconds since construction.
        domain: What it pretends to be.
        provenance: What it says of its numbers.
        uncertainty_ratio: What it says of its accuracy.
    """

    def __init__(
        self,
        clock: ManualClock,
        watts: Callable[[float], float],
        *,
        domain: Domain = GPU,
        provenance: Provenance = Provenance.INTEGRATED,
        uncertainty_ratio: float = 0.0,
    ) -> None:
        self._clock = clock
        self._watts = watts
        self._sensor = Sensor(domain, provenance, uncertainty_ratio, "scripted gauge")
        self._start_ns = clock.now_ns()
        self.fails_with: Exception | None = None

    @property
    def sensor(self) -> Sensor:
        """What it pretends to be."""
        return self._sensor

    def read_power(self) -> Power:
        """The scripted power at the clock's time.

        Raises:
            Exception: Whatever ``fails_with`` was set to.
        """
        if self.fails_with is not None:
            raise self.fails_with
        return Power(self._watts((self._clock.now_ns() - self._start_ns) / NANOSECONDS_PER_SECOND))


class ManualSampler(Sampler):
    """A sampler without a thread, for an engine on a :class:`ManualClock`: it reads when told to.

    Example:
        >>> engine = Engine(config, assemble, sampling=ManualSampler)  # doctest: +SKIP
    """

    def start(self) -> None:
        """Start no thread."""

    def check(self) -> None:
        """Nothing can hang: readings happen on the caller's thread."""

    def finish(self, at_ns: int) -> None:
        """Read once more, at the end."""
        del at_ns
        self.tick()

    def tick(self) -> None:
        """Read every source that is alive, and keep house."""
        self._read([probe for probe in self._probes if probe.alive])
        self._housekeeping()


class MemoryLines:
    """A :class:`~lightning_carbon.ports.LineSink` that keeps its lines in ``lines``."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.closed = False

    def write_lines(self, lines: list[str]) -> None:
        """Keep the lines."""
        if not self.closed:
            self.lines.extend(lines)

    def close(self) -> None:
        """Stop keeping lines."""
        self.closed = True


class MemoryRunStore:
    """A :class:`~lightning_carbon.ports.RunStore` that keeps records in ``records`` and lines in ``files``."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, object]] = {}
        self.files: dict[tuple[str, str], MemoryLines] = {}

    def save(self, record: Mapping[str, object]) -> str:
        """Keep a deep copy of the record."""
        run_id = str(record["run_id"])
        self.records[run_id] = copy.deepcopy(dict(record))
        return f"memory:{run_id}"

    def open_lines(self, project: str, run_id: str, name: str) -> MemoryLines:
        """Keep the lines of one file, empty at first."""
        del project
        lines = self.files[run_id, name] = MemoryLines()
        return lines

    def open_journal(self, project: str, run_id: str, rank: int, header: str) -> MemoryLines:
        """Keep the journal of one rank."""
        lines = self.open_lines(project, run_id, f"rank-{rank:05d}.jsonl")
        lines.write_lines([header])
        return lines

    def read_journals(self, project: str, run_id: str) -> list[tuple[str, str]]:
        """The first line and the last one of every journal of a run that has two."""
        del project
        journals = [
            kept.lines for (run, name), kept in sorted(self.files.items()) if run == run_id and name.startswith("rank-")
        ]
        return [(lines[0], lines[-1]) for lines in journals if len(lines) > 1]
