"""The calls by which a ledger reaches its disk, in a single class, where tests can make each of them fail."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_WAITS_SECONDS: Final = (0.01, 0.03, 0.1, 0.3) if os.name == "nt" else ()


class Disk:
    """The file system of this machine. Every method may raise :class:`OSError`.

    Args:
        waits_seconds: How long to wait before each further try to move a file: Windows moves nothing onto a file that
            another program reads just then.
        move: Moves a file in the place of another, all or nothing.
    """

    def __init__(
        self,
        waits_seconds: Sequence[float] = _WAITS_SECONDS,
        *,
        move: Callable[[Path, Path], object] = os.replace,
    ) -> None:
        self._waits_seconds = waits_seconds
        self._move = move

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """Open a file and return its descriptor."""
        return os.open(path, flags, mode)

    def reader(self, file: int) -> BinaryIO:
        """Read a file that is open; closing the reader closes it."""
        return os.fdopen(file, "rb")

    def write(self, file: int, data: memoryview) -> int:
        """Write some of the data, and return the number of bytes."""
        return os.write(file, data)

    def sync(self, file: int) -> None:
        """Wait until the written data would survive a power cut."""
        os.fsync(file)

    def truncate(self, file: int, size: int) -> None:
        """Cut a file to a size."""
        os.ftruncate(file, size)

    def close(self, file: int) -> None:
        """Close a file."""
        os.close(file)

    def replace(self, path: Path, other: Path) -> None:
        """Put a file in the place of another, all or nothing."""
        for wait_seconds in self._waits_seconds:
            try:
                self._move(path, other)
            except PermissionError:
                time.sleep(wait_seconds)
            else:
                return
        self._move(path, other)

    def unlink(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def make_folder(self, path: Path) -> None:
        """Make a folder and its missing parents."""
        path.mkdir(parents=True, exist_ok=True)

    def write_all(self, file: int, data: bytes) -> None:
        """Write all of the data, in as many writes as that takes."""
        left = memoryview(data)
        while left:
            left = left[self.write(file, left) :]


DISK: Final = Disk()
"""The disk of this machine."""
