"""Which process of a distributed run this is, and the name of a run that has only one."""

from __future__ import annotations

from dataclasses import dataclass


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
