"""The course of a run while it goes on: the heights of its energy, and what its trainer logs."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.metering.sums import Hardware, height_of
from lightning_carbon.records.course import MOST_METRICS, MOST_POINTS, Course, MetricPoint
from lightning_carbon.records.power_profile import Heights, PowerProfile, power_profile_of
from lightning_carbon.records.rows import METRICS
from lightning_carbon.units import NANOSECONDS_PER_SECOND, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lightning_carbon.records.journal import RankPart

KEEP_EVERY_NS: Final = SECONDS_PER_MINUTE * NANOSECONDS_PER_SECOND
"""How often the course of a run that goes on is written: a kill costs its figures no more than the last minute."""
_OURS: Final = frozenset(metric.name for metric in METRICS)
_NO_QUALITY: Final = ("epoch", "step", "global_step", "learning_rate", "lr", "grad_norm", "total_flos")
"""What trainers log beside the quality of a model."""
_NO_QUALITY_ENDS: Final = ("_runtime", "_per_second", "_joules", "_grams_co2e", "_kwh")


class MetricNotes:
    """What a trainer has logged, in a bounded number of points."""

    def __init__(self) -> None:
        self._points: dict[str, list[tuple[int, float, Any]]] = {}
        self._apart: dict[str, int] = {}

    def note(self, values: Mapping[str, Any], *, step: int, joules: float) -> None:
        """Take the values of a log; a value on a device is not read before the end.

        Args:
            values: Numbers, or tensors of one number, by name.
            step: The step.
            joules: Energy of the run by then.
        """
        for name, value in values.items():
            if not _is_of_quality(name) or isinstance(value, bool) or not hasattr(value, "__float__"):
                continue
            points = self._points.get(name)
            if points is None:
                if len(self._points) >= MOST_METRICS:
                    continue
                points = self._points[name] = []
            if points and step - points[-1][0] < self._apart.get(name, 0):
                continue
            points.append((step, joules, value.detach() if hasattr(value, "detach") else value))
            if len(points) >= MOST_POINTS:
                del points[1::2]
                self._apart[name] = (points[-1][0] - points[0][0]) // (len(points) - 1)

    def all(self, *, is_over: bool) -> dict[str, tuple[MetricPoint, ...]]:
        """The points by name; before the end without those that lie on a device, which would have to be waited for."""
        told = {name: tuple(_read(list(points), is_over=is_over)) for name, points in [*self._points.items()]}
        return {name: points for name, points in told.items() if points}


class CourseNotes:
    """The course of a run so far.

    Args:
        metrics: What its trainer has logged.
    """

    def __init__(self, metrics: MetricNotes) -> None:
        self._metrics = metrics
        self._hardware: Hardware | None = None
        self._own, self._others = Heights(), Heights()
        self._noted: Sequence[RankPart] = []
        self._kept_ns = 0

    def note(self, part: RankPart, *, is_last: bool = False) -> None:
        """Note the usage of this rank."""
        if is_last or self._own.wants(part.beat.ns):
            if self._hardware is None or not self._hardware.is_of([part]):
                self._hardware = Hardware([part.header])
            self._own.note(height_of([part], hardware=self._hardware))

    def note_others(self, parts: Sequence[RankPart], silent: Collection[int], own: Callable[[], RankPart]) -> None:
        """Note the usage of the other ranks, if there is news; costs as much as a row.

        Args:
            parts: Their parts; a new list where there is news.
            silent: The ranks that have not written for a while.
            own: Tells the part of this rank.
        """
        if parts is self._noted:
            return
        if len(parts) > len(self._noted):
            # A rank's first beat holds energy of no particular moment.
            self._others = Heights()
        self._noted = parts
        if parts:
            height = height_of(parts, without=[own()], silent=silent)
            if height.ns:
                self._others.note(height)

    def profile(self) -> PowerProfile:
        """The power over time."""
        others = self._others.all()
        return power_profile_of(self._own.all(), others if len(others) > 1 else ())

    def is_due(self, ns: int) -> bool:
        """Whether the course is to be written again, at a moment of the run."""
        if ns - self._kept_ns < KEEP_EVERY_NS:
            return False
        self._kept_ns = ns
        return True

    def all(self, *, is_over: bool) -> Course:
        """The course so far, or at the end."""
        return Course(self.profile(), self._metrics.all(is_over=is_over))


def _is_of_quality(name: str) -> bool:
    return name not in _OURS and name not in _NO_QUALITY and not name.endswith(_NO_QUALITY_ENDS)


def _read(points: list[tuple[int, float, Any]], *, is_over: bool) -> list[MetricPoint]:
    read = []
    for step, joules, value in points:
        device = getattr(value, "device", None)
        if not is_over and getattr(device, "type", "cpu") != "cpu":
            continue
        with suppress(Exception):  # whatever a trainer logs, as long as it is a number
            number = float(value)
            if math.isfinite(number):
                read.append(MetricPoint(step, joules, number))
    return read
