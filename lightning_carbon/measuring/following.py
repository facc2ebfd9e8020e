"""Following the runs of a program that meters itself, by their growing journals in the ledger.

The training need not do anything: its journals are read as they grow. A journal that is begun anew, as long journals
are, goes on with its last line, and is read from its beginning again.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.files import open_to_read, parse_json
from lightning_carbon.ledger.journals import MOST_LINE_BYTES, check_names, journals_of
from lightning_carbon.records.journal import header_of, with_beat
from lightning_carbon.study.measured.from_journals import RankJournal, training_seconds, watts_now
from lightning_carbon.units import NANOSECONDS_PER_SECOND
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.records.journal import Beat, Header

MEASUREMENT_FILE: Final = "measurement.json"
MOST_BEATS: Final = 4_000
"""The most beats, half an hour's; of longer journals every other beat is kept, so a day takes no more memory."""


@dataclass(slots=True)
class RankFile:
    """A journal, as far as it has been read.

    Args:
        path: Where it lies.
        rank: The rank that writes it.
        inode: The inode when it was last read; another inode means that the journal was begun anew.
        offset: The number of bytes read.
        header: Its header, once that is known.
        beats: Its beats, thinned out.
    """

    path: Path
    rank: int
    inode: int = 0
    offset: int = 0
    header: Header | None = None
    beats: list[Beat] = field(default_factory=list)

    def read(self) -> None:
        """Read new lines; a line that is not whole yet is left for later."""
        try:
            with open_to_read(self.path) as file:
                inode = os.fstat(file.fileno()).st_ino
                if inode != self.inode:
                    self.inode, self.offset = inode, 0
                while self._take_some(file):
                    pass
        except OSError:
            return

    def _take_some(self, file: BinaryIO) -> bool:
        """Read a few lines, and say whether there may be more."""
        file.seek(self.offset)
        data = file.read(MOST_LINE_BYTES)
        whole = data[: data.rfind(b"\n") + 1]
        if not whole and len(data) == MOST_LINE_BYTES:
            self.offset += len(data)  # no rank writes such a line
            return True
        is_first = not self.offset
        self.offset += len(whole)
        for line in whole.splitlines():
            self._take(line, is_first=is_first)
            is_first = False
        return bool(whole)

    def _take(self, line: bytes, *, is_first: bool) -> None:
        try:
            values = parse_json(line)
            if is_first:
                self.header = None
                header = header_of(values)
                check_names(header, self.path.parent.parent.name, self.path.parent.name, rank=self.rank)
                self.header = header
            elif self.header is not None:
                self.add(with_beat(self.header, values).beat)
        except RecordError:
            return

    def add(self, beat: Beat) -> None:
        """Take a beat that is newer than the last; of the same moment, the later tells of the end."""
        if not self.beats or beat.ns > self.beats[-1].ns:
            self.beats.append(beat)
        elif beat.ns == self.beats[-1].ns:
            self.beats[-1] = beat
        if len(self.beats) > MOST_BEATS:
            # Every beat has the totals so far, so beats in between may go.
            self.beats = [*self.beats[:-1:2], self.beats[-1]]


class FollowedRun:
    """A run, followed by its journals.

    Args:
        folder: Its folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, RankFile] = {}

    def read(self) -> None:
        """Read what its journals have gained."""
        for rank, path in journals_of(self.folder):
            self._files.setdefault(path, RankFile(path, rank)).read()

    @property
    def writers(self) -> list[tuple[str, int]]:
        """The hosts and processes that write its journals."""
        headers = [file.header for file in self._files.values() if file.header is not None]
        return [(header.host_id, header.pid) for header in headers]

    @property
    def journals(self) -> list[RankJournal]:
        """The journal of each rank that has written a beat."""
        files = self._files.values()
        return [RankJournal(file.header, tuple(file.beats)) for file in files if file.header is not None and file.beats]

    @property
    def seconds(self) -> float:
        """How long the run has trained, by the rank with the oldest beat."""
        return min((training_seconds(rank.beats[-1]) for rank in self.journals), default=0.0)

    @property
    def steps(self) -> int:
        """The number of steps that have ended."""
        return max((rank.beats[-1].steps for rank in self.journals), default=0)

    @property
    def watts(self) -> float | None:
        """The mean power of the last seconds of training; ``None`` until it is known."""
        return watts_now(self.journals)


class Follower:
    """The runs that a program begins.

    Args:
        ledger: The folder of all runs; runs that are in it now are not the program's.
        is_ours: Whether a process belongs to the program, by its host's id and its number.
    """

    def __init__(self, ledger: Path, is_ours: Callable[[str, int], bool]) -> None:
        self._ledger = ledger
        self._is_ours = is_ours
        self._seen: dict[str, int] = {}
        self._others = set(self._changed())
        self._ours: dict[Path, FollowedRun] = {}
        self._new: set[Path] = set()

    def read(self) -> None:
        """Look for new runs, and read what the known runs have gained."""
        self._new |= self._changed() - self._others - set(self._ours)
        for folder in sorted(self._new):
            run = FollowedRun(folder)
            run.read()
            if any(self._is_ours(*writer) for writer in run.writers):
                self._ours[folder] = run
                self._new.discard(folder)
            elif run.writers:
                self._others.add(folder)
                self._new.discard(folder)
        for run in self._ours.values():
            run.read()

    @property
    def longest(self) -> FollowedRun | None:
        """The run that has trained the longest, among runs that count steps if any does; ``None`` without runs."""
        return max(self._ours.values(), key=lambda run: (run.steps > 0, run.seconds), default=None)

    def _changed(self) -> set[Path]:
        """The runs of projects that have gained runs since the last call, since a ledger may have thousands."""
        found: set[Path] = set()
        with contextlib.suppress(OSError), os.scandir(self._ledger) as projects:  # it is made when it is first needed
            for project in projects:
                with contextlib.suppress(OSError):  # a folder that cannot be read is no reason to miss the others
                    found |= self._changed_in(project)
        return found

    def _changed_in(self, project: os.DirEntry[str]) -> set[Path]:
        stamp = project.stat().st_mtime_ns
        if not project.is_dir() or self._seen.get(project.path) == stamp:
            return set()
        # File times go by the tick: another run may yet come within the present tick.
        if time.time_ns() - stamp > NANOSECONDS_PER_SECOND:
            self._seen[project.path] = stamp
        with os.scandir(project) as entries:
            return {Path(run.path) for run in entries if _is_folder(run)}


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link that leads to itself
        return False


def measured_runs(ledger: Path, project: str | None = None) -> list[Path]:
    """The measurements in a ledger, the oldest first."""
    projects = [ledger / project] if project is not None else _folders_in(ledger)
    found = (run / MEASUREMENT_FILE for folder in projects for run in _folders_in(folder))
    return sorted((path for path in found if os.path.lexists(path)), key=lambda path: path.parent.name)


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
    except OSError:
        return []
