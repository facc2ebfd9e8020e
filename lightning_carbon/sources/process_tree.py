"""The use of a process and all its descendants: processor time that never runs backwards, and memory.

A child's time appears twice: in its own count while it lives, and in its parent's count of waited-for children once it
has been reaped. :class:`ProcessorTime` adds both up and counts no second twice:

    growth = growth of the own time of those alive
           + all time of those seen for the first time (they were born since the last look)
           + growth of the waited-for time, less what was already seen of those that vanished

So a child that lives and dies between two looks is still counted once its parent waits for it, and so is the last
stretch of a known child. Only descendants stay unseen that die unseen and that no process of the tree waits for
(orphans, or children of a parent that ignores SIGCHLD).

:func:`job_tree` finds the tree of a job, also where a launcher started several ranks on this machine.

References: proc_pid_stat(5) on utime, stime, cutime and cstime, which psutil calls ``children_user`` and
``children_system``.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    import psutil

# Finding new children reads the kernel's list of each thread, about 9 us; where there is none, psutil walks through all
# processes of the machine: 1 ms with 70, about 10 ms with 2,000.
LISTING_SECONDS = 2.0
PROC: Final = Path("/proc")
# Reading a process costs about 8 us. Neither that nor the listing may take more than this share of a core: hundreds of
# processes are read less often, which only costs resolution.
COST_RATIO = 0.005

# torchrun and accelerate launch set it for the processes they start, one for each device, all children of an agent.
_TORCHRUN_VARIABLE = "TORCHELASTIC_RUN_ID"
# srun sets it for the processes it starts, on each node children of one slurmstepd.
_SRUN_VARIABLE = "SLURM_STEP_NUM_TASKS"
_SRUN_PARENT = "slurmstepd"
# Every launcher sets it for all ranks except, at times, the first, which may be the parent of the others (Lightning).
_RANK_VARIABLE = "LOCAL_RANK"

Key = TypeVar("Key", bound="Hashable")


@dataclass(frozen=True, slots=True)
class ProcessTimes(Generic[Key]):
    """The processor time of a process.

    Args:
        own_seconds: Its own time, all threads, user and system.
        waited_seconds: The time of its descendants that have died and been waited for.
        parent: The key of its parent, ``None`` when that is unknown.
    """

    own_seconds: float
    waited_seconds: float = 0.0
    parent: Key | None = None


class ProcessorTime(Generic[Key]):
    """Adds up the processor time of a changing set of processes; pure arithmetic.

    Args:
        alive: The processes at the start, by a key that is never used twice. Their time up to now is not counted.
    """

    def __init__(self, alive: Mapping[Key, ProcessTimes[Key]]) -> None:
        self._last = dict(alive)
        self._seconds = 0.0
        self._owed = 0.0

    def update(self, alive: Mapping[Key, ProcessTimes[Key]]) -> float:
        """Take in the present processes; a parent must have been read before its children.

        Returns:
            Processor time since the start, in seconds; never less than before.
        """
        own = waited = vanished = 0.0
        for key, now in alive.items():
            before = self._last.get(key)
            if before is None:
                own += now.own_seconds + now.waited_seconds
            else:
                own += max(0.0, now.own_seconds - before.own_seconds)
                waited += max(0.0, now.waited_seconds - before.waited_seconds)
        for key, before in self._last.items():
            if key not in alive and before.parent in self._last:
                vanished += before.own_seconds + before.waited_seconds
        self._last = dict(alive)
        # A child reaped after its parent was read and before it was read itself has vanished now, and is in its
        # parent's count at the next look: its known time is kept back until then, and no longer, as it may never be
        # waited for.
        balance = waited - vanished - self._owed
        self._owed = min(max(0.0, -balance), vanished)
        self._seconds += own + max(0.0, balance)
        return self._seconds


class ProcessTree:
    """A process and its descendants, dataloader workers included.

    Safe to read from several threads. Imports psutil with the first object.

    Args:
        pid: The root; default this process.
        now_seconds: A monotonic clock.
        may_end: Whether the tree may end before its reader does: then it uses nothing more, and nothing is raised.
        proc: Where the kernel lists the children of threads, if it does.

    Raises:
        ProcessLookupError: There is no such process.
    """

    def __init__(
        self,
        pid: int | None = None,
        now_seconds: Callable[[], float] = time.monotonic,
        *,
        may_end: bool = False,
        proc: Path = PROC,
    ) -> None:
        import psutil

        self._proc = proc
        self._psutil = psutil
        self._now_seconds = now_seconds
        self._may_end = may_end
        self._lock = threading.Lock()
        try:
            self._root = psutil.Process(pid)
        except psutil.NoSuchProcess as error:
            raise ProcessLookupError(str(error)) from error
        # In the order of psutil: a parent comes before its children, as ProcessorTime asks.
        self._parents: dict[psutil.Process, psutil.Process | None] = {self._root: None}
        self._times: dict[psutil.Process, ProcessTimes[psutil.Process]] = {}
        self._next_listing_seconds = float("-inf")
        self._list_when_due()
        self._look()
        self._tally = ProcessorTime(self._times)
        self._seconds = 0.0
        self._next_look_seconds = float("-inf")
        self._last_reaped_seconds = self._reaped_seconds()

    @property
    def pid(self) -> int:
        """The process id of the root."""
        return self._root.pid

    def cpu_seconds(self) -> float:
        """Processor time of the tree since construction, in seconds; never falls.

        Raises:
            ProcessLookupError: The whole tree is gone.
        """
        with self._lock:
            now = self._now_seconds()
            reaped_seconds = self._reaped_seconds()
            # A child that this process has just waited for may add hours at once, and no later look may follow.
            if now >= self._next_look_seconds or reaped_seconds != self._last_reaped_seconds:
                self._last_reaped_seconds = reaped_seconds
                self._list_when_due()
                started = time.thread_time()
                try:
                    self._look()
                except ProcessLookupError:
                    if not self._may_end:
                        raise
                self._next_look_seconds = now + (time.thread_time() - started) / COST_RATIO
                self._seconds = self._tally.update(self._times)
            return self._seconds

    def memory_bytes(self) -> int:
        """Resident memory of the tree, in bytes.

        The root's resident set, and of each descendant what it does not share through files or shared memory. Pages
        that a forked worker shares with its parent by copy-on-write count again for every worker: only the proportional
        set size would show which is which, and that walks all page tables under a lock that page faults wait for.

        Raises:
            ProcessLookupError: The whole tree is gone.
        """
        with self._lock:
            self._list_when_due()
            total = alive = 0
            for process in self._parents:
                try:
                    memory = process.memory_info()
                except self._psutil.Error:
                    continue
                alive += 1
                shared = 0 if process is self._root else getattr(memory, "shared", 0)
                total += max(0, memory.rss - shared)
            if not alive and not self._may_end:
                raise ProcessLookupError(f"process {self.pid} and its descendants are gone")
            return total

    def pids(self) -> AbstractSet[int]:
        """The process ids of the tree, as of at most a few seconds ago."""
        with self._lock:
            self._list_when_due()
            return {process.pid for process in self._parents}

    def _reaped_seconds(self) -> float:
        """Processor time of the children that this process has waited for, where it is the root; costs under 1 us."""
        if self._root.pid != os.getpid():
            return 0.0
        times = os.times()
        return times.children_user + times.children_system

    def _look(self) -> None:
        """Read the times of all known processes, and forget those that are gone."""
        self._times = {process: times for process in self._parents if (times := self._read(process)) is not None}
        self._parents = {process: self._parents[process] for process in self._times}
        if not self._times:
            raise ProcessLookupError(f"process {self.pid} and its descendants are gone")

    def _read(self, process: psutil.Process) -> ProcessTimes[psutil.Process] | None:
        if process.pid == os.getpid():  # a hundredth of what reading /proc costs, and the same four counts
            mine = os.times()
            waited = mine.children_user + mine.children_system
            return ProcessTimes(mine.user + mine.system, waited, self._parents.get(process))
        try:
            times = process.cpu_times()
        except self._psutil.Error:
            return None
        # Absent on systems without such a count, where the last stretch of a child is lost.
        waited = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        before = self._times.get(process)
        if before is not None and times.user + times.system < before.own_seconds:
            return None  # its process id belongs to another process by now; psutil does not check that at every reading
        return ProcessTimes(times.user + times.system, waited, self._parents.get(process))

    def _descendants(self) -> Iterable[tuple[int, int]]:
        """The descendants that there are now, a parent before its children, each with its parent."""
        listed = listed_descendants(self._root.pid, self._proc)
        if listed is not None:
            return listed
        found: list[tuple[int, int]] = []
        with suppress(self._psutil.Error):  # the root has ended
            for process in self._root.children(recursive=True):
                with suppress(self._psutil.Error):  # so has this child
                    found.append((process.pid, process.ppid()))
        return found

    def _list_when_due(self) -> None:
        """Look for new descendants; known descendants, orphans included, stay until they are gone."""
        now = self._now_seconds()
        if now < self._next_listing_seconds:
            return
        started = time.thread_time()
        parents = {process: parent for process, parent in self._parents.items() if process.is_running()}
        by_pid = {process.pid: process for process in parents}
        for pid, parent_pid in self._descendants():
            if pid not in by_pid:
                try:
                    process = by_pid[pid] = self._psutil.Process(pid)
                except self._psutil.Error:
                    continue
                parents[process] = by_pid.get(parent_pid)
        self._parents = parents
        cost_seconds = time.thread_time() - started
        self._next_listing_seconds = now + max(LISTING_SECONDS, cost_seconds / COST_RATIO)


def listed_descendants(root: int, proc: Path = PROC) -> list[tuple[int, int]] | None:
    """The descendants of a process by the kernel's own lists, which hold the children of each thread.

    Args:
        root: The process id.
        proc: Where the kernel's files are.

    Returns:
        The process ids, a parent before its children, each with that of its parent; ``None`` without such lists. While
        children end, the kernel may leave out others, which the next listing has.
    """
    if not (proc / f"{root}/task/{root}/children").exists():
        return None
    found: list[tuple[int, int]] = []
    pending = deque([root])
    while pending:
        parent = pending.popleft()
        children = _children_of(parent, proc)
        found += [(child, parent) for child in children]
        pending.extend(children)
    return found


def _children_of(pid: int, proc: Path) -> list[int]:
    children: list[int] = []
    with suppress(OSError):  # it has ended
        for thread in (proc / f"{pid}/task").iterdir():
            with suppress(OSError), (thread / "children").open("rb", buffering=0) as file:
                children += map(int, file.read().split())
    return children


def job_tree(environ: Mapping[str, str] = os.environ, pid: int | None = None) -> ProcessTree:
    """The processes of the job on this machine, which lets a single rank report for all.

    The tree is the launcher and all below it under torchrun, ``accelerate launch`` and srun with several tasks; the
    parent's tree on a rank above 0 (Lightning's first rank starts the others); otherwise this process and all below it.

    Args:
        environ: The environment variables.
        pid: The root, for a caller that knows better.

    Raises:
        ProcessLookupError: There is no process ``pid``.
    """
    if pid is not None:
        return ProcessTree(pid, may_end=True)
    try:
        return ProcessTree(_launcher(environ))
    except ProcessLookupError:
        return ProcessTree()


def _launcher(environ: Mapping[str, str]) -> int | None:
    """The process id of the launcher of this machine's ranks; ``None`` where this process is alone."""
    rank, tasks = environ.get(_RANK_VARIABLE, ""), environ.get(_SRUN_VARIABLE, "")
    if _TORCHRUN_VARIABLE in environ or (rank.isdecimal() and int(rank) > 0):
        return os.getppid()
    if tasks.isdecimal() and int(tasks) > 1:
        import psutil

        try:
            for parent in psutil.Process().parents():
                if parent.name() == _SRUN_PARENT:
                    return parent.pid
        except psutil.Error:
            return None
    return None
