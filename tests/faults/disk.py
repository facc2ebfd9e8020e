"""A disk that fails at its n-th call, in one of several ways, and a machine that stops there.

What is on it is on the real disk, so that the real readers read it afterwards.
"""

from __future__ import annotations

import errno
import os
from enum import Enum, auto
from pathlib import Path
from typing import BinaryIO

from lightning_carbon.ledger.disk import Disk


class Fault(Enum):
    """What happens at the n-th call."""

    ONCE = auto()
    """An error of input or output; the next call goes well."""
    FOR_GOOD = auto()
    """There is no room any more, from this call on, for what needs room."""
    SHORT = auto()
    """A write takes a part of the data, and the rest later."""
    TORN = auto()
    """A write takes a part of the data, and then there is no room any more."""
    KILL = auto()
    """The process is killed in the middle of the call: what it has written by then is there."""
    POWER_CUT = auto()
    """The machine stops: what was not synchronised is lost."""


NEEDS_ROOM = {"open", "write", "make_folder", "replace"}


class Killed(BaseException):
    """The process is gone; derived so that nothing takes it for an error."""


class FaultyDisk(Disk):
    """A disk that fails at one call.

    Args:
        root: The folder of all files that are written.
        fault: What happens.
        at: At which call, counted from 0; ``None`` for none.
    """

    def __init__(self, root: Path, fault: Fault, at: int | None) -> None:
        super().__init__()
        self._root = root
        self._fault = fault
        self._at = at
        self._is_full = self._is_dead = False
        self._synced: dict[int, bytes] = {}
        self.calls: list[str] = []

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """Open a file, or fail."""
        self._call("open" if flags & os.O_CREAT else "open to read")
        file = super().open(path, flags, mode)
        self._synced.setdefault(os.fstat(file).st_ino, b"")
        return file

    def reader(self, file: int) -> BinaryIO:
        """Read a file, or fail."""
        try:
            self._call("read")
        except BaseException:
            os.close(file)
            raise
        return super().reader(file)

    def write(self, file: int, data: memoryview) -> int:
        """Write, or fail, or write a part."""
        if self._is_at_fault and self._fault in {Fault.SHORT, Fault.TORN, Fault.KILL}:
            self.calls.append("write")
            self._is_full = self._fault is Fault.TORN
            self._is_dead = self._fault is Fault.KILL
            written = super().write(file, data[: len(data) // 2])
            self._check_alive()
            return written
        self._call("write")
        return super().write(file, data)

    def sync(self, file: int) -> None:
        """Note what would survive a power cut, or fail; the real disk need not be waited for."""
        self._call("sync")
        self._synced[os.fstat(file).st_ino] = Path(f"/proc/self/fd/{file}").read_bytes()

    def truncate(self, file: int, size: int) -> None:
        """Cut a file, or fail."""
        self._call("truncate")
        super().truncate(file, size)

    def close(self, file: int) -> None:
        """Close a file, and then maybe fail: after an error the descriptor is gone, too."""
        super().close(file)
        self._call("close")

    def replace(self, path: Path, other: Path) -> None:
        """Move a file, or fail."""
        self._call("replace")
        super().replace(path, other)

    def unlink(self, path: Path) -> None:
        """Remove a file, or fail."""
        self._call("unlink")
        super().unlink(path)

    def make_folder(self, path: Path) -> None:
        """Make a folder, or fail."""
        self._call("make_folder")
        super().make_folder(path)

    def end(self) -> None:
        """End the machine: after a power cut, every file has what was synchronised."""
        if self._fault is not Fault.POWER_CUT:
            return
        for path in self._root.rglob("*"):
            if path.is_file():
                path.write_bytes(self._synced.get(path.stat().st_ino, b""))

    def revive(self) -> None:
        """Do whatever is asked from now on, so that a test can tidy up."""
        self._is_dead = self._is_full = False
        self._at = None

    @property
    def _is_at_fault(self) -> bool:
        return len(self.calls) == self._at and not self._is_dead

    def _call(self, name: str) -> None:
        self._check_alive()
        is_at_fault = self._is_at_fault
        self.calls.append(name)
        if is_at_fault and self._fault in {Fault.KILL, Fault.POWER_CUT}:
            self._is_dead = True
            self._check_alive()
        if is_at_fault and self._fault is Fault.ONCE:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if is_at_fault and self._fault in {Fault.FOR_GOOD, Fault.TORN}:
            self._is_full = True
        if self._is_full and name in NEEDS_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _check_alive(self) -> None:
        if self._is_dead:
            raise Killed
