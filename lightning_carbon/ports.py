"""Where the meter meets the world: one Protocol for each thing it needs, each of one or two methods.

An implementer finds here what must hold; the suites in ``tests/contracts`` check it on the real adapters and on the
fakes of :mod:`lightning_carbon.testing` alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.units import Energy, Power


@runtime_checkable
class EnergyCounter(Protocol):
    """A device that counts its own energy and never counts backwards, save for wrapping or a reset.

    Reading should cost well under a millisecond and may happen on any thread, but never on two at once. The meter
    stamps the reading with the middle of the call.
    """

    @property
    def sensor(self) -> Sensor:
        """What it covers and how; the same for ever, known without touching the device."""
        ...

    def read_energy(self) -> Energy:
        """Take one reading of the cumulative count.

        Raises:
            ReadFailed: This time only; the meter asks again.
            SourceLost: The device is gone for good; the meter will not ask again.
        """
        ...


@runtime_checkable
class PowerGauge(Protocol):
    """A device that shows its power at this moment.

    The same rules hold as for an :class:`EnergyCounter`. The meter integrates by trapezoid between readings.
    """

    @property
    def sensor(self) -> Sensor:
        """What it covers and how; the same for ever, known without touching the device."""
        ...

    def read_power(self) -> Power:
        """Take one reading of the power, in watts, never negative.

        Raises:
            ReadFailed: This time only; the meter asks again.
            SourceLost: The device is gone for good; the meter will not ask again.
        """
        ...


Source = EnergyCounter | PowerGauge
"""Anything that can be metered."""


ACCELERATOR = "accelerator"
"""The source of a finding on an accelerator that the training computes on and that nothing can meter."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one thing that was tried as a source.

    Args:
        source: The adapter that tried, such as ``"nvml"``.
        subject: What was tried, for people, such as ``"GPU 0 NVIDIA H100 80GB HBM3"``.
        port: The source, ready to be read, or ``None`` where it cannot be used; not stored in a record.
        reason: Why it cannot be used, or a remark on one that can (such as the better way that was not there).
        fix: The command or setting that would make it usable, or an empty string.
        fallback: A second source of the same domain, such as the power gauge beside a counter: the counter is held
            against it, and it takes over where the counter turns out to be none; not stored in a record.
        later: Tries again for a better source of the same domain, which had no answer that counts; asked a few times in
            the first seconds, on the sampling thread. Raises :class:`~lightning_carbon.errors.SourceError`
            as long as there is none; not stored in a record.
    """

    source: str
    subject: str
    port: Source | None = field(default=None, metadata={"stored": False})
    reason: str = ""
    fix: str = ""
    fallback: Source | None = field(default=None, metadata={"stored": False})
    later: Callable[[], Source] | None = field(default=None, metadata={"stored": False})


@runtime_checkable
class Clock(Protocol):
    """A monotonic clock and the wall clock beside it."""

    def now_ns(self) -> int:
        """Nanoseconds on a clock that never goes back; its zero has no meaning. Costs well under a microsecond."""
        ...

    def wall_seconds(self) -> float:
        """Seconds since 1970-01-01 UTC; may be set back at any time, so it names moments and never measures spans."""
        ...


@dataclass(frozen=True, slots=True)
class ClockUse:
    """Which clock the marks of a run are by.

    Args:
        device_marks: How many the device's own clock told.
        host_marks: How many are where the program came to them, as it used no device, or its clock failed.
        reason: What the device's clock failed with; ``None`` where it did not.
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
    """Tells when the device had done the work before a mark of the training.

    A GPU runs behind the program that drives it: when a hook says that a step has ended, the step may not have begun.
    A mark is stamped at once and resolved once the device got there. Marks resolve in the order of their stamps.

    ``stamp``, ``poll`` and ``flush`` belong to the training's thread, and none of them raises, whatever the device
    does; ``resolve``, ``earliest`` and ``use`` only read what is known, on any thread. The first poll is best at the
    start of the run, where the device most likely has nothing to do: then its clock is known from there on.
    """

    @property
    def use(self) -> ClockUse:
        """Which clock the marks that are known by now are by."""
        ...

    def stamp(self) -> object:
        """Note that the training has come to a mark. Costs microseconds and never waits for the device.

        Returns:
            A ticket, for :meth:`resolve` and :meth:`earliest`.
        """
        ...

    def resolve(self, ticket: object) -> int | None:
        """When the device had done what came before the mark, in nanoseconds on the meter's clock.

        Never before the mark itself; never a moment that has not come yet; the same for ever, once known. ``None``
        while it is not known.
        """
        ...

    def earliest(self, ticket: object) -> int:
        """A moment, in nanoseconds, before which the mark will not turn out to be: it rises until the mark is known.

        What was used up to there can be attributed, if this is the first mark that is not known yet.
        """
        ...

    def poll(self) -> None:
        """See how far the device has got, without waiting; best called where the program has just waited for it."""
        ...

    def flush(self, seconds: float = ...) -> None:
        """Make every mark known, at the end of a run; the one place that waits for the device.

        Args:
            seconds: How long at most. What the device has not done by then counts as done now.
        """
        ...


class DeviceState(Enum):
    """What can be said of a device without waiting for it."""

    IDLE = auto()
    """It has done all that it was given."""
    BUSY = auto()
    """It has not."""
    CLOSED = auto()
    """It may not be asked anything right now, as while a CUDA graph is captured."""


EventT = TypeVar("EventT")


class EventDevice(Protocol[EventT]):
    """A device that executes what it is given in order, behind the program, and can note the time on its own clock.

    Every method may raise anything: the device is then left alone for a while.
    """

    def state(self) -> DeviceState:
        """Whether it has anything left to do. Costs a few microseconds and does not wait; may be asked at any time."""
        ...

    def record(self, event: EventT | None) -> EventT:
        """Have the time noted once all that was given so far is done. Costs a few microseconds and does not wait.

        Args:
            event: One that is not needed any more, to be used again; ``None`` for a new one.

        Returns:
            The event, that one or a new one.
        """
        ...

    def done(self, event: EventT) -> bool:
        """Whether the time was noted. Costs a few microseconds and does not wait."""
        ...

    def nanoseconds_between(self, earlier: EventT, later: EventT) -> float:
        """The time between two events that are done, on the device's clock; negative if they came the other way."""
        ...

    def wait(self, event: EventT, seconds: float) -> None:
        """Wait until an event is done, and no longer than so many seconds."""
        ...


@runtime_checkable
class RunIdentity(Protocol):
    """How the ranks of a run come to call it the same."""

    def agree(self, proposal: str) -> str | None:
        """Ask for the name of the run; asked again until it is known. Never waits for another rank.

        Args:
            proposal: What this rank would call it.

        Returns:
            The name, or ``None`` while it is not known here.
        """
        ...


@runtime_checkable
class RecordStore(Protocol):
    """Where the records of runs are kept."""

    def save(self, record: Mapping[str, object]) -> str:
        """Write the record of a run, replacing an earlier one of the same ``run_id``, all or nothing.

        Args:
            record: A record as plain values (JSON types only).

        Returns:
            Where it lies, for people.

        Raises:
            LedgerError: It could not be written; an earlier record is still whole.
        """
        ...

    def load(self, project: str, run_id: str) -> Mapping[str, object] | None:
        """The record of a run as it was saved; ``None`` where there is none that can be read. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class JournalText:
    """What is read of the journal of a rank: its first line, and the last ones.

    Args:
        rank: The rank that it is kept for.
        where: Where it is kept, for people.
        written_at: When it was last written, in seconds since 1970, by the clock of the store.
        first: Its first line; empty where there is trouble.
        last: The last lines that are whole, in their order; the first line is none of them. How many is the store's
            to say: at least one, where there is one.
        trouble: Why it cannot be read, or an empty string.
    """

    rank: int
    where: str
    written_at: float
    first: str = ""
    last: tuple[str, ...] = ()
    trouble: str = ""


@runtime_checkable
class JournalStore(Protocol):
    """Where the ranks of runs keep their journals."""

    def open_journal(self, project: str, run_id: str, rank: int, *, header: str) -> LineSink:
        """Open the journal of a rank, with its first line; a reader needs that line and the last.

        Raises:
            LedgerError: It cannot be written.
        """
        ...

    def read_journals(self, project: str, run_id: str) -> Sequence[JournalText]:
        """The ends of every journal of a run, in the order of ranks; whatever was written there, it does not raise.

        Raises:
            LedgerError: The store has not answered in time.
        """
        ...


@runtime_checkable
class LineStore(Protocol):
    """Where one process keeps a list that grows while it runs, such as that of its steps."""

    def open_lines(self, project: str, run_id: str, name: str) -> LineSink:
        """Open a file of lines in the folder of a run, such as ``steps.csv``, empty.

        Raises:
            LedgerError: It cannot be written.
        """
        ...


@runtime_checkable
class SharedListStore(Protocol):
    """Where several processes add to one list, such as that of the attempts at a training."""

    def append_lines(self, project: str, run_id: str, name: str, *, lines: list[str]) -> None:
        """Add lines to the end of a file in the folder of a run, which are made if they are not there.

        Several processes may do so at a time; the lines of one call stay together.

        Raises:
            LedgerError: It cannot be written.
        """
        ...

    def read_lines(self, project: str, run_id: str, name: str) -> list[str]:
        """The whole lines of a file in the folder of a run; none where it is not there. Never raises."""
        ...


@runtime_checkable
class RunStore(RecordStore, JournalStore, LineStore, SharedListStore, Protocol):
    """A ledger: all of the above in one place."""


@runtime_checkable
class LineSink(Protocol):
    """A growing text file."""

    def write_lines(self, lines: list[str]) -> None:
        """Append lines (given without line ends); they reach the file before this returns.

        Raises:
            LedgerError: They could not be written.
        """
        ...

    def close(self) -> None:
        """Release the file; further calls do nothing."""
        ...
