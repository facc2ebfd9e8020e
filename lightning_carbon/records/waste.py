"""Energy that a run spent on something else than training, by name: what it was, how much, and what to try. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lightning_carbon.records.fields import RATIO, one_of
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from lightning_carbon.records.totals import Totals

LOST_SHARE: Final = 0.01
"""The share of all attempts from which on lost work is named; ours."""


class WasteKind(StrEnum):
    """What energy was spent on that was no training."""

    DATA = "data"
    IDLE = "idle"
    HEAT = "heat"
    POWER_CAP = "power_cap"
    STRAGGLER = "straggler"
    VALIDATION = "validation"
    CHECKPOINT = "checkpoint"
    PADDING = "padding"
    LOST = "lost"


WORDS: Final = {
    WasteKind.DATA: "waiting for data",
    WasteKind.IDLE: "GPUs idle while the host works",
    WasteKind.HEAT: "throttled by heat",
    WasteKind.POWER_CAP: "throttled at the power limit",
    WasteKind.STRAGGLER: "waiting for the slowest rank",
    WasteKind.VALIDATION: "validation",
    WasteKind.CHECKPOINT: "saving checkpoints",
    WasteKind.PADDING: "computing on padding",
    WasteKind.LOST: "work that was lost",
}
"""The name of each kind for people."""

HINTS: Final = {
    WasteKind.DATA: "give the loader more workers, prefetch, pin memory, or prepare the data before training",
    WasteKind.IDLE: "larger batches, torch.compile, and less logging and .item() in steps keep GPUs busy",
    WasteKind.HEAT: "look at fans, dust, and the air or water; a lower power limit keeps clocks steadier",
    WasteKind.POWER_CAP: "a lower limit may cost less energy a step yet; compare two with `lightning-carbon compare`",
    WasteKind.STRAGGLER: "look at this rank's data, clocks and temperature, and at what else runs on its host",
    WasteKind.VALIDATION: "validate less often, or on fewer batches",
    WasteKind.CHECKPOINT: "save less often, or asynchronously, or to a faster disk",
    WasteKind.PADDING: "group batches by length, pack sequences, or pad to the longest of a batch, not to a maximum",
    WasteKind.LOST: "save checkpoints more often, and look at why the attempts ended",
}
"""What to try against each kind."""
UNDIVIDED_HINT: Final = 'they wait for data or for the program; detail="step" tells which'
"""What to try against idle GPUs where nobody knows how long steps wait for their data."""


@dataclass(frozen=True, slots=True)
class Waste:
    """Energy that was spent on something else than training.

    Args:
        kind: What it was spent on.
        joules: The energy used meanwhile, the most that a remedy saves.
        ratio: That energy as a share of the run's; of lost work, of all attempts'.
        seconds: How long it took; of several GPUs or ranks, the mean.
        hint: What to try.
        rank: The rank that the others waited for, where it is one.
    """

    kind: str = field(metadata=one_of(WasteKind))
    joules: float
    ratio: float = field(metadata=RATIO)
    seconds: float
    hint: str = ""
    rank: int | None = None


def lost_work(lineage: Totals | None, spent: Totals | None) -> Waste | None:
    """The work that attempts at a training have lost between a checkpoint and their end.

    Args:
        lineage: The totals that led to the present state of the model.
        spent: The totals of all attempts.
    """
    kept = None if lineage is None else lineage.joules
    every = None if spent is None else spent.joules
    if kept is None or not every:
        return None
    joules = every - kept
    ratio = joules / every
    if ratio < LOST_SHARE:
        return None
    return Waste(WasteKind.LOST.value, joules, min(1.0, ratio), 0.0, HINTS[WasteKind.LOST])


def with_lost(waste: tuple[Waste, ...], lost: Waste | None) -> tuple[Waste, ...]:
    """A list of waste with the work that is lost by now, the largest first.

    Args:
        waste: The list, perhaps with work that was lost as it was known before.
        lost: The lost work, or ``None``.
    """
    others = [found for found in waste if found.kind != WasteKind.LOST]
    return tuple(sorted(others if lost is None else [*others, lost], key=lambda found: -found.joules))
