"""The trials of an Optuna study, each with its runs, so that a sweep tells what each of them took.

Optuna is not imported: what it hands over has all that is asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Final, TypeVar

from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.metering.engine import status_of
from lightning_carbon.records.run import Status
from lightning_carbon.records.trial import Direction, TrialState
from lightning_carbon.sources.sweeps import TrialInHand, in_trial, trial_of_optuna

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

_MOST_OPEN: Final = 256
"""The most trials whose end Optuna has not told yet; many may run side by side."""
_STATES: Final = {"COMPLETE": TrialState.COMPLETE, "PRUNED": TrialState.PRUNED, "FAIL": TrialState.FAILED}

T = TypeVar("T")


class CarbonTrials:
    """Makes every run of an Optuna trial one of the study's sweep: those of a ``Meter``, and of trainers' callbacks.

    Give the study both the metered objective and this object, as a callback: only Optuna knows how a trial ended. Each
    trial gets the user attributes ``energy_joules`` and ``grams_co2e``, which ``study.trials_dataframe()`` shows.

    Example:
        >>> import optuna
        >>> from lightning_carbon import Meter
        >>> from lightning_carbon.integrations.optuna import CarbonTrials
        >>> def objective(trial):
        ...     rate = trial.suggest_float("rate", 0.0, 1.0)
        ...     with Meter(project="search") as meter:
        ...         meter.step_done()
        ...     return (rate - 0.3) ** 2
        >>> trials = CarbonTrials(objective="val_loss")
        >>> optuna.logging.disable_default_handler()
        >>> study = optuna.create_study(study_name="rates")
        >>> study.optimize(trials.metered(objective), n_trials=2, callbacks=[trials])

    ``lightning-carbon runs sweep rates`` then prints what each trial took and gained.

    Args:
        objective: The name of what the objective returns, such as ``"val_loss"``.
    """

    def __init__(self, objective: str | None = None) -> None:
        self._objective = objective
        self._open: OrderedDict[tuple[str, int | None], TrialInHand] = OrderedDict()

    def metered(self, objective: Callable[[Trial], T]) -> Callable[[Trial], T]:
        """Wrap an objective, so that the runs in it are runs of its trial.

        Args:
            objective: What ``study.optimize()`` would get.
        """

        @wraps(objective)
        def of_trial(trial: Trial) -> T:
            with self.trial(trial):
                return objective(trial)

        return of_trial

    @contextmanager
    def trial(self, trial: Trial) -> Iterator[None]:
        """Surround the work of a trial of ``study.ask()``, whose end ``study.tell()`` is told by the user.

        Args:
            trial: The trial.
        """
        hand = self._begin(trial)
        with in_trial(hand, partial(self._end, trial, hand)):
            yield

    @guarded()
    def __call__(self, study: Study, trial: FrozenTrial) -> None:
        """Take Optuna's word for how a trial ended; for ``study.optimize(callbacks=[...])``.

        Args:
            study: The study.
            trial: The trial, which has ended.
        """
        hand = self._open.pop((study.study_name, trial.number), None)
        if hand is None:
            return
        values: Sequence[float] = trial.values or ()
        directions = [direction.name.lower() for direction in study.directions]
        hand.tell(
            value=values[0] if len(values) == 1 else None,
            objective=self._objective,
            state=_STATES.get(trial.state.name),
            direction=directions[0] if len(directions) == 1 and directions[0] in {*Direction} else None,
            parameters=trial.params,
        )

    @guarded()
    def _begin(self, trial: Trial) -> TrialInHand | None:
        found = trial_of_optuna(trial)
        if found is None:
            return None
        hand = self._open[found.sweep, found.number] = TrialInHand(found)
        while len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)
        return hand

    @guarded()
    def _end(self, trial: Trial, hand: TrialInHand | None, error: type[BaseException] | None) -> None:
        if hand is None:
            return
        status = status_of(error)
        state = None if error is None else TrialState.PRUNED if status is Status.PRUNED else TrialState.FAILED
        hand.tell(objective=self._objective, state=state, parameters=trial.params)
        records = hand.records
        joules = [record.energy.total_joules for record in records if record.energy.total_joules is not None]
        grams = [record.carbon.grams_co2e for record in records if record.carbon.grams_co2e is not None]
        if joules:
            trial.set_user_attr("energy_joules", sum(joules))
        if grams:
            trial.set_user_attr("grams_co2e", sum(grams))
