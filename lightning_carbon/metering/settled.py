"""The settled state of a run: everything attributed so far, in a single value that is replaced as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.energy.attribution import Attribution, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.energy.timeline import Timeline


class Settled(NamedTuple):
    """Everything attributed so far.

    Args:
        attribution: The attribution to continue from; never changed in place.
        usage: The usage since the start.
        lines: The lines of steps that the ledger has not got yet, where steps are listed.
        serial: The number of the last mark attributed.
    """

    attribution: Attribution
    usage: Usage
    lines: list[str]
    serial: int


def nothing_yet(timelines: Sequence[Timeline], start_ns: int, phase: str, *, detailed: bool) -> Settled:
    """The state at the start of a run.

    Args:
        timelines: The curves.
        start_ns: The start.
        phase: The phase that the run begins in.
        detailed: Whether the parts of phases are distinguished.
    """
    attribution = Attribution(timelines, start_ns, phase, detailed=detailed)
    return Settled(attribution, Usage(start_ns, start_ns, step_microjoules=[0] * len(timelines)), [], 0)
