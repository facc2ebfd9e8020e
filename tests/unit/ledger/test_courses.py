"""Reading what journals still have of the time of a run, whatever their length."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.ledger.courses import read_beats, read_course
from tests.report_ledger import world_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run of ten seconds."""
    world = world_of(tmp_path)
    world.engine.start("train")
    world.run(10.0, 0.5)
    world.engine.stop()
    [found] = tmp_path.glob("*/*/record.json")
    return found.parent


def lengthen(folder: Path, count: int, padding: int = 0) -> None:
    """Give the journal so many beats, a second apart, with a torn line at the end."""
    path = folder / "rank-00000.jsonl"
    header, *beats = path.read_text(encoding="utf-8").splitlines()
    beat = json.loads(beats[-1])
    lines = [json.dumps(beat | {"ns": second * 10**9, "unknown": "x" * padding}) for second in range(1, count + 1)]
    path.write_text("\n".join([header, *lines, lines[-1][:50]]), encoding="utf-8")


@pytest.mark.parametrize("padding", [0, 3_000], ids=["a small file", "a large file"])
def test_evenly_spaced_beats_are_read_up_to_the_last_whole_line(folder: Path, padding: int) -> None:
    """A journal of any length takes the same time to draw."""
    lengthen(folder, 3_000, padding)
    seconds = [part.beat.ns // 10**9 for part in read_beats(folder, 100)[0]]

    assert 1 == seconds[0]
    assert 3_000 == seconds[-1]
    assert 95 <= len(seconds) <= 101
    assert max(later - earlier for earlier, later in pairwise(seconds)) < 65


def test_a_short_journal_is_read_whole(folder: Path) -> None:
    """Every beat counts."""
    lengthen(folder, 7)

    assert 7 == len(read_beats(folder)[0])


@pytest.mark.parametrize("text", ["", "{}\n", "[1]\nx\n", "{"])
def test_what_cannot_be_read_is_left_out(folder: Path, text: str) -> None:
    """As a journal, and as a course."""
    for name in ("rank-00000.jsonl", "course.json"):
        (folder / name).write_text(text, encoding="utf-8")

    assert ({}, None) == (read_beats(folder), read_course(folder))
