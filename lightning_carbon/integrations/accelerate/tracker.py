"""A tracker for Accelerate that meters the loop around it, and adds its figures to what the other trackers are given.

Accelerate has no callbacks. It calls its trackers when they are started, whenever the loop logs, and at the end of the
training; that is all that a meter needs to know of a loop. It calls them in the main process alone, which therefore
meters for all processes of its machine: their GPUs, and the processor time of the whole job.

References:
    https://huggingface.co/docs/accelerate/usage_guides/tracking
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from math import ceil
from typing import Any, Final, Unpack, cast

from accelerate import tracking
from accelerate.state import PartialState

from lightning_carbon.energy.phases import Phase
from lightning_carbon.errors import BudgetReached, ConfigError, LedgerError
from lightning_carbon.integrations.accelerate.telling import tell_end, tell_start
from lightning_carbon.integrations.shared.guard import guarded, told_of, warn_once
from lightning_carbon.integrations.shared.starting import start_meter_of
from lightning_carbon.integrations.shared.trainer_settings import COPY_RECORD, CopyRecord, split
from lightning_carbon.integrations.trackers.finished import FinishedRun
from lightning_carbon.integrations.trackers.kinds import is_called
from lightning_carbon.meter import Meter
from lightning_carbon.metering.engine import status_of
from lightning_carbon.records.rows import METRICS, Row
from lightning_carbon.records.run import RunRecord
from lightning_carbon.settings import SETTINGS, MeterConfig, Settings, configure
from lightning_carbon.settings.checks import DEFAULT_PROJECT, check_project
from lightning_carbon.settings.signatures import takes
from lightning_carbon.values import replace
from lightning_carbon.wiring import copy_record, ranks_as

NAME: Final = "lightning_carbon"
"""The name in ``log_with`` and ``get_tracker``."""

_DEEPEST: Final = 16
"""The most frames between ``start()`` and the Accelerator; usually there is one."""
_SEVERAL_MACHINES: Final = (
    "of the machines of this run, CarbonTracker meters that of the main process alone: use a Meter in every process, "
    "and tell_trackers(accelerator, meter) at the end"
)
_OURS: Final = frozenset(metric.name for metric in METRICS)


class TrackerSettings(Settings, total=False):
    """The arguments of :class:`CarbonTracker`, by name, for type checkers."""

    copy_record: CopyRecord | None


class LoopMeter(Meter):
    """A meter that knows whether the loop counts its steps itself.

    Attributes:
        is_counted_by_loop: Whether the loop has called :meth:`step_done`.
    """

    is_counted_by_loop = False

    def step_done(self, samples: int | None = None, tokens: int | None = None) -> None:
        """Mark the end of a training step; from now on, logging does not."""
        self.is_counted_by_loop = True
        super().step_done(samples, tokens)

    def log_done(self) -> None:
        """Mark the end of a step at a log, where the loop does not count its steps itself."""
        if not self.is_counted_by_loop:
            super().step_done()


@takes(*SETTINGS, COPY_RECORD)
class CarbonTracker(tracking.GeneralTracker):  # type: ignore[misc]  # it has no types
    """Meters a loop on Accelerate from ``init_trackers()`` to ``end_training()``, and logs beside the loss.

    A row is added to what ``accelerator.log()`` hands to all other trackers, so it lies on the x-axis of the loss. At
    the end, these get the totals with their ranges, the settings, the record and the figure of the power, by their own
    calls; a copy of the record lies in ``logging_dir``, where there is one.

    Accelerate calls trackers in its main process alone. So that process meters the GPUs of all processes of its
    machine, and the processor time of the whole job. A run on several machines needs a ``Meter`` in every process
    instead, of which :func:`~lightning_carbon.integrations.accelerate.telling.tell_trackers` tells the trackers.

    Example:
        >>> from accelerate import Accelerator
        >>> from lightning_carbon import CarbonTracker
        >>> accelerator = Accelerator(log_with=CarbonTracker(region="SE", project="lisa"))
        >>> accelerator.init_trackers("lisa")
        >>> for step in range(3):
        ...     accelerator.log({"loss": 1 / (1 + step)}, step=step)
        >>> accelerator.end_training()
        >>> accelerator.get_tracker("lightning_carbon").record.steps
        3

    Every ``log()`` is the end of a step. A loop that logs less often counts its steps, and names its phases, itself, by
    the meter that ``accelerator.get_tracker("lightning_carbon", unwrap=True)`` gives: ``meter.step_done(samples=32)``,
    ``with meter.phase("validate"): ...``.

    Once the class is imported, ``log_with="lightning_carbon"`` works, too, with the settings in ``init_trackers(...,
    init_kwargs={"lightning_carbon": {"region": "SE"}})`` (Accelerate from 1.15 on). The project of Accelerate is then
    that of the run, unless ``project`` names another. For a model that is spread over several GPUs of a process, give
    ``devices``.

    Args:
        project_name: The name of the project, as Accelerate gives it to a tracker that it makes.
        settings: Those of the table in :mod:`lightning_carbon.settings`, by name, and ``copy_record``.

    Raises:
        ConfigError: An argument cannot be used; the message names it and the fix.
    """

    name = NAME
    requires_logging_directory = False

    def __init__(self, *project_name: str, **settings: Unpack[TrackerSettings]) -> None:
        super().__init__()
        of_meter, own = split(cast("Any", settings), (COPY_RECORD,))
        self._config = _of_project(configure(**of_meter), *project_name)
        self._copies: CopyRecord = True if own["copy_record"] is None else own["copy_record"]
        self._accelerator: Any = None
        self._meter: LoopMeter | None = None
        self._record: RunRecord | None = None
        self._forget_rows()

    def _forget_rows(self) -> None:
        self._names: tuple[str, ...] = ()
        self._logs = self._place = 0
        self._row_at: int | None = None
        self._has_told_start = False

    @property
    def tracker(self) -> Meter | None:
        """The meter of the present or the last run; ``None`` before the first."""
        return self._meter

    @property
    def record(self) -> RunRecord | None:
        """The record of the last run that has ended; ``None`` before the first has."""
        return self._record

    # -- what Accelerate calls ----------------------------------------------------------------------------------------

    @guarded(ConfigError, LedgerError)
    def start(self) -> None:
        """Begin a run, in the main process.

        Raises:
            ConfigError: ``devices`` names a device that is not there.
            LedgerError: With ``strict=True`` only: the ledger cannot be written.
        """
        here = PartialState()
        if not here.is_main_process:
            return
        if self._meter is not None and self._meter.is_running:
            warn_once("the run of a CarbonTracker goes on, although its Accelerator has started its trackers again")
            return
        self._accelerator = accelerator = _calling_accelerator(self)
        if accelerator is not None:
            # What is added to a log reaches those that come later. Its list is being gone through, so it is replaced.
            accelerator.trackers = [self, *(held for held in accelerator.trackers if held is not self)]
        self._forget_rows()
        processes = local_processes(here.num_processes)
        machines = ceil(here.num_processes / processes)
        if machines > 1:
            warn_once(_SEVERAL_MACHINES)
        # Of several processes, the others would wait forever for one that raises.
        config = self._config if here.num_processes == 1 else replace(self._config, on_budget="warn")
        ranks = replace(ranks_as(0, 0, machines), local_size=1)
        devices = partial(devices_of, here.device, processes)
        self._meter = start_meter_of(LoopMeter, config, devices, phase=Phase.TRAIN, ranks=ranks)

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """Nothing: the configuration of the loop is for other trackers."""

    @guarded(BudgetReached)
    def log(self, values: dict[str, Any], step: int | None = None, **kwargs: object) -> None:
        """Mark the end of a step, and add a row to what is logged, where readings have settled a step.

        Args:
            values: What the loop logs.
            step: Its step.
            kwargs: Nothing.

        Raises:
            BudgetReached: The run has used up its budget, and ``on_budget`` says to stop.
        """
        meter = self._meter
        if meter is None or not meter.is_running:
            return
        meter.log_done()
        self._place = self._logs if step is None else step
        self._logs += 1
        self._tell_start()
        for name in _OURS & values.keys():  # a loop may log the same mapping again, with the row of before
            del values[name]
        meter.tell_metrics(dict(values), self._place)
        row = meter.next_row()
        if row is not None:
            values.update(self._shown(row))

    @guarded()
    def finish(self) -> None:
        """End the run, and tell the other trackers, which are still open."""
        meter = self._meter
        if meter is None or not meter.is_running:
            return
        self._record = record = meter.stop(status_of(sys.exc_info()[0]))
        self._tell_start()
        metrics = self._shown(meter.row()) | _phases(record)
        for tracker in self._others:
            with told_of(tracker):
                tracker.log(metrics, step=self._place)
        folder = getattr(self._accelerator, "logging_dir", None)
        if folder is not None and self._copies:
            copy_record(record, folder, whole=self._copies == "whole")
        ended = FinishedRun(record, meter.power_profile, self._place, self._names)
        tell_end(self._others, ended, self._config, copies=self._copies)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _shown(self, row: Row) -> dict[str, float]:
        """A row as the other trackers get it, at the place of the last log."""
        metrics = row.as_metrics_at(self._place, self._row_at)
        self._names = self._names or tuple(metrics)
        self._row_at = self._place
        return metrics

    def _tell_start(self) -> None:
        """Tell the other trackers what has to be told before the first row, once they have been started."""
        if not self._has_told_start:
            self._has_told_start = True
            tell_start(self._others, self._config)

    @property
    def _others(self) -> list[Any]:
        """The other trackers of the Accelerator; none where it is not known."""
        return [held for held in getattr(self._accelerator, "trackers", ()) if held is not self]


def local_processes(processes: int, environ: Mapping[str, str] = os.environ) -> int:
    """The number of this run's processes on this machine: by the launcher, else all.

    Args:
        processes: The number of all.
        environ: The environment variables.
    """
    told = environ.get("LOCAL_WORLD_SIZE", "")
    return min(int(told), processes) if told.isdecimal() and int(told) else processes


def devices_of(device: Any, processes: int) -> list[Any]:  # noqa: ANN401 - a torch device
    """The devices of the processes of this machine, each with the number of its process, as Accelerate places them.

    Args:
        device: The device of the main process, which comes first.
        processes: The number of processes.
    """
    if device.index is None:
        return [device]
    return [device, *(f"{device.type}:{number}" for number in range(processes) if number != device.index)]


def _of_project(config: MeterConfig, name: str | None = None) -> MeterConfig:
    """A configuration for Accelerate's project, unless the user has named a project to the meter."""
    if name is None or config.project != DEFAULT_PROJECT:
        return config
    try:
        return replace(config, project=check_project(name))
    except ConfigError as error:
        warn_once("the energy of Accelerate's project is in the project %s: %s", DEFAULT_PROJECT, str(error))
        return config


def _phases(record: RunRecord) -> dict[str, float]:
    """The energy of every phase, where the loop has phases of its own."""
    phases = record.energy.phases
    if phases.keys() <= frozenset(Phase):
        return {}
    return {f"energy/phase_{phase}_joules": joules for phase, joules in phases.items()}


def _calling_accelerator(tracker: CarbonTracker) -> Any | None:  # noqa: ANN401 - an Accelerator of any version
    """The Accelerator that starts a tracker, which is not told; ``None`` where something else starts it."""
    frame = sys._getframe(1)  # noqa: SLF001 - the only way to a caller
    for _ in range(_DEEPEST):
        owner = frame.f_locals.get("self")
        if is_called(owner, "Accelerator") and any(held is tracker for held in getattr(owner, "trackers", ())):
            return owner
        if frame.f_back is None:
            break
        frame = frame.f_back
    return None


if hasattr(tracking, "register_tracker_class"):  # from 1.15 on
    tracking.register_tracker_class(CarbonTracker)
