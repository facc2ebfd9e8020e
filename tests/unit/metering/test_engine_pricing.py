"""A run that is priced by carbon intensities over time: the record, the rows, and what a kill leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.carbon.budgets import Budget, Quantity
from lightning_carbon.carbon.series import IntensitySeries, steps_of
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.records.journal import part_of
from lightning_carbon.records.merging import record_of
from lightning_carbon.testing import ScriptedCounter
from tests.unit.metering.worlds import GPU_0, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.testing import ManualClock

HOUR = 3600.0
PUE = 1.25
KILO, MEGA = 1_000.0, 1_000_000.0


def uneven(clock: ManualClock) -> list[ScriptedCounter]:
    """A GPU that draws 1 kW in every first half of an hour and 200 W in every second half."""
    return [ScriptedCounter(clock, lambda seconds: 1_000.0 if seconds % HOUR < HOUR / 2 else 200.0, domain=GPU_0)]


def series_from(start: float, grams: Sequence[float], step: float = HOUR) -> IntensitySeries:
    """A series with a value for each step from a moment on."""
    return IntensitySeries(*steps_of((start + number * step, value) for number, value in enumerate(grams)))


def world_with(grams: Sequence[float], step: float) -> World:
    """A world whose run begins with such a series."""
    world = World(uneven)
    return World(uneven, changes={"series": series_from(world.clock.wall_seconds(), grams, step)})


def test_a_day_is_priced_hour_by_hour_and_by_its_energy() -> None:
    """A day of half-hours at 1 kW and 200 W, half-hourly factors: 0.5 kWh x f + 0.1 kWh x f', added up by hand."""
    grams = [100.0 + 3 * half for half in range(48)]
    world = world_with(grams, HOUR / 2)
    with world.engine as meter:
        world.run(24 * HOUR, tick_seconds=300.0)
    carbon = meter.record.carbon
    by_hand = PUE * sum((0.5 if half % 2 == 0 else 0.1) * value for half, value in enumerate(grams))

    assert 24 * 0.6 * 3.6 * MEGA == pytest.approx(meter.record.energy.total_joules, rel=1e-6)
    assert by_hand == pytest.approx(carbon.grams_co2e, rel=2e-3)  # a stretch of the profile is minutes long
    assert carbon.series is not None
    assert (1.0, 100.0, 241.0) == (carbon.series.covered_ratio, carbon.series.least, carbon.series.greatest)
    assert carbon.intensity.value == carbon.series.grams_per_kilowatt_hour
    assert "series: given: 100.0 % of the energy at" in " ".join(meter.record.summary().split())


def test_rows_add_up_to_the_run() -> None:
    """Each row has the rise of the run's CO2e, however the factor changes."""
    world = world_with([100.0, 900.0, 50.0, 400.0, 400.0], 60.0)
    rows = []
    with world.engine as meter:
        for _ in range(8):
            world.run(30.0, tick_seconds=1.0)
            meter.step_done(1)
            rows.append(meter.row())
        world.run(5.0, tick_seconds=1.0)
    rows.append(meter.row())

    assert meter.record.carbon.grams_co2e == rows[-1].run_grams_co2e
    assert meter.record.carbon.grams_co2e == pytest.approx(sum(row.grams_co2e or 0.0 for row in rows))
    assert PUE * ((100 + 900 + 50 + 400) * 60.0 + 400 * 5.0) / 3.6 / KILO == pytest.approx(
        meter.record.carbon.grams_co2e, rel=0.01
    )


def test_the_rest_is_priced_by_the_region_and_said() -> None:
    """A series that ends in the middle of the run covers half of it; the record says so, and the summary too."""
    world = world_with([100.0], 60.0)
    half = IntensitySeries((0.0,), (60.0,), (100.0,), source="grid.csv", notes=("2 rows without a value left out",))
    start = world.clock.wall_seconds()
    series = IntensitySeries((start,), (start + 60.0,), half.grams, source=half.source, notes=half.notes)
    world = World(uneven, changes={"series": series})
    with world.engine as meter:
        world.run(120.0, tick_seconds=1.0)
    carbon, region = meter.record.carbon, intensity_of("SE")

    assert carbon.series is not None
    assert 0.5 == pytest.approx(carbon.series.covered_ratio, rel=0.01)
    assert (100.0 + region.value) / 2 == pytest.approx(carbon.intensity.value, rel=0.01)
    assert region == carbon.series.rest
    assert f"; the rest at {region.value:g} gCO2e/kWh" in " ".join(meter.record.summary().split())
    assert "series: 2 rows without a value left out" in meter.record.summary()


@pytest.mark.parametrize(("signal", "said"), [("average", "covers none of the run"), ("marginal", "marginal, beside")])
def test_what_a_series_cannot_price_is_the_regions(signal: str, said: str) -> None:
    """A series of another year covers nothing, and a marginal series stands beside the figure."""
    start = World(uneven).clock.wall_seconds() - (0.0 if signal == "marginal" else 1e6)
    world = World(uneven, changes={"series": IntensitySeries((start,), (start + 9e4,), (800.0,), signal=signal)})
    with world.engine as meter:
        world.run(30.0, tick_seconds=1.0)

    assert intensity_of("SE") == meter.record.carbon.intensity
    assert said in " ".join(meter.record.summary().split())


def test_a_killed_run_is_priced_as_far_as_its_journal_reaches() -> None:
    """The last beat says what the series has had in the price, and the record made of it is priced by that."""
    world = world_with([100.0, 500.0], 30.0)
    with world.engine:
        world.run(60.0, tick_seconds=1.0)
        lines = next(kept.lines for (_, name), kept in world.store.files.items() if name == "rank-00000.jsonl")
        record = record_of([part_of(json.loads(lines[0]), json.loads(lines[-1]))])

        assert record.carbon.series is not None
        assert pytest.approx(1.0) == record.carbon.series.covered_ratio
        assert 100.0 < record.carbon.intensity.value < 500.0


def test_a_budget_of_co2e_counts_what_the_series_says() -> None:
    """At ten times the region's factor, a budget is used up by a tenth of the energy."""
    start = World(uneven).clock.wall_seconds()
    dirty = 10 * intensity_of("SE").value
    series = IntensitySeries((start,), (start + HOUR,), (dirty,))
    grams = 1_000.0 * 60.0 / 3.6 / MEGA * dirty * PUE  # of a minute at 1 kW
    world = World(uneven, changes={"series": series, "budget": Budget(Quantity.CARBON, grams, f"{grams:.3g} g")})
    with world.engine as meter:
        world.run(45.0, tick_seconds=1.0)
        assert not meter.budget_reached
        world.run(30.0, tick_seconds=1.0)
        assert meter.budget_reached
