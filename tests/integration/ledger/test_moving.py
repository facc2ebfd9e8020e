"""Files on a system that moves none that is open, and none in the place of such a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lightning_carbon.errors import LedgerError
from lightning_carbon.ledger.disk import Disk
from lightning_carbon.ledger.files import read_json, write_json
from lightning_carbon.ledger.lines import MOST_JOURNAL_BYTES, JournalFile


class HoldingDisk(Disk):
    """A disk that refuses to move or remove open files, as that of Windows."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: dict[int, Path] = {}

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """Open, and remember what."""
        file = super().open(path, flags, mode)
        self.opened[file] = path
        return file

    def close(self, file: int) -> None:
        """Close, and forget."""
        self.opened.pop(file, None)
        super().close(file)

    def replace(self, path: Path, other: Path) -> None:
        """Move what is not open."""
        if {path, other} & set(self.opened.values()):
            raise PermissionError(13, "it is used by another process")
        super().replace(path, other)


@pytest.mark.parametrize("disk", [Disk(), HoldingDisk()], ids=["any", "holding"])
def test_a_journal_begins_anew_while_it_is_open(tmp_path: Path, disk: Disk) -> None:
    """In the place of the old, with its header and the last line, and goes on from there."""
    path = tmp_path / "rank-00000.jsonl"
    journal = JournalFile(path, "header", disk)
    journal.write_lines(["x" * MOST_JOURNAL_BYTES])
    journal.write_lines(["last"])
    journal.write_lines(["next"])
    journal.close()

    assert ["header", "last", "next"] == path.read_text("utf-8").splitlines()
    assert [path] == list(tmp_path.iterdir())


def test_a_journal_that_cannot_be_moved_goes_on_as_it_is(tmp_path: Path) -> None:
    """Where something else holds the file, the old journal takes the lines."""

    class Held(HoldingDisk):
        is_held = False

        def replace(self, path: Path, other: Path) -> None:
            if self.is_held:
                raise PermissionError(13, "it is used by another process")
            super().replace(path, other)

    disk = Held()
    path = tmp_path / "rank-00000.jsonl"
    journal = JournalFile(path, "header", disk)
    journal.write_lines(["x" * MOST_JOURNAL_BYTES])
    disk.is_held = True
    journal.write_lines(["last"])
    journal.close()

    assert ["header", "last"] == [line for line in path.read_text("utf-8").splitlines() if line[0] != "x"]
    assert [path] == list(tmp_path.iterdir())
    assert {} == disk.opened


def test_a_file_that_another_program_reads_is_replaced_a_moment_later(tmp_path: Path) -> None:
    """The disk tries again as often as it has waits, and then says why not."""
    path = tmp_path / "record.json"
    held = _Refusing(2)
    write_json(path, {"a": 1}, disk=Disk((0.0, 0.0), move=held.move))

    assert {"a": 1} == read_json(path)
    with pytest.raises(LedgerError, match="used by another"):
        write_json(path, {"a": 2}, disk=Disk((0.0,), move=_Refusing(2).move))
    assert [path] == list(tmp_path.iterdir())


class _Refusing:
    def __init__(self, times: int) -> None:
        self.times = times

    def move(self, path: Path, other: Path) -> None:
        """Move a file, once it has refused so often."""
        self.times -= 1
        if self.times >= 0:
            raise PermissionError(13, "it is used by another process")
        os.replace(path, other)  # noqa: PTH105 - a call of two paths, as it is given to the disk
