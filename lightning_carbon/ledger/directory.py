"""A folder of runs: ``<root>/<project>/<run id>/record.json``, each written all or nothing."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_carbon.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD_FILE = "record.json"
JOURNALS = "rank-*.jsonl"
MOST_JOURNAL_BYTES = 1_000_000
"""A journal is begun anew with its last line when it is larger: a week of beats would take hundreds of megabytes."""
_TAIL_BYTES = 16_384


class DirectoryRunStore:
    """Keeps every run in a folder of its own: ``<root>/<project>/<run id>``.

    Args:
        root: The folder of all runs; made when it is first needed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, project: str, run_id: str) -> Path:
        """The folder of a run, whether it is there or not."""
        return self._root / project / run_id

    def save(self, record: Mapping[str, object]) -> str:
        """Write the record of a run, replacing an earlier one, all or nothing.

        Returns:
            The path of the file.

        Raises:
            LedgerError: It could not be written; an earlier record is still whole.
        """
        path = self.folder(str(record["project"]), str(record["run_id"])) / RECORD_FILE
        write_json(path, record)
        return str(path)

    def open_lines(self, project: str, run_id: str, name: str) -> FileLines:
        """Open a file of lines in the folder of a run, empty.

        Raises:
            LedgerError: It cannot be written.
        """
        return FileLines(self.folder(project, run_id) / name)

    def open_journal(self, project: str, run_id: str, rank: int, header: str) -> JournalFile:
        """Open the journal of a rank, with its first line.

        Raises:
            LedgerError: It cannot be written.
        """
        return JournalFile(self.folder(project, run_id) / f"rank-{rank:05d}.jsonl", header)

    def read_journals(self, project: str, run_id: str) -> list[tuple[str, str]]:
        """The first line and the last whole one of every journal of a run that has two."""
        ends = (read_ends(path) for path in sorted(self.folder(project, run_id).glob(JOURNALS)))
        return [end for end in ends if end is not None]

    def load(self, project: str, run_id: str) -> dict[str, object] | None:
        """The record of a run as it was saved; ``None`` where there is none that can be read."""
        try:
            record = json.loads((self.folder(project, run_id) / RECORD_FILE).read_bytes())
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) else None

    def append_lines(self, project: str, run_id: str, name: str, lines: list[str]) -> None:
        """Add lines to the end of a file in the folder of a run, in one write.

        Raises:
            LedgerError: It cannot be written.
        """
        path = self.folder(project, run_id) / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab", buffering=0) as file:
                # What a kill has left of a line must not spoil the next one.
                torn = file.tell() > 0 and not path.read_bytes().endswith(b"\n")
                file.write(("\n" * torn + "".join(f"{line}\n" for line in lines)).encode())
        except OSError as error:
            raise _trouble(path, error) from error

    def read_lines(self, project: str, run_id: str, name: str) -> list[str]:
        """The whole lines of a file in the folder of a run; none where it is not there."""
        try:
            text = (self.folder(project, run_id) / name).read_bytes().decode("utf-8", "replace")
        except OSError:
            return []
        return text.split("\n")[:-1]


class FileLines:
    """A growing text file that is whole at any moment: a line that could not be written whole is taken back.

    Args:
        path: Where; emptied if it exists.

    Raises:
        LedgerError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first: str | None = None
        self._size = 0
        self._is_torn = False
        self._file: int | None = None
        self._open()

    @property
    def size(self) -> int:
        """How many bytes have been written."""
        return self._size

    def write_lines(self, lines: list[str]) -> None:
        """Append lines; they reach the file before this returns.

        Raises:
            LedgerError: None of them could be written, and the file is as it was before; or it has been removed by
                somebody else, and will begin anew with the first line that it had.
        """
        if self._file is None or not lines:
            return
        if not self.is_there():
            self._close()
            self._open()
            raise _removed(self._path)
        whole = lines if self._size or self._first is None else [self._first, *lines]
        self._append("".join(f"{line}\n" for line in whole).encode("utf-8", "backslashreplace"))
        self._first = self._first if self._first is not None else whole[0]

    def is_there(self) -> bool:
        """Whether this file is still the one of its path: what goes into a removed one is lost without an error."""
        try:
            return self._file is not None and os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            return False

    def move(self, path: Path) -> None:
        """Put it in the place of another, all or nothing.

        Raises:
            OSError: That is not possible; it stays where it was.
        """
        self._path.replace(path)
        self._path = path

    def close(self) -> None:
        """Release the file; further calls do nothing."""
        self._close()

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o666)
        except OSError as error:
            # Stays open in the sense of this class: it is tried again with the next lines.
            self._file = -1
            raise _trouble(self._path, error) from error
        self._size, self._is_torn = 0, False

    def _append(self, data: bytes) -> None:
        """Write all of it or nothing: what is left of a disk may take the half of a line."""
        file = self._file
        assert file is not None  # noqa: S101 - callers have looked
        left = memoryview(b"\n" + data if self._is_torn else data)
        try:
            while left:
                left = left[os.write(file, left) :]
        except OSError as error:
            try:
                os.ftruncate(file, self._size)
            except OSError:
                self._is_torn = True  # the next line begins with the end of this one, which readers pass over
            raise _trouble(self._path, error) from error
        self._size += len(data) + self._is_torn
        self._is_torn = False

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None and file >= 0:
            with contextlib.suppress(OSError):
                os.close(file)


class JournalFile:
    """The journal of one rank: appended to by one process, and begun anew, all or nothing, before it grows large.

    Args:
        path: Where; an older file of that name is replaced.
        header: Its first line.

    Raises:
        LedgerError: It cannot be written.
    """

    def __init__(self, path: Path, header: str) -> None:
        self._path = path
        self._header = header
        self._lines: FileLines | None = None
        self._begin([])

    def write_lines(self, lines: list[str]) -> None:
        """Append lines; they reach the file before this returns.

        Raises:
            LedgerError: They could not be written, and the journal is as it was before; or it has been removed by
                somebody else, and begins anew with the last of them.
        """
        if self._lines is None or not lines:
            return
        if not self._lines.is_there():
            self._begin(lines[-1:])
            raise _removed(self._path)
        if self._lines.size > MOST_JOURNAL_BYTES:
            with contextlib.suppress(LedgerError):  # where there is no room for another, the old one goes on
                self._begin(lines[-1:])
                return
        self._lines.write_lines(lines)

    def close(self) -> None:
        """Release the file; further calls do nothing."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def _begin(self, lines: list[str]) -> None:
        """Write the first line and some others into a new file and put it in the place of the old one."""
        scratch = scratch_beside(self._path)
        fresh = FileLines(scratch)
        try:
            fresh.write_lines([self._header, *lines])
            fresh.move(self._path)
        except OSError as error:
            fresh.close()
            with contextlib.suppress(OSError):
                scratch.unlink()
            raise error if isinstance(error, LedgerError) else _trouble(self._path, error) from error
        if self._lines is not None:
            self._lines.close()
        self._lines = fresh


def scratch_beside(path: Path) -> Path:
    """A name that no other process, thread or host takes, for what is to replace a file."""
    return path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")


def read_first(path: Path) -> str:
    """The first line of a file; empty where it is torn.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        first = file.readline()
    return first.decode("utf-8", "replace").rstrip("\n") if first.endswith(b"\n") else ""


def read_ends(path: Path) -> tuple[str, str] | None:
    """The first line and the last whole one of a file, however long it is; ``None`` where it has not two.

    What a kill has left of a line, without its end, is no line.
    """
    try:
        with path.open("rb") as file:
            first = file.readline()
            size = file.seek(0, os.SEEK_END)
            reach = _TAIL_BYTES
            while True:
                start = max(len(first), size - reach)
                file.seek(start)
                lines = file.read(size - start).split(b"\n")
                whole = lines[:-1] if start == len(first) else lines[1:-1]
                if whole or start == len(first):
                    break
                reach *= 8
    except OSError:
        return None
    if not first.endswith(b"\n") or not whole:
        return None
    return first.decode("utf-8", "replace").rstrip("\n"), whole[-1].decode("utf-8", "replace")


def write_json(path: Path, mapping: Mapping[str, object]) -> None:
    """Write a JSON file all or nothing: a reader finds the old one or the new one, whole.

    Raises:
        LedgerError: It could not be written.
    """
    scratch = scratch_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8") as file:
            json.dump(mapping, file, indent=2, allow_nan=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise _trouble(path, error) from error
    except (TypeError, ValueError) as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        message = f"{path} cannot be written: not plain values: {error}"
        raise LedgerError(message) from error


def _removed(path: Path) -> LedgerError:
    """What is said of a file that was removed while it was written."""
    return LedgerError(f"{path} was removed while the run went on")


def _trouble(path: Path, error: OSError) -> LedgerError:
    return LedgerError(f"{path} cannot be written: {error.strerror or error}")
