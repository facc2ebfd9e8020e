"""Times single calls of ``step_done()`` and ``enter_part()`` on a meter that samples 8 GPUs meanwhile."""

import json
import sys
import time
from pathlib import Path
from statistics import mean, median, quantiles

from lightning_carbon import Meter
from lightning_carbon.energy.phases import Part
from lightning_carbon.settings.checks import Detail

CALLS = 1_000
PAUSE_SECONDS = 0.02


def parts(detail: Detail, bursts: int) -> tuple[float, float]:
    """Train steps of five parts.

    Returns:
        The median of a call of ``enter_part()``, and the processor time of a step, what is attributed later included;
        in microseconds.
    """
    took: list[int] = []
    now_ns = time.perf_counter_ns
    with Meter(devices="all", detail=detail) as meter:
        meter.enter("train")
        began = time.process_time_ns()
        for _ in range(bursts):
            for _ in range(CALLS // 10):
                for part in Part:
                    at = now_ns()
                    meter.enter_part(part)
                    took.append(now_ns() - at)
                meter.step_done()
            time.sleep(PAUSE_SECONDS)
        meter.row()
        spent = time.process_time_ns() - began
    return median(took) / 1e3, spent / bursts / (CALLS // 10) / 1e3


def main() -> None:
    """Call in bursts, so that the sampler has its turn in between."""
    plain: list[int] = []
    counted: list[int] = []
    now_ns = time.perf_counter_ns
    with Meter(devices="all") as meter:
        for _ in range(int(sys.argv[2])):
            for _ in range(CALLS):
                began = now_ns()
                meter.step_done()
                plain.append(now_ns() - began)
            for _ in range(CALLS):
                began = now_ns()
                meter.step_done(samples=32, tokens=4096)
                counted.append(now_ns() - began)
            time.sleep(PAUSE_SECONDS)
    bursts = int(sys.argv[2])
    off_us, coarse_us = parts("phase", bursts)
    on_us, fine_us = parts("step", bursts)
    found = {
        "calls": len(plain),
        "median_us": median(plain) / 1e3,
        "mean_us": mean(plain) / 1e3,
        "p99_us": quantiles(plain, n=100)[-1] / 1e3,
        "median_with_counts_us": median(counted) / 1e3,
        "part_off_us": off_us,
        "part_us": on_us,
        "attributed_us": fine_us - coarse_us,
    }
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
