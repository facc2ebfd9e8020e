"""The calls by which a ledger reaches its disk, in a single class, where tests can make each of them fail."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from pathlib import Path


class Disk:
    """The file system of this machine. Every method may raise :class:`OSError`."""

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
        path.replace(other)

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
