"""Planning the step at which ranks stop: where their budget is used up, and no sooner than they can agree. Pure."""

from __future__ import annotations

import math
from collections import deque
from typing import Final, NamedTuple

from lightning_carbon.metering.agreement import LEAST_LOOKING_STEPS

AGREEING_SECONDS: Final = 6.0
"""How far ahead a step is proposed: housekeeping runs twice a second, and a proposal, its answers and its confirmation
take up to two turns each; ours."""
MOST_AGREEING_SECONDS: Final = 60.0
"""How far ahead at most, where earlier proposals were not answered in time; ours."""
LOOKING_SECONDS: Final = 2.0
"""The last part of that, in which all ranks can learn what was decided."""
_EARLY_SECONDS: Final = 2.0
"""How much earlier than necessary a step may be proposed."""
_WINDOW_SECONDS: Final = 10.0
_LEAST_SECONDS: Final = 3.0
"""How long a run is watched before its first steps count as typical; ours."""
_WINDOW_STEPS: Final = 2
_MOST_NOTES: Final = 1000


class Passing(NamedTuple):
    """A step to propose.

    Args:
        at_step: The step.
        looking_steps: The number of steps before it in which the other ranks can learn what was decided.
    """

    at_step: int
    looking_steps: int


class _Note(NamedTuple):
    at_seconds: float
    taken: int
    settled: float
    share: float


class StopPlanner:
    """Looks ahead by the pace and the energy of the last seconds."""

    def __init__(self) -> None:
        self._notes: deque[_Note] = deque(maxlen=_MOST_NOTES)
        self._seconds = AGREEING_SECONDS

    def fall_back(self) -> None:
        """Give the next proposal twice the time, as the last was not answered in time."""
        self._seconds = min(2 * self._seconds, MOST_AGREEING_SECONDS)

    def plan(
        self, at_seconds: float, taken: int, *, settled: float, share: float, reading_seconds: float = 0.0
    ) -> Passing | None:
        """The step to propose now, if it is time for that.

        Args:
            at_seconds: Now, on any clock that goes forward.
            taken: The number of steps that have been taken.
            settled: The number of steps that the share below stands for; energy is known a little later.
            share: The share of the budget that is used.
            reading_seconds: The time between two readings of the other ranks' journals, where that is longer than a
                turn of housekeeping.
        """
        notes = self._notes
        if not notes or settled > notes[-1].settled:
            # When steps have just been settled, their number is as exact as the share.
            notes.append(_Note(at_seconds, taken, settled, share))
        while len(notes) > _WINDOW_STEPS and self._is_enough(notes[1]):
            notes.popleft()
        first, last = notes[0], notes[-1]
        seconds, steps = at_seconds - first.at_seconds, last.settled - first.settled
        pace = (taken - first.taken) / seconds if seconds > 0 else 0.0
        ahead = self._seconds + 2 * reading_seconds
        nearest = taken + max(1 + LEAST_LOOKING_STEPS, math.ceil(pace * ahead))
        if share >= 1:
            passes = float(taken)
        elif seconds >= _LEAST_SECONDS and steps > 0 and last.share > first.share:
            steps_a_share = steps / (last.share - first.share)
            passes = last.settled + min((1 - last.share) * steps_a_share, 1 + (1 - share) * steps_a_share)
        else:
            return None
        if passes > nearest + pace * _EARLY_SECONDS:
            return None
        return Passing(max(math.ceil(passes), nearest), math.ceil(pace * LOOKING_SECONDS))

    def _is_enough(self, note: _Note) -> bool:
        last = self._notes[-1]
        return (
            last.at_seconds - note.at_seconds >= _WINDOW_SECONDS
            and last.taken - note.taken >= _WINDOW_STEPS
            and last.settled - note.settled >= _WINDOW_STEPS
        )
