"""The energy of a training's evaluations, each for its own set, logged once readings have settled it."""

from __future__ import annotations

from typing import Final

from lightning_carbon.metering.laps import Lap, Laps
from lightning_carbon.values import dataclass, field

_MOST_WAITING: Final = 64
"""The most evaluations that wait for their figures; more come between two logs only where nothing is ever settled."""
_ENOUGH: Final = 0.9
"""The share of an evaluation's time that must be settled for its figures to be in its own log; ours."""


@dataclass(slots=True)
class Evaluation:
    """An evaluation that has ended, within a run.

    Args:
        prefix: The Trainer's prefix of its metrics.
        phase: Its phase.
        start: The moment of its beginning.
        end: The moment of its end.
        told_joules: The energy of it that has been logged.
    """

    prefix: str
    phase: str
    start: Lap
    end: Lap
    told_joules: float | None = None


@dataclass(slots=True)
class Evaluations:
    """The evaluations of a training whose energy has not been logged, or not wholly.

    Args:
        waiting: The evaluations.
        carried_joules: The energy of each set that was settled after its log, and comes with its next figures.
        others_joules: The energy of other ranks in each phase when it was last logged.
    """

    waiting: list[Evaluation] = field(default_factory=list)
    carried_joules: dict[str, float] = field(default_factory=dict)
    others_joules: dict[str, float] = field(default_factory=dict)

    def note(self, evaluation: Evaluation) -> None:
        """Note an evaluation that has ended."""
        self.waiting = [*self.waiting[1 - _MOST_WAITING :], evaluation]

    def take(self, laps: Laps) -> dict[str, float]:
        """The energy in joules of every evaluated set, as far as it is known now and was not returned before.

        Args:
            laps: Gives the energy between two moments.
        """
        told: dict[str, float] = {}
        shares: dict[str, dict[str, float]] = {}
        left = []
        for evaluation in self.waiting:
            spent = laps.between(evaluation.start, evaluation.end)
            is_whole = spent is not None and spent.settled_ratio == 1.0
            if spent is not None and evaluation.told_joules is not None and is_whole:
                rest = spent.joules - evaluation.told_joules
                self.carried_joules[evaluation.prefix] = self.carried_joules.get(evaluation.prefix, 0.0) + rest
            elif spent is not None and evaluation.told_joules is None and spent.settled_ratio >= _ENOUGH:
                evaluation.told_joules = spent.joules
                own = told.get(evaluation.prefix, self.carried_joules.pop(evaluation.prefix, 0.0))
                told[evaluation.prefix] = own + spent.joules
                shares.setdefault(evaluation.phase, {})[evaluation.prefix] = spent.joules
            if not (is_whole and evaluation.told_joules is not None):
                left.append(evaluation)
        self.waiting = left
        for phase, own_joules in shares.items():
            for prefix, joules in self._of_others(laps, phase, own_joules).items():
                told[prefix] += joules
        return told

    def _of_others(self, laps: Laps, phase: str, own_joules: dict[str, float]) -> dict[str, float]:
        """The new energy of other ranks in a phase, in proportion to the energy of this rank's sets."""
        before = self.others_joules.get(phase, 0.0)
        now = self.others_joules[phase] = max(before, laps.of_others(phase))
        whole = sum(own_joules.values())
        return {prefix: (now - before) * (joules / whole if whole else 0.0) for prefix, joules in own_joules.items()}
