"""The place of a process in a distributed run, and the name of a run of a single process."""

from __future__ import annotations

from typing import Final

from lightning_carbon.values import dataclass

FIRST_JOINED: Final = 100_000_000
"""The least number of a process that joined a run; trainers have fewer ranks, and file names nine digits."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """The place of this process among those of a run.

    Args:
        rank: Its number, from 0.
        local_rank: Its number on its host, from 0.
        world_size: The number of processes.
        host_id: The same for all processes of one host, and for no other.
        knows_local: Whether a launcher or trainer gave ``local_rank``; otherwise it is a guess.
        local_size: The number of processes on this host, where that is known.
    """

    rank: int = 0
    local_rank: int = 0
    world_size: int = 1
    host_id: str = ""
    knows_local: bool = True
    local_size: int | None = None

    @property
    def meters_host(self) -> bool:
        """Whether this process meters the parts of its host that all share, such as processors.

        Only the first process does, or each of them where the first is not known: a record counts a domain of a host
        once, so a second meter does no harm.
        """
        return self.local_rank == 0 or not self.knows_local

    @property
    def shares_host(self) -> bool:
        """Whether the run is known to have other processes on this host."""
        return self.world_size > 1 and self.local_size != 1


class OwnIdentity:
    """The identity of a run with this process alone, which names the run itself."""

    def agree(self, proposal: str) -> str:
        """Take the proposal as it is."""
        return proposal
