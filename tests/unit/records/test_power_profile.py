"""The power profile of a run: few points, no joule lost, and nothing shown that is not known."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.records.power_profile import (
    START,
    Band,
    Height,
    Heights,
    PowerProfile,
    Strand,
    Stretch,
    power_profile_of,
)

SECOND = 1_000_000_000
GPU, CPU = Strand("gpu", is_modelled=False), Strand("package", is_modelled=True)

rises = st.lists(
    st.tuples(st.integers(1, 10 * SECOND), st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=200
)
"""Nanoseconds, and the microjoules of two strands in them."""


def heights(steps: list[tuple[int, int, int]]) -> list[Height]:
    """What a run of these steps has used after each."""
    made = [START]
    for span_ns, gpu_uj, cpu_uj in steps:
        last = made[-1]
        ns = last.ns + span_ns
        rise = {GPU: last.microjoules.get(GPU, 0) + gpu_uj, CPU: last.microjoules.get(CPU, 0) + cpu_uj}
        made.append(Height(ns, rise, dict.fromkeys(rise, ns), {"train": ns}))
    return made


def steady(seconds: int, watts: int = 100, strand: Strand = GPU) -> Height:
    """A second's height of constant power."""
    return Height(
        seconds * SECOND, {strand: seconds * watts * 1_000_000}, {strand: seconds * SECOND}, {"train": seconds * SECOND}
    )


def joules(profile: PowerProfile, strand: Strand) -> float:
    """The area under a strand."""
    return sum(
        stretch.watts.get(strand, 0.0) * (stretch.end_seconds - stretch.start_seconds) for stretch in profile.stretches
    )


@given(rises, st.integers(4, 20))
def test_dropping_heights_loses_no_joule(steps: list[tuple[int, int, int]], most: int) -> None:
    """However few points are left of a run, what lies under them is what it used."""
    thinned = Heights(most)
    every = heights(steps)
    for height in every:
        thinned.note(height)
    profile = power_profile_of(thinned.all())

    assert len(thinned.all()) <= most + 1
    assert every[-1] == thinned.all()[-1]
    for strand in (GPU, CPU):
        assert every[-1].microjoules[strand] / 1e6 == pytest.approx(joules(profile, strand), abs=1e-3, rel=1e-9)
    assert every[-1].ns / SECOND == pytest.approx(sum(stretch.phase_seconds["train"] for stretch in profile.stretches))


@given(rises)
def test_stretches_follow_each_other(steps: list[tuple[int, int, int]]) -> None:
    """Without a gap, and none shorter than asked for, save where the run is."""
    profile = power_profile_of(heights(steps), shortest=2.0)
    ends = [(stretch.start_seconds, stretch.end_seconds) for stretch in profile.stretches]

    assert 0.0 == ends[0][0]
    assert all(before[1] == after[0] for before, after in pairwise(ends))
    assert len(ends) == 1 or all(end - start >= 2.0 - 1e-9 for start, end in ends)


def test_a_month_has_as_many_points_as_an_hour() -> None:
    """Two heights a second are noted for a month, and a few hundred are left, about as far from each other."""
    kept = Heights()
    for second in range(1, 30 * 24 * 3_600, 7):
        if kept.wants(second * SECOND):
            kept.note(steady(second))
    apart = [after.ns - before.ns for before, after in pairwise(kept.all())]

    assert 150 < len(apart) < 400
    assert max(apart) < 3 * min(apart[:-1])


def test_what_comes_late_is_passed_over() -> None:
    """A height of before the last changes nothing."""
    kept = Heights()
    kept.note(steady(2))
    kept.note(steady(1))

    assert [START, steady(2)] == kept.all()


def test_time_without_readings_has_no_power() -> None:
    """A sensor that was lost shows nothing from there on, not zero."""
    lost = Height(2 * SECOND, {GPU: 100_000_000, CPU: 0}, {GPU: SECOND, CPU: 2 * SECOND}, {"train": 2 * SECOND})
    profile = power_profile_of([START, steady(1), lost])

    assert [{GPU: 100.0}, {CPU: 0.0}] == [stretch.watts for stretch in profile.stretches]
    assert (GPU, CPU) == profile.strands


def test_the_power_of_all_ranks_is_added() -> None:
    """At moments of the one rank, on the lines between what the others wrote."""
    own = [START, *(steady(second) for second in range(1, 10))]
    others = [START, steady(3, 700), steady(9, 700)]

    assert pytest.approx([800.0] * 9) == [stretch.watts[GPU] for stretch in power_profile_of(own, others).stretches]


def test_the_course_ends_where_the_others_last_wrote() -> None:
    """A part of the power is not shown for the whole; who died long before the end is left out from there on."""
    own = [START, *(steady(second) for second in range(1, 10))]

    assert pytest.approx([800.0] * 7) == [
        stretch.watts[GPU] for stretch in power_profile_of(own, [START, steady(7, 700)]).stretches
    ]
    assert [800.0] * 3 + [100.0] * 6 == [
        stretch.watts[GPU] for stretch in power_profile_of(own, [START, steady(3, 700)]).stretches
    ]


def test_phases_follow_in_the_likely_order() -> None:
    """Within a stretch, what was going on goes on, and the others come as trainings have them."""
    profile = PowerProfile(
        (
            Stretch(0.0, 1.0, {}, {"train": 0.25, "setup": 0.75}),
            Stretch(1.0, 2.0, {}, {"train": 1.0}),
            Stretch(2.0, 3.0, {}, {"checkpoint": 0.25, "validate": 0.5, "train": 0.25}),
            Stretch(3.0, 4.0, {}, {"train": 0.5, "checkpoint": 0.5}),
        )
    )

    assert (
        Band(0.0, 0.75, "setup"),
        Band(0.75, 2.25, "train"),
        Band(2.25, 2.75, "validate"),
        Band(2.75, 3.5, "checkpoint"),
        Band(3.5, 4.0, "train"),
    ) == profile.bands


def test_a_run_that_has_not_begun_has_no_profile() -> None:
    """Nothing is known, so nothing is shown."""
    profile = power_profile_of([START])

    assert ((), (), ()) == (profile.stretches, profile.strands, profile.bands)
