"""A self-test of sensors: what it holds, what it must not hold, and what it says of a machine without any."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.cli.doctor.certify import CertifiedMachine, certify
from lightning_carbon.cli.doctor.options import seconds_of
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ConfigError
from lightning_carbon.ports import Finding
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.simulated import Constant, SimulatedGauge, SimulatedGPU
from lightning_carbon.units import Power

FACTS = CertifiedMachine("580.1", "AMD EPYC", ("NVIDIA H100 80GB HBM3",))
UUID = "GPU-5a0b1c2d-0000-1111-2222-333344445555"


class Stepped:
    """A sensor of the machine that shows more from its hundredth reading on."""

    def __init__(self) -> None:
        domain = Domain(Kind.MACHINE, "machine:0", f"machine of {platform.node()} {UUID}")
        self.sensor = Sensor(domain, Provenance.INTEGRATED, 0.05, f"by {UUID}")
        self.is_busy = False

    def read_power(self) -> Power:
        """Its power."""
        return Power(400.0 if self.is_busy else 100.0)


def test_a_machine_is_tested_in_all_phases() -> None:
    """Plateaus, ticks, lag and the ratio of counter and gauge; no serial number and no name of the host."""
    wall, gauge = Stepped(), SimulatedGauge(SystemClock(), Constant(100.0))
    findings = [
        Finding("nvml", "GPU 0", SimulatedGPU(), fallback=gauge),
        Finding("machine", "plug", wall),
        Finding("rapl", f"zone of {UUID}", reason="permission denied"),
    ]

    def begin(load: object) -> None:
        wall.is_busy = "cpu" in str(load)

    found = certify(findings, 2.0, FACTS, has_gpu=False, begin=begin)
    text = json.dumps(found)
    _, plug = found["sources"]

    assert ["counter", "gauge"] == [source["port"] for source in found["sources"]]
    assert [{"idle", "cpu"}] * 2 == [set(source["phases"]) for source in found["sources"]]
    assert (pytest.approx(100.0), pytest.approx(400.0)) == tuple(
        plug["phases"][phase]["watts"] for phase in ("idle", "cpu")
    )
    assert {"cpu"} == set(plug["lag_seconds"])
    assert any("permission denied" in reason for reason in found["not_tested"])
    assert UUID not in text
    assert f'"machine of {platform.node()}' not in text


def test_a_machine_without_a_sensor_says_so(tmp_path: Path) -> None:
    """As a file that holds its schema, and what could not be tested."""
    path = tmp_path / "certificate.json"
    words = ["doctor", "--certify", "--for", "1s", "-o", str(path), "--devices", "auto"]
    result = CliRunner().invoke(app, words)
    found = json.loads(path.read_text())

    assert 0 == result.exit_code
    assert (1, 1.0) == (found["schema"], found["seconds"])
    assert any(reason.startswith(("wall", "gpu")) for reason in found["not_tested"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--for", "60"], "give a time with its unit"),
        (["--for", "90min"], "up to 60min"),
        (["--for", "1s"], "name a file for the test"),
        (["--for", "1s", "-o", "/no/such/folder/file.json"], "its folder is not there"),
    ],
)
def test_what_cannot_be_used_is_told_before_the_test(words: list[str], said: str) -> None:
    """With exit code 2 and the fix."""
    result = CliRunner().invoke(app, ["doctor", "--certify", *words])

    assert 2 == result.exit_code
    assert said in " ".join(result.stderr.split())


def test_times_are_read_with_their_unit() -> None:
    """Seconds or minutes."""
    assert (60.0, 600.0, 90.0) == (seconds_of("60s"), seconds_of("10min"), seconds_of(" 1.5 m "))
    with pytest.raises(ConfigError):
        seconds_of("0s")
