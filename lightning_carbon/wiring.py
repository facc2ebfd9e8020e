"""The composition root, which makes the concrete adapters of a configuration.

Only this module knows which concrete adapters there are.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_carbon.carbon.rest import RestModel
from lightning_carbon.energy.readings import Kind
from lightning_carbon.errors import ConfigError, LedgerError, UsageError
from lightning_carbon.exporting.live import publish_nowhere
from lightning_carbon.exporting.publishing import publisher_of
from lightning_carbon.grid.live.plans import LivePlan
from lightning_carbon.ledger.directory import RECORD_FILE, DirectoryRunStore
from lightning_carbon.ledger.files import write_json
from lightning_carbon.ledger.joining import JoinedRun
from lightning_carbon.ledger.patience import WRITING_SECONDS, DiskPatience, PatientRunStore
from lightning_carbon.metering.adapters import Adapters, MeteredSubject, nobody
from lightning_carbon.ports import ACCELERATOR, Clock, DeviceGauges, EventDevice, Finding, StepClock
from lightning_carbon.ranks import Ranks
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.settings import MeterConfig
from lightning_carbon.settings.checks import Devices
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.launchers import (
    host_id,
    identity_of,
    joined_ranks,
    pid_namespace,
    process_started,
    ranks_of,
)
from lightning_carbon.sources.sweeps import trial_in_hand, trial_of
from lightning_carbon.systems import system
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lightning_carbon.energy.module_reports import WatchedModel
    from lightning_carbon.ledger.query import Ledger
    from lightning_carbon.metering.pricing import GrowingSeries
    from lightning_carbon.sources.host.allocation import Allocation

logger = logging.getLogger("lightning_carbon")

COPIED_RECORD_FILE = f"lightning_carbon_{RECORD_FILE}"


def ranks_as(rank: int, local_rank: int, world_size: int) -> Ranks:
    """The place of this process in a run, as a trainer gives it.

    Args:
        rank: Its number, from 0.
        local_rank: Its number on its host, from 0.
        world_size: The number of processes.
    """
    return Ranks(rank, local_rank, world_size, host_id())


def assemble(
    config: MeterConfig,
    *,
    ranks: Ranks | None = None,
    computes_on: object = None,
    subject: MeteredSubject | None = None,
) -> Adapters:
    """Make the adapters of a configuration, touching the hardware.

    Args:
        config: The settings, checked.
        ranks: The place of this process in the run; default: by the launcher. The first process of a host also meters
            its processors and memory.
        computes_on: The torch device whose clock tells when steps end; default: the device that torch has started.
        subject: What is metered, where that is not this program.
    """
    ranks = ranks or ranks_of()
    joined = None
    if config.join is not None:
        joined = JoinedRun(config.ledger, config.project, config.join)
        ranks = joined_ranks(ranks, joined.pids_on(ranks.host_id))
    clock = SystemClock()
    part = _part(config, ranks)
    job_pid = None if subject is None else subject.pid
    findings = _findings(config, ranks, computes_on, job_pid=job_pid, part=part)
    rest = _rest(config, findings, ranks, part=part)
    findings = _with_machine(findings, rest)
    if ranks.meters_host:
        _tell_accelerators(findings)
    hand = trial_in_hand()
    return Adapters(
        findings=findings,
        clock=clock,
        store=PatientRunStore(DirectoryRunStore(config.ledger), str(config.ledger)),
        host=host_facts(),
        ranks=ranks,
        identity=joined or identity_of(ranks),
        pid_started=process_started(),
        pid_namespace=pid_namespace(),
        step_clock=_step_clock(clock, computes_on),
        rest=rest,
        live=_live(config, ranks),
        neighbours=partial(_neighbours, findings),
        subject=None if subject is None else subject.text,
        publish=publish_nowhere if ranks.rank else publisher_of(config),
        project=None if joined is None else joined.project,
        trial=trial_of(config.sweep, config.trial),
        follow_trial=nobody if hand is None else hand.follow,
    )


def watched_model(model: object, *, called: bool) -> WatchedModel:
    """A model whose modules report when they begin and end.

    Args:
        model: A model of torch.
        called: Whether the model itself is called.

    Raises:
        ConfigError: It is no model of torch.
    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(model, torch.nn.Module):
        raise ConfigError("model", type(model).__name__, "give the torch.nn.Module that is trained.")
    from lightning_carbon.sources.torch_modules import TorchModel

    return TorchModel(model, called=called)


def open_ledger(folder: Path, notice: Callable[[str], None]) -> Ledger:
    """The runs of a folder, as seen from this host.

    Args:
        folder: The folder of all runs.
        notice: Called with a line for each run that cannot be read.
    """
    from lightning_carbon.ledger.index import INDEX_FILE, RunIndex
    from lightning_carbon.ledger.query import Ledger
    from lightning_carbon.ledger.recovery import Observer, file_system_time, is_process_there

    observer = Observer(host_id(), is_process_there, file_system_time, pid_namespace())
    return Ledger(folder, observer, notice, index=RunIndex(folder / INDEX_FILE))


def figure_of(record: RunRecord) -> Figure:
    """The power of a run over time, by its course in the ledger.

    Raises:
        UsageError: The ledger has no course of the run, or there is no matplotlib; the error names the extra.
    """
    from lightning_carbon.metering.past import course_in
    from lightning_carbon.report.figure import power_figure

    is_closed = record.status not in {Status.RUNNING, Status.INTERRUPTED}
    figure = None
    try:
        if record.location is not None:
            figure = power_figure(record, course_in(Path(record.location).parent, is_closed=is_closed).profile)
    except ImportError as error:
        message = f"a figure needs {error.name}: pip install 'lightning-carbon[report]'"
        raise UsageError(message) from None
    if figure is None:
        message = "there is no figure of this run: its power over time is not in the ledger"
        raise UsageError(message)
    return figure


def copy_record(
    record: RunRecord, folder: os.PathLike[str] | str, name: str = COPIED_RECORD_FILE, *, whole: bool = True
) -> str | None:
    """Put a copy of a record into a folder, such as that of the trainer's logs.

    Args:
        record: The record.
        folder: Where to.
        name: The name of the copy; a file of that name is replaced.
        whole: Whether the copy also names machines and devices.

    Returns:
        Where it lies, or ``None`` where it could not be written: the ledger has the record anyway.
    """
    if not whole:
        from lightning_carbon.records.anonymous import anonymous

        record = anonymous(record)
    path = Path(folder) / name
    try:
        mapping = to_mapping(record)
        DiskPatience(str(path)).ask(lambda: write_json(path, mapping), WRITING_SECONDS)
    except LedgerError:
        return None
    return str(path)


def host_facts() -> dict[str, str | int | None]:
    """The facts about the machine that a record holds; starts no process and opens no socket."""
    here = system()
    facts: dict[str, str | int | None] = {
        "name": here.node,
        "system": f"{here.name} {here.release}".rstrip(),
        "machine": here.architecture,
        "processors": os.cpu_count(),
        "python": ".".join(str(part) for part in sys.version_info[:3]),
    }
    for framework in ("torch", "pytorch_lightning", "lightning", "transformers", "accelerate"):
        version: Any = getattr(sys.modules.get(framework), "__version__", None)
        if version is not None:
            facts[framework] = str(version)
    return facts


def _live(config: MeterConfig, ranks: Ranks) -> GrowingSeries | None:
    """What fetches carbon intensities, in the one process that speaks for the run; opens nothing yet."""
    if not isinstance(config.series, LivePlan) or ranks.rank:
        return None
    from lightning_carbon.grid.live.watch import LiveSeries

    return LiveSeries(config.series)


def _step_clock(clock: Clock, computes_on: object) -> StepClock | None:
    """The clock of the device that computes, which the program may use only later; ``None`` for the processor."""
    if str(computes_on) == "cpu":
        return None
    from lightning_carbon.metering.step_clock import DeviceStepClock

    return DeviceStepClock(clock, partial(_event_device, computes_on))


def _event_device(computes_on: Any) -> EventDevice[Any] | None:  # noqa: ANN401 - a torch device, or None
    """The device that computes, or that torch has started by now."""
    if "torch" not in sys.modules:
        return None
    from lightning_carbon.sources.torch_devices import device_in_use, event_device_of

    device = device_in_use() if computes_on is None else computes_on
    return None if device is None else event_device_of(device)


def _tell_accelerators(findings: Sequence[Finding]) -> None:
    """Warn of accelerators that the training uses and nothing can meter: a figure without them looks complete."""
    from lightning_carbon.sources.accelerators import RATED

    for finding in findings:
        if finding.source == RATED and finding.port is not None:
            logger.warning("%s: no sensor shows its power, so it is %s", finding.subject, finding.reason)
        if finding.source == ACCELERATOR:
            logger.warning("%s: not metered: %s; the record says so", finding.subject, finding.reason)


def _neighbours(findings: Sequence[Finding]) -> str:
    from lightning_carbon.sources import nvml
    from lightning_carbon.sources.hwmon import amd_library

    found = [look(finding) for finding in findings for look in (nvml.neighbours, amd_library.neighbours)]
    return "; ".join(filter(None, found))


def _accelerator(computes_on: Any, ranks: Ranks) -> str | None:  # noqa: ANN401 - a torch device, or None
    """The kind of accelerator that the training computes on, where torch is loaded and knows it."""
    if "torch" not in sys.modules:
        return None
    try:
        from lightning_carbon.sources.torch_devices import accelerator_of

        kind = accelerator_of(computes_on)
    except Exception:
        logger.warning("cannot tell what accelerator torch computes on", exc_info=True)
        return None
    from lightning_carbon.sources.accelerators import MODELLED

    # Each process of such an accelerator calls its own the first: the number on this host is that of the rank.
    return f"{kind}:{ranks.local_rank}" if kind in MODELLED and ranks.knows_local else kind


def _part(config: MeterConfig, ranks: Ranks) -> Allocation | None:
    """The job's part of this machine, for all who ask for it; ``None`` where nobody does."""
    if config.sources is not None or not ranks.meters_host:
        return None
    from lightning_carbon.sources.host.allocation import allocation

    return allocation()


def _findings(
    config: MeterConfig, ranks: Ranks, computes_on: object, *, job_pid: int | None, part: Allocation | None
) -> list[Finding]:
    asked = _asked(config, ranks)
    if config.sources is not None:
        given = [
            Finding(
                "given",
                source.sensor.domain.name,
                source,
                gauges=source if isinstance(source, DeviceGauges) else None,
            )
            for source in config.sources
        ]
        is_there = any(source.sensor.domain.kind is Kind.MACHINE for source in config.sources)
        return given if asked is None or is_there else [*given, asked]
    from lightning_carbon.sources.discovery import discover

    discover_of = partial(
        discover,
        cpu_scope=config.cpu_scope,
        gpu_scope=config.gpu_scope,
        host=ranks.meters_host,
        job_pid=job_pid,
        computes_on=_accelerator(computes_on, ranks),
        machine=config.machine != "none",
        asked=asked,
        part=part,
    )
    if config.devices == "auto" and ranks.shares_host:
        # With fewer GPUs visible than that, each rank sees its own, or they share.
        with suppress(ConfigError):
            return discover_of(_devices_of_rank(ranks))
    return discover_of(config.devices)


def _asked(config: MeterConfig, ranks: Ranks) -> Finding | None:
    """The sensor of the machine that the user has asked for by its address, which opens nothing yet."""
    if config.redfish is None or config.machine == "none" or not ranks.meters_host:
        return None
    from lightning_carbon.sources import redfish

    return redfish.discover(config.redfish)


def _rest(
    config: MeterConfig, findings: Sequence[Finding], ranks: Ranks, *, part: Allocation | None
) -> RestModel | None:
    """How the rest of this machine is modelled; the first rank of a host speaks for it."""
    machine = config.machine
    if machine == "none" or not ranks.meters_host or (machine == "auto" and config.sources is not None):
        return None
    try:
        from lightning_carbon.sources.discovery import class_of_machine

        found = class_of_machine(findings, local_size=ranks.local_size or 1, cpu_scope=config.cpu_scope, part=part)
    except Exception:
        logger.warning("cannot tell what machine this is; the rest of it is in no figure", exc_info=True)
        return None
    return found if machine == "auto" else replace(machine, portion=found.portion)


def _with_machine(findings: Sequence[Finding], rest: RestModel | None) -> list[Finding]:
    """What was found, without a sensor of the machine of which the job has a part."""
    if rest is None or rest.portion == 1:
        return list(findings)
    reason = "it sees the accelerators of other jobs, too"
    return [
        replace(finding, port=None, reason=reason)
        if finding.port is not None and finding.port.sensor.domain.kind is Kind.MACHINE
        else finding
        for finding in findings
    ]


def _devices_of_rank(ranks: Ranks) -> Devices:
    """The GPUs of this process, one of several on its host, where no trainer names them.

    The GPUs on which torch holds memory for this process, else torch's current device, else the GPU whose index is the
    process's number on this host.
    """
    index = ranks.local_rank if ranks.knows_local else None
    if "torch" in sys.modules:
        try:
            from lightning_carbon.sources.torch_devices import device_in_use, device_uuids, devices_in_use

            other = device_in_use()
            gpus = device_uuids(devices_in_use(index) or ([] if other is None else [other]))
        except Exception:
            logger.warning("cannot tell which GPUs torch uses; taking the one of this rank's number", exc_info=True)
            gpus = []
        if gpus:
            return gpus
    return "auto" if index is None else (index,)
