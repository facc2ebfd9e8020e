"""A run over several processes that know nothing of each other but the ledger: a trainer, rollouts and rewards."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon import Meter, join
from lightning_carbon.errors import ConfigError
from lightning_carbon.sources.simulated import SimulatedGPU
from tests.integration.distributed.support import PATIENCE_SECONDS, ROOT, environment

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process that meters GPUs, and waits until it does; whatever is left is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def begin(*gpus: int, **variables: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.integration.distributed.join", str(tmp_path), *map(str, gpus)]
        env = environment(**{f"LIGHTNING_CARBON_{name.upper()}": value for name, value in variables.items()})
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert "started\n" == process.stdout.readline()
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> Any:  # noqa: ANN401 - what it says of its run
    """End a process, and take what it says of its run."""
    output, _ = process.communicate("\n", timeout=PATIENCE_SECONDS)
    return json.loads(output)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def record_in(folder: Path) -> Any:  # noqa: ANN401 - a record as plain values
    """The only record in a ledger."""
    (path,) = folder.rglob("record.json")
    return json.loads(path.read_text())


def test_a_run_is_the_sum_of_its_processes(tmp_path: Path, start: Start) -> None:
    """One begins before the trainer and outlives it, one leaves early, and both meter a GPU of the trainer's, too."""
    rollout = start(1, 0, join="step", role="rollout")
    trainer = start(0, run_name="step")
    wait_for(lambda: len([*tmp_path.rglob("rank-*.jsonl")]) == 2)
    reward = start(0, join="step", role="reward")
    told = [end(process) for process in (reward, trainer, rollout)]
    record = record_in(tmp_path)
    energy = record["energy"]

    assert 1 == len({answer["run_id"] for answer in told})
    assert {"trainer", "rollout", "reward"} == energy["roles"].keys()
    assert pytest.approx(energy["total_joules"]) == sum(energy["roles"].values())
    assert pytest.approx(energy["total_joules"]) == sum(rank["joules"] for rank in record["ranks"])
    assert pytest.approx(energy["total_joules"]) == sum(part["joules"] for part in energy["domains"])
    assert 2 == len(energy["domains"])
    assert (3, 3 * 2, 8, "completed") == (record["world_size"], record["accepted"], record["samples"], record["status"])


def test_a_process_may_join_in_the_same_program(tmp_path: Path) -> None:
    """By the run's id, in whichever project that is; its energy for each accepted sample is in the trainer's rows."""
    with Meter(ledger=tmp_path, project="grpo", sources=[SimulatedGPU()]) as trainer:
        trainer.step_done(samples=8)
        with join(trainer.run_id, role="reward", ledger=tmp_path, sources=[SimulatedGPU(index=1)]) as reward:
            reward.count(accepted=4)
            reward.count(accepted=-1)
        trainer.count(accepted=0)
    figures = trainer.row().as_metrics()
    record = trainer.record

    assert reward.run_id == trainer.run_id
    assert {"trainer", "reward"} == record.energy.roles.keys()
    assert "reward" in record.energy.phases
    assert pytest.approx((record.energy.total_joules or 0) / 4) == figures["energy/run_joules_per_accepted_sample"]


def test_a_run_that_never_comes_is_a_run_of_its_own(tmp_path: Path) -> None:
    """Nobody waits for it, and nothing is lost."""
    with join("nowhere", ledger=tmp_path, sources=[SimulatedGPU()]) as meter:
        meter.step_done()
    record = record_in(tmp_path)

    assert meter.record.run_id == record["run_id"]
    assert pytest.approx(meter.record.energy.total_joules) == record["energy"]["roles"]["rollout"]


@pytest.mark.parametrize(("name", "value"), [("join", "a/b"), ("join", ""), ("role", "a\nb")])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str, value: str) -> None:
    """Runs are folders."""
    settings: Any = {"join": "run", name: value}
    with pytest.raises(ConfigError, match=name):
        Meter(ledger=tmp_path, **settings)
