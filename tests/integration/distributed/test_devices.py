"""Which of a host's GPUs each rank of a plain loop meters, on a stand-in driver; the host itself counts once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.distributed.support import Done, environment, run_all, run_loop, write_plan
from tests.nvml_standin import Gpu, Scenario, Standin

WATTS = [300.0, 200.0, 150.0, 100.0]
SCENARIO = Scenario.of(*(Gpu(watts=watts, amplitude_watts=0) for watts in WATTS))


def seen(standin: Standin, **more: str) -> dict[str, str]:
    """An environment with four GPUs."""
    found = standin.environment(SCENARIO)
    return environment(**{name: found[name] for name in ("LD_LIBRARY_PATH", "NVML_STANDIN_CONFIG")}, **more)


def gpus_of(done: Done) -> list[list[int]]:
    """The GPUs that are credited to each rank."""
    uuids = {f"gpu:{SCENARIO.uuid(index)}": index for index in range(len(WATTS))}
    return [[uuids[device] for device in rank["devices"] if device in uuids] for rank in done.record["ranks"]]


def gpu_joules(done: Done) -> float:
    """The energy of all GPUs in the record."""
    return float(sum(domain["joules"] for domain in done.record["energy"]["domains"] if domain["kind"] == "gpu"))


def truth(done: Done) -> float:
    """The same by what the GPUs draw, over the time that each rank metered."""
    ranks: list[dict[str, Any]] = done.record["ranks"]
    pairs = zip(ranks, gpus_of(done), strict=True)
    return float(sum(WATTS[gpu] * rank["duration_seconds"] for rank, gpus in pairs for gpu in gpus))


def test_each_rank_meters_the_gpu_of_its_number(nvml_standin: Standin, tmp_path: Path) -> None:
    """Though each sees all of them; and the lowest rank meters what the host has once."""
    done = run_loop(tmp_path, 2, env=seen(nvml_standin))
    assert done.returncode == 0, done.output
    first, second = done.record["ranks"]

    assert [[0], [1]] == gpus_of(done)
    assert gpu_joules(done) == pytest.approx(truth(done), rel=0.01)
    assert 1 == len(second["devices"])
    assert len(done.record["energy"]["domains"]) == len(first["devices"]) + 1


def test_ranks_that_see_one_gpu_share_it(nvml_standin: Standin, tmp_path: Path) -> None:
    """And it counts once."""
    done = run_loop(tmp_path, 2, env=seen(nvml_standin, CUDA_VISIBLE_DEVICES="3"))
    assert done.returncode == 0, done.output

    assert [[], [3]] == sorted(gpus_of(done))
    assert gpu_joules(done) == pytest.approx(truth(done), rel=0.01)


def test_a_process_on_its_own_meters_all(nvml_standin: Standin, tmp_path: Path) -> None:
    """As DataParallel and a model that is spread over several GPUs use them."""
    path = write_plan(tmp_path, seconds=1.0)
    command = [sys.executable, "-m", "tests.integration.distributed.loop", str(path)]
    done = run_all(tmp_path, (command, seen(nvml_standin)))
    assert done.returncode == 0, done.output

    assert [[0, 1, 2, 3]] == gpus_of(done)
