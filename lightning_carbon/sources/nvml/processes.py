"""The processes on a GPU: this job's, and others, whose energy is charged with it or has to be left out.

NVML names processes by number. Where this process is in a pid namespace of its own, as in a container, it may be shown
numbers of the host, or only its own, or none, depending on the driver. So numbers are trusted
where this is the first namespace of the machine, where a process of the job is among them, or where all of them are
processes here that have CUDA open; otherwise the remark says that they cannot be distinguished, and names none.

References: nvml.h on ``nvmlDeviceGetComputeRunningProcesses`` and its siblings; pid_namespaces(7); include/linux/
proc_ns.h of Linux for the number of the first pid namespace.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import SourceError
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet
    from types import ModuleType

    from lightning_carbon.sources.nvml.library import Handle

    Pids = Callable[[], AbstractSet[int]]

_LISTS: Final = (
    "nvmlDeviceGetComputeRunningProcesses",
    "nvmlDeviceGetGraphicsRunningProcesses",
    "nvmlDeviceGetMPSComputeRunningProcesses",
)
_FIRST_PID_NAMESPACE: Final = "pid:[4026531836]"  # PROC_PID_INIT_INO, 0xEFFFFFFC
# CUDA opens this file, and NVML does not.
_CUDA_FILE: Final = "/dev/nvidia-uvm"
_MOST_NAMES: Final = 8

NAMESPACE_REASON: Final = "NVML may number them as the host does, and this process is in a pid namespace of its own"
NAMESPACE_FIX: Final = "start the container with --pid=host (Kubernetes: hostPID: true)"


@dataclass(frozen=True, slots=True)
class Occupants:
    """The processes on a GPU at a moment.

    Args:
        job: The processes of this job.
        others: All other processes.
        is_trusted: Whether NVML's numbers are taken to be those of our own pid namespace.
    """

    job: frozenset[int]
    others: frozenset[int]
    is_trusted: bool


class Watch:
    """Looks for the processes on a GPU.

    Args:
        handle: The GPU.
        nvml: The module :mod:`pynvml`.
        pids: Gives the job's process ids.
        root: Where ``proc`` is.
    """

    def __init__(self, handle: Handle, nvml: ModuleType, pids: Pids, *, root: Path = Path("/")) -> None:
        self._handle = handle
        self._nvml = nvml
        self._pids = pids
        self._root = root

    def look(self) -> Occupants:
        """Ask NVML for the processes on the GPU now.

        Raises:
            ReadFailed: No list of processes works here.
            SourceLost: The GPU or the driver is gone.
        """
        found: set[int] = set()
        failure: SourceError | None = None
        answered = False
        for name in _LISTS:
            try:
                function = getattr(self._nvml, name)
                found |= {int(process.pid) for process in self._handle.ask(function)}
                answered = True
            except AttributeError:  # an old pynvml does not know it
                continue
            except SourceError as error:
                failure = failure or error
        if not answered and failure is not None:
            raise failure
        found.discard(0)
        job = self._pids()
        trusted = (
            self.sees_all or bool(found & job) or (bool(found) and all(computes(pid, self._root) for pid in found))
        )
        return Occupants(frozenset(found & job), frozenset(found - job), trusted)

    @property
    def sees_all(self) -> bool:
        """Whether this is the first pid namespace of the machine, whose numbers the driver uses."""
        try:
            return str((self._root / "proc/self/ns/pid").readlink()) == _FIRST_PID_NAMESPACE
        except OSError:
            return False

    def job(self) -> AbstractSet[int]:
        """The job's process ids, on the GPU or not."""
        return self._pids()

    def remark(self) -> str:
        """A warning that names the other processes on the GPU; empty where NVML shows none."""
        try:
            occupants = self.look()
        except SourceError:
            return ""
        if not occupants.others:
            return ""
        number = len(occupants.others)
        processes = "1 process" if number == 1 else f"{number} processes"
        if not occupants.is_trusted:
            return (
                f"NVML shows {processes} on this GPU, which cannot be told from this job's: {NAMESPACE_REASON}; "
                "the GPU is charged whole"
            )
        return f"{processes} of others on this GPU, charged with it as a whole: {names(occupants.others)}"


def computes(pid: int, root: Path = Path("/")) -> bool:
    """Whether a process uses CUDA, as far as its open files may be examined."""
    try:
        with os.scandir(root / "proc" / str(pid) / "fd") as files:
            return any(_points_at(file.path) == _CUDA_FILE for file in files)
    except OSError:
        return False


def names(pids: Iterable[int]) -> str:
    """Processes by name and number, for people."""
    ordered = sorted(pids)
    shown = [_name(pid) for pid in ordered[:_MOST_NAMES]]
    if len(ordered) > _MOST_NAMES:
        shown.append(f"and {len(ordered) - _MOST_NAMES} more")
    return ", ".join(shown)


def _name(pid: int) -> str:
    import psutil

    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"pid {pid}"


def _points_at(path: str) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - called many times, in a loop
    except OSError:
        return ""
