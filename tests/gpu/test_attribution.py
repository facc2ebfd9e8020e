"""The energy of single steps on a real GPU that is some steps behind the program, by its events. Takes about 20 s."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lightning_carbon import Meter
from lightning_carbon.metering.step_clock import LATENCY_NS
from tests.gpu.measuring.attribution import CudaQueue, attributed, read_steps, run_steps
from tests.gpu.measuring.latency import event_latency
from tests.gpu.measuring.loads import Matmuls
from tests.gpu.measuring.results import Results

pytestmark = pytest.mark.gpu

BEHIND = 3


def test_steps_have_the_energy_of_when_the_gpu_was_at_them(gpu_uuid: str, tmp_path: Path, results: Results) -> None:
    """Marks lie within a millisecond of where the GPU was seen to be done, and most steps are within 5 %."""
    queue = CudaQueue(Matmuls("cuda", 4096))
    with Meter(ledger=tmp_path, devices=[gpu_uuid], per_step=True) as meter:
        came, done = run_steps(queue, meter, behind=BEHIND)
        time.sleep(0.3)
    assert meter.record.location is not None
    found = attributed(read_steps(Path(meter.record.location).parent), came, done, BEHIND)
    results.add("attribution", found)

    assert found.moment_seconds < 0.001
    assert found.error_ratio < 0.05
    assert found.error_ratio < found.program_error_ratio


def test_a_gpu_without_work_notes_the_time_at_once(gpu_uuid: str, results: Results) -> None:
    """Within what the clock of steps takes for granted, and at a cost that no step notices."""
    import torch

    from lightning_carbon.sources.torch_devices import event_device_of

    assert gpu_uuid
    device = event_device_of("cuda")
    assert device is not None
    torch.cuda.synchronize()
    found = event_latency(device)
    results.add("events", found)

    assert found.done_seconds < LATENCY_NS / 1e9
    assert found.record_seconds < 50e-6
