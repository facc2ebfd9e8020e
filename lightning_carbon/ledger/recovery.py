"""Runs that nobody has closed: which of them are dead, and what their journals still tell.

A rank beats twice a second. Where this is its host, it is dead when its process is gone. Of a process in another
container, whose number means nothing here, or on another host, only the silence of its journal can be seen, so that has
to last for a while. Silence is told by file times alone, against what the file system itself says of the time: the
clocks that processes read may be set, and those of two hosts differ. A file time far ahead is silence, too: a rank that
still beats writes times of the clock as it is now.

A rank that is taken for dead wrongly (a machine that slept, seen from another) loses nothing: at its end it writes its
record over the one that was recovered, and until then, its journal is newer than that one.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from lightning_carbon.records.journal import RankPart
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lightning_carbon.ledger.journals import Journal
    from lightning_carbon.records.run import RunRecord

SILENT_HERE_SECONDS = 10.0
"""Twenty beats: what a process that cannot be found may be late by, where it may be in another container."""
SILENT_ELSEWHERE_SECONDS = 120.0
"""Longer than clients of NFS keep file times, 60 s by default (acregmax in nfs(5))."""
_STARTED_TOLERANCE_SECONDS = 2.0
"""Linux tells when a process started in hundredths of a second after a boot that it tells in whole seconds."""


class Breath(Enum):
    """How a rank stands."""

    ENDED = auto()
    ALIVE = auto()
    DEAD = auto()


@dataclass(frozen=True, slots=True)
class Observer:
    """From where ranks are looked at.

    Args:
        host_id: This host, as headers name it.
        is_there: Whether a process of this host is there, by its number and, where known, its start; ``None`` where
            that cannot be told.
        now: What time the file system has that a folder is on.
        pid_namespace: What the numbers of processes are of here, as headers name it; ``None`` where that is not known.
    """

    host_id: str
    is_there: Callable[[int, float | None], bool | None]
    now: Callable[[Path], float]
    pid_namespace: int | None = None

    def breath(self, journal: Journal, folder: Path) -> Breath:
        """How the rank stands that writes a journal in the folder of a run."""
        if journal.part is not None and journal.part.beat.status != Status.RUNNING:
            return Breath.ENDED
        limit = SILENT_ELSEWHERE_SECONDS
        header = journal.header
        if header is not None and header.host_id == self.host_id:
            is_there = self.is_there(header.pid, header.pid_started)
            if is_there:
                return Breath.ALIVE
            if is_there is False:
                if header.pid_namespace is not None and header.pid_namespace == self.pid_namespace:
                    return Breath.DEAD
                limit = SILENT_HERE_SECONDS
        return Breath.DEAD if abs(self.now(folder) - journal.written_at) > limit else Breath.ALIVE


def is_process_there(pid: int, started: float | None) -> bool | None:
    """Whether a process of this host is there and is the one that started then; ``None`` where that is unknown."""
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        if started is None:
            return None
        return abs(process.create_time() - started) <= _STARTED_TOLERANCE_SECONDS
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError):
        return None


def file_system_time(folder: Path) -> float:
    """What time it is where files get their times; this process's own time where nothing can be written."""
    probe = folder / f".time.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    try:
        with probe.open("xb") as file:
            file.write(b"\n")
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


@dataclass(frozen=True, slots=True)
class OpenRun:
    """What lies in the folder of a run that nobody has closed.

    Args:
        folder: The folder.
        location: Where its record lies, or would lie.
        record: What the record there says, if there is one that can be read.
        written_at: When that was written, by the clock of the file system; ``None`` where there is no such file.
        journals: What its ranks have written.
    """

    folder: Path
    location: str
    record: RunRecord | None
    written_at: float | None
    journals: Sequence[Journal]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run.

    Args:
        record: Its record as it is now; ``None`` where neither a record nor a journal can be read.
        is_news: Whether it is to be kept in the place of the record that lies there.
        trouble: Why the journals make no record, or an empty string.
    """

    record: RunRecord | None
    is_news: bool = False
    trouble: str = ""


def look_at(run: OpenRun, observer: Observer, tell: Callable[[RunRecord], RunRecord]) -> Outcome:
    """What is known of a run that nobody has closed: as it is now where it is alive, else recovered. Writes nothing.

    Args:
        run: What lies in its folder.
        observer: From where it is looked at.
        tell: Puts into a record what the ledger knows of other attempts at its training.
    """
    record, journals = run.record, run.journals
    if any(journal.is_foreign for journal in journals):
        return Outcome(record)  # half of a run is not its record
    breaths = [observer.breath(journal, run.folder) for journal in journals if journal.header is not None]
    parts = [journal.part for journal in journals if journal.part is not None]
    if not parts:
        return Outcome(None) if record is None else _without_beats(run, record, breaths, observer=observer)
    is_alive = Breath.ALIVE in breaths
    try:
        now = tell(record_of(parts if is_alive else [_closed(part) for part in parts], location=run.location))
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        return Outcome(record, trouble=f"its journals make no record: {error}")
    if is_alive:
        return Outcome(now if run.written_at is not None else replace(now, location=None))
    return Outcome(now, is_news=now != record)


def _without_beats(run: OpenRun, record: RunRecord, breaths: Sequence[Breath], *, observer: Observer) -> Outcome:
    """A run that has a record that was never closed, and no beat."""
    if record.status != Status.RUNNING or Breath.ALIVE in breaths:
        return Outcome(record)
    if not breaths:
        silent = 0.0 if run.written_at is None else abs(observer.now(run.folder) - run.written_at)
        if silent <= SILENT_ELSEWHERE_SECONDS:
            return Outcome(record)
    ranks = tuple(
        replace(rank, status=Status.INTERRUPTED.value) if rank.status == Status.RUNNING else rank
        for rank in record.ranks
    )
    ended = replace(record, status=Status.INTERRUPTED.value, ended_at=record.started_at, ranks=ranks)
    return Outcome(ended, is_news=True)


def _closed(part: RankPart) -> RankPart:
    """The part of a rank that is dead, or has ended by itself."""
    if part.beat.status != Status.RUNNING:
        return part
    return replace(part, beat=replace(part.beat, status=Status.INTERRUPTED.value))
