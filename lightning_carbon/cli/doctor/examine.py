"""The examination of everything that a meter would use on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from lightning_carbon import __version__
from lightning_carbon.carbon.intensity import Intensity
from lightning_carbon.cli.doctor.machine import ASSUMED, machine_report
from lightning_carbon.cli.doctor.report import (
    DevicesReport,
    LedgerReport,
    PueReport,
    RegionReport,
    Report,
    SourceReport,
    SourceVerdict,
)
from lightning_carbon.cli.doctor.watch import Watched, watch
from lightning_carbon.energy.readings import Provenance
from lightning_carbon.errors import ConfigError, SourceError
from lightning_carbon.ports import EnergyCounter, Finding, Source
from lightning_carbon.records.condition_words import condition_words
from lightning_carbon.settings import (
    DEVICES,
    LEDGER,
    MACHINE,
    REDFISH,
    ledger_folder,
    writable_ledger,
)
from lightning_carbon.settings.pricing import INTENSITY, PUE, REGION, intensity_in_force, pue_in_force
from lightning_carbon.settings.setting import Setting
from lightning_carbon.sources import ipmi, nvml, redfish
from lightning_carbon.sources.discovery import discover
from lightning_carbon.sources.patience import patient
from lightning_carbon.systems import system

DEFAULT: Final = "default"

# By the names that people install; packages that are not installed are left out.
_LIBRARIES: Final = (
    "nvidia-ml-py",
    "psutil",
    "torch",
    "pytorch-lightning",
    "lightning",
    "transformers",
    "accelerate",
)
_STILL: Final = "it did not move in the {seconds:g} s that it was watched; see with --seconds 10 whether it ever does"

Watch = Callable[[Sequence[Source], float], list[Watched]]


def examine(
    *,
    region: str | None = None,
    pue: float | None = None,
    devices: str | None = None,
    seconds: float = 1.0,
    environ: Mapping[str, str] = os.environ,
    root: Path = Path("/"),
) -> Report:
    """Try every source, watch those that work, and see which settings are in force.

    Args:
        region: As in the meter.
        pue: As in the meter.
        devices: As in the meter.
        seconds: How long sources are watched.
        environ: The environment variables.
        root: Where ``proc`` and ``sys`` are.

    Raises:
        ConfigError: A setting cannot be used.
    """
    # Settings first: a misspelling is reported before any wait.
    intensity = intensity_in_force(region, environ=environ)
    region_report, pue_report = _region(intensity, region, environ), _pue(intensity, pue, environ)
    chosen = DEVICES.in_force(devices, environ)
    stock = nvml.list_devices(chosen, environ)
    machine = MACHINE.in_force(None, environ)
    service = REDFISH.in_force(None, environ)
    asked = None if service is None else redfish.discover(service, environ, wait_seconds=redfish.WAIT_SECONDS)
    findings = discover(chosen, environ=environ, root=root, machine=True, asked=asked)
    versions = _versions()
    if stock.driver is not None:
        versions["nvidia-driver"] = stock.driver
    return Report(
        seconds=seconds,
        sources=tuple(judge([*findings, *ipmi.discover(environ, root)], seconds)),
        devices=DevicesReport(
            setting=chosen if isinstance(chosen, str) else ",".join(map(str, chosen)),
            from_=_origin(DEVICES, devices, environ, otherwise=DEFAULT),
            cuda_visible_devices=stock.cuda_visible_devices,
            cuda_device_order=stock.cuda_device_order,
            remark=stock.remark,
            trouble=stock.trouble,
            found=stock.devices,
        ),
        region=region_report,
        pue=pue_report,
        machine=machine_report(machine, findings, environ, root=root),
        ledger=_ledger(environ),
        versions=versions,
    )


def judge(findings: Sequence[Finding], seconds: float, watch: Watch = watch) -> list[SourceReport]:
    """Watch the sources that were found, and judge each.

    Args:
        findings: The findings of discovery.
        seconds: How long to watch.
        watch: The function that reads the sources.
    """
    seen = iter(watch([finding.port for finding in findings if finding.port is not None], seconds))
    return [
        _unusable(finding) if finding.port is None else _found(finding, finding.port, next(seen), seconds=seconds)
        for finding in findings
    ]


def _unusable(finding: Finding) -> SourceReport:
    fix = finding.fix
    return SourceReport(finding.source, finding.subject, SourceVerdict.UNUSABLE, finding.reason, fix)


def _found(finding: Finding, port: Source, watched: Watched, *, seconds: float) -> SourceReport:
    sensor = port.sensor
    # Models also put their method into the reason.
    reasons = [] if sensor.method in finding.reason else [finding.reason]
    verdict = SourceVerdict.USABLE
    if watched.trouble:
        if watched.gone or watched.failed >= watched.readings:
            verdict = SourceVerdict.FAILING
        reasons.insert(0, watched.trouble)
    elif not watched.moves and sensor.provenance is Provenance.COUNTER:
        verdict = SourceVerdict.STILL
        reasons.insert(0, _STILL.format(seconds=seconds))
    return SourceReport(
        source=finding.source,
        subject=finding.subject,
        verdict=verdict,
        reason="; ".join(filter(None, reasons)),
        fix=finding.fix,
        domain=sensor.domain.id,
        kind=sensor.domain.kind.value,
        name=sensor.domain.name,
        parent=sensor.domain.parent,
        provenance=sensor.provenance.value,
        method=sensor.method,
        uncertainty_ratio=sensor.uncertainty_ratio,
        accuracy=sensor.accuracy,
        port="counter" if isinstance(port, EnergyCounter) else "gauge",
        readings=watched.readings,
        failed_readings=watched.failed,
        moves=watched.moves,
        tick_seconds=watched.tick_seconds,
        tick_is_upper_bound=watched.tick_is_upper_bound,
        read_seconds=watched.read_seconds,
        watts=watched.watts,
        condition=_condition(finding),
    )


def _condition(finding: Finding) -> str:
    """What the device tells beside its power, in words."""
    if finding.gauges is None:
        return ""
    try:
        return condition_words(patient(finding.gauges.read_condition))
    except SourceError as error:
        return f"nothing: {error}"


def _region(intensity: Intensity, region: str | None, environ: Mapping[str, str]) -> RegionReport:
    return RegionReport(
        region=intensity.place,
        from_=_origin(
            REGION if region or not environ.get(INTENSITY.variable) else INTENSITY, region, environ, otherwise=ASSUMED
        ),
        assumed=intensity.assumed,
        grams_co2e_per_kilowatt_hour=intensity.value,
        low=intensity.low,
        high=intensity.high,
        year=intensity.year,
        source=intensity.source,
    )


def _pue(intensity: Intensity, pue: float | None, environ: Mapping[str, str]) -> PueReport:
    usage = pue_in_force(pue, intensity, environ)
    origin = _origin(PUE, pue, environ, otherwise=ASSUMED)
    return PueReport(usage.value, origin, usage.assumed, usage.low, usage.high, usage.source)


def _ledger(environ: Mapping[str, str]) -> LedgerReport:
    origin = _origin(LEDGER, None, environ, otherwise=DEFAULT)
    folder, trouble = Path(environ.get(LEDGER.variable, "")), ""
    try:
        folder = ledger_folder(environ=environ)
        folder = writable_ledger(environ=environ)
    except ConfigError as error:
        trouble = error.fix
    return LedgerReport(str(folder), origin, not trouble, trouble)


def _origin(setting: Setting[object], given: object, environ: Mapping[str, str], *, otherwise: str) -> str:
    if given is not None:
        return setting.option
    return setting.variable if environ.get(setting.variable) else otherwise


def _versions() -> dict[str, str]:
    here = system()
    found = {
        "lightning-carbon": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "system": " ".join(here[1:]),
    }
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
