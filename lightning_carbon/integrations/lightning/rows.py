"""Hands rows to whatever shows them: the loggers of a trainer, its progress bar, and what callbacks monitor."""

from __future__ import annotations

from typing import Final

from lightning_carbon.integrations.lightning.trainers import Trainer, live_metrics
from lightning_carbon.integrations.shared.guard import warn_of_logger
from lightning_carbon.records.rows import Row
from lightning_carbon.records.run import RunRecord
from lightning_carbon.sources.torch_devices import as_tensors
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR

ENERGY_SO_FAR: Final = "energy/run_kwh"
CARBON_SO_FAR: Final = "carbon/run_grams_co2e"
TOTALS: Final = (ENERGY_SO_FAR, CARBON_SO_FAR)
"""What can be monitored."""


class RowLog:
    """What is logged of one run.

    Args:
        prefix: What stands before every name, such as ``"test/"``.
        progress_bar: Whether the progress bar shows watts and gCO2e.
    """

    def __init__(self, prefix: str = "", *, progress_bar: bool = True) -> None:
        self.prefix = prefix
        self.names: tuple[str, ...] = ()
        self._progress_bar = progress_bar

    def publish(self, trainer: Trainer, row: Row, step: int) -> None:
        """Hand a row to the loggers, the progress bar and those who monitor.

        Args:
            trainer: The trainer.
            row: The row.
            step: Where on the loggers' x-axis.
        """
        metrics = row.as_metrics(self.prefix)
        if not metrics:
            return
        # Always the same names: a CSVLogger writes its file anew for every other set.
        self.names = self.names or tuple(metrics)
        metrics = {name: metrics[name] for name in self.names if name in metrics}
        totals = {name: metrics[name] for name in map(self.prefix.__add__, TOTALS) if name in metrics}
        live_metrics(trainer, "callback_metrics").update(as_tensors(totals))
        if not trainer.is_global_zero:
            return
        if self._progress_bar:
            self._show_in_progress_bar(trainer, metrics)
        for logger in trainer.loggers:
            try:
                logger.log_metrics(metrics=metrics, step=step)  # by keyword, as Lightning does
            except Exception as error:  # noqa: BLE001 - it is the user's logger, and the others work
                warn_of_logger(logger, error)

    def _show_in_progress_bar(self, trainer: Trainer, metrics: dict[str, float]) -> None:
        shown = {
            "W": metrics.get(f"{self.prefix}power/total_watts"),
            "gCO2e": metrics.get(self.prefix + CARBON_SO_FAR),
        }
        live_metrics(trainer, "progress_bar_metrics").update(
            {name: float(f"{value:.3g}") for name, value in shown.items() if value is not None}
        )


def show_totals(trainer: Trainer, record: RunRecord) -> None:
    """Bring the totals up to date for callbacks that monitor them."""
    joules, grams = record.energy.total_joules, record.carbon.grams_co2e
    if joules is not None and grams is not None:
        totals = {ENERGY_SO_FAR: joules / JOULES_PER_KILOWATT_HOUR, CARBON_SO_FAR: grams}
        live_metrics(trainer, "callback_metrics").update(as_tensors(totals))
