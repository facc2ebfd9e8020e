"""Searches for hyperparameters: the trial that this process runs, as the search in it, or around it, says.

Nothing is imported: a search that runs in this process is loaded, and others leave variables. Where nothing says which
trial it is, every run is a trial of its own.

References:
    Hydra's multirun: https://hydra.cc/docs/1.3/tutorials/basic/running_your_app/multi-run/
    Ray Tune's context: https://docs.ray.io/en/latest/tune/api/doc/ray.tune.TuneContext.html
    W&B's variables: https://docs.wandb.ai/guides/track/environment-variables
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.records.trial import Parameter, SweepTrial, outcome_of, parameters_of
from lightning_carbon.settings.hydra import hydra_job
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lightning_carbon.records.run import RunRecord

    Tell = Callable[[Mapping[str, object]], None]
    Ask = Callable[[], RunRecord | None]

_MULTIRUN: Final = "MULTIRUN"
_UNNAMED: Final = "sweep"
_MOST_RUNS: Final = 64
"""The most runs of a trial that are told its outcome."""


class TrialInHand:
    """A trial that a search in this process has begun.

    Args:
        trial: The trial.
    """

    def __init__(self, trial: SweepTrial) -> None:
        self.trial = trial
        self._runs: list[tuple[Tell, Ask]] = []

    def follow(self, tell: Tell, ask: Ask) -> None:
        """Note a run of the trial.

        Args:
            tell: Takes what became of the trial.
            ask: Gives the record of the run, once it has ended.
        """
        if len(self._runs) < _MOST_RUNS:
            self._runs.append((tell, ask))

    @property
    def records(self) -> list[RunRecord]:
        """The records of its runs that have ended."""
        return [record for _, ask in self._runs if (record := ask()) is not None]

    def tell(self, **outcome: Any) -> None:  # noqa: ANN401 - the arguments of outcome_of
        """Tell its runs what became of the trial.

        Args:
            outcome: The arguments of :func:`~lightning_carbon.records.trial.outcome_of`.
        """
        known = outcome_of(**outcome)
        for tell, _ in self._runs:
            tell(known)


_in_hand: ContextVar[TrialInHand | None] = ContextVar("lightning_carbon_trial", default=None)


@contextmanager
def in_trial(
    hand: TrialInHand | None, ended: Callable[[type[BaseException] | None], object] = lambda _: None
) -> Iterator[None]:
    """Surround a block whose runs are runs of a trial.

    Args:
        hand: The trial; ``None`` where it is not known, so that nothing changes.
        ended: Called at the end of the block with the type of the exception that ended it, if one did.
    """
    before = _in_hand.set(hand or _in_hand.get())
    error: type[BaseException] | None = None
    try:
        yield
    except BaseException as raised:
        error = type(raised)
        raise
    finally:
        _in_hand.reset(before)
        ended(error)


def trial_in_hand() -> TrialInHand | None:
    """The trial that a search in this process has begun, if any."""
    return _in_hand.get()


def trial_of(
    sweep: str | None,
    name: str | None,
    *,
    environ: Mapping[str, str] = os.environ,
    modules: Mapping[str, Any] = sys.modules,
) -> SweepTrial | None:
    """The trial that a run is: as the user says, else as a search does; ``None`` where it is none.

    Args:
        sweep: The sweep that the user named, if any.
        name: The number or the name of the trial that the user gave, if any.
        environ: The environment variables.
        modules: The modules that are loaded.
    """
    hand = trial_in_hand()
    found = None if hand is None else hand.trial
    for look in (_of_hydra, _of_ray, _of_wandb):
        with suppress(Exception):  # asking a search must not end a training
            found = found or look(environ, modules)
    if found is None and (sweep or name):
        found = SweepTrial(sweep or _UNNAMED)
    if found is None:
        return None
    found = replace(found, sweep=sweep or found.sweep)
    if name is None:
        return found
    return replace(found, number=int(name), name=None) if name.isdecimal() else replace(found, number=None, name=name)


def trial_of_optuna(trial: Any) -> SweepTrial | None:  # noqa: ANN401 - an optuna.Trial, or anything
    """The trial that Optuna runs; ``None`` where it is something else, such as another search's dictionary.

    Args:
        trial: What the search hands over.
    """
    number, study = getattr(trial, "number", None), getattr(trial, "study", None)
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return SweepTrial(str(getattr(study, "study_name", None) or _UNNAMED), number)


def _of_hydra(environ: Mapping[str, str], modules: Mapping[str, Any]) -> SweepTrial | None:
    """The job of a multirun of Hydra."""
    del environ
    hydra = hydra_job(modules)
    if hydra is None or getattr(hydra.mode, "name", None) != _MULTIRUN:
        return None
    folder = "-".join(PurePath(str(hydra.sweep.dir)).parts[-2:]).strip("/\\")
    return SweepTrial(f"{hydra.job.name}-{folder}", int(hydra.job.num), parameters=_overrides(hydra.overrides.task))


def _overrides(words: Sequence[object]) -> dict[str, Parameter]:
    """What the job overrides: ``lr=0.1`` by its name."""
    pairs = (str(word).partition("=") for word in words)
    return parameters_of({name.lstrip("+~"): value for name, sign, value in pairs if sign})


def _of_ray(environ: Mapping[str, str], modules: Mapping[str, Any]) -> SweepTrial | None:
    """The trial of Ray Tune that this process, or the worker of Ray Train that it is, belongs to."""
    del environ
    for module in ("ray.tune", "ray.train"):
        loaded = modules.get(module)
        if loaded is None or getattr(loaded, "get_context", None) is None:
            continue
        with suppress(Exception):  # outside of a trial some versions raise; the other module may know
            context = loaded.get_context()
            name = context.get_trial_id()
            if name is not None:
                return SweepTrial(str(context.get_experiment_name()), name=str(name))
    return None


def _of_wandb(environ: Mapping[str, str], modules: Mapping[str, Any]) -> SweepTrial | None:
    """The run of a sweep of W&B, as its agent or its library says."""
    run = getattr(modules.get("wandb"), "run", None)
    sweep = getattr(run, "sweep_id", None) or environ.get("WANDB_SWEEP_ID")
    name = getattr(run, "id", None) or environ.get("WANDB_RUN_ID")
    return SweepTrial(str(sweep), name=str(name) if name else None) if sweep else None
