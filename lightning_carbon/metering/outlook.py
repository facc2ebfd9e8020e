"""The outlook of a run: its sums and phases, given to the forecaster as progress.

Evaluations and checkpoints are counted as they are entered; the outlay before the first step is final; everything else,
pauses included, is the price of the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lightning_carbon.energy.phases import Phase
from lightning_carbon.metering.arguments import count_of, word_of
from lightning_carbon.metering.course import MetricNotes
from lightning_carbon.metering.forecast import Forecaster, Outlay, Plan, Standing
from lightning_carbon.records.journal import AheadBeat
from lightning_carbon.records.model_size import ModelSize
from lightning_carbon.records.trial import Direction, TrialState, outcome_of
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lightning_carbon.carbon.uncertainty import Bounds
    from lightning_carbon.metering.budget import BudgetWatch
    from lightning_carbon.metering.sums import Sums
    from lightning_carbon.records.rows import Forecast

EVENTS: Final = (Phase.VALIDATE.value, Phase.CHECKPOINT.value)
"""The phases that recur beside the steps."""
BEFORE: Final = (Phase.SETUP.value, Phase.SANITY.value, Phase.TUNE.value)
"""The phases that come before the first step."""


class ToldOfSteps(NamedTuple):
    """What a loop or a trainer says of its steps, for the journal.

    Args:
        steps_per_epoch: The number of steps of an epoch, where it is known.
        with_padding: Whether padding may be among the tokens, where it is known.
        ahead: The plan, the forecast and the budget of the run, where there are any.
        accepted: How many samples were accepted, where that is told.
        padding: How many elements of batches were padding, as far as that is told.
        model: The size of the model that is trained, where it is told.
    """

    steps_per_epoch: float | None = None
    with_padding: bool | None = None
    ahead: AheadBeat | None = None
    accepted: int | None = None
    padding: int = 0
    model: ModelSize | None = None


class Outlook:
    """The plan and the forecast of a run.

    Args:
        budget: Watches what it may use, if that is limited.

    Attributes:
        budget: The same.
        last: The last forecast.
        plan: The plan of the run, where it is known.
        metrics: What the trainer has logged.
        is_stopped: Whether the run was ended because its budget is used up.
        told: What the loop or the trainer has said of its steps.
        phase: The phase that the program is in.
        outcome: What became of the trial that the run is, as far as it is told.
    """

    def __init__(self, budget: BudgetWatch | None = None) -> None:
        self.budget = budget
        self.last: Forecast | None = None
        self.plan: Plan | None = None
        self.is_stopped = False
        self.metrics = MetricNotes()
        self.told = ToldOfSteps()
        self.phase: str = Phase.OTHER
        self.outcome: dict[str, Any] = {}
        self._keep_outcome: Callable[[Mapping[str, Any]], None] | None = None
        self._forecaster = Forecaster()
        self._entered: dict[str, int] = {}
        self._asked: tuple[Sums | None, Plan | None] = None, None

    def enter(self, phase: str, outer: str) -> None:
        """Note that a phase begins.

        Args:
            phase: The phase.
            outer: The phase before it; coming back from saving a checkpoint enters no phase.
        """
        self.phase = phase
        if phase in EVENTS and outer != Phase.CHECKPOINT.value:
            self._entered[phase] = self._entered.get(phase, 0) + 1

    def after(self, sums: Sums) -> Forecast | None:
        """Note the sums of all ranks by now, and forecast those at the end.

        Args:
            sums: The sums of all ranks. The forecast is ``None`` where no plan is known, or nothing is metered.
        """
        if self.plan is None or not sums.kinds:
            self.last = None
        elif sums is not self._asked[0] or self.plan != self._asked[1]:  # else nothing has settled since
            self.last = self._forecast(sums, self.plan)
        self._asked = sums, self.plan
        return self.last

    def note_outcome(self, outcome: Mapping[str, Any]) -> None:
        """Note what became of the trial; what was told before stays where nothing new is told."""
        self.outcome |= outcome
        if self._keep_outcome is not None:
            self._keep_outcome(self.outcome)

    def keep_outcome_by(self, keep: Callable[[Mapping[str, Any]], None]) -> None:
        """Write down what became of the trial, now that the run is over, and whatever else is told of it."""
        self._keep_outcome = keep
        keep(self.outcome)

    @property
    def told_by_now(self) -> ToldOfSteps:
        """What the loop or the trainer has said, with what is ahead of the run."""
        budget, last = self.budget, self.last
        if self.plan is None and budget is None:
            return self.told
        ahead = AheadBeat(
            None if self.plan is None else self.plan.steps,
            () if last is None else _three(last.joules),
            () if last is None else _three(last.remaining_seconds),
            None if budget is None else budget.text,
            None if budget is None else budget.used_ratio,
            self.is_stopped,
            None if budget is None else budget.scope,
        )
        return self.told._replace(ahead=ahead)

    def note_metrics(self, values: Mapping[str, Any], step: int) -> None:
        """Note what the trainer logs, against the energy by the last row; nothing before the first."""
        sums = self._asked[0]
        if sums is not None and sums.kinds:
            self.metrics.note(values, step=step, joules=Energy(sums.total).joules)

    def _forecast(self, sums: Sums, plan: Plan) -> Forecast | None:
        before = _spent(sums, BEFORE)
        events = {kind: (count, _spent(sums, [kind])) for kind, count in self._entered.items()}
        training = Outlay(Energy(sums.total).joules, sums.ns / NANOSECONDS_PER_SECOND).less(before)
        for _, spent in events.values():
            training = training.less(spent)
        self._forecaster.note(Standing(sums.steps, training, events, before))
        return self._forecaster.forecast(plan)


class Planned:
    """The verbs by which a loop or a trainer gives its plan; they cost nothing."""

    _outlook: Outlook

    @property
    def budget_reached(self) -> bool:
        """Whether the run has a budget and has used it up: of several processes, true on all from the same step on."""
        return self._outlook.budget is not None and self._outlook.budget.is_due

    def tell_stop(self) -> None:
        """Say that the run is ended because its budget is used up; its record says so, too."""
        self._outlook.is_stopped = True

    def tell_epoch(self, steps: float) -> None:
        """Give the number of steps of an epoch, by which a measurement can be projected to epochs.

        Args:
            steps: Steps of the optimizer; a number that is not above 0 or not finite counts as unknown.
        """
        known = float(steps) if 0 < steps < float("inf") else None
        self._outlook.told = self._outlook.told._replace(steps_per_epoch=known)

    def tell_model(self, parameters: int, trained: int) -> None:
        """Give the size of the model that is trained; told again, as where layers thaw, the most count.

        Args:
            parameters: The number of its parameters, frozen parameters included.
            trained: The number of those that are trained. Numbers that cannot be are not told.
        """
        told = self._outlook.told
        if 0 <= trained <= parameters and parameters and (told.model is None or trained > told.model.trained):
            self._outlook.told = told._replace(model=ModelSize(parameters, trained))

    def tell_padding(self, with_padding: bool | None, padding: int | None = None) -> None:  # noqa: FBT001 - see below
        """Say whether padding may be among the tokens of a step; where it is in one of them, it is in the run's.

        Args:
            with_padding: Whether it may be; ``None`` where that is not known.
            padding: How much padding the step had beside its tokens; ``None`` where that is not known.
        """
        told = self._outlook.told
        if with_padding is not None and told.with_padding is not True and with_padding is not told.with_padding:
            self._outlook.told = told = told._replace(with_padding=with_padding)
        if padding:
            self._outlook.told = told._replace(padding=told.padding + padding)

    def tell_metrics(self, values: Mapping[str, Any], step: int) -> None:
        """Give what is logged of the quality of the model, such as its loss; a report draws it against the energy.

        Costs a few microseconds, and reads nothing from a device.

        Args:
            values: Numbers, or tensors of one number, by name.
            step: The step.
        """
        self._outlook.note_metrics(values, step)

    def count(self, *, accepted: int) -> None:
        """Count samples that were accepted, such as completions that a reward lets through; in any process of the run.

        Args:
            accepted: How many more. Anything but a whole number from 0 on is not counted.
        """
        more = count_of(accepted)
        if more is not None:
            told = self._outlook.told
            self._outlook.told = told._replace(accepted=(told.accepted or 0) + more)

    def tell_trial(
        self,
        value: float | None = None,
        *,
        objective: str | None = None,
        state: TrialState | str | None = None,
        direction: Direction | str | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        """Give what became of the trial of a sweep that the run is, before the end of the run or after it.

        Args:
            value: The value of the objective.
            objective: Its name, such as ``"val_loss"``.
            state: ``complete``, ``pruned`` or ``failed``; else by the status of the run.
            direction: ``minimize`` or ``maximize``, in which a value is better.
            parameters: The hyperparameters, texts and numbers by name; 64 are kept.

        Raises:
            ConfigError: There is no such state or direction.
        """
        known_state = None if state is None else word_of(TrialState, "state", state)
        known_direction = None if direction is None else word_of(Direction, "direction", direction)
        self._outlook.note_outcome(
            outcome_of(value, objective=objective, state=known_state, direction=known_direction, parameters=parameters)
        )

    def tell_plan(
        self,
        steps: int | None,
        *,
        validations: float | None = None,
        validation_batches: float = 0.0,
        checkpoints: float | None = None,
    ) -> None:
        """Give the plan of the run, by which its rows can forecast its energy at the end.

        Args:
            steps: The number of steps in all, from its start on; ``None`` where it is not known.
            validations: How often it will enter the phase ``validate``; by default at the rate so far.
            validation_batches: The number of batches of each, which gives a guess of their price before the first.
            checkpoints: How often it will enter the phase ``checkpoint``; by default at the rate so far.
        """
        events = {Phase.VALIDATE.value: validations, Phase.CHECKPOINT.value: checkpoints}
        known = {name: count for name, count in events.items() if count is not None}
        self._outlook.plan = Plan(steps, known, validation_batches) if steps is not None and steps > 0 else None


def _three(bounds: Bounds[float]) -> tuple[float, ...]:
    return tuple(max(0.0, value) for value in (bounds.value, bounds.low, bounds.high))


def _spent(sums: Sums, phases: tuple[str, ...] | list[str]) -> Outlay:
    joules = Energy(sum(sums.phases.get(phase, 0) for phase in phases)).joules
    return Outlay(joules, sum(sums.phase_ns.get(phase, 0) for phase in phases) / NANOSECONDS_PER_SECOND)
