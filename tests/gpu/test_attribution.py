"""The energy of single steps on a real GPU that is some steps behind the program. Takes about 15 s."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lightning_carbon import Meter
from tests.gpu.measuring.attribution import CudaQueue, attributed, read_steps, run_steps
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
