"""The callback for the Trainer of Hugging Face's transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from transformers import TrainerControl, TrainerState, TrainingArguments

from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.autolog.automatic import of_this_process
from lightning_carbon.integrations.huggingface.hooks import TrainerHooks
from lightning_carbon.integrations.huggingface.joining import calling_trainer, join
from lightning_carbon.integrations.huggingface.runs import TrainerRuns
from lightning_carbon.integrations.shared.guard import guarded, logger
from lightning_carbon.integrations.shared.trainer_settings import (
    TRAINER_ONLY,
    TRAINER_SETTINGS,
    TrainerSettings,
    automatic,
    split,
)
from lightning_carbon.meter import Meter
from lightning_carbon.records.run import RunRecord
from lightning_carbon.settings import configure
from lightning_carbon.settings.signatures import takes

if TYPE_CHECKING:
    from typing import Self


@takes(*TRAINER_SETTINGS)
class CarbonTrainerCallback(TrainerHooks):
    """Meters the energy and the CO2e of a training, and logs them beside the loss.

    Rows go into the Trainer's logs of steps, so to all that ``report_to`` names, to ``trainer_state.json``, and on the
    x-axis of the loss; TensorBoard shows them as ``train/energy/run_joules`` and so on. The last log of a training,
    which is ``TrainOutput.metrics``, has the last row and the totals: ``train_energy_joules``, ``train_energy_kwh``,
    ``train_energy_<phase>_joules``, ``train_machine_energy_kwh`` and ``train_carbon_grams_co2e`` with its range. The
    log of an evaluation has ``eval_energy_joules`` and ``eval_carbon_grams_co2e``; those of a short evaluation, not
    settled by then, are in the next log. A copy of the record lies in ``output_dir``, and the model card that
    ``create_model_card()`` or ``push_to_hub()`` writes there has the CO2e of the Trainer's trainings. Evaluating and
    predicting outside a training are runs of their own.

    A run ends where the Trainer's ``train_runtime`` ends, before it loads the best model again.

    What people ask (which region and PUE, several processes, padding, watts that differ from nvidia-smi's, why a
    processor is modelled) is answered in docs/questions.md.

    Example:
        >>> from lightning_carbon import CarbonTrainerCallback
        >>> callback = CarbonTrainerCallback(region="SE", project="lisa")

        Give it to a trainer: ``Trainer(callbacks=[callback], ...)``, or join a trainer that exists:
            ``callback.attach(trainer)``.

    With ``detail="step"``, waiting for data is the fetching of the batches of a step, forward is ``compute_loss``,
    backward goes from the loss to the end of ``training_step``, and optimizer is its ``step()``. The rest, such as
    clipping gradients and logging, is ``other``.

    Completions that a Trainer of TRL generates are the phase ``rollout``, within the steps that learn from them. Their
    tokens, prompts included, count where they are generated, and their samples where they are learnt from.

    Args:
        settings: Those of the table in :mod:`lightning_carbon.settings` and of trainers' callbacks, by name.

    Raises:
        ConfigError: An argument cannot be used; the message names it and the fix.
    """

    state_key = "CarbonTrainerCallback"
    """Lightning's Trainer reads this attribute before it calls :meth:`setup`, which refuses that Trainer."""

    def __init__(self, **settings: Unpack[TrainerSettings]) -> None:
        super().__init__()
        of_meter, own = split(settings, TRAINER_ONLY)
        self._runs = TrainerRuns(configure(**of_meter), own["count_batch"], own["copy_record"])
        self._misses_trainer = False

    @property
    def meter(self) -> Meter | None:
        """The meter of the present or the last run; ``None`` before the first run, and in copies."""
        return None if self._runs.run is None else self._runs.run.meter

    @property
    def record(self) -> RunRecord | None:
        """The record of the last run that has ended; ``None`` before the first has."""
        return self._runs.record

    @property
    def record_path(self) -> str | None:
        """The path of that record in the ledger; ``None`` before, or where it could not be written."""
        return None if self._runs.record is None else self._runs.record.location

    def attach(self, trainer: Any) -> Self:  # noqa: ANN401 - a Trainer of any version
        """Join a Trainer that exists already; not needed for a Trainer that got this callback as an argument.

        Unlike with ``trainer.add_callback``, the callback also learns when the next ``train()`` begins and how it ends.

        Args:
            trainer: The Trainer.

        Returns:
            This callback.

        Raises:
            ConfigError: It is no Trainer, or has another such callback.
        """
        handler = getattr(trainer, "callback_handler", None)
        if handler is None:
            raise ConfigError("trainer", trainer, "give a transformers.Trainer.")
        if not any(held is self for held in handler.callbacks):
            join_before = [*handler.callbacks]
            handler.callbacks = [*join_before, self]
            try:
                join(handler, trainer, self)
            except ConfigError:
                handler.callbacks = join_before
                raise
        join(handler, trainer, self)
        return self

    # -- the run ----------------------------------------------------------------------------------------------------

    @guarded(ConfigError)
    def on_init_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Join the Trainer that was given this callback.

        Raises:
            ConfigError: It has another such callback.
        """
        self._join_caller()

    def setup(self, *args: object, **kwargs: object) -> None:
        """Refuse Lightning's Trainer, as no other calls this hook.

        Raises:
            ConfigError: Always.
        """
        fix = "it is for Hugging Face's Trainer; give Lightning's a CarbonCallback with these settings."
        raise ConfigError("callbacks", [CarbonTrainerCallback.state_key], fix)

    def on_exception(self, *args: object, **kwargs: object) -> None:
        """Let Lightning's Trainer report what :meth:`setup` raised."""

    def _join_caller(self) -> None:
        if self._runs.has_given_way:
            return
        handler, trainer = calling_trainer(self)
        if handler is not None:
            join(handler, trainer, self)
        if trainer is None and not self._misses_trainer:
            self._misses_trainer = True
            logger.warning(
                "the Trainer that calls CarbonTrainerCallback cannot be found, so its logs may lack energy: "
                "call attach(trainer) on the callback"
            )


@takes(*TRAINER_SETTINGS)
class AutomaticCallback(CarbonTrainerCallback):
    """An automatic callback, which gives way to a callback that the user gave to the Trainer.

    A class of its own, since the Trainer warns of two callbacks of the same class.

    Args:
        settings: The arguments of :class:`CarbonTrainerCallback`.

    Raises:
        ConfigError: An argument cannot be used.
    """

    def __init__(self, **settings: Unpack[TrainerSettings]) -> None:
        super().__init__(**automatic(settings))
        self._runs.is_automatic = True


# Once this module is imported, report_to="lightning_carbon" works.
of_this_process.offer()
