"""One rank of a plain loop with a meter, told by JSON what to do, that tells the truth about its GPU afterwards.

Started by a launcher as ``python -m tests.integration.distributed.loop PLAN``. What differs between ranks stands in the
plan as a list with an entry for each. Each rank carries its own time along and meets the others at every row, as ranks
meet in every step of a training, so that what is true does not depend on how fast the machine is.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil

from lightning_carbon.metering.engine import Engine
from lightning_carbon.records.rows import Row
from lightning_carbon.sources.simulated import SimulatedGPU, Sine
from tests.stepped_time import SteppedClock, engine_on

_STEPS_A_SECOND = 20
_PATIENCE_SECONDS = 300.0
_ROWS_ALONE = 2


class PacedClock(SteppedClock):
    """A clock that a loop moves, in about the time that passes: other ranks are told what the ledger's files tell."""

    def __init__(self) -> None:
        super().__init__(_hold_driver if "NVML_STANDIN_CONFIG" in os.environ else lambda _now_ns: None)

    def wall_seconds(self) -> float:
        """Seconds since 1970, as the other ranks know them."""
        return time.time()

    def go_on(self, seconds: float) -> None:
        """Let so much time pass."""
        time.sleep(seconds)
        self.sleep(seconds)


def _hold_driver(now_ns: int) -> None:
    """Let the stand-in driver's clock show what the loop's shows."""
    ctypes.CDLL("libnvidia-ml.so.1").standinHold(ctypes.c_longlong(now_ns))


def gpu_of(plan: dict[str, Any], index: int, clock: SteppedClock | None = None) -> SimulatedGPU:
    """A simulated GPU whose power all processes know as a closed form of the time since a rank began."""
    mean = plan.get("watts", [300.0, 200.0, 150.0, 100.0])[index]
    return SimulatedGPU(clock or SteppedClock(), Sine(mean, mean / 4, period_seconds=0.7), 0.0, index=index)


def main() -> None:
    """Meter a loop."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    rank = int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0")))
    attempt = int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    of_rank = {key[:-1]: value[rank] for key, value in plan.items() if key.endswith("*")}
    if plan.get("group") == "before":
        join(plan)
    if of_rank.get("idle"):
        wait_for(lambda: is_told(plan, "ended", 1))
        return
    come(plan, of_rank.get("comes", "at once"))
    clock = PacedClock()
    sources = [gpu_of(plan, of_rank["gpu"], clock)] if "gpu" in of_rank else None
    meter = engine_on(
        clock, ledger=plan["ledger"], project="loop", intensity=1000.0, pue=1.0, sources=sources, interval_seconds=0.01
    )
    answer: dict[str, Any] = {"rank": rank, "attempt": attempt, "pid": os.getpid()}
    with meter, meter.phase("train"):
        tell(plan, answer, "started")
        if plan.get("group") == "after":
            join(plan)
        if attempt == 0 and of_rank.get("dies") is not None:
            die(plan, clock, of_rank["dies"])
        rows = [figures(row) for row in rows_of(plan, of_rank, meter, clock, answer)]
    stop_ns = meter_end_ns(meter)
    rows.append(figures(meter.row()))
    record = meter.record
    answer |= {"run_id": record.run_id, "location": record.location, "rows": rows, "steps": record.steps}
    areas = [
        sum(stretch.watts.values()) * (stretch.end_seconds - stretch.start_seconds)
        for stretch in meter.power_profile.stretches
    ]
    answer["course_watts"] = sum(areas) / meter.power_profile.stretches[-1].end_seconds if areas else None
    mine = record.ranks[[part.rank for part in record.ranks].index(rank)]
    if sources is not None:
        answer["truth"] = sources[0].truth(stop_ns - round(mine.duration_seconds * 1e9), stop_ns).joules
    tell(plan, answer, "ended")


def come(plan: dict[str, Any], when: str) -> None:
    """Begin at once, after the first row of rank 0, or when rank 0 is gone."""
    if when == "late":
        wait_for(lambda: is_told(plan, "row0", 0))
    if when == "after the end":
        wait_for(lambda: is_told(plan, "ended", 0))
        process_id = json.loads(Path(plan["answers"], "ended-0.0.json").read_text(encoding="utf-8"))["pid"]
        wait_for(lambda: is_gone(process_id))


def is_gone(process_id: int) -> bool:
    """Whether a process has ended."""
    try:
        return psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def rows_of(
    plan: dict[str, Any], of_rank: dict[str, Any], meter: Engine, clock: PacedClock, answer: dict[str, Any]
) -> Iterator[Row]:
    """Take steps and rows, as many as the plan says; where it says so, until the other rank has come and fallen silent.

    Args:
        plan: The plan.
        of_rank: What it says of this rank.
        meter: Counts the steps.
        clock: Goes on by them.
        answer: What to tell the other ranks at every row.
    """
    count, seconds = plan.get("rows", 4), of_rank.get("slow", 1.0) / _STEPS_A_SECOND
    heard_of_others, alone = False, 0
    for number in itertools.count():
        if number >= count and (alone >= _ROWS_ALONE or not plan.get("until_alone")):
            break
        for _ in range(round(plan["seconds"] / count / seconds)):
            clock.go_on(seconds)
            meter.step_done(samples=2)
        row = meter.row()
        yield row
        tell(plan, answer, f"row{number}")
        if row.ranks > 1:
            heard_of_others = True
            tell(plan, answer, "heard")
        alone = alone + 1 if heard_of_others and row.ranks == 1 else 0
        if plan.get("meets", True):
            meet(plan, f"row{number}", answer["attempt"])
    if "waits_for" in plan:
        wait_for(lambda: is_told(plan, "started", plan["waits_for"]))


def meet(plan: dict[str, Any], when: str, attempt: int) -> None:
    """Wait for all ranks, as they do for the gradients."""
    ranks = range(int(os.environ.get("WORLD_SIZE", os.environ.get("SLURM_STEP_NUM_TASKS", "1"))))
    wait_for(lambda: all(is_told(plan, when, rank, attempt) for rank in ranks))


def die(plan: dict[str, Any], clock: PacedClock, seconds: float) -> None:
    """Be killed after some time, once the other rank has heard of this one."""
    for _ in range(round(seconds * 10)):
        clock.go_on(0.1)
    if plan.get("until_alone"):
        wait_for(lambda: is_told(plan, "heard", 0))
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds that other ranks do."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            message = "the other ranks do not come"
            raise TimeoutError(message)
        time.sleep(0.01)


def is_told(plan: dict[str, Any], when: str, rank: int, attempt: int = 0) -> bool:
    """Whether a rank has left word."""
    return Path(plan["answers"], f"{when}-{rank}.{attempt}.json").exists()


def tell(plan: dict[str, Any], answer: dict[str, Any], when: str) -> None:
    """Leave word for the test."""
    name = f"{when}-{answer['rank']}.{answer['attempt']}.json"
    path = Path(plan["answers"], name)
    path.with_suffix(".new").write_text(json.dumps(answer), encoding="utf-8")
    path.with_suffix(".new").rename(path)


def figures(row: Any) -> dict[str, float]:  # noqa: ANN401 - a Row
    """What the tests look at."""
    return {"ranks": row.ranks, "joules": row.total_joules, "coverage": row.coverage_ratio, "run": row.run_joules}


def meter_end_ns(meter: Engine) -> int:
    """When the run ended, by the loop's clock."""
    return meter._started("moment").usage.end_ns  # noqa: SLF001 - no record has stamps of that clock


def join(plan: dict[str, Any]) -> None:
    """Set up a process group."""
    import torch

    torch.distributed.init_process_group("gloo", timeout=timedelta(seconds=plan.get("patience", 300)))


if __name__ == "__main__":
    main()
