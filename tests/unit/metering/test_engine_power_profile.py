"""The profile that an engine keeps of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lightning_carbon.errors import UsageError
from lightning_carbon.records.power_profile import Strand
from lightning_carbon.testing import ScriptedCounter
from tests.unit.metering.worlds import GPU_0, PACKAGE, World

if TYPE_CHECKING:
    from lightning_carbon.records.power_profile import PowerProfile
    from lightning_carbon.testing import ManualClock

GPU, CPU = Strand("gpu", is_modelled=False), Strand("package", is_modelled=False)


def two(clock: ManualClock) -> list[ScriptedCounter]:
    """A GPU that works for its first 5 s, and a processor that always does."""
    return [
        ScriptedCounter(clock, lambda seconds: 300.0 if seconds < 5 else 50.0, domain=GPU_0),
        ScriptedCounter(clock, lambda _: 40.0, domain=PACKAGE),
    ]


def joules(profile: PowerProfile) -> float:
    """The area under everything."""
    return sum(
        sum(stretch.watts.values()) * (stretch.end_seconds - stretch.start_seconds) for stretch in profile.stretches
    )


def test_the_course_has_the_power_and_the_phases_of_the_run() -> None:
    """Power as it was at each moment, phases as long as they were, and under it all what the record says."""
    world = World(two)
    with world.engine as meter:
        with meter.phase("train"):
            world.run(5)
        with meter.phase("validate"):
            world.run(5)
    profile = meter.power_profile

    assert (GPU, CPU) == profile.strands
    assert {"train": 5.0, "validate": 5.0} == pytest.approx(
        {band.phase: band.end_seconds - band.start_seconds for band in profile.bands}
    )
    assert {300.0} == {round(stretch.watts[GPU], 6) for stretch in profile.stretches if stretch.end_seconds <= 4.8}
    assert {50.0} == {round(stretch.watts[GPU], 6) for stretch in profile.stretches if stretch.start_seconds >= 5.2}
    assert meter.record.energy.total_joules == pytest.approx(joules(profile), rel=1e-9)


def test_a_long_run_has_no_more_points() -> None:
    """Two hours at a look a second leave a few hundred stretches, and every joule of them."""
    world = World(two)
    with world.engine as meter:
        world.run(7_200, tick_seconds=1.0)
    profile = meter.power_profile

    assert 150 < len(profile.stretches) <= 400
    assert meter.record.energy.total_joules == pytest.approx(joules(profile), rel=1e-9)


def test_the_course_of_a_running_run_ends_in_the_past() -> None:
    """It can be looked at while the run goes on; before the start, there is none."""
    world = World()
    with pytest.raises(UsageError, match="no power profile"):
        _ = world.engine.power_profile
    with world.engine as meter:
        world.run(3)
        profile = meter.power_profile

        assert 2.0 < profile.stretches[-1].end_seconds <= 3.0


def test_without_sensors_there_is_time_but_no_power() -> None:
    """The phases are known, and that is all."""
    world = World(lambda _: [])
    with world.engine as meter:
        world.run(2)

    assert () == meter.power_profile.strands
    assert ["other"] == [band.phase for band in meter.power_profile.bands]
