"""Runs that go on with an earlier training, on a clock that the test moves."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lightning_carbon.energy.phases import Phase
from lightning_carbon.ledger.attempts import ATTEMPTS_FILE, Attempts, find_attempts, read_list, tell_attempts
from lightning_carbon.ledger.journals import parts_of
from lightning_carbon.records.lineage import checkpoint_of
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.testing import MemoryRunStore, ScriptedDevice
from tests.unit.metering.worlds import World
from tests.unit.records.parts import STARTED, domain, part

if TYPE_CHECKING:
    from lightning_carbon.ports import RunStore


def world_after(earlier: World, store: MemoryRunStore | None = None) -> World:
    """A later attempt: with the same ledger, if no other is given."""
    earlier.clock.advance(seconds=5)
    later = World(clock=earlier.clock)
    store = store or earlier.store
    later.store.records, later.store.files = store.records, store.files
    return later


def totals(record: RunRecord) -> dict[str, tuple[float | None, int]]:
    """Energy and steps of lineage and spent."""
    assert record.lineage is not None
    assert record.spent is not None
    return {
        "lineage": (record.lineage.joules, record.lineage.steps),
        "spent": (record.spent.joules, record.spent.steps),
    }


def killed_after(steps: int, lost: int) -> tuple[World, dict[str, Any]]:
    """A run that saved a checkpoint after some steps, took some more, wrote its journal, and was killed."""
    world = World()
    world.engine.start("train")
    world.steps(steps)
    state = json.loads(json.dumps(world.engine.state_dict()))
    world.steps(lost)
    world.samplers[-1].tick()
    return world, state


def test_work_lost_by_a_kill_is_spent() -> None:
    """10 steps to the checkpoint, 5 lost, 4 after it, each 10 J, and 2 J of setting up: 142 J led here, of 192."""
    dead, state = killed_after(10, 5)
    world = world_after(dead)
    meter = world.engine.start(Phase.SETUP)
    world.run(0.02, 0.02)
    meter.load_state_dict(state)
    meter.enter("train")
    world.steps(4)
    record = meter.stop()

    assert {"lineage": (142.0, 14), "spent": (192.0, 19)} == totals(record)
    assert [(dead.engine.run_id, "interrupted", 150.0), (record.run_id, "completed", 42.0)] == [
        (attempt.run_id, attempt.status, attempt.joules) for attempt in record.attempts
    ]
    assert record.origin == dead.engine.run_id
    assert record.run_id != dead.engine.run_id
    assert to_mapping(record) == world.store.records[record.run_id]


@pytest.mark.parametrize("when", ["before the start", "after it"])
def test_a_state_may_be_loaded_before_the_start_or_after(when: str) -> None:
    """The record is the same."""
    dead, state = killed_after(10, 0)
    world = world_after(dead)
    if when == "before the start":
        world.engine.load_state_dict(state)
        assert state == world.engine.state_dict()
    world.engine.start("train")
    if when == "after it":
        world.engine.load_state_dict(state)
    world.steps(4)

    assert {"lineage": (140.0, 14), "spent": (140.0, 14)} == totals(world.engine.record)
    assert {"lineage": (140.0, 14), "spent": (140.0, 14)} == totals(world.engine.stop())


def test_every_attempt_is_found_however_long_the_chain() -> None:
    """An attempt that died without saving anything is spent by the next, though no checkpoint knows of it."""
    dead, state = killed_after(10, 1)
    fruitless = world_after(dead)
    fruitless.engine.start("train").load_state_dict(state)
    fruitless.steps(3)
    fruitless.samplers[-1].tick()
    third = world_after(fruitless)
    third.engine.start("train").load_state_dict(state)
    third.steps(2)
    again = json.loads(json.dumps(third.engine.state_dict()))
    third.engine.stop("failed")
    fourth = world_after(third)
    fourth.engine.start("train").load_state_dict(again)
    fourth.steps(1)
    record = fourth.engine.stop()

    assert {"lineage": (130.0, 13), "spent": (170.0, 17)} == totals(record)
    assert [
        (dead.engine.run_id, "interrupted"),
        (fruitless.engine.run_id, "interrupted"),
        (third.engine.run_id, "failed"),
        (fourth.engine.run_id, "completed"),
    ] == [(attempt.run_id, attempt.status) for attempt in record.attempts]


def test_resuming_where_the_ledger_is_another() -> None:
    """On another machine, what the checkpoint knew of the attempts counts, and later ones find it."""
    dead, state = killed_after(10, 5)
    elsewhere = MemoryRunStore()
    world = world_after(dead, elsewhere)
    world.engine.start("train").load_state_dict(state)
    world.steps(4)
    record = world.engine.stop()
    listed = read_list(elsewhere.read_lines("test", dead.engine.run_id, ATTEMPTS_FILE))

    assert {"lineage": (140.0, 14), "spent": (140.0, 14)} == totals(record)
    assert [("unknown", 100.0), ("completed", 40.0)] == [
        (attempt.status, attempt.joules) for attempt in record.attempts
    ]
    assert [attempt.run_id for attempt in record.attempts] == [attempt.run_id for attempt in listed]


def test_going_back_in_the_same_run() -> None:
    """A run that loads its own checkpoint again, as after a loss that is not a number, has lost what came between."""
    world = World()
    meter = world.engine.start("train")
    world.steps(10)
    state = meter.state_dict()
    world.steps(6)
    meter.load_state_dict(state)
    world.steps(4)
    record = meter.stop()

    assert {"lineage": (140.0, 14), "spent": (200.0, 20)} == totals(record)
    assert record.origin == record.run_id


def test_a_second_try_in_one_run() -> None:
    """A run that begins again from its checkpoint after some steps has lost them."""
    dead, state = killed_after(10, 0)
    world = world_after(dead)
    world.engine.start("train").load_state_dict(state)
    world.steps(3)
    world.engine.load_state_dict(state)
    world.steps(4)

    assert {"lineage": (140.0, 14), "spent": (170.0, 17)} == totals(world.engine.stop())


def test_steps_that_the_device_has_not_done_are_in_the_state() -> None:
    """A checkpoint holds all steps that the program has taken, though their energy is settled later."""
    world = World(device=ScriptedDevice)
    meter = world.engine.start("train")
    assert world.device is not None
    for _ in range(3):
        world.device.launch(seconds=10.0)
        meter.step_done(samples=2)

    assert (3, 6) == (meter.state_dict()["lineage"]["steps"], meter.state_dict()["lineage"]["samples"])


def test_a_state_is_of_plain_values_and_nothing_before_the_start() -> None:
    """There is nothing to tell before a run, and nothing to go on from."""
    world = World()
    state = world.engine.state_dict()
    world.engine.load_state_dict(state)
    world.engine.start("train")
    world.steps(1)

    assert {} == state
    assert world.engine.stop().origin is None
    assert 1 == checkpoint_of(world.engine.state_dict()).lineage.steps


@pytest.mark.parametrize("state", [{"schema": 99}, {"weights": [1]}, "state", [1]], ids=str)
def test_a_state_that_cannot_be_used(state: object, caplog: pytest.LogCaptureFixture) -> None:
    """It is warned of once, and the run begins a training of its own."""
    world = World()
    meter = world.engine.start("train")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter.load_state_dict(state)
        meter.load_state_dict(state)
    world.steps(1)
    record = meter.stop()

    assert 1 == len(caplog.records)
    assert "goes on without" in caplog.text
    assert (None, (), None, None) == (record.origin, record.attempts, record.lineage, record.spent)


def test_a_state_for_a_run_that_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    """It changes nothing, and is warned of."""
    _, state = killed_after(10, 0)
    world = World()
    record = world.engine.start().stop()
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        world.engine.load_state_dict(state)

    assert "after stop()" in caplog.text
    assert record == world.engine.record


def test_a_run_that_dies_tells_its_lineage_in_its_journal() -> None:
    """A resumed run that is killed can be recovered with its origin, its lineage and all attempts."""
    dead, state = killed_after(10, 5)
    world = world_after(dead)
    world.engine.start("train").load_state_dict(state)
    world.steps(4)
    world.samplers[-1].tick()
    recovered = recover(world.store, world.engine.run_id)

    assert {"lineage": (140.0, 14), "spent": (190.0, 19)} == totals(recovered)
    assert 2 == len(recovered.attempts)


def test_a_project_that_was_changed() -> None:
    """A run that goes on under another project finds the attempts of the first."""
    dead, state = killed_after(10, 5)
    store = dead.store
    attempts = Attempts(store, "other", since=dead.clock.wall_seconds())
    attempts.resume(checkpoint_of(state))
    attempts.enlist("99990101T000000Z-later")
    attempts.enlist("99990101T000000Z-later")

    assert [("interrupted", 150_000_000, 15), ("unknown", None, 0)] == [
        (attempt.status, attempt.totals.microjoules, attempt.totals.steps) for attempt in attempts.known
    ]
    assert 2 == len(store.read_lines("other", dead.engine.run_id, ATTEMPTS_FILE))


def test_a_list_that_cannot_be_read_in_part() -> None:
    """Torn lines and records of a newer schema are passed over; what the list itself says still counts."""
    store = MemoryRunStore()
    mapping = {"run_id": "a", "project": "lisa", "microjoules": 5, "steps": 1}
    store.append_lines("lisa", "a", ATTEMPTS_FILE, lines=[json.dumps(mapping), '{"run_', "[]", json.dumps(mapping)])
    store.save({"schema": 99, "run_id": "a", "project": "lisa"})
    store.open_journal("lisa", "a", 0, header="{").write_lines(["["])

    assert [("a", "unknown", 5)] == [
        (attempt.run_id, attempt.status, attempt.totals.microjoules) for attempt in find_attempts(store, "lisa", "a")
    ]


@pytest.mark.parametrize("spoiled", [{"energy": {}}, {"steps": "many"}, {"energy": None}, {"status": 5}], ids=str)
def test_a_record_that_somebody_has_spoiled(spoiled: dict[str, Any]) -> None:
    """What others have left in the ledger never ends a run: the list's word counts instead."""
    store = MemoryRunStore()
    whole = to_mapping(record_of([part(uj={domain("gpu:0"): 7}, run_id="a", status=Status.COMPLETED)]))
    energy = {**whole["energy"], "total_joules": "much"} if spoiled.get("energy") == {} else whole["energy"]
    store.save({**whole, "energy": energy, **{key: value for key, value in spoiled.items() if value != {}}})
    mapping = {"run_id": "a", "project": "lisa", "microjoules": 5}
    store.append_lines("lisa", "a", ATTEMPTS_FILE, lines=[json.dumps(mapping)])
    [attempt] = find_attempts(store, "lisa", "a")

    assert attempt.totals.microjoules in {5, 7}


def test_an_attempt_that_never_wrote_a_journal() -> None:
    """Its record, written at its start, is all there is."""
    store = MemoryRunStore()
    first = record_of([part(uj={domain("gpu:0"): 5}, run_id="a")])
    store.save(to_mapping(first))
    store.append_lines("lisa", "a", ATTEMPTS_FILE, lines=[json.dumps({"run_id": "a", "project": "lisa"})])
    [attempt] = find_attempts(store, "lisa", "a", since=STARTED)

    assert ("running", 5) == (attempt.status, attempt.totals.microjoules)


def test_a_run_that_was_not_resumed_is_told_as_it_is() -> None:
    """There is nothing to look for."""
    record = record_of([part(run_id="a")])

    assert record == tell_attempts(MemoryRunStore(), record)


def recover(store: RunStore, run_id: str) -> RunRecord:
    """What a later command makes of a run that it finds dead."""
    parts = parts_of(store.read_journals("test", run_id), "test", run_id)
    record = tell_attempts(store, record_of(parts, status=Status.INTERRUPTED))
    return replace(record, location=None)
