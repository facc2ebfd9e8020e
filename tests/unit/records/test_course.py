"""The course of a run in plain form: what is written is read, and what does not fit is refused."""

from __future__ import annotations

from typing import Any

import pytest

from lightning_carbon.errors import NewerSchema, RecordError
from lightning_carbon.records.course import NO_COURSE, Course, MetricPoint, course_mapping, course_of
from lightning_carbon.records.power_profile import PowerProfile, Strand, Stretch

GPU, HOST = Strand("gpu", is_modelled=False), Strand("package", is_modelled=True)
FIRST = Stretch(0.0, 1.5, {GPU: 100.0}, {"setup": 1.0, "train": 0.5})
SECOND = Stretch(1.5, 3.0, {GPU: 250.125, HOST: 20.0}, {"train": 1.5})
COURSE = Course(PowerProfile((FIRST, SECOND)), {"loss": (MetricPoint(1, 150.0, 2.5), MetricPoint(2, 500.0, -0.5))})


def changed(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a file may hold
    """The plain form of a course, changed."""
    return {**course_mapping(COURSE), **changes}


@pytest.mark.parametrize("course", [COURSE, NO_COURSE], ids=["a course", "nothing"])
def test_what_is_written_is_read(course: Course) -> None:
    """Power, phases and metrics come back as they were."""
    assert course == course_of(course_mapping(course))


def test_a_later_profile_goes_on_where_the_course_ends() -> None:
    """No time is shown twice."""
    later = PowerProfile((SECOND, Stretch(3.0, 4.0, {GPU: 90.0}, {"train": 1.0})))

    assert [0.0, 1.5, 3.0] == [stretch.start_seconds for stretch in COURSE.followed_by(later).profile.stretches]
    assert later.stretches == NO_COURSE.followed_by(later).profile.stretches


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        changed(strands=[{"kind": "fairy", "is_modelled": False}]),
        changed(strands=[{"kind": "machine", "is_modelled": False}]),
        changed(stretches=[{"start": 2.0, "end": 1.0, "watts": [], "phases": []}]),
        changed(stretches=[{"start": 0.0, "end": 2.0, "watts": [], "phases": []}] * 2),
        changed(phases=[1]),
        changed(stretches=[{"start": 0.0, "end": "x", "watts": [], "phases": []}]),
        changed(stretches=[{"start": 0.0, "end": 1.0, "watts": ["x"], "phases": []}]),
        changed(metrics={"loss": [[1, 2, "x"]]}),
        changed(metrics={"loss": [[-1, 2, 3]]}),
        changed(metrics={"loss": [7]}),
    ],
)
def test_what_is_no_course_is_refused(values: object) -> None:
    """The error names what was expected."""
    with pytest.raises(RecordError, match="not the course of a run"):
        course_of(values)


def test_a_newer_course_asks_for_an_upgrade() -> None:
    """A later version wrote it."""
    with pytest.raises(NewerSchema, match="upgrade"):
        course_of(changed(schema=99))
