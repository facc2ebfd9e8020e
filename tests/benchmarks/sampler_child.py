"""Takes the processor time of the sampling thread, second by second, by the thread's own clock."""

import json
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

from lightning_carbon import Meter
from lightning_carbon.sources import nvml

FIRST_SECONDS = 6
"""Until then the counters' jumps are learnt, and counters are compared with power."""
STEADY_SECONDS = 8
STEPS_A_SECOND = 50


def main() -> None:
    """Sample beside a thread that ends a step every 20 ms."""
    before = set(threading.enumerate())
    found = nvml.discover("all") if sys.argv[2] == "gpus" else None
    sources = [finding.port for finding in found if finding.port is not None] if found is not None else None
    meter = Meter(devices="all", sources=sources, detail="step" if sys.argv[3] == "step" else "phase").start()
    # A reading that hangs makes a new thread of it; the stand-in's do not.
    [thread] = [thread for thread in set(threading.enumerate()) - before if thread.name.endswith("sampler")]
    clock = time.pthread_getcpuclockid(thread.ident or 0)
    spent = [0.0]
    for _ in range(FIRST_SECONDS + STEADY_SECONDS):
        until = time.monotonic() + 1
        while time.monotonic() < until:
            time.sleep(1 / STEPS_A_SECOND)
            meter.step_done()
        spent.append(time.clock_gettime(clock) * 1e3)
    record = meter.stop()
    seconds = [after - before for before, after in pairwise(spent)]
    result = {
        "first_ms": seconds[:FIRST_SECONDS],
        "steady_ms": seconds[FIRST_SECONDS:],
        "host": [domain.name for domain in record.energy.domains if domain.kind != "gpu"],
    }
    Path(sys.argv[1]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
