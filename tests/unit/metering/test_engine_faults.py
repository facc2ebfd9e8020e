"""A short run whose n-th reading fails, for every n and in every way, and one whose clock is set at any step."""

from __future__ import annotations

import pytest

from lightning_carbon.records.mapping import from_mapping
from tests.faults.sensor import RAISED, RETURNED, FaultyCounter
from tests.unit.metering.worlds import World

STEPS = 12
WATTS = 100.0
SECONDS = 0.1


@pytest.mark.parametrize("fault", [*RAISED, *RETURNED])
def test_a_reading_that_fails_invents_no_energy(fault: str) -> None:
    """Whichever reading it is, the energy is that of the time that readings cover, and the record says how much."""
    for at in range(STEPS + 2):
        world = World(lambda clock, at=at: [FaultyCounter(clock, fault, at)])  # type: ignore[misc]
        meter = world.engine.start("train")
        world.steps(STEPS, SECONDS)
        record = meter.stop()
        stored = from_mapping(world.store.records[record.run_id])
        (domain,) = stored.energy.domains
        covered = WATTS * domain.coverage_ratio * record.duration_seconds

        assert ("completed", STEPS) == (stored.status, stored.steps), at
        assert domain.joules == pytest.approx(covered, abs=1e-5), at
        assert domain.joules <= WATTS * SECONDS * STEPS + 1e-6, at
        if fault == "fails" and 0 < at < STEPS:  # a counter goes on meanwhile
            assert domain.joules == pytest.approx(WATTS * SECONDS * STEPS, abs=1e-6), at


@pytest.mark.parametrize("seconds", [-(10.0**9), -3_600.0, 0.5, 86_400.0])
def test_a_wall_clock_that_is_set_changes_no_figure(seconds: float) -> None:
    """Whenever in a run it jumps, back or ahead, energy and durations are as before, and the end is not before it."""
    for at in range(STEPS):
        world = World(per_step=True)
        meter = world.engine.start("train")
        world.steps(at, SECONDS)
        world.clock.set_back_wall(-seconds)
        row = meter.row()
        world.steps(STEPS - at, SECONDS)
        record = meter.stop()
        rest = meter.row()

        assert STEPS == record.steps, at
        assert record.duration_seconds == pytest.approx(SECONDS * STEPS), at
        assert record.energy.total_joules == pytest.approx(WATTS * SECONDS * STEPS, abs=1e-6), at
        assert (row.total_joules or 0.0) + (rest.total_joules or 0.0) == pytest.approx(
            record.energy.total_joules, abs=1e-6
        ), at
        assert record.ended_at is not None
        assert record.started_at <= record.ended_at, at
