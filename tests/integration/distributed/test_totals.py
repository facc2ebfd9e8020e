"""Whatever ranks there are and however they find each other, the record is the truth, and no GPU counts twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.distributed.support import (
    Done,
    environment,
    free_port,
    run_all,
    run_loop,
    torchrun,
    write_plan,
)

LAST_SECONDS = 2.0
"""What rank 0's rows may lack of each other rank: it writes once a second, and is read once a second."""

READING_SECONDS = 0.01
"""How often the loops read their GPUs."""


def truths(done: Done, record: dict[str, Any]) -> float:
    """The true energy of all GPUs, each over the time that the rank that it is credited to was there."""
    return float(sum(done.answers[rank["rank"], 0]["truth"] for rank in record["ranks"] if rank["devices"]))


def joules_of(record: dict[str, Any]) -> Any:  # noqa: ANN401 - a float, from JSON
    """The sum over ranks, which must be the total."""
    total = record["energy"]["total_joules"]
    assert total == pytest.approx(sum(rank["joules"] for rank in record["ranks"]))
    return total


@pytest.mark.parametrize(
    ("group", "gpus"),
    [("before", [0, 0]), ("after", [0, 1])],
    ids=["one GPU, group before", "two GPUs, group after"],
)
def test_two_ranks_make_one_true_record(tmp_path: Path, group: str, gpus: list[int]) -> None:
    """The ranks of one torchrun find each other by it; a GPU that they share counts once, and two GPUs add up."""
    done = run_loop(tmp_path, 2, group=group, gpu_=gpus)
    assert done.returncode == 0, done.output
    record = done.record
    rows = done.answers[0, 0]["rows"]
    watts = [300.0, 200.0]
    missing = sum(watts[gpu] * 1.25 * LAST_SECONDS for gpu in set(gpus[1:]) - {gpus[0]})
    if set(gpus) == {0} and not record["ranks"][0]["devices"]:
        # The other rank was there for longer, if only by a moment: rank 0's rows lack that, to one reading.
        longer = record["ranks"][1]["duration_seconds"] - record["ranks"][0]["duration_seconds"]
        missing += watts[0] * 1.25 * (longer + READING_SECONDS)

    assert ("completed", 2) == (record["status"], record["world_size"])
    assert [f"gpu:simulated-{gpu}" for gpu in sorted(set(gpus))] == [
        domain["id"] for domain in record["energy"]["domains"]
    ]
    assert joules_of(record) == pytest.approx(truths(done, record), rel=0.01)
    # To the microjoule: the floats that rows are told in do not add up to the last digit.
    shown = round(sum(row["joules"] for row in rows), 6)
    assert round(joules_of(record) - missing, 6) <= shown <= 1.01 * joules_of(record)
    assert rows[-1]["run"] == pytest.approx(shown)
    # What is drawn on rank 0 is the power of all, on others their own.
    drawn = [done.answers[rank, 0]["course_watts"] for rank in range(2)]
    assert [sum(watts[gpu] for gpu in set(gpus)), watts[gpus[1]]] == pytest.approx(drawn, rel=0.15)


def two_hosts(folder: Path, **plan: object) -> Done:
    """Two agents of torchrun, each on what says it is a host of its own, with two ranks each."""
    path = write_plan(folder, **plan)  # type: ignore[arg-type]  # seconds has a type of its own
    port = str(free_port())
    commands = [
        (
            torchrun(
                2,
                "--nnodes=2",
                f"--node-rank={node}",
                "--master-addr=127.0.0.1",
                f"--master-port={port}",
                "-m",
                "tests.integration.distributed.loop",
                str(path),
            ),
            environment(LIGHTNING_CARBON_HOST_ID=f"host-{node}"),
        )
        for node in range(2)
    ]
    return run_all(folder, *commands)


def test_four_ranks_on_two_hosts_make_one_true_record(tmp_path: Path) -> None:
    """GPUs of one name on two hosts are two GPUs; the name of the run comes through the process group's store."""
    done = two_hosts(tmp_path, group="before", gpu_=[0, 1, 0, 1])
    assert done.returncode == 0, done.output
    record = done.record

    assert (4, 4) == (record["world_size"], len({domain["id"] for domain in record["energy"]["domains"]}))
    assert [1, 1, 1, 1] == [len(rank["devices"]) for rank in record["ranks"]]
    assert joules_of(record) == pytest.approx(truths(done, record), rel=0.01)
    assert joules_of(record) == pytest.approx(sum(answer["truth"] for answer in done.answers.values()), rel=0.01)


def test_without_a_process_group_each_host_makes_a_record_of_its_own(tmp_path: Path) -> None:
    """Nothing tells two hosts of each other, so there are two true records, each marked as a part of four ranks."""
    done = two_hosts(tmp_path, group="never", gpu_=[0, 0, 1, 1])
    assert done.returncode == 0, done.output

    assert [[0, 1], [2, 3]] == sorted([rank["rank"] for rank in record["ranks"]] for record in done.records)
    assert [4, 4] == [record["world_size"] for record in done.records]
    for record in done.records:
        assert joules_of(record) == pytest.approx(truths(done, record), rel=0.01)


def test_the_tasks_of_a_slurm_step_find_each_other_by_their_step(tmp_path: Path) -> None:
    """What srun has set is enough for one record of two hosts, without any process group."""
    path = write_plan(tmp_path, group="never", gpu_=[0, 0])
    slurm = {"SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_LOCALID": "0"}
    command = [*torchrun(1)[:1], "-m", "tests.integration.distributed.loop", str(path)]
    done = run_all(
        tmp_path,
        *(
            (command, environment(**slurm, SLURM_PROCID=str(rank), LIGHTNING_CARBON_HOST_ID=f"host-{rank}"))
            for rank in range(2)
        ),
    )
    assert done.returncode == 0, done.output
    record = done.record

    assert [(0, 1), (1, 1)] == [(rank["rank"], len(rank["devices"])) for rank in record["ranks"]]
    assert joules_of(record) == pytest.approx(truths(done, record), rel=0.01)


def test_a_straggler_shows(tmp_path: Path) -> None:
    """A rank whose steps take longer and that draws less has fewer steps and watts; no process group is needed."""
    done = run_loop(tmp_path, 2, group="never", gpu_=[0, 3], slow_=[1.0, 4.0])
    assert done.returncode == 0, done.output
    fast, slow = done.record["ranks"]
    assert joules_of(done.record) == pytest.approx(truths(done, done.record), rel=0.01)

    assert fast["steps"] > 2 * slow["steps"] > 0
    assert [done.answers[rank, 0]["steps"] for rank in (0,)] == [done.record["steps"]]
    assert fast["mean_watts"] > 2 * slow["mean_watts"] > 0
    assert [rank["joules"] / rank["duration_seconds"] for rank in (fast, slow)] == pytest.approx(
        [fast["mean_watts"], slow["mean_watts"]]
    )
