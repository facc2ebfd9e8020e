"""What it costs to show the end of a run in TensorBoard, after the training: summary, figure and layout."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.report import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import World


def ending(world: World) -> Iterator[Check]:
    """A week's run, in a process that has not drawn before, and again."""
    found = world.child("ending_child", "6" if world.quick else "21")
    walls, processors = found["wall_ms"], found["processor_ms"]
    note = f"{found['stretches']} stretches; wall {median(walls[1:]):.0f} ms, worst {max(walls[1:]):.0f}"
    what = "processor time of summary, figure and layout"
    yield Check("ending", what, median(processors[1:]), "ms", 300, note=note)
    what = "the same for the first time in a process, with the import of matplotlib"
    yield Check("ending", what, processors[0], "ms", 1_500, note=f"wall {walls[0]:.0f} ms")
