"""The course of a run: what its trainer logs, in a bounded number of points, beside its power."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from lightning_carbon.errors import LedgerError
from lightning_carbon.metering.course import MetricNotes
from lightning_carbon.records.course import MOST_METRICS, MOST_POINTS, course_of
from lightning_carbon.testing import MemoryLines, MemoryRunStore
from tests.unit.metering.worlds import World


class OnDevice:
    """A number on an accelerator.

    Args:
        value: The number.
    """

    device = SimpleNamespace(type="cuda")

    def __init__(self, value: float) -> None:
        self._value = value

    def detach(self) -> OnDevice:
        """The number without its history."""
        return self

    def __float__(self) -> float:
        """Wait for the device."""
        return self._value


class Full(MemoryRunStore):
    """A store without room for a course."""

    def open_lines(self, project: str, run_id: str, name: str) -> MemoryLines:
        """Open a file of lines."""
        if name == "course.json":
            raise LedgerError("no room")
        return super().open_lines(project, run_id, name)


def test_what_tells_of_a_models_quality_is_kept() -> None:
    """Learning rates, figures of this package, texts and what is not finite are left out."""
    notes = MetricNotes()
    log = {"loss": 2.0, "lr": 0.1, "energy/run_kwh": 1.0, "name": "x", "is_last": True, "eval_runtime": 3.0}
    notes.note(log, step=1, joules=10.0)
    notes.note({"loss": float("nan")}, step=2, joules=20.0)

    assert {"loss": ((1, 10.0, 2.0),)} == notes.all(is_over=True)


def test_values_on_a_device_are_read_at_the_end_alone() -> None:
    """Reading one earlier would wait for the device."""
    notes = MetricNotes()
    notes.note({"loss": OnDevice(2.0)}, step=1, joules=10.0)

    assert {} == notes.all(is_over=False)
    assert {"loss": ((1, 10.0, 2.0),)} == notes.all(is_over=True)


def test_points_and_metrics_are_bounded() -> None:
    """A run of any length keeps evenly spaced points of the first metrics."""
    notes = MetricNotes()
    for step in range(5 * MOST_POINTS):
        notes.note({f"metric {number}": step for number in range(2 * MOST_METRICS)}, step=step, joules=step)
    told = notes.all(is_over=True)
    steps = [point.step for point in told["metric 0"]]

    assert MOST_METRICS == len(told)
    assert MOST_POINTS // 2 <= len(steps) <= MOST_POINTS
    assert (0, True) == (steps[0], steps[-1] > 4 * MOST_POINTS)


def test_a_run_leaves_its_course_in_the_ledger() -> None:
    """Power over time and the loss against energy lie beside the record, whose own keys stay as they are."""
    world = World()
    engine = world.engine.start("train")
    for step in range(3):
        world.steps(10)
        world.run(1.0)
        engine.row()
        engine.tell_metrics({"loss": 3.0 - step}, step)
    record = engine.stop()
    course = course_of(json.loads(world.store.read_lines(record.project, record.run_id, "course.json")[0]))
    end = course.profile.stretches[-1].end_seconds

    assert [3.0, 2.0, 1.0] == [point.value for point in course.metrics["loss"]]
    assert pytest.approx(record.duration_seconds, abs=1e-3) == end
    assert pytest.approx(100.0) == course.profile.stretches[0].watts[course.profile.strands[0]]


def test_a_run_that_goes_on_writes_its_course_every_minute() -> None:
    """A kill costs the figures of a run no more than that."""
    world = World()
    world.engine.start("train")
    world.run(61.0, 1.0)

    assert 1 == len(world.store.read_lines("test", world.engine.run_id, "course.json"))


def test_a_disk_without_room_for_the_course_costs_the_course_alone(caplog: pytest.LogCaptureFixture) -> None:
    """The record is written, and there is nothing to warn of."""
    world = World(store=Full())
    world.engine.start("train")
    world.steps(20)

    assert world.engine.stop().location is not None
    assert [] == caplog.messages
