"""Carrying runs from one ledger into another, each all or nothing, and deleting them.

A run is the same run wherever it lies: its project and its id say so. Hosts that keep ledgers of their own may each
have some ranks of it; the journals of all of them, in one folder, make one record.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.directory import RECORD_FILE, DirectoryRunStore
from lightning_carbon.ledger.files import open_to_read, trouble_of
from lightning_carbon.ledger.finality import Finality, finality_of
from lightning_carbon.ledger.journals import journals_of
from lightning_carbon.ledger.query import read_record
from lightning_carbon.ledger.tags import TAGS_FILE, read_tags, write_tags
from lightning_carbon.records.mapping import to_mapping

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.records.run import RunRecord

_SCRATCH: Final = ".incoming-"
_DOOMED: Final = ".deleted-"


class Carried(Enum):
    """What became of a run that was carried into a ledger."""

    NEW = auto()
    """The ledger did not have it."""
    COMPLETED = auto()
    """The ledger had some of it, and has more now."""
    KNOWN = auto()
    """The ledger had all of it."""


def carry(source: Path, target: Path) -> Carried:
    """Copy the folder of a run into another ledger, or what that ledger lacks of it.

    Args:
        source: The folder of the run.
        target: Its folder in the other ledger, there or not.

    Raises:
        LedgerError: It could not be copied; the other ledger is as it was.
    """
    try:
        if not target.exists():
            _copy_whole(source, target)
            return Carried.NEW
        return Carried.COMPLETED if _complete(source, target) else Carried.KNOWN
    except OSError as error:
        raise trouble_of(target, error) from error


def add(root: Path, record: RunRecord) -> bool:
    """Put the record of a run into a ledger that does not have the run yet.

    Returns:
        Whether the ledger did not have it.

    Raises:
        LedgerError: It could not be written.
    """
    store = DirectoryRunStore(root)
    if store.load(record.project, record.run_id) is not None:
        return False
    store.save(to_mapping(record))
    return True


def remove(folder: Path) -> None:
    """Delete the folder of a run: first it is no run any more, then its files go.

    Raises:
        LedgerError: It could not be deleted.
    """
    doomed = folder.with_name(f"{_DOOMED}{folder.name}.{os.urandom(4).hex()}")
    try:
        folder.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise trouble_of(folder, error) from error
    with contextlib.suppress(OSError):
        folder.parent.rmdir()  # a project without runs is none


def _copy_whole(source: Path, target: Path) -> None:
    scratch = target.with_name(f"{_SCRATCH}{target.name}.{os.urandom(4).hex()}")
    try:
        scratch.mkdir(parents=True)
        for path in _files(source):
            _copy(path, scratch / path.name)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _complete(source: Path, target: Path) -> bool:
    """Add what a folder lacks of a run: journals of other ranks, a record that knows more, tags."""
    has_more = False
    mine = {rank for rank, _ in journals_of(target)}
    for rank, path in journals_of(source):
        if rank not in mine:
            _put(path, target / path.name)
            has_more = True
    if _knows_more(source / RECORD_FILE, target / RECORD_FILE):
        for path in _files(source):
            if path.name != TAGS_FILE and not path.name.startswith("rank-"):
                _put(path, target / path.name)
        has_more = True
    with contextlib.suppress(RecordError):
        tags, known = read_tags(source), read_tags(target)
        if not {*tags} <= {*known}:
            write_tags(target, [*tags, *known])
            has_more = True
    return has_more


def _knows_more(source: Path, target: Path) -> bool:
    """Whether a record knows more of a run than another: more ranks, or its end."""
    try:
        found = read_record(source)
    except (OSError, RecordError):
        return False
    try:
        known = read_record(target)
    except (OSError, RecordError):
        return True
    return _weight(found) > _weight(known)


def _weight(record: RunRecord) -> tuple[int, bool, float]:
    return len(record.ranks), finality_of(record) is not Finality.OPEN, record.duration_seconds


def _files(folder: Path) -> list[Path]:
    """The files of a run that are carried; scratch files and anything that is no file stay."""
    return sorted(path for path in folder.iterdir() if path.name[0] != "." and path.is_file())


def _put(source: Path, target: Path) -> None:
    """Copy a file into the place of another, all or nothing."""
    scratch = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        _copy(source, scratch)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a file with its time, by which silence is judged."""
    facts = source.stat()
    with open_to_read(source) as file, target.open("xb") as copy:
        shutil.copyfileobj(file, copy)
    os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))
