"""The options of ``doctor --certify``, and what it takes from the machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

import typer

from lightning_carbon.errors import ConfigError
from lightning_carbon.units import SECONDS_PER_MINUTE

CertifyOption = Annotated[
    bool, typer.Option("--certify", help="Test the sensors, idle and under load, into the file of --output.")
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where the test goes, as JSON.", show_default=False),
]
ForOption = Annotated[str, typer.Option("--for", metavar="TIME", help="How long the test takes, such as 60s.")]

_TIME: Final = re.compile(r"\s*(\d{1,5}(?:\.\d+)?)\s*(s|m|min)\s*")
_LEAST_SECONDS: Final = 1.0
_MOST_MINUTES: Final = 60


def seconds_of(text: str) -> float:
    """The seconds of a time such as ``60s`` or ``10min``.

    Raises:
        ConfigError: It is no time, or out of range.
    """
    found = _TIME.fullmatch(text)
    seconds = 0.0 if found is None else float(found[1]) * (1 if found[2] == "s" else SECONDS_PER_MINUTE)
    if not _LEAST_SECONDS <= seconds <= _MOST_MINUTES * SECONDS_PER_MINUTE:
        raise ConfigError("for", text, f"give a time with its unit, such as 60s or 10min, up to {_MOST_MINUTES}min.")
    return seconds


def certify_to(output: Path | None, time: str, devices: str | None) -> None:
    """Test the sensors of this machine, and write what was found.

    Args:
        output: The file; there has to be one.
        time: How long the test takes.
        devices: As in the meter.

    Raises:
        ConfigError: An option cannot be used, or the file cannot be written.
    """
    from lightning_carbon.cli.calibrate.command import has_gpu
    from lightning_carbon.cli.doctor.certify import CertifiedMachine, certify
    from lightning_carbon.cli.say import notice
    from lightning_carbon.ledger.files import write_json
    from lightning_carbon.settings import DEVICES, REDFISH
    from lightning_carbon.sources import nvml, redfish
    from lightning_carbon.sources.discovery import discover
    from lightning_carbon.sources.host.cpuinfo import describe_cpu

    seconds = seconds_of(time)
    if output is None:
        raise ConfigError("output", None, "name a file for the test, such as -o certificate.json.")
    if not output.absolute().parent.is_dir():
        raise ConfigError("output", str(output), "its folder is not there; make it, or name another.")
    chosen, service = DEVICES.in_force(devices), REDFISH.in_force()
    asked = None if service is None else redfish.discover(service, wait_seconds=redfish.WAIT_SECONDS)
    findings = discover(chosen, cpu_scope="machine", machine=True, asked=asked)
    stock = nvml.list_devices(chosen)
    names = tuple(device.name for device in stock.devices if device.kind == "gpu")
    facts = CertifiedMachine(stock.driver, describe_cpu().get("model name"), names)
    notice(f"testing for {seconds:g} s, idle and with all processors busy; nothing else should run meanwhile")
    found = certify(findings, seconds, facts, has_gpu=has_gpu(), begin=lambda load: notice(f"{load.name}…"))
    try:
        write_json(output, found)
    except OSError as error:
        raise ConfigError("output", str(output), f"it cannot be written: {error.strerror or error}.") from None
    tested = f"{len(found['sources'])} sensors and models" if found["sources"] else "no sensor"
    notice(f"{tested} in {output}; {len(found['not_tested'])} could not be tested, and it says why")
