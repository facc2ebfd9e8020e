"""The callback for loops on Lightning Fabric, which calls callbacks by the names of their methods.

Fabric itself calls two hooks: ``on_after_setup`` once a model is set up, and ``on_after_optimizer_step``. All others
are called where a loop says so, by ``fabric.call("on_train_end")``. Since any object is a callback, nothing of Fabric
is imported, and both of its packages are served.
"""

from __future__ import annotations

from typing import Any, Final, Unpack, cast

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.errors import BudgetReached, ConfigError, LedgerError
from lightning_carbon.integrations.shared.batch import BatchCounter
from lightning_carbon.integrations.shared.guard import guarded, told_of
from lightning_carbon.integrations.shared.starting import start_meter_of
from lightning_carbon.integrations.shared.trainer_settings import FABRIC_OWN, FabricSettings, split
from lightning_carbon.meter import Meter
from lightning_carbon.metering.engine import status_of
from lightning_carbon.records.rows import Row
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.settings import SETTINGS, configure
from lightning_carbon.settings.signatures import takes
from lightning_carbon.wiring import ranks_as

_LEFT_BEHIND: Final = {"meter": None, "_fabric": None}
"""What a copy of the callback, such as that for another process, does not take along."""


@takes(*SETTINGS, *FABRIC_OWN)
class CarbonFabricCallback:
    """Meters the energy and the CO2e of a loop on Lightning Fabric, and logs them to its loggers.

    A run begins when ``fabric.setup()`` has set up a model, every step of an optimizer is a step, and rows go to all
    loggers of Fabric. It ends with ``fabric.call("on_train_end")``, which also logs the last row, or else with the
    process.

    Example:
        >>> from lightning_carbon import CarbonFabricCallback
        >>> carbon = CarbonFabricCallback(region="SE", project="lisa")

        Give it to Fabric: ``Fabric(callbacks=[carbon])``.

    A loop may call more hooks, as Lightning's trainers do: ``fabric.call("on_train_batch_start", batch, index)`` counts
    samples and tokens, ``on_validation_start`` and ``on_validation_end`` enclose a phase, and with ``detail="step"``
    ``on_before_backward``, ``on_after_backward`` and ``on_before_optimizer_step`` divide a step. Where models are set
    up by ``fabric.setup_module()``, which calls no hook, ``fabric.call("on_train_start", fabric)`` begins the run.

    The callback also goes into a checkpoint, ``fabric.save(path, {"model": model, "carbon": carbon})``, so a loop that
    loads it continues its totals.

    Args:
        settings: Those of the table in :mod:`lightning_carbon.settings` and of this callback, by name.

    Raises:
        ConfigError: An argument cannot be used; the message names it and the fix.

    Attributes:
        meter: The meter of the present or the last run; ``None`` before the first, and in copies.
    """

    def __init__(self, **settings: Unpack[FabricSettings]) -> None:
        of_meter, own = split(cast("Any", settings), FABRIC_OWN)
        self._config = configure(**of_meter)
        self._counter = BatchCounter(own["count_batch"])
        self._log_every = own["log_every_n_steps"]
        self._tells_parts = self._config.detail != "phase"
        self._state: dict[str, Any] = {}
        self._fabric: Any = None
        self._steps = 0
        self._row_at: int | None = None
        self.meter: Meter | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The state that is sent to other processes: settings and counts, no threads, devices or loggers."""
        return vars(self) | _LEFT_BEHIND

    @property
    def record(self) -> RunRecord | None:
        """The record of the last run, once it has ended; ``None`` before."""
        return None if self.meter is None or self.meter.is_running else self.meter.record

    # -- a run --------------------------------------------------------------------------------------------------------

    def on_after_setup(self, fabric: Any, *_: object, **__: object) -> None:  # noqa: ANN401 - of any package
        """Begin a run, unless one goes on: another model of the same loop is set up."""
        self._begin(fabric)

    def on_train_start(self, fabric: Any = None, *_: object, **__: object) -> None:  # noqa: ANN401 - see above
        """Begin a run that no ``setup()`` has begun, and enter the training phase."""
        if fabric is not None:
            self._begin(fabric)
        self._enter(Phase.TRAIN)

    @guarded(ConfigError, LedgerError)
    def _begin(self, fabric: Any) -> None:  # noqa: ANN401 - see above
        """Begin a run.

        Raises:
            ConfigError: ``devices`` names a device that is not there.
            LedgerError: With ``strict=True`` only: the ledger cannot be written.
        """
        if self._running is not None:
            return
        self._fabric, self._steps, self._row_at = fabric, 0, None
        self._counter.take()
        ranks = ranks_as(fabric.global_rank, fabric.local_rank, fabric.world_size)
        self.meter = start_meter_of(Meter, self._config, lambda: [fabric.device], phase=Phase.TRAIN, ranks=ranks)
        if self.meter is not None and self._state:
            self.meter.load_state_dict(self._state)

    @guarded()
    def on_train_end(self, *_: object, **__: object) -> None:
        """End the run, and log its last row."""
        meter = self._running
        if meter is not None:
            meter.stop()
            self._state = meter.state_dict()
            self._log(meter.row())

    on_fit_end = on_train_end
    """The name that Lightning's trainers have for the end of all that a training does."""

    @guarded()
    def on_exception(self, exception: BaseException | None = None, *_: object, **__: object) -> None:
        """End the run with a status by the exception that ended the loop."""
        meter = self._running
        if meter is not None:
            meter.stop(Status.FAILED if exception is None else status_of(type(exception)))

    @property
    def _running(self) -> Meter | None:
        """The meter of the present run; ``None`` where none goes on."""
        return self.meter if self.meter is not None and self.meter.is_running else None

    # -- steps --------------------------------------------------------------------------------------------------------

    @guarded(BudgetReached)
    def on_after_optimizer_step(self, *_: object, **__: object) -> None:
        """Mark the end of a step, and log a row where one is due.

        Raises:
            BudgetReached: The run has used up its budget, and ``on_budget`` says to stop.
        """
        meter = self._running
        if meter is None:
            return
        counted = self._counter.take()
        self._enter_part(Part.OTHER)
        meter.step_done(counted.samples, counted.tokens)
        meter.tell_padding(counted.with_padding, counted.padding)
        self._enter_part(Part.DATA)
        self._steps += 1
        if self._steps % self._log_every == 0:
            row = meter.next_row()
            if row is not None:
                self._log(row)

    @guarded()
    def on_train_batch_start(self, batch: object = None, *_: object, **__: object) -> None:
        """Count a batch for the step that it belongs to, and enter the training phase."""
        self._enter(Phase.TRAIN)
        self._enter_part(Part.FORWARD)
        if self._running is not None and batch is not None:
            self._counter.add(batch)

    def on_before_backward(self, *_: object, **__: object) -> None:
        """Begin a backward pass."""
        self._enter_part(Part.BACKWARD)

    def on_after_backward(self, *_: object, **__: object) -> None:
        """End a backward pass."""
        self._enter_part(Part.OTHER)

    def on_before_optimizer_step(self, *_: object, **__: object) -> None:
        """Begin to change weights."""
        self._enter_part(Part.OPTIMIZER)

    def on_train_batch_end(self, *_: object, **__: object) -> None:
        """Begin to wait for the next batch."""
        self._enter_part(Part.DATA)

    # -- phases -------------------------------------------------------------------------------------------------------

    def on_train_epoch_start(self, *_: object, **__: object) -> None:
        """Enter the training phase."""
        self._enter(Phase.TRAIN)

    def on_validation_start(self, *_: object, **__: object) -> None:
        """Enter the validation phase."""
        self._enter(Phase.VALIDATE)

    def on_validation_end(self, *_: object, **__: object) -> None:
        """Go back to training."""
        self._enter(Phase.TRAIN)

    on_validation_epoch_start = on_validation_start
    on_validation_epoch_end = on_validation_end

    def on_test_start(self, *_: object, **__: object) -> None:
        """Enter the test phase."""
        self._enter(Phase.TEST)

    def on_test_end(self, *_: object, **__: object) -> None:
        """Leave the test phase."""
        self._enter(Phase.OTHER)

    @guarded()
    def _enter(self, phase: Phase) -> None:
        meter = self._running
        if meter is not None:
            meter.enter(phase)

    @guarded()
    def _enter_part(self, part: Part) -> None:
        meter = self._running if self._tells_parts else None
        if meter is not None:
            meter.enter_part(part)

    # -- rows and checkpoints -----------------------------------------------------------------------------------------

    def _log(self, row: Row) -> None:
        """Hand a row to every logger, at the place of the last step, counted from 0 as loops do."""
        step = max(0, self._steps - 1)
        metrics = row.as_metrics_at(step, self._row_at)
        self._row_at = step
        if not metrics or not self._fabric.is_global_zero:
            return
        for logger in self._fabric.loggers:
            with told_of(logger):  # it is the user's, and the others work
                logger.log_metrics(metrics=metrics, step=step)

    @guarded()
    def state_dict(self) -> dict[str, Any]:
        """The statement for a checkpoint on the energy that led to it."""
        meter = self._running
        if meter is not None:
            self._state = meter.state_dict()
        return self._state

    @guarded()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue the training of a checkpoint, now or once the run begins.

        Args:
            state: The result of :meth:`state_dict` when the checkpoint was written.
        """
        self._state = state
        meter = self._running
        if meter is not None:
            meter.load_state_dict(state)
