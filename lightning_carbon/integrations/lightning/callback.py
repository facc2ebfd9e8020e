"""The callback for Lightning's trainers, those of ``pytorch_lightning`` and those of ``lightning.pytorch``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, Unpack

from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.integrations.lightning.hooks import MeterHooks
from lightning_carbon.integrations.lightning.runs import EntryRuns
from lightning_carbon.integrations.lightning.trainers import LightningModule, Trainer, name_of
from lightning_carbon.integrations.shared.batch import BatchCounter
from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.integrations.shared.trainer_settings import (
    LIGHTNING_OWN,
    LIGHTNING_SETTINGS,
    LightningSettings,
    automatic,
    split,
)
from lightning_carbon.meter import Meter
from lightning_carbon.metering.engine import status_of
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.settings import configure
from lightning_carbon.settings.signatures import takes

P = ParamSpec("P")
R = TypeVar("R")


def on_instance(hook: Callable[P, R]) -> Callable[P, R]:
    """Wrap a hook that names the fix where the trainer was given the class instead of an instance."""

    @wraps(hook)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if not isinstance(args[0], CarbonCallback):
            raise ConfigError("callbacks", [CarbonCallback], "it is a class; give an instance, CarbonCallback().")
        return hook(*args, **kwargs)

    return checked


@takes(*LIGHTNING_SETTINGS)
class CarbonCallback(MeterHooks):
    """Meters the energy and the CO2e of a training, and logs them beside the loss.

    Rows go to every logger of the trainer, at its ``log_every_n_steps`` and on the x-axis of the loss. Watts and gCO2e
    stand in the progress bar. ``energy/run_kwh`` and ``carbon/run_grams_co2e`` can be monitored by ``EarlyStopping``
    and ``ModelCheckpoint``. A copy of the record lies beside the logs of the loggers that keep a folder. Validating,
    testing and predicting on their own are runs of their own, whose single row has ``validate/``, ``test/`` or
    ``predict/`` before its names.

    What people ask (which region and PUE, several processes, padding, watts that differ from nvidia-smi's, why a
    processor is modelled) is answered in docs/questions.md.

    Example:
        >>> from lightning_carbon import CarbonCallback
        >>> callback = CarbonCallback(region="SE", project="lisa")

        Give it to a trainer: ``Trainer(callbacks=callback)``.

    With ``detail="step"``, waiting for data goes from the end of a batch to the start of the next, its transfer to the
    device included. Time that no hook marks, such as all but the backward pass where the module optimizes by hand, is
    ``other``.

    Args:
        settings: Those of the table in :mod:`lightning_carbon.settings` and of Lightning's callback, by name.

    Raises:
        ConfigError: An argument cannot be used; the message names it and the fix.
    """

    _is_automatic = False

    def __init__(self, **settings: Unpack[LightningSettings]) -> None:
        super().__init__()
        of_meter, own = split(settings, LIGHTNING_OWN)
        self._runs = EntryRuns(
            configure(**of_meter),
            BatchCounter(own["count_batch"]),
            copy_record=own["copy_record"],
            progress_bar=own["progress_bar"],
        )

    @property
    def meter(self) -> Meter | None:
        """The meter of the present or the last run; ``None`` before the first run, and in copies."""
        return self._runs.meter

    @property
    def record(self) -> RunRecord | None:
        """The record of the last run that has ended; ``None`` before the first has."""
        return self._runs.record

    @property
    def record_path(self) -> str | None:
        """The path of that record in the ledger; ``None`` before, or where it could not be written."""
        record = self._runs.record
        return None if record is None else record.location

    def __getstate__(self) -> dict[str, Any]:
        """The state that is copied and sent to other processes: settings and the last record, no threads or devices."""
        # Lightning sets these two on the instance; they are methods of the module and would include it in the state.
        return {name: value for name, value in vars(self).items() if name not in {"log", "log_dict"}}

    @on_instance
    @guarded(ConfigError, LedgerError)
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Start metering.

        Raises:
            ConfigError: The trainer has another such callback, or ``devices`` names a missing device.
            LedgerError: With ``strict=True`` only: the ledger cannot be written.
        """
        self._runs.finish(trainer, Status.INTERRUPTED)
        self._runs.meter = None
        if metering_callback(trainer) is not self:
            # It gives way. The trainer is going through its list now, so the list is replaced, not changed.
            trainer.callbacks = [callback for callback in trainer.callbacks if callback is not self]
            return
        self._runs.begin(trainer, name_of(stage))

    @guarded()
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """End the run and log its last row."""
        self._runs.finish(trainer, Status.COMPLETED)

    @on_instance
    @guarded()
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """End the run, since no other hook is called after an exception, Ctrl-C or SIGTERM."""
        self._runs.finish(trainer, status_of(type(exception)))

    def on_init_end(self, *args: object, **kwargs: object) -> None:
        """Refuse Hugging Face's Trainer, as no other calls this hook.

        Raises:
            ConfigError: Always.
        """
        fix = "it is for Lightning's Trainer; give a transformers.Trainer a CarbonTrainerCallback with these settings."
        raise ConfigError("callbacks", [type(self).__name__], fix)


def automatic_callback(**settings: Unpack[LightningSettings]) -> CarbonCallback:
    """Make an automatic callback, which gives way to a callback that the user gave to the trainer.

    Args:
        settings: The arguments of :class:`CarbonCallback`.

    Raises:
        ConfigError: An argument cannot be used.
    """
    callback = CarbonCallback(**automatic(settings))
    callback._is_automatic = callback._runs.is_automatic = True  # noqa: SLF001 - its own module
    return callback


def metering_callback(trainer: Trainer) -> CarbonCallback:
    """The callback of ours that meters a trainer: the user's, else the first automatic callback.

    Raises:
        ConfigError: The user gave several.
    """
    ours = [callback for callback in trainer.callbacks if isinstance(callback, CarbonCallback)]
    by_hand = [callback for callback in ours if not callback._is_automatic]  # noqa: SLF001 - its own module
    if len(by_hand) > 1:
        fix = "a trainer takes one CarbonCallback, or its energy would be logged twice; remove the others."
        raise ConfigError("callbacks", [type(callback).__name__ for callback in by_hand], fix)
    return [*by_hand, *ours][0]
