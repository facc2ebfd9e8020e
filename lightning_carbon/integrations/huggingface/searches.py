"""The trials of ``Trainer.hyperparameter_search()``, whichever search is behind it; knows none of their classes.

A trial is a training, and an evaluation after it where the training had none: two runs of one trial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, Final
from weakref import WeakKeyDictionary

from lightning_carbon.integrations.huggingface.run import FIGURES
from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.metering.engine import status_of
from lightning_carbon.records.run import Status
from lightning_carbon.records.trial import Direction, TrialState
from lightning_carbon.sources.sweeps import TrialInHand, in_trial, trial_of, trial_of_optuna

_hands: WeakKeyDictionary[Any, TrialInHand] = WeakKeyDictionary()
"""The trial that each Trainer is at."""
_SUM_OF_METRICS: Final = "default_compute_objective"
"""The objective that transformers takes where the user gives none: the sum of all metrics but the loss, if any."""
_STATES: Final = {Status.PRUNED: TrialState.PRUNED, Status.COMPLETED: TrialState.COMPLETE}


@contextmanager
def searched(trainer: Any, trial: Any) -> Iterator[None]:  # noqa: ANN401 - a Trainer, and what a search hands it
    """Surround a training that may be a trial.

    Args:
        trainer: The Trainer.
        trial: What the search gave ``train()``; ``None`` where none does.
    """
    hand = _begin(trainer, trial)
    with in_trial(hand, partial(_tell, trainer=trainer, trial=trial, hand=hand)):
        yield


@contextmanager
def searched_again(trainer: Any) -> Iterator[Callable[[object], object]]:  # noqa: ANN401 - a Trainer
    """Surround an evaluation that may belong to a trial, and give what tells the search's value for its metrics.

    Args:
        trainer: The Trainer.
    """
    hand = _hands.get(trainer) if getattr(trainer, "hp_search_backend", None) is not None else None

    @guarded()
    def tell(metrics: object) -> None:
        if hand is not None and isinstance(metrics, dict) and getattr(trainer, "objective", None) is None:
            hand.tell(value=trainer.compute_objective({**metrics}))

    with in_trial(hand):
        yield tell


@guarded()
def _begin(trainer: Any, trial: Any) -> TrialInHand | None:  # noqa: ANN401 - see above
    _hands.pop(trainer, None)
    if trial is None:
        return None
    objective = getattr(trainer, "compute_objective", None)
    if objective is not None and getattr(objective, "__name__", None) == _SUM_OF_METRICS:
        trainer.compute_objective = _without_figures(objective)
    found = trial_of_optuna(trial) or trial_of(None, None)
    if found is None:
        return None
    hand = _hands[trainer] = TrialInHand(found)
    return hand


def _without_figures(objective: Callable[[dict[str, float]], Any]) -> Callable[[dict[str, float]], Any]:
    """The search's own objective without our figures, which it would add to the model's metrics and minimize."""

    @wraps(objective)
    def of_model(metrics: dict[str, float]) -> Any:  # noqa: ANN401 - as the original
        return objective({name: value for name, value in metrics.items() if not name.endswith(FIGURES)})

    of_model.__name__ = "objective_of_model"
    return of_model


@guarded()
def _tell(
    error: type[BaseException] | None,
    *,
    trainer: Any,  # noqa: ANN401 - see above
    trial: Any,  # noqa: ANN401 - see above
    hand: TrialInHand | None,
) -> None:
    if hand is None:
        return
    parameters = trial if isinstance(trial, dict) else getattr(trial, "params", None)
    direction = getattr(getattr(getattr(trial, "study", None), "direction", None), "name", "").lower()
    hand.tell(
        value=getattr(trainer, "objective", None),
        state=_STATES.get(status_of(error), TrialState.FAILED),
        direction=direction if direction in {*Direction} else None,
        parameters=parameters,
    )
