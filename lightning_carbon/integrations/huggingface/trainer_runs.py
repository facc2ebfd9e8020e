"""The runs of one Hugging Face Trainer: which is going on, its phases and steps, and the figures for its logs.

Knows the Trainer's arguments, but none of its classes. A run begins when ``train()`` is called, and ends with the
Trainer's last log of it, where the Trainer's own ``train_runtime`` ends, too; what follows, such as loading the best
model again, is in no figure. ``evaluate()`` and ``predict()`` are phases of the run that is going on, else runs of
their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from weakref import ReferenceType, ref

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.integrations.shared.batch import Count, count
from lightning_carbon.integrations.shared.guard import guarded
from lightning_carbon.integrations.shared.starting import start_meter
from lightning_carbon.integrations.trackers.tensorboard import Ending, is_called, show_ending
from lightning_carbon.metering.config import MeterConfig
from lightning_carbon.metering.engine import Engine, status_of
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, Energy
from lightning_carbon.wiring import copy_record, ranks_as

_NO_ACCELERATORS: Final = {"cpu", "disk", "meta"}

_EPOCH_DIGITS: Final = 3
"""The Trainer tells its epoch as a quotient, which rounding has been at."""

STATE_KEY: Final = "lightning_carbon"
"""No callback's class has this name, so the Trainer leaves the state alone and keeps it in its checkpoints."""


class TrainerRuns:
    """The runs of one Trainer, one after the other.

    Args:
        config: What the user set.

    Attributes:
        is_automatic: Nobody gave the callback to the Trainer by hand, so it gives way to one that somebody did.
        has_given_way: It has done so, and meters nothing.
    """

    def __init__(self, config: MeterConfig) -> None:
        self._config = config
        self.is_automatic = False
        self.has_given_way = False
        self.meter: Engine | None = None
        self.record: RunRecord | None = None
        self._calls = 0
        self._evaluations = 0
        self._is_in_step = False
        self._logged_joules: dict[Phase, float] = {}
        self._fetched: list[Count] = []
        self._tokens_seen = 0
        self._is_training = False
        self._copy_to: str | None = None
        self._trainer: ReferenceType[Any] | None = None
        self._names: set[str] = set()
        self._last_row: dict[str, float] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Settings and the last record: no threads, and no run that goes on elsewhere."""
        return {name: vars(self)[name] for name in ("_config", "record", "is_automatic", "has_given_way")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take them over, with no run going on."""
        self.__init__(state["_config"])  # type: ignore[misc]  # there is nothing else to set up
        vars(self).update(state)

    def serve(self, trainer: Any) -> None:  # noqa: ANN401 - a Trainer
        """Know the Trainer, without keeping it from being deleted."""
        self._trainer = ref(trainer)

    @property
    def is_running(self) -> bool:
        """Whether a run is going on."""
        return self.meter is not None and self.meter.is_running

    # -- the run ----------------------------------------------------------------------------------------------------

    def begin(self, args: Any, model: object, phase: Phase) -> None:  # noqa: ANN401 - TrainingArguments
        """Begin a run, in the process that trains.

        Raises:
            ConfigError: ``devices`` names a device that is not there.
            LedgerError: The ledger cannot be written.
        """
        self._logged_joules = {}
        self._fetched = []
        self._names = set()
        self._is_training = phase is Phase.SETUP
        # One copy, of the training: what is evaluated later must not replace it.
        copies = self._is_training and args.output_dir and args.process_index == 0
        self._copy_to = str(args.output_dir) if copies else None
        self.meter = start_meter(
            self._config,
            lambda: accelerators(args, model),
            phase,
            ranks_as(args.process_index, args.local_process_index, args.world_size),
        )

    @guarded()
    def end(self, status: Status) -> None:
        """End the run that is going on, if there is one."""
        if self.meter is None or not self.meter.is_running:
            return
        self.record = self.meter.stop(status)
        if self._copy_to is not None:
            copy_record(self.record, self._copy_to)
        self._last_row = self.meter.row().as_metrics()
        self._names.update(self._last_row)
        if self._is_training:
            self._show(self.meter, self.record)

    @guarded()
    def _show(self, meter: Engine, record: RunRecord) -> None:
        """Show the run that has ended in TensorBoard, where the Trainer writes for it."""
        trainer = None if self._trainer is None else self._trainer()
        if trainer is None or not trainer.is_world_process_zero():
            return
        for one in trainer.callback_handler.callbacks:
            if is_called(one, "TensorBoardCallback"):
                with writer_of(one, trainer.args) as writer:
                    if writer is not None:
                        show_ending(writer, Ending(record, meter.power_profile, trainer.state.global_step, self._names))

    @contextmanager
    def training(self, args: Any, model: object) -> Iterator[None]:  # noqa: ANN401 - TrainingArguments
        """A call of ``train()``: a run, whichever way it ends."""
        if self._calls:
            yield
            return
        # A run is only still going on where nobody was told of its end: its callback was added late.
        self.end(Status.FAILED)
        self.begin(args, model, Phase.SETUP)
        with self._call():
            yield

    @contextmanager
    def evaluating(self, args: Any, model: object, phase: Phase) -> Iterator[None]:  # noqa: ANN401 - TrainingArguments
        """A call of ``evaluate()`` or ``predict()``: a phase of the run that is going on, or a run of its own."""
        self._evaluations += 1
        try:
            if self.is_running:
                with self.during(phase):
                    yield
            else:
                self.begin(args, model, phase)
                with self._call():
                    yield
        finally:
            self._evaluations -= 1

    @contextmanager
    def during(self, phase: Phase) -> Iterator[None]:
        """A phase inside a run."""
        outer = self.enter(phase)
        try:
            yield
        finally:
            self.enter(outer)

    def enter(self, phase: Phase | None) -> Phase | None:
        """Go over to a phase, if a run is going on.

        Returns:
            The phase that ends here.
        """
        meter = self.meter
        return meter.enter(phase) if meter is not None and meter.is_running and phase is not None else None

    @guarded()
    def save_state(self, state: Any) -> None:  # noqa: ANN401 - TrainerState
        """Say in the Trainer's state, which it is about to save, what led to it."""
        if self.meter is not None and self._is_training and isinstance(state.stateful_callbacks, dict):
            state.stateful_callbacks[STATE_KEY] = {"args": {}, "attributes": self.meter.state_dict()}

    @guarded()
    def load_state(self, state: Any) -> None:  # noqa: ANN401 - TrainerState
        """Go on with the training that the Trainer has loaded, if it has loaded one."""
        saved = (getattr(state, "stateful_callbacks", None) or {}).get(STATE_KEY)
        if self.meter is not None and state.global_step > 0 and isinstance(saved, Mapping):
            self.meter.load_state_dict(saved.get("attributes"))

    @property
    def tells_parts(self) -> bool:
        """Whether the parts of steps are told apart."""
        return self._config.detail == "step"

    @property
    def is_in_step(self) -> bool:
        """Whether ``training_step()`` is going on."""
        return self._is_in_step

    def enter_part(self, part: Part) -> None:
        """Go over to a part of the present phase, if parts are told apart and a run is going on."""
        if self.tells_parts and self.meter is not None and self.meter.is_running:
            self.meter.enter_part(part)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A call of ``training_step()``; what nobody tells in it is no part in particular."""
        self._is_in_step = True
        try:
            yield
        finally:
            self._is_in_step = False
            self.enter_part(Part.OTHER)

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """A call that fetches batches."""
        self.enter_part(Part.DATA)
        try:
            yield
        finally:
            self.enter_part(Part.OTHER)

    @property
    def is_inside_call(self) -> bool:
        """Whether the run ends with the call it began with, whichever way that ends."""
        return self._calls > 0

    @property
    def is_evaluating(self) -> bool:
        """Whether ``evaluate()`` or ``predict()`` is known to be going on."""
        return self._evaluations > 0

    @contextmanager
    def _call(self) -> Iterator[None]:
        self._calls += 1
        error: type[BaseException] | None = None
        try:
            yield
        except BaseException as raised:
            error = type(raised)
            raise
        finally:
            self._calls -= 1
            self.end(status_of(error))

    # -- steps ------------------------------------------------------------------------------------------------------

    def restart_steps(self, tokens_seen: int) -> None:
        """Training begins, or begins again: forget what was fetched for a step that never ended.

        Args:
            tokens_seen: The Trainer's own count of tokens so far, which a checkpoint may have brought along.
        """
        self._fetched = []
        self._tokens_seen = tokens_seen

    @guarded()
    def fetched(self, batches: Sequence[object]) -> None:
        """Batches were fetched for the next step."""
        if self.is_running:
            self._fetched += map(count, batches)

    def step_done(self, tokens_seen: int | None) -> None:
        """A step of the optimizer has ended.

        Args:
            tokens_seen: The Trainer's own count of this process' tokens so far, where the user asked it to count.
        """
        counts, self._fetched = self._fetched, []
        tokens = _sum([one.tokens for one in counts])
        if tokens_seen is not None:
            tokens, self._tokens_seen = (tokens_seen - self._tokens_seen) or None, tokens_seen
        if self.meter is not None and self.meter.is_running:
            self.meter.step_done(_sum([one.samples for one in counts]), tokens)

    def tell_epoch(self, steps: float) -> None:
        """An epoch has so many steps, as the Trainer counts them."""
        if self.meter is not None:
            self.meter.tell_epoch(round(steps, _EPOCH_DIGITS))

    # -- figures ----------------------------------------------------------------------------------------------------

    def step_figures(self) -> dict[str, float]:
        """A row for the log of a step: what was used since the row before; nothing where no step is settled yet."""
        row = self.meter.next_row() if self.meter is not None and self.meter.is_running else None
        figures = {} if row is None else row.as_metrics()
        self._names.update(figures)
        return figures

    def final_figures(self) -> dict[str, float]:
        """End the run, and tell the last row and the totals."""
        meter = self.meter
        if meter is None or not meter.is_running:
            return {}
        self.end(Status.COMPLETED)
        return self._last_row | totals(meter.record)

    def evaluation_figures(self, prefix: str, phase: Phase) -> dict[str, float]:
        """The energy of an evaluation for its own log.

        Inside a training it is what readings have settled by then: what was used in the last tenths of a second comes
        with the next evaluation's figures, and is in the training's total in any case. On its own, it is the record's.

        Args:
            prefix: What the Trainer puts before the names of this evaluation's metrics.
            phase: The phase it is in.
        """
        meter = self.meter
        if meter is None or not meter.is_running:
            return {}
        if not self._is_training and self._evaluations == 1:
            self.end(Status.COMPLETED)
        joules = meter.record.energy.phases.get(phase.value)
        before = self._logged_joules.get(phase, 0.0)
        if joules is None or joules == before:
            return {}
        self._logged_joules[phase] = joules
        energy = Energy.from_joules(joules - before)
        grams = self._config.intensity.value.of(energy).grams * self._config.pue.value
        return {f"{prefix}_energy_joules": energy.joules, f"{prefix}_carbon_grams_co2e": grams}


def totals(record: RunRecord) -> dict[str, float]:
    """The totals of a training, for the Trainer's last log of it.

    ``train_energy_joules`` and ``train_energy_kwh`` without PUE, with the share of every phase as
    ``train_energy_<phase>_joules``; ``train_carbon_grams_co2e`` with PUE, and its range, ``..._low`` to ``..._high``.
    """
    energy, carbon = record.energy, record.carbon
    if energy.total_joules is None:
        return {}
    figures: dict[str, float | None] = {
        "train_energy_joules": energy.total_joules,
        "train_energy_kwh": energy.total_joules / JOULES_PER_KILOWATT_HOUR,
        **{f"train_energy_{phase}_joules": joules for phase, joules in energy.phases.items()},
        "train_carbon_grams_co2e": carbon.grams_co2e,
        "train_carbon_grams_co2e_low": carbon.low,
        "train_carbon_grams_co2e_high": carbon.high,
    }
    return {name: float(value) for name, value in figures.items() if value is not None}


@contextmanager
def writer_of(callback: Any, args: Any) -> Iterator[Any]:  # noqa: ANN401 - a TensorBoardCallback, TrainingArguments
    """What the Trainer's callback for TensorBoard writes with; where it has closed that already, another for a moment.

    ``None`` where it has never written anything.
    """
    if callback.tb_writer is not None:
        yield callback.tb_writer
        return
    make = getattr(callback, "_SummaryWriter", None)
    # Up to transformers 4, the arguments say where.
    folder = getattr(callback, "logging_dir", None) or vars(args).get("logging_dir")
    if make is None or folder is None:
        yield None
        return
    writer = make(log_dir=folder)
    try:
        yield writer
    finally:
        writer.close()


def accelerators(args: Any, model: object) -> list[Any]:  # noqa: ANN401 - TrainingArguments
    """The devices that one process of the Trainer computes on.

    One, as a rule. All that the model lies on where it was spread by ``device_map``; all visible ones where the Trainer
    finds several and wraps the model in ``DataParallel``.
    """
    spread: Mapping[str, Any] | None = getattr(model, "hf_device_map", None)
    if spread:
        return [one for one in dict.fromkeys(spread.values()) if str(one) not in _NO_ACCELERATORS]
    if args.n_gpu > 1:
        return list(range(args.n_gpu))
    return [args.device]


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
