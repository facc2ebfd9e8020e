"""What an engine is put together from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lightning_carbon.ports import Clock, Finding, RunIdentity, RunStore, StepClock


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which of a run's processes this is.

    Args:
        rank: Its number, from 0.
        local_rank: Its number on its host, from 0.
        world_size: How many there are.
        host_id: The same for all processes of one host, and for no other.
        knows_local: Whether ``local_rank`` was told; otherwise it is a guess.
        local_size: How many there are on this host, where that is known.
    """

    rank: int = 0
    local_rank: int = 0
    world_size: int = 1
    host_id: str = ""
    knows_local: bool = True
    local_size: int | None = None

    @property
    def meters_host(self) -> bool:
        """Whether this process meters what its host has once; where nobody knows the first one, each does.

        A record counts a domain of a host once, so that one too many does no harm.
        """
        return self.local_rank == 0 or not self.knows_local

    @property
    def shares_host(self) -> bool:
        """Whether the run has other processes on this host, as far as is known."""
        return self.world_size > 1 and self.local_size != 1


class OwnIdentity:
    """The identity of a run that has only this process: it is called what it proposes."""

    def agree(self, proposal: str) -> str:
        """The proposal."""
        return proposal


@dataclass(frozen=True, slots=True)
class Parts:
    """The concrete adapters behind one meter.

    Args:
        findings: What was tried as a source, usable or not.
        clock: The monotonic clock and the wall clock beside it.
        store: Where the record goes.
        host: What is told about the machine.
        ranks: Which of the run's processes this is.
        identity: How they come to call it the same.
        pid_started: When this process started, in seconds since 1970, where that is known.
        step_clock: Tells when the device got to a mark; ``None`` where the program computes by itself.
        neighbours: Tells who else uses what is metered whole, or an empty string; asked now and then.
    """

    findings: Sequence[Finding]
    clock: Clock
    store: RunStore
    host: Mapping[str, str | int | None]
    ranks: Ranks = field(default_factory=Ranks)
    identity: RunIdentity = field(default_factory=OwnIdentity)
    pid_started: float | None = None
    step_clock: StepClock | None = None
    neighbours: Callable[[], str] = str
