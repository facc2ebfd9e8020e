"""Whether memory stays flat over a run that is longer than any test could wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.report import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import World


def memory(world: World) -> Iterator[Check]:
    """Ten million steps of 2 ms on a clock that is moved by hand: eight counters, a row every 50 steps."""
    steps = 1_000_000 if world.quick else 10_000_000
    found = world.child("memory_child", str(steps))
    note = f"resident {found['before_mb']:.1f} MB after the first tenth, {found['after_mb']:.1f} MB at the end"
    what = f"growth over {steps:,} simulated steps"
    yield Check("memory", what, found["after_mb"] - found["before_mb"], "MB", 2, note=note)
    error = abs(found["joules"] / found["true_joules"] - 1) * 100
    note = f"{found['rows']:,} rows; {found['seconds']:.0f} s; rows less record: {found['left_microjoules']} µJ"
    yield Check("memory", "the total of these steps against the truth", error, "%", 0.01, note=note)
