"""What holds for every clock; see :class:`lightning_carbon.ports.Clock`."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from lightning_carbon.ports import Clock
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.testing import ManualClock


@dataclass
class Subject:
    """A clock under test, and how time passes on it."""

    clock: Clock
    go_on: Callable[[], object]


def _manual() -> Subject:
    clock = ManualClock(start_ns=5)
    return Subject(clock, lambda: clock.advance(nanoseconds=7))


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "system": lambda: Subject(SystemClock(), lambda: sum(range(1000))),
    "manual": _manual,
}


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> Subject:
    """Each adapter in turn."""
    return SUBJECTS[request.param]()


def test_it_never_goes_back(subject: Subject) -> None:
    """Stamps rise as time passes, in whole nanoseconds."""
    stamps = []
    for _ in range(100):
        stamps.append(subject.clock.now_ns())
        subject.go_on()

    assert {int} == {type(stamp) for stamp in stamps}
    assert all(before <= after for before, after in itertools.pairwise(stamps))
    assert stamps[0] < stamps[-1]


def test_its_wall_clock_counts_from_1970(subject: Subject) -> None:
    """Moments are seconds since 1970, and later than this package."""
    assert isinstance(subject.clock, Clock)
    assert 1_760_000_000 < subject.clock.wall_seconds() < 10_000_000_000
