"""The whole machine by ``ipmitool dcmi power reading``: for commands alone, since a training starts no process.

What service processors say, and what ipmitool says where they do not, is in English whatever the locale (``LC_ALL=C``).

References: Intel, Data Center Management Interface Specification 1.5 (2011), section 6.6.1, "Get Power Reading".
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ReadFailed, SourceError
from lightning_carbon.ports import Finding
from lightning_carbon.sources.hwmon.machines import MACHINE_ID, SOURCE, UNCERTAINTY_RATIO
from lightning_carbon.units import Power

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER_SECONDS: Final = 5.0
"""How long ipmitool may take; ours."""
SUBJECT: Final = "machine (ipmitool)"
_DEVICE: Final = Path("dev/ipmi0")
_POWER: Final = re.compile(r"^\s*Instantaneous power reading\s*:\s*(\d{1,6})\s*Watts?\b", re.MULTILINE)
_STATE: Final = re.compile(r"^\s*Power reading state is\s*:\s*(\w+)", re.MULTILINE)
_LONGEST: Final = 120
_WITHOUT: Final = "doctor and calibrate read it; a training starts no process, and does without"


def watts_in(text: str) -> float:
    """The power in what ``ipmitool dcmi power reading`` prints.

    Raises:
        ReadFailed: It shows none.
    """
    power, state = _POWER.search(text), _STATE.search(text)
    if power is None:
        raise ReadFailed("ipmitool shows no power")
    if state is not None and state[1].casefold() != "activated":
        raise ReadFailed(f"its power reading is {state[1]}")
    if not int(power[1]):
        raise ReadFailed("it shows 0 W, which no machine draws")
    return float(power[1])


class IpmiGauge:
    """A :class:`~lightning_carbon.ports.PowerGauge` that starts ipmitool for each reading.

    Args:
        program: Where ipmitool is.
        seconds: How long it may take.
    """

    def __init__(self, program: str, seconds: float = ANSWER_SECONDS) -> None:
        self._program = program
        self._seconds = seconds
        method = "ipmitool dcmi power reading, integrated"
        domain = Domain(Kind.MACHINE, MACHINE_ID, "machine at its plug")
        self._sensor = Sensor(domain, Provenance.INTEGRATED, UNCERTAINTY_RATIO, method)

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_power(self) -> Power:
        """Ask the service processor.

        Raises:
            ReadFailed: ipmitool did not end in time, failed, or showed no power.
        """
        words = [self._program, "dcmi", "power", "reading"]
        try:
            done = subprocess.run(  # noqa: S603 - found on the path of the user, who may run it
                words,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._seconds,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        except subprocess.TimeoutExpired:
            raise ReadFailed(f"ipmitool has not ended in {self._seconds:g} s") from None
        except OSError as error:
            raise ReadFailed(f"ipmitool cannot be started: {error.strerror or type(error).__name__}") from error
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).decode("utf-8", "replace").split())
            raise ReadFailed(f"ipmitool fails: {said[:_LONGEST] or f'exit code {done.returncode}'}")
        return Power(watts_in(done.stdout.decode("utf-8", "replace")))


def discover(environ: Mapping[str, str] = os.environ, root: Path = Path("/")) -> list[Finding]:
    """The machine by ipmitool; nothing where neither the program nor a service processor is there.

    Args:
        environ: The environment variables, with the path of programs.
        root: Where ``dev`` is.
    """
    program = shutil.which("ipmitool", path=environ.get("PATH", ""))
    if program is None:
        if not (root / _DEVICE).exists():
            return []
        reason = "there is a service processor, and no ipmitool to ask it"
        return [Finding(SOURCE, SUBJECT, reason=reason, fix="install the package ipmitool")]
    gauge = IpmiGauge(program)
    try:
        gauge.read_power()
    except SourceError as error:
        fix = "run it as root, or let your group open /dev/ipmi0" if "ermission denied" in str(error) else ""
        return [Finding(SOURCE, SUBJECT, reason=str(error), fix=fix)]
    return [Finding(SOURCE, SUBJECT, gauge, _WITHOUT)]
