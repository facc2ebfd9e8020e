"""Which process of a distributed run this is, and how its ranks come to call the run the same.

Ranks agree without waiting for each other and without a collective: rank 0 puts the name into the store that
``torch.distributed`` has set up anyway, and the others look there now and then. torch is not imported: where nobody has
imported it, no process group can be there. Before a process group is there, the ranks that one launcher has started on
this host find each other by that launcher.

References:
    torchrun's variables: https://docs.pytorch.org/docs/stable/elastic/run.html#environment-variables
    Slurm's: https://slurm.schedmd.com/srun.html#SECTION_OUTPUT-ENVIRONMENT-VARIABLES
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_carbon.metering.parts import OwnIdentity, Ranks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.ports import RunIdentity

_PREFIX = "lightning_carbon"
_runs_named = 0


def host_id(root: Path = Path("/")) -> str:
    """The same for all processes of a host and for no other: its name, and the boot that it is in."""
    try:
        boot = (root / "proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        boot = ""
    return f"{os.uname().nodename}:{boot}"


def ranks_of(environ: Mapping[str, str] = os.environ) -> Ranks:
    """Which process of a run this is: what ``torch.distributed`` says, else what the launcher has set."""
    group = _process_group()
    rank = _number(environ, "RANK", "SLURM_PROCID")
    world = _number(environ, "WORLD_SIZE", "SLURM_NTASKS")
    local = _number(environ, "LOCAL_RANK", "SLURM_LOCALID")
    if group is not None:
        rank, world = group.get_rank(), group.get_world_size()
    if rank is None or world is None or not 0 <= rank < world:
        return Ranks(host_id=host_id())
    return Ranks(rank, rank if local is None else local, world, host_id())


def identity_of(ranks: Ranks, environ: Mapping[str, str] = os.environ) -> RunIdentity:
    """How this process comes to call a run what the other ranks call it."""
    global _runs_named  # noqa: PLW0603 - the ranks of a job start the same runs in the same order
    if ranks.world_size == 1:
        return OwnIdentity()
    _runs_named += 1
    group = _process_group()
    if group is not None:
        return _StoreIdentity(group, ranks.rank, f"run/{_runs_named}")
    return _LauncherIdentity(ranks, environ, _runs_named)


class _StoreIdentity:
    """The name of a run in the store of the process group."""

    def __init__(self, group: Any, rank: int, key: str) -> None:  # noqa: ANN401 - the module torch.distributed
        self._group = group
        self._rank = rank
        self._key = f"{_PREFIX}/{key}"

    def agree(self, proposal: str) -> str | None:
        """What rank 0 proposed, once it is there."""
        try:
            store = self._group.distributed_c10d._get_default_store()  # noqa: SLF001 - there is no public way
            if self._rank == 0:
                store.set(self._key, proposal)
                return proposal
            if store.check([self._key]):
                return str(store.get(self._key).decode())
        except Exception:  # noqa: BLE001 - a store that is gone: this rank keeps a run of its own
            return proposal
        return None


class _LauncherIdentity:
    """A name that the ranks of one launcher on one host work out, each for itself."""

    def __init__(self, ranks: Ranks, environ: Mapping[str, str], number: int) -> None:
        import psutil

        parent = psutil.Process(os.getppid())
        began = parent.create_time()
        facts = (ranks.host_id, parent.pid, began, environ.get("TORCHELASTIC_RESTART_COUNT"), number)
        code = hashlib.sha256(repr(facts).encode()).hexdigest()[:8]
        self._name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(began))}-{code}"

    def agree(self, proposal: str) -> str:
        """That name."""
        del proposal
        return self._name


def process_started() -> float | None:
    """When this process started, in seconds since 1970; tells it from a later one of the same number."""
    import psutil

    try:
        return float(psutil.Process().create_time())
    except psutil.Error:
        return None


def _process_group() -> Any:  # noqa: ANN401 - the module torch.distributed, or None
    group = getattr(sys.modules.get("torch"), "distributed", None)
    try:
        return group if group is not None and group.is_available() and group.is_initialized() else None
    except Exception:  # noqa: BLE001 - asking torch must not end a training
        return None


def _number(environ: Mapping[str, str], *names: str) -> int | None:
    for name in names:
        text = environ.get(name, "")
        if text.isdecimal():
            return int(text)
    return None
