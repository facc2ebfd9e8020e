"""A short run, resumed from a checkpoint, on a disk whose n-th call fails, for every n and in every way.

Whatever fails, the record in memory is right. The one in the ledger is right, too, or it is absent and there is a
warning. Where the process or the machine is gone in between, recovery finds what was written last, and never more than
was used.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import pytest

from lightning_carbon.errors import UsageError
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.disk import DISK, Disk
from lightning_carbon.ledger.query import Ledger
from lightning_carbon.ledger.recovery import Observer
from lightning_carbon.ranks import Ranks
from lightning_carbon.testing import ScriptedCounter
from tests.faults.disk import Fault, FaultyDisk, Killed
from tests.unit.metering.worlds import GPU_0, GPU_1, World

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.records.run import RunRecord

STEPS = 4
STEP_JOULES = 10.0
LATER_SECONDS = 1_000.0
CHECKPOINT = {
    "schema": 1,
    "run_id": "before",
    "project": "test",
    "origin": "before",
    "lineage": {"microjoules": 7_000_000, "grams_co2e": 0.5, "steps": 3, "samples": None, "tokens": None},
    "attempts": [],
}
"""What a training knew of itself when it was saved, of which nothing is in this ledger."""
DYING = {Fault.KILL, Fault.POWER_CUT}


class Ended(NamedTuple):
    """What is left of a run.

    Args:
        disk: The disk that it was on.
        used: What it had used when it ended, in joules.
        record: What it handed back; ``None`` where the process was gone before.
        stored: What a reader of the ledger finds; ``None`` where there is nothing.
        left: The files in its folder.
        warnings: What it said.
    """

    disk: FaultyDisk
    used: float
    record: RunRecord | None
    stored: RunRecord | None
    left: list[str]
    warnings: list[str]


def run(folder: Path, fault: Fault, at: int | None, caplog: pytest.LogCaptureFixture) -> Ended:
    """Meter four steps of 10 J on a disk that fails at one call, and look at what is left."""
    caplog.clear()
    disk = FaultyDisk(folder, fault, at)
    world = World(store=DirectoryRunStore(folder, disk), per_step=True)
    world.engine.load_state_dict(CHECKPOINT)
    used, record = 0.0, None
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        try:
            meter = world.engine.start("train")
            for _ in range(STEPS):
                used += STEP_JOULES
                world.steps(1)
            record = meter.stop()
        except Killed:
            pass
    disk.end()
    observer = Observer("", lambda _pid, _started: False, lambda _folder: time.time() + LATER_SECONDS)
    stored = next(Ledger(folder, observer, lambda _said: None).runs(), None)
    left = [path.name for path in folder.glob("*/*/*")]
    disk.revive()
    with suppress(UsageError):  # it had not begun
        world.engine.stop()
    return Ended(disk, used, record, stored, left, caplog.messages)


def joules_of(record: RunRecord | None) -> float:
    """The energy of a record; 0 where there is none."""
    return 0.0 if record is None else record.energy.total_joules or 0.0


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_at_any_call_costs_no_more_than_it_must(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    """The record is right, or absent with a warning; a death in between is recovered with what was written last."""
    calls = run(tmp_path / "whole", fault, None, caplog).disk.calls
    assert {"open", "write", "sync", "replace", "open to read", "read"} <= set(calls)
    for at in range(len(calls) + 1):
        ended = run(tmp_path / str(at), fault, at, caplog)
        where = f"{fault.name} at call {at}, {[*ended.disk.calls, 'after the last'][at]}"

        if fault in DYING:
            check_recovered(ended, where)
        else:
            check_right(ended, where)
        assert not [name for name in ended.left if name.endswith(".tmp")], where


def check_right(ended: Ended, where: str) -> None:
    """The record in memory is whole, and so is the stored one, or there is a warning."""
    record, stored = ended.record, ended.stored
    assert record is not None, where
    assert ("completed", STEPS) == (record.status, record.steps), where
    assert joules_of(record) == pytest.approx(STEPS * STEP_JOULES, abs=1e-6), where
    assert record.lineage is not None, where
    assert ("before", STEPS + 3) == (record.origin, record.lineage.steps), where
    if record.location is None:
        assert ended.warnings, where
        assert joules_of(stored) <= joules_of(record) + 1e-6, where
    else:
        assert record == stored, where
    assert len(ended.warnings) <= 1, where


def check_recovered(ended: Ended, where: str) -> None:
    """What is found is what was used up to some beat, and an end is told by a run alone that has ended."""
    stored = ended.stored
    assert ended.record is None or ended.record == stored, where
    if stored is None:
        return
    steps, rest = divmod(joules_of(stored) + 1e-9, STEP_JOULES)
    assert rest == pytest.approx(0, abs=1e-6), where
    assert steps * STEP_JOULES <= ended.used, where
    if stored.status == "completed":
        assert (STEPS, STEPS) == (stored.steps, steps), where
    else:
        assert stored.status == "interrupted", where


class Agreed:
    """The name of a run that all of its ranks know."""

    def agree(self, proposal: str) -> str:
        """Whatever a rank proposes."""
        del proposal
        return "agreed"


def rank_of_two(folder: Path, rank: int, disk: Disk = DISK) -> RunRecord:
    """Meter four steps of 10 J as one of two ranks with a GPU each."""
    gpu = (GPU_0, GPU_1)[rank]
    world = World(
        lambda clock: [ScriptedCounter(clock, lambda _: 100.0, domain=gpu)],
        store=DirectoryRunStore(folder, disk),
        ranks=Ranks(rank, rank, 2, "node-0"),
        identity=Agreed(),
    )
    world.engine.start("train")
    world.steps(STEPS)
    return world.engine.stop()


def test_a_journal_that_cannot_be_read_once_is_read_again(tmp_path: Path) -> None:
    """Whichever call fails, the last rank to end has the energy of both."""
    calls = FaultyDisk(tmp_path, Fault.ONCE, None)
    rank_of_two(tmp_path / "whole", 1)
    rank_of_two(tmp_path / "whole", 0, calls)
    assert calls.calls.count("read") > 2
    for at in range(len(calls.calls)):
        rank_of_two(tmp_path / str(at), 1)
        record = rank_of_two(tmp_path / str(at), 0, FaultyDisk(tmp_path, Fault.ONCE, at))

        assert joules_of(record) == pytest.approx(2 * STEPS * STEP_JOULES, abs=1e-6), calls.calls[at]
