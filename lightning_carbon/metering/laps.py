"""The energy of a run between two moments of the program's choice, known once readings have settled it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.metering.step_lines import roots_at
from lightning_carbon.units import Energy

if TYPE_CHECKING:
    from lightning_carbon.metering.run import Run


class Lap(NamedTuple):
    """A moment of a run.

    Args:
        number: Its number.
        at_ns: When the program reached it; a device may get to it later.
    """

    number: int
    at_ns: int


class Spent(NamedTuple):
    """The energy between two moments.

    Args:
        joules: The energy, of the hardware that this process meters.
        settled_ratio: The share of the time that readings have settled.
    """

    joules: float
    settled_ratio: float


class Laps:
    """The moments of a run.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def note(self) -> Lap:
        """Note this moment. Costs a few microseconds, reads nothing and waits for nothing."""
        lap = Lap(next(self._run.lap_numbers), self._run.now_ns())
        self._run.mark_edge((lap.at_ns, None, None, None, None, lap.number))
        return lap

    def between(self, start: Lap, end: Lap) -> Spent | None:
        """The energy between two moments, as far as readings have settled it.

        Args:
            start: The earlier moment.
            end: The later moment.

        Returns:
            The energy; ``None`` where none of it is settled, nothing is metered, or the moments are too long ago.
        """
        run = self._run
        with run.lock:
            if not run.is_over:
                run.poll()
                run.settle()
            usage, sensors = run.usage, run.sensors
        begun = usage.laps.get(start.number)
        if begun is None or not sensors:
            return None
        ended = usage.laps.get(end.number)
        reached_ns = usage.end_ns if ended is None else ended.at_ns
        microjoules = (
            [usage.microjoules(place) for place in range(len(sensors))] if ended is None else ended.microjoules
        )
        joules = Energy(sum(microjoules[place] - begun.microjoules[place] for place in roots_at(usage, sensors))).joules
        whole_ns = max(end.at_ns, reached_ns) - begun.at_ns
        ratio = 1.0 if ended is not None or not whole_ns else (reached_ns - begun.at_ns) / whole_ns
        return Spent(joules, ratio) if reached_ns > begun.at_ns or ended is not None else None

    def of_others(self, phase: str) -> float:
        """The energy of the other ranks in a phase since the start, in joules, as far as it is known."""
        with self._run.lock:
            parts = self._run.parts()
            roots = self._run.hardware(parts).roots(parts)
        others = zip((part.beat.phases.get(phase) for part in parts[1:]), roots[1:], strict=True)
        return Energy(sum(used.uj[place] for used, places in others if used is not None for place in places)).joules
