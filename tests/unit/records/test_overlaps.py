"""Runs that metered the same hardware at the same time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.records.beside import overlap_of
from lightning_carbon.records.journal import RankPart, beat_mapping, header_mapping, part_of
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.overlaps import Counted, Overlap, counted_twice, merged
from lightning_carbon.records.run import Status
from tests.unit.records.parts import STARTED, domain, part
from tests.unit.records.samples import FULL

PACKAGE = domain("package:0")
DRAM = domain("dram:0", parent="package:0")
GPU = domain("gpu:0")
MODEL = domain("package:0", provenance="modelled")
WATTS = 10


def run(name: str, start: int, end: int, *, status: Status = Status.COMPLETED) -> RankPart:
    """A run of 10 W from one second to another."""
    rank = part(0, {PACKAGE: WATTS * (end - start) * 10**6}, seconds=end - start, run_id=name, status=status)
    header = replace(rank.header, started_at=STARTED + start)
    return RankPart(header, replace(rank.beat, at=STARTED + end))


def counted(runs: list[RankPart]) -> float:
    """What is counted twice of some runs that know of each other."""
    told = []
    for own in runs:
        found = [overlap_of(own, other) for other in runs if other is not own]
        header = own.header
        told.append(Counted(header.run_id, header.project, merged(overlap for overlap in found if overlap)))
    return counted_twice(told)


def test_the_time_and_the_hardware_that_two_runs_share_are_told() -> None:
    """The energy of that time is this run's own, and what is inside of a domain does not count beside it."""
    own = part(0, {PACKAGE: 90_000_000, DRAM: 30_000_000, GPU: 500_000_000}, seconds=10, run_id="a")
    other = part(0, {DRAM: 1, PACKAGE: 1}, seconds=20, run_id="b", project="bart")
    other = replace(other, header=replace(other.header, started_at=STARTED + 4))

    found = overlap_of(own, other)

    assert found is not None
    assert Overlap("b", "bart", ["PACKAGE:0", "DRAM:0"], 4.0, 6.0, found.joules) == found
    assert found.joules == pytest.approx(54.0)


@pytest.mark.parametrize(
    "other",
    [
        part(0, {PACKAGE: 1}, host="node-1"),
        part(0, {GPU: 1}),
        part(0, {MODEL: 1}),
        run("b", 10, 20),
        run("b", -9, 0),
        run("b", -90, 0, status=Status.RUNNING),
    ],
    ids=["another host", "other hardware", "a model", "later", "earlier", "dead"],
)
def test_runs_that_share_nothing_do_not_overlap(other: RankPart) -> None:
    """On another host, on other hardware, by a model of their own, or at another time."""
    own = run("a", 0, 10)
    if other.header.run_id == "b" and other.beat.status == Status.RUNNING:
        own = run("a", 20, 30)

    assert overlap_of(own, other) is None


def test_a_run_that_goes_on_meters_until_now() -> None:
    """Its last beat is half a second old, and it has not stopped there."""
    overlap = overlap_of(run("a", 0, 10), run("b", 2, 7, status=Status.RUNNING))

    assert overlap is not None
    assert (2.0, 8.0) == (overlap.after_seconds, overlap.seconds)


def test_ranks_that_find_the_same_run_tell_of_it_once() -> None:
    """With the energy of both, as each meters hardware of its own."""
    first, second = Overlap("b", "p", ["GPU 0"], 2.0, 3.0, 30.0), Overlap("b", "p", ["GPU 1"], 1.0, 4.0, 5.0)
    third = Overlap("a", "p", ["GPU 0"], 0.0, 1.0, 1.0)

    assert (third, Overlap("b", "p", ["GPU 0", "GPU 1"], 1.0, 4.0, 35.0)) == merged([first, second, third])


@pytest.mark.parametrize(
    ("spans", "twice"),
    [
        ([(0, 10)], 0),
        ([(0, 10), (10, 20)], 0),
        ([(0, 10), (0, 10)], 100),
        ([(0, 10), (5, 15)], 50),
        ([(0, 10), (0, 10), (0, 10)], 200),
        ([(0, 30), (0, 10), (10, 20), (20, 30)], 300),
        ([(0, 10), (10, 20), (0, 20)], 200),
    ],
)
def test_what_is_counted_twice_is_the_sum_less_what_was_there(spans: list[tuple[int, int]], twice: float) -> None:
    """Two runs at once are one too many, three are two; runs one after the other are none."""
    assert counted([run(str(number), *span) for number, span in enumerate(spans)]) == pytest.approx(twice)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), max_size=6))
def test_the_rest_is_what_the_hardware_used(drawn: list[tuple[int, int]]) -> None:
    """However runs of the same power lie, their sum less what is counted twice is the energy of the time of any."""
    spans = [(start, start + length) for start, length in drawn]
    covered = {second for start, end in spans for second in range(start, end)}
    whole = sum(WATTS * (end - start) for start, end in spans)
    twice = counted([run(f"{number:02d}", *span) for number, span in enumerate(sorted(spans))])

    assert whole - twice == pytest.approx(WATTS * len(covered))


def test_what_one_of_two_knows_is_enough() -> None:
    """Such as where the other was killed before it looked; where both know, the smaller figure counts."""
    late = Counted("b", "p", (Overlap("a", "p", ["GPU 0"], 3.0, 5.0, 50.0),))
    early = Counted("a", "p", (Overlap("b", "p", ["GPU 0"], 1.0, 5.0, 40.0),))

    assert counted_twice([Counted("a", "p", ()), late]) == pytest.approx(50.0)
    assert counted_twice([early, Counted("b", "p", ())]) == pytest.approx(40.0)
    assert counted_twice([late, early]) == pytest.approx(40.0)
    assert 0.0 == counted_twice([late])


def test_overlaps_are_in_the_journal_and_in_the_record() -> None:
    """Both are read back as they were, and the summary says what is counted elsewhere, too."""
    own = part(0, {PACKAGE: 90_000_000}, steps=2)
    own = replace(own, beat=replace(own.beat, overlaps=FULL.overlaps))
    record = record_of([own])

    assert own == part_of(header_mapping(own.header), beat_mapping(own.beat))
    assert FULL.overlaps == record.overlaps == from_mapping(to_mapping(record)).overlaps
    assert "Counted in other runs, too" in record.summary()
    assert "run 20261121T101130-77cd of project bart" in record.summary().replace("\n    ", " ")
