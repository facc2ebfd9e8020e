"""One rank of a plain loop with a meter, told by JSON what to do, that tells the truth about its GPU afterwards.

Started by a launcher as ``python -m tests.integration.distributed.loop PLAN``. What differs between ranks stands in the
plan as a list with an entry for each.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU, Sine

_STEPS_A_SECOND = 20


class SharedClock:
    """The monotonic clock, which all processes of a machine share; what is made on it was made at one moment."""

    def __init__(self, origin_ns: int) -> None:
        self._origin_ns: int | None = origin_ns

    def now_ns(self) -> int:
        """That moment at the first call, then now."""
        origin_ns, self._origin_ns = self._origin_ns, None
        return time.monotonic_ns() if origin_ns is None else origin_ns

    def wall_seconds(self) -> float:
        """Seconds since 1970."""
        return time.time()


def gpu_of(plan: dict[str, Any], index: int) -> SimulatedGPU:
    """A simulated GPU whose power all processes know as one closed form of the clock."""
    mean = plan.get("watts", [300.0, 200.0, 150.0, 100.0])[index]
    clock = SharedClock(plan["origin_ns"])
    return SimulatedGPU(clock, Sine(mean, mean / 4, period_seconds=0.7), 0.0, index=index)


def main() -> None:
    """Meter a loop."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    rank = int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0")))
    attempt = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    of_rank = {key[:-1]: value[rank] for key, value in plan.items() if key.endswith("*")}
    if plan.get("group") == "before":
        join(plan)
    time.sleep(of_rank.get("late", 0))
    if of_rank.get("idle"):
        time.sleep(plan["seconds"] + 1)
        return
    sources = [gpu_of(plan, of_rank["gpu"])] if "gpu" in of_rank else None
    meter = Meter(
        ledger=plan["ledger"], project="loop", intensity=1000.0, pue=1.0, sources=sources, interval_seconds=0.01
    )
    began = time.monotonic_ns()
    answer: dict[str, Any] = {"rank": rank, "attempt": attempt, "began_ns": began}
    with meter, meter.phase("train"):
        answer["start_ms"] = (time.monotonic_ns() - began) / 1e6
        tell(plan, answer, "started")
        if plan.get("group") == "after":
            join(plan)
        rows = [row_of(meter, of_rank, until) for until in marks(plan, of_rank, attempt)]
    stop_ns = meter_end_ns(meter)
    rows.append(figures(meter.row()))
    record = meter.record
    answer |= {"run_id": record.run_id, "location": record.location, "rows": rows, "steps": record.steps}
    areas = [
        sum(stretch.watts.values()) * (stretch.end_seconds - stretch.start_seconds)
        for stretch in meter.power_profile.stretches
    ]
    answer["course_watts"] = sum(areas) / meter.power_profile.stretches[-1].end_seconds if areas else None
    mine = record.ranks[[rank.rank for rank in record.ranks].index(rank)]
    if sources is not None:
        answer["truth"] = sources[0].truth(stop_ns - round(mine.duration_seconds * 1e9), stop_ns).joules
    tell(plan, answer, "ended")


def tell(plan: dict[str, Any], answer: dict[str, Any], when: str) -> None:
    """Leave word for the test."""
    name = f"{when}-{answer['rank']}.{answer['attempt']}.json"
    Path(plan["answers"], name).write_text(json.dumps(answer), encoding="utf-8")


def marks(plan: dict[str, Any], of_rank: dict[str, Any], attempt: int) -> list[float]:
    """When rows are due, by the monotonic clock; where the plan says so, this process ends before."""
    now = time.monotonic()
    dies = of_rank.get("dies")
    if dies is not None and attempt == 0:
        time.sleep(dies)
        os.kill(os.getpid(), signal.SIGKILL)
    rows = plan.get("rows", 4)
    return [now + plan["seconds"] * (row + 1) / rows for row in range(rows)]


def row_of(meter: Meter, of_rank: dict[str, Any], until: float) -> dict[str, float]:
    """Take steps until a moment, and a row."""
    while time.monotonic() < until:
        time.sleep(of_rank.get("slow", 1.0) / _STEPS_A_SECOND)
        meter.step_done(samples=2)
    return figures(meter.row())


def figures(row: Any) -> dict[str, float]:  # noqa: ANN401 - a Row
    """What the tests look at."""
    return {"ranks": row.ranks, "joules": row.total_joules, "coverage": row.coverage_ratio, "run": row.run_joules}


def meter_end_ns(meter: Meter) -> int:
    """When the run ended, by the monotonic clock."""
    return meter._started("moment").usage.end_ns  # noqa: SLF001 - no record has stamps of that clock


def join(plan: dict[str, Any]) -> None:
    """Set up a process group."""
    import torch

    torch.distributed.init_process_group("gloo", timeout=timedelta(seconds=plan.get("patience", 300)))


if __name__ == "__main__":
    main()
