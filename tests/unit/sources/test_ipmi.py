"""What ipmitool prints of a machine's power, by a program that plays it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_carbon.errors import ReadFailed
from lightning_carbon.sources.ipmi import IpmiGauge, discover, watts_in
from lightning_carbon.units import Power

ACTIVATED = """
    Instantaneous power reading:                   220 Watts
    Minimum during sampling period:                 18 Watts
    Maximum during sampling period:                413 Watts
    Average power reading over sample period:      223 Watts
    IPMI timestamp:                           Wed Nov  1 11:09:43 2023
    Sampling period:                          00000001 Seconds.
    Power reading state is:                   activated
"""


def playing(folder: Path, script: str) -> dict[str, str]:
    """An environment whose path has an ipmitool that plays a script of the shell."""
    program = folder / "ipmitool"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}"}


def test_a_reading_is_the_present_power(tmp_path: Path) -> None:
    """In English, whatever the locale: neither the mean nor the extremes since the service processor started."""
    script = f'[ "$LC_ALL" = C ] && [ "$*" = "dcmi power reading" ] && cat <<END\n{ACTIVATED}\nEND'
    [found] = discover(playing(tmp_path, script), tmp_path)
    assert isinstance(found.port, IpmiGauge)

    assert Power(220.0) == found.port.read_power()
    assert "a training starts no process" in found.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "shows no power"),
        (ACTIVATED.replace("220", "0"), "0 W"),
        (ACTIVATED.replace(" activated", " deactivated"), "its power reading is deactivated"),
        (ACTIVATED.replace("Instantaneous", "Momentane"), "shows no power"),
        (ACTIVATED.replace("220 Watts", "0xdeadbeef"), "shows no power"),
    ],
)
def test_what_is_no_power_is_no_reading(text: str, said: str) -> None:
    """A service processor that knows DCMI alone shows zero, or nothing."""
    with pytest.raises(ReadFailed, match=said):
        watts_in(text)


@pytest.mark.parametrize(
    ("script", "said", "has_fix"),
    [
        ("echo 'Could not open device at /dev/ipmi0: Permission denied' >&2; exit 1", "Permission denied", True),
        ("echo ' DCMI request failed because: Invalid command (c1)' >&2; exit 1", "Invalid command (c1)", False),
        ("exit 3", "exit code 3", False),
        ("printf '\\377\\000'", "shows no power", False),
    ],
)
def test_a_program_that_fails_is_told_with_its_words(tmp_path: Path, script: str, said: str, *, has_fix: bool) -> None:
    """And with the fix, where there is one."""
    [found] = discover(playing(tmp_path, script), tmp_path)

    assert (None, True, has_fix) == (found.port, said in found.reason, bool(found.fix))


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    """As where the service processor does not answer."""
    playing(tmp_path, "exec sleep 60")
    with pytest.raises(ReadFailed, match="has not ended"):
        IpmiGauge(str(tmp_path / "ipmitool"), 0.05).read_power()
    with pytest.raises(ReadFailed, match="cannot be started"):
        IpmiGauge(str(tmp_path / "gone")).read_power()


def test_a_machine_without_the_program_is_told_of_it(tmp_path: Path) -> None:
    """Where it has a service processor, and else nothing is said."""
    assert [] == discover({"PATH": str(tmp_path)}, tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/ipmi0").touch()
    [found] = discover({"PATH": str(tmp_path)}, tmp_path)

    assert (None, "install the package ipmitool") == (found.port, found.fix)
