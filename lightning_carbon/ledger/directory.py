"""A folder of runs: ``<root>/<project>/<run id>/record.json``, each written all or nothing."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lightning_carbon.errors import ConfigError, LedgerError

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD_FILE = "record.json"
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
        ends = (read_ends(path) for path in sorted(self.folder(project, run_id).glob("rank-*.jsonl")))
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
    """A growing text file.

    Args:
        path: Where; emptied if it exists.

    Raises:
        LedgerError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO | None = path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise _trouble(path, error) from error

    def write_lines(self, lines: list[str]) -> None:
        """Append lines; they reach the file before this returns.

        Raises:
            LedgerError: They could not be written.
        """
        if self._file is None:
            return
        try:
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()
        except OSError as error:
            raise _trouble(self._path, error) from error

    def close(self) -> None:
        """Release the file; further calls do nothing."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


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
            LedgerError: They could not be written.
        """
        if self._lines is None or not lines:
            return
        if self._size > MOST_JOURNAL_BYTES:
            self._begin(lines[-1:])
            return
        self._lines.write_lines(lines)
        self._size += sum(len(line) + 1 for line in lines)

    def close(self) -> None:
        """Release the file; further calls do nothing."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def _begin(self, lines: list[str]) -> None:
        """Write the first line and some others into a new file and put it in the place of the old one."""
        scratch = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        fresh = FileLines(scratch)
        try:
            fresh.write_lines([self._header, *lines])
            scratch.replace(self._path)
        except OSError as error:
            fresh.close()
            raise _trouble(self._path, error) from error
        if self._lines is not None:
            self._lines.close()
        self._lines = fresh
        self._size = sum(len(line) + 1 for line in (self._header, *lines))


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
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
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


def check_writable(folder: Path) -> Path:
    """Check that a folder can be made or written, making nothing yet.

    Returns:
        The folder, absolute.

    Raises:
        ConfigError: It cannot.
    """
    absolute = folder.expanduser().absolute()
    nearest = absolute
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(
            "ledger",
            str(folder),
            f"{nearest} is no folder that can be written; give another one, or set LIGHTNING_CARBON_LEDGER.",
        )
    return absolute


def _trouble(path: Path, error: OSError) -> LedgerError:
    return LedgerError(f"{path} cannot be written: {error.strerror or error}")
