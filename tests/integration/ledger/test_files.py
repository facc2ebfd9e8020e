"""The door to the files of a ledger: what it does not open, what it does not follow, and what it clears."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from lightning_carbon.errors import LedgerError, RecordError
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.files import (
    LEFT_OVER_SECONDS,
    parse_json,
    read_json,
    read_whole,
    scratch_beside,
    to_json,
    write_json,
)
from lightning_carbon.ledger.lines import FileLines
from tests import corpus
from tests.integration.ledger.support import age


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("fifo", "it is a FIFO, where a file should be"),
        ("endless", "it is a device, where a file should be"),
        ("folder", "it is a folder, where a file should be"),
        ("huge", "it has 20,000,000,000 bytes, and no more than 10 are read"),
        ("loop", "Too many levels of symbolic links"),
    ],
)
def test_only_regular_files_of_a_bounded_size_are_read(what: str, said: str, tmp_path: Path) -> None:
    """Whoever opens something else does not hang, and learns what it is."""
    corpus.UNKEPT[what](tmp_path / "file")
    with pytest.raises(OSError, match=said):
        read_whole(tmp_path / "file", 10)


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    """A ledger may lie on two disks."""
    (tmp_path / "file").write_text("{}")
    (tmp_path / "link").symlink_to("file")

    assert {} == read_json(tmp_path / "link")


@pytest.mark.parametrize("name", ["steps.csv", "attempts.jsonl"])
def test_a_link_is_not_written_through(name: str, tmp_path: Path) -> None:
    """What it leads to, which may be anybody's, stays as it is."""
    store = DirectoryRunStore(tmp_path / "ledger")
    folder = store.folder("lisa", "a")
    folder.mkdir(parents=True)
    (tmp_path / "mine").write_text("precious")
    (folder / name).symlink_to(tmp_path / "mine")

    with pytest.raises(LedgerError, match="cannot be written"):
        store.open_lines("lisa", "a", name)
    with pytest.raises(LedgerError, match="cannot be written"):
        store.append_lines("lisa", "a", name, lines=["line"])
    assert "precious" == (tmp_path / "mine").read_text()


def test_a_record_replaces_a_link_and_not_what_it_leads_to(tmp_path: Path) -> None:
    """So does a journal."""
    store = DirectoryRunStore(tmp_path / "ledger")
    folder = store.folder("lisa", "a")
    folder.mkdir(parents=True)
    (tmp_path / "mine").write_text("precious")
    for name in ("record.json", "rank-00000.jsonl"):
        (folder / name).symlink_to(tmp_path / "mine")
    store.save({"project": "lisa", "run_id": "a"})
    store.open_journal("lisa", "a", 0, header="header").close()

    assert "precious" == (tmp_path / "mine").read_text()
    assert {"project": "lisa", "run_id": "a"} == json.loads((folder / "record.json").read_text())
    assert "header\n" == (folder / "rank-00000.jsonl").read_text()


@pytest.mark.parametrize("what", ["fifo", "endless", "folder", "loop"])
def test_what_cannot_be_written_to_does_not_hang_the_writer(what: str, tmp_path: Path) -> None:
    """It is an error of the ledger."""
    corpus.UNKEPT[what](tmp_path / "steps.csv")
    with pytest.raises(LedgerError, match="cannot be written"):
        FileLines(tmp_path / "steps.csv")


@pytest.mark.parametrize("names", [("..", "a"), ("lisa", "../../evil"), ("a/b", "c"), ("lisa", ""), ("lisa", "\x1b")])
def test_names_that_lead_elsewhere_are_no_names(names: tuple[str, str], tmp_path: Path) -> None:
    """Nothing is written or read outside of the ledger."""
    project, run_id = names
    store = DirectoryRunStore(tmp_path / "ledger")
    with pytest.raises(LedgerError, match="cannot name a folder"):
        store.save({"project": project, "run_id": run_id})
    with pytest.raises(LedgerError, match="cannot name a folder"):
        store.open_journal(project, run_id, 0, header="header")

    assert (None, [], []) == (
        store.load(project, run_id),
        list(store.read_journals(project, run_id)),
        store.read_lines(project, run_id, "attempts.jsonl"),
    )
    assert [] == list(tmp_path.iterdir())


def test_what_a_killed_writer_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    """Once it is too old to be of a writer that is at work; other files stay."""
    store = DirectoryRunStore(tmp_path)
    folder = store.folder("lisa", "a")
    folder.mkdir(parents=True)
    names = ["record.json", "rank-00000.jsonl", "record.json"]
    *old, fresh = [scratch_beside(folder / name) for name in names]
    for path in (*old, fresh, folder / ".mine.tmp", folder / "notes"):
        path.write_text("{")
        age(path, LEFT_OVER_SECONDS * 2)
    os.utime(fresh, (time.time(), time.time()))
    store.save({"project": "lisa", "run_id": "a"})

    assert {fresh.name, ".mine.tmp", "notes", "record.json"} == {path.name for path in folder.iterdir()}


def test_a_file_elsewhere_is_cleared_of_what_was_to_replace_it(tmp_path: Path) -> None:
    """Such as a record's copy in a folder of the user's, where nothing else is touched."""
    left, other = scratch_beside(tmp_path / "copy.json"), scratch_beside(tmp_path / "other.json")
    for path in (left, other):
        path.write_text("{")
        age(path, LEFT_OVER_SECONDS * 2)
    write_json(tmp_path / "copy.json", {})

    assert {"copy.json", other.name} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("NaN", "NaN is no number"),
        ('{"a":-Infinity}', "-Infinity"),
        ("{", "no JSON"),
    ],
)
def test_what_is_no_json_is_said_in_one_line(text: str, said: str) -> None:
    """However deep it is nested; numbers are finite."""
    with pytest.raises(RecordError, match=said):
        parse_json(text)


def test_halves_of_characters_are_written_as_question_marks() -> None:
    """Names of files and hosts may be no UTF-8; whole pairs stay, and what steers a terminal is escaped."""
    written = to_json({"a\udcff": ["\ud800", "😀", {"b": "\x7f\x1b", "n": 1}], "c": "é"})

    assert {"a?": ["?", "😀", {"b": "\x7f\x1b", "n": 1}], "c": "é"} == parse_json(written)
    assert written.isascii()
    assert written.isprintable()


def test_what_is_no_plain_value_is_an_error_of_the_ledger() -> None:
    """A reader would refuse it."""
    for value in (float("nan"), object(), {1: {2}}):
        with pytest.raises(LedgerError, match="not plain values"):
            to_json({"a": value})
