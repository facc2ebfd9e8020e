"""The callback for the Trainer of Hugging Face's transformers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from transformers import TrainerControl, TrainerState, TrainingArguments

from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.autolog.automatic import of_this_process
from lightning_carbon.integrations.huggingface.hooks import TrainerHooks
from lightning_carbon.integrations.huggingface.joining import calling_trainer, join
from lightning_carbon.integrations.huggingface.runs import TrainerRuns
from lightning_carbon.integrations.shared.guard import guarded, logger
from lightning_carbon.metering.config import CpuScope, Detail, Devices, GpuScope
from lightning_carbon.metering.engine import Engine
from lightning_carbon.ports import Source
from lightning_carbon.records.run import RunRecord
from lightning_carbon.wiring import DEFAULT_INTERVAL_SECONDS, Settings, configure

if TYPE_CHECKING:
    from typing import Self


class CarbonTrainerCallback(TrainerHooks):
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
        self._misses_trainer = False

    @property
    def meter(self) -> Engine | None:
        """The meter of the present run, or of the last; ``None`` before the first, and in copies."""
        return None if self._runs.run is None else self._runs.run.meter

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


class AutomaticCallback(CarbonTrainerCallback):
    """A callback that was not given to the Trainer by hand: it gives way to one that was.

    A class of its own, for the Trainer warns of two callbacks of one class.

    Args:
        settings: The arguments of :class:`CarbonTrainerCallback`.

    Raises:
        ConfigError: An argument cannot be used.
    """

    def __init__(self, **settings: Unpack[Settings]) -> None:
        super().__init__(**settings)
        self._runs.is_automatic = True


# Once this module is imported, report_to="lightning_carbon" is understood.
of_this_process.offer()
