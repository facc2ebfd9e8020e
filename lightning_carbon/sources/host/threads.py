"""Which processor this is where its name is not shown, and how many hardware threads one socket of it has.

Arm's processors have no name in ``/proc/cpuinfo``, but a maker and a part, which the kernel lists in
``arch/arm64/include/asm/cputype.h``. The same part is in processors of several makers of machines, which the firmware
names.

References: https://www.kernel.org/doc/html/latest/arch/arm64/cpu-feature-registers.html, MIDR_EL1
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.sources.host.cpu_table import CpuSpec

DMI: Final = Path("/sys/devices/virtual/dmi/id")

_ARM: Final = "0x41"
_AMAZON: Final = "Amazon EC2"
_CLOUDS: Final = ("Amazon", "Google", "Microsoft", "Alibaba")
_GRAVITONS: Final = {"0xd0c": "AWS Graviton2", "0xd40": "AWS Graviton3", "0xd4f": "AWS Graviton4"}
_NEOVERSE_V2: Final = "0xd4f"
# No EPYC and no Xeon of the last ten years is rated for as much a thread: the highest are EPYC 72F3 (180 W, 16 threads)
# and Xeon Bronze 3104 (85 W, 6 threads). A chip that seems to have fewer threads is seen from a guest.
_MOST_WATTS_A_THREAD: Final = 15.0
_SERVERS: Final = r"AMD EPYC |Intel Xeon (?:Bronze|Silver|Gold|Platinum|\d)"


def sys_vendor(dmi: Path = DMI) -> str:
    """The maker of the machine, by its firmware; empty where it is not told.

    Args:
        dmi: The folder of the firmware's names.
    """
    try:
        return (dmi / "sys_vendor").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def arm_model(description: Mapping[str, str], vendor: str) -> str:
    """The model of a processor of Arm's design; empty where maker and part do not say.

    Args:
        description: Its description in ``/proc/cpuinfo``.
        vendor: The maker of the machine.
    """
    if description.get("CPU implementer") != _ARM:
        return ""
    part = description.get("CPU part", "")
    if vendor == _AMAZON:
        return _GRAVITONS.get(part, "")
    return "NVIDIA Grace" if part == _NEOVERSE_V2 and not vendor.startswith(_CLOUDS) else ""


def socket_threads(description: Mapping[str, str], spec: CpuSpec | None) -> int | None:
    """The hardware threads of the physical socket.

    Args:
        description: The processor's description in ``/proc/cpuinfo``.
        spec: The processor's row in the table; ``None`` where it has none.

    Returns:
        Their number; ``None`` where this machine cannot know: in a guest, whether it shows its hypervisor or not.
    """
    shown = description.get("siblings", "")
    siblings = int(shown) if shown.isdecimal() else 0
    is_guest = "hypervisor" in description.get("flags", "hypervisor").split()
    known = None if spec is None else spec.threads
    if known is not None:
        return siblings if not is_guest and 2 * siblings == known else known
    if is_guest or not siblings:
        return None
    watts = None if spec is None else spec.base_watts
    if spec and watts and re.match(_SERVERS, spec.name) and watts / siblings > _MOST_WATTS_A_THREAD:
        return None
    return siblings
