"""One rank that is written down, on a store in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.errors import LedgerError
from lightning_carbon.ledger.journals import parts_of
from lightning_carbon.ledger.writer import STEPS_FILE, STEPS_HEADER, RunWriter
from lightning_carbon.ranks import OwnIdentity
from lightning_carbon.records.journal import Header, RankPart, beat_mapping, header_mapping
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import Status
from lightning_carbon.testing import MemoryRunStore
from tests.unit.records.parts import STARTED, domain, ended, part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.testing import MemoryLines

GPU = domain("gpu:0")
OTHER_GPU = domain("gpu:1")
MINE = part(0, {GPU: 5_000_000}, steps=2)
RUN = MINE.header.run_id


class Full(MemoryRunStore):
    """A store that is full for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = False

    def save(self, record: Mapping[str, object]) -> str:
        """Keep a record, unless full."""
        self._check()
        return super().save(record)

    def open_lines(self, project: str, run_id: str, name: str) -> MemoryLines:
        """Open a list, unless full."""
        self._check()
        return super().open_lines(project, run_id, name)

    def _check(self) -> None:
        if self.is_full:
            message = "no room"
            raise LedgerError(message)


class Unnamed:
    """A run whose name this rank does not learn at first."""

    def __init__(self) -> None:
        self.name: str | None = None

    def agree(self, proposal: str) -> str | None:
        """What it is called, once that is known."""
        del proposal
        return self.name


class Desk:
    """A writer, where it writes and what it says.

    Args:
        header: Which rank it is.
        store: Where it writes.
        identity: How it learns the name of the run.
        per_step: Whether it lists steps.
    """

    def __init__(
        self,
        header: Header = MINE.header,
        *,
        store: MemoryRunStore | None = None,
        identity: OwnIdentity | Unnamed | None = None,
        per_step: bool = False,
    ) -> None:
        self.store = store or MemoryRunStore()
        self.said: list[str] = []
        self.writer = RunWriter(
            self.store,
            identity or OwnIdentity(),
            header,
            per_step=per_step,
            warn=lambda _key, message: self.said.append(message),
        )


def of_two(rank: int, microjoules: int = 5_000_000) -> RankPart:
    """One of two ranks, each with a GPU of its own."""
    return part(rank, {(GPU, OTHER_GPU)[rank]: microjoules}, world=2, steps=2)


def leave(store: MemoryRunStore, rank: RankPart, *, lines: list[str] | None = None) -> None:
    """Let another rank have written its journal."""
    header = rank.header
    journal = store.open_journal(header.project, header.run_id, header.rank, header=json.dumps(header_mapping(header)))
    journal.write_lines([json.dumps(beat_mapping(rank.beat))] if lines is None else lines)


def test_a_run_has_a_record_and_a_beat_from_the_start() -> None:
    """A kill in the first second leaves both."""
    desk = Desk()
    desk.writer.open(MINE.beat)
    header = MINE.header

    assert to_mapping(record_of([MINE])) == desk.store.records[RUN]
    assert [MINE] == parts_of(desk.store.read_journals(header.project, RUN), header.project, RUN)


def test_the_last_record_says_how_the_run_ended() -> None:
    """And where it lies."""
    desk = Desk()
    desk.writer.open(MINE.beat)
    last = ended(MINE, Status.COMPLETED, STARTED + 11)
    desk.writer.write(MINE.beat, [])
    record = desk.writer.close(last.beat, [])

    assert record_of([last], location=f"memory:{RUN}") == record
    assert to_mapping(record) == desk.store.records[RUN]
    assert [] == desk.said


def test_steps_wait_for_room() -> None:
    """None is lost while the list cannot be opened, and each time says so."""
    store = Full()
    desk = Desk(store=store, per_step=True)
    store.is_full = True
    with pytest.raises(LedgerError, match="no room"):
        desk.writer.open(MINE.beat)
    desk.writer.write(MINE.beat, ["0,train"])
    store.is_full = False
    desk.writer.write(MINE.beat, ["1,train"])
    desk.writer.close(ended(MINE, Status.COMPLETED, STARTED + 11).beat, ["2,train"])

    assert [STEPS_HEADER, "0,train", "1,train", "2,train"] == store.files[RUN, STEPS_FILE].lines
    assert 1 == len(desk.said)
    assert desk.said[0].startswith("the ledger could not be written: no room; the training goes on, and so do attempts")


def test_a_rank_that_does_not_learn_the_name_writes_once_it_does() -> None:
    """Nothing is written before."""
    identity = Unnamed()
    desk = Desk(identity=identity)
    desk.writer.open(MINE.beat)
    desk.writer.write(MINE.beat, [])

    assert {} == desk.store.records
    identity.name = "agreed"
    desk.writer.write(MINE.beat, [])
    assert ["agreed"] == list(desk.store.records)
    assert "agreed" == desk.writer.run_id


def test_a_rank_that_never_learns_the_name_has_a_run_of_its_own() -> None:
    """At its end it does not wait any longer."""
    desk = Desk(identity=Unnamed())
    desk.writer.open(MINE.beat)
    record = desk.writer.close(ended(MINE, Status.COMPLETED, STARTED + 11).beat, [])

    assert [RUN] == list(desk.store.records)
    assert "completed" == record.status


def test_a_name_that_is_taken_has_a_number_after_it() -> None:
    """Of ranks whose shell has started another run before."""
    rank = of_two(0)
    first = Desk(rank.header)
    first.writer.open(rank.beat)
    second = Desk(rank.header, store=first.store)
    second.writer.open(rank.beat)

    assert (RUN, f"{RUN}-2") == (first.writer.run_id, second.writer.run_id)


def test_every_rank_is_in_the_record() -> None:
    """With what its journal says; the energy is their sum."""
    mine, other = of_two(0), of_two(1, 7_000_000)
    desk = Desk(mine.header)
    leave(desk.store, other)
    desk.writer.open(mine.beat)
    desk.writer.write(mine.beat, [])

    assert [other] == desk.writer.others
    assert set() == desk.writer.silent
    record = desk.writer.close(ended(mine, Status.COMPLETED, STARTED + 11).beat, [])
    assert (12.0, "running", 2) == (record.energy.total_joules, record.status, len(record.ranks))


@pytest.mark.parametrize(
    "change",
    [
        {"project": "../../traversed"},
        {"run_id": "../evil"},
        {"run_id": "another", "project": "lisa"},
        {"rank": 3},
        {"pid": -1},
        {"host_id": True},
        {"schema": 99},
    ],
)
def test_a_forged_journal_of_rank_0_is_believed_nothing(change: dict[str, object]) -> None:
    """The record is written under the names of the own header, and says what this rank used."""
    mine, other = of_two(1), of_two(0)
    desk = Desk(mine.header)
    forged = json.dumps(header_mapping(other.header) | change)
    desk.store.open_journal("lisa", RUN, 0, header=forged).write_lines([json.dumps(beat_mapping(other.beat))])
    desk.writer.open(mine.beat)
    record = desk.writer.close(ended(mine, Status.COMPLETED, STARTED + 11).beat, [])

    assert [RUN] == list(desk.store.records)
    assert ("lisa", RUN, 5.0, 1) == (record.project, record.run_id, record.energy.total_joules, len(record.ranks))
    assert [] == desk.said


def test_a_garbage_last_line_of_another_rank_costs_that_line() -> None:
    """The one before it counts."""
    mine, other = of_two(0), of_two(1)
    desk = Desk(mine.header)
    leave(desk.store, other, lines=[json.dumps(beat_mapping(other.beat)), "[" * 100_000])
    desk.writer.open(mine.beat)
    desk.writer.write(mine.beat, [])

    assert [other] == desk.writer.others


def test_others_that_make_no_record_with_this_rank_leave_its_own() -> None:
    """Whatever adding them up comes to; the reason is said."""
    mine, other = of_two(0), of_two(1)
    desk = Desk(mine.header)
    desk.writer.open(mine.beat)
    desk.writer.others.append(replace(other, beat=replace(other.beat, status="asleep")))
    record = desk.writer.running(mine.beat)

    assert pytest.approx(5.0) == record.energy.total_joules
    assert ["what the other ranks have written makes no record with this one's: 'asleep' is not a valid Status"] == (
        desk.said
    )


def test_a_record_that_cannot_be_written_lies_nowhere() -> None:
    """It is handed back all the same."""
    store = Full()
    desk = Desk(store=store)
    desk.writer.open(MINE.beat)
    store.is_full = True
    record = desk.writer.close(ended(MINE, Status.COMPLETED, STARTED + 11).beat, [])

    assert ("completed", None) == (record.status, record.location)
    assert desk.said[0].startswith("the record could not be written, and is in memory alone: no room; make room")
