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
    # 47, so that readings, rows and the counters' jumps keep falling at other moments.
    yield from _simulate(world, f"{steps:,} simulated steps", steps, 2_000_000, 8, 47)


def week(world: World) -> Iterator[Check]:
    """A week, or three hours, of ten steps a second on 64 counters, a row every 50 steps.

    Every step is taken, while the counters are read every 4.7 s only: 64 of them ten times a second, as in a real run,
    would be 387 million readings, which take an hour to simulate.
    """
    hours = 3 if world.quick else 168
    yield from _simulate(world, f"{hours} simulated hours with 64 domains", hours * 36_000, 100_000_000, 64, 47)


def _simulate(world: World, what: str, *arguments: int) -> Iterator[Check]:
    found = world.child("memory_child", *map(str, arguments))
    note = f"resident {found['before_mb']:.1f} MB after the first tenth, {found['after_mb']:.1f} MB at the end"
    yield Check("memory", f"growth over {what}", found["after_mb"] - found["before_mb"], "MB", 2, note=note)
    first, last = found["first_row_microseconds"], found["last_row_microseconds"]
    note = f"median of the first hour {first:.0f} µs, of the last {last:.0f} µs"
    yield Check("memory", "what a row takes at the end, against the beginning", last / first, "×", 1.5, note=note)
    error = abs(found["joules"] / found["true_joules"] - 1) * 100
    note = f"{found['rows']:,} rows; {found['seconds']:.0f} s; rows less record: {found['left_microjoules']} µJ"
    yield Check("memory", "the total of these steps against the truth", error, "%", 0.01, note=note)
