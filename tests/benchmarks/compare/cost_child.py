"""Measures one tree's costs in a process of its own: ``cost_child FILE PROGRAM``.

Runs in trees of any age, so it takes public names alone, and processor time rather than time by the clock: what else
the machine does is no cost of the meter.
"""

import sys
from time import perf_counter_ns, process_time_ns, thread_time_ns

TYPE_CHECKING = False  # typing alone takes milliseconds, which start() would lack
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from lightning_carbon import Meter as AnyMeter

BURSTS, CALLS, ROWS, COLD_ROWS = 20, 500, 400, 120
LOGGED_ROWS, LOGGED_STEPS = 16, 25
PAUSE_SECONDS, COLD_SECONDS = 0.02, 0.01
FIRST_SECONDS, STEADY_SECONDS, STEP_SECONDS = 5.5, 5.0, 0.02
READS = 60


def start() -> dict[str, float]:
    """Import and start, in a process that has done neither before."""
    began_ns = process_time_ns()
    import lightning_carbon

    imported_ns = process_time_ns()
    meter_class = lightning_carbon.Meter
    loaded_ns = process_time_ns()
    meter = meter_class(devices="all").start()
    started_ns = process_time_ns()
    meter.stop()
    return {
        "import lightning_carbon, CPU ms": (imported_ns - began_ns) / 1e6,
        "import Meter, CPU ms": (loaded_ns - began_ns) / 1e6,
        "import and start(), 8 GPUs, CPU ms": (started_ns - began_ns) / 1e6,
    }


def calls() -> dict[str, float]:
    """Calls on the training's thread while 8 GPUs are sampled, and reading the record of that run."""
    import json
    import time
    from pathlib import Path
    from statistics import median

    from lightning_carbon import Meter
    from lightning_carbon.records.mapping import from_mapping

    steps: list[int] = []
    rows: list[int] = []
    cold: list[int] = []
    logged: list[int] = []
    with Meter(devices="all") as meter, meter.phase("train"):
        for _ in range(BURSTS):
            for _ in range(CALLS):
                began = perf_counter_ns()
                meter.step_done(samples=32, tokens=4096)
                steps.append(perf_counter_ns() - began)
            time.sleep(PAUSE_SECONDS)
        for _ in range(ROWS):
            meter.step_done(samples=32, tokens=4096)
            began = thread_time_ns()
            meter.row()
            rows.append(thread_time_ns() - began)
        for _ in range(COLD_ROWS):
            time.sleep(COLD_SECONDS)
            meter.step_done(samples=32, tokens=4096)
            began = thread_time_ns()
            meter.row()
            cold.append(thread_time_ns() - began)
        for _ in range(LOGGED_ROWS):
            for _ in range(LOGGED_STEPS):
                time.sleep(COLD_SECONDS)
                meter.step_done(samples=32, tokens=4096)
            began = thread_time_ns()
            meter.row()
            logged.append(thread_time_ns() - began)
    text = Path(str(meter.record_path)).read_text(encoding="utf-8")
    reads = []
    for _ in range(READS):
        began = thread_time_ns()
        from_mapping(json.loads(text))
        reads.append(thread_time_ns() - began)
    return {
        "step_done(), µs": median(steps) / 1e3,
        "row() in succession, CPU µs": median(rows) / 1e3,
        "row() after a pause of 10 ms, CPU µs": median(cold) / 1e3,
        f"row() every {LOGGED_STEPS} steps of 10 ms, CPU µs": median(logged) / 1e3,
        "reading a record, CPU ms": median(reads) / 1e6,
    }


def threads(detail: "Literal['phase', 'step']") -> dict[str, float]:
    """What the meter's threads take beside steps of 20 ms on 8 GPUs."""
    import threading
    import time

    from lightning_carbon import Meter

    def spent_ms() -> float:
        return sum(time.clock_gettime(clock) for clock in clocks) * 1e3

    before = set(threading.enumerate())
    with Meter(devices="all", detail=detail) as meter, meter.phase("train"):
        _train(meter, FIRST_SECONDS)
        own = set(threading.enumerate()) - before
        clocks = [time.pthread_getcpuclockid(thread.ident or 0) for thread in own]
        began, began_ms = time.monotonic(), spent_ms()
        _train(meter, STEADY_SECONDS)
        a_second = (spent_ms() - began_ms) / (time.monotonic() - began)
    return {f'threads, 8 GPUs, detail="{detail}", CPU ms a second': a_second}


def _train(meter: "AnyMeter", seconds: float) -> None:
    import time

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(STEP_SECONDS)
        meter.step_done(samples=32, tokens=4096)


PROGRAMS: "dict[str, Callable[[], dict[str, float]]]" = {
    "start": start,
    "calls": calls,
    "threads": lambda: threads("phase"),
    "threads-step": lambda: threads("step"),
}

if __name__ == "__main__":
    found = PROGRAMS[sys.argv[2]]()
    import json
    from pathlib import Path

    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
