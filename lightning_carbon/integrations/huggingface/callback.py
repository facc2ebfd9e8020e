"""The callback for the Trainer of Hugging Face's transformers.

The Trainer hands one and the same dictionary of a log to all its callbacks, first to its own, then to those that
``report_to`` names, then to the user's. So this callback moves itself up to the second place, and adds its figures
before anybody writes the log down. ``trainer_state.json`` and ``TrainOutput.metrics`` get them, too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Unpack

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.integrations.autolog.automatic import of_this_process
from lightning_carbon.integrations.huggingface.trainer_calls import calling_trainer, join
from lightning_carbon.integrations.huggingface.trainer_runs import TrainerRuns
from lightning_carbon.integrations.shared.guard import guarded, logger
from lightning_carbon.metering.config import CpuScope, Detail, Devices, GpuScope
from lightning_carbon.metering.engine import Engine
from lightning_carbon.ports import Source
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.wiring import DEFAULT_INTERVAL_SECONDS, Settings, configure

if TYPE_CHECKING:
    from typing import Self

_FINAL_LOG: Final = {"train_runtime", "train_loss", "total_flos"}
_RUNTIME: Final = "_runtime"


class CarbonTrainerCallback(TrainerCallback):
    """Meters the energy and the CO2e of a training, and logs them beside the loss.

    Rows go into the Trainer's logs of steps, so to all that ``report_to`` names, to ``trainer_state.json``, and on the
    x-axis of the loss; TensorBoard shows them as ``train/energy/total_joules`` and so on. The last log of a training,
    which is ``TrainOutput.metrics``, has the last row and the totals: ``train_energy_joules``, ``train_energy_kwh``,
    ``train_energy_<phase>_joules`` and ``train_carbon_grams_co2e`` with its range. The log of an evaluation has
    ``eval_energy_joules`` and ``eval_carbon_grams_co2e``. A copy of the record lies in ``output_dir``. Evaluating and
    predicting outside a training are runs of their own.

    A run ends where the Trainer's ``train_runtime`` ends, before it loads the best model again.

    Example:
        >>> from lightning_carbon import CarbonTrainerCallback
        >>> callback = CarbonTrainerCallback(region="SE", project="lisa")

        To be given to a trainer: ``Trainer(callbacks=[callback], ...)``. To one that is there already:
        ``callback.attach(trainer)``.

    Args:
        region: Where the electricity is used: an ISO 3166 code (``"SE"``, ``"USA"``) or ``"WORLD"``. Default
            ``LIGHTNING_CARBON_REGION``, else the world average, marked as assumed. Never guessed.
        intensity: Carbon intensity in gCO2e/kWh, instead of a region's yearly average. Default
            ``LIGHTNING_CARBON_INTENSITY``.
        pue: Power usage effectiveness of the site, 1 or more. Default ``LIGHTNING_CARBON_PUE``, else the world
            average, marked as assumed. ``energy/*`` never includes it.
        project: What the run belongs to; the runs of a project add up. Default ``LIGHTNING_CARBON_PROJECT``, else
            ``"default"``.
        run_name: A name for this run. Default ``LIGHTNING_CARBON_RUN_NAME``.
        ledger: The folder of all runs. Default ``LIGHTNING_CARBON_LEDGER``, else the user's data folder.
        interval_seconds: How often sensors are read, 0.01 to 60.
        devices: Which accelerators: ``"auto"`` (those that the trainer computes on; none where it computes on the
            processor), ``"all"``, or indices and UUIDs. Default ``LIGHTNING_CARBON_DEVICES``, else ``"auto"``.
        sources: What to meter instead of what is discovered, such as
            :class:`~lightning_carbon.sources.simulated.SimulatedCounter`.
        per_step: Also write ``steps.csv`` into the run's folder, one line a step.
        strict: Raise at the next hook when a sensor is lost in mid-run, instead of warning once.
        cpu_scope: Whose processor time is charged: ``"process"`` (this job's), ``"machine"`` (all), or ``"auto"``
            (this job's where it has only a part of the machine, or where processors are modelled).
        gpu_scope: How a GPU is charged that other processes use, too: ``"device"`` (whole) or ``"process"`` (by this
            job's share of its utilisation, modelled).
        detail: ``"step"`` also tells the parts of training steps apart: waiting for data (fetching the batches of a
            step), forward (``compute_loss``), backward (from the loss to the end of ``training_step``), optimizer (its
            ``step()``); the rest, such as clipping gradients and logging, is ``other``.

    Raises:
        ConfigError: An argument cannot be used; the message names it and the fix.
    """

    def __init__(
        self,
        region: str | None = None,
        intensity: float | None = None,
        pue: float | None = None,
        project: str | None = None,
        run_name: str | None = None,
        ledger: os.PathLike[str] | str | None = None,
        interval_seconds: float = DEFAULT_INTERVAL_SECONDS,
        devices: Devices | None = None,
        sources: Sequence[Source] | None = None,
        *,
        per_step: bool = False,
        strict: bool = False,
        cpu_scope: CpuScope = "auto",
        gpu_scope: GpuScope = "device",
        detail: Detail = "phase",
    ) -> None:
        super().__init__()
        self._runs = TrainerRuns(
            configure(
                region=region,
                intensity=intensity,
                pue=pue,
                project=project,
                run_name=run_name,
                ledger=ledger,
                interval_seconds=interval_seconds,
                devices=devices,
                sources=sources,
                per_step=per_step,
                strict=strict,
                cpu_scope=cpu_scope,
                gpu_scope=gpu_scope,
                detail=detail,
            )
        )
        self._before_evaluation: Phase | None = None
        self._misses_trainer = False

    @property
    def meter(self) -> Engine | None:
        """The meter of the present run, or of the last; ``None`` before the first, and in copies."""
        return self._runs.meter

    @property
    def record(self) -> RunRecord | None:
        """The record of the last run that has ended; ``None`` before."""
        return self._runs.record

    @property
    def record_path(self) -> str | None:
        """Where that record lies in the ledger; ``None`` before, or where it could not be written."""
        return None if self._runs.record is None else self._runs.record.location

    def attach(self, trainer: Any) -> Self:  # noqa: ANN401 - a Trainer of any version
        """Join a Trainer that is there already; for one that got this callback as an argument, it is not needed.

        Unlike ``trainer.add_callback``, it also learns when the next ``train()`` begins and how it ends.

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
        if not any(one is self for one in handler.callbacks):
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

    @guarded(ConfigError, LedgerError)
    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Set up; called again for another try with smaller batches, which goes on with the run.

        Raises:
            ConfigError: There is another such callback in the trainer, or ``devices`` names one that is not there.
            LedgerError: The ledger cannot be written.
        """
        self._join_caller()
        runs = self._runs
        if runs.has_given_way:
            return
        if runs.is_running and not runs.is_inside_call and not args.auto_find_batch_size:
            runs.end(Status.FAILED)
        if not runs.is_running:
            runs.begin(args, kwargs.get("model"), Phase.SETUP)
        runs.load_state(state)
        runs.enter(Phase.SETUP)
        runs.restart_steps(state.num_input_tokens_seen)

    @guarded()
    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """End the run, if there was no last log of it: it was cut short by a search for hyperparameters."""
        self._runs.end(Status.INTERRUPTED if state.is_hyper_param_search else Status.COMPLETED)

    # -- phases and steps -------------------------------------------------------------------------------------------

    @guarded()
    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Begin to train: the wait for the first batch belongs to the first step."""
        self._runs.enter(Phase.TRAIN)

    @guarded()
    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Begin to change weights."""
        self._runs.enter_part(Part.OPTIMIZER)

    @guarded()
    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """End changing weights."""
        self._runs.enter_part(Part.OTHER)

    @guarded()
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Mark the end of a step."""
        counts_tokens = args.include_num_input_tokens_seen not in {False, "no"}
        # The Trainer counts the tokens of all processes, and this one meters its own share of the energy.
        self._runs.step_done(state.num_input_tokens_seen if counts_tokens and args.world_size == 1 else None)
        if state.epoch:
            self._runs.tell_epoch(state.global_step / state.epoch)
        if control.should_save:  # the saving itself says so, too, where it can be timed
            self._runs.save_state(state)

    @guarded()
    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Say what led to a checkpoint that is about to be saved."""
        if control.should_save:
            self._runs.save_state(state)

    @guarded()
    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Begin to evaluate, where the call itself could not be timed."""
        if not self._runs.is_evaluating and self._before_evaluation is None:
            self._before_evaluation = self._runs.enter(Phase.VALIDATE)

    @guarded()
    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Go back to what was before, where the call itself could not be timed."""
        self._leave_evaluation()

    @guarded()
    def on_predict(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: object,
    ) -> None:
        """Add the energy of a prediction to its metrics."""
        prefix = _prefix(metrics or {})
        if metrics is not None and prefix is not None:
            metrics.update(self._runs.evaluation_figures(prefix, Phase.PREDICT))
        self._leave_evaluation()

    # -- figures ----------------------------------------------------------------------------------------------------

    @guarded()
    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: object,
    ) -> None:
        """Add figures to a log of the Trainer's own; logs of others stay as they are."""
        if logs is None:
            return
        prefix = _prefix(logs)
        if self._runs.is_evaluating or self._before_evaluation is not None:
            figures = {} if prefix is None else self._runs.evaluation_figures(prefix, Phase.VALIDATE)
        elif logs.keys() >= _FINAL_LOG:
            figures = self._runs.final_figures()
        elif "loss" in logs:
            figures = self._runs.step_figures()
        else:
            figures = {}
        logs.update(figures)
        # The Trainer has put a copy of the log there before.
        if state.log_history and state.log_history[-1].get("step") == state.global_step:
            state.log_history[-1].update(figures)

    # -- inside -----------------------------------------------------------------------------------------------------

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

    def _leave_evaluation(self) -> None:
        before, self._before_evaluation = self._before_evaluation, None
        self._runs.enter(before)


class AutomaticCallback(CarbonTrainerCallback):
    """One that nobody gave to the Trainer by hand: it gives way to one that somebody did.

    A class of its own, for the Trainer warns of two callbacks of one class.

    Args:
        settings: The arguments of :class:`CarbonTrainerCallback`.

    Raises:
        ConfigError: An argument cannot be used.
    """

    def __init__(self, **settings: Unpack[Settings]) -> None:
        super().__init__(**settings)
        self._runs.is_automatic = True


def _prefix(metrics: dict[str, float]) -> str | None:
    """What the names of an evaluation's metrics begin with; every evaluation has its runtime among them."""
    found = [name for name in metrics if name.endswith(_RUNTIME)]
    return found[0].removesuffix(_RUNTIME) if len(found) == 1 else None


# Whoever has imported this module may say report_to="lightning_carbon".
of_this_process.offer()
