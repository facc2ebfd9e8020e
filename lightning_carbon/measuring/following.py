"""Following the runs that a program meters itself, by the journals that they append to in the ledger.

Nothing is asked of the training: its journals are read as they grow. A journal that is begun anew, as long ones are,
goes on with its last line, and is read from its beginning again.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.recovery import journals_of
from lightning_carbon.records.journal import RankPart, part_of
from lightning_carbon.study.measured.from_journals import RankJournal, training_seconds, watts_now
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lightning_carbon.records.journal import Beat, Header

MEASUREMENT_FILE: Final = "measurement.json"
MOST_BEATS: Final = 4_000
"""Half an hour of them; of what is longer, every other one is kept, so that a day takes no more memory."""


@dataclass(slots=True)
class RankFile:
    """One journal, as far as it was read.

    Args:
        path: Where it lies.
        inode: Which file that was when it was read; another one has begun anew.
        offset: How far it was read.
        first: Its first line.
        header: What that says, once there is a beat.
        beats: What the rank had used so far, thinned out.
    """

    path: Path
    inode: int = 0
    offset: int = 0
    first: dict[str, Any] | None = None
    header: Header | None = None
    beats: list[Beat] = field(default_factory=list)

    def read(self) -> None:
        """Read what is new in it; a line that is not whole yet is left for later."""
        try:
            with self.path.open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                if inode != self.inode:
                    self.inode, self.offset, self.first = inode, 0, None
                file.seek(self.offset)
                data = file.read()
        except OSError:
            return
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        for line in whole.splitlines():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            values = json.loads(line)
            if self.first is None:
                self.first = values
                return
            part: RankPart = part_of(self.first, values)
        except (ValueError, TypeError, RecordError):
            return
        self.header = part.header
        self.add(part.beat)

    def add(self, beat: Beat) -> None:
        """Take a beat that is newer than the last one."""
        if not self.beats or beat.ns > self.beats[-1].ns:
            self.beats.append(beat)
        if len(self.beats) > MOST_BEATS:
            # Every beat has the totals so far, so that those in between may go.
            self.beats = [*self.beats[:-1:2], self.beats[-1]]


class FollowedRun:
    """One run as its journals tell it so far.

    Args:
        folder: Its folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, RankFile] = {}

    def read(self) -> None:
        """Read what is new."""
        for path in journals_of(self.folder):
            self._files.setdefault(path, RankFile(path)).read()

    @property
    def writers(self) -> list[tuple[str, int]]:
        """The hosts and processes that write."""
        firsts = [file.first for file in self._files.values() if isinstance(file.first, dict)]
        return [(str(one.get("host_id")), one["pid"]) for one in firsts if isinstance(one.get("pid"), int)]

    @property
    def journals(self) -> list[RankJournal]:
        """What each rank has written that has written a beat."""
        return [RankJournal(file.header, tuple(file.beats)) for file in self._files.values() if file.header is not None]

    @property
    def seconds(self) -> float:
        """How long it has trained, by the rank that is known the least far."""
        return min((training_seconds(one.beats[-1]) for one in self.journals), default=0.0)

    @property
    def steps(self) -> int:
        """How many steps have ended."""
        return max((one.beats[-1].steps for one in self.journals), default=0)

    @property
    def watts(self) -> float | None:
        """The mean power of the last seconds of training; ``None`` where that is not known yet."""
        return watts_now(self.journals)


class Follower:
    """The runs that a program begins.

    Args:
        ledger: The folder of all runs; what is in it now is of others.
        is_ours: Whether a process is one of the program's, by its host's id and its number.
    """

    def __init__(self, ledger: Path, is_ours: Callable[[str, int], bool]) -> None:
        self._ledger = ledger
        self._is_ours = is_ours
        self._seen: dict[str, int] = {}
        self._others = set(self._changed())
        self._ours: dict[Path, FollowedRun] = {}
        self._new: set[Path] = set()

    def read(self) -> None:
        """Look for new runs, and read what is new of those that are known."""
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
        """The run that has trained the longest, of those that count steps where any does; ``None`` without any."""
        return max(self._ours.values(), key=lambda run: (run.steps > 0, run.seconds), default=None)

    def _changed(self) -> set[Path]:
        """The runs of the projects that runs have come to since this was last asked: a ledger may have thousands."""
        found: set[Path] = set()
        try:
            with os.scandir(self._ledger) as projects:
                for project in projects:
                    stamp = project.stat().st_mtime_ns
                    if project.is_dir() and self._seen.get(project.path) != stamp:
                        # File times go by the tick: another run may yet come within this one.
                        if time.time_ns() - stamp > NANOSECONDS_PER_SECOND:
                            self._seen[project.path] = stamp
                        with os.scandir(project) as entries:
                            found.update(Path(run.path) for run in entries if run.is_dir())
        except OSError:
            pass  # the ledger, or a project of it, is made when it is first needed
        return found


def measured_runs(ledger: Path, project: str | None = None) -> list[Path]:
    """The measurements in a ledger, the oldest first."""
    pattern = f"{'*' if project is None else project}/*/{MEASUREMENT_FILE}"
    return sorted(ledger.glob(pattern), key=lambda path: path.parent.name)
