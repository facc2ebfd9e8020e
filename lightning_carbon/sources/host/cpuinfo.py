"""The description of the processor: on Linux the kernel's, in ``/proc/cpuinfo``, elsewhere its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.systems import processor_name

if TYPE_CHECKING:
    from collections.abc import Callable

CPUINFO: Final = Path("/proc/cpuinfo")

# The first processor's block, flags included; reading on would make the kernel look up the clock of every core.
_CHARACTERS: Final = 8192


def describe_cpu(cpuinfo: Path = CPUINFO, otherwise: Callable[[], str] = processor_name) -> dict[str, str]:
    """The first processor's description, such as its ``model name`` and ``vendor_id``; empty where there is none.

    Args:
        cpuinfo: The file that describes the processors.
        otherwise: Gives the processor's name where there is no such file.
    """
    try:
        with cpuinfo.open(encoding="utf-8", errors="replace") as lines:
            block = lines.read(_CHARACTERS).split("\n\n", 1)[0]
    except OSError:
        name = otherwise()
        return {"model name": name} if name else {}
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _colon, value in pairs}
