"""The runs of a Hugging Face Trainer: the present run, its phase and its part.

Knows the Trainer's arguments, but none of its classes. A run begins when ``train()`` is called, and ends with the
Trainer's last log of it, where the Trainer's own ``train_runtime`` also ends; anything later, such as loading the best
model again, is in no figure. ``evaluate()`` and ``predict()`` are phases of the present run, else runs of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from weakref import ReferenceType, ref

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.integrations.huggingface import trl
from lightning_carbon.integrations.huggingface.checkpoints import CheckpointStates, checkpoint_in
from lightning_carbon.integrations.huggingface.run import TrainerRun
from lightning_carbon.integrations.huggingface.tokens import TokensSeen, tokens_seen
from lightning_carbon.integrations.huggingface.tracking import tell_end, tell_start
from lightning_carbon.integrations.huggingface.trainers import accelerators
from lightning_carbon.integrations.shared.batch import BatchCounter, Count, CountBatch, count
from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.integrations.shared.starting import start_meter
from lightning_carbon.integrations.shared.trainer_settings import CopyRecord
from lightning_carbon.integrations.trackers.finished import FinishedRun
from lightning_carbon.metering.engine import status_of
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.settings import MeterConfig
from lightning_carbon.settings.checks import OnBudget
from lightning_carbon.wiring import copy_record, ranks_as

_KEPT: Final = ("_config", "_count_batch", "_copy_record", "record", "is_automatic", "has_given_way")
"""The attributes that are copied and sent to other processes."""


class TrainerRuns:
    """The runs of a Trainer, in turn.

    Args:
        config: The settings, checked.
        count_batch: Counts the samples and tokens of a batch.
        copy_record: Whether a copy of the record lies in ``output_dir``, and whether it is whole.

    Attributes:
        is_automatic: Whether the callback is automatic, and gives way to a callback that the user gave.
        has_given_way: Whether it has done so, and meters nothing.
        checkpoints: The states in the Trainer's checkpoints.
        record: The record of the last run that has ended.
        trained: The records of the Trainer's trainings that have ended, in order.
        tells_parts: Whether the parts of steps are metered.
        may_log: Whether the Trainer does what is due after a step: it logs, saves and evaluates.
    """

    def __init__(
        self, config: MeterConfig, count_batch: CountBatch = count, copy_record: CopyRecord | None = None
    ) -> None:
        self._config = config
        self.tells_parts = config.detail != "phase"
        self._count_batch = count_batch
        self._copy_record = True if copy_record is None else copy_record
        self.is_automatic = False
        self.has_given_way = False
        self.checkpoints = CheckpointStates()
        self.record: RunRecord | None = None
        self.trained: list[RunRecord] = []
        self._counter = BatchCounter(self._counted if count_batch is count else count_batch)
        self._run: TrainerRun | None = None
        self._has_masks = False
        self._calls = 0
        self._evaluations = 0
        self._is_in_step = False
        self.may_log = False
        self._copy_to: str | None = None
        self._trainer: ReferenceType[Any] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The settings and the last record, without threads or the present run."""
        return {name: vars(self)[name] for name in _KEPT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the settings and the last record, without a present run."""
        self.__init__(state["_config"], state["_count_batch"])  # type: ignore[misc]  # nothing else needs setting up
        vars(self).update(state)

    def serve(self, trainer: Any) -> None:  # noqa: ANN401 - a Trainer
        """Keep a weak reference to the Trainer, which does not keep it from being deleted."""
        if self.trainer is not trainer:
            self.trained = []  # those of another model
        self._trainer = ref(trainer)

    @property
    def writes_cards(self) -> bool:
        """Whether the cards of models get the figures: where records are copied, and the user gave the callback."""
        return bool(self._copy_record) and not self.is_automatic

    @property
    def run(self) -> TrainerRun | None:
        """The present or the last run; ``None`` before the first run, and in copies."""
        return self._run

    @property
    def running(self) -> TrainerRun | None:
        """The present run, if any."""
        return self._run if self._run is not None and self._run.is_running else None

    # -- a run --------------------------------------------------------------------------------------------------------

    def begin(self, args: Any, model: object, phase: Phase) -> None:  # noqa: ANN401 - TrainingArguments
        """Begin a run, in the process that trains.

        Raises:
            ConfigError: ``devices`` names a device that is not there.
            LedgerError: With ``strict=True`` only: the ledger cannot be written.
        """
        is_training = phase is Phase.SETUP
        # A single copy, of the training: later evaluations must not replace it.
        copies = self._copy_record and is_training and args.output_dir and args.process_index == 0
        self._copy_to = str(args.output_dir) if copies else None
        meter = start_meter(
            self._config,
            lambda: accelerators(args, model),
            phase,
            ranks=ranks_as(args.process_index, args.local_process_index, args.world_size),
        )
        self._run = None
        if meter is not None:
            self._run = TrainerRun(self._config, meter, self._counter, model=model, is_training=is_training)

    @guarded()
    def end(self, status: Status) -> None:
        """End the present run, if any."""
        run = self.running
        if run is None:
            return
        self.record = run.end(status)
        if self._copy_to is not None:
            copy_record(self.record, self._copy_to, whole=self._copy_record == "whole")
        if run.is_training:
            self.trained.append(self.record)
            self._show(run, self.record)

    @guarded()
    def _show(self, run: TrainerRun, record: RunRecord) -> None:
        """Show the run that has ended in what the Trainer's callbacks write for."""
        trainer = self.trainer
        if trainer is not None and trainer.is_world_process_zero():
            ended = FinishedRun(record, run.meter.power_profile, trainer.state.global_step, run.names)
            tell_end(trainer, ended, self._config, copies=self._copy_record)

    @contextmanager
    def training(self, args: Any, model: object) -> Iterator[None]:  # noqa: ANN401 - TrainingArguments
        """Surround a call of ``train()`` with a run, however it ends."""
        if self._calls:
            yield
            return
        # A run is still going on only where no call reported its end, as its callback was added late.
        self.end(Status.FAILED)
        self.begin(args, model, Phase.SETUP)
        with self._call():
            yield

    @contextmanager
    def evaluating(self, args: Any, model: object, phase: Phase) -> Iterator[None]:  # noqa: ANN401 - TrainingArguments
        """Surround a call of ``evaluate()`` or ``predict()`` with a phase of the present run, or a run of its own."""
        self._evaluations += 1
        try:
            if self.running is not None:
                with self.during(phase):
                    self.begin_evaluation()
                    yield
            else:
                self.begin(args, model, phase)
                with self._call():
                    yield
        finally:
            self._evaluations -= 1

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Surround a block with a phase of the present run."""
        outer = self.enter(phase)
        try:
            yield
        finally:
            self.enter(outer)

    def enter(self, phase: str | None) -> str | None:
        """Enter a phase, if a run is going on.

        Returns:
            The phase that ends here.
        """
        run = self.running
        return None if run is None or phase is None else run.meter.enter(phase)

    @guarded()
    def begin_evaluation(self) -> None:
        """An evaluation begins, within a run."""
        if (run := self.running) is not None:
            run.begin_evaluation()

    @guarded()
    def take_state(self) -> None:
        """Keep the state for the checkpoint that is about to be saved."""
        if self._run is not None and self._run.is_training:
            self.checkpoints.take(self._run.meter.state_dict())

    @guarded()
    def write_state(self, args: Any, output_dir: Callable[[], str], step: int) -> None:  # noqa: ANN401 - see above
        """Put the kept state into the checkpoint that has been saved.

        Args:
            args: The Trainer's arguments.
            output_dir: Gives the folder in which it saves checkpoints.
            step: The step of the checkpoint.
        """
        if args.should_save:
            self.checkpoints.write(checkpoint_in(Path(output_dir()), step))

    @guarded()
    def load_state(self, args: Any, step: int) -> None:  # noqa: ANN401 - TrainingArguments
        """Continue the training that the Trainer has loaded, if any.

        Args:
            args: The Trainer's arguments.
            step: The step that it continues from.
        """
        if self._run is not None and step > 0 and args.output_dir:
            state = self.checkpoints.read(Path(args.output_dir), step)
            if state is not None:
                self._run.meter.load_state_dict(state)

    @property
    def is_logging(self) -> bool:
        """Whether the Trainer's own log of a step may be coming."""
        return self.may_log and not self.is_evaluating

    @property
    def is_in_step(self) -> bool:
        """Whether ``training_step()`` is going on."""
        return self._is_in_step

    def enter_part(self, part: str) -> None:
        """Enter a part of the present phase, if parts are metered and a run is going on."""
        if self.tells_parts and (run := self.running) is not None:
            run.meter.enter_part(part)

    @guarded()
    def watch_modules(self, model: object) -> None:
        """Watch the modules of the model, as it is wrapped and compiled where the Trainer is known."""
        if (run := self.running) is not None:
            run.meter.watch_modules(getattr(self.trainer, "model_wrapped", None) or model)

    @contextmanager
    def step(self) -> Iterator[None]:
        """Surround a call of ``training_step()``; time outside the calls in it is the part ``other``."""
        self._is_in_step = True
        try:
            yield
        finally:
            self._is_in_step = False
            self.enter_part(Part.OTHER)

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Surround a call that fetches batches."""
        self.enter_part(Part.DATA)
        try:
            yield
        finally:
            self.enter_part(Part.OTHER)

    @property
    def trainer(self) -> Any:  # noqa: ANN401 - a Trainer
        """The Trainer; ``None`` where it is not known, or deleted."""
        return None if self._trainer is None else self._trainer()

    @property
    def on_budget(self) -> OnBudget:
        """The consequence of a budget that is used up."""
        return self._config.on_budget

    @property
    def is_inside_call(self) -> bool:
        """Whether the run ends with the call that it began with, however that ends."""
        return self._calls > 0

    @property
    def is_evaluating(self) -> bool:
        """Whether ``evaluate()`` or ``predict()`` is known to be going on."""
        return self._evaluations > 0

    @contextmanager
    def _call(self) -> Iterator[None]:
        self._calls += 1
        error: type[BaseException] | None = None
        try:
            yield
        except BaseException as raised:
            error = type(raised)
            raise
        finally:
            self._calls -= 1
            self.end(status_of(error))

    # -- steps and figures ------------------------------------------------------------------------------------------

    @guarded()
    def fetched(self, batches: Sequence[object]) -> None:
        """Count batches that were fetched for the next step, unless what it learns from is made of them later."""
        makes_others = self._count_batch is count and trl.prepares(type(self.trainer))
        if self.running is not None and not makes_others:
            for batch in batches:
                self._counter.add(batch)
                self._has_masks = isinstance(batch, Mapping) and "attention_mask" in batch

    @guarded()
    def prepared(self, inputs: object) -> None:
        """Note the completions that a step learns from, unless the user counts what was fetched."""
        if self.running is not None and self._count_batch is count and not self.is_evaluating:
            self._counter.add(inputs)

    def _counted(self, batch: object) -> Count:
        return trl.corrected(self.trainer, batch, count(batch))

    def tokens_seen(self, args: Any, state: Any) -> TokensSeen | None:  # noqa: ANN401 - TrainingArguments, TrainerState
        """The Trainer's own count of tokens so far; ``None`` where it does not count, or the user does."""
        if self._count_batch is not count:
            return None
        return tokens_seen(self.trainer, args, state, has_masks=self._has_masks)

    def step_figures(self, step: int) -> dict[str, float]:
        """A row for the log of a step, if a run is going on."""
        run = self.running
        if run is None:
            return {}
        if not run.has_rows:
            self._introduce()
        return run.step_figures(step)

    def final_figures(self, step: int) -> dict[str, float]:
        """End the run, and tell the last row and the totals, for the log of the last step."""
        run = self.running
        if run is None:
            return {}
        if not run.has_rows:
            self._introduce()
        self.end(Status.COMPLETED)
        return run.final_figures(step)

    @guarded()
    def _introduce(self) -> None:
        """Tell trackers what has to be told before the first row."""
        trainer = self.trainer
        if trainer is not None and trainer.is_world_process_zero():
            tell_start(trainer, self._config)

    @guarded()
    def tell_late_figures(self, trainer: Any, metrics: object) -> None:  # noqa: ANN401 - a Trainer
        """Tell what was not settled when the last of several sets was evaluated, in a run of its own that has ended.

        Args:
            trainer: The Trainer, which logs it.
            metrics: What ``evaluate()`` returns.
        """
        run = self._run
        if run is None or run.is_training or run.is_running or self._evaluations:
            return
        figures = run.late_figures()
        if figures and isinstance(metrics, dict):
            metrics.update(figures)
            trainer.log(figures)

    def evaluation_figures(self, prefix: str, phase: Phase) -> dict[str, float]:
        """The energy of an evaluation for its own log; a run of its own ends here.

        Args:
            prefix: The Trainer's prefix of this evaluation's metrics.
            phase: The phase of the evaluation.
        """
        run = self.running
        if run is None:
            return {}
        if not run.is_training and self._evaluations == 1:
            self.end(Status.COMPLETED)
        return run.evaluation_figures(prefix, phase)


def runs_of(handler: object) -> list[TrainerRuns]:
    """The runs of every metering callback in a Trainer's list of callbacks, in order of precedence.

    Callbacks with a present run come first, then callbacks that the user gave.
    """
    found = [getattr(callback, "_runs", None) for callback in getattr(handler, "callbacks", ())]
    known = [runs for runs in found if isinstance(runs, TrainerRuns) and not runs.has_given_way]
    if len(known) > 1:  # this is asked for twice at every step
        known.sort(key=lambda runs: (runs.running is None, runs.is_automatic))
    return known
