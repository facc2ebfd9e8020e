"""Processes that join a run: each device once, by role, and to the microjoule whoever comes late or leaves early."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.ranks import FIRST_JOINED
from lightning_carbon.records.joined import of_this_process
from lightning_carbon.records.journal import DomainDescription, RankPart, beat_mapping, header_mapping, part_of
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import Status
from tests.unit.records.parts import STARTED, domain, part

GPUS = [domain(f"gpu:{number}") for number in range(3)]


def joiner(
    number: int,
    role: str,
    uj: dict[DomainDescription, int],
    *,
    start: float = 0.0,
    seconds: int = 10,
    accepted: int | None = None,
    status: Status = Status.COMPLETED,
) -> RankPart:
    """What a process that joined has written, from some seconds after the start of the run on."""
    mine = part(FIRST_JOINED + number, uj, seconds=seconds, status=status, steps=number)
    header = replace(mine.header, role=role, started_at=STARTED + start, world_size=1)
    return RankPart(header, replace(mine.beat, accepted=accepted))


TRAINER = part(0, {GPUS[0]: 700_000_001}, steps=50, samples=400, status=Status.COMPLETED)


def test_a_run_has_the_energy_of_every_role() -> None:
    """To the microjoule, and what a process that joined has done are no steps of the training."""
    parts = [TRAINER, joiner(1, "rollout", {GPUS[1]: 300_000_002}), joiner(2, "reward", {GPUS[2]: 5}, accepted=80)]
    record = record_of(parts)

    assert pytest.approx({"trainer": 700.000001, "rollout": 300.000002, "reward": 0.000005}) == record.energy.roles
    assert pytest.approx(1_000.000008) == record.energy.total_joules
    assert (50, 400, 80, 3) == (record.steps, record.samples, record.accepted, record.world_size)
    assert [None, "rollout", "reward"] == [rank.role for rank in record.ranks]
    assert pytest.approx(1.0) == record.energy.coverage_ratio


def test_a_run_alone_has_no_roles() -> None:
    """Nor has one of several ranks that all train."""
    assert {} == record_of([TRAINER]).energy.roles


def test_a_device_that_two_meter_counts_once() -> None:
    """It is credited to who covered more of it."""
    record = record_of([TRAINER, joiner(1, "rollout", {GPUS[0]: 600_000_000, GPUS[1]: 7_000_000}, seconds=9)])

    assert pytest.approx({"trainer": 700.000001, "rollout": 7.0}) == record.energy.roles


def test_processes_in_turn_on_a_device_both_count() -> None:
    """A server that was started again has used what its predecessor has not."""
    first, second = (joiner(place, "rollout", {GPUS[1]: 10_000_000}, start=start) for place, start in [(1, 0), (2, 20)])
    together = joiner(3, "rollout", {GPUS[1]: 9_000_000}, start=5, seconds=4)
    record = record_of([TRAINER, first, second, together])

    assert pytest.approx(20.0) == record.energy.roles["rollout"]


def test_the_training_says_how_the_run_ended() -> None:
    """A server is killed at the end of every run, and one that goes on keeps no run open."""
    for status in (Status.INTERRUPTED, Status.FAILED, Status.RUNNING):
        assert "completed" == record_of([TRAINER, joiner(1, "rollout", {}, status=status)]).status


def test_those_who_join_alone_are_a_run() -> None:
    """As long as nothing of the trainer is known."""
    record = record_of([joiner(1, "rollout", {GPUS[1]: 3_000_000}, status=Status.RUNNING)])

    assert ("running", 1, {"rollout": 3.0}) == (record.status, record.world_size, record.energy.roles)


def test_the_share_of_a_processor_is_of_its_process() -> None:
    """Shares add up; the share of a processor that is counted whole is inside of that."""
    share, whole = domain("package:0", provenance="modelled"), domain("package:0")
    own = replace(share, id=of_this_process(share, 7))
    rollout = joiner(1, "rollout", {own: 2_000_000})

    assert ("package:0@7", "package:0", "gpu:0") == (own.id, of_this_process(whole, 7), of_this_process(GPUS[0], 7))
    for theirs, expected in [(share, 3.0), (whole, 1.0), (GPUS[0], 3.0)]:
        record = record_of([part(0, {theirs: 1_000_000}), rollout])
        assert pytest.approx(expected) == record.energy.total_joules


def test_a_role_is_in_the_journal() -> None:
    """Another process reads it there, with what was accepted."""
    mine = joiner(1, "reward", {GPUS[1]: 1}, accepted=3)

    assert mine == part_of(header_mapping(mine.header), beat_mapping(mine.beat))


@given(
    st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 2), st.sampled_from(["rollout", "reward"])), max_size=6)
)
def test_roles_add_up_to_the_run(drawn: list[tuple[int, int, str]]) -> None:
    """However many join, on whichever devices."""
    parts = [TRAINER, *(joiner(place, role, {GPUS[gpu]: uj}) for place, (uj, gpu, role) in enumerate(drawn))]
    record = record_of(parts)

    assert pytest.approx(record.energy.total_joules) == sum(record.energy.roles.values()) or not drawn
    assert pytest.approx(record.energy.total_joules) == sum(rank.joules for rank in record.ranks)
