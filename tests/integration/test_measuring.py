"""Measuring as the study does: real processes that meter themselves on a simulated GPU, so that the truth is known."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import time
from pathlib import Path

import psutil
import pytest

from lightning_carbon.errors import ConfigError, StudyError
from lightning_carbon.measuring import Progress, measure
from lightning_carbon.measuring.child import Child
from lightning_carbon.measuring.following import MOST_BEATS, FollowedRun, RankFile
from lightning_carbon.measuring.pricing import method_of, row_of
from lightning_carbon.records.journal import beat_mapping, header_mapping
from lightning_carbon.study.measured.from_journals import Label, RankJournal, measure_journals
from lightning_carbon.study.measured.measurement import from_mapping
from lightning_carbon.study.measured.training_length import TrainingLength
from tests.unit.study.measured.journals import journal

ROOT = Path(__file__).parents[2]

TRAIN = """
import sys, time
from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU

until = time.monotonic() + float(sys.argv[1])
with Meter(sources=[SimulatedGPU(watts=250.0)], project="measured") as meter:
    time.sleep(0.5)
    with meter.phase("train"):
        while time.monotonic() < until:
            time.sleep(0.02)
            meter.step_done(samples=4, tokens=100)
print("done")
"""

TRAIN_ON_OWN_CLOCK = """
import itertools, sys, time
from dataclasses import replace
from lightning_carbon.metering.engine import Engine
from lightning_carbon.settings import configure
from lightning_carbon.sources.simulated import Saw, SimulatedGPU, Square
from lightning_carbon.testing import ManualClock, ManualSampler
from lightning_carbon.wiring import assemble

# Time passes by the steps that are made, so that power is the same to the microjoule however fast the machine is.
clock = ManualClock()
gpu = SimulatedGPU(clock, watts=eval(sys.argv[1]))
samplers = []
config = configure(sources=[gpu], project="measured")
engine = Engine(
    config,
    lambda config: replace(assemble(config), clock=clock, step_clock=None),
    lambda *told: samplers.append(ManualSampler(*told)) or samplers[0],
)
with engine, engine.phase("train"):
    steps = int(sys.argv[2])
    for _ in range(steps) if steps else itertools.count():
        time.sleep(0 if steps else 0.002)
        clock.advance(seconds=0.1)
        samplers[0].tick()
        engine.step_done(samples=4, tokens=100)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a training, its configuration, and room for a ledger."""
    (tmp_path / "train.py").write_text(TRAIN, encoding="utf-8")
    (tmp_path / "train.yaml").write_text(
        "lr: 0.1\nstudy:\n  name: Toy\n  command: [train.py, '60', '{config}']\n  published: transformer_base\n"
    )
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    """What a training of these tests runs in."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def program(folder: Path, text: str) -> Path:
    """A configuration whose program is this text."""
    (folder / "program.py").write_text(text, encoding="utf-8")
    config = folder / "program.yaml"
    config.write_text("study: {command: [program.py]}")
    return config


def on_own_clock(folder: Path, power: str, *, steps: int) -> tuple[str, ...]:
    """The command of a training that carries its own time along, a tenth of a second in every step; 0: without end."""
    (folder / "clocked.py").write_text(TRAIN_ON_OWN_CLOCK)
    words = [str(folder / "clocked.py"), power, str(steps)]
    (folder / "clocked.yaml").write_text(f"study: {{name: Toy, command: {words}, published: transformer_base}}")
    return (sys.executable, *words)


def test_a_training_is_ended_and_its_row_is_the_truth(folder: Path) -> None:
    """Power, speed and names are its own, whoever else trains into the same ledger, and the record is closed."""
    on_own_clock(folder, "250.0", steps=0)
    told: list[Progress] = []
    ledger = str(folder / "ledger")
    other = (sys.executable, str(folder / "train.py"), "60")
    with Child(other, environment(LIGHTNING_CARBON_LEDGER=ledger)):
        found = measure(
            folder / "clocked.yaml",
            minutes=0.08,
            warmup_seconds=1.0,
            ledger=ledger,
            on_progress=told.append,
            environ=environment(),
        )
    toy = found.measurement
    record = json.loads((found.location.parent / "record.json").read_text())

    assert pytest.approx((250.0, 250.0)) == (toy.domains[0].watts, toy.settling.watts)
    assert toy.training_seconds >= 4.8
    assert pytest.approx((10.0, 1_000.0)) == (toy.speed.steps_per_second, toy.speed.tokens_per_second)
    assert ("Toy", "transformer_base", "measured") == (toy.name, toy.published, toy.project)
    assert toy == from_mapping(json.loads(found.location.read_text()))
    assert (toy.run_id, "interrupted") == (record["run_id"], record["status"])
    assert told[-1].training_seconds >= 4.8
    assert pytest.approx(250.0) == told[-1].watts


def test_a_warm_up_is_found_in_a_training_that_ends_by_itself(folder: Path) -> None:
    """Three seconds of low power, and no more, are left out, and the record is completed."""
    command = on_own_clock(folder, "Square(100.0, 300.0, period_seconds=1000.0, high_ratio=0.997)", steps=130)
    hidden = ("--hf_token", "lisas-own", "--api-key=lisas-own")
    found = measure(None, command=command + hidden, minutes=5, ledger=folder / "ledger", environ=environment())
    measurement = found.measurement
    record = json.loads((found.location.parent / "record.json").read_text())

    assert pytest.approx(300.0) == measurement.domains[0].watts
    assert pytest.approx((3.0, 13.0)) == (measurement.settling.warmup_seconds, measurement.training_seconds)
    assert (True, "found", "clocked") == (measurement.settling.settled, measurement.settling.rule, measurement.name)
    assert "completed" == record["status"]
    assert (*command, "--hf_token", "***", "--api-key=***") == measurement.command
    assert 0o600 == stat.S_IMODE(found.location.stat().st_mode)
    assert [] == [path for path in folder.rglob("*") if path.is_file() and b"lisas-own" in path.read_bytes()]


def test_power_that_has_not_settled_is_refused(folder: Path) -> None:
    """Where it rises all the time, the error says by how much and what to do, and there is no measurement."""
    command = on_own_clock(folder, "Saw(100.0, 1100.0, period_seconds=100.0)", steps=110)
    with pytest.raises(StudyError, match=r"not settled in 11 s .* by \+600 W a minute .*; measure longer \(--min"):
        measure(None, command=command, minutes=0.175, ledger=folder / "ledger", environ=environment())

    assert [] == list(folder.rglob("measurement.json"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "import sys; print('loading'); sys.exit('CUDA out of memory')",
            "failed with exit code 1; its last words:\nCUDA",
        ),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9, without a word"),
        ("print('all done')", "has ended and metered nothing; see to it that it meters itself: add callbacks="),
        (
            TRAIN_ON_OWN_CLOCK.replace("sys.argv[1]", "'250.0'").replace("sys.argv[2]", "7"),
            "metered for 0.7 s, too short to tell",
        ),
    ],
)
def test_a_program_that_cannot_be_measured_leaves_nothing(folder: Path, text: str, said: str) -> None:
    """The error says why, and there is no measurement."""
    with pytest.raises(StudyError, match=said):
        measure(program(folder, text), ledger=folder / "ledger", environ=environment())

    assert [] == list(folder.rglob("measurement.json"))


@pytest.mark.parametrize(("said", "told"), [({}, "1"), ({"LIGHTNING_CARBON": "0"}, "0")])
def test_trainers_are_asked_to_meter_themselves(folder: Path, said: dict[str, str], told: str) -> None:
    """By the variable that makes Lightning's do so, unless somebody has set it."""
    world = {name: value for name, value in environment().items() if name != "LIGHTNING_CARBON"} | said
    with pytest.raises(StudyError, match=f"last words:\n{told}$"):
        measure(program(folder, "import os; raise SystemExit(os.environ['LIGHTNING_CARBON'])"), environ=world)


def test_of_two_meters_the_one_that_counts_steps_is_taken(folder: Path) -> None:
    """Such as that of a training inside `lightning-carbon run`."""
    own = (sys.executable, str(folder / "train.py"), "60", "--hf_token", "lisas-own")
    words = (sys.executable, "-m", "lightning_carbon", "run", "--", *own)
    found = measure(
        None, command=words, minutes=0.04, warmup_seconds=0.3, ledger=folder / "ledger", environ=environment()
    ).measurement

    assert ("measured", "Simulated GPU 0") == (found.project, found.domains[0].name)
    assert found.speed.steps > 0
    assert [] == [path for path in folder.rglob("*") if path.is_file() and b"lisas-own" in path.read_bytes()]


def test_a_program_that_never_trains_is_ended(folder: Path) -> None:
    """With what it started, after a while, and with how to add the meter."""
    pids = folder / "pids"
    text = (
        "import os, pathlib, subprocess, time\n"
        "worker = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        f"pathlib.Path({str(pids)!r}).write_text(f'{{os.getpid()}} {{worker.pid}}')\n"
        "time.sleep(60)\n"
    )
    with pytest.raises(StudyError, match=r"metered no training; see to it that it meters itself"):
        measure(program(folder, text), ledger=folder / "ledger", setup_minutes=0.02, environ=environment())

    assert [False, False] == [runs(int(pid)) for pid in pids.read_text().split()]


def test_a_program_that_ignores_signals_is_killed(folder: Path) -> None:
    """After a grace, with its whole family."""
    text = (
        "import signal, time\nfor one in (2, 15): signal.signal(one, signal.SIG_IGN)\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    path = folder / "stubborn.py"
    path.write_text(text)
    with Child([sys.executable, str(path)], environment(), grace_seconds=0.2) as child:
        while "ready" not in child.last_words():
            time.sleep(0.02)
        child.end()

        assert -signal.SIGKILL == child.exit_code


def test_an_exception_ends_the_program(folder: Path) -> None:
    """Such as Ctrl-C, while it is followed; nothing is written."""

    def interrupt(progress: Progress) -> None:
        if progress.training_seconds > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(folder / "train.yaml", ledger=folder / "ledger", on_progress=interrupt, environ=environment())

    (journal,) = folder.rglob("rank-00000.jsonl")

    assert not runs(json.loads(journal.read_text().splitlines()[0])["pid"])
    assert [] == list(folder.rglob("measurement.json"))


LAUNCH = """
import os, subprocess, sys
ranks = [
    subprocess.Popen(
        [sys.executable, sys.argv[1], "250.0", "0"],
        env=os.environ | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
                          "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29411", "TORCHELASTIC_RUN_ID": "measured"},
        start_new_session=True,
    )
    for rank in range(2)
]
for rank in ranks:
    rank.wait()
"""


def test_the_ranks_of_a_launcher_are_measured_and_ended_together(folder: Path) -> None:
    """Though they have sessions of their own: the GPU of each, the samples of both, and none is left."""
    text = TRAIN_ON_OWN_CLOCK.replace("SimulatedGPU(clock, ", "SimulatedGPU(clock, index=int(os.environ['RANK']), ")
    (folder / "train.py").write_text(text.replace("import itertools", "import itertools, os"))
    (folder / "launch.py").write_text(LAUNCH)
    words = (str(folder / "launch.py"), str(folder / "train.py"))
    found = measure(
        None, command=words, minutes=0.06, warmup_seconds=1.0, ledger=folder / "ledger", environ=environment()
    )
    measurement = found.measurement
    journals = sorted(found.location.parent.glob("rank-*.jsonl"))

    assert (2, 2) == (measurement.world_size, measurement.accelerators)
    assert pytest.approx(500.0) == measurement.settling.watts
    assert pytest.approx((10.0, 8 * 10.0)) == (measurement.speed.steps_per_second, measurement.speed.samples_per_second)
    assert not any(runs(json.loads(path.read_text().splitlines()[0])["pid"]) for path in journals)


def test_an_example_is_measured_as_its_configuration_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real thing: its processor's power, its speed, and its epoch as Lightning counts it."""
    monkeypatch.chdir(folder)
    found = measure(
        ROOT / "configs" / "transformer_small.yaml",
        minutes=0.1,
        warmup_seconds=2.0,
        ledger=folder / "ledger",
        length=TrainingLength(epochs=100),
        environ=environment(OMP_NUM_THREADS="1"),
    ).measurement
    row = row_of(found, method_of("strubell2019"))

    assert all(domain.watts is not None and domain.watts > 0 for domain in found.counted)
    assert found.counted
    assert found.speed.tokens_per_second is not None
    assert found.speed.steps_per_epoch is not None
    assert found.speed.steps_per_epoch > 100
    assert row.hours is not None
    assert row.hours * 3600 == pytest.approx(100 * found.speed.steps_per_epoch / (found.speed.steps_per_second or 0.0))


def test_journals_are_followed_through_torn_lines_and_new_beginnings(tmp_path: Path) -> None:
    """A line counts when it is whole, and a journal that begins anew goes on where it was."""
    whole = journal(seconds=6.0, beat_seconds=0.5)
    header = json.dumps(header_mapping(whole.header))
    lines = [json.dumps(beat_mapping(beat)) for beat in whole.beats]
    folder = tmp_path / whole.header.project / whole.header.run_id
    folder.mkdir(parents=True)
    path = folder / "rank-00000.jsonl"
    run = FollowedRun(folder)

    run.read()
    assert (0.0, 0, None) == (run.seconds, run.steps, run.watts)
    path.write_text(f"{header}\n{lines[0]}\n{lines[1]}\n{lines[2][:50]}")
    run.read()
    assert 0.5 == run.seconds
    with path.open("a") as file:
        file.write(f"{lines[2][50:]}\nnonsense\n{lines[3]}\n")
    run.read()
    assert 1.5 == run.seconds
    path.with_suffix(".new").write_text(f"{header}\n{lines[3]}\n" + "\n".join(lines[4:]) + "\n")
    path.with_suffix(".new").rename(path)
    run.read()

    assert [whole] == run.journals
    assert pytest.approx(300.0) == run.watts


def test_a_long_training_takes_no_more_memory() -> None:
    """Beats are thinned out, and the measurement is the same."""
    whole = journal(watts=lambda at, _: 100.0 if at < 300 else 300.0, seconds=6_000.0)
    thin = RankFile(Path("unused"), 0)
    for beat in whole.beats:
        thin.add(beat)
    label = Label("Toy")
    full, found = (measure_journals([journal], label) for journal in (whole, RankJournal(whole.header, thin.beats)))

    assert len(thin.beats) <= MOST_BEATS < len(whole.beats)
    assert thin.beats[-1] == whole.beats[-1]
    assert pytest.approx(full.settling.watts, rel=1e-6) == found.settling.watts
    assert pytest.approx(full.speed.steps_per_second) == found.speed.steps_per_second


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no such file"),
        ("a: [", "it is no YAML: while parsing"),
        ("a: 1", "it has no `study:` block; add a block"),
        ("- 1", "it has no `study:` block"),
        ("study: 1", "its `study:` is no mapping"),
        ("study: {name: x}", "its `study:` has no command"),
        ("study: {comand: [x]}", "its `study:` has comand, and only name, command"),
        ("study: {command: train.py}", "is no list of words"),
        ("study: {command: [nowhere.py]}", "names .*nowhere.py, which is not there"),
        ("study: {command: [train.py], name: 3}", "its `study: name` is 3, and has to be a text"),
        ("study: {command: [train.py], steps_per_epoch: -1}", "has to be a number above 0"),
    ],
)
def test_a_configuration_that_cannot_be_used_starts_nothing(folder: Path, text: str | None, said: str) -> None:
    """The error names the file and what is wrong with it."""
    config = folder / "bad.yaml"
    if text is not None:
        config.write_text(text)
    with pytest.raises(ConfigError, match=said):
        measure(config, ledger=folder / "ledger")

    assert not (folder / "ledger").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"minutes": 0}, "minutes=0 cannot be used"),
        ({"minutes": float("nan")}, "minutes=nan cannot be used"),
        ({"minutes": 1, "warmup_seconds": 60}, "warmup_seconds=60 cannot be used"),
        ({"setup_minutes": -1}, "setup_minutes=-1 cannot be used"),
        ({"command": ("no-such-program-here",)}, "command='no-such-program-here' cannot be used"),
    ],
)
def test_an_argument_that_cannot_be_used_starts_nothing(folder: Path, settings: dict[str, object], said: str) -> None:
    """The error names the argument, the value and the fix."""
    with pytest.raises(ConfigError, match=said):
        measure(folder / "train.yaml", ledger=folder / "ledger", **settings)  # type: ignore[arg-type]

    assert not (folder / "ledger").exists()


def runs(pid: int) -> bool:
    """Whether a process that was killed is still there after a while."""
    try:
        process = psutil.Process(pid)
        until = time.monotonic() + 60
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > until:
                return True
            time.sleep(0.02)
    except psutil.NoSuchProcess:
        pass
    return False
