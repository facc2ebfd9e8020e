"""Takes the time of rows at a logger's cadence in one rank of several: ``ranks_child FILE ROWS``."""

import json
import sys
import time
from pathlib import Path
from statistics import quantiles

from lightning_carbon import Meter

ROW_SECONDS = 0.02


def main() -> None:
    """Take a row after every step."""
    count = int(sys.argv[2])
    took_us: list[float] = []
    ranks = 1
    with Meter() as meter, meter.phase("train"):
        while len(took_us) < count:
            time.sleep(ROW_SECONDS)
            meter.step_done(samples=1)
            began = time.perf_counter_ns()
            row = meter.row()
            took_us.append((time.perf_counter_ns() - began) / 1e3)
            ranks = max(ranks, row.ranks)
    cuts = quantiles(took_us, n=100)
    result = {"median_us": cuts[49], "p99_us": cuts[98], "worst_us": max(took_us), "rows": count, "ranks": ranks}
    Path(sys.argv[1]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
