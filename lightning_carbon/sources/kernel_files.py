"""Small files of the kernel, read without ever blocking: a line of text, or a number that changes.

In a container anything may be mounted in their place, so a pipe, a folder and undecodable text are each reported.
"""

from __future__ import annotations

import errno
import os
import stat
import weakref
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.systems import OPEN_FLAGS, read_at
from lightning_carbon.units import Energy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lightning_carbon.energy.readings import Sensor

Opener = Callable[[str, int], int]
"""A function that opens a file, as :func:`os.open` does."""

_MOST_BYTES: Final = 256
_LOST: Final = {errno.ENODEV, errno.ENXIO, errno.ENODATA, errno.ENOENT, errno.EBADF, errno.ESTALE}


class NumberFile:
    """A file with a whole number, kept open to make a reading a single system call.

    Args:
        path: The file.
        opener: Opens it, as :func:`os.open` does.
        what: The quantity, for people.
        least: The least possible number.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path, opener: Opener = os.open, *, what: str = "number", least: int = 0) -> None:
        self.path = str(path)
        self._opener = opener
        self._what = what
        self._least = least
        self._open()

    def _open(self) -> None:
        self._descriptor = open_regular(self.path, self._opener)
        self._close = weakref.finalize(self, os.close, self._descriptor)

    def read(self) -> int:
        """Read the present number.

        Raises:
            ReadFailed: The text is no such number, or the kernel failed this time.
            SourceLost: The file is gone.
        """
        try:
            if os.fstat(self._descriptor).st_nlink == 0:  # replaced by another file, or deleted
                self._close()
                self._open()
            text = read_at(self._descriptor, 64)
        except OSError as error:
            kind = SourceLost if error.errno in _LOST else ReadFailed
            raise kind(f"{self.path}: {error.strerror}") from error
        try:
            number = int(text)
        except ValueError:
            number = self._least - 1
        if number < self._least:
            raise ReadFailed(f"{self.path}: {text!r} is no {self._what}")
        return number


class FileCounter:
    """An energy that the kernel counts in a file; an :class:`~lightning_carbon.ports.EnergyCounter`.

    Args:
        sensor: What it covers.
        path: The file with the count of microjoules, such as powercap's ``energy_uj``.
        opener: What opens it.

    Raises:
        OSError: The file cannot be opened.
    """

    watch: object = None
    """What looks for other programs on the same hardware, where something does."""

    def __init__(self, sensor: Sensor, path: Path, opener: Opener = os.open) -> None:
        self._sensor = sensor
        self._file = NumberFile(path, opener, what="count of microjoules")

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_energy(self) -> Energy:
        """Read the count.

        Raises:
            ReadFailed: The text is no count, or the kernel failed this time.
            SourceLost: The file is gone.
        """
        return Energy(self._file.read())


def open_regular(path: str, opener: Opener = os.open) -> int:
    """Open a regular file for reading; opening a pipe would wait for a process that writes to it.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """
    descriptor = opener(path, os.O_RDONLY | OPEN_FLAGS)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, "not a regular file", path)


def read_small(path: Path, opener: Opener = os.open, *, most_bytes: int = _MOST_BYTES) -> str:
    """The text of a small file, usually a single short line, without the line end.

    Raises:
        OSError: It cannot be read, or is no regular file.
        UnicodeDecodeError: It is no text.
    """
    with _opened(str(path), opener) as descriptor:
        return read_at(descriptor, most_bytes).decode().strip()


def read_count(path: Path, opener: Opener = os.open) -> int | None:
    """The number in a file, where it is above zero."""
    try:
        number = int(read_small(path, opener))
    except (OSError, ValueError):
        return None
    return number if number > 0 else None


def reason_of(error: Exception) -> str:
    """The reason of an error, in a few words."""
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)


@contextmanager
def _opened(path: str, opener: Opener) -> Iterator[int]:
    descriptor = open_regular(path, opener)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
