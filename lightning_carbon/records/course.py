"""The course of a run: its power over time, and what its trainer logged against the energy so far. Pure.

It lies beside the record of a run, in plain form: a journal of a long run is begun anew now and then, and has only its
last quarter of an hour.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, NamedTuple

from lightning_carbon.energy.readings import Kind
from lightning_carbon.records.fields import (
    MOST,
    Misfit,
    at,
    by_name,
    check_schema,
    choice,
    each,
    flag,
    mapping,
    number,
    reading,
    text,
    whole,
)
from lightning_carbon.records.power_profile import PowerProfile, Strand, Stretch
from lightning_carbon.values import dataclass, field

COURSE_SCHEMA: Final = 1
MOST_METRICS: Final = 16
"""The most metrics of a trainer that are kept, those that were logged first."""
MOST_POINTS: Final = 400
"""The most points of a metric that are kept; of more, every other point goes."""
_SECOND_DIGITS: Final = 6
_WATT_DIGITS: Final = 3


class MetricPoint(NamedTuple):
    """A value that a trainer logged.

    Args:
        step: The step that it was logged at.
        joules: Energy of the run by then.
        value: The value.
    """

    step: int
    joules: float
    value: float


@dataclass(frozen=True, slots=True)
class Course:
    """The course of a run.

    Args:
        profile: Its power over time.
        metrics: What its trainer logged, by name, in order of time.
    """

    profile: PowerProfile
    metrics: dict[str, tuple[MetricPoint, ...]] = field(default_factory=dict)

    def followed_by(self, later: PowerProfile) -> Course:
        """The course with the stretches of a later profile that begin after it ends."""
        end = self.profile.stretches[-1].end_seconds if self.profile.stretches else 0.0
        new = tuple(stretch for stretch in later.stretches if stretch.start_seconds >= end)
        return Course(PowerProfile(self.profile.stretches + new), self.metrics)


NO_COURSE: Final = Course(PowerProfile(()))
"""The course of a run of which only totals are known."""


def course_mapping(course: Course) -> dict[str, Any]:
    """A course as plain values: a list for each stretch, with an index in place of every name."""
    strands = list(course.profile.strands)
    stretches = course.profile.stretches
    phases = list(dict.fromkeys(phase for stretch in stretches for phase in stretch.phase_seconds))
    return {
        "schema": COURSE_SCHEMA,
        "strands": [{"kind": strand.kind, "is_modelled": strand.is_modelled} for strand in strands],
        "phases": phases,
        "stretches": [
            {
                "start": round(stretch.start_seconds, _SECOND_DIGITS),
                "end": round(stretch.end_seconds, _SECOND_DIGITS),
                "watts": [_short(stretch.watts.get(strand)) for strand in strands],
                "phases": [round(stretch.phase_seconds.get(phase, 0.0), _SECOND_DIGITS) for phase in phases],
            }
            for stretch in stretches
        ],
        "metrics": {name: [list(point) for point in points] for name, points in course.metrics.items()},
    }


def course_of(values: object) -> Course:
    """Read a course; keys that this version does not know are ignored.

    Raises:
        RecordError: It is no course, or has a newer schema.
    """
    with reading("the course of a run"):
        found = mapping(values)
        check_schema(found, COURSE_SCHEMA, "the course")
        strands = at(found, "strands", partial(each, reader=_strand))
        phases = at(found, "phases", partial(each, reader=text))
        stretches = at(found, "stretches", partial(each, reader=partial(_stretch, strands=strands, phases=phases)))
        _check_order(stretches)
        metrics = at(found, "metrics", partial(by_name, reader=partial(each, reader=_point)))
        return Course(PowerProfile(stretches), metrics)


def _short(watts: float | None) -> float | None:
    return None if watts is None else round(watts, _WATT_DIGITS)


def _strand(value: object) -> Strand:
    found = mapping(value)
    kind = at(found, "kind", partial(choice, kind=Kind))
    if kind == Kind.MACHINE:
        raise Misfit("is a whole machine, which no profile adds to its chips", "kind")
    return Strand(kind, at(found, "is_modelled", flag))


def _check_order(stretches: tuple[Stretch, ...]) -> None:
    """Refuse stretches that do not follow each other in time."""
    until = 0.0
    for place, stretch in enumerate(stretches):
        if not until <= stretch.start_seconds < stretch.end_seconds:
            raise Misfit("is out of order", f"stretches[{place}]")
        until = stretch.end_seconds


def _stretch(value: object, strands: tuple[Strand, ...], phases: tuple[str, ...]) -> Stretch:
    found = mapping(value)
    watts = at(found, "watts", partial(each, reader=_watts))
    seconds = at(found, "phases", partial(each, reader=number))
    return Stretch(
        at(found, "start", number),
        at(found, "end", number),
        {strand: power for strand, power in zip(strands, watts, strict=False) if power is not None},
        {phase: lasted for phase, lasted in zip(phases, seconds, strict=False) if lasted > 0},
    )


def _watts(value: object) -> float | None:
    return None if value is None else _any_number(value)


def _point(value: object) -> MetricPoint:
    step, joules, logged = (*each(value, _any_number), 0.0, 0.0, 0.0)[:3]
    return MetricPoint(whole(int(step)), number(joules), logged)


def _any_number(value: object) -> float:
    return number(value, -MOST)
