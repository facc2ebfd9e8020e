"""Runs held against a wall meter: what is kept, what later runs use, and what a log that cannot be used is told."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.cli.calibrate.program import log_until
from lightning_carbon.cli.doctor.machine import machine_report
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.machines import DESKTOP, MACHINES
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.records.machine_record import HostMachine, MachineRecord
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.run import RunRecord
from lightning_carbon.sources.calibration import calibration_file, calibration_of
from lightning_carbon.sources.discovery import class_of_machine
from lightning_carbon.sources.wall_log import read_wall_log
from tests.unit.records.samples import FULL

CONSTANT_WATTS, SHARE = 71.0, 0.19
"""The truth of the machine."""
CHIPS = {"idle": 20.0, "load": 300.0}
STARTS = {"idle": "2026-11-21T10:00:00Z", "load": "2026-11-21T10:05:00Z"}


def wall(name: str) -> float:
    """What the plug shows while a run is on."""
    return CHIPS[name] * (1 + SHARE) + CONSTANT_WATTS


def recorded(name: str, portion: float = 1.0) -> RunRecord:
    """A run of a minute on this machine."""
    joules = 60 * CHIPS[name]
    model = replace(MACHINES[DESKTOP], portion=portion, reason="2 of 4 processors")
    host = HostMachine("here", joules, joules, joules, 0.0, "modelled", model.method, 0.0, model)
    return replace(
        FULL,
        run_id=f"20261121T100000-{name}-{portion:g}",
        run_name=name,
        started_at=STARTS[name],
        ended_at=None,
        duration_seconds=60.0,
        host={"name": os.uname().nodename},
        energy=replace(FULL.energy, total_joules=joules, low_joules=0.97 * joules, high_joules=1.03 * joules),
        machine=MachineRecord(joules, joules, joules, 0.0, 0.0, 0.0, (host,)),
        world_size=1,
        ranks=(replace(FULL.ranks[0], host=os.uname().nodename),),
        location=None,
    )


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with an idle run and a loaded one, and a folder for calibrations."""
    store = DirectoryRunStore(tmp_path / "ledger")
    for record in (recorded("idle"), recorded("load"), replace(recorded("load", 0.5), run_name="half")):
        store.save(to_mapping(record))
    monkeypatch.setenv("LIGHTNING_CARBON_CALIBRATIONS", str(tmp_path / "calibrations"))
    return tmp_path / "ledger"


def calibrate(ledger: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command."""
    result = CliRunner().invoke(app, ["calibrate", *words, "--ledger", str(ledger)])
    return result.exit_code, result.stdout, result.stderr


def plug(tmp_path: Path) -> Path:
    """The log of a plug over both runs, as it writes a line every ten seconds."""
    lines = ["Time,Watts"]
    for minute in range(10):
        for second in range(0, 60, 10):
            watts = wall("idle") if minute == 0 else wall("load") if minute == 5 else 80.0
            lines.append(f"2026-11-21T10:{minute:02}:{second:02}Z,{watts}")
    path = tmp_path / "plug.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_plug_s_log_finds_the_rest_of_the_machine(ledger: Path, tmp_path: Path) -> None:
    """The truth lies in what is printed; the footprint is that of the wall; the record stays as it is."""
    before = {path: path.read_bytes() for path in ledger.rglob("record.json")}
    code, out, _ = calibrate(ledger, "idle", "load", "--wall", str(plug(tmp_path)), "--no-keep", "--json")
    found = json.loads(out)
    rest, load = found["rest"], found["runs"][1]

    assert 0 == code
    assert rest["constant_low_watts"] <= CONSTANT_WATTS <= rest["constant_high_watts"]
    assert rest["share_low"] <= SHARE <= rest["share_high"]
    assert rest["constant_watts"] == pytest.approx(CONSTANT_WATTS, abs=2.0)
    assert load["wall_joules"] == pytest.approx(60 * wall("load"))
    assert load["grams_co2e"] == pytest.approx(
        load["wall_joules"] / 3.6e6 * FULL.carbon.pue.value * FULL.carbon.intensity.value
    )
    assert before == {path: path.read_bytes() for path in ledger.rglob("record.json")}
    assert not (tmp_path / "calibrations").exists()


def test_later_runs_of_the_machine_use_what_is_kept(ledger: Path, tmp_path: Path) -> None:
    """It is the user's alone, the doctor says calibrated, and another machine does not use it."""
    if calibration_file() is None:
        pytest.skip("this machine has no /etc/machine-id")
    code, out, err = calibrate(ledger, "load", "--wall-watts", str(wall("load")))
    kept = calibration_file()
    assert kept is not None
    model = calibration_of()
    report = machine_report("auto", [], os.environ, root=Path("/"))

    assert (0, True) == (code, f"kept in {kept}" in err)
    assert "90 % intervals" in out
    assert 0o600 == stat.S_IMODE(kept.stat().st_mode)
    assert model is not None
    assert model.machine.startswith("desktop, calibrated 20")
    assert ("calibrated", False) == (report.from_, report.assumed)
    assert report.constant_watts == model.constant_watts
    assert calibration_of(tmp_path) is None


def calibrate_by(ledger: Path, command: list[str], *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command, which meters another."""
    result = CliRunner().invoke(app, ["calibrate", "--no-keep", "--ledger", str(ledger), *words, "--", *command])
    return result.exit_code, result.stdout, result.stderr


WAIT = [sys.executable, "-S", "-c", "import time; time.sleep(1.2)"]


@pytest.mark.skipif(
    class_of_machine([]).portion < 1, reason="this job has a part of the machine, a plug sees all of it"
)
def test_a_command_is_metered_while_its_wall_is_logged(tmp_path: Path) -> None:
    """A plug writes 400 W five times a second; the run of a real program is kept, and the fit meets the wall."""
    path, done = tmp_path / "plug.csv", Event()
    path.write_text(f"time,watts\n{time.time() - 1},400\n")

    def write() -> None:
        while not done.wait(0.2):
            with path.open("a") as log:
                log.write(f"{time.time()},400\n")

    plug = Thread(target=write)
    plug.start()
    try:
        code, out, err = calibrate_by(tmp_path / "ledger", WAIT, "--wall", str(path), "--json")
    finally:
        done.set()
        plug.join()
    assert (0, "") == (code, err)
    found = json.loads(out)
    (run,), rest = found["runs"], found["rest"]
    (record,) = (tmp_path / "ledger").rglob("record.json")

    assert 400.0 == pytest.approx(run["wall_watts"])
    assert rest["constant_watts"] + run["chips_watts"] * (1 + rest["share"]) == pytest.approx(400.0, rel=0.05)
    assert record.parent.name == run["run_id"]
    assert "completed" == json.loads(record.read_text())["status"]


@pytest.mark.skipif(
    class_of_machine([]).portion < 1, reason="this job has a part of the machine, a plug sees all of it"
)
def test_a_figure_is_held_against_a_command_and_a_command_that_fails_is_not(tmp_path: Path) -> None:
    """By energy at the plug; a failure, a wrong name and two kinds of runs end with the reason."""
    fine, failed, absent, both, nothing, late = (
        calibrate_by(tmp_path, command, *words)
        for command, words in (
            (WAIT, ["--wall-wh", "0.1", "--json"]),
            ([sys.executable, "-S", "-c", "raise SystemExit(3)"], ["--wall-wh", "0.1"]),
            (["no-such-program"], ["--wall-watts", "412"]),
            (WAIT, ["--wall-watts", "412", "idle"]),
            (WAIT, []),
            (WAIT, ["--wall", str(tmp_path / "no-such.csv")]),
        )
    )

    assert 0 == fine[0], fine
    assert 360.0 == pytest.approx(json.loads(fine[1])["runs"][0]["wall_joules"])
    assert (1, True) == (failed[0], "the command ended with 3, so nothing follows from it" in failed[2])
    assert (2, True) == (
        absent[0],
        "COMMAND no-such-program cannot be used: 'no-such-program': no such program" in absent[2],
    )
    assert (2, True) == (both[0], "leave out RUN" in both[2])
    assert (2, True) == (nothing[0], "give one of --wall FILE" in nothing[2])
    assert (2, True) == (late[0], "start the log of the plug first" in late[2])


def test_a_log_that_is_late_is_waited_for(tmp_path: Path) -> None:
    """Until it reaches the end of the run, and no longer than a minute."""
    path = tmp_path / "plug.csv"
    path.write_text("time,watts\n1795255200,412\n1795255201,412\n")
    paused = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        with path.open("a") as log:
            log.write(f"{1795255201 + 5 * len(paused)},412\n")

    reached = log_until(path, 1795255212, pause=pause).spans[-1][1]
    stuck = log_until(path, 2e9, pause=paused.append)

    assert 1795255216 == reached == stuck.spans[-1][1]
    assert 3 + 30 == len(paused)


def test_a_log_finds_the_runs_of_this_machine(tmp_path: Path) -> None:
    """All that it covers whole; what it covers in part, ran elsewhere or at the same time is named, and not used."""
    store, log = DirectoryRunStore(tmp_path / "ledger"), str(plug(tmp_path))
    elsewhere = replace(
        recorded("load"), run_id="20261121T100000-elsewhere", run_name="elsewhere", ranks=FULL.ranks[:1]
    )
    early = replace(
        recorded("load"), run_id="20261121T095930-early", run_name="early", started_at="2026-11-21T09:59:30Z"
    )
    for record in (elsewhere, early):
        store.save(to_mapping(record))
    none = calibrate(tmp_path / "ledger", "--wall", log, "--no-keep")
    for name in ("idle", "load"):
        store.save(to_mapping(recorded(name)))
    found = calibrate(tmp_path / "ledger", "--wall", log, "--no-keep", "--json")
    store.save(to_mapping(replace(recorded("load"), run_id="20261121T100500-twin", run_name="twin")))
    both = calibrate(tmp_path / "ledger", "--wall", log, "--no-keep")

    assert 2 == none[0]
    assert "it covers no run of 10 s or more" in none[2]
    assert "it has 2026-11-21 10:00:00 to 2026-11-21 10:09:50 UTC; it might be 20261121T095930-early (early)" in none[2]
    assert "covered by 50%" in none[2]
    assert (0, True) == (found[0], "the log covers idle, load" in found[2])
    assert [recorded(name).run_id for name in ("idle", "load")] == [
        run["run_id"] for run in json.loads(found[1])["runs"]
    ]
    assert (2, True) == (both[0], "these ran at the same time" in both[2])
    assert all(name in both[2] for name in ("(load)", "(twin)"))
    assert "(idle)" not in both[2]


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"machine": "x"}', "\x00\xff", '{"constant_watts": -1}'])
def test_a_damaged_calibration_is_none(tmp_path: Path, text: str) -> None:
    """The class of the machine stands in, and no training ends for it."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    environ = {"LIGHTNING_CARBON_CALIBRATIONS": str(tmp_path)}
    path = calibration_file(tmp_path, environ)
    assert path is not None
    path.write_text(text, "latin-1")

    assert calibration_of(tmp_path, environ) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["load"], "--wall is missing: give one of --wall FILE"),
        (["load", "--wall-watts", "0"], "--wall-watts 0.0 cannot be used: give a number above 0"),
        (["load", "--wall-watts", "nan"], "give a number above 0"),
        (["load", "--wall-watts", "12"], "less than the 18.0 kJ of its chips"),
        (["load", "--wall-watts", "412000"], "far above the 300 W"),
        (["load", "--wall-watts", "412", "--wall-wh", "3"], "give one of --wall FILE"),
        (["load", "idle", "--wall-wh", "7"], "name one run"),
        (["half", "--wall-wh", "7"], "it had 50% of the machine (2 of 4 processors)"),
        (["nothing", "--wall-wh", "7"], "nothing"),
        (["load", "--wall", "no-such.csv"], "No such file"),
    ],
)
def test_what_cannot_be_used_ends_with_two_and_the_fix(ledger: Path, words: list[str], said: str) -> None:
    """A line on stderr, before anything is kept."""
    code, out, err = calibrate(ledger, *words, "--no-keep")

    assert (2, "") == (code, out)
    assert said in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it has fewer than two readings"),
        ("time,watts\n", "it has fewer than two readings"),
        ("12:00,412\n12:01,413\n", "line 1: it has to name the columns"),
        ("time,watts\nnoon,412\n", "line 2: 'noon' is no time"),
        ("time,watts\n1795255200000,412\n", "line 2: '1795255200000' is no time since 1970; give seconds"),
        ("time,watts\n1795255200,412 W\n", "line 2: '412 W' is no number"),
        ("time,watts\n1795255200,-3\n", "line 2: '-3' is no power"),
        ("time,watts\n1795255200,inf\n", "line 2: 'inf' is no power"),
        ("time,watts\n1795255200,1\n1795255100,1\n", "line 3: its time is before that of the line above"),
        ("time,watts\n1795255200\n", "line 2: it has 1 cells"),
        ("time,watts\n1795255200,412000000\n1795255201,412000000\n", "give watts, not milliwatts"),
        ("time,watts\n1795255200,unavailable\n1795255201,3\n", "no two readings"),
        ("time,watts\n" + "9" * 200_000 + ",3\n", "line 2: it is no line of a CSV file"),
        ("time,watts\n\xff", "no UTF-8"),
    ],
)
def test_a_log_that_cannot_be_used_is_told_its_line(tmp_path: Path, text: str, said: str) -> None:
    """And what would work."""
    path = tmp_path / "plug.csv"
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(ConfigError, match="wall") as caught:
        read_wall_log(path)

    assert said in str(caught.value)


def test_a_log_of_energy_counts_up(tmp_path: Path) -> None:
    """A counter that begins again loses the time between, and no more."""
    path = tmp_path / "pdu.csv"
    path.write_text("timestamp,energy_wh\n1795255200,10\n1795255236,11\n1795255237,0\n1795255273,2\n")
    joules, covered = read_wall_log(path).between(1795255200, 1795255273)

    assert pytest.approx(3 * 3600) == joules
    assert pytest.approx(72 / 73) == covered


def test_a_plug_that_is_away_covers_no_time(tmp_path: Path) -> None:
    """A reading holds for a minute at most, and not at all where the plug said that it knows nothing."""
    path = tmp_path / "plug.csv"
    path.write_text("last_changed,state\n1795255200,100\n1795255300,unavailable\n1795255400,100\n1795255410,100\n")
    joules, covered = read_wall_log(path).between(1795255200, 1795255410)

    assert pytest.approx(70 * 100) == joules
    assert pytest.approx(70 / 210) == covered
