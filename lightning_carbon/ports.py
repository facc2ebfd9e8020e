"""Where the meter meets the world: one Protocol for each thing it needs, each of one or two methods.

The docstrings tell an implementer what must hold; the suites in ``tests/contracts`` check both the real adapters and
the fakes of :mod:`lightning_carbon.testing`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeGuard, TypeVar, runtime_checkable

from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lightning_carbon.energy.condition import Condition
    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.units import Energy, Power


@runtime_checkable
class EnergyCounter(Protocol):
    """A device that counts its own energy and never counts backwards, save for wrapping or a reset.

    Reading should cost well under a millisecond and may happen on any thread, but never on two at once.
    """

    @property
    def sensor(self) -> Sensor:
        """What it covers and how; the same for ever, known without touching the device."""

    def read_energy(self) -> Energy:
        """Take one reading of the cumulative count.

        Raises:
            ReadFailed: This time only; the meter asks again.
            SourceLost: The device is gone for good; the meter will not ask again.
        """


@runtime_checkable
class PowerGauge(Protocol):
    """A device that shows its present power, by the rules of a counter; the meter integrates it by trapezoid."""

    @property
    def sensor(self) -> Sensor:
        """What it covers and how; the same for ever, known without touching the device."""

    def read_power(self) -> Power:
        """Take one reading of the power, in watts, never negative.

        Raises:
            ReadFailed: This time only; the meter asks again. With NoNews for as long as the run, and without a warning.
            SourceLost: The device is gone for good; the meter will not ask again.
        """


@runtime_checkable
class DeviceGauges(Protocol):
    """A device that shows its condition beside its power: clocks, temperature, memory, what slows it down.

    It is read every few seconds, by the rules of a counter.
    """

    def read_condition(self) -> Condition:
        """Take one reading; what the device does not tell is ``None`` in it.

        Raises:
            ReadFailed: This time only; the meter asks again.
            SourceLost: The device is gone for good.
        """


Source = EnergyCounter | PowerGauge
"""A source of energy readings: a counter or a gauge."""


@runtime_checkable
class Share(Protocol):
    """A source that charges a part of another's energy, such as a job's share of a counter."""

    @property
    def whole(self) -> Source:
        """The source of the whole."""

    @property
    def seen(self) -> Energy | Power | None:
        """The reading of the whole when the share was last read; ``None`` before."""


def is_counter(source: Source) -> TypeGuard[EnergyCounter]:
    """Whether a source is a counter, by the one method that tells; isinstance() looks at all, ten times as long."""
    return hasattr(source, "read_energy")


def is_share(source: Source) -> TypeGuard[Share]:
    """Whether a source is a share of another."""
    return hasattr(source, "whole")


ACCELERATOR = "accelerator"
"""The ``source`` of a finding on an accelerator that the training uses and that no adapter can meter."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on a device or counter that was tried as a source; what can be called is not stored in a record.

    Args:
        source: The adapter that tried, such as ``"nvml"``.
        subject: The device or counter, for people, such as ``"GPU 0 NVIDIA H100 80GB HBM3"``.
        port: The source, ready to be read, or ``None`` where it cannot be used.
        reason: Why it cannot be used, or a remark on a usable source (such as the better way that was not available).
        fix: The command or setting that would make it usable, or an empty string.
        fallback: A second source of the same domain, such as the power gauge beside a counter: the counter is checked
            against it, and it takes over where the counter turns out to be broken.
        later: Tries again for a better source of the same domain, which gave no usable answer at first; called a few
            times in the first seconds, on the sampling thread; raises ``SourceError`` as long as there is none.
        gauges: The condition of the device beside its power, where it shows that.
    """

    source: str
    subject: str
    port: Source | None = field(default=None, metadata={"stored": False})
    reason: str = ""
    fix: str = ""
    fallback: Source | None = field(default=None, metadata={"stored": False})
    later: Callable[[], Source] | None = field(default=None, metadata={"stored": False})
    gauges: DeviceGauges | None = field(default=None, metadata={"stored": False})


@runtime_checkable
class Clock(Protocol):
    """A monotonic clock and the wall clock beside it."""

    def now_ns(self) -> int:
        """Nanoseconds on a clock that never goes back; its zero has no meaning. Costs well under a microsecond."""

    def wall_seconds(self) -> float:
        """Seconds since 1970-01-01 UTC; may be set back at any time, so good for dates and never for durations."""


@dataclass(frozen=True, slots=True)
class ClockUse:
    """The clocks that timed the marks of a run.

    Args:
        device_marks: The number of marks that the device's own clock timed.
        host_marks: The number timed by the host when the program reached them: no device was in use, or its clock
            failed.
        reason: The error of the device's clock; ``None`` where it did not fail.
    """

    device_marks: int = 0
    host_marks: int = 0
    reason: str | None = None

    @property
    def clock(self) -> str | None:
        """``"device"``, ``"host"``, or ``"mixed"``; ``None`` as long as no mark is known."""
        if self.device_marks and self.host_marks:
            return "mixed"
        return "device" if self.device_marks else "host" if self.host_marks else None


@runtime_checkable
class StepClock(Protocol):
    """The clock that tells when the device had done the work before a mark of the training.

    A GPU runs behind the program that drives it: when a hook says that a step has ended, the step may not have begun.
    A mark is stamped at once and resolved once the device got there. Marks resolve in the order of their stamps.

    ``stamp``, ``poll`` and ``flush`` belong to the training's thread, and none of them raises, whatever the device
    does; ``resolve``, ``earliest`` and ``use`` only read what is known, on any thread. The first poll is best at the
    start of the run, when the device is most likely idle: then its clock is known from there on.
    """

    @property
    def use(self) -> ClockUse:
        """The clocks that timed the marks known by now."""

    def stamp(self) -> object:
        """Note that the training has reached a mark. Costs microseconds and never waits for the device.

        Returns:
            A ticket for :meth:`resolve` and :meth:`earliest`.
        """

    def resolve(self, ticket: object) -> int | None:
        """When the device had done the work before the mark, in nanoseconds on the meter's clock.

        Never before the mark itself, never in the future, and final once known. ``None`` while it is not known.
        """

    def earliest(self, ticket: object) -> int:
        """The earliest moment, in nanoseconds, that the mark may turn out to be at; it rises until the mark is known.

        Energy up to there can be attributed, if this is the first mark that is not known yet.
        """

    def poll(self) -> None:
        """See how far the device has got, without waiting; best called where the program has just waited for it."""

    def flush(self, seconds: float = ...) -> None:
        """Make every mark known, at the end of a run; the one place that waits for the device, for so long at most.

        Work that the device has not done by then counts as done now.
        """


class DeviceState(Enum):
    """What is known of a device without waiting for it."""

    IDLE = auto()
    """The device has done all its work."""
    BUSY = auto()
    """The device still has work to do."""
    CLOSED = auto()
    """The device may not be asked anything now, as while a CUDA graph is captured."""


EventT = TypeVar("EventT")


class EventDevice(Protocol[EventT]):
    """A device that executes its work in order, behind the program, and can note the time; any method may raise."""

    def state(self) -> DeviceState:
        """Whether the device has work left. Costs a few microseconds and does not wait; may be called at any time."""

    def record(self, event: EventT | None) -> EventT:
        """Have the device note the time once its work so far is done. Costs a few microseconds and does not wait.

        Args:
            event: An event that is no longer needed, to be used again; ``None`` for a new event.

        Returns:
            The given event, or a new event.
        """

    def done(self, event: EventT) -> bool:
        """Whether the device has noted the time. Costs a few microseconds and does not wait."""

    def nanoseconds_between(self, earlier: EventT, later: EventT) -> float:
        """The time between two events that are done, on the device's clock; negative if they came the other way."""

    def wait(self, event: EventT, seconds: float) -> None:
        """Wait until an event is done, and no longer than so many seconds."""


@runtime_checkable
class RunIdentity(Protocol):
    """The way in which the ranks of a run agree on its name."""

    def agree(self, proposal: str) -> str | None:
        """Ask for the name of the run, again and again until it is known. Never waits for another rank.

        Args:
            proposal: The name that this rank would give it.

        Returns:
            The name, or ``None`` while it is not known here.
        """


@runtime_checkable
class RecordStore(Protocol):
    """The place of the records of runs."""

    def save(self, record: Mapping[str, object]) -> str:
        """Write the record of a run, in the place of an earlier record of the same ``run_id``, all or nothing.

        Args:
            record: A record as plain values (JSON types only).

        Returns:
            Where it lies, for people.

        Raises:
            LedgerError: It could not be written; an earlier record is still whole.
        """

    def load(self, project: str, run_id: str) -> Mapping[str, object] | None:
        """The record of a run as it was saved; ``None`` where there is none that can be read. Never raises."""


@dataclass(frozen=True, slots=True)
class JournalText:
    """The lines read from the journal of a rank: the first, and the last few, at least one where there is one.

    Args:
        rank: The rank that wrote it.
        where: Its place, for people.
        written_at: When it was last written, in seconds since 1970, by the clock of the store.
        first: Its first line; empty where the journal cannot be read.
        last: The last whole lines, in their order, without the first line.
        trouble: Why it cannot be read, or an empty string.
    """

    rank: int
    where: str
    written_at: float
    first: str = ""
    last: tuple[str, ...] = ()
    trouble: str = ""


class WrittenRun(NamedTuple):
    """A run in a store.

    Args:
        project: Its project.
        run_id: Its id.
        written_at: When one of its journals was last written, in seconds since 1970, by the clock of the store.
    """

    project: str
    run_id: str
    written_at: float


@runtime_checkable
class JournalStore(Protocol):
    """The place of the journals of ranks."""

    def open_journal(self, project: str, run_id: str, rank: int, *, header: str) -> LineSink:
        """Open the journal of a rank and write its first line; a reader needs that line and the last.

        Raises:
            LedgerError: It cannot be written.
        """

    def read_journals(self, project: str, run_id: str, *, rank: int | None = None) -> Sequence[JournalText]:
        """The ends of every journal of a run, or of a rank's, in the order of ranks; nothing in them makes it raise.

        Raises:
            LedgerError: The store has not answered in time.
        """

    def list_runs(self, known: Collection[tuple[str, str]]) -> Sequence[WrittenRun]:
        """The runs that have journals, of each project the newest first, and not all of too many. Never raises.

        Args:
            known: The runs, each by project and id, that are not asked for.
        """


@runtime_checkable
class LineStore(Protocol):
    """The place of a list that one process extends while it runs, such as that of its steps."""

    def open_lines(self, project: str, run_id: str, name: str) -> LineSink:
        """Open a file of lines in the folder of a run, such as ``steps.csv``, empty.

        Raises:
            LedgerError: It cannot be written.
        """


@runtime_checkable
class SharedListStore(Protocol):
    """The place of a list that several processes extend, such as that of the attempts at a training."""

    def append_lines(self, project: str, run_id: str, name: str, *, lines: list[str]) -> None:
        """Add lines to the end of a file in the folder of a run; both are made if they are not there.

        Several processes may do so at once; the lines of a call stay together.

        Raises:
            LedgerError: It cannot be written.
        """

    def read_lines(self, project: str, run_id: str, name: str) -> list[str]:
        """The whole lines of a file in the folder of a run; none where it is not there. Never raises."""


@runtime_checkable
class RunStore(RecordStore, JournalStore, LineStore, SharedListStore, Protocol):
    """A ledger: all four stores in one place."""


@runtime_checkable
class LineSink(Protocol):
    """A growing text file."""

    def write_lines(self, lines: list[str]) -> None:
        """Append lines, given without line ends, which reach the file before this returns.

        Raises:
            LedgerError: They could not be written.
        """

    def close(self) -> None:
        """Release the file; further calls do nothing."""
