"""Simulates millions of steps on an engine whose clock and sampler are moved by hand.

Arguments: the file to write, how many steps, how many nanoseconds each takes, how many domains there are, and how many
steps there are to a reading.
"""

import gc
import json
import os
import statistics
import sys
import time
from array import array
from pathlib import Path

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.metering.adapters import Adapters
from lightning_carbon.metering.engine import Engine
from lightning_carbon.ports import Finding
from lightning_carbon.settings import MeterConfig, configure
from lightning_carbon.sources.simulated import SimulatedGPU, Sine
from lightning_carbon.testing import ManualClock, ManualSampler

STEPS_A_ROW = 50
HOUR_NS = 3_600_000_000_000
CLOSE_STEPS = 1_000
"""For so long every step is followed by a reading, so that the jumps are learnt as in a real run."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_megabytes() -> float:
    """What this process holds in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE_BYTES / 1e6


def main() -> None:
    """Do it."""
    steps, step_ns, domains, steps_a_reading = map(int, sys.argv[2:])
    clock = ManualClock(start_ns=10**9)
    gpus = [SimulatedGPU(clock, watts=Sine(300, 200, 7 + index), index=index) for index in range(domains)]
    findings = [Finding("given", gpu.sensor.domain.name, gpu) for gpu in gpus]

    def assemble(config: MeterConfig) -> Adapters:
        return Adapters(findings, clock, DirectoryRunStore(config.ledger), {})

    samplers: list[ManualSampler] = []

    def sampling(*arguments: object) -> ManualSampler:
        samplers.append(ManualSampler(*arguments))  # type: ignore[arg-type]
        return samplers[-1]

    engine = Engine(configure(), assemble, sampling)
    engine.start("train")
    [sampler] = samplers
    start_ns = clock.now_ns()
    began = time.perf_counter()
    before, microjoules = 0.0, 0
    # The first hour and the last, or a tenth of the run where that is less: what a row takes then, in nanoseconds.
    edge = max(STEPS_A_ROW * 2, min(steps // 10, HOUR_NS // step_ns))
    first_rows, last_rows = array("q"), array("q")
    for step in range(1, steps + 1):
        clock.advance(nanoseconds=step_ns)
        engine.step_done(samples=8, tokens=1024)
        if step < CLOSE_STEPS or step % steps_a_reading == 0:
            sampler.tick()
        if step % STEPS_A_ROW == 0:
            row_ns = time.perf_counter_ns()
            row = engine.row()
            row_ns = time.perf_counter_ns() - row_ns
            if step <= edge:
                first_rows.append(row_ns)
            elif step > steps - edge:
                last_rows.append(row_ns)
            microjoules += round((row.total_joules or 0.0) * 1e6)
        if step == steps // 10:
            before = resident_megabytes()
    after = resident_megabytes()
    end_ns = clock.now_ns()
    record = engine.stop()
    microjoules += round((engine.row().total_joules or 0.0) * 1e6)
    joules = record.energy.total_joules or 0.0
    found = {
        "before_mb": before,
        "after_mb": after,
        "seconds": time.perf_counter() - began,
        "rows": steps // STEPS_A_ROW,
        "first_row_microseconds": statistics.median(first_rows) / 1000,
        "last_row_microseconds": statistics.median(last_rows) / 1000,
        "joules": joules,
        "true_joules": sum(gpu.truth(start_ns, end_ns).joules for gpu in gpus),
        "left_microjoules": round(joules * 1e6) - microjoules,
    }
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
