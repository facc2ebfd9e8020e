"""What class of machine this is, by its chassis, its accelerators, and whether it is a guest.

The chassis is what the firmware says (SMBIOS, ``/sys/class/dmi``), which everybody may read. A class that follows from
these is assumed, and says what it follows from.

References: DMTF DSP0134, System Management BIOS Reference Specification 3.7 (2023), section 7.4.1, "Chassis Types".
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.grid.machines import (
    CLOUD_VM,
    CPU_NODE,
    DESKTOP,
    LAPTOP,
    MACHINES,
    SERVER_4_GPU,
    SERVER_8_GPU_AIR,
    WORKSTATION,
)
from lightning_carbon.sources.kernel_files import read_small
from lightning_carbon.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.carbon.rest import RestModel

_DMI: Final = Path("sys/class/dmi/id")
_LAPTOPS: Final = frozenset({8, 9, 10, 14, 30, 31, 32})
_SERVERS: Final = frozenset({17, 23, 25, 28, 29})
_GUESTS: Final = ("amazon ec2", "google", "qemu", "kvm", "openstack", "xen", "vmware", "digitalocean", "alibaba cloud")
_HYPERVISOR: Final = "hypervisor"
_MODULES: Final = r"\b(SXM\d?|HBM3e?|HGX|OAM|H[12]00 80GB|B[23]00|GB[23]00)\b"
"""Accelerators on a board of eight, or four: by the names that NVML and AMD's driver have for them."""

_OF_A_BOARD: Final = 8
_OF_A_SMALL_BOARD: Final = 4


@dataclass(frozen=True, slots=True)
class Accelerators:
    """The accelerators of a machine, as far as this process is shown them.

    Args:
        names: What each is called.
        of_job: How many of them the job may use.
    """

    names: tuple[str, ...] = ()
    of_job: int = 0


@dataclass(frozen=True, slots=True)
class Chassis:
    """What the firmware and the kernel say of a machine.

    Args:
        kind: The type of its chassis, as SMBIOS counts them; ``None`` where that is not told.
        vendor: Who made it, or whose guest it is.
        product: What it is called.
        is_guest: Whether it is a virtual machine.
    """

    kind: int | None = None
    vendor: str = ""
    product: str = ""
    is_guest: bool = False


def chassis_of(root: Path = Path("/")) -> Chassis:
    """Read what the firmware says; never raises, and what cannot be read is not told.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    kind, vendor, product = (_text(root / _DMI / name) for name in ("chassis_type", "sys_vendor", "product_name"))
    named = f"{vendor} {product}".casefold()
    is_guest = any(guest in named for guest in _GUESTS) or "virtual machine" in named or _is_guest(root)
    return Chassis(int(kind) if kind.isdecimal() else None, vendor, product, is_guest)


def machine_class(
    chassis: Chassis, accelerators: Accelerators, cpu_portion: float = 1.0, *, cpu_reason: str = ""
) -> RestModel:
    """The model of the rest of a machine, by what it shows; assumed.

    Args:
        chassis: What the firmware says of it.
        accelerators: What it has.
        cpu_portion: The share of its processors that is the job's.
        cpu_reason: What says so.
    """
    name, expected = _class(chassis, accelerators)
    shown = len(accelerators.names)
    portion, reasons = 1.0, [_what(chassis, accelerators)]
    if shown and accelerators.of_job:
        portion = min(1.0, accelerators.of_job / max(shown, expected))
        if portion < 1:
            reasons.append(f"{accelerators.of_job} of {max(shown, expected)} accelerators are the job's")
    elif cpu_portion < 1:
        portion = cpu_portion
        reasons.append(cpu_reason)
    return replace(MACHINES[name], portion=portion, reason="; ".join(filter(None, reasons)))


def _class(chassis: Chassis, accelerators: Accelerators) -> tuple[str, int]:
    """The class, and how many accelerators it has at least."""
    count = len(accelerators.names)
    if count and all(re.search(_MODULES, name, re.IGNORECASE) for name in accelerators.names):
        small = count == _OF_A_SMALL_BOARD
        return (SERVER_4_GPU, _OF_A_SMALL_BOARD) if small else (SERVER_8_GPU_AIR, _OF_A_BOARD)
    if chassis.is_guest:
        return CLOUD_VM, 0
    if chassis.kind in _LAPTOPS:
        return LAPTOP, 0
    if count > _OF_A_SMALL_BOARD:
        return SERVER_8_GPU_AIR, 0
    if chassis.kind in _SERVERS or (chassis.kind is None and not count):
        return (SERVER_4_GPU if count else CPU_NODE), 0
    return (WORKSTATION if count > 1 else DESKTOP), 0


def _what(chassis: Chassis, accelerators: Accelerators) -> str:
    count = len(accelerators.names)
    parts = [" ".join(filter(None, (chassis.vendor, chassis.product)))]
    parts.append("a virtual machine" if chassis.is_guest else "")
    parts.append("" if chassis.kind is None else f"chassis of type {chassis.kind}")
    parts.append(f"{count} × {accelerators.names[0]}" if count else "no accelerator")
    return ", ".join(filter(None, parts))


def _is_guest(root: Path) -> bool:
    from lightning_carbon.sources.host.cpuinfo import describe_cpu

    return _HYPERVISOR in describe_cpu(root / "proc/cpuinfo").get("flags", "").split()


def _text(path: Path) -> str:
    try:
        return read_small(path, os.open)
    except (OSError, ValueError):
        return ""


def names_of(devices: Sequence[tuple[str, bool]]) -> Accelerators:
    """The accelerators of a list of names, each with whether the job may use it."""
    return Accelerators(tuple(name for name, _ in devices), sum(is_visible for _, is_visible in devices))
