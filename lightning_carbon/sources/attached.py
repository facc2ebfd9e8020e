"""Accelerators that the kernel shows no power of: by a library of their maker where there is one, else by rating."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lightning_carbon.energy.readings import Kind
from lightning_carbon.sources import apple, gaudi
from lightning_carbon.sources.rated import Surroundings, kind_of, modelled
from lightning_carbon.values import replace

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
        computes_on: Torch's type of the device that the training computes on, where that is known, and behind a colon
            the number of the part on this machine.
        devices: As in :func:`lightning_carbon.sources.discovery.discover`; numbers come before that in
            ``computes_on``, and without any the first part is taken.
        around: What tells of them; default this machine.
        host: Whether to also look for the processor.

    Returns:
        The findings for accelerators, and those for processor and memory.
    """
    around = around or Surroundings()
    kind = kind_of(computes_on, around.modules)
    numbers = [] if isinstance(devices, str) else [device for device in devices if isinstance(device, int)]
    own = (computes_on or "").partition(":")[2]
    numbers = numbers or [int(own) if own.isdecimal() else 0]
    found: list[Finding] = []
    sockets: list[Finding] = []
    if kind == "mps" or host:
        of_apple = apple.discover(around.platform, around.load)
        found += [finding for finding in of_apple if kind == "mps" and not _is_socket(finding)]
        sockets += [finding for finding in of_apple if host and _is_socket(finding)]
    if kind == "hpu":
        found += [card for number in numbers for card in gaudi.discover(number, around.load)]
    if not any(finding.port is not None for finding in found):
        models = [modelled(kind, number, around) for number in numbers]
        found += [model for model in models if model is not None]
    return found, sockets


def only_in_use(finding: Finding) -> Finding:
    """The model of an accelerator that the training may not compute on: not counted, and it says when it is.

    Args:
        finding: The finding of the model.
    """
    return replace(finding, port=None, reason=f"counted once a training computes on it: {finding.reason}")


def _is_socket(finding: Finding) -> bool:
    return finding.port is not None and finding.port.sensor.domain.kind in {Kind.PACKAGE, Kind.DRAM}
