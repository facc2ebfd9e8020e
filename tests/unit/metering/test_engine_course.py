"""The course that an engine keeps of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lightning_carbon.errors import UsageError
from lightning_carbon.records.course import Strand
from lightning_carbon.testing import ScriptedCounter
from tests.unit.metering.worlds import GPU_0, PACKAGE, World

if TYPE_CHECKING:
    from lightning_carbon.records.course import Course
    from lightning_carbon.testing import ManualClock

GPU, CPU = Strand("gpu", is_modelled=False), Strand("package", is_modelled=False)


def two(clock: ManualClock) -> list[ScriptedCounter]:
    """A GPU that works for its first 5 s, and a processor that always does."""
    return [
        ScriptedCounter(clock, lambda seconds: 300.0 if seconds < 5 else 50.0, domain=GPU_0),
        ScriptedCounter(clock, lambda _: 40.0, domain=PACKAGE),
    ]


def joules(course: Course) -> float:
    """The area under everything."""
    return sum(sum(one.watts.values()) * (one.end_seconds - one.start_seconds) for one in course.stretches)


def test_the_course_has_the_power_and_the_phases_of_the_run() -> None:
    """Power as it was at each moment, phases as long as they were, and under it all what the record says."""
    world = World(two)
    with world.engine as meter:
        with meter.phase("train"):
            world.run(5)
        with meter.phase("validate"):
            world.run(5)
    course = meter.course

    assert (GPU, CPU) == course.strands
    assert {"train": 5.0, "validate": 5.0} == pytest.approx(
        {band.phase: band.end_seconds - band.start_seconds for band in course.bands}
    )
    assert {300.0} == {round(one.watts[GPU], 6) for one in course.stretches if one.end_seconds <= 4.8}
    assert {50.0} == {round(one.watts[GPU], 6) for one in course.stretches if one.start_seconds >= 5.2}
    assert meter.record.energy.total_joules == pytest.approx(joules(course), rel=1e-9)


def test_a_long_run_has_no_more_points() -> None:
    """Two hours at a look a second leave a few hundred stretches, and every joule of them."""
    world = World(two)
    with world.engine as meter:
        world.run(7_200, tick_seconds=1.0)
    course = meter.course

    assert 150 < len(course.stretches) <= 400
    assert meter.record.energy.total_joules == pytest.approx(joules(course), rel=1e-9)


def test_the_course_of_a_running_run_ends_in_the_past() -> None:
    """It can be looked at while the run goes on; before the start, there is none."""
    world = World()
    with pytest.raises(UsageError, match="no course"):
        _ = world.engine.course
    with world.engine as meter:
        world.run(3)
        course = meter.course

        assert 2.0 < course.stretches[-1].end_seconds <= 3.0


def test_without_sensors_there_is_time_but_no_power() -> None:
    """The phases are known, and that is all."""
    world = World(lambda _: [])
    with world.engine as meter:
        world.run(2)

    assert () == meter.course.strands
    assert ["other"] == [band.phase for band in meter.course.bands]
