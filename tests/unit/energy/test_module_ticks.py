"""The stretches between news of a sensor, in sampled steps and in those that are followed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.module_passes import REST, Activity, ModulePass, Origin
from lightning_carbon.energy.module_shapes import BINS, StepShapes, marks_of
from lightning_carbon.energy.module_ticks import OUTSIDE, Span, TickSums, spans_of, ticks_of

A, B = Activity(ModulePass.FORWARD, "a"), Activity(ModulePass.BACKWARD, "b")
FORWARD = Activity(ModulePass.FORWARD)
BOUNDARIES = st.lists(
    st.tuples(st.integers(0, 50), st.sampled_from([A, B, REST]), st.sampled_from(Origin)), min_size=1, max_size=20
)


def in_a_row(parts: list[tuple[int, Activity, Origin]]) -> list[Span]:
    """Spans of given lengths, the first from a step's beginning."""
    boundaries, at_ns = [(0, REST, Origin.STEP)], 7
    for length, activity, origin in parts:
        boundaries.append((at_ns, activity, origin))
        at_ns += length
    return spans_of(boundaries, at_ns)


@given(BOUNDARIES, st.data())
def test_a_stretch_between_news_is_divided_without_a_rest(
    parts: list[tuple[int, Activity, Origin]], data: st.DataObject
) -> None:
    """The activities of each stretch, and the time outside of the window, add up to its length."""
    spans = in_a_row(parts)
    end_ns = spans[-1].until_ns
    news = sorted(data.draw(st.sets(st.integers(-30, end_ns + 30), min_size=2, max_size=8)))
    shapes = StepShapes()
    shapes.learn(spans)
    heights = [(moment, 10 * moment) for moment in news]

    for ticks in (ticks_of(spans, heights), ticks_of(marks_of(spans), heights, shapes.between)):
        for tick in ticks:
            assert tick.microjoules == pytest.approx(10 * sum(tick.nanoseconds.values()), abs=15)
            assert tick.nanoseconds.get(OUTSIDE, 0) <= sum(tick.nanoseconds.values()) / 2 + 1


@given(BOUNDARIES)
def test_marks_tile_the_steps(parts: list[tuple[int, Activity, Origin]]) -> None:
    """Each lasts until the next, and every step's beginning that lasts is one."""
    spans = in_a_row(parts)
    marks = marks_of(spans)

    assert all(before.until_ns == after.start_ns for before, after in pairwise(marks))
    assert (0, spans[-1].until_ns) == (marks[0].start_ns, marks[-1].until_ns)


@given(BOUNDARIES)
def test_what_was_learned_is_found_again(parts: list[tuple[int, Activity, Origin]]) -> None:
    """Over a whole stretch from mark to mark, a step that was learned has the times that it had."""
    spans = in_a_row([part for part in parts if part[2] is Origin.MODULE])
    shapes = StepShapes()
    shapes.learn(spans)
    [mark] = marks_of(spans)
    lasted: dict[Activity, float] = {}
    for span in spans:
        lasted[span.activity] = lasted.get(span.activity, 0) + span.until_ns - span.start_ns

    assert dict(shapes.between(mark, mark.start_ns, mark.until_ns)) == pytest.approx(lasted)


def test_a_course_is_the_mean_of_all_that_were_seen() -> None:
    """Where one module followed the other now earlier, now later, a stretch around that has of both."""
    shapes = StepShapes()
    for first in (BINS // 4, 3 * BINS // 4):
        boundaries = [(0, FORWARD, Origin.PART), (0, A, Origin.MODULE), (first, B, Origin.MODULE)]
        shapes.learn(spans_of(boundaries, BINS))
    found = dict(shapes.between(Span(0, 2 * BINS, FORWARD, Origin.PART), BINS // 2, BINS))

    assert {FORWARD: 0.0, A: BINS / 4, B: BINS / 4} == pytest.approx(found)


def test_a_step_of_a_kind_that_was_never_sampled_tells_nothing() -> None:
    """The first stretch of a step is no later stretch, and what nobody knows is outside."""
    shapes = StepShapes()
    shapes.learn([Span(0, 10, A, Origin.STEP)])

    assert [] == list(shapes.between(Span(0, 10, A, Origin.PART), 0, 10))
    assert [] == ticks_of([Span(0, 10, A, Origin.PART)], [(0, 0), (10, 9)], shapes.between)


def test_sums_have_room_for_unknowns_that_come_later() -> None:
    """A stretch without an unknown is one in which it took no time."""
    sums = TickSums()
    sums.add(10, [2.0])
    sums.add(30, [1.0, 3.0])

    assert (2, 40, 6.0) == (sums.ticks, sums.microjoules, sums.nanoseconds)
    assert [10 + 30 / 4, 30 * 3 / 4, 0.0] == pytest.approx(sums.moments(3))
    assert [[2.25], [0.75, 2.25], [0.0, 0.0, 0.0]] == sums.products(3)
    assert 10**2 / 2 + 30**2 / 4 == pytest.approx(sums.squares)
