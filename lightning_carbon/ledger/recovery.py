"""Recovery of runs that were not closed: which of them are dead, and what their journals still hold.

A rank beats twice a second. On this host, a rank is dead when its process is gone. Of a process in another container,
whose number means nothing here, or on another host, only the silence of its journal can be seen, which has to last for
a while. Silence is judged by file times alone, against the file system's own time: the clocks that processes read may
be set, and the clocks of two hosts differ. A file time far ahead also counts as silence: a rank that still beats writes
times of the present clock.

A rank wrongly taken for dead (on a machine that slept, seen from another) loses nothing: at its end it writes its
record over the recovered record, and until then its journal is newer than that record.
"""

from __future__ import annotations

import contextlib
import os
import time
from enum import Enum, auto
from typing import TYPE_CHECKING

from lightning_carbon.records.journal import RankPart
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import Status
from lightning_carbon.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lightning_carbon.ledger.journals import Journal
    from lightning_carbon.records.run import RunRecord

SILENT_HERE_SECONDS = 10.0
"""Twenty beats: how long a process that cannot be found, but may be in another container, may be silent."""
SILENT_ELSEWHERE_SECONDS = 120.0
"""Longer than clients of NFS keep file times, 60 s by default (acregmax in nfs(5))."""
_STARTED_TOLERANCE_SECONDS = 2.0
"""The error of a process's start: Linux gives it in hundredths of a second after the boot, and the boot in seconds."""


class Breath(Enum):
    """The state of a rank, seen from outside."""

    ENDED = auto()
    ALIVE = auto()
    DEAD = auto()


@dataclass(frozen=True, slots=True)
class Observer:
    """The point of view on ranks that may be dead.

    Args:
        host_id: This host, as headers name it.
        is_there: Whether a process of this host exists, by its number and, where known, its start; ``None`` where that
            is not known.
        now: The time of the file system that a folder is on.
        pid_namespace: The namespace of process numbers here, as headers name it; ``None`` where that is not known.
    """

    host_id: str
    is_there: Callable[[int, float | None], bool | None]
    now: Callable[[Path], float]
    pid_namespace: int | None = None

    def breath(self, journal: Journal, folder: Path) -> Breath:
        """The state of the rank that writes a journal in the folder of a run."""
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
    """Whether a process of this host exists and started at that time; ``None`` where that is not known."""
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
    """The time of a folder's file system; this process's own time where nothing can be written."""
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
    """The contents of the folder of a run that was not closed.

    Args:
        folder: The folder.
        location: The path of its record, written or not.
        record: The record there, if it can be read.
        written_at: When the record was written, by the clock of the file system; ``None`` where there is none.
        journals: The journals of its ranks.
    """

    folder: Path
    location: str
    record: RunRecord | None
    written_at: float | None
    journals: Sequence[Journal]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run that was not closed.

    Args:
        record: Its present record; ``None`` where neither a record nor a journal can be read.
        is_news: Whether it should replace the record in the folder.
        trouble: Why the journals make no record, or an empty string.
    """

    record: RunRecord | None
    is_news: bool = False
    trouble: str = ""


def look_at(run: OpenRun, observer: Observer, tell: Callable[[RunRecord], RunRecord]) -> Outcome:
    """The outcome of a run that was not closed: its present state where it is alive, else recovered. Writes nothing.

    Args:
        run: The contents of its folder.
        observer: The point of view.
        tell: Adds to a record what the ledger knows of other attempts at its training.
    """
    record, journals = run.record, run.journals
    if any(journal.is_foreign for journal in journals):
        return Outcome(record)  # half of a run makes no record
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
    """The outcome of a run with a record that was never closed, and no beat."""
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
    """The final part of a rank that is dead, or has ended by itself."""
    if part.beat.status != Status.RUNNING:
        return part
    return replace(part, beat=replace(part.beat, status=Status.INTERRUPTED.value))
