"""Shares of a counter: what holds whoever shares it and however it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.sources.shares import SharedCounter, SharedGauge, Split
from lightning_carbon.testing import ManualClock, ScriptedGauge
from lightning_carbon.units import Energy

RANGE = Energy(10_000_000)


@dataclass
class Counter:
    """A counter that is set by hand."""

    wraps_at: Energy | None = None
    count: int = 0
    fails: bool = False

    @property
    def sensor(self) -> Sensor:
        """It is a package's."""
        domain = Domain(Kind.PACKAGE, "package:0", "CPU")
        return Sensor(domain, Provenance.COUNTER, 0.06, "by hand", self.wraps_at)

    def read_energy(self) -> Energy:
        """The count."""
        if self.fails:
            raise ReadFailed("as asked")
        return Energy(self.count % self.wraps_at.microjoules if self.wraps_at else self.count)


@dataclass
class Splitting:
    """A splitting that is set by hand."""

    part: int = 0
    whole: int = 0

    def read(self) -> Split:
        """What was set."""
        return Split(self.part, self.whole)


@dataclass
class Group:
    """A group of processes with its share of a counter."""

    counter: Counter
    splitting: Splitting = field(default_factory=Splitting)

    def __post_init__(self) -> None:
        self.shared = SharedCounter(self.counter, self.splitting, self.counter.sensor)
        self.energy = self.shared.read_energy()

    def did(self, part: int, whole: int) -> None:
        """Let it do so much of so much."""
        self.splitting.part += part
        self.splitting.whole += whole

    def read(self) -> int:
        """Microjoules charged up to now."""
        self.energy = self.shared.read_energy()
        return self.energy.microjoules


intervals = st.lists(
    st.tuples(st.integers(0, 4_000_000), st.lists(st.integers(0, 10**6), min_size=3, max_size=3), st.booleans()),
    min_size=1,
    max_size=40,
)
"""Microjoules, work of each of three groups, and whether the groups look at the end of it."""


@given(intervals=intervals, foreign=st.integers(0, 10**6), start=st.integers(0, 10**13))
def test_shares_of_all_never_add_up_to_more_than_the_counter(
    intervals: list[tuple[int, list[int], bool]], foreign: int, start: int
) -> None:
    """However unevenly the work falls, and with work of others beside it, no microjoule is charged twice."""
    counter = Counter(wraps_at=RANGE, count=start)
    groups = [Group(counter) for _ in range(3)]
    for microjoules, work, looks in intervals:
        counter.count += microjoules
        for group, part in zip(groups, work, strict=True):
            group.did(part, sum(work) + foreign)
        # The counter's range must not be missed, so that somebody looks at times that the draw chooses, and often.
        if looks or microjoules > 1_000_000:
            total = sum(group.read() for group in groups)

            assert total <= counter.count - start
    counter_rise = counter.count - start

    assert sum(group.energy.microjoules for group in groups) <= counter_rise


@given(intervals=intervals)
def test_when_all_work_is_the_groups_all_energy_is_charged(intervals: list[tuple[int, list[int], bool]]) -> None:
    """Groups that share a package with nobody else are charged the whole of it, to the microjoule each."""
    counter = Counter()
    groups = [Group(counter) for _ in range(3)]
    for microjoules, work, _ in intervals:
        counter.count += microjoules
        for group, part in zip(groups, work, strict=True):
            group.did(part, sum(work))
        for group in groups:
            group.read()
    for group in groups:  # what is left over from intervals in which nobody did anything
        group.did(1, 3)
    total = sum(group.read() for group in groups)

    assert counter.count - len(groups) <= total <= counter.count


@given(intervals=intervals)
def test_a_group_alone_is_charged_exactly_the_counter(intervals: list[tuple[int, list[int], bool]]) -> None:
    """A share of one is the counter itself, whenever it is read."""
    counter = Counter(count=77)
    group = Group(counter)
    for microjoules, work, looks in intervals:
        counter.count += microjoules
        group.did(1 + sum(work), 1 + sum(work))

        assert not looks or counter.count - 77 == group.read()

    assert counter.count - 77 == group.read()


@given(intervals=intervals)
def test_what_is_charged_never_falls_nor_outruns_the_counter(intervals: list[tuple[int, list[int], bool]]) -> None:
    """Between any two readings it rises by no more than the counter did since the last interval was settled."""
    counter = Counter()
    group = Group(counter)
    for microjoules, work, _ in intervals:
        counter.count += microjoules
        before = group.energy.microjoules
        # More than all of an interval is all of it.
        group.did(sum(work), work[0])
        after = group.read()

        assert before <= after <= counter.count


def test_every_interval_goes_by_its_own_share() -> None:
    """Who did all of a cheap interval and nothing of a dear one pays for the cheap one."""
    counter = Counter()
    group = Group(counter)
    charged = []
    for microjoules, part in ((1_000, 4), (9_000, 0), (2_000, 2)):
        counter.count += microjoules
        group.did(part, 4)
        charged.append(group.read())

    assert [1_000, 1_000, 2_000] == charged


def test_late_readings_lose_nothing() -> None:
    """Intervals that nobody looked at are charged together, by the work in all of them."""
    counter = Counter()
    group = Group(counter)
    for _ in range(5):
        counter.count += 1_000
        group.did(1, 4)

    assert 1_250 == group.read()


def test_energy_waits_until_it_is_known_whose_it_is() -> None:
    """As long as nothing tells how an interval was shared, it is charged to nobody, and then by what tells."""
    counter = Counter()
    group = Group(counter)
    counter.count += 1_000
    waiting = group.read()
    counter.count += 1_000
    group.did(1, 2)

    assert [0, 1_000] == [waiting, group.read()]


def test_a_failed_reading_is_made_up_for() -> None:
    """The port's errors pass through, and the next reading charges what went on meanwhile."""
    counter = Counter()
    group = Group(counter)
    counter.count += 500
    counter.fails = True
    group.did(1, 1)
    with pytest.raises(ReadFailed):
        group.read()
    counter.fails = False
    counter.count += 500

    assert 1_000 == group.read()


@pytest.mark.parametrize(
    ("counts", "wraps_at", "expected"),
    [
        ([10, 25], None, 15),
        ([10, 10], RANGE, 0),
        ([9_999_990, 5], RANGE, 15),  # wrapped
        ([90, 95, 3, 5, 99], None, 9),  # a glitch
        ([6_000_000, 6_000_010, *range(2_000_000, 2_000_130, 10)], RANGE, 130),  # reset: more than half of the range
        ([90, 95, 10**12, 100], None, 10),  # a spike
    ],
)
def test_what_a_counter_cannot_have_counted_is_charged_to_nobody(
    counts: list[int], wraps_at: Energy | None, expected: int
) -> None:
    """By the rules of the timeline: a wrap is made good, glitches and resets add nothing."""
    clock, counter, splitting = ManualClock(), Counter(wraps_at, counts[0]), Splitting()
    shared = SharedCounter(counter, splitting, counter.sensor, now_ns=clock.now_ns)
    charged = shared.read_energy()
    for count in counts[1:]:
        clock.advance(seconds=0.1)
        counter.count = count
        splitting.part, splitting.whole = splitting.part + 1, splitting.whole + 1
        charged = shared.read_energy()

    assert expected == charged.microjoules


def test_a_share_of_a_counter_that_runs_backwards_is_lost() -> None:
    """The share of no counter is no counter."""
    clock, counter = ManualClock(), Counter(count=10**9)
    shared = SharedCounter(counter, Splitting(), counter.sensor, now_ns=clock.now_ns)
    with pytest.raises(SourceLost, match="runs backwards"):  # noqa: PT012 - it takes its time
        for _ in range(30):
            shared.read_energy()
            clock.advance(seconds=0.1)
            counter.count -= 1_000


def test_a_gauge_is_shared_by_the_last_interval() -> None:
    """The first share is given, and each interval that ends brings the next."""
    clock = ManualClock()
    gauge = ScriptedGauge(clock, watts=lambda _seconds: 300.0)
    splitting = Splitting(7, 9)
    shared = SharedGauge(gauge, splitting, gauge.sensor, first=Split(1, 2))
    shown = [shared.read_power().watts]
    splitting.part, splitting.whole = 8, 12
    shown += [shared.read_power().watts, shared.read_power().watts]
    splitting.part, splitting.whole = 9, 13
    shown.append(shared.read_power().watts)

    assert [150.0, 100.0, 100.0, 300.0] == pytest.approx(shown)


def test_a_gauge_that_nobody_uses_is_charged_to_nobody() -> None:
    """A share of nothing is nothing."""
    gauge = ScriptedGauge(ManualClock(), watts=lambda _seconds: 300.0)

    assert 0.0 == SharedGauge(gauge, Splitting(), gauge.sensor, first=Split(0, 0)).read_power().watts
