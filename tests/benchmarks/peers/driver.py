"""One process, one tool, one job; the same for every tool: ``driver ANSWER TOOL JOB``, the last one in JSON.

Jobs (``kind``):

* ``run``: start, sleep through steps, stop; tells the total and every step with the moments that they are about.
* ``cost``: how long telling a step takes, in bursts of empty steps.
* ``cpu``: the processor time of this process and all that it started, over a while of sleeping steps.
* ``rank``: as ``run``, in one process of several.
* ``doomed``: as ``run``, but it is going to be killed.
* ``left``: what one that was killed has left behind.

Stands on the standard library alone, as it also runs where only the peers are installed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import asdict
from pathlib import Path
from statistics import mean, median
from typing import Any

from tests.benchmarks.peers.adapters import ADAPTERS
from tests.benchmarks.peers.face import Nothing, Task

BURST = 50
PAUSE_SECONDS = 0.02
WARM_SECONDS = 2.0


def main() -> None:
    """Do the job."""
    answer, tool, job = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    rank = os.environ.get("LOCAL_RANK")
    folder = Path(job["folder"])
    if rank is not None:
        answer = answer.with_name(f"{answer.stem}-{rank}.json")
        folder = folder if tool == "ours" else folder / rank  # ours has one ledger, and one record in it
    folder.mkdir(parents=True, exist_ok=True)
    if job["kind"] == "left":
        answer.write_text(json.dumps({"joules": ADAPTERS[tool](Task(folder)).left()}), encoding="utf-8")
        return
    seconds, step_seconds = float(job["seconds"]), float(job["step_seconds"])
    count = round(seconds / step_seconds) if job.get("mark") else 1
    if job.get("epoch_seconds"):
        count = round(seconds / job["epoch_seconds"])
    if job["kind"] == "cost":
        count = 10**6
    task = Task(
        folder=folder,
        part=job.get("part", "gpu"),
        mark=bool(job.get("mark")),
        steps=count,
        own_gpu=bool(job.get("own_gpu")),
        save=bool(job.get("epoch_seconds")),
        judged=bool(job.get("mark")) and job["kind"] == "run" and job.get("part") != "all",
    )
    began = time.perf_counter()
    adapter = ADAPTERS[tool](task)
    adapter.load()
    imported = time.perf_counter()
    if job.get("together"):
        say(answer, "loaded")
        sys.stdin.readline()
    waited = time.perf_counter()
    adapter.start()
    started = time.perf_counter()
    found: dict[str, Any] = {"import_seconds": imported - began, "start_seconds": started - waited}
    work = {"run": run, "rank": run, "cost": cost, "cpu": cpu, "doomed": doomed}[job["kind"]]
    found |= work(adapter, job)
    answer.write_text(json.dumps({**found, "task": {**asdict(task), "folder": str(folder)}}), encoding="utf-8")


def run(adapter: Nothing, job: dict[str, Any]) -> dict[str, Any]:
    """Sleep through the steps; before the first one, for as long as other tools may need to start beside this one."""
    task = adapter.task
    step_seconds = float(job["step_seconds"])
    edges: list[tuple[int, int]] = []
    start_ns = time.monotonic_ns()
    time.sleep(float(job.get("settle_seconds", 0)))
    until_ns = time.monotonic_ns() + round(float(job["seconds"]) * 1e9)
    while time.monotonic_ns() < until_ns and (not task.mark or len(edges) < task.steps):
        adapter.begin()
        begun_ns = time.monotonic_ns()
        time.sleep(step_seconds)
        ended_ns = time.monotonic_ns()
        adapter.end()
        edges.append((begun_ns, ended_ns))
    end_ns = time.monotonic_ns()
    joules = adapter.stop()
    stopped_ns = time.monotonic_ns()
    steps = adapter.steps() if task.mark else []
    return {
        "start_ns": start_ns,
        "end_ns": end_ns,
        "stop_seconds": (stopped_ns - end_ns) / 1e9,
        "joules": joules,
        "edges": edges if task.mark else [],
        "steps": steps,
        "count": len(edges),
    }


def cost(adapter: Nothing, job: dict[str, Any]) -> dict[str, Any]:
    """Tell steps that are empty, a burst at a time, so that threads have their turn in between."""
    took: list[int] = []
    now_ns = time.perf_counter_ns
    until = time.monotonic() + float(job["seconds"])
    burst = 0
    while time.monotonic() < until:
        burst += 1
        for _ in range(BURST):
            first = now_ns()
            adapter.begin()
            second = now_ns()
            third = now_ns()
            adapter.end()
            fourth = now_ns()
            if burst > 1:
                took.append(second - first + fourth - third)
        time.sleep(PAUSE_SECONDS)
    took.sort()
    return {
        "calls": len(took),
        "median_us": median(took) / 1e3,
        "mean_us": mean(took) / 1e3,
        "p99_us": took[int(len(took) * 0.99)] / 1e3,
        "worst_us": took[-1] / 1e3,
    }


def cpu(adapter: Nothing, job: dict[str, Any]) -> dict[str, Any]:
    """Take the processor time of a while of sleeping steps, once the first seconds are over."""
    step_seconds = float(job["step_seconds"])
    spent: list[float] = []
    steps = 0
    for seconds in (WARM_SECONDS, float(job["seconds"])):
        before, began = tree_seconds(), time.monotonic()
        while time.monotonic() < began + seconds:
            adapter.begin()
            time.sleep(step_seconds)
            adapter.end()
            steps += 1
        spent.append((tree_seconds() - before) / (time.monotonic() - began))
    adapter.stop()
    return {"cpu_ms_per_second": spent[1] * 1e3, "warm_cpu_ms_per_second": spent[0] * 1e3, "count": steps}


def doomed(adapter: Nothing, job: dict[str, Any]) -> dict[str, Any]:
    """Say when it began, and go on until the end, which comes from outside."""
    say(Path(sys.argv[1]), str(time.monotonic_ns()))
    step_seconds, epoch_seconds = float(job["step_seconds"]), float(job["epoch_seconds"])
    until = time.monotonic() + float(job["seconds"])
    epoch = time.monotonic() + epoch_seconds
    while time.monotonic() < until:
        adapter.begin()
        time.sleep(step_seconds)
        adapter.end()
        if time.monotonic() >= epoch:
            adapter.end_epoch()
            epoch += epoch_seconds
    return {"joules": adapter.stop()}


def say(answer: Path, word: str) -> None:
    """Tell the parent something, in a file that is there at once or not at all."""
    draft = answer.with_suffix(".draft")
    draft.write_text(word, encoding="ascii")
    draft.rename(answer.with_suffix(".word"))


def tree_seconds() -> float:
    """The processor time of this process, of the children that ended and of those that live."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(map(_living_seconds, _children(os.getpid())))


def _children(pid: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, file.read_text(encoding="ascii").split()):
            found += [child, *_children(child)]
    return found


def _living_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
