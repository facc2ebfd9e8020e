"""Simulates millions of steps on an engine whose clock and sampler are moved by hand."""

import gc
import json
import os
import sys
import time
from pathlib import Path

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.metering.config import MeterConfig
from lightning_carbon.metering.engine import Engine
from lightning_carbon.metering.parts import Parts
from lightning_carbon.ports import Finding
from lightning_carbon.sources.simulated import SimulatedGPU, Sine
from lightning_carbon.testing import ManualClock, ManualSampler
from lightning_carbon.wiring import configure

GPUS = 8
STEP_NS = 2_000_000
STEPS_A_ROW = 50
STEPS_A_READING = 47
"""So that readings, rows and the counters' jumps keep falling at other moments."""
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
    steps = int(sys.argv[2])
    clock = ManualClock(start_ns=10**9)
    gpus = [SimulatedGPU(clock, watts=Sine(300, 200, 7 + index), index=index) for index in range(GPUS)]
    findings = [Finding("given", gpu.sensor.domain.name, gpu) for gpu in gpus]

    def assemble(config: MeterConfig) -> Parts:
        return Parts(findings, clock, DirectoryRunStore(config.ledger), {})

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
    for step in range(1, steps + 1):
        clock.advance(nanoseconds=STEP_NS)
        engine.step_done(samples=8, tokens=1024)
        if step < CLOSE_STEPS or step % STEPS_A_READING == 0:
            sampler.tick()
        if step % STEPS_A_ROW == 0:
            microjoules += round((engine.row().total_joules or 0.0) * 1e6)
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
        "joules": joules,
        "true_joules": sum(gpu.truth(start_ns, end_ns).joules for gpu in gpus),
        "left_microjoules": round(joules * 1e6) - microjoules,
    }
    Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
