"""What metering costs while the training runs: the call at a step's end, and the sampling thread."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.report import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import World


def step_done(world: World) -> Iterator[Check]:
    """``step_done()`` with the sampler at work on 8 GPUs."""
    found = world.child("step_child", "20" if world.quick else "100", scenario=world.eight_gpus())
    note = f"{found['calls']} calls in bursts; 99 % under {found['p99_us']:.1f} µs; mean {found['mean_us']:.2f} µs"
    yield Check("step_done", "median of a step_done() call", found["median_us"], "µs", 3, note=note)
    note = "samples= and tokens= given"
    yield Check("step_done", "median with counts", found["median_with_counts_us"], "µs", 3, note=note)
    note = f"{found['part_off_us']:.2f} µs without detail, where it does nothing"
    yield Check("step_done", 'median of enter_part(), detail="step"', found["part_us"], "µs", 3, note=note)
    note = "five parts a step on 8 GPUs and the host's domains, attributed once a second on the sampling thread"
    yield Check("step_done", "processor time of telling a step's parts apart", found["attributed_us"], "µs", note=note)


def sampler(world: World) -> Iterator[Check]:
    """The sampling thread with 8 GPUs while steps of 20 ms end: nobody asks for steps, and with steps."""
    rounds = 1 if world.quick else 3
    for devices, detail, limit in (("gpus", "phase", 0.6), ("gpus", "step", 2), ("all", "phase", None)):
        runs = [world.child("sampler_child", devices, detail, scenario=world.eight_gpus()) for _ in range(rounds)]
        seconds = [second for run in runs for second in run["steady_ms"]]
        first = [sum(run["first_ms"]) / len(run["first_ms"]) for run in runs]
        host = ", ".join(sorted({name for run in runs for name in run["host"]}))
        what = f'8 GPUs{" and the host" if host else ""}, detail="{detail}"'
        note = f"mean of {len(seconds)} s; median {median(seconds):.2f}, worst {max(seconds):.2f} ms"
        note += f"; with {host}" if host else ""
        mean = sum(seconds) / len(seconds)
        # The targets speak of GPUs; what the model of the host costs beside them is told, and not judged.
        yield Check("sampler", f"processor time a second, {what}", mean, "ms", limit, note=note)
        note = f"jumps are learnt, counters checked: mean of the first {len(runs[0]['first_ms'])} s"
        yield Check("sampler", f"while it begins, {what}", sum(first) / len(first), "ms", note=note)
