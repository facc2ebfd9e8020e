"""What holds for every store of runs and its files of lines; see :mod:`lightning_carbon.ports`.

A new adapter is held to it by a line in ``SUBJECTS``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon.errors import LedgerError
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.patience import PatientRunStore
from lightning_carbon.ports import (
    JournalStore,
    JournalText,
    LineSink,
    LineStore,
    RecordStore,
    RunStore,
    SharedListStore,
)
from lightning_carbon.testing import MemoryRunStore


@dataclass
class Subject:
    """A store under test, and how to look into it from outside.

    Args:
        store: The store.
        record: The record of a run, as it is kept.
        lines: The lines of a run's file, as they are kept.
    """

    store: RunStore
    record: Callable[[str], Any]
    lines: Callable[[str, str], list[str]]


def _memory(_folder: Path) -> Subject:
    store = MemoryRunStore()
    return Subject(store, store.records.__getitem__, lambda run_id, name: store.files[run_id, name].lines)


def _directory(folder: Path) -> Subject:
    def lines(run_id: str, name: str) -> list[str]:
        (path,) = folder.glob(f"runs/*/{run_id}/{name}")
        return path.read_text("utf-8").splitlines()

    def kept(run_id: str) -> object:
        (path,) = folder.glob(f"runs/*/{run_id}/record.json")
        return json.loads(path.read_text("utf-8"))

    return Subject(DirectoryRunStore(folder / "runs"), kept, lines)


def _patient(folder: Path) -> Subject:
    subject = _directory(folder)
    return replace(subject, store=PatientRunStore(subject.store, str(folder)))


SUBJECTS: dict[str, Callable[[Path], Subject]] = {"directory": _directory, "memory": _memory, "patient": _patient}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """Each adapter in turn."""
    return SUBJECTS[request.param](tmp_path)


def record(run_id: str, **values: object) -> dict[str, object]:
    """A record with the least it needs."""
    return {"schema": 1, "run_id": run_id, "project": "lisa", "run_name": None, **values}


def ends(journals: Sequence[JournalText]) -> list[tuple[int, str, str]]:
    """The rank of each journal, its first line and its last one."""
    assert all(journal.where and not journal.trouble for journal in journals)
    return [(journal.rank, journal.first.strip(), journal.last[-1] if journal.last else "") for journal in journals]


def test_what_is_saved_is_kept(subject: Subject) -> None:
    """All JSON types come back as they were, and the answer says where the record lies."""
    saved = record("a", status="finished", joules=1.5, steps=3, lost=None, flags=[True, "é"], phases={"train": 1.5})
    where = subject.store.save(saved)

    assert isinstance(subject.store, RecordStore)
    assert isinstance(subject.store, RunStore)
    assert where
    assert saved == subject.record("a")


def test_a_later_record_replaces_the_earlier(subject: Subject) -> None:
    """The same run saved twice is one record, the last, in one place."""
    places = {subject.store.save(record("a", steps=steps, **{f"only_{steps}": 1})) for steps in range(3)}

    assert 1 == len(places)
    assert record("a", steps=2, only_2=1) == subject.record("a")


def test_runs_do_not_touch_each_other(subject: Subject) -> None:
    """Saving one run leaves the others as they were."""
    for run_id in "abc":
        subject.store.save(record(run_id, note=run_id))
    subject.store.save(record("b", note="again"))

    assert ["a", "again", "c"] == [subject.record(run_id)["note"] for run_id in "abc"]


def test_what_the_caller_changes_later_is_not_changed_in_the_store(subject: Subject) -> None:
    """A record is kept as it was when it was saved."""
    saved = record("a", phases={"train": 1.0})
    kept = json.loads(json.dumps(saved))
    subject.store.save(saved)
    saved["phases"] = None

    assert kept == subject.record("a")


def test_lines_reach_the_file_at_once_and_in_order(subject: Subject) -> None:
    """What has been written can be read before the file is closed."""
    subject.store.save(record("a"))
    sink = subject.store.open_lines("lisa", "a", "steps.csv")
    sink.write_lines(["step,joules", "0,1.5"])
    sink.write_lines([])
    sink.write_lines(["1,2.5"])

    assert isinstance(subject.store, LineStore)
    assert isinstance(sink, LineSink)
    assert ["step,joules", "0,1.5", "1,2.5"] == subject.lines("a", "steps.csv")
    sink.close()


def test_a_file_of_lines_is_opened_empty(subject: Subject) -> None:
    """Opening a file again begins it anew."""
    subject.store.save(record("a"))
    for lines in (["old", "older"], ["new"]):
        sink = subject.store.open_lines("lisa", "a", "steps.csv")
        sink.write_lines(lines)
        sink.close()

    assert ["new"] == subject.lines("a", "steps.csv")


def test_closing_twice_does_nothing(subject: Subject) -> None:
    """A sink may be closed again."""
    subject.store.save(record("a"))
    sink = subject.store.open_lines("lisa", "a", "steps.csv")
    sink.write_lines(["one"])
    sink.close()
    sink.close()

    assert ["one"] == subject.lines("a", "steps.csv")


def test_what_cannot_be_written_is_a_ledger_error(tmp_path: Path) -> None:
    """Trouble with the place is told by the port's error."""
    (tmp_path / "file").write_text("where a folder should be")
    store = DirectoryRunStore(tmp_path / "file")

    with pytest.raises(LedgerError):
        store.save(record("a"))
    with pytest.raises(LedgerError):
        store.open_lines("lisa", "a", "steps.csv")
    with pytest.raises(LedgerError):
        store.open_journal("lisa", "a", 0, header="header")


def test_a_journal_is_read_by_its_ends(subject: Subject) -> None:
    """Of every rank's journal the first line and the last come back, in the order of ranks."""
    journals = [subject.store.open_journal("lisa", "a", rank, header=f"header {rank}") for rank in (1, 0)]
    for count in range(3):
        for journal in journals:
            journal.write_lines([f"beat {count}"])
    journals += [subject.store.open_journal("lisa", "a", 2, header="a header alone")]
    journals += [subject.store.open_journal("lisa", "another", 0, header="header")]
    journals[-1].write_lines(["beat"])
    for journal in journals:
        journal.close()

    assert isinstance(subject.store, JournalStore)
    found = subject.store.read_journals("lisa", "a")
    assert [(0, "header 0", "beat 2"), (1, "header 1", "beat 2"), (2, "a header alone", "")] == ends(found)
    assert [] == list(subject.store.read_journals("lisa", "none"))
    assert [(1, "header 1", "beat 2")] == ends(subject.store.read_journals("lisa", "a", rank=1))
    assert [] == list(subject.store.read_journals("lisa", "a", rank=3))


def test_a_journal_is_read_while_it_is_written_and_after(subject: Subject) -> None:
    """Lines are there at once, and stay when the journal is closed; what comes after is not kept."""
    journal = subject.store.open_journal("lisa", "a", 0, header="header")
    journal.write_lines([])
    journal.write_lines(["one", "two"])
    during = subject.store.read_journals("lisa", "a")
    journal.close()
    journal.close()
    journal.write_lines(["three"])

    assert ("one", "two") == during[0].last
    assert [(0, "header", "two")] == ends(during) == ends(subject.store.read_journals("lisa", "a"))


def test_a_saved_record_can_be_loaded(subject: Subject) -> None:
    """A record comes back as it was; where there is none of that name in that project, nothing does."""
    saved = record("a", joules=1.5)
    subject.store.save(saved)

    assert saved == subject.store.load("lisa", "a")
    assert subject.store.load("lisa", "b") is None
    assert subject.store.load("bart", "a") is None


def test_lines_are_added_to_the_end(subject: Subject) -> None:
    """Lines of several calls follow each other, in a folder that nobody made before."""
    for number in range(3):
        subject.store.append_lines("lisa", "a", "attempts.jsonl", lines=[f"{number} first", f"{number} second"])

    assert isinstance(subject.store, SharedListStore)
    wanted = [f"{number} {word}" for number in range(3) for word in ("first", "second")]
    assert wanted == subject.store.read_lines("lisa", "a", "attempts.jsonl") == subject.lines("a", "attempts.jsonl")
    assert [] == subject.store.read_lines("lisa", "b", "attempts.jsonl")


def test_runs_that_have_journals_are_listed(subject: Subject) -> None:
    """The newest first, without those that are known; what has a record alone has nobody who writes."""
    store = subject.store
    assert [] == list(store.list_runs(()))
    for run_id in ("20260101-a", "20260102-b", "20260103-c"):
        store.open_journal("lisa", run_id, 0, header="{}").close()
    store.save(record("20260104-d"))
    runs = store.list_runs({("lisa", "20260102-b")})

    assert [("lisa", "20260103-c"), ("lisa", "20260101-a")] == [(run.project, run.run_id) for run in runs]


def test_a_record_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    """A file that holds something else is no record, and no reason to fail."""
    store = DirectoryRunStore(tmp_path)
    for number, text in enumerate(["", "{", "[]", "\udcff"]):
        folder = store.folder("lisa", str(number))
        folder.mkdir(parents=True)
        (folder / "record.json").write_bytes(text.encode("utf-8", "surrogatepass"))

    assert [None] * 4 == [store.load("lisa", str(number)) for number in range(4)]


def test_a_torn_line_does_not_spoil_the_next(tmp_path: Path) -> None:
    """What a kill has left of a line is a line of its own, and is not read while it is the last one."""
    store = DirectoryRunStore(tmp_path)
    store.append_lines("lisa", "a", "list", lines=["one"])
    with (store.folder("lisa", "a") / "list").open("a") as file:
        file.write("tw")

    assert ["one"] == store.read_lines("lisa", "a", "list")
    store.append_lines("lisa", "a", "list", lines=["three"])
    assert ["one", "tw", "three"] == store.read_lines("lisa", "a", "list")


def test_lines_that_cannot_be_added(tmp_path: Path) -> None:
    """Where the folder cannot be made, the error of the ledger says so."""
    (tmp_path / "file").write_text("")

    with pytest.raises(LedgerError, match="cannot be written"):
        DirectoryRunStore(tmp_path / "file").append_lines("lisa", "a", "list", lines=["one"])
