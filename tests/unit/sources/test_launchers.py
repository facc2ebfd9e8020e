"""Which process of a run this is, by what launchers set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lightning_carbon.ranks import OwnIdentity, Ranks
from lightning_carbon.sources.launchers import host_id, identity_of, ranks_of

if TYPE_CHECKING:
    from pathlib import Path

TORCHRUN = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "TORCHELASTIC_RUN_ID": "none",
    "TORCHELASTIC_RESTART_COUNT": "0",
}
SRUN = {
    "SLURM_JOB_ID": "77",
    "SLURM_STEP_ID": "0",
    "SLURM_PROCID": "3",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_LOCALID": "1",
    "SLURM_NTASKS": "8",
}
OPEN_MPI = {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_LOCAL_RANK": "1"}
BATCH_SCRIPT = {"SLURM_JOB_ID": "77", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "8"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, (0, 0, 1)),
        (TORCHRUN, (5, 1, 8)),
        (SRUN, (3, 1, 4)),
        ({**SRUN, **TORCHRUN}, (5, 1, 8)),
        (OPEN_MPI, (1, 1, 2)),
        ({"PMI_RANK": "1", "PMI_SIZE": "2", "MPI_LOCALRANKID": "0"}, (1, 0, 2)),
        (BATCH_SCRIPT, (0, 0, 1)),
        ({"RANK": "1"}, (0, 0, 1)),
        ({"RANK": "2", "WORLD_SIZE": "2"}, (0, 0, 1)),
        ({"RANK": "one", "WORLD_SIZE": "2"}, (0, 0, 1)),
        ({"LOCAL_RANK": "1"}, (0, 0, 1)),
    ],
    ids=[
        "alone",
        "torchrun",
        "srun",
        "torchrun in srun",
        "Open MPI",
        "PMI",
        "a batch script of 8 tasks is none of them",
        "half of a launcher",
        "rank out of range",
        "no number",
        "local rank alone",
    ],
)
def test_the_launcher_says_which_rank_this_is(environ: dict[str, str], expected: tuple[int, int, int]) -> None:
    """By a launcher's variables, where they make sense together."""
    ranks = ranks_of(environ)

    assert expected == (ranks.rank, ranks.local_rank, ranks.world_size)


def test_where_nobody_knows_the_first_rank_of_a_host_each_meters_it() -> None:
    """Rank 1 could be the first of another host, which would be lost; a record counts a host's domains once."""
    told = ranks_of({**TORCHRUN, "LOCAL_RANK": "0"}), ranks_of(TORCHRUN)
    guessed = ranks_of({"RANK": "1", "WORLD_SIZE": "2"})

    assert [True, False, True] == [place.meters_host for place in (*told, guessed)]


def test_one_rank_on_each_host_shares_it_with_none() -> None:
    """It may take all GPUs that are visible."""
    alone = {**TORCHRUN, "LOCAL_WORLD_SIZE": "1", "LOCAL_RANK": "0"}

    assert [True, False, False] == [ranks_of(environ).shares_host for environ in (TORCHRUN, alone, {})]


def test_a_host_is_what_the_variable_says(tmp_path: Path) -> None:
    """Otherwise its name and its boot, so that no two hosts are one."""
    boot = tmp_path / "proc/sys/kernel/random/boot_id"
    boot.parent.mkdir(parents=True)
    boot.write_text("1234\n")

    assert "rack-1" == host_id(tmp_path, {"LIGHTNING_CARBON_HOST_ID": "rack-1"})
    assert host_id(tmp_path, {}).endswith(":1234")
    assert host_id(tmp_path / "without", {}).endswith(":")


def names(ranks: int, environ: dict[str, str]) -> set[str | None]:
    """What each rank would call a run."""
    made = [Ranks(rank, rank, 4, "here") for rank in range(ranks)]
    return {_name(place, {**environ, "SLURM_PROCID": str(place.rank)}) for place in made}


def _name(ranks: Ranks, environ: dict[str, str]) -> str | None:
    name = identity_of(ranks, environ).agree(f"proposal of {ranks.rank}")
    return None if name is None else name.rpartition("-")[0]


def test_a_single_process_calls_its_run_as_it_likes() -> None:
    """It has nobody to agree with."""
    identity = identity_of(Ranks(), TORCHRUN)

    assert isinstance(identity, OwnIdentity)
    assert "mine" == identity.agree("mine")


def test_the_name_of_a_slurm_step_is_known_at_once() -> None:
    """From what all its tasks share; the last part tells meters of one process apart."""
    assert {"slurm-77.0"} == names(4, SRUN)
    assert {"20260101T000000Z"} == names(4, {**SRUN, "SLURM_JOB_START_TIME": "1767225600"})


def test_each_meter_of_a_process_has_a_name_of_its_own() -> None:
    """And so has each attempt of a job that is started again."""
    ranks = Ranks(3, 1, 4, "here")
    first, second = identity_of(ranks, SRUN), identity_of(ranks, SRUN)

    assert first.agree("") != second.agree("")
    assert identity_of(ranks, {**SRUN, "SLURM_RESTART_COUNT": "1"}).agree("") not in {first.agree(""), second.agree("")}
