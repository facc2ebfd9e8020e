"""Runs that learn of each other by the journals of their ledger."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.ledger.beside import RunsBeside
from lightning_carbon.records.mapping import from_mapping
from lightning_carbon.records.overlaps import Counted, counted_twice
from lightning_carbon.testing import ManualClock, MemoryRunStore, ScriptedCounter
from tests.unit.ledger.test_writer import GPU, leave, of_two
from tests.unit.metering.worlds import PACKAGE, World
from tests.unit.records.parts import STARTED, part

if TYPE_CHECKING:
    from collections.abc import Collection

    from lightning_carbon.ports import WrittenRun


def test_a_meter_that_was_forgotten_and_the_next_one_know_of_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """Both records say how much they have in common, and the sum of both says how much of it is too much."""
    clock, store = ManualClock(start_ns=5_000_000_000), MemoryRunStore()
    store.written_at = clock.wall_seconds() + 60
    worlds = [
        World(lambda clock: [ScriptedCounter(clock, lambda _: 50.0, domain=PACKAGE)], clock=clock, store=store)
        for _ in range(2)
    ]
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        forgotten = worlds[0].engine.start("train")
        clock.advance(seconds=2)
        worlds[0].samplers[-1].tick()
        meter = worlds[1].engine.start("train")
        for _ in range(30):
            clock.advance(seconds=0.1)
            for world in worlds:
                world.samplers[-1].tick()
        last, first = meter.stop(), forgotten.stop()
    told = [from_mapping(store.records[record.run_id]) for record in (first, last)]
    twice = counted_twice(Counted(record.run_id, record.project, record.overlaps) for record in told)

    assert [last.run_id, first.run_id] == [overlap.run_id for record in told for overlap in record.overlaps]
    assert [150.0, 150.0] == [pytest.approx(record.overlaps[0].joules, rel=0.01) for record in told]
    assert 250.0 + 150.0 - twice == pytest.approx(250.0, rel=0.01)
    assert 2 == sum("counted in both runs" in message for message in caplog.messages)


def test_ranks_of_one_run_are_no_other_runs() -> None:
    """However many meter one machine."""
    store, said = MemoryRunStore(), []
    store.written_at = STARTED + 10
    for rank in (0, 1):
        leave(store, of_two(rank))
    beside = RunsBeside(store, lambda _key, message: said.append(message))
    beside.look(of_two(0))

    assert ((), []) == (beside.found, said)


class Listing(MemoryRunStore):
    """A store that notes what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.known: list[set[tuple[str, str]]] = []

    def list_runs(self, known: Collection[tuple[str, str]]) -> list[WrittenRun]:
        """The runs that are asked for."""
        self.known.append(set(known))
        return super().list_runs(known)


def test_what_cannot_matter_any_more_is_looked_at_once() -> None:
    """Runs that have ended, were never here, or have been silent since before the start; not those that may begin."""
    store = Listing()
    own = part(0, {GPU: 1}, run_id="own")
    leave(store, part(0, {GPU: 1}, run_id="elsewhere", host="node-1"))
    leave(store, part(0, {GPU: 1}, run_id="going on"))
    leave(store, part(0, {GPU: 1}, run_id="no beat yet"), lines=[])
    store.written_at = STARTED
    beside = RunsBeside(store, lambda _key, _message: None)
    beside.look(own)
    beside.look(own)
    beside.look(own, is_last=True)

    assert [{("lisa", "own")}, {("lisa", "own"), ("lisa", "elsewhere")}] == store.known
    assert ["going on"] == [overlap.run_id for overlap in beside.found]
    store.written_at = STARTED - 3_600
    beside.look(own, is_last=True)
    beside.look(own, is_last=True)
    assert {("lisa", name) for name in ("own", "elsewhere", "going on", "no beat yet")} == store.known[-1]


def test_a_ledger_that_cannot_be_listed_costs_nothing() -> None:
    """Nothing is known then, and nothing is raised."""

    class Broken(MemoryRunStore):
        """Lists nothing."""

        def list_runs(self, known: Collection[tuple[str, str]]) -> list[WrittenRun]:
            """Fail."""
            raise OSError(str(known))

    beside = RunsBeside(Broken(), lambda _key, _message: None)
    beside.look(part(0, {GPU: 1}))

    assert () == beside.found
