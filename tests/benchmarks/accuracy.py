"""Totals and single steps against the truth, on GPUs whose power is a closed form of time.

The meter is the real one, on the real :mod:`pynvml`; only the driver below is a stand-in. The truth is taken between
the meter's own start and end, so both ends fall wherever they happen to fall between the counters' jumps.

What can be reached: a jump does not tell what the power was like while it was counted. An edge of the square wave
within the first or the last jump of a run costs up to swing × tick / 2, here 5 of 1,500 J, and seldom half of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.benchmarks.metered import run_metered
from tests.benchmarks.report import Check
from tests.benchmarks.world import TICK_SECONDS
from tests.nvml_standin import NOT_SUPPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.metered import Metered
    from tests.benchmarks.world import World

SECONDS = 5.0
STEP_SECONDS = 0.02
PERIOD_SECONDS = 0.7
SHAPES = ("constant", "sine", "square", "saw")
MIXED = ("square", "saw", "sine", "constant")
"""In a run of several GPUs each has the next shape; the hard ones come first."""

_WATTS, _SWING_WATTS, _DEEP_SWING_WATTS = 300.0, 100.0, 200.0


def continuous(world: World) -> Iterator[Check]:
    """Counters that move all the time."""
    for count in _counts(world):
        shapes = [MIXED[index % len(MIXED)] for index in range(count)]
        found = _run(world, shapes, tick_ns=0)
        yield _total("accuracy-continuous", [found], 0.01, f"{count} GPU, counter moves all the time")


def ticking(world: World) -> Iterator[Check]:
    """Counters that jump every 100 ms; the runs with one GPU tell about single steps too."""
    runs: dict[str, list[Metered]] = {shape: [] for shape in SHAPES}
    for _ in range(1 if world.quick else 2):
        for shape, found in runs.items():
            found.append(_run(world, [shape], tick_ns=_TICK_NS))
    for shape, found in runs.items():
        yield _total("accuracy-ticking", found, 0.3, f"1 GPU, {shape}, counter jumps every 100 ms")
    for count in _counts(world)[1:]:
        shapes = [MIXED[index % len(MIXED)] for index in range(count)]
        found = [_run(world, shapes, tick_ns=_TICK_NS)]
        yield _total("accuracy-ticking", found, 0.3, f"{count} GPUs, all shapes, counter jumps every 100 ms")
    for shape, found in runs.items():
        errors = [error for one in found for error in one.step_errors]
        at_edges = [error for one in found for error in one.edge_errors]
        zeros = sum(step.joules <= 0 for one in found for step in one.steps)
        nothing = sum(error == 1 for error in at_edges) / len(at_edges)
        yield Check(
            "accuracy-steps",
            f"mean error of a step of {STEP_SECONDS * 1e3:.0f} ms, {shape}, counter jumps every 100 ms",
            100 * sum(errors) / len(errors),
            "%",
            5.0,
            note=f"counter read at both edges: {100 * sum(at_edges) / len(at_edges):.0f} %, {nothing:.0%} of steps 0 J",
        )
        yield Check("accuracy-steps", f"steps at 0 J, {shape}", zeros, "", 0, note=f"of {len(errors)}")


def integrated(world: World) -> Iterator[Check]:
    """No counter: the momentary power, integrated."""
    for count in _counts(world):
        found = _run(world, ["square"] * count, tick_ns=0, energy_code=NOT_SUPPORTED, amplitude_watts=_DEEP_SWING_WATTS)
        yield _total("accuracy-power", [found], 1.0, f"{count} GPU, square wave of 0.7 s, power integrated")


_TICK_NS = round(TICK_SECONDS * 1e9)


def _counts(world: World) -> Sequence[int]:
    return (1, 8) if world.quick else (1, 2, 4, 8)


def _run(world: World, shapes: Sequence[str], **changes: Any) -> Metered:  # noqa: ANN401 - whatever a Gpu takes
    gpus = []
    for shape in shapes:
        swing = {"amplitude_watts": 0.0 if shape == "constant" else _SWING_WATTS, "period_seconds": PERIOD_SECONDS}
        gpus.append(world.gpu(**{"shape": shape, "watts": _WATTS, **swing, **changes}))
    ledger = world.folder / "ledger"
    return run_metered(world.standin, gpus, ledger, seconds=SECONDS, step_seconds=STEP_SECONDS)


def _total(bench: str, runs: Sequence[Metered], limit_percent: float, what: str) -> Check:
    worst = max(abs(found.total_error) for found in runs)
    worst_gpu = max(abs(error) for found in runs for error in found.gpu_errors)
    gpus = sum(len(found.scenario.gpus) for found in runs)
    note = f"worst of {gpus} GPUs {100 * worst_gpu:.3g} %" if gpus > len(runs) else f"worst of {len(runs)} runs"
    return Check(bench, f"total, {what}", 100 * worst, "%", limit_percent, note=note)
