"""The day in METHODOLOGY.md that is priced hour by hour, metered and priced again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lightning_carbon.carbon.series import IntensitySeries, steps_of
from lightning_carbon.testing import ScriptedCounter
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, SECONDS_PER_HOUR
from tests.documents import table
from tests.unit.metering.worlds import GPU_0, World

PUE = 1.25


def number(cell: str) -> float:
    """The figure of a cell."""
    return float(cell.replace(",", ""))


def test_a_day_by_hand_is_what_the_meter_says() -> None:
    """A run of that power, with a file of those factors, has the energy, the mean factor and the CO2e of the table."""
    rows = table("METHODOLOGY.md", "hours, UTC")
    hours, day, site = rows[:-2], rows[-2], rows[-1]
    watts = [number(row[1]) for row in hours]
    grams = [number(row[3]) for row in hours]
    start = World().clock.wall_seconds()
    points = ((start + hour * SECONDS_PER_HOUR, grams[hour // 6]) for hour in range(24))
    world = World(
        lambda clock: [ScriptedCounter(clock, lambda seconds: watts[min(3, int(seconds / 21_600))], domain=GPU_0)],
        changes={"series": IntensitySeries(*steps_of(points), source="grid.csv")},
    )
    with world.engine as meter:
        world.run(24 * SECONDS_PER_HOUR, tick_seconds=300.0)
    record = meter.record

    assert [number(row[4]) for row in hours] == pytest.approx([number(row[2]) * number(row[3]) for row in hours])
    assert record.energy.total_joules == pytest.approx(number(day[2]) * JOULES_PER_KILOWATT_HOUR, rel=1e-6)
    assert record.carbon.intensity.value == pytest.approx(number(day[3]), rel=1e-3)
    assert record.carbon.grams_co2e == pytest.approx(number(site[4]), rel=1e-3)
    assert number(site[2]) == pytest.approx(number(day[2]) * PUE)
    assert 0 == datetime.fromtimestamp(start, UTC).hour
