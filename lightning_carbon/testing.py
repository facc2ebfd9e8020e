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
import struct
from bisect import bisect_right
from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.ledger.journals import rank_of
from lightning_carbon.metering.sampler import Sampler
from lightning_carbon.ports import DeviceState, JournalText, WrittenRun
from lightning_carbon.units import MICRO, NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, Energy, Power
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

GPU = Domain(Kind.GPU, "gpu:fake-0", "Fake GPU")


class ManualClock:
    """A clock that moves only when a test moves it.

    Args:
        start_ns: The first time on the monotonic clock, in nanoseconds.
        wall_start_seconds: The first time on the wall clock, in seconds since 1970.
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
        """Set the wall clock back; the monotonic clock goes on."""
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


@dataclass(slots=True)
class ScriptedEvent:
    """The time that a :class:`ScriptedDevice` noted, in nanoseconds on the clock of the host."""

    at_ns: int


class ScriptedDevice:
    """A :class:`~lightning_carbon.ports.EventDevice` that runs behind its program, as GPUs do.

    Launched work is executed in order, each piece after the one before has ended. Events are noted in between,
    on a clock with another zero and another pace, as exactly as CUDA does it: in steps of half a microsecond, and the
    distance of two as 32-bit milliseconds.

    Args:
        clock: The clock of the host. Calls of the device move it by ``call_ns`` each, waiting for it by more.
        depth: How many pieces of work can be under way at once; to launch another, the program waits.
        latency_ns: How long an idle device takes to note the time.
        drift_ppm: How many microseconds the device's clock gains on the host's in a second.
        idle_watts: Its power while it has nothing to do.
        call_ns: How long a call takes.

    Example:
        >>> clock = ManualClock()
        >>> gpu = ScriptedDevice(clock, call_ns=0)
        >>> gpu.launch(seconds=2, watts=300)
        >>> clock.advance(seconds=3)
        >>> gpu.joules(3.0)
        600.0
    """

    def __init__(
        self,
        clock: ManualClock,
        *,
        depth: int | None = None,
        latency_ns: int = 8_000,
        drift_ppm: float = 0.0,
        idle_watts: float = 0.0,
        call_ns: int = 1_000,
    ) -> None:
        self._clock = clock
        self._depth = depth
        self._latency_ns = latency_ns
        self._pace = 1 + drift_ppm * MICRO
        self._idle_watts = idle_watts
        self._call_ns = call_ns
        self._start_ns = self._free_ns = clock.now_ns()
        self._work: list[tuple[int, int, float, float]] = []
        self.closed = False
        """Whether the device may not be asked anything, as while a CUDA graph is captured."""
        self.fails_with: Exception | None = None

    def launch(self, *, seconds: float, watts: float = 100.0) -> None:
        """Give the device work; returns at once, unless too much is under way."""
        if self._depth is not None and len(self._work) >= self._depth:
            self._wait_until(self._work[-self._depth][1])
        start_ns = max(self._clock.now_ns(), self._free_ns)
        before = self._joules(self._work[-1], start_ns) if self._work else 0.0
        self._free_ns = start_ns + round(seconds * NANOSECONDS_PER_SECOND)
        self._work.append((start_ns, self._free_ns, watts - self._idle_watts, before))

    def synchronize(self) -> None:
        """Wait until the device has done all its work."""
        self._wait_until(self._free_ns)

    @property
    def done_ns(self) -> int:
        """When the device will have done, or has done, all its work: the truth that its events should tell."""
        return self._free_ns

    def joules(self, seconds: float) -> float:
        """The device's energy up to so many seconds after it was made, as a :class:`ScriptedCounter` counts it."""
        until_ns = self._start_ns + round(seconds * NANOSECONDS_PER_SECOND)
        begun = bisect_right(self._work, until_ns, key=lambda work: work[0])
        return self._idle_watts * seconds + (self._joules(self._work[begun - 1], until_ns) if begun else 0.0)

    def state(self) -> DeviceState:
        """Whether the device has work left."""
        self._call()
        if self.closed:
            return DeviceState.CLOSED
        return DeviceState.IDLE if self._clock.now_ns() >= self._free_ns else DeviceState.BUSY

    def record(self, event: ScriptedEvent | None) -> ScriptedEvent:
        """Note the time once the work so far is done."""
        self._call(open_only=True)
        event = event or ScriptedEvent(0)
        event.at_ns = self._free_ns = max(self._clock.now_ns() + self._latency_ns, self._free_ns)
        return event

    def done(self, event: ScriptedEvent) -> bool:
        """Whether the device has noted the time."""
        self._call(open_only=True)
        return self._clock.now_ns() >= event.at_ns

    def nanoseconds_between(self, earlier: ScriptedEvent, later: ScriptedEvent) -> float:
        """The time between two events on its own clock.

        Raises:
            RuntimeError: One of them is not done.
        """
        self._call(open_only=True)
        if max(earlier.at_ns, later.at_ns) > self._clock.now_ns():
            message = "device not ready"
            raise RuntimeError(message)
        milliseconds = (self._shown_ns(later) - self._shown_ns(earlier)) / NANOSECONDS_PER_MILLISECOND
        (rounded,) = struct.unpack("f", struct.pack("f", milliseconds))
        return float(rounded) * NANOSECONDS_PER_MILLISECOND

    def wait(self, event: ScriptedEvent, seconds: float) -> None:
        """Wait until an event is done, and no longer than so many seconds."""
        self._call(open_only=True)
        self._wait_until(min(event.at_ns, self._clock.now_ns() + round(seconds * NANOSECONDS_PER_SECOND)))

    @staticmethod
    def _joules(work: tuple[int, int, float, float], until_ns: int) -> float:
        """The energy of a piece of work beyond idle power, until some moment after its beginning."""
        start_ns, end_ns, watts, before = work
        return before + watts * (min(end_ns, until_ns) - start_ns) / NANOSECONDS_PER_SECOND

    def _shown_ns(self, event: ScriptedEvent) -> int:
        return round((event.at_ns - self._start_ns) * self._pace / 500) * 500

    def _wait_until(self, at_ns: int) -> None:
        self._clock.advance(nanoseconds=max(0, at_ns - self._clock.now_ns()))

    def _call(self, *, open_only: bool = False) -> None:
        self._clock.advance(nanoseconds=self._call_ns)
        if self.fails_with is not None:
            raise self.fails_with
        if open_only and self.closed:
            message = "operation not permitted when stream is capturing"
            raise RuntimeError(message)


class ManualSampler(Sampler):
    """A sampler without a thread, for an engine on a :class:`ManualClock`: it reads when told to.

    Example:
        >>> engine = Engine(config, assemble, sampling=ManualSampler)  # doctest: +SKIP
    """

    def read_first(self) -> None:
        """Take the first reading of every source, on the caller's thread."""
        self._read(list(self._probes))

    def start(self) -> None:
        """Start no thread."""

    def check(self) -> None:
        """Find nothing that hangs, since readings happen on the caller's thread."""

    def finish(self, at_ns: int) -> None:
        """Read once more, at the end."""
        del at_ns
        self.tick()

    def tick(self) -> None:
        """Read every source that is alive, and do the sampler's other chores."""
        self.read_now()
        self._look_at_conditions(list(self._probes), self._clock.now_ns())
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
        self.written_at = 0.0
        self._projects: dict[str, str] = {}

    def save(self, record: Mapping[str, object]) -> str:
        """Keep a deep copy of the record."""
        run_id = str(record["run_id"])
        self.records[run_id] = copy.deepcopy(dict(record))
        return f"memory:{run_id}"

    def open_lines(self, project: str, run_id: str, name: str) -> MemoryLines:
        """Keep the lines of one file, empty at first."""
        self._projects[run_id] = project
        lines = self.files[run_id, name] = MemoryLines()
        return lines

    def open_journal(self, project: str, run_id: str, rank: int, *, header: str) -> MemoryLines:
        """Keep the journal of one rank."""
        lines = self.open_lines(project, run_id, f"rank-{rank:05d}.jsonl")
        lines.write_lines([header])
        return lines

    def read_journals(self, project: str, run_id: str, *, rank: int | None = None) -> list[JournalText]:
        """The ends of every journal of a run, or of a rank's; ``written_at`` says when each was last written."""
        kept = {rank_of(name): (name, lines.lines) for (run, name), lines in self.files.items() if run == run_id}
        texts = [
            JournalText(number, f"memory:{project}/{run_id}/{name}", self.written_at, lines[0], tuple(lines[1:]))
            for number, (name, lines) in kept.items()
            if number is not None and rank in {None, number}
        ]
        return sorted(texts, key=lambda text: text.rank)

    def list_runs(self, known: Collection[tuple[str, str]]) -> list[WrittenRun]:
        """The runs that have journals, the newest first; ``written_at`` says when each was last written."""
        written = {run_id for run_id, name in self.files if rank_of(name) is not None}
        runs = [(self._projects[run_id], run_id) for run_id in sorted(written, reverse=True)]
        return [WrittenRun(*run, self.written_at) for run in runs if run not in known]

    def load(self, project: str, run_id: str) -> dict[str, object] | None:
        """A deep copy of the record, if there is one."""
        record = self.records.get(run_id)
        return copy.deepcopy(record) if record is not None and record["project"] == project else None

    def append_lines(self, project: str, run_id: str, name: str, *, lines: list[str]) -> None:
        """Add to the lines of one file."""
        del project
        self.files.setdefault((run_id, name), MemoryLines()).lines.extend(lines)

    def read_lines(self, project: str, run_id: str, name: str) -> list[str]:
        """The lines of one file."""
        del project
        kept = self.files.get((run_id, name))
        return [] if kept is None else list(kept.lines)
