"""The engine on a machine whose clock is set, that sleeps, or whose sources are slow."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.ports import Finding
from lightning_carbon.records.journal import part_of
from lightning_carbon.records.mapping import from_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.testing import ManualClock, ScriptedCounter, ScriptedGauge
from tests.unit.metering.worlds import GPU_0, GPU_1, World

if TYPE_CHECKING:
    from lightning_carbon.records.journal import RankPart
    from lightning_carbon.units import Energy


def beats_of(world: World) -> list[RankPart]:
    """Every beat that the one journal of a world has."""
    [(header, *beats)] = [kept.lines for (_, name), kept in world.store.files.items() if name.startswith("rank-")]
    return [part_of(json.loads(header), json.loads(beat)) for beat in beats]


def test_a_clock_that_is_set_back_moves_no_energy() -> None:
    """Energy and durations follow the monotonic clock; the beats' times go back, and the later beat still counts."""
    world = World()
    meter = world.engine.start("train")
    world.steps(20)
    world.clock.set_back_wall(3600.0)
    world.steps(20)
    beats = beats_of(world)
    record = meter.stop()
    stored = from_mapping(world.store.records[record.run_id])

    assert beats[-1].beat.at < beats[0].beat.at
    # Whichever order a reader finds them in.
    assert record_of([beats[-1], beats[0]]) == record_of(beats) == record_of([beats[-1]])
    assert record_of(beats).energy.total_joules == pytest.approx(400.0)
    assert (40, 4.0, 400.0, 1.0) == (
        stored.steps,
        stored.duration_seconds,
        stored.energy.total_joules,
        stored.energy.coverage_ratio,
    )


def test_a_run_on_a_clock_that_was_set_back_does_not_end_before_it_starts() -> None:
    """The end is the start plus how long it took, where the wall clock tells otherwise."""
    world = World()
    meter = world.engine.start("train")
    world.steps(10)
    world.clock.set_back_wall(3600.0)
    record = meter.stop()

    assert record.ended_at is not None
    assert record.started_at <= record.ended_at


def test_a_machine_that_slept_leaves_a_gap_where_power_was_read(caplog: pytest.LogCaptureFixture) -> None:
    """What a counter counted during a sleep is there; between two readings of power an hour apart nothing is."""
    world = World(
        lambda clock: [
            ScriptedCounter(clock, joules=lambda seconds: 100.0 * min(seconds, 2) + 5.0 * max(0.0, seconds - 2)),
            ScriptedGauge(clock, lambda _: 50.0, domain=GPU_1),
        ]
    )
    meter = world.engine.start("train")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        world.steps(20)
        world.clock.advance(seconds=3600)
        world.steps(20)
        record = meter.stop()
    counter, gauge = record.energy.domains

    assert (None, None, []) == (counter.lost, gauge.lost, caplog.records)
    assert pytest.approx(1.0) == counter.coverage_ratio
    assert pytest.approx(200 + 5 * 3602) == counter.joules
    assert pytest.approx(50 * 3.9) == gauge.joules
    assert pytest.approx(3.9 / 3604) == gauge.coverage_ratio
    assert 40 == record.steps


def test_a_source_slower_than_the_interval_is_read_as_often_as_it_can_be() -> None:
    """When every reading takes longer than an interval, steps are fewer readings apart and no energy is lost."""

    class Slow(ScriptedCounter):
        """Takes 0.35 s for every reading."""

        def __init__(self, clock: ManualClock) -> None:
            super().__init__(clock, joules=lambda seconds: 100.0 * seconds, domain=GPU_0)
            self._slow_clock = clock

        def read_energy(self) -> Energy:
            """The count in the middle of a long call."""
            self._slow_clock.advance(seconds=0.175)
            energy = super().read_energy()
            self._slow_clock.advance(seconds=0.175)
            return energy

    world = World(lambda clock: [Slow(clock)])
    meter = world.engine.start("train")
    world.steps(40, 0.1)
    record = meter.stop()

    assert record.energy.domains[0].lost is None
    assert record.energy.total_joules == pytest.approx(100 * record.duration_seconds, rel=0.05)
    assert record.energy.total_joules == pytest.approx(
        100 * record.duration_seconds * record.energy.coverage_ratio, rel=0.01
    )


def test_a_dead_counter_is_recorded_as_what_took_over(caplog: pytest.LogCaptureFixture) -> None:
    """The record, and the journal of a run that is killed, say by what the energy was measured and why."""
    clock = ManualClock(start_ns=5_000_000_000)
    counter = ScriptedCounter(clock, joules=lambda _: 77.0, domain=GPU_0)
    gauge = ScriptedGauge(clock, lambda _: 300.0, domain=GPU_0, uncertainty_ratio=0.1)
    world = World(lambda _: [], [Finding("nvml", "GPU 0", counter, fallback=gauge)], clock=clock)
    meter = world.engine.start("train")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        world.steps(40)
        killed = record_of([beats_of(world)[-1]])
        record = meter.stop()
    (domain,) = from_mapping(world.store.records[record.run_id]).energy.domains

    assert pytest.approx(1_200) == domain.joules
    assert (1.0, "integrated", 0.1, "scripted gauge") == (
        domain.coverage_ratio,
        domain.provenance,
        domain.uncertainty_ratio,
        domain.method,
    )
    assert "its count stood still for 1.0 s at 300 W" == domain.replaced == killed.energy.domains[0].replaced
    assert pytest.approx(1.0, abs=0.11) == domain.replaced_after_seconds
    assert [f"GPU 0: {domain.replaced}; goes on by scripted gauge"] == [entry.message for entry in caplog.records]


def test_a_counter_that_agrees_with_power_has_its_ratio_on_record() -> None:
    """The record tells how well a counter and the power beside it agreed, and nothing of the kind without a gauge."""
    clock = ManualClock(start_ns=5_000_000_000)
    counter = ScriptedCounter(clock, joules=lambda seconds: 285.0 * seconds, domain=GPU_0)
    gauge = ScriptedGauge(clock, lambda _: 300.0, domain=GPU_0)
    world = World(
        lambda clock: [ScriptedCounter(clock, lambda _: 50.0, domain=GPU_1)],
        [Finding("nvml", "GPU 0", counter, fallback=gauge)],
        clock=clock,
    )
    meter = world.engine.start("train")
    world.steps(60)
    alone, compared = meter.stop().energy.domains

    assert alone.counter_to_power_ratio is None
    assert pytest.approx(0.95, abs=0.001) == compared.counter_to_power_ratio
    assert "counter" == compared.provenance
