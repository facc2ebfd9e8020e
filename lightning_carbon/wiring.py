"""The composition root: what a user says becomes a configuration, and a configuration becomes a meter.

Only this module knows which concrete adapters there are.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypedDict, Unpack

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.grid.factors import intensity_of
from lightning_carbon.grid.pue import pue_of
from lightning_carbon.ledger.directory import RECORD_FILE, DirectoryRunStore, check_writable, write_json
from lightning_carbon.metering.adapters import Adapters
from lightning_carbon.metering.config import (
    CpuScope,
    Detail,
    Devices,
    GpuScope,
    MeterConfig,
    check_cpu_scope,
    check_detail,
    check_devices,
    check_gpu_scope,
    check_intensity,
    check_interval,
    check_name,
    check_pue,
    check_sources,
)
from lightning_carbon.metering.engine import Engine
from lightning_carbon.ports import Clock, EventDevice, Finding, Source, StepClock
from lightning_carbon.ranks import Ranks
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.run import RunRecord
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.launchers import host_id, identity_of, process_started, ranks_of

logger = logging.getLogger("lightning_carbon")

REGION_VARIABLE = "LIGHTNING_CARBON_REGION"
INTENSITY_VARIABLE = "LIGHTNING_CARBON_INTENSITY"
PUE_VARIABLE = "LIGHTNING_CARBON_PUE"
PROJECT_VARIABLE = "LIGHTNING_CARBON_PROJECT"
RUN_NAME_VARIABLE = "LIGHTNING_CARBON_RUN_NAME"
LEDGER_VARIABLE = "LIGHTNING_CARBON_LEDGER"
DEVICES_VARIABLE = "LIGHTNING_CARBON_DEVICES"

COPIED_RECORD_FILE = f"lightning_carbon_{RECORD_FILE}"

DEFAULT_PROJECT = "default"
DEFAULT_INTERVAL_SECONDS = 0.1


class Meter(Engine):
    """Meters the energy of any loop.

    Example:
        >>> from lightning_carbon import Meter
        >>> with Meter(region="SE", project="lisa") as meter:
        ...     with meter.phase("train"):
        ...         for _ in range(3):
        ...             meter.step_done(samples=32, tokens=32 * 128)
        >>> meter.record.steps
        3

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
        devices: Which accelerators: ``"auto"`` (those visible to this process; the own one of several ranks on a host),
            ``"all"``, or indices and UUIDs. Default ``LIGHTNING_CARBON_DEVICES``, else ``"auto"``.
        sources: What to meter instead of what is discovered, such as
            :class:`~lightning_carbon.sources.simulated.SimulatedCounter`.
        per_step: Also write ``steps.csv`` into the run's folder, one line a step.
        strict: Raise at the next call when a sensor is lost in mid-run, instead of warning once.
        cpu_scope: Whose processor time is charged: ``"process"`` (this job's), ``"machine"`` (all), or ``"auto"``
            (this job's where it has only a part of the machine, or where processors are modelled).
        gpu_scope: How a GPU is charged that other processes use, too: ``"device"`` (whole) or ``"process"`` (by this
            job's share of its utilisation, modelled).
        detail: ``"step"`` also tells the parts of a phase apart that :meth:`part` and :meth:`enter_part` mark: waiting
            for data, forward, backward, optimizer.

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
        super().__init__(
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
            assemble,
        )


class Settings(TypedDict, total=False):
    """The arguments of :class:`Meter`, by name."""

    region: str | None
    intensity: float | None
    pue: float | None
    project: str | None
    run_name: str | None
    ledger: os.PathLike[str] | str | None
    interval_seconds: float
    devices: Devices | None
    sources: Sequence[Source] | None
    per_step: bool
    strict: bool
    cpu_scope: CpuScope
    gpu_scope: GpuScope
    detail: Detail


def configure(environ: Mapping[str, str] = os.environ, **settings: Unpack[Settings]) -> MeterConfig:
    """Check everything a user may set.

    Args:
        environ: The environment variables that defaults come from.
        settings: The arguments of :class:`Meter`.

    Raises:
        ConfigError: An argument, or the variable that stands in for it, cannot be used.
    """
    return MeterConfig(
        intensity=intensity_in_force(settings.get("region"), settings.get("intensity"), environ),
        pue=pue_in_force(settings.get("pue"), environ),
        project=_name_in_force("project", settings.get("project"), PROJECT_VARIABLE, environ) or DEFAULT_PROJECT,
        run_name=_name_in_force("run_name", settings.get("run_name"), RUN_NAME_VARIABLE, environ),
        ledger=_ledger_in_force(settings.get("ledger"), environ),
        interval_seconds=check_interval(settings.get("interval_seconds", DEFAULT_INTERVAL_SECONDS)),
        devices=devices_in_force(settings.get("devices"), environ),
        sources=check_sources(settings.get("sources")),
        per_step=bool(settings.get("per_step", False)),
        strict=bool(settings.get("strict", False)),
        cpu_scope=check_cpu_scope(settings.get("cpu_scope", "auto")),
        gpu_scope=check_gpu_scope(settings.get("gpu_scope", "device")),
        detail=check_detail(settings.get("detail", "phase")),
    )


def intensity_in_force(
    region: str | None = None, intensity: float | None = None, environ: Mapping[str, str] = os.environ
) -> Intensity:
    """What a kWh stands for: as given, else by the variables, else the world average, assumed.

    An argument, whichever of the two, wins over both ``LIGHTNING_CARBON_REGION`` and ``LIGHTNING_CARBON_INTENSITY``.

    Raises:
        ConfigError: It cannot be used.
    """
    if intensity is None and region is None:
        return _intensity_of_variables(environ)
    if intensity is not None:
        grams = check_intensity(intensity)
        if region is not None:
            raise ConfigError(
                "intensity", intensity, f"region={region!r} is given too, and one of them must decide; leave one out."
            )
        return _given_intensity(grams)
    if not isinstance(region, str):
        raise ConfigError("region", region, "give an ISO 3166 code (SE, USA) or WORLD, as text.")
    return intensity_of(region)


def pue_in_force(pue: float | None = None, environ: Mapping[str, str] = os.environ) -> PowerUsage:
    """What the site uses for each unit of IT energy: as given, else by ``LIGHTNING_CARBON_PUE``, else assumed.

    Raises:
        ConfigError: It cannot be used.
    """
    if pue is not None:
        return pue_of(check_pue(pue))
    text = environ.get(PUE_VARIABLE)
    if not text:
        return pue_of(None)
    try:
        return pue_of(check_pue(float(text)))
    except ValueError:
        raise ConfigError(PUE_VARIABLE, text, "set it to a number, 1.0 or more, such as 1.2.") from None


def _intensity_of_variables(environ: Mapping[str, str]) -> Intensity:
    text, region = environ.get(INTENSITY_VARIABLE), environ.get(REGION_VARIABLE) or None
    if text and region:
        raise ConfigError(
            INTENSITY_VARIABLE,
            text,
            f"{REGION_VARIABLE}={region!r} is set too, and one of them must decide; unset one.",
        )
    if text:
        try:
            return _given_intensity(check_intensity(float(text)))
        except ValueError:
            raise ConfigError(INTENSITY_VARIABLE, text, "set it to gCO2e/kWh, zero or more, such as 41.4.") from None
    with _said_by(REGION_VARIABLE):
        return intensity_of(region)


def _given_intensity(grams: float) -> Intensity:
    return Intensity(grams, grams, grams, "given", None, "as given", "custom", assumed=False)


def _name_in_force(argument: str, given: str | None, variable: str, environ: Mapping[str, str]) -> str | None:
    if given is not None:
        return check_name(argument, given)
    text = environ.get(variable)
    if not text:
        return None
    with _said_by(variable):
        return check_name(argument, text)


@contextmanager
def _said_by(variable: str) -> Iterator[None]:
    """What cannot be used was said by a variable, and an error names that."""
    try:
        yield
    except ConfigError as error:
        raise error.under(variable) from None


def devices_in_force(devices: Devices | None = None, environ: Mapping[str, str] = os.environ) -> Devices:
    """Which accelerators are metered: as given, else by ``LIGHTNING_CARBON_DEVICES``, else ``"auto"``.

    Raises:
        ConfigError: It is none of the forms.
    """
    if devices is not None:
        return check_devices(devices)
    with _said_by(DEVICES_VARIABLE):
        return check_devices(environ.get(DEVICES_VARIABLE) or "auto")


def _ledger_in_force(ledger: os.PathLike[str] | str | None, environ: Mapping[str, str]) -> Path:
    if ledger is not None or LEDGER_VARIABLE not in environ:
        return check_writable(ledger_folder(ledger, environ))
    with _said_by(LEDGER_VARIABLE):
        return check_writable(ledger_folder(ledger, environ))


def ledger_folder(ledger: os.PathLike[str] | str | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all runs: what was given, else ``LIGHTNING_CARBON_LEDGER``, else the user's data folder."""
    given = ledger if ledger is not None else environ.get(LEDGER_VARIABLE)
    if given is not None and str(given) == "":
        raise ConfigError("ledger", given, "give a folder.")
    if given is None:
        try:
            from platformdirs import user_data_path
        except ImportError:
            # Where the source tree alone is on the path, as in an image that brings its own packages.
            fix = (
                "the package platformdirs, which knows the default folder, is not there; give a folder, "
                f"set {LEDGER_VARIABLE}, or pip install platformdirs."
            )
            raise ConfigError("ledger", None, fix) from None
        return user_data_path("lightning-carbon", appauthor=False) / "ledger"
    if not isinstance(given, str | os.PathLike):
        raise ConfigError("ledger", given, "give a folder, as text or a path.")
    return Path(given)


def meter_of(
    config: MeterConfig,
    *,
    devices: Devices | None = None,
    ranks: Ranks | None = None,
    computes_on: object = None,
) -> Engine:
    """A meter of a checked configuration, for integrations.

    Args:
        config: What the user set.
        devices: The accelerators that the trainer computes on; used where the user left it to ``"auto"``.
        ranks: Which of the run's processes this is, as the trainer says; default: as the launcher says.
        computes_on: The torch device whose clock tells when steps end; default: the one that torch has started.
    """
    if devices is not None and config.devices == "auto":
        config = replace(config, devices=devices)
    return Engine(config, partial(assemble, ranks=ranks, computes_on=computes_on))


def ranks_as(rank: int, local_rank: int, world_size: int) -> Ranks:
    """Which of a run's processes this is, as a trainer says.

    Args:
        rank: Its number, from 0.
        local_rank: Its number on its host, from 0.
        world_size: How many there are.
    """
    return Ranks(rank, local_rank, world_size, host_id())


def assemble(config: MeterConfig, *, ranks: Ranks | None = None, computes_on: object = None) -> Adapters:
    """Make the adapters of a configuration, touching the hardware.

    Args:
        config: What the user set.
        ranks: Which of the run's processes this is; default: as the launcher says. The first one of a host meters its
            processors and memory, too.
        computes_on: The torch device whose clock tells when steps end; default: the one that torch has started.
    """
    ranks = ranks or ranks_of()
    clock = SystemClock()
    findings = _findings(config, ranks)
    return Adapters(
        findings=findings,
        clock=clock,
        store=DirectoryRunStore(config.ledger),
        host=host_facts(),
        ranks=ranks,
        identity=identity_of(ranks),
        pid_started=process_started(),
        step_clock=_step_clock(clock, computes_on),
        neighbours=partial(_neighbours, findings),
    )


def copy_record(record: RunRecord, folder: os.PathLike[str] | str, name: str = COPIED_RECORD_FILE) -> str | None:
    """Put a copy of a record into a folder, such as the one of the trainer's logs.

    Args:
        record: The record.
        folder: Where to.
        name: What to call it; a file of that name is replaced.

    Returns:
        Where it lies, or ``None`` where it could not be written: the ledger has the record anyway.
    """
    path = Path(folder) / name
    try:
        write_json(path, to_mapping(record))
    except LedgerError:
        return None
    return str(path)


def host_facts() -> dict[str, str | int | None]:
    """What a record tells about the machine; starts no process and opens no socket."""
    system = os.uname()
    facts: dict[str, str | int | None] = {
        "name": system.nodename,
        "system": f"{system.sysname} {system.release}",
        "machine": system.machine,
        "processors": os.cpu_count(),
        "python": ".".join(str(part) for part in sys.version_info[:3]),
    }
    for framework in ("torch", "pytorch_lightning", "lightning", "transformers", "accelerate"):
        version: Any = getattr(sys.modules.get(framework), "__version__", None)
        if version is not None:
            facts[framework] = str(version)
    return facts


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


def _neighbours(findings: Sequence[Finding]) -> str:
    from lightning_carbon.sources import nvml

    return "; ".join(filter(None, map(nvml.neighbours, findings)))


def _findings(config: MeterConfig, ranks: Ranks) -> list[Finding]:
    if config.sources is not None:
        return [Finding("given", source.sensor.domain.name, source) for source in config.sources]
    from lightning_carbon.sources.discovery import discover

    discover_of = partial(discover, cpu_scope=config.cpu_scope, gpu_scope=config.gpu_scope, host=ranks.meters_host)
    if config.devices == "auto" and ranks.shares_host:
        # With fewer GPUs visible than that, each rank sees its own, or they share.
        with suppress(ConfigError):
            return discover_of(_devices_of_rank(ranks))
    return discover_of(config.devices)


def _devices_of_rank(ranks: Ranks) -> Devices:
    """The GPUs that one of several processes of a host computes on, where no trainer tells.

    Those on which torch holds memory for this process, else the one that the program has made the current one, else the
    one that has the number of the process on this host.
    """
    index = ranks.local_rank if ranks.knows_local else None
    if "torch" in sys.modules:
        try:
            from lightning_carbon.sources.torch_devices import device_uuids, devices_in_use

            gpus = device_uuids(devices_in_use(index))
        except Exception:
            logger.warning("cannot tell which GPUs torch uses; taking the one of this rank's number", exc_info=True)
            gpus = []
        if gpus:
            return gpus
    return "auto" if index is None else (index,)
