"""The callback for Lightning's trainers, those of ``pytorch_lightning`` and those of ``lightning.pytorch``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.integrations.lightning.hooks import MeterHooks
from lightning_carbon.integrations.lightning.runs import EntryRuns
from lightning_carbon.integrations.lightning.trainers import LightningModule, Trainer, name_of
from lightning_carbon.integrations.shared.batch import BatchCounter, counter_of
from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.metering.config import CpuScope, Detail, Devices, GpuScope
from lightning_carbon.metering.engine import Engine, status_of
from lightning_carbon.ports import Source
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.wiring import DEFAULT_INTERVAL_SECONDS, configure


class CarbonCallback(MeterHooks):
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
        self._runs = EntryRuns(
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
            ),
            BatchCounter(counter_of(count_batch)),
            progress_bar=progress_bar,
        )

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

    def __getstate__(self) -> dict[str, Any]:
        """What is copied and sent to other processes: settings and the last record, no threads and no devices."""
        # Lightning sets these two on the instance; they are methods of the module and would take it along.
        return {name: value for name, value in vars(self).items() if name not in {"log", "log_dict"}}

    @guarded(ConfigError, LedgerError)
    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Start metering.

        Raises:
            ConfigError: There is another such callback in the trainer, or ``devices`` names one that is not there.
            LedgerError: The ledger cannot be written.
        """
        self._runs.finish(trainer, Status.INTERRUPTED)
        self._runs.meter = None
        if metering_callback(trainer) is not self:
            # It makes way. The trainer is going through its list right now: that is replaced, not changed.
            trainer.callbacks = [callback for callback in trainer.callbacks if callback is not self]
            return
        self._runs.begin(trainer, name_of(stage))

    @guarded()
    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """End the run and log its last row."""
        self._runs.finish(trainer, Status.COMPLETED)

    @guarded()
    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """End the run: nothing else is called after an exception, Ctrl-C or SIGTERM."""
        self._runs.finish(trainer, status_of(type(exception)))


def automatic_callback(**settings: Any) -> CarbonCallback:  # noqa: ANN401 - as the class has them
    """A callback that was not given to the trainer by hand: it gives way to one that was.

    Args:
        settings: The arguments of :class:`CarbonCallback`.

    Raises:
        ConfigError: An argument cannot be used.
    """
    callback = CarbonCallback(**settings)
    callback._is_automatic = True  # noqa: SLF001 - its own module
    return callback


def metering_callback(trainer: Trainer) -> CarbonCallback:
    """The callback of ours that meters a trainer: the one given by hand, else the first automatic one.

    Raises:
        ConfigError: Several were given by hand.
    """
    ours = [callback for callback in trainer.callbacks if isinstance(callback, CarbonCallback)]
    by_hand = [callback for callback in ours if not callback._is_automatic]  # noqa: SLF001 - its own module
    if len(by_hand) > 1:
        fix = "a trainer takes one CarbonCallback, or its energy would be logged twice; remove the others."
        raise ConfigError("callbacks", [type(callback).__name__ for callback in by_hand], fix)
    return [*by_hand, *ours][0]
