"""A run of a Hugging Face Trainer: its steps, and the figures for the Trainer's logs of it."""

from __future__ import annotations

from typing import Final

from lightning_carbon.carbon.footprint import mass_of
from lightning_carbon.energy.phases import Phase
from lightning_carbon.integrations.huggingface.evaluations import Evaluation, Evaluations
from lightning_carbon.integrations.huggingface.tokens import TokensSeen
from lightning_carbon.integrations.shared.batch import BatchCounter, Count
from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.integrations.shared.model_size import model_size
from lightning_carbon.meter import Meter
from lightning_carbon.metering.laps import Lap
from lightning_carbon.records.rows import Row
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.settings import MeterConfig
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, Energy

_JOULES: Final = "_energy_joules"
_GRAMS: Final = "_carbon_grams_co2e"
FIGURES: Final = (_JOULES, _GRAMS)
"""The ends of the names of the figures that the metrics of an evaluation get."""
_EPOCH_DIGITS: Final = 3
"""The tolerance for the Trainer's epoch, a quotient with rounding errors."""


class TrainerRun:
    """A training with all its evaluations, or an evaluation on its own.

    Args:
        config: The settings, checked.
        meter: The meter, running.
        counter: Counts the samples and tokens of batches.
        model: The model, not yet wrapped or divided.
        is_training: Whether it is a training.

    Attributes:
        names: The metrics that were logged.
        knows_epoch: Whether the number of steps of an epoch has been passed on.
        steps_before: The step that the training went on from.
    """

    def __init__(
        self, config: MeterConfig, meter: Meter, counter: BatchCounter, *, model: object, is_training: bool
    ) -> None:
        self._config = config
        self._counter = counter
        self._begun: Lap | None = None
        self._evaluations = Evaluations()
        self._tokens_seen = 0
        self._last_row: Row | None = None
        self._last_step: int | None = None
        self.meter = meter
        self.is_training = is_training
        self.names: set[str] = set()
        self.knows_epoch = False
        self.steps_before = 0
        counter.take()
        if is_training:
            self._tell_model(model)

    @guarded()
    def _tell_model(self, model: object) -> None:
        size = model_size(model)
        if size is not None:
            self.meter.tell_model(*size)

    @property
    def is_running(self) -> bool:
        """Whether the run is going on."""
        return self.meter.is_running

    def end(self, status: Status) -> RunRecord:
        """End the run and write its record."""
        record = self.meter.stop(status)
        self._last_row = self.meter.row()
        self.names.update(self._last_row.as_metrics())
        return record

    # -- steps ------------------------------------------------------------------------------------------------------

    def restart_steps(self, tokens_seen: int, step: int) -> None:
        """Begin training, perhaps again, and forget batches that were fetched for a step that never ended.

        Args:
            tokens_seen: The Trainer's own count of tokens so far, perhaps restored from a checkpoint.
            step: The step that it goes on from.
        """
        self.steps_before = step
        self._counter.take()
        self._tokens_seen = tokens_seen

    def step_done(self, seen: TokensSeen | None) -> None:
        """Mark the end of a step of the optimizer.

        Args:
            seen: The Trainer's own count of this process' tokens so far, where it counts.
        """
        counted = self._counter.take()
        if seen is not None and seen.tokens > self._tokens_seen:
            tokens, self._tokens_seen = seen.tokens - self._tokens_seen, seen.tokens
            if seen.goes_before(counted):
                counted = Count(counted.samples, tokens, seen.with_padding, counted.padding)
        if self.is_running:
            self.meter.step_done(counted.samples, counted.tokens)
            self.meter.tell_padding(counted.with_padding, counted.padding)

    def tell_epoch(self, steps: float) -> None:
        """Pass on the number of steps of an epoch, by the Trainer's count."""
        self.knows_epoch = True
        self.meter.tell_epoch(round(steps, _EPOCH_DIGITS))

    # -- figures ----------------------------------------------------------------------------------------------------

    @property
    def has_rows(self) -> bool:
        """Whether a row was logged."""
        return self._last_step is not None

    def step_figures(self, step: int) -> dict[str, float]:
        """The figures of a row, for the log of a step; empty where no step is settled yet."""
        row = self.meter.next_row() if self.is_running else None
        if row is None:
            return self.late_figures()
        figures = row.as_metrics_at(step, self._last_step)
        self._last_step = step
        self.names.update(figures)
        return figures | self.late_figures()

    def final_figures(self, step: int) -> dict[str, float]:
        """The last row and the totals, after the end.

        Args:
            step: The Trainer's last.
        """
        row = {} if self._last_row is None else self._last_row.as_metrics_at(step, self._last_step)
        return row | self.late_figures() | totals(self.meter.record)

    def begin_evaluation(self) -> None:
        """An evaluation begins."""
        if self.is_running:
            self._begun = self.meter.laps.note()

    def evaluation_figures(self, prefix: str, phase: Phase) -> dict[str, float]:
        """The energy of an evaluation for its own log, and that of others that was not settled in time for theirs.

        Inside a training, readings may not have settled an evaluation when it is logged: then its figures come with the
        next log. Where they have settled most of it, the rest comes with the next figures of the same set, and is in
        the training's total in any case. Outside a training it is the energy of the record.

        Args:
            prefix: The Trainer's prefix of this evaluation's metrics.
            phase: The phase of the evaluation.
        """
        if not self.is_running:
            joules = self.meter.record.energy.phases.get(phase)
            return {} if joules is None else self._figures({prefix: joules})
        if self._begun is not None:
            self._evaluations.note(Evaluation(prefix, phase, self._begun, self.meter.laps.note()))
            self._begun = None
        return self.late_figures()

    def late_figures(self) -> dict[str, float]:
        """The energy of the evaluations that have been settled since they were logged."""
        return self._figures(self._evaluations.take(self.meter.laps))

    def _figures(self, joules: dict[str, float]) -> dict[str, float]:
        figures: dict[str, float] = {}
        if not joules:
            return figures
        # The rest of the machine is shared by phases as their chips' energy is.
        ratio = self.meter.record.machine_ratio
        for prefix, used in joules.items():
            machine = Energy.from_joules(used * ratio)
            figures[f"{prefix}{_JOULES}"] = Energy.from_joules(used).joules
            figures[f"{prefix}{_GRAMS}"] = mass_of(machine, self._config.pue, self._config.intensity).grams
        return figures


def totals(record: RunRecord) -> dict[str, float]:
    """The totals of a training, for the Trainer's last log of it.

    ``train_energy_joules`` and ``train_energy_kwh`` of the chips, with the share of every phase as
    ``train_energy_<phase>_joules``, and ``train_machine_energy_kwh`` at the plugs of the machines, all without PUE;
    ``train_carbon_grams_co2e`` with PUE, and its range, ``..._low`` to ``..._high``.
    """
    energy, machine, carbon = record.energy, record.machine, record.carbon
    if energy.total_joules is None:
        return {}
    figures: dict[str, float | None] = {
        "train_energy_joules": energy.total_joules,
        "train_energy_kwh": energy.total_joules / JOULES_PER_KILOWATT_HOUR,
        **{f"train_energy_{phase}_joules": joules for phase, joules in energy.phases.items()},
        "train_machine_energy_kwh": None if machine is None else machine.joules / JOULES_PER_KILOWATT_HOUR,
        "train_carbon_grams_co2e": carbon.grams_co2e,
        "train_carbon_grams_co2e_low": carbon.low,
        "train_carbon_grams_co2e_high": carbon.high,
    }
    return {name: float(value) for name, value in figures.items() if value is not None}
