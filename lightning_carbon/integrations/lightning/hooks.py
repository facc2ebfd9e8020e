"""The hooks that follow a trainer of Lightning: its phases, the parts of its steps, and its end."""

from __future__ import annotations

from typing import Any, Final

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.integrations.lightning.bases import BothCallbacks
from lightning_carbon.integrations.lightning.calls import after_next_call
from lightning_carbon.integrations.lightning.runs import FIT, EntryRuns
from lightning_carbon.integrations.lightning.trainers import (
    LightningModule,
    Trainer,
    name_of,
)
from lightning_carbon.integrations.shared.guard import guarded

CHECKPOINT_KEY: Final = "lightning_carbon"
"""A key of our own in checkpoints, since a callback's state would also be restored for ``test(ckpt_path=...)``."""


class MeterHooks(BothCallbacks):
    """Reports the trainer's events to its runs."""

    _runs: EntryRuns

    # -- phases -----------------------------------------------------------------------------------------------------

    @guarded()
    def on_sanity_check_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin the sanity check, a trial of the validation."""
        self._runs.enter(Phase.SANITY)

    @guarded()
    def on_sanity_check_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go back to setting up."""
        self._runs.enter(Phase.SETUP)

    @guarded()
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Enter the training phase."""
        self._runs.restart_steps(trainer)
        self._runs.enter(Phase.TRAIN)
        self._runs.enter_part(Part.DATA)
        self._runs.watch_modules(pl_module)
        # Callbacks that monitor these look for them at the first validation, perhaps before the first row.
        self._runs.show_totals(trainer)

    @guarded()
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the training phase."""
        self._runs.enter(Phase.OTHER)

    @guarded()
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Enter the validation phase."""
        if not trainer.sanity_checking:
            self._runs.enter(Phase.VALIDATE)

    @guarded()
    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Bring the totals up to date for callbacks that monitor them in ``on_validation_end``."""
        if self._runs.stage == FIT and not trainer.sanity_checking:
            self._runs.show_monitored_totals(trainer)

    @guarded()
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go back to training, if this validation was part of it."""
        if not trainer.sanity_checking:
            self._runs.enter(Phase.TRAIN if self._runs.stage == FIT else Phase.OTHER)

    @guarded()
    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Enter the test phase."""
        self._runs.enter(Phase.TEST)

    @guarded()
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the test phase."""
        self._runs.enter(Phase.OTHER)

    @guarded()
    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Enter the prediction phase."""
        self._runs.enter(Phase.PREDICT)

    @guarded()
    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the prediction phase."""
        self._runs.enter(Phase.OTHER)

    @guarded()
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Put the energy so far into this checkpoint, and attribute the time until the file is written to saving."""
        state = self._runs.state_now()
        if state:
            checkpoint[CHECKPOINT_KEY] = state
        meter = self._runs.meter
        if meter is None or not meter.is_running or self._runs.is_searching:
            return
        outer = meter.enter(Phase.CHECKPOINT)
        # No hook reports that the file is written. The next hook may come only after the wait for the next batch, which
        # belongs to a step.
        after_next_call(trainer.strategy, "save_checkpoint", lambda: meter.enter(outer))

    @guarded()
    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Continue the training of a checkpoint; a checkpoint that is loaded for a test changes nothing."""
        # A tuner goes back to the state before its search, which is not another training.
        if name_of(trainer.state.fn) == FIT and CHECKPOINT_KEY in checkpoint and not self._runs.is_searching:
            self._runs.resume(checkpoint[CHECKPOINT_KEY])

    # -- steps ------------------------------------------------------------------------------------------------------

    @guarded()
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int) -> None:
        """Enter the training phase, whatever happened before; the batch has arrived on its device."""
        self._runs.enter(Phase.TRAIN)
        if not self._runs.tells_parts:
            return
        # In manual optimization, a module may do anything in any order: only its backward passes are reported.
        self._runs.enter_part(Part.FORWARD if pl_module.automatic_optimization else Part.OTHER)

    # The trainer calls these at every step: where no parts are metered, they end before anything else is called.

    def on_before_backward(self, trainer: Trainer, pl_module: LightningModule, loss: object) -> None:
        """Begin the backward pass."""
        if self._runs.tells_parts:
            self._enter_part(Part.BACKWARD)

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the backward pass."""
        if self._runs.tells_parts:
            self._enter_part(Part.OTHER)

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: object) -> None:
        """Begin to clip gradients and to change weights, the last part of the batch."""
        if self._runs.tells_parts and pl_module.automatic_optimization:
            self._enter_part(Part.OPTIMIZER)

    @guarded()
    def _enter_part(self, part: Part) -> None:
        self._runs.enter_part(part)

    @guarded()
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        """Mark the end of a step, and log a row where the trainer's own metrics are due."""
        self._runs.enter_part(Part.OTHER)
        try:
            self._runs.end_batch(trainer, batch)
        finally:
            self._runs.enter_part(Part.DATA)

    @guarded()
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to wait for the first batch of an epoch, whose number of steps is known by now."""
        self._runs.enter_part(Part.DATA)
        self._runs.tell_plan(trainer)

    @guarded()
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Bring the totals up to date for callbacks that monitor them here, such as ``ModelCheckpoint``."""
        self._runs.enter_part(Part.OTHER)
        self._runs.show_monitored_totals(trainer)
