"""Rows of several ranks: what others have written is added, once, and what is missing shows."""

from __future__ import annotations

from dataclasses import replace

from lightning_carbon.energy.attribution import Tally
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.pue import pue_of
from lightning_carbon.metering.sums import Sums, others_height, others_sums, row_of
from lightning_carbon.records.power_profile import Height, Strand
from lightning_carbon.records.run import Status
from tests.unit.records.parts import SECOND, domain, part

GPU_0, GPU_1, GPU_2 = (domain(f"gpu:{index}") for index in range(3))
MINE = Sums({"gpu": 100}, 100, covered=10 * SECOND, roots=1, expected=10 * SECOND, phases={"train": 100})
HERE = "node-0:boot"


def coverage(since: Sums, heard_of: float = 1.0) -> float | None:
    """The coverage of a row of 10 s."""
    tally = Tally(0, 10 * SECOND)
    return row_of(tally, since, since, pue=pue_of(1.0), intensity=intensity_of("SE"), heard_of=heard_of).coverage_ratio


def test_hardware_of_others_is_added_once() -> None:
    """Not what this rank meters itself, and of what two others share, the lower one's."""
    others = [part(2, {GPU_0: 7, GPU_1: 50}), part(1, {GPU_1: 40}), part(3, {GPU_0: 5}, host="node-1")]
    whole = MINE.plus(others_sums(others, HERE, [GPU_0]))

    assert (145, {"gpu": 145}, {"train": 145}) == (whole.total, whole.kinds, whole.phases)
    assert 1.0 == coverage(whole)


def test_rows_of_others_add_up_to_what_they_wrote() -> None:
    """Each row has what came since the row before; what was known then is taken off again."""
    first = others_sums([part(1, {GPU_1: 40}, seconds=3)], HERE, [GPU_0])
    second = others_sums([part(1, {GPU_1: 90}, seconds=8)], HERE, [GPU_0])
    row = MINE.plus(second).plus(first, -1)

    assert (150, {"train": 150}) == (row.total, row.phases)
    assert 1.0 == coverage(row)


def test_a_rank_that_writes_late_is_held_to_what_it_wrote_of() -> None:
    """Ranks write once a second at times of their own; that alone is no gap."""
    assert 1.0 == coverage(MINE.plus(others_sums([part(1, {GPU_1: 1}, seconds=4)], HERE, [GPU_0])))
    assert 13 / 14 == coverage(MINE.plus(others_sums([part(1, {GPU_1: 1}, seconds=4, covered=3)], HERE, [GPU_0])))


def test_a_silent_rank_lowers_the_coverage() -> None:
    """Its GPU goes on using energy that nobody reads; one that has ended does not."""
    one = part(1, {GPU_1: 40})
    known = others_sums([one], HERE, [GPU_0])
    silent = others_sums([one], HERE, [GPU_0], silent={1})

    assert 1.0 == coverage(MINE.plus(known).plus(known, -1))
    assert 0.5 == coverage(MINE.plus(silent).plus(known, -1))


def test_ranks_that_never_wrote_lower_the_coverage() -> None:
    """What they meter is not known, so they count like those that are."""
    assert 0.25 == coverage(MINE, heard_of=0.25)


def test_an_ended_rank_counts_as_it_ended() -> None:
    """With all that it used."""
    done = part(1, {GPU_1: 40}, status=Status.COMPLETED)
    whole = MINE.plus(others_sums([replace(done)], HERE, [GPU_0]))

    assert 140 == whole.total


def test_the_course_counts_hardware_once_and_by_how_it_is_known() -> None:
    """Of a domain and one within it, the outer; measured apart from modelled; whatever this rank meters is left out."""
    package, dram = domain("package:0", provenance="modelled"), domain("dram:0", parent="package:0")
    others = [part(1, {GPU_0: 3, GPU_1: 40, package: 6, dram: 2}, seconds=4), part(2, {GPU_2: 50}, seconds=6)]
    height = others_height(others, HERE, [GPU_0])
    gpu, cpu = Strand("gpu", is_modelled=False), Strand("package", is_modelled=True)

    assert Height(5 * SECOND, {gpu: 90, cpu: 6}, {gpu: 10 * SECOND, cpu: 4 * SECOND}, {}) == height


def test_the_course_goes_by_the_clocks_of_those_that_write() -> None:
    """A rank that fell silent holds nobody else's time back; with nobody left there is nothing to note."""
    others = [part(1, {GPU_1: 40}, seconds=4), part(2, {GPU_2: 50}, seconds=6)]
    height = others_height(others, HERE, [GPU_0], silent={1})

    assert height is not None
    assert 6 * SECOND == height.ns
    assert others_height(others, HERE, [GPU_0], silent={1, 2}) is None
    assert others_height([part(1, {GPU_0: 40})], HERE, [GPU_0]) is None
