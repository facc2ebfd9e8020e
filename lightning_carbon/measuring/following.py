"""Following the runs that a program meters itself, by the journals that they append to in the ledger.

Nothing is asked of the training: its journals are read as they grow. A journal that is begun anew, as long ones are,
goes on with its last line, and is read from its beginning again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.recovery import journals_of
from lightning_carbon.records.journal import RankPart, part_of
from lightning_carbon.study.journals import Journal, training_seconds, watts_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lightning_carbon.records.journal import Beat, Header

MEASUREMENT_FILE: Final = "measurement.json"


@dataclass(slots=True)
class _File:
    """One journal, as far as it was read."""

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
        if not self.beats or part.beat.ns > self.beats[-1].ns:
            self.beats.append(part.beat)


class FollowedRun:
    """One run as its journals tell it so far.

    Args:
        folder: Its folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, _File] = {}

    def read(self) -> None:
        """Read what is new."""
        for path in journals_of(self.folder):
            self._files.setdefault(path, _File(path)).read()

    @property
    def writers(self) -> list[tuple[str, int]]:
        """The hosts and processes that write."""
        firsts = [file.first for file in self._files.values() if isinstance(file.first, dict)]
        return [(str(one.get("host_id")), one["pid"]) for one in firsts if isinstance(one.get("pid"), int)]

    @property
    def journals(self) -> list[Journal]:
        """What each rank has written that has written a beat."""
        return [Journal(file.header, tuple(file.beats)) for file in self._files.values() if file.header is not None]

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
        self._others = set(self._folders())
        self._ours: dict[Path, FollowedRun] = {}

    def read(self) -> None:
        """Look for new runs, and read what is new of those that are known."""
        for folder in self._folders():
            if folder in self._others or folder in self._ours:
                continue
            run = FollowedRun(folder)
            run.read()
            if any(self._is_ours(*writer) for writer in run.writers):
                self._ours[folder] = run
            elif run.writers:
                self._others.add(folder)
        for run in self._ours.values():
            run.read()

    @property
    def longest(self) -> FollowedRun | None:
        """The run that has trained the longest; ``None`` as long as nothing is metered."""
        return max(self._ours.values(), key=lambda run: run.seconds, default=None)

    def _folders(self) -> list[Path]:
        try:
            return [
                Path(run.path)
                for project in os.scandir(self._ledger)
                if project.is_dir()
                for run in os.scandir(project)
                if run.is_dir()
            ]
        except OSError:
            return []


def measured_runs(ledger: Path, project: str | None = None) -> list[Path]:
    """The measurements in a ledger, the oldest first."""
    pattern = f"{'*' if project is None else project}/*/{MEASUREMENT_FILE}"
    return sorted(ledger.glob(pattern), key=lambda path: path.parent.name)
