"""What it costs to import the package and to start a meter, each in a process that has done neither before."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.report import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import World


def importing(world: World) -> Iterator[Check]:
    """``import lightning_carbon``."""
    runs = [world.child("import_child") for _ in range(5 if world.quick else 15)]
    times = [run["milliseconds"] for run in runs]
    note = f"median of {len(runs)}; worst {max(times):.1f} ms"
    yield Check("import", "import lightning_carbon", median(times), "ms", 60, note=note)
    heavy = sorted({name for run in runs for name in run["heavy"]})
    note = ", ".join(heavy) or "torch, numpy, pynvml, psutil, typer and rich stay out"
    yield Check("import", "heavy packages that came along", len(heavy), "", 0, note=note)


def starting(world: World) -> Iterator[Check]:
    """``Meter(...).start()`` with 8 GPUs."""
    world.child("start_child", scenario=world.eight_gpus())  # writes the .pyc files and warms the disk
    runs = [world.child("start_child", scenario=world.eight_gpus()) for _ in range(5 if world.quick else 15)]
    if any(run["gpus"] != 8 or run["loaded_before"] for run in runs):
        raise RuntimeError(f"the meter did not start from nothing with 8 GPUs: {runs[0]}")
    parts = {name: median(run[name] for run in runs) for name in ("import_ms", "construct_ms", "start_ms")}
    times = [run["import_ms"] + run["construct_ms"] + run["start_ms"] for run in runs]
    note = " + ".join(f"{name.removesuffix('_ms')} {value:.0f}" for name, value in parts.items())
    what = "Meter with 8 GPUs: its import, construction and start"
    yield Check("start", what, median(times), "ms", 120, note=f"{note}; worst {max(times):.0f}")
    for kind in ("process", "socket"):
        events = [event for run in runs for event in run[kind]]
        note = ", ".join(sorted(set(events)))
        yield Check("start", f"events of a {kind} being made, first import to stop", len(events), "", 0, note=note)
    printed = sum(len(run["stdout"] + run["stderr"]) for run in runs)
    yield Check("start", "characters printed, first import to stop", printed, "", 0)
