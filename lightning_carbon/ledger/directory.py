"""A folder of runs: ``<root>/<project>/<run id>/record.json``, each record written all or nothing."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import LedgerError, RecordError
from lightning_carbon.ledger.disk import DISK, Disk
from lightning_carbon.ledger.files import (
    check_size,
    clear_left_over,
    open_to_read,
    open_to_write,
    read_json,
    read_whole,
    trouble_of,
    write_json,
)
from lightning_carbon.ledger.journals import journal_name, journals_of, read_texts
from lightning_carbon.ledger.lines import FileLines, JournalFile
from lightning_carbon.ports import WrittenRun
from lightning_carbon.records.fields import is_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lightning_carbon.ports import JournalText

RECORD_FILE: Final = "record.json"
MOST_LISTING_SECONDS: Final = 0.2
"""How long to look for runs; ours. Ten thousand take about that on the disk of a workstation."""
MOST_LIST_BYTES: Final = 4 * 2**20
"""A list of attempts has about 200 bytes for each; a journal is begun anew long before."""


class DirectoryRunStore:
    """Keeps every run in a folder of its own: ``<root>/<project>/<run id>``.

    Args:
        root: The folder of all runs; made when it is first needed.
        disk: The disk that it lies on.
    """

    def __init__(self, root: Path, disk: Disk = DISK) -> None:
        self._root = root
        self._disk = disk

    def folder(self, project: str, run_id: str) -> Path:
        """The folder of a run, whether it is there or not.

        Raises:
            LedgerError: A name would lead somewhere else.
        """
        for name in (project, run_id):
            if not is_name(name):
                message = f"{name!r:.60} cannot name a folder"
                raise LedgerError(message)
        return self._root / project / run_id

    def save(self, record: Mapping[str, object]) -> str:
        """Write the record of a run in the place of an earlier record, all or nothing.

        Returns:
            The path of the file.

        Raises:
            LedgerError: It could not be written; an earlier record is still whole.
        """
        folder = self.folder(str(record["project"]), str(record["run_id"]))
        path = folder / RECORD_FILE
        write_json(path, record, disk=self._disk)
        with contextlib.suppress(OSError):
            clear_left_over(folder, path.stat().st_mtime, disk=self._disk)
        return str(path)

    def load(self, project: str, run_id: str) -> Mapping[str, object] | None:
        """The record of a run as it was saved; ``None`` where there is none that can be read."""
        try:
            record = read_json(self.folder(project, run_id) / RECORD_FILE, disk=self._disk)
        except (OSError, RecordError):
            return None
        return record if isinstance(record, dict) else None

    def open_lines(self, project: str, run_id: str, name: str) -> FileLines:
        """Open a file of lines in the folder of a run, empty.

        Raises:
            LedgerError: It cannot be written.
        """
        return FileLines(self.folder(project, run_id) / name, self._disk)

    def open_journal(self, project: str, run_id: str, rank: int, *, header: str) -> JournalFile:
        """Open the journal of a rank, with its first line.

        Raises:
            LedgerError: It cannot be written.
        """
        return JournalFile(self.folder(project, run_id) / journal_name(rank), header, self._disk)

    def read_journals(self, project: str, run_id: str, *, rank: int | None = None) -> Sequence[JournalText]:
        """The first line and the last lines of every journal of a run, or of a rank's, in the order of ranks."""
        try:
            return read_texts(self.folder(project, run_id), self._disk, rank)
        except LedgerError:
            return ()

    def list_runs(self, known: Collection[tuple[str, str]]) -> Sequence[WrittenRun]:
        """The runs that have journals, of each project the newest first, as many as can be looked at in a moment."""
        give_up = time.monotonic() + MOST_LISTING_SECONDS
        found: list[WrittenRun] = []
        for project in _names_in(self._root):
            for run_id in sorted(_names_in(self._root / project), reverse=True):
                if (project, run_id) in known:
                    continue
                if time.monotonic() > give_up:
                    return found
                with contextlib.suppress(OSError, ValueError):  # there is none, or it is gone by now
                    journals = journals_of(self._root / project / run_id)
                    found.append(WrittenRun(project, run_id, max(path.stat().st_mtime for _, path in journals)))
        return found

    def append_lines(self, project: str, run_id: str, name: str, *, lines: list[str]) -> None:
        """Add lines to the end of a file in the folder of a run, in one write.

        Raises:
            LedgerError: It cannot be written.
        """
        path = self.folder(project, run_id) / name
        try:
            self._disk.make_folder(path.parent)
            file = open_to_write(path, os.O_RDWR | os.O_APPEND, self._disk)
            try:
                # A line that a kill has torn must not spoil the next.
                text = "\n" * self._is_torn(path) + "".join(f"{line}\n" for line in lines)
                self._disk.write_all(file, text.encode("utf-8", "backslashreplace"))
            finally:
                self._disk.close(file)
        except OSError as error:
            raise trouble_of(path, error) from error

    def read_lines(self, project: str, run_id: str, name: str) -> list[str]:
        """The whole lines of a file in the folder of a run; none where it is not there, or no file."""
        try:
            text = read_whole(self.folder(project, run_id) / name, MOST_LIST_BYTES, self._disk).decode(
                "utf-8", "replace"
            )
        except OSError:
            return []
        return text.split("\n")[:-1]

    def _is_torn(self, path: Path) -> bool:
        """Whether the last line of a file lacks its line end."""
        with open_to_read(path, self._disk) as file:
            size = check_size(file, MOST_LIST_BYTES)
            file.seek(max(0, size - 1))
            return file.read(1) not in {b"", b"\n"}


def _names_in(folder: Path) -> list[str]:
    """The names of the entries of a folder that may be folders of this ledger; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if is_name(entry.name) and not entry.name.startswith(".")]
    except OSError:
        return []
