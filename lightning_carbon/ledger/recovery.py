"""Runs that nobody has closed: which of them are dead, and what their journals still tell.

A rank beats twice a second. It is taken for dead when its journal has been silent for a while *and*, where this is its
host, its process is gone; of another host only the silence can be seen, so it has to last longer. Silence is told by
file times alone, against what the file system itself says of the time: the clocks that processes read may be set, and
those of two hosts differ. A file time far ahead is silence, too: whoever still beats writes times of the clock as it
is now.

Who is taken for dead wrongly (a machine that slept, seen from another) loses nothing: at its end it writes its record
over the one that was recovered, and until then, its journal is newer than that one.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from lightning_carbon.errors import NewerSchema, RecordError
from lightning_carbon.ledger.attempts import tell_attempts
from lightning_carbon.ledger.directory import (
    JOURNALS,
    RECORD_FILE,
    DirectoryRunStore,
    read_ends,
    read_first,
    write_json,
)
from lightning_carbon.records.journal import RankPart, part_of
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lightning_carbon.records.run import RunRecord

SILENT_HERE_SECONDS = 10.0
"""Twenty beats: what a process of this host that cannot be found any more may be late by, as in another container."""
SILENT_ELSEWHERE_SECONDS = 120.0
"""Longer than clients of NFS keep file times, 60 s by default (acregmax in nfs(5))."""
_STARTED_TOLERANCE_SECONDS = 2.0
"""Linux tells when a process started in hundredths of a second after a boot that it tells in whole seconds."""


Stamp = tuple[int, int, int] | None


class Breath(Enum):
    """How a rank stands."""

    ENDED = auto()
    ALIVE = auto()
    DEAD = auto()


@dataclass(frozen=True, slots=True)
class Journal:
    """What is left of one rank.

    Args:
        path: Its file.
        written_at: When it was last written, by the clock of the file system.
        part: What it says; ``None`` where there is no whole beat in it.
        process: The host, the process and its start, where the header tells.
        trouble: Why nothing can be read, or an empty string.
        is_newer: Whether a later version of this package wrote it.
    """

    path: Path
    written_at: float
    part: RankPart | None = None
    process: tuple[str, int, float | None] | None = None
    trouble: str = ""
    is_newer: bool = False


@dataclass(frozen=True, slots=True)
class Observer:
    """From where ranks are looked at.

    Args:
        host_id: This host, as headers name it.
        is_there: Whether a process of this host is there, by its number and, where known, its start; ``None`` where
            that cannot be told.
        now: What time the file system has that a folder is on.
    """

    host_id: str
    is_there: Callable[[int, float | None], bool | None]
    now: Callable[[Path], float]

    def breath(self, journal: Journal) -> Breath:
        """How the rank stands that writes a journal."""
        if journal.part is not None and journal.part.beat.status != Status.RUNNING:
            return Breath.ENDED
        limit = SILENT_ELSEWHERE_SECONDS
        if journal.process is not None and journal.process[0] == self.host_id:
            is_there = self.is_there(*journal.process[1:])
            if is_there:
                return Breath.ALIVE
            if is_there is False:
                limit = SILENT_HERE_SECONDS
        silent = abs(self.now(journal.path.parent) - journal.written_at)
        return Breath.DEAD if silent > limit else Breath.ALIVE


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


def read_journal(path: Path) -> Journal:
    """Read what one rank has left; whatever is wrong with the file is told, not raised."""
    try:
        written_at = path.stat().st_mtime
        ends = read_ends(path)
        first = ends[0] if ends else read_first(path)
    except OSError as error:
        return Journal(path, 0.0, trouble=f"it cannot be read: {error.strerror or error}")
    if not first:
        return Journal(path, written_at, trouble="it is empty, or its first line is torn")
    try:
        header = json.loads(first)
        if ends is None:
            # Read all the same for who wrote it.
            part = part_of(header, _no_beat(header))
            trouble = "there is no whole beat in it: what this rank used is not known"
            return Journal(path, written_at, None, _process(part), trouble)
        part = part_of(header, json.loads(ends[1]))
    except NewerSchema as error:
        return Journal(path, written_at, trouble=str(error), is_newer=True)
    except (RecordError, ValueError, TypeError, KeyError, RecursionError) as error:
        return Journal(path, written_at, trouble=str(error) or type(error).__name__)
    return Journal(path, written_at, part, _process(part))


def journals_of(folder: Path) -> Iterator[Path]:
    """The journals in the folder of a run, in the order of ranks."""
    return iter(sorted(folder.glob(JOURNALS)))


def look_at(
    folder: Path, record: RunRecord | None, stamp: Stamp, observer: Observer, notice: Callable[[str], None]
) -> RunRecord | None:
    """What is known of a run that nobody has closed: as it is now where it is alive, else recovered.

    Args:
        folder: The folder of the run.
        record: What the record there says, if there is one that can be read.
        stamp: Of the record's file, as it was read.
        observer: From where it is looked at.
        notice: Told of what cannot be read, in one line each.

    Returns:
        ``None`` where there is neither a record nor a journal that can be read.
    """
    path = folder / RECORD_FILE
    found = [read_journal(one) for one in journals_of(folder)]
    for journal in found:
        if journal.trouble:
            notice(f"{journal.path}: {journal.trouble}")
    if any(journal.is_newer for journal in found):
        return record  # half of a run is not its record
    breaths = [observer.breath(journal) for journal in found if journal.part or journal.process]
    parts = [journal.part for journal in found if journal.part is not None]
    if not parts:
        return None if record is None else _without_beats(path, record, stamp, breaths, observer)
    is_alive = Breath.ALIVE in breaths
    try:
        now = record_of(parts if is_alive else [_closed(part) for part in parts], location=str(path))
    except (TypeError, ValueError, ArithmeticError, OSError) as error:
        notice(f"{folder}: its journals make no record: {type(error).__name__}: {error}")
        return record
    now = tell_attempts(DirectoryRunStore(folder.parents[1]), now)
    if is_alive:
        return now if stamp else replace(now, location=None)
    return now if now == record else _keep(path, now, stamp)


def _without_beats(
    path: Path, record: RunRecord, stamp: Stamp, breaths: Sequence[Breath], observer: Observer
) -> RunRecord:
    """A run that has a record that was never closed, and no beat."""
    if record.status != Status.RUNNING or Breath.ALIVE in breaths:
        return record
    if not breaths:
        try:
            silent = abs(observer.now(path.parent) - path.stat().st_mtime)
        except OSError:
            return record
        if silent <= SILENT_ELSEWHERE_SECONDS:
            return record
    ranks = tuple(
        replace(rank, status=Status.INTERRUPTED.value) if rank.status == Status.RUNNING else rank
        for rank in record.ranks
    )
    ended = replace(record, status=Status.INTERRUPTED.value, ended_at=record.started_at, ranks=ranks)
    return _keep(path, ended, stamp)


def _closed(part: RankPart) -> RankPart:
    """The part of a rank that is dead, or has ended by itself."""
    if part.beat.status != Status.RUNNING:
        return part
    return replace(part, beat=replace(part.beat, status=Status.INTERRUPTED.value))


def stamp_of(path: Path) -> Stamp:
    """Tells one state of a file from another; ``None`` where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def _keep(path: Path, recovered: RunRecord, stamp: Stamp) -> RunRecord:
    """Write a record that was recovered; two readers write the same one, each all or nothing."""
    try:
        if stamp_of(path) != stamp:
            # Somebody was faster: another reader, or the run itself, which knows best.
            return from_mapping(json.loads(path.read_bytes()), location=str(path))
        write_json(path, to_mapping(recovered))
    except (OSError, RecordError, ValueError):
        # Such as a ledger that can only be read: what is known is told all the same.
        return recovered if stamp else replace(recovered, location=None)
    return recovered


def _process(part: RankPart) -> tuple[str, int, float | None]:
    return part.header.host_id, part.header.pid, part.header.pid_started


def _no_beat(header: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": header["started_at"],
        "status": Status.RUNNING.value,
        "ns": 0,
        "steps": 0,
        "samples": None,
        "tokens": None,
        "step_ns": 0,
        "step_uj": [0] * len(header["domains"]),
        "phases": {},
        "lost": [],
    }
