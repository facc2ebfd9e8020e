"""The course of the modules between two marks of a step, learned from sampled steps and laid into others. Pure.

Only sampled steps have boundaries of modules. All steps have marks: where they begin, and where their forward and
backward passes do. Between the same two marks, modules run at about the same shares of the time. At each such share it
is known how much of the time of each module has passed in a sampled step on average. So a stretch that ends at about
the time where one module follows another has something of both, as it would on average: boundaries at the mean times
would have the powers of neighbours mixed.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.module_passes import Origin
from lightning_carbon.energy.module_ticks import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lightning_carbon.energy.module_passes import Activity

BINS: Final = 128
"""The number of parts of equal length into which the time between two marks is divided."""


class StepShapes:
    """The courses of modules so far, each after a mark that tells a certain activity, first in a step or later."""

    def __init__(self) -> None:
        self._learned: dict[tuple[Activity, Origin], dict[Activity, list[float]]] = {}
        self._courses: dict[tuple[Activity, Origin], Mapping[Activity, Sequence[float]]] = {}

    def learn(self, spans: Sequence[Span]) -> None:
        """Learn from the spans of sampled steps."""
        inner = iter(spans)
        for mark in marks_of(spans):
            self._courses.pop((mark.activity, mark.origin), None)
            course = self._learned.setdefault((mark.activity, mark.origin), {})
            whole_ns = mark.until_ns - mark.start_ns
            until_ns = mark.start_ns
            while until_ns < mark.until_ns:
                span = next(inner)
                until_ns = span.until_ns
                parts = course.setdefault(span.activity, [0.0] * BINS)
                first = BINS * (span.start_ns - mark.start_ns) / whole_ns
                last = BINS * (until_ns - mark.start_ns) / whole_ns
                for place in range(int(first), min(int(last) + 1, BINS)):
                    parts[place] += max(0.0, min(last, place + 1.0) - max(first, float(place)))

    def between(self, mark: Span, from_ns: int, to_ns: int) -> Iterator[tuple[Activity, float]]:
        """How long modules last between two moments, on average; nothing where no sampled step tells.

        Args:
            mark: The time from a mark to the next.
            from_ns: The one moment, within that time.
            to_ns: The other.
        """
        whole_ns = mark.until_ns - mark.start_ns
        first, last = BINS * (from_ns - mark.start_ns) / whole_ns, BINS * (to_ns - mark.start_ns) / whole_ns
        for activity, passed in self._course((mark.activity, mark.origin)).items():
            yield activity, (_at(passed, last) - _at(passed, first)) * whole_ns

    def _course(self, mark: tuple[Activity, Origin]) -> Mapping[Activity, Sequence[float]]:
        """The share of the time that each activity has had, up to the end of each part."""
        if mark not in self._courses:
            learned = self._learned.get(mark, {})
            whole = sum(map(sum, learned.values()))
            self._courses[mark] = {
                activity: [0.0, *accumulate(part / whole for part in parts)] for activity, parts in learned.items()
            }
        return self._courses[mark]


def _at(passed: Sequence[float], place: float) -> float:
    before = min(int(place), BINS - 1)
    return passed[before] + (place - before) * (passed[before + 1] - passed[before])


def marks_of(spans: Sequence[Span]) -> list[Span]:
    """The spans from each mark to the next that tells something else, without those that have no length.

    Args:
        spans: The spans between all boundaries; the first counts as a mark.
    """
    marks: list[Span] = []
    for span in spans:
        is_known = marks and (span.origin is Origin.MODULE or span.activity == marks[-1].activity)
        if span.origin is Origin.STEP or not is_known:
            marks.append(span)
    ends = [*(mark.start_ns for mark in marks[1:]), *(span.until_ns for span in spans[-1:])]
    return [mark._replace(until_ns=end_ns) for mark, end_ns in zip(marks, ends, strict=True) if end_ns > mark.start_ns]
