"""A run that is interrupted while it ends, wherever that is, and one that goes on from an absurd checkpoint."""

from __future__ import annotations

import copy
import gc
import math
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from lightning_carbon.records.mapping import from_mapping
from tests.unit.metering.worlds import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.records.run import RunRecord

STEPS = 10
JOULES = 100.0


def traced(act: Callable[[], object], at: int, meanwhile: Callable[[], object]) -> int:
    """Do something, and something else in the middle of it.

    Args:
        act: What is done.
        at: After how many events of the interpreter the other thing is.
        meanwhile: The other thing, which may raise.

    Returns:
        How many events there were, up to an exception.
    """
    seen = 0

    def trace(frame: object, event: str, argument: object) -> object:
        nonlocal seen
        del frame, event, argument
        seen += 1
        if seen == at:
            meanwhile()
        return trace

    before = sys.gettrace()
    gc.disable()  # its callbacks, such as Hypothesis' own, are events, too
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        act()
    finally:
        sys.settrace(before)
        gc.enable()
    return seen


def running() -> World:
    """A run of ten steps that has not ended."""
    world = World(per_step=True)
    world.engine.start("train")
    world.steps(STEPS)
    return world


def check(world: World, record: RunRecord) -> None:
    """The record is whole, in memory as in the store, and every step is listed once."""
    stored = from_mapping(world.store.records[record.run_id])
    (steps,) = (kept.lines for (_, name), kept in world.store.files.items() if name == "steps.csv")

    assert (STEPS, JOULES) == (record.steps, record.energy.total_joules)
    assert (record.status, STEPS, JOULES) == (stored.status, stored.steps, stored.energy.total_joules)
    assert [str(step) for step in range(STEPS)] == [line.split(",")[0] for line in steps[1:]]
    assert not world.engine.is_running


def ctrl_c() -> None:
    """Interrupt."""
    raise KeyboardInterrupt


PLACES = 40


@cache
def events() -> int:
    """How many events an end has that nothing interrupts."""
    return traced(running().engine.stop, 0, ctrl_c)


def event_at(place: int) -> int:
    """The event at one of :data:`PLACES` that are spread evenly over an end."""
    return 1 + place * events() // PLACES


@pytest.mark.parametrize("place", range(PLACES))
def test_ctrl_c_anywhere_in_stop_costs_no_record(place: int) -> None:
    """It is raised once the record is written, or a second call writes it; either is whole."""
    at = event_at(place)
    world = running()
    with suppress(KeyboardInterrupt):
        traced(world.engine.stop, at, ctrl_c)
    check(world, world.engine.stop())


@pytest.mark.parametrize("place", range(PLACES))
def test_a_handler_that_stops_what_is_stopping_does_no_harm(place: int) -> None:
    """Such as that of SIGTERM after Ctrl-C: there is one record, and it is whole."""
    at = event_at(place)
    world = running()
    traced(world.engine.stop, at, lambda: world.engine.stop("interrupted"))
    check(world, world.engine.stop())


CHECKPOINT: dict[str, Any] = {
    "schema": 1,
    "run_id": "before",
    "project": "test",
    "origin": "before",
    "lineage": {"microjoules": 7_000_000, "grams_co2e": 0.5, "steps": 3, "samples": 5, "tokens": 7},
    "attempts": [
        {
            "run_id": "before",
            "project": "test",
            "status": "completed",
            "totals": {"microjoules": 7_000_000, "grams_co2e": 0.5, "steps": 3, "samples": 5, "tokens": 7},
        }
    ],
}
PATHS: list[tuple[Any, ...]] = [
    *((key,) for key in CHECKPOINT),
    *(("lineage", key) for key in CHECKPOINT["lineage"]),
    ("attempts", 0),
    *(("attempts", 0, key) for key in CHECKPOINT["attempts"][0]),
    *(("attempts", 0, "totals", key) for key in CHECKPOINT["attempts"][0]["totals"]),
]
ABSURD: list[Any] = [
    *(None, True, -1, 10**400, -(10**400), 2**63, 1e308, math.nan, math.inf, "", "../..", "\ud800", "x" * 10**6),
    *([], {}, [[[]]], {"a": {}}, b"\x00", object(), [0] * 1_000),
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_an_absurd_value_in_a_checkpoint_spoils_no_record(path: tuple[Any, ...]) -> None:
    """Wherever it is, nothing is raised, and the run ends with all of its energy in a record that can be read."""
    for value in ABSURD:
        state = copy.deepcopy(CHECKPOINT)
        inner: Any = state
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        world = World(per_step=True)
        world.engine.load_state_dict(state)
        world.engine.start("train")
        world.steps(STEPS)
        record = world.engine.stop()

        assert "completed" == record.status
        check(world, record)
        checkpoint = world.engine.state_dict()
        again = World()
        again.engine.load_state_dict(checkpoint)
        again.engine.start("train")
        assert again.engine.stop().origin is not None
