"""The kernel's description of the processor, in ``/proc/cpuinfo``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

CPUINFO: Final = Path("/proc/cpuinfo")

# The first processor's block, flags included; reading on would make the kernel look up the clock of every core.
_CHARACTERS: Final = 8192


def describe_cpu(cpuinfo: Path = CPUINFO) -> dict[str, str]:
    """The first processor's description, such as its ``model name`` and ``vendor_id``; empty where there is none.

    Args:
        cpuinfo: The file that describes the processors.
    """
    try:
        with cpuinfo.open(encoding="utf-8", errors="replace") as lines:
            block = lines.read(_CHARACTERS).split("\n\n", 1)[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, _colon, value in pairs}
