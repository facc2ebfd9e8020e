"""Drivers and files that do not answer when a run starts: each is given up with its reason, and nothing hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.nvml_standin import Gpu, Scenario, gpu_uuid
from tests.powercap import PowercapTree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.nvml_standin import Standin

HOUR_MS = 3_600_000

METER = """
import json
from lightning_carbon import Meter
with Meter(ledger="ledger") as meter:
    meter.step_done()
energy = meter.record.energy
print(json.dumps([[one.id for one in energy.domains], {one.subject: one.reason for one in energy.absent}]))
"""


def run(words: list[str], environment: dict[str, str], folder: Path) -> str:
    """What a program prints that has a minute; a run that hangs takes longer."""
    done = subprocess.run(
        [sys.executable, *words], env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=500
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> PowercapTree:
    """A tree in which one count is a pipe, one name is, and one link leads to itself."""
    tree = PowercapTree(tmp_path / "sys")
    for socket in range(3):
        tree.add(f"intel-rapl:{socket}", f"package-{socket}", joules=1000 + 500 * socket)
    for socket, file in enumerate(["energy_uj", "name"]):
        path = tree.devices / "intel-rapl" / f"intel-rapl:{socket}" / file
        path.unlink()
        os.mkfifo(path)
    (tree.root / "intel-rapl:9").symlink_to("intel-rapl:9")
    return tree


def test_a_meter_starts_where_nothing_answers(nvml_standin: Standin, tree: PowercapTree, tmp_path: Path) -> None:
    """A driver that never starts and a tree of pipes and circles are absent with their reasons; the rest is metered."""
    environment = nvml_standin.environment(Scenario(init_ms=HOUR_MS))
    metered, absent = json.loads(
        run(["-c", METER], environment | {"LIGHTNING_CARBON_POWERCAP_ROOT": str(tree.root)}, tmp_path)
    )

    assert "package:2" in metered
    assert {
        "NVIDIA GPUs": "the NVIDIA driver does not answer: nvmlInit has not come back in time",
        "CPU package 0 (intel-rapl:0)": "energy_uj cannot be read: not a regular file",
        "intel-rapl:1": "its name cannot be read: not a regular file",
        "intel-rapl:9": "Too many levels of symbolic links",
    } == absent


def test_a_gpu_whose_first_reading_hangs_leaves_the_others(nvml_standin: Standin, tmp_path: Path) -> None:
    """GPUs that do not answer are absent with the reason, and those that do are metered."""
    gpus = [Gpu(), Gpu(hang_at_ns=1), Gpu(hang_at_ns=1), Gpu()]
    metered, absent = json.loads(run(["-c", METER], nvml_standin.environment(Scenario.of(*gpus)), tmp_path))

    assert [f"gpu:{gpu_uuid(index)}" for index in (0, 3)] == [id_ for id_ in metered if id_.startswith("gpu:")]
    assert [gpu_uuid(index) for index in (1, 2)] == [subject.split()[-1] for subject in absent if "GPU-" in subject]
    assert all("its first reading hangs" in reason for subject, reason in absent.items() if "GPU-" in subject)


def test_doctor_tells_what_does_not_answer(nvml_standin: Standin, tree: PowercapTree, tmp_path: Path) -> None:
    """``doctor`` ends where a run would, with the same reasons."""
    environment = nvml_standin.environment(Scenario(init_ms=HOUR_MS))
    words = ["-m", "lightning_carbon", "doctor", "--json", "--seconds", "0.2"]
    told = run(words, environment | {"LIGHTNING_CARBON_POWERCAP_ROOT": str(tree.root)}, tmp_path)

    assert "nvmlInit has not come back in time" in told
    assert "not a regular file" in told
    assert "Too many levels of symbolic links" in told
