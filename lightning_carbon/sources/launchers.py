"""Launchers: the place of this process in a distributed run, and the way in which its ranks agree on a name.

Ranks agree without waiting for each other and without a collective. Where a single launcher has started all of them, on
this host (torchrun, accelerate) or on several (srun), each rank works out the name for itself. Otherwise the first rank
to begin puts it into the store that ``torch.distributed`` has set up anyway. Without a process group the ranks of each
host make a run of their own.

A job's ranks must start the same meters in the same order, since names distinguish the first meter from the second.

torch is not imported: where the program has not imported it, there can be no process group.

References:
    torchrun's variables: https://docs.pytorch.org/docs/stable/elastic/run.html#environment-variables
    Slurm's: https://slurm.schedmd.com/srun.html#SECTION_OUTPUT-ENVIRONMENT-VARIABLES
    Open MPI's: https://docs.open-mpi.org/en/main/tuning-apps/environment-var.html
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lightning_carbon.ranks import FIRST_JOINED, OwnIdentity, Ranks
from lightning_carbon.systems import system

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lightning_carbon.ports import RunIdentity

HOST_VARIABLE: Final = "LIGHTNING_CARBON_HOST_ID"

_TORCHRUN: Final = "TORCHELASTIC_RUN_ID"
_ATTEMPT: Final = "TORCHELASTIC_RESTART_COUNT"
_STEP: Final = ("SLURM_JOB_ID", "SLURM_STEP_ID")
_PREFIX: Final = "lightning_carbon"
_runs_named = _runs_joined = 0


class _Launcher(NamedTuple):
    """The variables that a launcher sets."""

    rank: str
    world_size: str
    local_rank: str
    local_size: str


_LAUNCHERS: Final = (
    _Launcher("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    # Not SLURM_NTASKS: a batch script also has that, and is itself no task of it.
    _Launcher("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE"),
    _Launcher(
        "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"
    ),
    _Launcher("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
)


def host_id(root: Path = Path("/"), environ: Mapping[str, str] = os.environ) -> str:
    """The id of this host, which all of its processes share and no other host has: its name and its present boot.

    ``LIGHTNING_CARBON_HOST_ID`` replaces it where that does not hold: for containers of a machine that have names of
        their own and should count as a single host, or for machines that were cloned from the same memory image.
    """
    given = environ.get(HOST_VARIABLE)
    if given:
        return given
    try:
        boot = (root / "proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        boot = ""
    return f"{system().node}:{boot}"


def pid_namespace(root: Path = Path("/"), platform: str = sys.platform) -> int | None:
    """The namespace of process numbers here, as a container has its own; ``None`` where it is not known.

    Args:
        root: Where ``proc`` is.
        platform: The system, as :data:`sys.platform` names it; only Linux has more than a single namespace.
    """
    if platform != "linux":
        return 0
    try:
        return (root / "proc/self/ns/pid").stat().st_ino  # pid_namespaces(7)
    except OSError:
        return None


def ranks_of(environ: Mapping[str, str] = os.environ) -> Ranks:
    """The place of this process in a run: by ``torch.distributed``, else by the launcher's variables."""
    host = host_id(environ=environ)
    group = _process_group()
    launcher = _launcher_of(environ)
    if launcher is None and group is None:
        return Ranks(host_id=host)
    told = None if launcher is None else (int(environ[launcher.rank]), int(environ[launcher.world_size]))
    rank, world = told if group is None and told is not None else (group.get_rank(), group.get_world_size())
    local, local_size = _number(environ, "LOCAL_RANK"), None
    if launcher is not None and told == (rank, world):
        local, local_size = _number(environ, launcher.local_rank), _number(environ, launcher.local_size)
    # Otherwise a child of the launcher has started the ranks, and the variables belong to that child.
    return Ranks(rank, rank if local is None else local, world, host, local is not None, local_size)


def identity_of(ranks: Ranks, environ: Mapping[str, str] = os.environ) -> RunIdentity:
    """The way in which this process and the other ranks agree on the name of a run."""
    global _runs_named  # noqa: PLW0603 - the ranks of a job start the same runs in the same order
    if ranks.world_size == 1:
        return OwnIdentity()
    _runs_named += 1
    world = ranks.world_size
    if _is_one_torchrun(environ, world):
        return _LauncherIdentity(ranks, environ, _runs_named)
    launcher = _launcher_of(environ)
    if launcher is not None and launcher.rank == "SLURM_PROCID" and int(environ[launcher.world_size]) == world:
        step = [environ.get(name, "") for name in _STEP]
        if all(step):
            return _StepIdentity(environ, step, _runs_named)
    group = _process_group()
    if group is not None:
        return _StoreIdentity(group, f"run/{world}/{environ.get(_ATTEMPT, '0')}/{_runs_named}")
    return _LauncherIdentity(ranks, environ, _runs_named)


def joined_ranks(ranks: Ranks, of_run: Collection[int]) -> Ranks:
    """The place of a process that joins a run which others began: a number of its own, whatever its launcher says.

    Args:
        ranks: The place that it has by itself.
        of_run: The processes of the run on this host; what is below one of them is metered with it already.
    """
    import hashlib

    import psutil

    global _runs_joined  # noqa: PLW0603 - a process may join several runs, one after the other
    _runs_joined += 1
    facts = (ranks.host_id, os.getpid(), process_started(), _runs_joined)
    code = int.from_bytes(hashlib.sha256(repr(facts).encode()).digest()[:8], "big")
    try:
        above = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    except psutil.Error:
        above = {os.getpid()}
    is_below = not above.isdisjoint(of_run)
    return Ranks(FIRST_JOINED + code % (9 * FIRST_JOINED), int(is_below), 1, ranks.host_id, local_size=1)


class _StoreIdentity:
    """The name of a run in the store of the process group."""

    def __init__(self, group: Any, key: str) -> None:  # noqa: ANN401 - the module torch.distributed
        self._key = f"{_PREFIX}/{key}"
        try:
            self._store: Any = group.distributed_c10d._get_default_store()  # noqa: SLF001 - there is no public function
        except Exception:  # noqa: BLE001 - torch may raise anything here; this rank then keeps a run of its own
            self._store = None

    def agree(self, proposal: str) -> str:
        """The proposal of the first rank to ask."""
        try:
            # The first rank to ask decides, and no rank waits for it.
            return str(self._store.compare_set(self._key, "", proposal).decode())
        except Exception:  # noqa: BLE001 - a store that is gone, or cannot do this: this rank keeps a run of its own
            return proposal


def _numbers_of_this_process() -> tuple[int, ...]:
    """The numbers that ``multiprocessing``, which may make processes several times, gave this process and its parents.

    A process that it made has it loaded; no other loads it for this, as that is slow.
    """
    loaded = sys.modules.get("multiprocessing.process")
    return () if loaded is None else tuple(getattr(loaded.current_process(), "_identity", ()))


class _LauncherIdentity:
    """A name that the ranks of a launcher on a single host work out, each for itself."""

    def __init__(self, ranks: Ranks, environ: Mapping[str, str], number: int) -> None:
        import psutil

        launcher = _launcher_process(environ)
        try:
            pid, began = launcher.pid, launcher.create_time()
        except psutil.Error:
            pid, began = os.getppid(), 0.0
        siblings = _numbers_of_this_process()
        batch = siblings[-1] - ranks.local_rank if siblings else 0
        facts = (ranks.host_id, pid, ranks.world_size, environ.get(_ATTEMPT), batch, number)
        self._name = _name_of(began, *facts)

    def agree(self, proposal: str) -> str:
        """The name that this rank has worked out, whatever it would propose."""
        del proposal
        return self._name


class _StepIdentity:
    """A name that the tasks of an ``srun`` work out, each for itself, whatever hosts they are on."""

    def __init__(self, environ: Mapping[str, str], step: list[str], number: int) -> None:
        facts = (environ.get("SLURM_CLUSTER_NAME"), environ.get("SLURM_RESTART_COUNT"), *step, number)
        started = environ.get("SLURM_JOB_START_TIME", "")
        self._name = _name_of(int(started) if started.isdecimal() else None, *facts)
        if not started.isdecimal():
            self._name = f"slurm-{'.'.join(step)}-{self._name}"

    def agree(self, proposal: str) -> str:
        """The name that this rank has worked out, whatever it would propose."""
        del proposal
        return self._name


def _name_of(seconds: float | None, *facts: object) -> str:
    """A name in the usual form: a moment, and eight digits made from the facts."""
    import hashlib

    code = hashlib.sha256(repr((seconds, *facts)).encode()).hexdigest()[:8]
    return code if seconds is None else f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(seconds))}-{code}"


def _is_one_torchrun(environ: Mapping[str, str], world_size: int) -> bool:
    """Whether all ranks are children of a single agent of torchrun, which ``accelerate launch`` also uses."""
    return _TORCHRUN in environ and _number(environ, "LOCAL_WORLD_SIZE") == world_size


def _launcher_process(environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - a psutil.Process, typed by a stub alone
    """The process that started the ranks of this host: the parent, or the parent of a script that wraps each rank."""
    import psutil

    parent = psutil.Process(os.getppid())
    if _TORCHRUN not in environ:
        return parent
    try:
        for process in [parent, *parent.parents()]:
            if _TORCHRUN not in process.environ():
                return process
    except psutil.Error:
        pass  # not ours to examine: then it is no wrapper of ours either
    return parent


def process_started() -> float | None:
    """When this process started, in seconds since 1970, which distinguishes it from a later process of its number."""
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


def _launcher_of(environ: Mapping[str, str]) -> _Launcher | None:
    """The first launcher whose variables fit together; some clusters set single variables of another launcher."""
    for launcher in _LAUNCHERS:
        rank, world = _number(environ, launcher.rank), _number(environ, launcher.world_size)
        if rank is not None and world is not None and rank < world:
            return launcher
    return None


def _number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    return int(text) if text.isdecimal() else None
