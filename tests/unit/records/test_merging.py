"""One record of many ranks: everything counts, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.records.credits import credits_of
from lightning_carbon.records.journal import RankPart, SensorBeat
from lightning_carbon.records.merging import iso, record_of
from lightning_carbon.records.run import Status
from tests.unit.records.parts import SECOND, STARTED, domain, ended, part, parts

GPU_0, GPU_1 = domain("gpu:0"), domain("gpu:1")
PACKAGE, DRAM = domain("package:0", provenance="modelled"), domain("dram:0", parent="package:0")


def test_ranks_that_meter_the_same_gpu_count_it_once() -> None:
    """It is credited to the one whose readings cover more of it."""
    ranks = [part(0, {GPU_0: 90}, covered=9, world=2), part(1, {GPU_0: 100}, covered=10, world=2)]
    record = record_of(ranks)

    assert pytest.approx(0.0001) == record.energy.total_joules
    assert [[], ["gpu:0"]] == [rank.devices for rank in record.ranks]
    assert [None, 0.00001] == [rank.mean_watts for rank in record.ranks]


def test_where_coverage_is_equal_the_lowest_rank_has_the_credit() -> None:
    """In whatever order the ranks are read."""
    record = record_of([part(1, {GPU_0: 100}, world=2), part(0, {GPU_0: 90}, world=2)])

    assert [["gpu:0"], []] == [rank.devices for rank in record.ranks]
    assert pytest.approx(0.00009) == record.energy.total_joules


def test_the_same_name_on_another_host_is_other_hardware() -> None:
    """Both count, and the record tells them apart."""
    record = record_of([part(rank, {GPU_0: 100, PACKAGE: 10}, world=2, host=f"node-{rank}") for rank in (0, 1)])

    assert pytest.approx(0.00022) == record.energy.total_joules
    assert pytest.approx(0.0002) == record.energy.measured_joules
    assert ["node-0/gpu:0", "node-0/package:0", "node-1/gpu:0", "node-1/package:0"] == [
        domain_record.id for domain_record in record.energy.domains
    ]


def test_hosts_of_one_name_are_told_apart() -> None:
    """As containers of several machines may have one; who says what a host is has said that these are two."""
    first, second = part(0, {GPU_0: 100}, world=2), part(1, {GPU_0: 50}, world=2)
    record = record_of([first, replace(second, header=replace(second.header, host_id="another"))])

    assert ["node-0/gpu:0", "node-0#2/gpu:0"] == [domain_record.id for domain_record in record.energy.domains]
    assert ["node-0", "node-0#2"] == [rank.host for rank in record.ranks]


def test_what_another_domain_includes_is_not_added_to_it() -> None:
    """Even where different ranks meter them; without the one that includes it, it counts."""
    both = [part(0, {PACKAGE: 100}, world=2), part(1, {DRAM: 30}, world=2)]

    assert pytest.approx(0.0001) == record_of(both).energy.total_joules
    assert pytest.approx(0.00003) == record_of(both[1:]).energy.total_joules
    assert [True, False] == [credit.is_root for credit in credits_of(both)]


def test_a_platform_that_counts_less_than_its_parts_does_not_hide_them() -> None:
    """The parts count in its stead, nothing of it is left among the domains, and the record says why."""
    inside = {domain("package:0", parent="psys:0"): 100_000_000, domain("dram:0", parent="psys:0"): 50_000_000}
    record = record_of([part(0, {domain("psys:0"): 0, **inside})])
    whole = record_of([part(0, {domain("psys:0"): 150_000_000, **inside})])
    finding = record.energy.absent[-1]

    assert 150.0 == record.energy.total_joules == whole.energy.total_joules
    assert (
        ["package:0", "dram:0"]
        == [domain_record.id for domain_record in record.energy.domains]
        == record.ranks[0].devices
    )
    assert finding.reason.startswith("it counted 0 J, and what should be inside of it 150 J")
    assert record.energy.absent[:-1] == whole.energy.absent


def test_of_a_rank_that_is_given_twice_the_later_beat_counts() -> None:
    """Whichever comes first."""
    early, late = part(0, {GPU_0: 100}, seconds=5), part(0, {GPU_0: 300}, seconds=15)

    assert record_of([late]) == record_of([early, late]) == record_of([late, early])


def test_a_rank_that_ended_counts_over_its_own_last_breath() -> None:
    """Two beats of the same moment of the run are told apart by when they were written."""
    running = part(0, {GPU_0: 100}, seconds=5)
    done = ended(running, Status.COMPLETED, at=STARTED + 6)

    assert "completed" == record_of([running, done]).status == record_of([done, running]).status


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ("completed completed", "completed"),
        ("completed running", "running"),
        ("running interrupted", "interrupted"),
        ("running pruned", "pruned"),
        ("pruned interrupted", "interrupted"),
        ("failed interrupted", "failed"),
        ("completed failed", "failed"),
    ],
)
def test_a_run_stands_as_the_worst_of_its_ranks(statuses: str, worst: str) -> None:
    """Unless it is known better."""
    ranks = [part(rank, status=Status(status), world=2) for rank, status in enumerate(statuses.split())]

    assert worst == record_of(ranks).status
    assert "interrupted" == record_of(ranks, status=Status.INTERRUPTED).status


def test_a_run_has_ended_when_its_last_rank_wrote_last() -> None:
    """And has no end while it runs."""
    ranks = [part(rank, seconds=rank + 1, world=2) for rank in range(2)]

    assert iso(STARTED + 2) == record_of(ranks, status=Status.INTERRUPTED).ended_at
    assert record_of(ranks).ended_at is None


def test_without_any_domain_there_is_no_energy_to_tell() -> None:
    """Nothing is a figure that was not measured."""
    record = record_of([part(0, steps=3)])

    assert (None, None, None) == (record.energy.total_joules, record.step_joules, record.carbon.grams_co2e)
    assert 0.0 == record.energy.coverage_ratio


def test_a_run_of_no_time_has_no_power() -> None:
    """A rank that died at once is a rank all the same, and what there was of it is covered."""
    record = record_of([part(0, {GPU_0: 0}, seconds=0)])

    assert [None] == [rank.mean_watts for rank in record.ranks]
    assert pytest.approx(1.0) == record.energy.coverage_ratio


def test_a_lost_domain_says_why() -> None:
    """The gap stands in the record; a beat from before anything could be lost has no reasons at all."""
    whole = part(0, {GPU_0: 100, GPU_1: 100})
    lost = replace(whole, beat=replace(whole.beat, lost=("fell off the bus", None)))
    silent = replace(whole, beat=replace(whole.beat, lost=()))

    assert ["fell off the bus", None] == [domain_record.lost for domain_record in record_of([lost]).energy.domains]
    assert [None, None] == [domain_record.lost for domain_record in record_of([silent]).energy.domains]


def test_every_rank_says_by_which_clock_its_steps_are_cut() -> None:
    """Each has a device of its own, whose clock may fail; a journal of before does not say."""
    before, failed = part(0), part(1)
    failed = replace(failed, beat=replace(failed.beat, step_clock="mixed", step_clock_reason="not ready"))
    found = [(rank.step_clock, rank.step_clock_reason) for rank in record_of([before, failed]).ranks]

    assert [(None, None), ("mixed", "not ready")] == found


@given(parts(), st.randoms(use_true_random=False))
def test_the_order_of_journals_does_not_matter(ranks: list[RankPart], random: Random) -> None:
    """A folder lists its files in any order."""
    shuffled = sorted(ranks, key=lambda _: random.random())

    assert record_of(ranks) == record_of(shuffled)


@given(parts())
def test_ranks_add_up_to_the_run(ranks: list[RankPart]) -> None:
    """What is credited to ranks is the total, and all hardware is credited once, unless its parts overrule it."""
    record = record_of(ranks)
    hardware = {(rank.header.host_id, facts.id) for rank in ranks for facts in rank.header.domains}
    overruled = len(record.energy.absent) - len(ranks[0].header.absent)

    assert len(hardware) - overruled == len(record.energy.domains) == sum(len(rank.devices) for rank in record.ranks)
    assert (record.energy.total_joules or 0.0) == pytest.approx(sum(rank.joules for rank in record.ranks))
    assert (record.energy.total_joules or 0.0) == sum(record.energy.phases.values())
    assert 0 <= record.energy.coverage_ratio <= 1


@given(parts())
def test_a_rank_that_is_not_there_leaves_the_others_as_they_are(ranks: list[RankPart]) -> None:
    """A record of fewer ranks says how many there should have been."""
    record = record_of(ranks[1:] or ranks)

    assert ranks[0].header.world_size == record.world_size
    assert len(ranks[1:] or ranks) == len(record.ranks)


@given(parts())
def test_the_parts_of_a_phase_are_the_phase(ranks: list[RankPart]) -> None:
    """To the last bit in the total, and to rounding on every domain, whichever ranks tell parts apart."""
    record = record_of(ranks)

    assert record.energy.total_joules is None or record.energy.total_joules == sum(record.energy.phases.values())
    for phase, told in record.energy.parts.items():
        assert record.energy.phases[phase] == float(sum(told.values()))
    for domain_record in record.energy.domains:
        assert domain_record.parts == {} or domain_record.phases["train"] == pytest.approx(
            sum(domain_record.parts["train"].values())
        )


def test_what_a_rank_does_not_tell_apart_is_other() -> None:
    """The ranks of one run may be set differently; nothing is dropped, and the rest stands last."""
    record = record_of([part(0, {GPU_0: 50}, world=2), part(1, {GPU_1: 100}, world=2, forward=0.25)])

    assert {"train": {"forward": 0.000025, "backward": 0.000075, "other": 0.00005}} == record.energy.parts
    assert ["forward", "backward", "other"] == list(record.energy.parts["train"])
    assert [{}, {"train": {"forward": 0.000025, "backward": 0.000075}}] == [
        domain_record.parts for domain_record in record.energy.domains
    ]


def test_the_parts_of_a_run_have_times() -> None:
    """Those of the first rank, as for phases."""
    record = record_of([part(0, {GPU_0: 100}, forward=0.25)])

    assert {"train": {"forward": 2.5, "backward": 7.5}} == record.part_seconds


def test_a_domain_whose_sensor_was_replaced_is_of_the_sensor_it_has_now() -> None:
    """Provenance and method are those of the later one, the range is the wider of both, and the reason stands."""
    rank = part(0, {domain("gpu:0"): 5_000_000, domain("dram:0"): 7_000_000})
    gauge = SensorBeat(0.0, "its count stood still for 1.0 s at 300 W", 2 * SECOND, "integrated", 0.1, "power")
    model = SensorBeat(None, "its count has not moved in the first 1.0 s", SECOND, "modelled", 0.01, "model")
    record = record_of([replace(rank, beat=replace(rank.beat, sensors=(gauge, model)))])
    gpu, dram = record.energy.domains

    assert ("integrated", 0.1, "power", 0.0, gauge.replaced, 2.0) == (
        gpu.provenance,
        gpu.uncertainty_ratio,
        gpu.method,
        gpu.counter_to_power_ratio,
        gpu.replaced,
        gpu.replaced_after_seconds,
    )
    assert ("modelled", 0.05, None) == (dram.provenance, dram.uncertainty_ratio, dram.counter_to_power_ratio)
    assert (5.0, 7.0) == (record.energy.measured_joules, record.energy.modelled_joules)
    assert f"{gauge.replaced}; now power" in record.summary().replace("\n    ", " ")


def test_a_counter_that_was_compared_keeps_its_word() -> None:
    """The ratio is told, and nothing else changes."""
    rank = part(0, {domain("gpu:0"): 5_000_000})
    compared = record_of([replace(rank, beat=replace(rank.beat, sensors=(SensorBeat(0.98),)))])
    (gpu,) = compared.energy.domains

    assert ("counter", 0.05, 0.98, None, None) == (
        gpu.provenance,
        gpu.uncertainty_ratio,
        gpu.counter_to_power_ratio,
        gpu.replaced,
        gpu.replaced_after_seconds,
    )


def test_a_domain_has_the_range_of_its_sensor_at_its_own_length() -> None:
    """5 J in 10 s that may be 10 % and 0.1 W more, and are blurred for a second: 4.5 to 7 J, and so the total."""
    gpu = replace(domain("gpu:0"), accuracy=Accuracy(0.0, 0.1, above_watts=0.1, blur_seconds=1.0))
    record = record_of([part(0, {gpu: 5_000_000}, seconds=10)])
    (told,) = record.energy.domains

    assert (4.5, 7.0) == (told.low_joules, told.high_joules)
    assert (4.5, 7.0) == (record.energy.low_joules, record.energy.high_joules)
    assert "counter -10/+40 %" in record.summary()


def test_a_sensor_that_took_over_widens_the_range_on_both_sides() -> None:
    """Each end is that of the sensor which may be further off."""
    gpu = replace(domain("gpu:0"), accuracy=Accuracy(0.0, 0.1))
    rank = part(0, {gpu: 5_000_000})
    model = SensorBeat(None, "dead", SECOND, "modelled", 0.2, "model")
    record = record_of([replace(rank, beat=replace(rank.beat, sensors=(model,)))])
    (told,) = record.energy.domains

    assert (4.0, 6.0) == (told.low_joules, told.high_joules)
