"""The runs of a trainer of Lightning: the meter of the present run, its steps, its end.

Each call of fit, validate, test or predict is a run with a record. It begins in ``setup``, which
runs in the process that trains, after any fork or spawn, and ends in ``teardown``: later than ``on_train_end``, where
models still leave their devices, and before the loggers are closed, in time to log the last row.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.integrations.lightning import trainers
from lightning_carbon.integrations.lightning.calls import CallWatch
from lightning_carbon.integrations.lightning.handover import Handover
from lightning_carbon.integrations.lightning.plans import tell_plan
from lightning_carbon.integrations.lightning.rows import TOTALS, RowLog, show_totals
from lightning_carbon.integrations.lightning.trainers import LightningModule, Trainer, name_of
from lightning_carbon.integrations.shared.batch import BatchCounter
from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.integrations.shared.model_size import model_size
from lightning_carbon.integrations.shared.starting import start_meter
from lightning_carbon.integrations.shared.trainer_settings import CopyRecord
from lightning_carbon.integrations.trackers.ending import ending_of, show_ending
from lightning_carbon.integrations.trackers.finished import FinishedRun
from lightning_carbon.integrations.trackers.kinds import is_called
from lightning_carbon.integrations.trackers.lookup import LIGHTNING, targets_among
from lightning_carbon.integrations.trackers.tensorboard import show_finished_run
from lightning_carbon.meter import Meter
from lightning_carbon.metering.engine import status_of
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.settings import MeterConfig
from lightning_carbon.wiring import copy_record, ranks_as

FIT: Final = "fit"


class EntryRuns:
    """The runs of a trainer, each a call of fit, validate, test or predict.

    Args:
        config: The settings, checked.
        counter: Counts the samples and tokens of batches.
        copy_record: Whether a copy of the record lies beside the logs, and whether it is whole.
        progress_bar: Whether the progress bar shows watts and gCO2e.

    Attributes:
        meter: The meter of the present or the last run.
        stage: The entry of the present run: ``fit``, ``validate``, ``test`` or ``predict``.
        state: The state of the meter in the training's checkpoint.
        tells_parts: Whether the parts of steps are metered.
        is_searching: Whether a tuner searches for a learning rate or a batch size.
        is_automatic: Whether the callback is automatic; then metrics to monitor are there only where one is monitored.
    """

    meter: Meter | None = None
    is_searching = False
    _watch: CallWatch | None = None

    def __init__(
        self, config: MeterConfig, counter: BatchCounter, *, copy_record: CopyRecord | None, progress_bar: bool
    ) -> None:
        self._config = config
        self._counter = counter
        self._copy_record = True if copy_record is None else copy_record
        self._progress_bar = progress_bar
        self.is_automatic = False
        self.tells_parts = config.detail != "phase"
        self._last_step = 0
        self._steps_before = 0
        self._rows = RowLog()
        self._record: RunRecord | None = None
        self._handover = Handover(config.ledger)
        self.stage = FIT
        self.state: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """The state that is copied and sent to other processes: settings and the last record, no threads or devices."""
        return {name: value for name, value in vars(self).items() if name not in {"meter", "_watch"}}

    # -- a run --------------------------------------------------------------------------------------------------------

    def begin(self, trainer: Trainer, stage: str) -> None:
        """Begin a run.

        Raises:
            ConfigError: ``devices`` names a device that is not there.
            LedgerError: With ``strict=True`` only: the ledger cannot be written.
        """
        self.stage = stage
        self._rows = RowLog(
            "" if stage == FIT else f"{stage}/", progress_bar=self._progress_bar, is_automatic=self.is_automatic
        )
        self._counter.take()
        if stage == FIT:
            self.state = {}
        self._last_step = trainers.batches_that_stepped(trainer)
        ranks = ranks_as(trainer.global_rank, trainer.local_rank, trainer.world_size)
        self.is_searching = False
        self.meter = meter = start_meter(self._config, lambda: trainers.devices(trainer), Phase.SETUP, ranks=ranks)
        if meter is not None:
            self._watch = CallWatch(
                trainer,
                lambda: self._finish_if_interrupted(trainer),
                self._searching,
                partial(meter.stop, Status.INTERRUPTED),
            )
            if self.tells_parts:
                self._watch.forward(trainer.strategy, lambda: self._begin_forward(trainer))
            if trainer.strategy.root_device.type != "cpu":
                self._watch.moves(trainer.strategy, lambda batch, moved: self._note_move(trainer, batch, moved))

    def finish(self, trainer: Trainer, status: Status) -> None:
        """End the present run, if any, and show its last row."""
        meter = self.meter
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        if meter is None or not meter.is_running:
            return
        self._record = record = meter.stop(status)
        if self.stage == FIT:
            self.state = meter.state_dict()  # for a checkpoint that is saved later
        if trainer.is_global_zero and self._copy_record:
            # The record of a test lies beside that of the training before it.
            name = f"lightning_carbon_{'' if self.stage == FIT else f'{self.stage}_'}record.json"
            for folder in trainers.log_folders(trainer):
                copy_record(record, folder, name, whole=self._copy_record == "whole")
        self._rows.publish(trainer, meter.row(), self._last_step)
        self._rows.publish_phases(trainer, record, self._last_step)
        if trainer.is_global_zero:
            self._show(trainer, meter, record)
            self._hand_over(record)

    @property
    def record(self) -> RunRecord | None:
        """The record of the last run that has ended, here or in a child of this process; ``None`` before."""
        self._record = self._handover.take() or self._record
        return self._record

    @guarded()
    def _hand_over(self, record: RunRecord) -> None:
        self._handover.leave(record)

    @guarded()
    def _finish_if_interrupted(self, trainer: Trainer) -> None:
        """End a run after an exception without a hook, as a tuner has taken the callbacks off the trainer."""
        if name_of(trainer.state.status) == "interrupted":
            self.finish(trainer, status_of(sys.exc_info()[0]))

    @contextmanager
    def _searching(self) -> Iterator[None]:
        """Surround a search of a tuner, during which no hook is called."""
        outer = self.enter(Phase.TUNE)
        self.is_searching = True
        try:
            yield
        finally:
            self.is_searching = False
            if outer is not None:
                self.enter(outer)

    @guarded()
    def _show(self, trainer: Trainer, meter: Meter, record: RunRecord) -> None:
        """Show the run that has ended in what the loggers of the trainer write for."""
        ended = FinishedRun(
            record,
            meter.power_profile,
            self._last_step,
            self._rows.names,
            self._rows.prefix,
            is_training=self.stage == FIT,
        )
        for logger in trainer.loggers:
            if is_called(logger, "TensorBoardLogger"):
                before = f"{name}-" if (name := getattr(logger, "_prefix", "")) else ""
                show_finished_run(logger.experiment, ended.under(before))
        if self.stage == FIT and (targets := targets_among(trainer.loggers, LIGHTNING)):
            show_ending(targets, ending_of(ended, self._config, copies=self._copy_record))

    # -- phases and steps -------------------------------------------------------------------------------------------

    def restart_steps(self, trainer: Trainer) -> None:
        """Begin to count steps, as the trainer has restored its own count by now, if there was a checkpoint."""
        self._last_step = max(0, trainers.batches_that_stepped(trainer) - 1)
        self._steps_before = trainers.batches_that_stepped(trainer)

    def tell_plan(self, trainer: Trainer) -> None:
        """Tell the meter what the fit is to do, whose epoch has its data by now, and what it trains."""
        if self.meter is not None:
            tell_plan(self.meter, trainer, self._steps_before)
            self._tell_model(self.meter, trainer)

    @guarded()
    def _tell_model(self, meter: Meter, trainer: Trainer) -> None:
        """Tell the size of the model, which callbacks may freeze more of, or less, as epochs begin."""
        size = model_size(trainer.lightning_module)
        if size is not None:
            meter.tell_model(*size)

    def enter(self, phase: str) -> str | None:
        """Enter a phase, if a run is going on.

        Returns:
            The phase that ends here.
        """
        meter = self.meter
        return meter.enter(phase) if meter is not None and meter.is_running else None

    def enter_part(self, part: str) -> None:
        """Enter a part of the present phase, if parts are metered and a run is going on."""
        if self.tells_parts and self.meter is not None and self.meter.is_running:
            self.meter.enter_part(part)

    @guarded()
    def watch_modules(self, module: LightningModule) -> None:
        """Watch the modules of a LightningModule, whose step calls them, if a run is going on."""
        if self.meter is not None and self.meter.is_running:
            self.meter.watch_modules(module, called=False)

    def end_batch(self, trainer: Trainer, batch: object) -> None:
        """Mark the end of a step, unless batches accumulate, and log a row where one is due."""
        meter = self.meter
        if meter is None:
            return
        self._counter.add(batch)
        if trainers.accumulates(trainer):
            return
        self._last_step = trainers.batches_that_stepped(trainer)
        counted = self._counter.take()
        meter.step_done(counted.samples, counted.tokens)
        meter.tell_padding(counted.with_padding, counted.padding)
        if meter.budget_reached:
            self._stop(trainer)
        if trainers.logs_now(trainer):
            row = meter.next_row()
            if row is not None:
                self._rows.publish(trainer, row, self._last_step)
                meter.tell_metrics(trainer.logged_metrics, self._last_step)

    @guarded()
    def _stop(self, trainer: Trainer) -> None:
        """Ask a trainer to stop whose budget is used up, once; several processes come here at the same step."""
        if self._config.on_budget == "warn" or trainer.should_stop or self.meter is None:
            return
        trainer.should_stop = True
        self.meter.tell_stop()
        if self._config.on_budget == "checkpoint_and_stop":
            trainer.save_checkpoint(trainers.budget_checkpoint(trainer))

    @guarded()
    def _begin_forward(self, trainer: Trainer) -> None:
        """Begin a forward pass, perhaps in the middle of an optimizer's step."""
        if trainer.lightning_module.automatic_optimization:
            self.enter_part(Part.FORWARD)

    @guarded()
    def _note_move(self, trainer: Trainer, batch: object, moved: object) -> None:
        """Count a batch that goes to the device, where reading its values would mean waiting."""
        if trainer.training:
            self._counter.note_move(batch, moved)

    def show_monitored_totals(self, trainer: Trainer) -> None:
        """Bring totals up to date between rows, at the cost of a record, if a callback or a schedule monitors them."""
        if trainers.monitors(trainer, TOTALS):
            self.show_totals(trainer)

    def show_totals(self, trainer: Trainer) -> None:
        """Bring the totals up to date for callbacks that monitor them; by hand, for any that may read them."""
        if self.meter is not None and (not self.is_automatic or trainers.monitors(trainer, TOTALS)):
            show_totals(trainer, self.meter.record)

    # -- checkpoints --------------------------------------------------------------------------------------------------

    def state_now(self) -> dict[str, Any]:
        """The state of the meter for a checkpoint that is saved now."""
        if self.stage == FIT and self.meter is not None:
            self.state = self.meter.state_dict()
        return self.state

    def resume(self, state: dict[str, Any]) -> None:
        """Continue the training of a checkpoint; where nothing is metered, pass its state on to the next checkpoint."""
        self.state = state
        if self.meter is not None:
            self.meter.load_state_dict(state)
