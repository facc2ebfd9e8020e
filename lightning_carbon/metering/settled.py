"""What a run has attributed so far: one value, which is replaced as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lightning_carbon.energy.attribution import Attribution, Usage


class Settled(NamedTuple):
    """What has been attributed so far.

    Args:
        attribution: Goes on from here; never changed in place.
        usage: What has been used since the start.
        lines: The steps that the ledger has not got yet, where they are listed.
        serial: The number of the last mark that is in it.
    """

    attribution: Attribution
    usage: Usage
    lines: list[str]
    serial: int
