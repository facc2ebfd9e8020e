"""Publishing rows: to the loggers of a trainer, its progress bar and the metrics that callbacks monitor."""

from __future__ import annotations

from typing import Any, Final

from lightning_carbon.energy.phases import Phase
from lightning_carbon.integrations.lightning.trainers import Trainer, live_metrics, monitors
from lightning_carbon.integrations.shared.guard import told_of
from lightning_carbon.integrations.trackers.kinds import is_called
from lightning_carbon.integrations.trackers.wandb import define_metrics
from lightning_carbon.records.rows import Row
from lightning_carbon.records.run import RunRecord
from lightning_carbon.sources.torch_devices import as_tensors
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, MILLIGRAMS_PER_GRAM

ENERGY_SO_FAR: Final = "energy/run_kwh"
MACHINE_SO_FAR: Final = "energy/run_machine_kwh"
CARBON_SO_FAR: Final = "carbon/run_grams_co2e"
TOTALS: Final = (ENERGY_SO_FAR, MACHINE_SO_FAR, CARBON_SO_FAR)
"""The metrics that can be monitored."""

_SHOWN_IN_MILLIGRAMS: Final = 0.1
"""The grams below which milligrams are shown, since a progress bar has three decimals."""
_WHOLE_WATTS_FROM: Final = 1.0
"""The watts from which on they are rounded: a bar pads other numbers with zeros, and 80 columns are soon full."""


class RowLog:
    """The log of the rows of a run.

    Args:
        prefix: The prefix of every name, such as ``"test/"``.
        progress_bar: Whether the progress bar shows watts and gCO2e.
        is_automatic: Whether nobody asked for metrics to monitor; then there are some only where a callback or a
            schedule monitors them.
    """

    def __init__(self, prefix: str = "", *, progress_bar: bool = True, is_automatic: bool = False) -> None:
        self.prefix = prefix
        self.names: tuple[str, ...] = ()
        self._progress_bar = progress_bar
        self._is_automatic = is_automatic
        self._last_step: int | None = None

    def publish(self, trainer: Trainer, row: Row, step: int) -> None:
        """Hand a row to the loggers, the progress bar and the monitored metrics.

        Args:
            trainer: The trainer.
            row: The row.
            step: The place on the loggers' x-axis.
        """
        metrics = row.as_metrics_at(step, self._last_step, self.prefix)
        if not metrics:
            return
        is_first, self._last_step = self._last_step is None, step
        # Always the same names, as a CSVLogger rewrites its file for every new set.
        self.names = self.names or tuple(metrics)
        metrics = {name: metrics[name] for name in self.names if name in metrics}
        totals = {name: metrics[name] for name in map(self.prefix.__add__, TOTALS) if name in metrics}
        if not self._is_automatic or monitors(trainer, totals):
            live_metrics(trainer, "callback_metrics").update(as_tensors(totals))
        if not trainer.is_global_zero:
            return
        if self._progress_bar:
            self._show_in_progress_bar(trainer, metrics)
        for logger in trainer.loggers:
            if is_first and is_called(logger, "WandbLogger"):
                with told_of(logger):
                    self._define_in_wandb(logger)
            with told_of(logger):  # it is the user's, and the others work
                logger.log_metrics(metrics=metrics, step=step)  # by keyword, as Lightning does

    def publish_phases(self, trainer: Trainer, record: RunRecord, step: int) -> None:
        """Hand the energy of every phase to the loggers, at the end of a run with phases of the program's own.

        Args:
            trainer: The trainer.
            record: The record of the run.
            step: The place on the loggers' x-axis.
        """
        phases = record.energy.phases
        if phases.keys() <= frozenset(Phase) or not trainer.is_global_zero:
            return
        metrics = {f"{self.prefix}energy/phase_{phase}_joules": joules for phase, joules in phases.items()}
        for logger in trainer.loggers:
            with told_of(logger):
                logger.log_metrics(metrics=metrics, step=step)

    def _define_in_wandb(self, logger: Any) -> None:  # noqa: ANN401 - a WandbLogger of any version
        """Tell Weights & Biases which values stand for a run, on the x-axis of all of the logger's metrics."""
        before = f"{name}-" if (name := getattr(logger, "_prefix", "")) else ""
        follows_tensorboard = getattr(logger, "_wandb_init", {}).get("sync_tensorboard")
        x_axis = "global_step" if follows_tensorboard else "trainer/global_step"
        define_metrics(logger.experiment, before + self.prefix, x_axis)

    def _show_in_progress_bar(self, trainer: Trainer, metrics: dict[str, float]) -> None:
        shown = live_metrics(trainer, "progress_bar_metrics")
        watts, grams = metrics.get(f"{self.prefix}power/total_watts"), metrics.get(self.prefix + CARBON_SO_FAR)
        if watts is not None:
            shown["W"] = _three_digits(watts) if watts < _WHOLE_WATTS_FROM else round(watts)
        if grams is None:
            return
        is_little = grams < _SHOWN_IN_MILLIGRAMS
        shown.pop("gCO2e" if is_little else "mgCO2e", None)
        unit, value = ("mgCO2e", grams * MILLIGRAMS_PER_GRAM) if is_little else ("gCO2e", grams)
        shown[unit] = _three_digits(value)


def _three_digits(value: float) -> float:
    """A value with as many digits as a progress bar has room for."""
    return float(f"{value:.3g}")


def show_totals(trainer: Trainer, record: RunRecord) -> None:
    """Bring the totals up to date for callbacks that monitor them."""
    joules, grams = record.energy.total_joules, record.carbon.grams_co2e
    if joules is not None and grams is not None:
        totals = {ENERGY_SO_FAR: joules / JOULES_PER_KILOWATT_HOUR, CARBON_SO_FAR: grams}
        if record.machine is not None:
            totals[MACHINE_SO_FAR] = record.machine.joules / JOULES_PER_KILOWATT_HOUR
        live_metrics(trainer, "callback_metrics").update(as_tensors(totals))
