"""One sum over ranks: every part is added, once, rows are differences, and what is missing shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.pue import pue_of
from lightning_carbon.metering.sums import NOTHING, Hardware, Sums, height_of, row_between, sums_of
from lightning_carbon.records.journal import RankPart
from lightning_carbon.records.power_profile import Height, Strand
from lightning_carbon.records.rows import METRICS, Row, Scope
from lightning_carbon.records.run import Status
from tests.unit.records.parts import SECOND, domain, part, parts

GPU_0, GPU_1, GPU_2 = (domain(f"gpu:{index}") for index in range(3))


def mine(uj: int = 100, seconds: int = 10) -> RankPart:
    """The own part."""
    return part(0, {GPU_0: uj}, seconds=seconds)


def row(now: Sums, before: Sums = NOTHING, heard_of: float = 1.0) -> Row:
    """The row between two sums."""
    return row_between(before, now, pue=pue_of(1.0), intensity=intensity_of("SE"), heard_of=heard_of)


def test_hardware_is_added_once() -> None:
    """Not what this rank meters itself, and of what two others share, the lower one's."""
    others = [part(1, {GPU_1: 40}), part(2, {GPU_0: 7, GPU_1: 50}), part(3, {GPU_0: 5}, host="node-1")]
    whole = sums_of([mine(), *others])

    assert (145, {"gpu": 145}, {"train": 145}) == (whole.total, whole.kinds, whole.phases)
    assert pytest.approx(1.0) == row(whole).coverage_ratio


def test_a_domain_within_that_of_another_rank_is_not_added() -> None:
    """The processors of a machine lie within its plug, whichever rank meters either."""
    psys, package = domain("psys:0"), domain("package:0", parent="psys:0")
    whole = sums_of([part(0, {psys: 100}), part(1, {package: 60})])

    assert (100, {"psys": 100, "package": 60}) == (whole.total, whole.kinds)


def test_a_parent_that_stands_still_counts_no_more_once_its_parts_have_passed_it() -> None:
    """A row before and one after that add up to the greater of both, and no row takes anything back."""
    psys, package = domain("psys:0"), domain("package:0", parent="psys:0")
    first, second = sums_of([part(0, {psys: 100, package: 60})]), sums_of([part(0, {psys: 100, package: 160})])
    rows = [row(first), row(second, first)]

    assert [100, 160] == [first.total, second.total]
    assert [0.0001, 0.00006] == [pytest.approx(cut.total_joules) for cut in rows]


@given(parts())
def test_hardware_that_is_kept_changes_no_sum(ranks: list[RankPart]) -> None:
    """Sums are the same with the hardware of the ranks made once and with that made for every sum."""
    hardware = Hardware([rank.header for rank in ranks])

    assert sums_of(ranks) == sums_of(ranks, (), hardware)


def test_hardware_is_that_of_the_very_ranks() -> None:
    """A further rank, or one that has written another header, needs it made anew; a later beat does not."""
    first, second = part(0, {GPU_0: 100}), part(1, {GPU_1: 40})
    hardware = Hardware([first.header])

    assert hardware.is_of([RankPart(first.header, second.beat)])
    assert not hardware.is_of([first, second])
    assert not hardware.is_of([second])


@given(parts(), parts())
def test_rows_add_up_to_the_run(earlier: list[RankPart], later: list[RankPart]) -> None:
    """However a run is cut, its rows are the differences of the same sums: nothing is lost or counted twice."""
    first, last = sums_of(earlier), sums_of([*earlier, *later[len(earlier) :]])
    rows = [row(first), row(last, first), row(last, last)]

    assert last.total / 1e6 == pytest.approx(sum(cut.total_joules or 0.0 for cut in rows), abs=1e-6)
    assert last.steps == sum(cut.steps for cut in rows)


def test_rows_of_others_add_up_to_what_they_wrote() -> None:
    """Each row has what came since the row before."""
    first = sums_of([mine(100, 10), part(1, {GPU_1: 40}, seconds=3)])
    second = sums_of([mine(200, 20), part(1, {GPU_1: 90}, seconds=8)])
    cut = row(second, first)

    assert cut.total_joules == pytest.approx(150e-6)
    assert cut.phase_joules == pytest.approx({"train": 150e-6})
    assert (10.0, 1.0) == (cut.seconds, cut.coverage_ratio)


def test_a_rank_that_writes_late_is_held_to_what_it_wrote_of() -> None:
    """Ranks write once a second at times of their own; that alone is no gap."""
    assert pytest.approx(1.0) == row(sums_of([mine(), part(1, {GPU_1: 1}, seconds=4)])).coverage_ratio
    assert pytest.approx(13 / 14) == row(sums_of([mine(), part(1, {GPU_1: 1}, seconds=4, covered=3)])).coverage_ratio


def test_a_silent_rank_lowers_the_coverage() -> None:
    """Its GPU goes on using energy that nobody reads; one that has ended does not."""
    other = part(1, {GPU_1: 40})
    before = sums_of([mine(100, 10), other])

    assert pytest.approx(1.0) == row(sums_of([mine(200, 20), other]), before).coverage_ratio
    assert pytest.approx(0.5) == row(sums_of([mine(200, 20), other], silent={1}), before).coverage_ratio


def test_ranks_that_never_wrote_lower_the_coverage() -> None:
    """What they meter is not known, so they count like those that are."""
    assert pytest.approx(0.25) == row(sums_of([mine()]), heard_of=0.25).coverage_ratio


def test_an_ended_rank_counts_as_it_ended() -> None:
    """With all that it used."""
    assert 140 == sums_of([mine(), part(1, {GPU_1: 40}, status=Status.COMPLETED)]).total


def test_a_row_of_no_time_has_no_energy() -> None:
    """Where nothing has been settled since the row before, energy and coverage are absent, not 0 and 1."""
    whole = sums_of([mine()])
    cut = row(whole, whole)

    assert (None, None, None, {}) == (cut.total_joules, cut.coverage_ratio, cut.grams_co2e, cut.kind_joules)
    assert cut.run_joules == pytest.approx(100e-6)
    assert {"gpu": 100e-6} == pytest.approx(cut.run_kind_joules)
    assert {metric.name for metric in METRICS if metric.scope is Scope.RUN} >= cut.as_metrics().keys()


def test_before_anything_is_settled_the_run_has_no_energy() -> None:
    """A run that no reading tells of yet is not a run of 0 J."""
    cut = row(sums_of([mine(0, 0)]))

    assert (None, None, None, None) == (cut.total_joules, cut.run_joules, cut.run_grams_co2e, cut.coverage_ratio)
    assert {} == cut.as_metrics()


def test_what_others_used_in_no_time_of_this_rank_is_in_the_row() -> None:
    """Another rank's beat may come between two rows that this rank has settled nothing between."""
    before = sums_of([mine(), part(1, {GPU_1: 40}, seconds=3)])
    cut = row(sums_of([mine(), part(1, {GPU_1: 90}, seconds=8)]), before)

    assert cut.total_joules == pytest.approx(50e-6)


def test_samples_are_those_since_the_row_before() -> None:
    """Of all ranks together; absent where nobody told."""
    before = sums_of([part(0, {GPU_0: 1}, samples=8), part(1, {GPU_1: 1})])
    now = sums_of([part(0, {GPU_0: 1}, seconds=11, samples=12), part(1, {GPU_1: 1}, samples=4)])

    assert (8, None) == (row(now, before).samples, row(now, before).tokens)
    assert row(now, now).samples is None


def test_the_power_profile_counts_hardware_once_and_by_how_it_is_known() -> None:
    """Of a domain and one within it, the outer; measured apart from modelled; whatever this rank meters is left out."""
    package, dram = domain("package:0", provenance="modelled"), domain("dram:0", parent="package:0")
    others = [part(1, {GPU_0: 3, GPU_1: 40, package: 6, dram: 2}, seconds=4), part(2, {GPU_2: 50}, seconds=6)]
    height = height_of(others, without=[mine()])
    gpu, cpu = Strand("gpu", is_modelled=False), Strand("package", is_modelled=True)

    assert Height(5 * SECOND, {gpu: 90, cpu: 6}, {gpu: 10 * SECOND, cpu: 4 * SECOND}, {"train": 4 * SECOND}) == height


def test_the_power_profile_goes_by_the_clocks_of_those_that_write() -> None:
    """A rank that fell silent holds nobody else's time back; with nobody left, or no hardware, there is no moment."""
    others = [part(1, {GPU_1: 40}, seconds=4), part(2, {GPU_2: 50}, seconds=6)]

    assert 6 * SECOND == height_of(others, without=[mine()], silent={1}).ns
    assert 0 == height_of(others, without=[mine()], silent={1, 2}).ns
    assert 0 == height_of([part(1, {GPU_0: 40})], without=[mine()]).ns


def test_a_rank_without_sensors_has_time() -> None:
    """The phases of the own rank are known where its power is not."""
    assert Height(10 * SECOND, {}, {}, {"train": 10 * SECOND}) == height_of([part(0, {})])


def test_a_row_has_the_range_of_its_own_length() -> None:
    """A sensor that may be wrong for a second: all of a row of one second, a tenth of one of ten."""
    gpu = replace(domain("gpu:0"), accuracy=Accuracy(0.0, 0.5, blur_seconds=1.0))
    first, second = sums_of([part(0, {gpu: 1000}, seconds=1)]), sums_of([part(0, {gpu: 11_000}, seconds=11)])
    rows = [row(first), row(second, first)]

    assert [(0.0, 0.0025), (0.009, 0.016)] == [(cut.low_joules, cut.high_joules) for cut in rows]


def test_a_row_of_sensors_with_a_half_width_has_it_both_ways() -> None:
    """±5 %, and nothing where nothing is known."""
    cut = row(sums_of([mine(1000)]))

    assert (0.00095, 0.00105) == (cut.low_joules, cut.high_joules)
    assert (None, None) == (row(NOTHING).low_joules, row(NOTHING).high_joules)
