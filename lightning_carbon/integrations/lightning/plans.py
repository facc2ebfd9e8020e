"""The plan of a fit by a trainer of Lightning, as far as its arguments tell."""

from __future__ import annotations

import math
from typing import Final

from lightning_carbon.integrations.lightning.trainers import Trainer, steps_per_epoch
from lightning_carbon.integrations.trackers.kinds import is_called
from lightning_carbon.metering.outlook import Planned

_BY_TIME: Final = "Timer"
"""The callback behind ``Trainer(max_time=...)``, which ends a fit at an unknown step."""
_BATCH_DIGITS: Final = 3


def tell_plan(meter: Planned, trainer: Trainer, done: int) -> None:
    """Give a meter the plan of a fit from its beginning on, as far as its length is known.

    Early stopping may end it before; that is no plan.

    Args:
        meter: The meter of the fit.
        trainer: The trainer, with the data of its epoch.
        done: The steps taken before, in the training that it continues.
    """
    per_epoch = steps_per_epoch(trainer) if math.isfinite(trainer.num_training_batches) else math.inf
    meter.tell_epoch(per_epoch)
    steps = min(_epochs(trainer) * per_epoch, _steps(trainer)) - done
    if not 0 < steps < math.inf or any(is_called(callback, _BY_TIME) for callback in trainer.callbacks):
        meter.tell_plan(None)
        return
    batches = sum(trainer.num_val_batches) if trainer.enable_validation else 0
    meter.tell_plan(
        math.ceil(steps),
        validations=_validations(trainer, done, steps, per_epoch=per_epoch),
        validation_batches=batches if math.isfinite(batches) else 0.0,
    )


def _epochs(trainer: Trainer) -> float:
    epochs = trainer.max_epochs
    return math.inf if epochs is None or epochs < 0 else float(epochs)


def _steps(trainer: Trainer) -> float:
    """The planned steps of all optimizers, each of which takes a step with each batch."""
    return math.inf if trainer.max_steps < 0 else trainer.max_steps / max(1, len(trainer.optimizers))


def _validations(trainer: Trainer, done: int, steps: float, *, per_epoch: float) -> float | None:
    """The validations in so many steps after those that are done, as far as they go by batches."""
    if not trainer.enable_validation:
        return 0.0
    every = trainer.val_check_batch
    if every is None or math.isinf(per_epoch):  # by the clock, or at the end of data of unknown length
        return None
    if trainer.check_val_every_n_epoch is None:
        return float(steps * max(1, trainer.accumulate_grad_batches) // every)
    first, last = (_validations_by(trainer, count / per_epoch, every) for count in (done, done + steps))
    return last - first


def _validations_by(trainer: Trainer, epochs: float, every: float) -> float:
    """The validations in the first so many epochs, the last of which may end in its middle."""
    whole, batches = int(epochs), epochs % 1 * trainer.num_training_batches
    in_epoch = max(1, trainer.num_training_batches // every) if math.isfinite(every) else 1
    is_validated = (whole + 1) % trainer.check_val_every_n_epoch == 0
    # Rounded, as a share of an epoch times its batches may lie a little below the batches that it is.
    in_last = round(batches, _BATCH_DIGITS) // every if is_validated else 0
    return float(whole // trainer.check_val_every_n_epoch * in_epoch + in_last)
