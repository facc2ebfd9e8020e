"""Times single calls of ``step_done()`` on a meter that samples 8 GPUs meanwhile."""

import json
import sys
import time
from pathlib import Path
from statistics import mean, median, quantiles

from lightning_carbon import Meter

CALLS = 1_000
PAUSE_SECONDS = 0.02


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
    found = {
        "calls": len(plain),
        "median_us": median(plain) / 1e3,
        "mean_us": mean(plain) / 1e3,
        "p99_us": quantiles(plain, n=100)[-1] / 1e3,
        "median_with_counts_us": median(counted) / 1e3,
    }
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
