"""The callback for Lightning's trainers, those of ``pytorch_lightning`` and those of ``lightning.pytorch``.

The two packages hold two copies of one code, and each trainer asks for its own ``Callback`` (by ``isinstance`` up to
2.5, in LightningCLI still), so the class here derives from those of both, as far as they are installed.

What a trainer's entry (fit, validate, test, predict) takes is one run with one record. It begins in ``setup``, which
runs in the process that trains, after any fork or spawn, and ends in ``teardown``: later than ``on_train_end``, where
models still leave their devices, and before the loggers are closed, so that the last row can still be logged.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.integrations.shared.batch import CountBatch, counter_of
from lightning_carbon.integrations.shared.guard import guarded, logger
from lightning_carbon.integrations.shared.starting import start_meter
from lightning_carbon.integrations.trackers.tensorboard import Ending, is_called, show_ending
from lightning_carbon.metering.config import CpuScope, Detail, Devices, GpuScope
from lightning_carbon.metering.engine import Engine, status_of
from lightning_carbon.ports import Source
from lightning_carbon.records.rows import Row
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.sources.torch_devices import as_tensors
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR
from lightning_carbon.wiring import DEFAULT_INTERVAL_SECONDS, configure, copy_record, ranks_as

if TYPE_CHECKING:
    from lightning.pytorch import Callback as _OfLightning
    from pytorch_lightning import Callback as _OfPytorchLightning

    class _BothCallbacks(_OfLightning, _OfPytorchLightning):  # type: ignore[misc]  # one code, two copies of each type
        """The callback classes of both packages in one."""
else:

    def _callback_classes() -> Iterator[type]:
        with suppress(ImportError):
            from lightning.pytorch import Callback

            yield Callback
        with suppress(ImportError):
            from pytorch_lightning import Callback

            yield Callback

    _BASES = tuple(_callback_classes())
    if not _BASES:
        raise ImportError("CarbonCallback needs Lightning: pip install 'lightning-carbon[lightning]'")
    _BothCallbacks = type("_BothCallbacks", _BASES, {"__doc__": "The callback classes of the installed packages."})

Trainer = Any
"""A trainer of either package."""
LightningModule = Any
"""A module of either package."""

ENERGY_SO_FAR: Final = "energy/run_kwh"
CARBON_SO_FAR: Final = "carbon/run_grams_co2e"

CHECKPOINT_KEY: Final = "lightning_carbon"
"""A key of our own: the state of a callback would come back for ``test(ckpt_path=...)``, too."""


class CarbonCallback(_BothCallbacks):
    """Meters the energy and the CO2e of a training, and logs them beside the loss.

    Rows go to every logger of the trainer, at its ``log_every_n_steps`` and on the x-axis of the loss. Watts and gCO2e
    stand in the progress bar. ``energy/run_kwh`` and ``carbon/run_grams_co2e`` can be monitored by ``EarlyStopping``
    and ``ModelCheckpoint``. A copy of the record lies beside the logs of the loggers that keep a folder. Validating,
    testing and predicting on their own are runs of their own; their one row has ``validate/``, ``test/`` or
    ``predict/`` before its names.

    Example:
        >>> from lightning_carbon import CarbonCallback
        >>> callback = CarbonCallback(region="SE", project="lisa")

        To be given to a trainer: ``Trainer(callbacks=callback)``.

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
        detail: ``"step"`` also tells the parts of training steps apart: waiting for data (from the end of a batch to
            the start of the next, its way to the device included), forward, backward, optimizer; what hooks do not
            tell, such as all but the backward pass where the module optimizes by hand, is ``other``.
        count_batch: Tells samples and tokens of a batch, ``None`` for what it does not know: a function, or where to
            import it from (``"module.function"``). It should read shapes only: reading values would wait for the GPU.
            Default: samples are the first dimension of the first tensor, tokens the elements of ``input_ids`` or
            ``tokens``; what the shapes of a batch do not tell is ``None``.
        progress_bar: Whether to show watts and gCO2e in the progress bar.

    Raises:
        ConfigError: An argument cannot be used; the message names it and the fix.
    """

    _meter: Engine | None = None
    _is_automatic = False

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
        count_batch: Callable[[Any], tuple[int | None, int | None]] | str | None = None,
        progress_bar: bool = True,
    ) -> None:
        super().__init__()
        self._config = configure(
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
        self._count_batch: CountBatch | None = counter_of(count_batch)
        self._progress_bar = progress_bar
        self._record: RunRecord | None = None
        self._record_path: str | None = None
        self._tells_parts = detail == "step"
        self._stage = "fit"
        self._last_step = 0
        self._state: dict[str, Any] = {}
        self._names: tuple[str, ...] = ()
        self._samples: int | None = None
        self._tokens: int | None = None

    @property
    def meter(self) -> Engine | None:
        """The meter of the present run, or of the last; ``None`` before the first, and in copies."""
        return self._meter

    @property
    def record(self) -> RunRecord | None:
        """The record of the last run that has ended; ``None`` before."""
        return self._record

    @property
    def record_path(self) -> str | None:
        """Where that record lies in the ledger; ``None`` before, or where it could not be written."""
        return self._record_path

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and sent to other processes: settings and the last record, no threads and no devices."""
        # Lightning sets the last two on the instance; they are methods of the module and would take it along.
        return {name: value for name, value in vars(self).items() if name not in {"_meter", "log", "log_dict"}}

    # -- the run ----------------------------------------------------------------------------------------------------

    @guarded(ConfigError, LedgerError)
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Start metering.

        Raises:
            ConfigError: There is another such callback in the trainer, or ``devices`` names one that is not there.
            LedgerError: The ledger cannot be written.
        """
        self._finish(trainer, Status.INTERRUPTED)
        self._meter = None
        if _of_several(trainer) is not self:
            # It makes way. The trainer is going through its list right now: that is replaced, not changed.
            trainer.callbacks = [one for one in trainer.callbacks if one is not self]
            return
        self._stage = str(getattr(stage, "value", stage))
        self._names = ()
        self._samples = self._tokens = None
        if self._stage == "fit":
            self._state = {}
        self._last_step = _batches_that_stepped(trainer)
        self._meter = self._start(trainer)

    @guarded()
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """End the run and log its last row."""
        self._finish(trainer, Status.COMPLETED)

    @guarded()
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """End the run: nothing else is called after an exception, Ctrl-C or SIGTERM."""
        self._finish(trainer, status_of(type(exception)))

    # -- phases -----------------------------------------------------------------------------------------------------

    @guarded()
    def on_sanity_check_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin the trial of the validation."""
        self._enter(Phase.SANITY)

    @guarded()
    def on_sanity_check_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go back to setting up."""
        self._enter(Phase.SETUP)

    @guarded()
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to train."""
        self._last_step = max(0, _batches_that_stepped(trainer) - 1)  # restored by now, if there was a checkpoint
        self._enter(Phase.TRAIN)
        self._enter_part(Part.DATA)
        # Whoever monitors these asks for them at the first validation, maybe before the first row.
        self._show_totals(trainer)

    @guarded()
    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End training."""
        self._enter(Phase.OTHER)

    @guarded()
    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to validate."""
        if not trainer.sanity_checking:
            self._enter(Phase.VALIDATE)

    @guarded()
    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Bring the totals up to date for those who monitor them in ``on_validation_end``."""
        if self._stage == "fit" and not trainer.sanity_checking:
            self._show_totals(trainer)

    @guarded()
    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go back to training, if it was in its midst."""
        if not trainer.sanity_checking:
            self._enter(Phase.TRAIN if self._stage == "fit" else Phase.OTHER)

    @guarded()
    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to test."""
        self._enter(Phase.TEST)

    @guarded()
    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End testing."""
        self._enter(Phase.OTHER)

    @guarded()
    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to predict."""
        self._enter(Phase.PREDICT)

    @guarded()
    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End predicting."""
        self._enter(Phase.OTHER)

    @guarded()
    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Say what led to this checkpoint, and attribute to saving what happens until the file is written."""
        meter = self._meter
        if self._stage == "fit" and meter is not None:
            self._state = meter.state_dict()
        if self._state:
            checkpoint[CHECKPOINT_KEY] = self._state
        if meter is None or not meter.is_running:
            return
        outer = meter.enter(Phase.CHECKPOINT)
        # No hook tells that the file is written. The next one may come only after the wait for the next batch, which
        # belongs to a step.
        _after_next_call(trainer.strategy, "save_checkpoint", lambda: meter.enter(outer))

    @guarded()
    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Go on with the training that a checkpoint is of; one that is loaded to be tested changes nothing."""
        fn = trainer.state.fn
        if str(getattr(fn, "value", fn)) != "fit" or CHECKPOINT_KEY not in checkpoint:
            return
        # Where nothing is metered, it is handed on to the next checkpoint.
        self._state = checkpoint[CHECKPOINT_KEY]
        if self._meter is not None:
            self._meter.load_state_dict(self._state)

    # -- steps ------------------------------------------------------------------------------------------------------

    @guarded()
    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int) -> None:
        """Be in the training phase, whatever happened before; the batch is there, and on its device."""
        self._enter(Phase.TRAIN)
        # By hand, a module may do anything in any order: only its backward passes are told.
        self._enter_part(Part.FORWARD if pl_module.automatic_optimization else Part.OTHER)

    @guarded()
    def on_before_backward(self, trainer: Trainer, pl_module: LightningModule, loss: object) -> None:
        """Begin the backward pass."""
        self._enter_part(Part.BACKWARD)

    @guarded()
    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the backward pass."""
        self._enter_part(Part.OTHER)

    @guarded()
    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: object) -> None:
        """Begin to clip gradients and to change weights; the batch ends after it."""
        if pl_module.automatic_optimization:
            self._enter_part(Part.OPTIMIZER)

    @guarded()
    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        """Mark the end of a step, and log a row where the trainer's own metrics are due."""
        meter = self._meter
        if meter is None:
            return
        self._enter_part(Part.OTHER)
        try:
            self._end_batch(trainer, meter, batch)
        finally:
            self._enter_part(Part.DATA)

    @guarded()
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to wait for the first batch of an epoch, whose length is known by now."""
        self._enter_part(Part.DATA)
        if self._meter is not None:
            self._meter.tell_epoch(_steps_per_epoch(trainer))

    @guarded()
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Bring the totals up to date for those who monitor them here, such as ``ModelCheckpoint``."""
        self._enter_part(Part.OTHER)
        self._show_totals(trainer)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _end_batch(self, trainer: Trainer, meter: Engine, batch: object) -> None:
        """Mark the end of a step, unless batches accumulate, and log a row where one is due."""
        self._count(batch)
        if _accumulates(trainer):
            return
        self._last_step = _batches_that_stepped(trainer)
        samples, tokens = self._samples, self._tokens
        self._samples = self._tokens = None
        meter.step_done(samples, tokens)
        if _logs_now(trainer):
            row = meter.next_row()
            if row is not None:
                self._publish(trainer, row)

    def _start(self, trainer: Trainer) -> Engine | None:
        ranks = ranks_as(trainer.global_rank, trainer.local_rank, trainer.world_size)
        return start_meter(self._config, lambda: _devices(trainer), Phase.SETUP, ranks)

    def _finish(self, trainer: Trainer, status: Status) -> None:
        meter = self._meter
        if meter is None or not meter.is_running:
            return
        self._record = meter.stop(status)
        self._record_path = self._record.location
        if self._stage == "fit":
            self._state = meter.state_dict()  # for those who save a checkpoint later
        if trainer.is_global_zero:
            # A test's beside that of the training before it.
            name = f"lightning_carbon_{'' if self._stage == 'fit' else f'{self._stage}_'}record.json"
            for folder in _log_folders(trainer):
                copy_record(self._record, folder, name)
        self._publish(trainer, meter.row())
        if trainer.is_global_zero:
            self._show(trainer, meter, self._record)

    def _enter(self, phase: Phase) -> None:
        if self._meter is not None:
            self._meter.enter(phase)

    def _enter_part(self, part: Part) -> None:
        if self._tells_parts and self._meter is not None and self._meter.is_running:
            self._meter.enter_part(part)

    def _count(self, batch: object) -> None:
        if self._count_batch is None:
            return
        try:
            samples, tokens = self._count_batch(batch)
            for value in (samples, tokens):
                if not isinstance(value, int | None):  # a tensor would have to be waited for
                    raise TypeError(f"{value!r} is neither an int nor None")  # noqa: TRY301 - told of below
        except Exception:  # noqa: BLE001 - it may be anybody's function
            self._count_batch = None
            logger.warning("count_batch failed; samples and tokens are not counted from here on", exc_info=True)
            return
        self._samples = _plus(self._samples, samples)
        self._tokens = _plus(self._tokens, tokens)

    def _publish(self, trainer: Trainer, row: Row) -> None:
        """Hand a row to the loggers, the progress bar and those who monitor."""
        prefix = "" if self._stage == "fit" else f"{self._stage}/"
        metrics = row.as_metrics(prefix)
        if not metrics:
            return
        # Always the same names: a CSVLogger writes its file anew for every other set.
        self._names = self._names or tuple(metrics)
        metrics = {name: metrics[name] for name in self._names if name in metrics}
        totals = {name: metrics[name] for name in (prefix + ENERGY_SO_FAR, prefix + CARBON_SO_FAR) if name in metrics}
        _live(trainer, "callback_metrics").update(as_tensors(totals))
        if not trainer.is_global_zero:
            return
        if self._progress_bar:
            shown = {"W": metrics.get(prefix + "power/total_watts"), "gCO2e": metrics.get(prefix + CARBON_SO_FAR)}
            _live(trainer, "progress_bar_metrics").update(
                {name: float(f"{value:.3g}") for name, value in shown.items() if value is not None}
            )
        for one in trainer.loggers:
            one.log_metrics(metrics, step=self._last_step)

    @guarded()
    def _show(self, trainer: Trainer, meter: Engine, record: RunRecord) -> None:
        """Show the run that has ended in TensorBoard, where a logger of the trainer writes for it."""
        for one in trainer.loggers:
            if is_called(one, "TensorBoardLogger"):
                before = f"{name}-" if (name := getattr(one, "_prefix", "")) else ""
                prefix = "" if self._stage == "fit" else f"{self._stage}/"
                show_ending(
                    one.experiment, Ending(record, meter.power_profile, self._last_step, self._names, before + prefix)
                )

    def _show_totals(self, trainer: Trainer) -> None:
        if self._meter is None:
            return
        record = self._meter.record
        joules, grams = record.energy.total_joules, record.carbon.grams_co2e
        if joules is not None and grams is not None:
            totals = {ENERGY_SO_FAR: joules / JOULES_PER_KILOWATT_HOUR, CARBON_SO_FAR: grams}
            _live(trainer, "callback_metrics").update(as_tensors(totals))


def automatic_callback(**settings: Any) -> CarbonCallback:  # noqa: ANN401 - as the class has them
    """A callback that nobody gave to the trainer by hand: it gives way to one that somebody did.

    Args:
        settings: The arguments of :class:`CarbonCallback`.

    Raises:
        ConfigError: An argument cannot be used.
    """
    callback = CarbonCallback(**settings)
    callback._is_automatic = True  # noqa: SLF001 - its own module
    return callback


def _of_several(trainer: Trainer) -> CarbonCallback:
    """The one callback of ours that meters a trainer: the one given by hand, else the first automatic one."""
    ours = [one for one in trainer.callbacks if isinstance(one, CarbonCallback)]
    by_hand = [one for one in ours if not one._is_automatic]  # noqa: SLF001 - its own module
    if len(by_hand) > 1:
        fix = "a trainer takes one CarbonCallback, or its energy would be logged twice; remove the others."
        raise ConfigError("callbacks", [type(one).__name__ for one in by_hand], fix)
    return [*by_hand, *ours][0]


def _devices(trainer: Trainer) -> list[Any]:
    """The torch devices that this process computes on, its own first."""
    strategy = trainer.strategy
    devices = [strategy.root_device]
    if trainer.world_size == 1:
        devices += getattr(strategy, "parallel_devices", None) or []
    return devices


def _batches_that_stepped(trainer: Trainer) -> int:
    """The x-axis of everything that Lightning logs; counts batches, where ``global_step`` counts optimizers' steps."""
    stepped = getattr(trainer.fit_loop.epoch_loop, "_batches_that_stepped", None)
    return int(trainer.global_step if stepped is None else stepped)


def _steps_per_epoch(trainer: Trainer) -> float:
    """Steps of the optimizer in an epoch: the last one steps with what has accumulated by then."""
    batches: float = trainer.num_training_batches  # infinite where the data have no length
    return -float(-batches // max(1, trainer.accumulate_grad_batches))


def _accumulates(trainer: Trainer) -> bool:
    """Whether the batch that ends was one of several that make a step together."""
    accumulates = getattr(trainer.fit_loop, "_should_accumulate", None)
    if accumulates is not None:
        return bool(accumulates())
    return bool((trainer.fit_loop.batch_idx + 1) % trainer.accumulate_grad_batches and not trainer.is_last_batch)


def _logs_now(trainer: Trainer) -> bool:
    """Whether the trainer logs its own metrics of this step."""
    due = getattr(getattr(trainer, "_logger_connector", None), "should_update_logs", None)
    if due is not None:
        return bool(due)
    every = trainer.log_every_n_steps
    return bool(every and (_batches_that_stepped(trainer) + 1) % every == 0)


def _live(trainer: Trainer, name: str) -> dict[str, Any]:
    """The trainer's own dictionary of metrics.

    Not through the property of that name where it can be helped: that gathers what the module logged, and waits for the
    GPU to tell what is in the progress bar.
    """
    live: dict[str, Any] | None = getattr(getattr(trainer, "_logger_connector", None), f"_{name}", None)
    return getattr(trainer, name) if live is None else live


def _log_folders(trainer: Trainer) -> list[str]:
    """The folders on this machine that loggers write this run to.

    ``Trainer.log_dir`` would wait for the other ranks.
    """
    found = (getattr(one, "log_dir", None) for one in trainer.loggers)
    folders = [os.fspath(one) for one in found if isinstance(one, str | os.PathLike)]
    return [one for one in dict.fromkeys(folders) if one and "://" not in one]


def _after_next_call(owner: Any, name: str, action: Callable[[], object]) -> None:  # noqa: ANN401 - any strategy
    """Do something once, when the next call of a method has ended."""
    method = getattr(owner, name)

    def once(*args: object, **kwargs: object) -> object:
        vars(owner).pop(name, None)
        try:
            return method(*args, **kwargs)
        finally:
            action()

    setattr(owner, name, once)


def _plus(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
