"""The one door to the files of a ledger, in whose place anybody may have put anything.

Only regular files are opened: a FIFO would hang its reader, and a device may have no end. Reads are bounded, and a
sparse file that claims to be larger is refused. A file that is appended to or emptied is never reached through a link,
and a file is replaced as a whole or not at all.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from typing import TYPE_CHECKING, BinaryIO, Final, NoReturn

from lightning_carbon.errors import LedgerError, RecordError
from lightning_carbon.ledger.disk import DISK, Disk
from lightning_carbon.systems import NO_LINK, OPEN_FLAGS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

MOST_RECORD_BYTES: Final = 32 * 2**20
"""The most bytes of a record that are read; a record of ten thousand ranks with a GPU each has about a third."""
LEFT_OVER_SECONDS: Final = 60.0
"""The age from which on a scratch file was left by a killed writer; no writer takes so long to move it into place."""

_SCRATCH: Final = r"\.(.+)\.(\d+)\.[0-9a-f]{8}\.tmp"
_SCRATCH_END: Final = ".tmp"
_KINDS: Final = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def open_to_read(path: Path, disk: Disk = DISK) -> BinaryIO:
    """Open a file to read it; links to regular files are followed.

    Raises:
        OSError: It cannot be opened; a :class:`~lightning_carbon.errors.LedgerError` if it is no regular file.
    """
    _check_regular(path.stat())  # opening a device may already do something to it
    file = disk.open(path, os.O_RDONLY | OPEN_FLAGS)
    return disk.reader(_regular(file))


def open_to_write(path: Path, flags: int, disk: Disk = DISK, *, mode: int = 0o666) -> int:
    """Open a file to write it, made if it is not there; a link in its place is not followed.

    Args:
        path: Where.
        flags: Further flags of ``os.open``, such as ``os.O_APPEND``.
        disk: The disk.
        mode: Who may do what with a file that is made, as far as the process's mask allows.

    Returns:
        The descriptor.

    Raises:
        OSError: It cannot be opened; a :class:`~lightning_carbon.errors.LedgerError` if it is no regular file.
    """
    if not NO_LINK and path.is_symlink():
        message = "it is a link, where a file should be"
        raise LedgerError(message)
    return _regular(disk.open(path, flags | os.O_CREAT | NO_LINK | OPEN_FLAGS, mode))


def read_whole(path: Path, most: int, disk: Disk = DISK) -> bytes:
    """Read a file of a bounded size.

    Raises:
        OSError: It cannot be read; a :class:`~lightning_carbon.errors.LedgerError` if it is no regular file, or larger.
    """
    with open_to_read(path, disk) as file:
        check_size(file, most)
        return file.read(most)


def check_size(file: BinaryIO, most: int) -> int:
    """The size of a file that is open, in bytes.

    Raises:
        LedgerError: It has too many bytes to be read.
    """
    size = os.fstat(file.fileno()).st_size
    if size > most:
        message = f"it has {size:,} bytes, and no more than {most:,} are read"
        raise LedgerError(message)
    return size


def parse_json(data: bytes | str) -> object:
    """Parse JSON, which has neither NaN nor infinities.

    Raises:
        RecordError: It is something else.
    """
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except RecursionError:
        message = "no JSON that can be read: it is nested too deeply"
    except ValueError as error:
        message = f"no JSON: {error}"
    raise RecordError(message)


def read_json(path: Path, most: int = MOST_RECORD_BYTES, *, disk: Disk = DISK) -> object:
    """Read a file of JSON.

    Raises:
        OSError: It cannot be read; a :class:`~lightning_carbon.errors.LedgerError` if it is no regular file, or larger.
        RecordError: It holds something else.
    """
    return parse_json(read_whole(path, most, disk))


def to_json(mapping: Mapping[str, object], indent: int | None = None) -> str:
    """Write plain values as JSON for every reader: only finite numbers, only whole characters.

    Raises:
        LedgerError: They are no plain values.
    """
    separators = (",", ":") if indent is None else None
    try:
        text = json.dumps(mapping, indent=indent, separators=separators, allow_nan=False)
        if "\\ud" in text:  # a whole pair or a half: names of files and hosts may not be UTF-8
            clean = json.loads(text, object_pairs_hook=_whole_pairs)
            text = json.dumps(clean, indent=indent, separators=separators)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"not plain values: {error}"
        raise LedgerError(message) from error
    return text.replace("\x7f", "\\u007f")  # the only control character that JSON leaves as it is


def write_json(path: Path, mapping: Mapping[str, object], *, disk: Disk = DISK, mode: int = 0o666) -> None:
    """Write a JSON file all or nothing: a reader finds the old file or the new, whole.

    Args:
        path: Where.
        mapping: What is written.
        disk: The disk.
        mode: Who may do what with it, as far as the process's mask allows.

    Raises:
        LedgerError: It could not be written.
    """
    scratch = scratch_beside(path)
    try:
        data = f"{to_json(mapping, indent=2)}\n".encode()
        disk.make_folder(path.parent)
        file = open_to_write(scratch, os.O_WRONLY | os.O_EXCL, disk, mode=mode)
        try:
            disk.write_all(file, data)
            disk.sync(file)
        finally:
            disk.close(file)
        disk.replace(scratch, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            disk.unlink(scratch)
        raise trouble_of(path, error) from error
    with contextlib.suppress(OSError):
        clear_left_over(path.parent, path.stat().st_mtime, name=path.name, disk=disk)


def scratch_beside(path: Path) -> Path:
    """A name that no other process, thread or host takes, for the file that will replace another."""
    return path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")


def clear_left_over(folder: Path, now: float, dead: Collection[int] = (), *, name: str = "", disk: Disk = DISK) -> None:
    """Remove scratch files that killed writers have left in a folder. Never raises.

    Args:
        folder: The folder of a run.
        now: The time of its file system, in seconds since 1970.
        dead: The numbers of writers that are known to be gone; of others, only what is old is removed.
        name: The file that they were to replace; any by default.
        disk: The disk.
    """
    for writer, path in list(_scratches(folder, name)):
        with contextlib.suppress(OSError):
            if writer in dead or now - path.lstat().st_mtime > LEFT_OVER_SECONDS:
                disk.unlink(path)


def trouble_of(path: Path, error: OSError) -> LedgerError:
    """The error for a file that cannot be written."""
    return LedgerError(f"{path} cannot be written: {error.strerror or error}")


def _scratches(folder: Path, of: str) -> Iterator[tuple[int, Path]]:
    """The files that were to replace one, or any, each with the number of the process that writes it, or did."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = re.fullmatch(_SCRATCH, entry.name) if entry.name.endswith(_SCRATCH_END) else None
            if name is not None and of in {"", name[1]}:
                yield int(name[2]), folder / entry.name


def _regular(file: int) -> int:
    """The descriptor of a regular file; any other is closed and refused."""
    try:
        _check_regular(os.fstat(file))
    except OSError:
        os.close(file)
        raise
    return file


def _check_regular(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        message = f"it is {_KINDS.get(stat.S_IFMT(facts.st_mode), 'something else')}, where a file should be"
        raise LedgerError(message)


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is no number"
    raise ValueError(message)


def _whole_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {_whole(key): _whole_value(value) for key, value in pairs}


def _whole_value(value: object) -> object:
    if isinstance(value, list):
        return [_whole_value(item) for item in value]
    return _whole(value) if isinstance(value, str) else value


def _whole(text: str) -> str:
    """A text with a question mark for each half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def reason_of(error: OSError) -> str:
    """What the system says of a failed write, without the path, which may name a person."""
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    return cause.strerror or type(cause).__name__
