"""The arithmetic of processor time, without a processor."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import SourceLost
from lightning_carbon.sources.host.cpu_share import CpuShare
from lightning_carbon.sources.shares import Split


class World:
    """A job on a machine with four threads; every look is due, a tenth of a second after the last."""

    def __init__(self) -> None:
        self.job = 100.0
        self.busy = 5_000.0
        self.now = 0.0
        self.gone = False
        self.share = CpuShare(self.job_seconds, lambda: self.busy, 4, now_seconds=lambda: self.now)

    def job_seconds(self) -> float:
        """The job's time, as long as there is a job."""
        if self.gone:
            raise ProcessLookupError("process 1 and its descendants are gone")
        return self.job

    def go_on(self, job: float, busy: float, seconds: float = 1.0) -> Split:
        """Let so much be spent, and look."""
        self.job += job
        self.busy += busy
        self.now += seconds + 60  # a look may be put off by what the last one cost
        return self.share.read()


def test_time_counts_from_the_beginning_of_the_meter() -> None:
    """What was spent before does not count."""
    world = World()

    assert Split(0, 0) == world.share.read()
    assert Split(250_000, 1_000_000) == world.go_on(0.25, 1.0)


def test_time_seen_late_is_charged_later_and_never_more_than_all() -> None:
    """A worker that is found after its time was spent takes all of the next intervals until that is made up for."""
    world = World()
    splits = [world.go_on(0, 2.0), world.go_on(3.0, 2.0), world.go_on(0, 2.0), world.go_on(0, 2.0)]

    assert [0, 2_000_000, 3_000_000, 3_000_000] == [split.part for split in splits]


def test_time_cannot_be_late_without_end() -> None:
    """A count that disagrees with the machine's for long does not claim the rest of the day."""
    world = World()
    world.go_on(1e6, 1.0)
    split = world.go_on(0, 3_600)

    assert split.part < 60_000_000


def test_an_idle_second_is_charged_to_nobody() -> None:
    """Where no processor was busy the interval ends, without a part of ours."""
    world = World()
    world.go_on(1.0, 1.0)
    part, whole = world.go_on(0, 0)

    assert (1_000_000, 1_000_001) == (part, whole)


def test_a_job_that_is_gone_is_a_lost_source() -> None:
    """Its share does not stand still for ever."""
    world = World()
    world.gone = True
    with pytest.raises(SourceLost, match="are gone"):
        world.go_on(0, 1)


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(-1, 100), st.floats(0, 5)),
        min_size=1,
        max_size=30,
    )
)
def test_the_part_rises_within_the_whole(steps: list[tuple[float, float, float]]) -> None:
    """Whatever the two clocks say, neither count falls, and the part never rises by more than the whole."""
    world = World()
    splits = [world.share.read(), *(world.go_on(*step) for step in steps)]

    assert all(0 <= b.part - a.part <= b.whole - a.whole for a, b in pairwise(splits))


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=30))
def test_two_jobs_that_make_up_the_machine_share_all_of_it(steps: list[tuple[int, int]]) -> None:
    """Where every busy moment is the one's or the other's, so is every interval."""
    first, second = World(), World()
    total = 0
    for mine, its in steps:
        total += mine + its
        parts = first.go_on(mine, mine + its).part, second.go_on(its, mine + its).part

        assert total * 1_000_000 == sum(parts)
