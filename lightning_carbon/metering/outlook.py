"""How a run will end: its sums and what it has entered, put before the forecaster as progress.

Evaluations and checkpoints are counted as they are entered; what a run did before its first step is known for good;
everything else, pauses included, is what its steps cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.phases import Phase
from lightning_carbon.metering.forecast import Forecaster, Outlay, Plan, Standing
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from lightning_carbon.metering.sums import Sums
    from lightning_carbon.records.rows import Forecast

EVENTS: Final = (Phase.VALIDATE.value, Phase.CHECKPOINT.value)
"""The phases that come again and again beside the steps."""
BEFORE: Final = (Phase.SETUP.value, Phase.SANITY.value, Phase.TUNE.value)
"""The phases that come before the first step."""


class Outlook:
    """What is known of the end of a run.

    Attributes:
        plan: What the run is to do, where somebody told.
        steps_per_epoch: How many steps an epoch has, where somebody told.
    """

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.steps_per_epoch: float | None = None
        self._forecaster = Forecaster()
        self._entered: dict[str, int] = {}

    def enter(self, phase: str, outer: str) -> None:
        """Note that a phase begins.

        Args:
            phase: The phase.
            outer: The phase before it; to come back from saving a checkpoint enters nothing.
        """
        if phase in EVENTS and outer != Phase.CHECKPOINT.value:
            self._entered[phase] = self._entered.get(phase, 0) + 1

    def after(self, sums: Sums) -> Forecast | None:
        """Note what all ranks have used by now, and tell what they will have used.

        Args:
            sums: What they have used; ``None`` is told where no plan is known, or nothing is metered.
        """
        if self.plan is None or not sums.kinds:
            return None
        before = _spent(sums, BEFORE)
        events = {kind: (count, _spent(sums, [kind])) for kind, count in self._entered.items()}
        training = Outlay(Energy(sums.total).joules, sums.ns / NANOSECONDS_PER_SECOND).less(before)
        for _, spent in events.values():
            training = training.less(spent)
        self._forecaster.note(Standing(sums.steps, training, events, before))
        return self._forecaster.forecast(self.plan)


class Planned:
    """The verbs by which a loop or a trainer tells what it is to do; they cost nothing."""

    _outlook: Outlook

    def tell_epoch(self, steps: float) -> None:
        """Say how many steps an epoch has, so that what is measured can be projected to epochs.

        Args:
            steps: Steps of the optimizer; what is not above 0 or not finite is not known.
        """
        self._outlook.steps_per_epoch = float(steps) if 0 < steps < float("inf") else None

    def tell_plan(
        self,
        steps: int | None,
        *,
        validations: float | None = None,
        validation_batches: float = 0.0,
        checkpoints: float | None = None,
    ) -> None:
        """Say how much the run is to do, so that its rows can say what it will have used at its end.

        Args:
            steps: How many steps it is to take in all, from its start on; ``None`` where that is not known.
            validations: How often it is to enter the phase ``validate``; default: as often as it did so far.
            validation_batches: How many batches each of these has, as a guess at their price before the first.
            checkpoints: How often it is to enter the phase ``checkpoint``; default: as often as it did so far.
        """
        events = {Phase.VALIDATE.value: validations, Phase.CHECKPOINT.value: checkpoints}
        known = {name: count for name, count in events.items() if count is not None}
        self._outlook.plan = Plan(steps, known, validation_batches) if steps is not None and steps > 0 else None


def _spent(sums: Sums, phases: tuple[str, ...] | list[str]) -> Outlay:
    joules = Energy(sum(sums.phases.get(phase, 0) for phase in phases)).joules
    return Outlay(joules, sum(sums.phase_ns.get(phase, 0) for phase in phases) / NANOSECONDS_PER_SECOND)
