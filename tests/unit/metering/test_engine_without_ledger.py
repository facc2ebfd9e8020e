"""The engine where the ledger cannot be written, from the start on or later."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.errors import LedgerError, LedgerLost
from lightning_carbon.records.mapping import from_mapping
from lightning_carbon.testing import MemoryRunStore
from tests.unit.metering.worlds import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.testing import MemoryLines


class FullStore(MemoryRunStore):
    """A store without room, until there is some.

    Args:
        is_full: Whether it has none at first.
    """

    def __init__(self, *, is_full: bool = True) -> None:
        super().__init__()
        self.is_full = is_full

    def save(self, record: Mapping[str, object]) -> str:
        """Keep a record, where there is room."""
        self._check()
        return super().save(record)

    def open_journal(self, project: str, run_id: str, rank: int, *, header: str) -> MemoryLines:
        """Begin a journal, where there is room."""
        self._check()
        return super().open_journal(project, run_id, rank, header=header)

    def _check(self) -> None:
        if self.is_full:
            message = "/full/ledger cannot be written: No space left on device"
            raise LedgerError(message)


def test_a_full_disk_at_the_start_costs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """The training goes on, and its record is right in memory and lies nowhere."""
    world = World(store=FullStore(), per_step=True)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter = world.engine.start("train")
        world.steps(10)
        path = meter.record_path
        record = meter.stop()

    assert ("completed", 10) == (record.status, record.steps)
    assert 100.0 == pytest.approx(record.energy.total_joules)
    assert (None, None, None) == (path, record.location, meter.record_path)
    assert [True] == ["/full/ledger" in said and "LIGHTNING_CARBON_LEDGER" in said for said in caplog.messages]


def test_a_disk_that_has_room_later_gets_the_record() -> None:
    """Journal and record are whole, as if there had been room from the start on."""
    store = FullStore()
    world = World(store=store)
    meter = world.engine.start("train")
    world.steps(5)
    store.is_full = False
    world.steps(5)
    record = meter.stop()

    assert 10 == record.steps
    assert f"memory:{meter.run_id}" == record.location == meter.record_path
    assert 100.0 == pytest.approx(from_mapping(store.records[meter.run_id]).energy.total_joules)


def test_a_strict_run_does_not_begin_on_a_full_disk() -> None:
    """The error is raised at the start, and nothing is metered."""
    world = World(store=FullStore(), strict=True)
    with pytest.raises(LedgerError, match="No space left"):
        world.engine.start("train")

    assert not world.engine.is_running


def test_a_strict_run_ends_when_the_ledger_is_lost() -> None:
    """The next step raises; what was used until then is in the record."""
    store = FullStore(is_full=False)
    world = World(store=store, strict=True)
    meter = world.engine.start("train")
    world.steps(2)
    for lines in store.files.values():
        lines.write_lines = _fail  # type: ignore[method-assign]
    with pytest.raises(LedgerLost, match="no room"):
        world.steps(2)
    record = meter.stop("failed")

    assert ("failed", 3) == (record.status, record.steps)


def _fail(lines: list[str]) -> None:
    """Fail as a disk does."""
    del lines
    message = "no room"
    raise LedgerError(message)
