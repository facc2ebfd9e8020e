"""Accelerators that the kernel shows no power of: by a library of their maker where there is one, else by rating."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lightning_carbon.energy.readings import Kind
from lightning_carbon.sources import apple, gaudi
from lightning_carbon.sources.rated import Surroundings, kind_of, modelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.ports import Finding


def discover(
    computes_on: str | None,
    devices: Literal["auto", "all"] | Sequence[int | str] = "auto",
    around: Surroundings | None = None,
    *,
    host: bool = True,
) -> tuple[list[Finding], list[Finding]]:
    """Find the accelerator that the training computes on, if it is of this sort, and the processor that has it inside.

    Args:
        computes_on: Torch's type of the device that the training computes on, where that is known.
        devices: As in :func:`lightning_carbon.sources.discovery.discover`; a number is that of the part on this
            machine.
        around: What tells of them; default this machine.
        host: Whether to also look for the processor.

    Returns:
        The findings for accelerators, and those for processor and memory.
    """
    around = around or Surroundings()
    kind = kind_of(computes_on, around.modules)
    first = next((device for device in devices if isinstance(device, int)), 0) if not isinstance(devices, str) else 0
    found: list[Finding] = []
    sockets: list[Finding] = []
    if kind == "mps" or host:
        of_apple = apple.discover(around.platform, around.load)
        found += [finding for finding in of_apple if kind == "mps" and not _is_socket(finding)]
        sockets += [finding for finding in of_apple if host and _is_socket(finding)]
    if kind == "hpu":
        found += gaudi.discover(None if devices == "all" else first, around.load)
    if not any(finding.port is not None for finding in found):
        model = modelled(kind, first, around)
        found += [] if model is None else [model]
    return found, sockets


def _is_socket(finding: Finding) -> bool:
    return finding.port is not None and finding.port.sensor.domain.kind in {Kind.PACKAGE, Kind.DRAM}
