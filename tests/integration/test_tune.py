"""``lightning-carbon tune`` on the stand-in driver: what it measures, and limits that are put back whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from typer.testing import CliRunner, Result

from lightning_carbon.cli.app import app
from lightning_carbon.cli.tune.tuning import zeus_hint
from tests.nvml_standin import NO_PERMISSION, NOT_SUPPORTED, Gpu, Process, Scenario, Slice, limit_milliwatts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.nvml_standin import Standin

pytestmark = pytest.mark.linux
BUSY = Gpu(watts=600.0, follows_limit=True)
FAST = ("sleep", "0.1")
LONG = ("sleep", "600")
NOBODY = 2**22 + 1
PATIENCE_SECONDS = 300


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger and a folder for states of its own, and every GPU."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", str(tmp_path / "ledger"))
    for name in ("CUDA_VISIBLE_DEVICES", "LIGHTNING_CARBON_DEVICES"):
        monkeypatch.delenv(name, raising=False)


def called(*words: str) -> Result:
    """Call the command in this process."""
    return CliRunner().invoke(app, words)


def left_behind() -> list[Path]:
    """The files that remember limits."""
    return [*Path(os.environ["XDG_STATE_HOME"]).rglob("power-limits-*.json")]


def test_half_the_power_for_the_same_time_is_half_the_energy(nvml_standin: Standin) -> None:
    """A GPU of 600 W that follows its limit takes half at 300 W; both forms of limits, and the limits go back."""
    with nvml_standin.showing(Scenario.of(BUSY)):
        done = called("tune", "--limits", "300W,100", "--allow-slower", "90%", "--json", "--", *FAST)
        assert 0 == done.exit_code, done.output
        found = json.loads(done.stdout)
        high, low = found["results"]

        assert ["100 %", "300 W"] == [high["limit"], low["limit"]]
        assert low["energy"]["ratio"] / low["time"]["ratio"] == pytest.approx(0.5, rel=0.2)
        assert ("run", [5, 5]) == (found["unit"], [len(runs) for runs in found["runs"]])
        assert (700_000, []) == (limit_milliwatts(os.environ), left_behind())


@pytest.mark.parametrize(
    ("gpus", "words", "said"),
    [
        ([Gpu(set_limit_code=NO_PERMISSION)], (), "only root may set them (run it as root (sudo -E "),
        ([Gpu(limit_code=NOT_SUPPORTED)], (), "has none that can be read: NVML: Not Supported"),
        ([Gpu(mig_enabled=True, slices=(Slice(uuid="MIG-1"),))], (), "is cut into MIG slices"),
        ([Gpu(processes=(Process(pid=NOBODY),))], (), f"GPU 0 is used by pid {NOBODY}; wait for their end, or go on"),
        ([], (), "no NVIDIA GPU is visible"),
        ([Gpu()], ("--limits", "100,10"), "10 % is 70 W, and GPU 0 NVIDIA H100 80GB HBM3 takes 175 W (25%) to 700 W"),
        ([Gpu()], ("--limits", "100"), "--limits 100 cannot be used: give two or more"),
        ([Gpu()], ("--limits", "100,x"), "--limits 100,x cannot be used: give two or more"),
        ([Gpu()], ("--limits", "100,nan"), "--limits 100,nan cannot be used: give two or more"),
        ([Gpu()], ("--allow-slower", "x"), "--allow-slower x cannot be used: give a share"),
        ([Gpu()], ("--allow-slower", "500%"), "--allow-slower 500% cannot be used: give a share"),
        ([Gpu()], ("--runs", "1"), "--runs 1 cannot be used: give 5 or more"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_anything_is_started(
    nvml_standin: Standin, tmp_path: Path, gpus: list[Gpu], words: tuple[str, ...], said: str
) -> None:
    """In a line that names the fix, with exit code 2; the program has not run, and no limit was changed."""
    with nvml_standin.showing(Scenario.of(*gpus)):
        done = called("tune", *words, "--", "touch", str(tmp_path / "started"))

        assert (2, 1, "") == (done.exit_code, done.stderr.count("\n"), done.stdout), done.stderr
        assert said in done.stderr
        assert not (tmp_path / "started").exists()
        assert limit_milliwatts(os.environ) in {None, 700_000}
        assert [] == left_behind()


def test_a_program_that_fails_leaves_the_limits_as_they_were(nvml_standin: Standin) -> None:
    """As does a program that is not there; others on the GPU do not matter where the user says so."""
    with nvml_standin.showing(Scenario.of(Gpu(processes=(Process(pid=NOBODY),)))):
        words = ("tune", "--shared", "--limits", "80,60", "--")
        failed, absent = called(*words, "false"), called(*words, "/no/such/program")

        assert (1, 2) == (failed.exit_code, absent.exit_code)
        assert "false failed with exit code 1" in failed.stderr
        assert (700_000, []) == (limit_milliwatts(os.environ), left_behind())


def shown(standin: Standin) -> dict[str, str]:
    """The environment of a process that sees what this one is shown."""
    return {**os.environ, "LD_LIBRARY_PATH": standin.environment(Scenario())["LD_LIBRARY_PATH"]}


@contextmanager
def tuning(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that tunes, and has set a limit; nothing that it started is left at the end."""
    words = [sys.executable, "-m", "lightning_carbon", "tune", "--limits", "80,60", "--", *LONG]
    process = subprocess.Popen(words, env=environ, stderr=subprocess.PIPE, text=True)
    family: list[psutil.Process] = []
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while limit_milliwatts(environ) != 560_000 or not family:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
            family = psutil.Process(process.pid).children(recursive=True)
        yield process
    finally:
        process.kill()
        process.communicate()
        for member in family:
            if member.is_running():
                member.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_puts_the_limits_back(nvml_standin: Standin, number: signal.Signals) -> None:
    """The program is ended, the limits are as before, and the exit code tells the signal."""
    environ = nvml_standin.environment(Scenario.of(Gpu()))
    with tuning(environ) as process:
        process.send_signal(number)
        said = process.communicate(timeout=PATIENCE_SECONDS)[1]

    assert 128 + number == process.returncode
    assert "interrupted; the program was ended" in said
    assert (700_000, []) == (limit_milliwatts(environ), left_behind())


def test_what_a_kill_leaves_is_put_back_by_the_next_tune_or_doctor(nvml_standin: Standin) -> None:
    """In a line; while the first still runs, a second is refused; a file that cannot be read is told, and stays."""
    with nvml_standin.showing(Scenario.of(Gpu())):
        next_tune = ("tune", "--limits", "80,5", "--", *FAST)
        with tuning(shown(nvml_standin)) as process:
            second = called(*next_tune)
            [path] = left_behind()
        kept = path.read_text()
        left = limit_milliwatts(os.environ)
        said, back = [], []
        for words in (next_tune, ("doctor", "--seconds", "0.1", "--json")):
            path.write_text(kept)
            said.append(called(*words).stderr)
            back.append((limit_milliwatts(os.environ), left_behind()))
        path.write_text(kept.replace('"milliwatts": 700000', '"milliwatts": "much"'))
        unreadable = called(*next_tune).stderr

    assert f"tune={process.pid} cannot be used: this process is still trying" in second.stderr
    assert (560_000, [(700_000, [])] * 2) == (left, back)
    assert all("a tune that was killed had left its power limits: put back GPU 0 to 700 W\n" in text for text in said)
    assert "does not tell which power limits to put back: not former power limits: gpus[0].milliwatts" in unreadable
    assert path.exists()


def test_a_limit_that_cannot_be_put_back_is_told_with_the_fix(nvml_standin: Standin) -> None:
    """And stays in the file, for whoever may."""
    with nvml_standin.showing(Scenario.of(Gpu())), tuning(shown(nvml_standin)):
        [path] = left_behind()
    with nvml_standin.showing(Scenario.of(Gpu(set_limit_code=NO_PERMISSION))):
        said = called("tune", "--", *FAST).stderr

    assert "put it back with: sudo nvidia-smi -i 0 -pl 700\n" in said
    assert path.exists()


def test_zeus_is_named_where_it_is_installed() -> None:
    """With what it allows in time; it searches inside a training, which no command can do from outside."""
    assert "MaxSlowdownConstraint(factor=1.05)" in zeus_hint(0.05, is_installed=True)
    assert "" == zeus_hint(0.05, is_installed=False)
