"""Ranks that die, come late, never come, or begin anew: nobody waits for them, and what they used is kept, once."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon.records.journal import RankPart
from lightning_carbon.records.merging import record_of
from tests.integration.distributed.loop import gpu_of
from tests.integration.distributed.support import Done, environment, free_port, read_json, run_all, run_loop, write_plan
from tests.stepped_time import START_NS

COMMAND = [sys.executable, "-m", "tests.integration.distributed.loop"]
LOST_SECONDS = 0.6
"""What may be lost of a rank that is killed: it writes down what it has used twice a second."""


def beside(folder: Path, env: dict[str, str] | None = None, **plan: Any) -> Done:  # noqa: ANN401 - as write_plan
    """Two ranks without a launcher that would end one when the other dies."""
    path = write_plan(folder, **plan)
    ranks = [{"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", **(env or {})} for rank in range(2)]
    return run_all(folder, *(([*COMMAND, str(path)], environment(**rank)) for rank in ranks))


def true_joules(folder: Path, part: RankPart) -> float:
    """What the GPU of a rank truly used while the rank wrote."""
    plan = read_json(folder / "plan.json")
    return gpu_of(plan, plan["gpu*"][part.header.rank]).truth(START_NS, START_NS + part.beat.ns).joules


def test_what_a_killed_rank_used_is_in_the_survivors_record(tmp_path: Path) -> None:
    """Up to the last second; the survivor's rows tell that one is missing."""
    done = beside(tmp_path, seconds=1.0, meets=False, until_alone=True, gpu_=[0, 1], dies_=[None, 1.0])
    ranks = done.record["ranks"]
    rows = done.answers[0, 0]["rows"]
    [_, killed] = done.parts(done.record["run_id"])

    assert done.returncode
    assert 1.0 - LOST_SECONDS <= killed.beat.ns / 1e9 <= 1.0
    assert ranks[1]["joules"] == pytest.approx(true_joules(tmp_path, killed), rel=0.01)
    assert done.record["energy"]["total_joules"] == pytest.approx(
        ranks[1]["joules"] + done.answers[0, 0]["truth"], rel=0.01
    )
    assert 2 in {row["ranks"] for row in rows}
    assert 1 == rows[-2]["ranks"]
    assert rows[-2]["coverage"] == pytest.approx(0.5, abs=0.1)


def test_a_second_attempt_is_a_run_of_its_own(tmp_path: Path) -> None:
    """When torchrun starts the ranks again, the first attempt's journals stay as they were, with their energy."""
    done = run_loop(tmp_path, 2, "--max-restarts=1", "--monitor-interval=0.1", gpu_=[0, 1], dies_=[None, 0.8])
    assert done.returncode == 0, done.output
    second = done.answers[0, 1]["run_id"]
    [first] = {record["run_id"] for record in done.records} - {second}
    [record] = [record for record in done.records if record["run_id"] == second]
    dead = done.parts(first)
    kept = record_of(dead).energy.total_joules
    assert kept is not None
    truth = sum(true_joules(tmp_path, rank) for rank in dead)

    assert ("completed", [0, 1]) == (record["status"], [rank["rank"] for rank in record["ranks"]])
    assert record["energy"]["total_joules"] == pytest.approx(
        sum(done.answers[rank, 1]["truth"] for rank in range(2)), rel=0.01
    )
    assert kept == pytest.approx(truth, rel=0.01)
    assert 0.8 - LOST_SECONDS <= dead[1].beat.ns / 1e9 <= 0.8


def test_nobody_waits_for_a_rank_that_comes_late(tmp_path: Path) -> None:
    """The rows before it are marked as a part; the last one to end closes the record, which has both."""
    done = beside(tmp_path, gpu_=[0, 1], comes_=["at once", "late"], meets=False, waits_for=1)
    assert done.returncode == 0, done.output
    ranks = done.record["ranks"]
    first = done.answers[0, 0]["rows"][0]

    assert ("completed", [0, 1]) == (done.record["status"], [rank["rank"] for rank in ranks])
    assert 1 == first["ranks"]
    assert first["coverage"] == pytest.approx(0.5, abs=0.05)
    assert done.record["energy"]["total_joules"] == pytest.approx(
        sum(answer["truth"] for answer in done.answers.values()), rel=0.01
    )


def test_a_store_that_is_gone_costs_no_more_than_the_common_name(tmp_path: Path) -> None:
    """The rank that comes after the end of its store's host meters a run of its own."""
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    done = beside(tmp_path, group, group="before", gpu_=[0, 1], comes_=["at once", "after the end"], meets=False)

    assert {(0, 0), (1, 0)} == set(done.answers), done.output
    assert 2 == len({answer["run_id"] for answer in done.answers.values()})
    for record in done.records:
        [rank] = record["ranks"]
        assert record["energy"]["total_joules"] == pytest.approx(done.answers[rank["rank"], 0]["truth"], rel=0.01)


def test_the_first_rank_need_not_meter(tmp_path: Path) -> None:
    """The others agree on a name without it, and close their record."""
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    done = beside(tmp_path, group, group="before", gpu_=[0, 1], idle_=[True, False], meets=False)
    assert done.returncode == 0, done.output

    assert [1] == [rank["rank"] for rank in done.record["ranks"]]
    assert done.record["energy"]["total_joules"] == pytest.approx(done.answers[1, 0]["truth"], rel=0.01)


def test_a_shell_that_starts_two_runs_gets_two_records(tmp_path: Path) -> None:
    """Though nothing tells their ranks apart but what the first ones wrote."""
    path = write_plan(tmp_path, seconds=0.5, gpu_=[0, 1])
    ranks = [f"RANK={rank} LOCAL_RANK={rank} WORLD_SIZE=2 {shlex.join([*COMMAND, str(path)])} &" for rank in range(2)]
    both = "\n".join([*ranks, "wait"] * 2)
    done = run_all(tmp_path, (["bash", "-c", both], environment()))
    first, second = done.records

    assert [[0, 1], [0, 1]] == [[rank["rank"] for rank in record["ranks"]] for record in (first, second)]
    assert f"{first['run_id']}-2" == second["run_id"]
