"""How a run ends: whatever goes wrong meanwhile, there is one record, and it has every step."""

from __future__ import annotations

import itertools
import logging
import math
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lightning_carbon.errors import ConfigError
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.testing import ManualSampler, MemoryRunStore
from tests.unit.metering.worlds import World

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.mark.parametrize("operations", range(1, 400, 7))
def test_a_stop_by_a_signal_in_a_row_loses_no_step(operations: int) -> None:
    """Wherever in `row()` the handler runs, the record that it writes has all steps and all energy, once."""
    world = World()
    meter = world.engine.start("train")
    world.steps(10)
    records: list[Any] = []
    left = itertools.count(operations, -1)

    def trace(frame: object, event: str, argument: object) -> object:
        del frame, event, argument
        if next(left) == 0:
            records.append(meter.stop("interrupted"))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        meter.row()
    finally:
        sys.settrace(before)
    record = meter.stop()

    assert records in ([], [record])
    assert (10, 100.0) == (record.steps, record.energy.total_joules)


class FailingStore(MemoryRunStore):
    """A store whose next save fails, once it is told with what."""

    fails_with: BaseException | None = None

    def save(self, record: Mapping[str, object]) -> str:
        """Save, or fail once."""
        error, self.fails_with = self.fails_with, None
        if error is not None:
            raise error
        return super().save(record)


def test_ctrl_c_while_the_record_is_written_costs_no_record() -> None:
    """It is written all the same, whole, and Ctrl-C is raised after that."""
    store = FailingStore()
    world = World(store=store)
    meter = world.engine.start("train")
    world.steps(10)
    store.fails_with = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        meter.stop()
    stored = from_mapping(world.store.records[meter.run_id])

    assert ("completed", 10, 100.0) == (stored.status, stored.steps, stored.energy.total_joules)
    assert meter.stop() is meter.record
    assert not meter.is_running


def test_a_ledger_that_fails_in_unknown_ways_costs_no_record(caplog: pytest.LogCaptureFixture) -> None:
    """What this process knows is told, with a warning, and nothing is raised."""
    store = FailingStore()
    world = World(store=store)
    meter = world.engine.start("train")
    world.steps(10)
    store.fails_with = ArithmeticError("of the disk")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        record = meter.stop()

    assert ("completed", 10, 100.0) == (record.status, record.steps, record.energy.total_joules)
    assert any("this process alone" in message for message in caplog.messages)


def test_without_a_free_thread_the_first_and_the_last_reading_count(caplog: pytest.LogCaptureFixture) -> None:
    """A counter needs no more; the warning says that nothing is read in between."""

    class Threadless(ManualSampler):
        """Finds no thread."""

        def start(self) -> None:
            """Fail as `threading` does."""
            message = "can't start new thread"
            raise RuntimeError(message)

        def finish(self, at_ns: int) -> None:
            """There is no thread to wait for."""
            del at_ns

    world = World(sampler=Threadless)
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter = world.engine.start("train")
        world.clock.advance(seconds=2)
        meter.step_done()
        record = meter.stop()

    assert (1, 200.0) == (record.steps, record.energy.total_joules)
    assert ["sensors are read at the start and the end alone, without a thread: can't start new thread"] == (
        caplog.messages
    )


@pytest.mark.parametrize("count", [-5, 2.5, math.nan, math.inf, "32", 10**400])
def test_what_is_no_count_is_warned_of_once_and_not_counted(count: Any, caplog: pytest.LogCaptureFixture) -> None:  # noqa: ANN401
    """The step counts, its samples and tokens do not."""
    world = World()
    with caplog.at_level(logging.WARNING, "lightning_carbon"), world.engine as meter:
        world.run(0.1)
        meter.step_done(samples=4, tokens=40)
        meter.step_done(samples=count, tokens=count)
        meter.step_done(samples=count, tokens=count)
    record = meter.record

    assert (3, 4, 40) == (record.steps, record.samples, record.tokens)
    assert 2 == len(caplog.messages)


@pytest.mark.parametrize(
    ("told", "expected"),
    [([], None), ([None], None), ([False, False], False), ([False, True, False], True), ([True, None], True)],
)
def test_padding_in_a_step_is_padding_in_the_run(told: list[bool | None], expected: bool | None) -> None:  # noqa: FBT001
    """The record says so, and so does the summary where padding may count."""
    world = World()
    with world.engine as meter:
        for with_padding in told:
            meter.step_done(tokens=40)
            meter.tell_padding(with_padding)
    record = from_mapping(to_mapping(meter.record))

    assert record.tokens_with_padding is expected
    assert bool(expected) == ("padding, if there is any, counts as tokens" in record.summary())


@pytest.mark.parametrize(
    ("told", "expected"),
    [([], None), ([(0, 0)], None), ([(9, 10)], None), ([(10, 2), (10, 6), (10, 4)], (10, 6)), ([(10, 0)], (10, 0))],
)
def test_the_size_of_the_model_is_in_the_record(told: list[tuple[int, int]], expected: tuple[int, int] | None) -> None:
    """Of several, as where layers thaw, the most trained parameters; none where nobody told any that can be."""
    world = World()
    with world.engine as meter:
        for size in told:
            meter.tell_model(*size)
    model = from_mapping(to_mapping(meter.record)).model

    assert expected == (None if model is None else (model.parameters, model.trained))


@pytest.mark.parametrize("count", [32.0, True])
def test_whole_numbers_of_other_types_are_counted(count: Any) -> None:  # noqa: ANN401
    """Such as those of a quotient that comes out even."""
    world = World()
    with world.engine as meter:
        meter.step_done(samples=count)

    assert int(count) == meter.record.samples


def test_an_unknown_status_is_refused() -> None:
    """The run goes on."""
    world = World()
    meter = world.engine.start()
    with pytest.raises(ConfigError, match="completed"):
        meter.stop("done")

    assert meter.is_running


@pytest.mark.parametrize(
    "state",
    [
        {"schema": 1, "run_id": "a", "project": "p", "lineage": {"microjoules": 10**400}},
        {"schema": 1, "run_id": "a", "project": "p", "lineage": {"grams_co2e": 10**400}},
        {"schema": 1, "run_id": "a", "project": "p", "lineage": {"steps": 1e308}, "attempts": [{}]},
        [1, 2],
        "state",
    ],
)
def test_an_absurd_checkpoint_is_warned_of(state: object, caplog: pytest.LogCaptureFixture) -> None:
    """It changes nothing, whether it comes before the start or after it, and the record is written."""
    world = World()
    meter = world.engine
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter.load_state_dict(state)
        meter.start("train")
        meter.load_state_dict(state)
        world.steps(10)
        record = meter.stop()

    assert (None, 100.0) == (record.origin, record.energy.total_joules)
    assert 1 == len(caplog.messages)


def test_rows_shorter_than_the_readings_say_nothing() -> None:
    """A row never has 0 J of a GPU that works, at full coverage, because no reading has come yet."""
    world = World()
    meter = world.engine.start("train")
    rows = []
    for beat in range(40):
        world.clock.advance(seconds=0.05)
        if beat % 2:
            world.samplers[-1].tick()
        rows.append(meter.row())
    meter.stop()
    rows.append(meter.row())

    assert all(row.total_joules is None or row.total_joules > 0 for row in rows)
    assert any(row.total_joules is None for row in rows)
    assert 200.0 == pytest.approx(sum(row.total_joules or 0.0 for row in rows))
