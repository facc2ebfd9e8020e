"""Totals and single steps against the truth, on GPUs whose power is a closed form of time.

The meter is the real one, on the real :mod:`pynvml`; only the driver below is a stand-in. The truth is taken between
the meter's own start and end, so both ends fall wherever they happen to fall between the counters' jumps.

What can be reached: a jump does not tell what the power was like while it was counted. An edge of the square wave
within the first or the last jump of a run costs up to swing × tick / 2, here 5 of 1,500 J, and seldom half of that.
Likewise single steps: the share of them that an edge falls among grows with how often the power changes.
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
SLOW_PERIOD_SECONDS = 2.0
SHAPES = ("constant", "sine", "square", "saw")
MIXED = ("square", "saw", "sine", "constant")
"""In a run of several GPUs each has the next shape; the hard ones come first."""

_WATTS, _SWING_WATTS, _DEEP_SWING_WATTS = 300.0, 100.0, 200.0


def continuous(world: World) -> Iterator[Check]:
    """Counters that move all the time."""
    for count in _counts(world):
        shapes = [MIXED[index % len(MIXED)] for index in range(count)]
        found = _run(world, shapes, tick_ns=0)
        yield _total("accuracy-continuous", found, 0.01, f"{count} GPU, counter moves all the time")


def ticking(world: World) -> Iterator[Check]:
    """Counters that jump every 100 ms; the runs with one GPU tell about single steps too."""
    runs = {
        (shape, period): _run(world, [shape], tick_ns=_TICK_NS, period_seconds=period)
        for shape in SHAPES
        for period in (SLOW_PERIOD_SECONDS, PERIOD_SECONDS)
        if not (shape == "constant" and period == PERIOD_SECONDS)
    }
    for (shape, period), found in runs.items():
        yield _total("accuracy-ticking", found, 0.3, f"1 GPU, {_wave(shape, period)}, counter jumps every 100 ms")
    for count in _counts(world)[1:]:
        found = _run(world, [MIXED[index % len(MIXED)] for index in range(count)], tick_ns=_TICK_NS)
        yield _total("accuracy-ticking", found, 0.3, f"{count} GPUs, all shapes, counter jumps every 100 ms")
    for (shape, period), found in runs.items():
        # No jump tells what happens within it: faster than about a second, even the exact moments leave about 5 %.
        limit = 5.0 if shape == "constant" or period == SLOW_PERIOD_SECONDS else None
        at_edges = found.edge_errors
        nothing = sum(error == 1 for error in at_edges) / len(at_edges)
        note = f"jumps known exactly: {_mean_percent(found.least_errors):.2g} %; "
        note += f"counter read at both edges: {_mean_percent(at_edges):.0f} %, {nothing:.0%} of steps 0 J"
        what = f"mean error of a step of {STEP_SECONDS * 1e3:.0f} ms, {_wave(shape, period)}"
        yield Check("accuracy-steps", what, _mean_percent(found.step_errors), "%", limit, note=note)
    steps = [step for found in runs.values() for step in found.steps]
    zeros = sum(step.joules <= 0 for step in steps)
    yield Check("accuracy-steps", "steps at 0 J, all shapes", zeros, "", 0, note=f"of {len(steps)}")


def integrated(world: World) -> Iterator[Check]:
    """No counter: the momentary power, integrated."""
    for count in _counts(world):
        found = _run(world, ["square"] * count, tick_ns=0, energy_code=NOT_SUPPORTED, amplitude_watts=_DEEP_SWING_WATTS)
        yield _total("accuracy-power", found, 1.0, f"{count} GPU, square wave of 0.7 s, power integrated")


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


def _wave(shape: str, period_seconds: float) -> str:
    return shape if shape == "constant" else f"{shape} of {period_seconds:g} s"


def _mean_percent(errors: Sequence[float]) -> float:
    return 100 * sum(errors) / len(errors)


def _total(bench: str, found: Metered, limit_percent: float, what: str) -> Check:
    gpus = [100 * abs(error) for error in found.gpu_errors]
    note = f"worst GPU {max(gpus):.3g} %" if len(gpus) > 1 else ""
    return Check(bench, f"total, {what}", 100 * abs(found.total_error), "%", limit_percent, note=note)
