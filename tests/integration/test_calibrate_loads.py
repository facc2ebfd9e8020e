"""A calibration that meters this machine by itself: its loads, what it keeps, and what it cannot use."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightning_carbon import Meter
from lightning_carbon.cli.app import app
from lightning_carbon.cli.calibrate.command import calibrate_by_loads
from lightning_carbon.cli.calibrate.loads import CPU, Load, loads, meter_loads
from lightning_carbon.cli.forms import Form
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.simulated import Constant, SimulatedGauge
from lightning_carbon.units import Power

FOREVER = (sys.executable, "-c", "import time; time.sleep(60)")


class Plug:
    """A wall that shows 100 W, or nothing."""

    def __init__(self, watts: float | None) -> None:
        self._watts = watts
        self.sensor = Sensor(Domain(Kind.MACHINE, "machine:0", "plug"), Provenance.INTEGRATED, 0.02, "a plug")

    def read_power(self) -> Power:
        """What was set."""
        if self._watts is None:
            message = "not now"
            raise ReadFailed(message)
        return Power(self._watts)


def metered(folder: Path, plug: Plug | None, *planned: Load) -> list[tuple[str | None, float | None]]:
    """The names of the runs, and the power at the wall."""

    def meter(name: str) -> Meter:
        return Meter(ledger=folder, run_name=name, sources=[SimulatedGauge(SystemClock(), Constant(50.0))])

    found = list(meter_loads(planned, meter, plug))
    return [(run.record.run_name, run.wall_watts) for run in found]


def test_each_load_is_a_run_with_what_the_wall_showed(tmp_path: Path) -> None:
    """Its programs are ended with it; without a wall there is none, for a log that is read later."""
    planned = (Load("idle", 0.05), Load("busy", 0.05, (FOREVER,)))

    assert [("idle", 100.0), ("busy", 100.0)] == metered(tmp_path, Plug(100.0), *planned)
    assert [("idle", None)] == metered(tmp_path, None, planned[0])


def test_a_wall_that_is_not_read_or_a_load_that_ends_is_no_calibration(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(SourceLost, match="not read: not now"):
        metered(tmp_path, Plug(None), Load("idle", 0.05))
    with pytest.raises(SourceLost, match="ended early"):
        metered(tmp_path, Plug(100.0), Load("busy", 0.3, ((sys.executable, "-S", "-c", "pass"),)))


def test_every_processor_gets_a_program() -> None:
    """And the GPUs one where they can be used; a load that nobody ends ends by itself."""
    plain, with_gpu = loads(10.0, has_gpu=False), loads(10.0, has_gpu=True)

    assert ["calibrate-idle", "calibrate-cpu", "calibrate-gpu"] == [load.name for load in with_gpu]
    assert plain == with_gpu[:2]
    assert plain[1].name.endswith(CPU)
    assert all(float(words[-1]) < 120 for load in with_gpu for words in load.programs)
    for load in with_gpu:
        for words in load.programs[:1]:
            compile(words[2], "load", "exec")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name runs, or give a log (--wall), a command (--), --load"),
        (["--load", "--wall-watts", "3"], "it meters runs of its own"),
        (["run", "--ipmi"], "it meters runs of its own"),
        (["--redfish"], "set LIGHTNING_CARBON_REDFISH"),
        (["--ipmi"], "ipmitool fails: no such device"),
    ],
)
def test_what_cannot_be_used_is_told_before_any_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    """With exit code 2 and the fix."""
    program = tmp_path / "ipmitool"
    program.write_text("#!/bin/sh\necho no such device >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("LIGHTNING_CARBON_REDFISH", raising=False)
    result = CliRunner().invoke(app, ["calibrate", *words, "--ledger", str(tmp_path / "ledger")])

    assert 2 == result.exit_code
    assert said in " ".join(result.stderr.split())


def test_a_machine_is_calibrated_by_ipmitool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its runs stand in the ledger, and the constant and share are printed."""
    program = tmp_path / "ipmitool"
    program.write_text("#!/bin/sh\necho '    Instantaneous power reading:       900 Watts'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    calibrate_by_loads(
        0.2, redfish=False, ipmi=True, ledger=str(tmp_path / "ledger"), project=None, keep=False, form=Form.JSON
    )
    found = json.loads(capsys.readouterr().out)

    assert [pytest.approx(900.0)] * 2 == [run["wall_watts"] for run in found["runs"]][:2]
    assert found["rest"]["machine"].endswith(found["rest"]["source"][-10:])
