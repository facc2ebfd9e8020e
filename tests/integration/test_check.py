"""``lightning-carbon check`` on real records: the command, its exit codes, and the file that it keeps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lightning_carbon import Meter, RunRecord
from lightning_carbon.cli.app import app
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.ports import Source
from lightning_carbon.sources.simulated import SimulatedCounter
from lightning_carbon.units import Power
from tests.stepped_time import SteppedClock, engine_on

STEPS = 10
GPU = Domain(Kind.GPU, "gpu:0", "Simulated GPU 0")


def metered(
    ledger: Path, source: Source, name: str = "small", *, step_seconds: float = 0.01, tokens: int = 512
) -> RunRecord:
    """A real run of a real meter; the power of its GPU is known, and so is how long its steps take, nearly."""
    with Meter(sources=[source], ledger=ledger, project="lisa", run_name=name) as meter:
        meter.enter("train")
        for _ in range(STEPS):
            time.sleep(step_seconds)
            meter.step_done(samples=8, tokens=tokens)
    return meter.record


def metered_on_a_clock(ledger: Path, watts: float, name: str, hour: float) -> None:
    """The same, on a clock of its own: how much runs vary is known to a digit, on a busy machine, too."""
    clock = SteppedClock()
    clock.sleep(hour * 3_600.0)
    source = SimulatedCounter(clock, watts=watts, domain=GPU)
    engine = engine_on(clock, sources=[source], ledger=ledger, project="lisa", run_name=name).start("train")
    for _ in range(STEPS):
        clock.sleep(0.1)
        engine.step_done(samples=8, tokens=512)
    engine.stop()


def gpu(watts: float = 100.0) -> Source:
    """A GPU with a counter."""
    return SimulatedCounter(watts=watts, domain=GPU)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger."""
    return tmp_path_factory.mktemp("ledger")


@pytest.fixture(scope="module")
def usual(ledger: Path) -> RunRecord:
    """A run of 100 W."""
    return metered(ledger, gpu())


@pytest.fixture(scope="module")
def double(ledger: Path) -> RunRecord:
    """A run of the same work at ten times the power: no busy machine can hide that."""
    return metered(ledger, gpu(1_000.0))


def check(run: str, baseline: Path, *words: str) -> Result:
    """Call the command."""
    return CliRunner().invoke(app, ["check", run, "--baseline", str(baseline), *words])


@pytest.fixture
def baseline(usual: RunRecord, ledger: Path, tmp_path: Path) -> Path:
    """The usual run, as a baseline."""
    path = tmp_path / "baselines.json"
    assert 0 == check(usual.run_id, path, "--ledger", str(ledger), "--update").exit_code
    return path


def test_the_real_command_fails_a_build_where_energy_rose(
    usual: RunRecord, double: RunRecord, ledger: Path, baseline: Path
) -> None:
    """0 for the run itself and 1 for one that takes ten times as much, with the verdict on standard output."""
    environment = {**os.environ, "LIGHTNING_CARBON_LEDGER": str(ledger)}
    done = [
        subprocess.run(
            [sys.executable, "-m", "lightning_carbon", "check", run.run_id, "--baseline", str(baseline)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
        for run in (usual, double)
    ]

    assert [(0, ""), (1, "")] == [(result.returncode, result.stderr) for result in done]
    assert "lisa/small on Simulated GPU 0: 0.0 % more energy a step than the baseline, within 10.0 %" in done[0].stdout
    assert "more than the 10.0 % that are allowed" in done[1].stdout


def test_a_run_is_found_by_the_path_of_its_record_or_folder(double: RunRecord, baseline: Path) -> None:
    """No ledger is needed then."""
    assert double.location is not None
    path = Path(double.location)

    assert [1, 1] == [check(str(place), baseline).exit_code for place in (path, path.parent)]


def test_the_tolerance_is_the_user_s(double: RunRecord, baseline: Path) -> None:
    """A hundredfold is allowed where the user says so."""
    assert [0, 1] == [
        check(str(double.location), baseline, "--tolerance", tolerance).exit_code for tolerance in ("100", "0.5")
    ]


def test_a_new_baseline_takes_the_place_of_the_old_one(
    usual: RunRecord, double: RunRecord, baseline: Path, tmp_path: Path
) -> None:
    """What it was before is told; the old run has then fallen, which is no failure, and the other entries stay."""
    other = metered(tmp_path, gpu(), "other")
    before = check(str(other.location), baseline, "--update")
    update = check(str(double.location), baseline, "--update")
    found = check(str(usual.location), baseline)
    entries = json.loads(baseline.read_text())["entries"]

    assert (0, 0, 0) == (before.exit_code, update.exit_code, found.exit_code)
    assert f"of run {usual.run_id}" in update.stderr
    assert "write a new baseline with --update" in found.stdout
    assert [("lisa/other", other.run_id), ("lisa/small", double.run_id)] == [
        (entry["work"], entry["run_id"]) for entry in entries
    ]


def test_without_an_entry_the_exit_code_is_three_or_none_on_demand(tmp_path: Path, baseline: Path) -> None:
    """What the run took is shown all the same, and what the file has; an absent file is as good as an empty one."""
    other = str(metered(tmp_path, gpu(), "other").location)
    missing, allowed = check(other, baseline), check(other, baseline, "--allow-missing")
    nothing = check(other, tmp_path / "none.json", "--allow-missing")

    assert (3, 0, 0) == (missing.exit_code, allowed.exit_code, nothing.exit_code)
    assert "lisa/other on Simulated GPU 0: no baseline yet; this run took " in missing.stdout
    assert "has no entry of lisa/other on Simulated GPU 0; add --update" in missing.stderr
    assert not (tmp_path / "none.json").exists()


def test_another_model_s_entry_is_named_where_there_is_one(usual: RunRecord, baseline: Path) -> None:
    """Asked for a GPU that the file has not, it says which it has."""
    found = check(str(usual.location), baseline, "--gpu-model", "NVIDIA H100")

    assert 3 == found.exit_code
    assert "has no entry of lisa/small on NVIDIA H100; it has lisa/small on Simulated GPU 0" in found.stderr


def test_work_can_be_called_otherwise(usual: RunRecord, double: RunRecord, tmp_path: Path) -> None:
    """Two runs that have one project, and no names, are told apart by who checks them."""
    path = tmp_path / "baselines.json"
    for run, work in ((usual, "one"), (double, "two")):
        assert 0 == check(str(run.location), path, "--work", work, "--update").exit_code
    found = [check(str(double.location), path, "--work", work).exit_code for work in ("one", "two", "three")]

    assert [1, 0, 3] == found


def test_json_and_markdown_say_the_same(double: RunRecord, baseline: Path) -> None:
    """For programs, and for the summary of a job."""
    as_json = check(str(double.location), baseline, "--json")
    as_markdown = check(str(double.location), baseline, "--markdown")
    found: dict[str, Any] = json.loads(as_json.stdout)

    assert (1, 1) == (as_json.exit_code, as_markdown.exit_code)
    assert ("risen", double.run_id) == (found["verdict"], found["run"]["run_id"])
    assert found["step_ratio"] > 1.1
    assert as_markdown.stdout.startswith("**Risen.** lisa/small on Simulated GPU 0: ")


def test_several_runs_are_held_against_several(tmp_path: Path) -> None:
    """The last five of a name, before and after; the verdict has an interval, and so has the Markdown."""
    ledger, path = tmp_path / "ledger", tmp_path / "baselines.json"
    words = ("--ledger", str(ledger), "--runs", "5")
    codes, said = [], []
    for hour, watts, more in ((0, 100.0, ["--update"]), (1, 1_000.0, ["--markdown"])):
        for number in range(5):
            metered_on_a_clock(ledger, watts * (1 + number / 100), "many", hour)
        found = check("many", path, *words, *more)
        codes.append(found.exit_code)
        said.append(found.stdout + found.stderr)
    entry = json.loads(path.read_text())["entries"][0]
    refused = check("many", path, "--ledger", str(ledger), "--runs", "11")
    both = check("many", path, "many", *words)

    assert ([0, 1], 5) == (codes, len(entry["runs"]))
    assert "J a step, the middle of 5 runs" in said[0]
    assert said[1].startswith("**Risen.** lisa/many on Simulated GPU 0: ")
    assert "(95 % interval +" in said[1]
    assert "5 runs of the baseline and 5 now; a run varies by" in said[1]
    assert "--runs 11 cannot be used: 10 completed runs are called many" in refused.stderr
    assert "--runs 5 cannot be used: it takes the runs of one name" in both.stderr


class Gauge:
    """A GPU's power, come about as it says."""

    def __init__(self, provenance: Provenance) -> None:
        self.sensor = Sensor(GPU, provenance, 0.1, "power of a test")

    def read_power(self) -> Power:
        """The same all the time."""
        return Power(100.0)


@pytest.mark.parametrize("provenance", [Provenance.INTEGRATED, Provenance.MODELLED])
def test_a_model_is_never_held_against_a_counter(provenance: Provenance, baseline: Path, tmp_path: Path) -> None:
    """The same GPU at the same power, integrated or modelled, is refused."""
    record = metered(tmp_path, Gauge(provenance), step_seconds=0.04)
    found = check(str(record.location), baseline)

    assert (2, "") == (found.exit_code, found.stdout)
    assert f"its energy is GPU {provenance}, and that of the baseline GPU counter" in found.stderr


def bad_file(folder: Path, text: str) -> Path:
    """A file that is no baseline."""
    path = folder / "bad.json"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"schema": 1}', '{"schema": 9, "entries": []}', '{"schema": 1, "entries": [{}]}', "[" * 9999],
)
def test_a_baseline_that_does_not_parse_is_one_line(usual: RunRecord, tmp_path: Path, text: str) -> None:
    """It names the file; so does --update, which leaves it as it is."""
    path = bad_file(tmp_path, text)
    found = [check(str(usual.location), path, *words) for words in ([], ["--update"])]

    assert [(2, "", 1)] * 2 == [(result.exit_code, result.stdout, result.stderr.count("\n")) for result in found]
    assert all(result.stderr.startswith(f"lightning-carbon: --baseline {path} cannot be used: ") for result in found)
    assert text == path.read_text()


def test_bad_input_is_one_line_that_names_it(usual: RunRecord, ledger: Path, baseline: Path, tmp_path: Path) -> None:
    """No such run, no such file, no such ledger, no number: 2, and nothing is printed or written."""
    record = str(usual.location)
    (tmp_path / "bad.json").write_text("{}")
    for words, said in [
        (["nobody", "--ledger", str(ledger)], "run='nobody' cannot be used: no run in "),
        (["2", "--ledger", str(ledger)], "runs begin so"),
        ([str(tmp_path / "no.json")], "there is no such file"),
        ([str(tmp_path / "bad.json")], "it cannot be read: not a record of a run"),
        (["x", "--ledger", str(tmp_path / "none")], "there is no such folder"),
        ([record, "--tolerance", "nan"], "--tolerance nan cannot be used: give a share from 0 on"),
        ([record, "--tolerance", "-0.1"], "--tolerance -0.1 cannot be used"),
        ([record, "--json", "--markdown"], "--markdown is given too"),
        ([record, "--work", " "], "cannot be used: give what the file is to call it"),
    ]:
        found = check(words[0], baseline, *words[1:])

        assert (2, "", 1) == (found.exit_code, found.stdout, found.stderr.count("\n")), words
        assert said in found.stderr


def test_a_baseline_that_cannot_be_written_is_told(usual: RunRecord, tmp_path: Path) -> None:
    """A folder in its place, or a file in the place of its folder."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "baselines.json"):
        found = check(str(usual.location), path, "--update")

        assert (2, 1) == (found.exit_code, found.stderr.count("\n"))
        assert f"--baseline {path} cannot be used: " in found.stderr
