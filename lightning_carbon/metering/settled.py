"""The settled state of a run: everything attributed so far, in a single value that is replaced as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lightning_carbon.energy.attribution import Attribution, Usage


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
