"""The files that grow during a run: a list of lines, and the journal of a rank.

Both are whole at any moment, whatever happens to the disk or to their folder.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import LedgerError
from lightning_carbon.ledger.disk import DISK, Disk
from lightning_carbon.ledger.files import open_to_write, scratch_beside, trouble_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_JOURNAL_BYTES: Final = 1_000_000
"""The size at which a journal is begun anew with its last line; a week of beats would take hundreds of megabytes."""


class FileLines:
    """A growing text file that is whole at any moment, as lines written in part are removed again.

    Args:
        path: Where; emptied if it exists.
        disk: The disk.

    Raises:
        LedgerError: It cannot be written.
    """

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self._path = path
        self._disk = disk
        self._first: str | None = None
        self._size = 0
        self._is_torn = False
        self._file: int | None = None
        self._open()

    @property
    def size(self) -> int:
        """The number of bytes written."""
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
        """Whether the open file is still at its path, since lines in a removed file are lost without an error."""
        try:
            return self._file is not None and os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            return False

    def move(self, path: Path, over: FileLines | None = None) -> None:
        """Put the file in the place of another, all or nothing.

        Args:
            path: Its new place.
            over: The file there, where it is open.

        Raises:
            OSError: That is not possible; it stays where it was.
        """
        try:
            self._disk.replace(self._path, path)
        except PermissionError:
            with self.released(), contextlib.nullcontext() if over is None else over.released():
                self._disk.replace(self._path, path)
                self._path = path
        self._path = path

    @contextlib.contextmanager
    def released(self) -> Iterator[None]:
        """Close the file in a ``with`` block: Windows moves no file that is open, and none in the place of such a file.

        Raises:
            OSError: It cannot be opened again; the next lines find that it is gone.
        """
        is_there = self.is_there()
        if is_there:
            self._close()
        try:
            yield
        finally:
            if is_there:
                self._file = -1
                self._file = open_to_write(self._path, os.O_WRONLY | os.O_APPEND, self._disk)

    def close(self) -> None:
        """Release the file; further calls do nothing."""
        self._close()

    def _open(self) -> None:
        try:
            self._disk.make_folder(self._path.parent)
            self._file = open_to_write(self._path, os.O_WRONLY | os.O_APPEND | os.O_TRUNC, self._disk)
        except OSError as error:
            # The object counts as open: opening is tried again with the next lines.
            self._file = -1
            raise trouble_of(self._path, error) from error
        self._size, self._is_torn = 0, False

    def _append(self, data: bytes) -> None:
        """Write all of the data or nothing: a nearly full disk may take half a line."""
        file = self._file
        assert file is not None  # noqa: S101 - callers have looked
        try:
            self._disk.write_all(file, b"\n" + data if self._is_torn else data)
        except OSError as error:
            try:
                self._disk.truncate(file, self._size)
            except OSError:
                self._is_torn = True  # the next write begins with the missing line end; readers skip the torn line
            raise trouble_of(self._path, error) from error
        self._size += len(data) + self._is_torn
        self._is_torn = False

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None and file >= 0:
            with contextlib.suppress(OSError):
                self._disk.close(file)


class JournalFile:
    """The journal of a rank: appended to by a single process, and begun anew, all or nothing, before it grows large.

    Args:
        path: Where; an older file of that name is replaced.
        header: Its first line.
        disk: The disk.

    Raises:
        LedgerError: It cannot be written.
    """

    def __init__(self, path: Path, header: str, disk: Disk = DISK) -> None:
        self._path = path
        self._disk = disk
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
            with contextlib.suppress(LedgerError):  # where the disk has no room for another, the old journal goes on
                self._begin(lines[-1:])
                return
        self._lines.write_lines(lines)

    def close(self) -> None:
        """Release the file; further calls do nothing."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def _begin(self, lines: list[str]) -> None:
        """Write the first line and some others into a new file, and put it in the place of the old."""
        scratch = scratch_beside(self._path)
        fresh = FileLines(scratch, self._disk)
        try:
            fresh.write_lines([self._header, *lines])
            fresh.move(self._path, self._lines)
        except OSError as error:
            fresh.close()
            with contextlib.suppress(OSError):
                self._disk.unlink(scratch)
            raise error if isinstance(error, LedgerError) else trouble_of(self._path, error) from error
        if self._lines is not None:
            self._lines.close()
        self._lines = fresh


def _removed(path: Path) -> LedgerError:
    """The error for a file that was removed while it was written."""
    return LedgerError(f"{path} was removed while the run went on")
