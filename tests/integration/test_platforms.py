"""Platform counters that cannot have inside of them what they should: the parts count, and the record says so."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.sources.simulated import SimulatedCounter
from tests.stepped_time import SteppedClock, engine_on

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.metering.engine import Engine

PLATFORMS = [Domain(Kind.PSYS, f"psys:{number}", f"platform {number}") for number in range(2)]


def metered(folder: Path, *watts: float) -> Engine:
    """A run of a server whose two platforms draw so much, each with a package of 50 W inside."""
    clock = SteppedClock()
    sources = [SimulatedCounter(clock, power, domain=domain) for power, domain in zip(watts, PLATFORMS, strict=True)]
    for number, platform in enumerate(PLATFORMS):
        package = Domain(Kind.PACKAGE, f"package:{number}", f"CPU package {number}", platform.id)
        sources.append(SimulatedCounter(clock, 50.0, domain=package))
    meter = engine_on(clock, sources=sources, ledger=folder, interval_seconds=0.02, per_step=True)
    with meter:
        for _ in range(3):
            clock.sleep(0.06)
            meter.step_done()
    return meter


@pytest.mark.parametrize(
    ("watts", "counted", "overruled"),
    [
        ((80.0, 80.0), 160.0, []),
        ((80.0, 0.0), 130.0, ["platform 1"]),
        ((0.0, 0.0), 100.0, ["platform 0", "platform 1"]),
        ((20.0, 50.1), 100.1, ["platform 0"]),
    ],
)
def test_a_platform_counts_if_it_is_at_least_its_parts(
    tmp_path: Path, watts: tuple[float, float], counted: float, overruled: list[str]
) -> None:
    """Rows, record and lists of steps go by the platform where it can have its parts inside, else by the parts."""
    meter = metered(tmp_path, *watts)
    record, row = meter.record, meter.row()
    [steps_file] = tmp_path.rglob("steps.csv")
    with steps_file.open(encoding="utf-8") as lines:
        steps = sum(float(line["total_joules"]) for line in csv.DictReader(lines))

    assert record.energy.total_joules == pytest.approx(counted * record.duration_seconds, rel=1e-6)
    assert row.run_joules == pytest.approx(record.energy.total_joules, abs=1e-6)
    assert steps == pytest.approx(record.step_joules, rel=1e-6)
    assert overruled == [finding.subject for finding in record.energy.absent]
    assert (
        not {f"platform {number}" for number in range(2)}
        & set(overruled)
        & {domain.name for domain in record.energy.domains}
    )
    # The reason is said once for all of which it holds.
    assert all(name in record.summary() for name in overruled)
    assert bool(overruled) == (": it counted " in record.summary())
