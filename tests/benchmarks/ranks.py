"""What several ranks cost the training: a row, which has the others' figures in it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.benchmarks.report import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import World

_PATIENCE_SECONDS = 120


def rows(world: World) -> Iterator[Check]:
    """``row()`` on the training's thread, with two ranks side by side on 8 GPUs."""
    count = "150" if world.quick else "500"
    started = []
    for rank in range(2):
        command, environment, answer = world.prepare("ranks_child", count, scenario=world.eight_gpus())
        environment |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2", "WORLD_SIZE": "2"}
        started.append((subprocess.Popen(command, env=environment), answer))
    for process, _ in started:
        if process.wait(_PATIENCE_SECONDS):
            raise RuntimeError(f"a rank ended with {process.returncode}")
    found = json.loads(started[0][1].read_text(encoding="utf-8"))
    note = f"{found['rows']} rows of {found['ranks']} ranks; 99 % under {found['p99_us']:.0f} µs"
    note += f", worst {found['worst_us']:.0f} µs"
    yield Check("ranks", "median of a row() call with 2 ranks", found["median_us"] / 1e3, "ms", 1, note=note)
