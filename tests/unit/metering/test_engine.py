"""The engine, on a clock that the test moves."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from itertools import pairwise

import pytest

from lightning_carbon.energy.phases import Phase
from lightning_carbon.errors import SourceLost, UsageError
from lightning_carbon.ledger.journals import parts_of
from lightning_carbon.ledger.writer import STEPS_HEADER
from lightning_carbon.ports import Finding
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.testing import ManualClock, ScriptedCounter, ScriptedGauge
from lightning_carbon.units import Energy
from tests.unit.metering.worlds import GPU_0, GPU_1, PACKAGE, World


def test_a_run_of_steps_is_metered_whole() -> None:
    """Ten steps of 0.1 s at 100 W are 100 J, all of it the steps', in the phase that they were in."""
    world = World()
    meter = world.engine.start("train")
    world.steps(10, samples=4, tokens=40)
    record = meter.stop()

    assert (record.energy.total_joules, record.energy.phases, record.step_joules) == (100.0, {"train": 100.0}, 100.0)
    assert (record.steps, record.samples, record.tokens) == (10, 40, 400)
    assert record.duration_seconds == 1.0
    assert record.status == "completed"


def test_rows_add_up_to_the_record() -> None:
    """Whatever the rows are asked for, and the one after the end, they add up to the record's total."""
    world = World(lambda clock: [ScriptedCounter(clock, lambda t: 50 + 30 * math.sin(t), domain=GPU_0)])
    meter = world.engine.start()
    rows = []
    for phase in ("train", "validate", "train"):
        with meter.phase(phase):
            world.steps(7)
            rows.append(meter.row())
    record = meter.stop()
    rows.append(meter.row())

    assert sum(row.steps for row in rows) == record.steps
    assert sum(round((row.total_joules or 0) * 1e6) for row in rows) == round((record.energy.total_joules or 0) * 1e6)
    assert meter.row().total_joules is None


def test_phases_add_up_exactly() -> None:
    """The phases add up to the total to the last bit, as a reader with a plain sum would check it."""
    world = World(lambda clock: [ScriptedCounter(clock, lambda t: 33.3 + t / 7, domain=GPU_0)])
    meter = world.engine.start("setup")
    for phase in ("sanity", "train", "validate", "checkpoint", "train", "test", "other"):
        meter.enter(phase)
        world.run(0.7)
    record = meter.stop()

    assert sum(record.energy.phases.values()) == record.energy.total_joules
    assert sum(record.phase_seconds.values()) == pytest.approx(record.duration_seconds, abs=1e-9)


def test_phases_nest() -> None:
    """A phase inside another one returns to it at its end."""
    world = World()
    meter = world.engine.start()
    with meter.phase("train"):
        world.run(1)
        with meter.phase(Phase.CHECKPOINT):
            world.run(2)
        world.run(1)
    world.run(1)
    record = meter.stop()

    assert record.energy.phases == {"train": 200.0, "checkpoint": 200.0, "other": 100.0}


def test_validation_between_steps_is_not_the_steps() -> None:
    """Energy of another phase between two steps is in neither of them, and in the row."""
    world = World()
    meter = world.engine.start("train")
    world.steps(5)
    with meter.phase("validate"):
        world.run(1)
    world.steps(5)
    row = meter.row()

    assert row.step_joules == pytest.approx(100.0)
    assert row.total_joules == pytest.approx(200.0)
    assert row.as_metrics()["energy/joules_per_step"] == pytest.approx(10.0)


def test_a_row_waits_for_a_settled_step() -> None:
    """The row for loggers comes once a step has been settled, and not before."""
    world = World()
    meter = world.engine.start("train")
    world.clock.advance(seconds=0.05)
    meter.step_done()
    before = meter.next_row()
    world.run(0.3)
    after = meter.next_row()

    assert before is None
    assert after is not None
    assert after.steps == 1


def test_metrics_of_domains_that_are_not_there_are_absent() -> None:
    """Without a memory domain there is no memory metric, and without samples none for each sample."""
    world = World()
    meter = world.engine.start("train")
    world.steps(5)
    metrics = meter.row().as_metrics()

    assert sorted(metrics) == [
        "carbon/row_grams_co2e",
        "carbon/run_grams_co2e",
        "energy/coverage_ratio",
        "energy/joules_per_step",
        "energy/row_gpu_joules",
        "energy/row_joules",
        "energy/run_gpu_joules",
        "energy/run_joules",
        "energy/run_kwh",
        "power/gpu_watts",
        "power/total_watts",
    ]


def test_carbon_is_energy_times_pue_times_intensity() -> None:
    """The grams of a row and of the record follow from the factors in the record."""
    world = World()
    meter = world.engine.start("train")
    world.steps(10)
    record = meter.stop()
    carbon = record.carbon
    expected = 100 / 3_600_000 * carbon.pue.value * carbon.intensity.value

    assert carbon.grams_co2e == pytest.approx(expected)
    assert meter.row().run_grams_co2e == pytest.approx(expected)


def test_domains_inside_others_are_told_but_not_added() -> None:
    """A domain whose parent is metered too does not count twice."""
    inside = type(PACKAGE)(PACKAGE.kind, "package:1", "inside", parent="gpu:0")
    world = World(
        lambda clock: [
            ScriptedCounter(clock, lambda _: 100.0, domain=GPU_0),
            ScriptedCounter(clock, lambda _: 60.0, domain=inside),
        ]
    )
    meter = world.engine.start("train")
    world.steps(10)
    record = meter.stop()

    assert record.energy.total_joules == 100.0
    assert [domain.joules for domain in record.energy.domains] == [100.0, 60.0]


def test_steps_are_listed_one_by_one() -> None:
    """Every step has a line with its stamps and its energy, and the lines add up to the record."""
    world = World(per_step=True)
    meter = world.engine.start("train")
    world.steps(20)
    record = meter.stop()
    lines = world.store.files[record.run_id, "steps.csv"].lines
    cells = [line.split(",") for line in lines[1:]]

    assert lines[0] == STEPS_HEADER
    assert [int(cell[0]) for cell in cells] == list(range(20))
    assert [cell[1] for cell in cells] == ["train"] * 20
    assert all(int(after[2]) == int(before[3]) for before, after in pairwise(cells))
    assert sum(round(float(cell[5]) * 1e6) for cell in cells) == 200_000_000


def test_a_run_with_a_plan_says_what_it_will_have_used() -> None:
    """From its first row on, evaluations included; without a plan, or after it, nothing is said."""
    world = World()
    engine = world.engine
    engine.start("setup")
    engine.tell_plan(20, validations=2)
    world.run(5.0)
    found = []
    for step in range(1, 21):
        engine.enter("train")
        world.run(1.0)
        engine.step_done()
        if step % 10 == 0:
            engine.enter("validate")
            world.run(4.0)
            engine.enter("train")
        if step % 5 == 0:
            world.run(0.5)
            found.append(engine.row().forecast)
    engine.tell_plan(None)
    world.run(1.0)

    assert engine.row().forecast is None
    assert [3_500.0] * 2 == [pytest.approx(forecast.joules.value, rel=0.12) for forecast in found[2:] if forecast]
    assert all(forecast is not None and forecast.remaining_seconds.low >= 0 for forecast in found)
    engine.stop()


def test_a_row_has_the_range_of_the_sensor_that_took_over() -> None:
    """A count that stands still gives way to a gauge of half the worth, and the rows after it say so."""
    clock = ManualClock()
    dead = ScriptedCounter(clock, joules=lambda t: 100 * min(t, 5.0), domain=GPU_0, uncertainty_ratio=0.01)
    gauge = ScriptedGauge(clock, lambda _: 100.0, domain=GPU_0, uncertainty_ratio=0.5)
    world = World(lambda _: (), [Finding("given", "GPU 0", dead, fallback=gauge)], clock=clock)
    meter = world.engine.start()
    rows = []
    for _ in range(2):
        world.run(4.0)
        rows.append(meter.row())
    meter.stop()
    shares = [row.high_joules / row.total_joules for row in rows if row.high_joules and row.total_joules]

    assert [1.01, 1.5] == pytest.approx(shares, rel=1e-3)


def test_a_row_without_news_repeats_the_forecast() -> None:
    """Nothing is worked out again, and nothing is forecast any more where the plan is taken back."""
    world = World()
    meter = world.engine.start("train")
    meter.tell_plan(20)
    world.steps(10)
    first, second = meter.row(), meter.row()
    meter.tell_plan(None)

    assert first.forecast is not None
    assert first.forecast is second.forecast
    assert meter.row().forecast is None
    meter.stop()


def test_without_sources_there_are_no_figures() -> None:
    """Where nothing can be metered, energy and carbon are absent, not zero, and the reasons are kept."""
    world = World(lambda _: [], [Finding("nvml", "GPUs", reason="no driver", fix="install it")])
    meter = world.engine.start("train")
    world.steps(3)
    record = meter.stop()

    assert record.energy.total_joules is None
    assert record.carbon.grams_co2e is None
    assert [absent.reason for absent in record.energy.absent] == ["no driver"]
    assert meter.row().as_metrics() == {}
    assert record.steps == 3


def test_a_lost_source_ends_and_the_run_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """A GPU that falls off the bus keeps what it counted, coverage falls, and there is one warning."""
    world = World(
        lambda clock: [
            ScriptedCounter(clock, lambda _: 100.0, domain=GPU_0),
            ScriptedCounter(clock, lambda _: 50.0, domain=GPU_1),
        ]
    )
    meter = world.engine.start("train")
    world.steps(10)
    counter = world.sources[1]
    assert isinstance(counter, ScriptedCounter)
    counter.fails_with = SourceLost("GPU is lost")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        world.steps(10)
    record = meter.stop()

    assert [domain.joules for domain in record.energy.domains] == [200.0, 50.0]
    assert [domain.lost for domain in record.energy.domains] == [None, "GPU is lost"]
    assert [domain.lost_after_seconds for domain in record.energy.domains] == [None, pytest.approx(1.1)]
    assert record.energy.domains[1].coverage_ratio == pytest.approx(0.5)
    assert len(caplog.records) == 1


def test_strict_raises_at_the_next_call() -> None:
    """With strict, the loss of a source is an exception at the next mark, once."""
    world = World(strict=True)
    meter = world.engine.start("train")
    world.steps(5)
    counter = world.sources[0]
    assert isinstance(counter, ScriptedCounter)
    counter.fails_with = SourceLost("gone")
    world.run(0.1)

    with pytest.raises(SourceLost, match="gone"):
        meter.step_done()
    meter.step_done()
    assert meter.stop().energy.domains[0].lost == "gone"


def test_passing_trouble_loses_no_counter_energy() -> None:
    """A counter that fails for a while and comes back has counted on, so nothing is missing."""
    world = World()
    meter = world.engine.start("train")
    world.steps(5)
    counter = world.sources[0]
    assert isinstance(counter, ScriptedCounter)
    counter.fails_with = RuntimeError("not now")
    world.steps(10)
    counter.fails_with = None
    world.steps(5)
    record = meter.stop()

    assert record.energy.total_joules == 200.0
    assert record.energy.domains[0].lost is None


def test_trouble_that_does_not_pass_is_a_loss() -> None:
    """A source that fails for more than two seconds is given up."""
    world = World()
    meter = world.engine.start("train")
    world.steps(5)
    counter = world.sources[0]
    assert isinstance(counter, ScriptedCounter)
    counter.fails_with = RuntimeError("not now")
    world.steps(25)
    record = meter.stop()

    assert record.energy.domains[0].lost == "failed for 2 s: not now"
    assert record.energy.domains[0].coverage_ratio == pytest.approx(5 / 30)


def test_calls_out_of_order_never_lose_a_record(caplog: pytest.LogCaptureFixture) -> None:
    """Steps before the start and after the end warn once each and change nothing; figures before the start raise."""
    world = World()
    meter = world.engine
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        meter.step_done()
        meter.step_done()
        meter.enter("train")
    with pytest.raises(UsageError):
        meter.row()
    with pytest.raises(UsageError):
        meter.next_row()
    with pytest.raises(UsageError):
        _ = meter.record
    with pytest.raises(UsageError):
        meter.stop()
    meter.start("train")
    with pytest.raises(UsageError):
        meter.start()
    world.steps(10)
    record = meter.stop()
    meter.step_done()

    assert meter.stop() is record
    assert record.steps == 10
    assert len(caplog.records) == 2


def test_leaving_by_an_exception_closes_the_record() -> None:
    """The record says failed after an error, interrupted after Ctrl-C."""
    statuses = []
    for error in (ValueError, KeyboardInterrupt, SystemExit):
        world = World()
        with pytest.raises(error):
            world.leave_by(error)
        statuses.append(world.engine.record.status)

    assert statuses == ["failed", "interrupted", "interrupted"]


def test_ctrl_c_while_the_run_ends_costs_no_record() -> None:
    """Who presses Ctrl-C again while the end waits for a reading gets out at once, and the record is closed."""

    class Impatient(ScriptedCounter):
        """Is read until somebody loses patience."""

        loses_patience = False

        def read_energy(self) -> Energy:
            """Read, or be interrupted."""
            if self.loses_patience:
                raise KeyboardInterrupt
            return super().read_energy()

    world = World(lambda clock: [Impatient(clock, lambda _: 100.0, domain=GPU_0)])
    meter = world.engine.start("train")
    world.steps(10)
    [counter] = world.sources
    assert isinstance(counter, Impatient)
    counter.loses_patience = True
    with pytest.raises(KeyboardInterrupt):
        meter.stop("interrupted")
    stored = from_mapping(world.store.records[meter.run_id])

    assert stored.ended_at is not None
    assert ("interrupted", 10, 100.0) == (stored.status, stored.steps, stored.energy.total_joules)
    assert meter.stop() is meter.record


def test_who_is_killed_at_once_leaves_a_journal() -> None:
    """The journal can be read from the start on, so that a run killed in its first moments can be closed."""
    world = World()
    meter = world.engine.start()
    [part] = parts_of(world.store.read_journals("test", meter.run_id), "test", meter.run_id)

    assert (meter.run_id, 0) == (part.header.run_id, part.beat.ns)


def test_the_record_can_be_read_while_the_run_goes_on() -> None:
    """Before the end the record is of what has been settled so far, and says running."""
    world = World()
    meter = world.engine.start("train")
    world.steps(10)
    record = meter.record
    stored = from_mapping(world.store.records[record.run_id])

    assert (record.status, record.ended_at, stored.status) == ("running", None, "running")
    assert from_mapping(to_mapping(record)) == replace(record, location=None)


def test_marks_stamped_before_what_is_settled_do_no_harm() -> None:
    """A mark that was queued late, behind the settled time, still counts and energy is conserved."""
    world = World()
    meter = world.engine.start("train")
    world.steps(5)
    world.run(1)
    meter.row()
    world.steps(5)
    record = meter.stop()

    assert record.steps == 10
    assert record.energy.total_joules == 200.0


def test_others_on_a_gpu_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """Who else uses a GPU is looked for now and then, not at every beat, and told once."""
    looks = []

    def neighbours() -> str:
        looks.append(1)
        return "" if len(looks) < 3 else "python (pid 7) is on GPU 0, too"

    world = World(neighbours=neighbours)
    meter = world.engine.start("train")
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        world.steps(400)
        meter.stop()

    assert 5 < len(looks) < 10
    assert [record.message for record in caplog.records] == ["python (pid 7) is on GPU 0, too"]
