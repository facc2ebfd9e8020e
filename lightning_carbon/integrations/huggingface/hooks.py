"""The hooks that follow a Hugging Face Trainer, and add figures to its logs.

The Trainer hands the same dictionary of a log to all its callbacks, first to its own, then to those that ``report_to``
names, then to the user's. So a metering callback moves itself up to the second place, and adds its figures before a
tracker writes the log. ``trainer_state.json`` and ``TrainOutput.metrics`` get them, too.
"""

from __future__ import annotations

import re
from typing import Final

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.integrations.huggingface.plans import stop, tell_plan
from lightning_carbon.integrations.huggingface.runs import TrainerRuns
from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.records.run import Status

_FINAL_LOG: Final = {"train_runtime", "train_loss", "total_flos"}
_RUNTIME: Final = "_runtime"
_LOSS: Final = re.compile(r"(?<![a-z])loss(?![a-z])")
"""A key in the log of every step, for Trainers whose calls cannot be timed or that have a loop of their own."""


class TrainerHooks(TrainerCallback):
    """Reports the Trainer's events to its runs."""

    _runs: TrainerRuns
    _before_evaluation: str | None = None

    @guarded(ConfigError, LedgerError)
    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Set up; called again for another try with smaller batches, which continues the run.

        Raises:
            ConfigError: The trainer has another such callback, or ``devices`` names a missing device.
            LedgerError: With ``strict=True`` only: the ledger cannot be written.
        """
        self._join_caller()
        runs = self._runs
        if runs.has_given_way:
            return
        if runs.running and not runs.is_inside_call and not args.auto_find_batch_size:
            runs.end(Status.FAILED)
        if not runs.running:
            runs.begin(args, kwargs.get("model"), Phase.SETUP)
        runs.load_state(args, state.global_step)
        runs.enter(Phase.SETUP)
        if runs.running:
            runs.watch_modules(kwargs.get("model"))
            seen = runs.tokens_seen(args, state)
            runs.running.restart_steps(0 if seen is None else seen.tokens, state.global_step)

    @guarded()
    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """End the run if it had no last log, as when a search for hyperparameters has pruned it."""
        self._runs.end(Status.PRUNED if state.is_hyper_param_search else Status.COMPLETED)

    # -- phases and steps -------------------------------------------------------------------------------------------

    @guarded()
    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Begin to train: the wait for the first batch belongs to the first step."""
        self._runs.enter(Phase.TRAIN)
        run = self._runs.running
        if run is not None and run.is_training:
            data = getattr(self._runs.trainer, "eval_dataset", None)
            tell_plan(run.meter, args, state, done=run.steps_before, data=data)

    # The Trainer calls these at every step: where no parts are metered, they end before anything else is called.

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Begin to change weights."""
        if self._runs.tells_parts:
            self._enter_part(Part.OPTIMIZER)

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """End changing weights."""
        if self._runs.tells_parts:
            self._enter_part(Part.OTHER)

    @guarded()
    def _enter_part(self, part: Part) -> None:
        self._runs.enter_part(part)

    @guarded()
    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Mark the end of a step."""
        run = self._runs.running
        if run is not None:
            run.step_done(self._runs.tokens_seen(args, state))
            if state.epoch and (control.should_log or not run.knows_epoch):
                run.tell_epoch(state.global_step / state.epoch)
            if run.meter.budget_reached:
                stop(control, run.meter, self._runs.on_budget)
        if control.should_save:  # saving itself also reports it, where it can be timed
            self._runs.take_state()

    @guarded()
    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Take the state for a checkpoint that is about to be saved."""
        if control.should_save:
            self._runs.take_state()

    @guarded()
    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object) -> None:
        """Put the state into a checkpoint, where the saving itself could not be timed."""
        self._runs.write_state(args, lambda: str(args.output_dir), state.global_step)

    @guarded()
    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Begin to evaluate, where the call itself could not be timed."""
        if not self._runs.is_evaluating and self._before_evaluation is None:
            self._before_evaluation = self._runs.enter(Phase.VALIDATE)
            self._runs.begin_evaluation()

    @guarded()
    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Go back to the phase before, where the call itself could not be timed."""
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
        """Add figures to the Trainer's own logs; other logs stay as they are."""
        if logs is None:
            return
        prefix = _prefix(logs)
        if self._runs.is_evaluating or self._before_evaluation is not None:
            figures = {} if prefix is None else self._runs.evaluation_figures(prefix, Phase.VALIDATE)
        elif logs.keys() >= _FINAL_LOG:
            figures = self._runs.final_figures(state.global_step)
        elif self._runs.is_logging or any(map(_LOSS.search, logs)):
            figures = self._runs.step_figures(state.global_step)
        else:
            figures = {}
        if self._runs.running is not None:
            self._runs.running.meter.tell_metrics(logs, state.global_step)
        logs.update(figures)
        # The Trainer has put a copy of the log there already.
        if state.log_history and state.log_history[-1].get("step") == state.global_step:
            state.log_history[-1].update(figures)

    def _join_caller(self) -> None:
        """Join the Trainer that calls."""

    def _leave_evaluation(self) -> None:
        before, self._before_evaluation = self._before_evaluation, None
        self._runs.enter(before)


def _prefix(metrics: dict[str, float]) -> str | None:
    """The prefix of an evaluation's metrics, found by its runtime, which every evaluation has."""
    found = [name for name in metrics if name.endswith(_RUNTIME)]
    return found[0].removesuffix(_RUNTIME) if len(found) == 1 else None
