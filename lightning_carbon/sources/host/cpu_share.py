"""A job's share of counters that see the whole machine, such as RAPL's: by processor time.

    charged = energy × processor time of the job's processes / busy time of the machine's processors

interval by interval. The machine's busy time is ``/proc/stat``'s user, nice, system, irq and softirq; the job's is that
of its process tree, dataloader workers included.

* The idle power of a package is in its counter and is split by the same rule: the jobs that compute share it, and a
  job that waits while others compute is charged nothing. While no job computes for a second, no job is charged.
* Memory is also split by processor time, not by the memory held: refreshing costs the same for any holder, traffic
  comes from the jobs that compute, and resident sets count shared pages in every process, so their shares would not
  add up.
* A socket's counter is split by the share of the whole machine: the socket of a process's time is not recorded.
* A job's time that is seen late (a new worker, a child just waited for) is charged in the next intervals, up to the
  whole of each.

Two threads of one core count as much as two cores, and an instruction of one job as much as any other: ±50 % of the
share is our assumption, with the counter's own uncertainty on top.

References: proc_stat(5); Khan et al. 2018 (see ``rapl``) on what the counters cover.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Provenance
from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.ports import Finding, is_counter
from lightning_carbon.sources.process_tree import LISTING_SECONDS
from lightning_carbon.sources.shares import SharedCounter, Split
from lightning_carbon.units import MICROSECONDS_PER_SECOND
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.sources.shares import Splitting

UNCERTAINTY_RATIO = 0.5
_WHOLE_FIX = 'to be charged for all, set cpu_scope to "machine"'
METHOD = "processor time of this job's processes / busy processor time of the machine"
IDLE_SECONDS = 1.0
# The counts move by hundredths of a second. The kernel writes all of /proc/stat for its first line: 0.1 ms with few
# processors, above 1 ms with hundreds; like the process tree, that may take this share of a core.
LOOK_SECONDS = 0.05
COST_RATIO = 0.005
# Of "user nice system idle iowait irq softirq steal ...": neither idle nor waiting nor stolen.
_BUSY_COLUMNS = (0, 1, 2, 5, 6)


class BusyTime:
    """The busy time of all processors of the machine, in seconds since it started.

    Args:
        root: Where ``proc`` is.

    Raises:
        OSError: There is no such count, or LXC or a similar system has put a count of the container in its place.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._path = root / "proc/stat"
        if not hasattr(os, "sysconf"):
            raise OSError("this system does not count the processors' time as Linux does")
        self._hertz = os.sysconf("SC_CLK_TCK")
        if _is_replaced(root):
            raise OSError("/proc/stat is replaced by a count of the container, which is not the machine's")
        try:
            self()
        except ReadFailed as error:
            raise OSError(str(error)) from error

    def __call__(self) -> float:
        """The busy time so far, in seconds.

        Raises:
            ReadFailed: It cannot be read.
        """
        try:
            with self._path.open(encoding="ascii", errors="replace") as lines:
                name, *columns = lines.readline().split()
            ticks = sum(int(columns[column]) for column in _BUSY_COLUMNS)
        except (OSError, ValueError, IndexError) as error:
            raise ReadFailed(f"{self._path} does not tell the machine's busy time ({error})") from error
        if name != "cpu":
            raise ReadFailed(f"{self._path} does not tell the machine's busy time (it begins with {name!r})")
        return ticks / self._hertz


class CpuShare:
    """The split of the machine's processor time, in microseconds, shared by all counters of a machine.

    Args:
        job_seconds: Processor time of the job so far; raises :class:`ProcessLookupError` where it is gone.
        busy_seconds: Busy time of the machine so far.
        threads: The number of processors of the machine.
        now_seconds: A monotonic clock.
    """

    def __init__(
        self,
        job_seconds: Callable[[], float],
        busy_seconds: Callable[[], float],
        threads: int,
        *,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._job_seconds = job_seconds
        self._busy_seconds = busy_seconds
        self._now_seconds = now_seconds
        # No worker stays unseen for longer than the interval of the tree's listing; the rest allows for its
        # irregularity.
        self._most_late = round(2 * LISTING_SECONDS * threads * MICROSECONDS_PER_SECOND)
        self._lock = threading.Lock()
        self._part = self._whole = self._late = 0
        self._job = round(job_seconds() * MICROSECONDS_PER_SECOND)
        self._busy = round(busy_seconds() * MICROSECONDS_PER_SECOND)
        self._moved_seconds = now_seconds()
        self._next_look_seconds = float("-inf")

    def read(self) -> Split:
        """The job's and the machine's time up to now.

        Raises:
            ReadFailed: The machine's time cannot be read.
            SourceLost: The job's processes are gone.
        """
        with self._lock:
            now = self._now_seconds()
            if now >= self._next_look_seconds:
                started = time.thread_time()
                self._look(now)
                cost_seconds = time.thread_time() - started
                self._next_look_seconds = now + max(LOOK_SECONDS, cost_seconds / COST_RATIO)
            return Split(self._part, self._whole)

    def _look(self, now: float) -> None:
        try:
            job = round(self._job_seconds() * MICROSECONDS_PER_SECOND)
        except ProcessLookupError as error:
            raise SourceLost(str(error)) from error
        busy = round(self._busy_seconds() * MICROSECONDS_PER_SECOND)
        self._late += max(0, job - self._job)
        self._job = max(job, self._job)
        risen = busy - self._busy
        if risen > 0:
            taken = min(self._late, risen)
            self._part += taken
            self._whole += risen
            self._late = min(self._late - taken, self._most_late)
            self._busy, self._moved_seconds = busy, now
        elif now - self._moved_seconds >= IDLE_SECONDS:
            self._whole += 1
            self._moved_seconds = now


def share(findings: Iterable[Finding], splitting: Splitting, why: str) -> list[Finding]:
    """Charge a job its share of each counter.

    Args:
        findings: The findings; those without a counter stay as they are.
        splitting: The split of the machine.
        why: Why it is shared, for people.
    """
    return [_shared(finding, splitting, why) for finding in findings]


def refuse(findings: Iterable[Finding], reason: str) -> list[Finding]:
    """Leave out counters that cannot be shared here, and say why."""
    return [
        finding if finding.port is None else Finding(finding.source, finding.subject, reason=reason, fix=_WHOLE_FIX)
        for finding in findings
    ]


def _shared(finding: Finding, splitting: Splitting, why: str) -> Finding:
    port = finding.port
    if port is None or not is_counter(port):
        return finding
    remark = "; ".join(filter(None, [finding.reason, f"shared by processor time: {why}"]))
    return replace(finding, port=SharedCounter(port, splitting, _sensor(port.sensor)), reason=remark)


def _sensor(whole: Sensor) -> Sensor:
    """The description of a share; the domain stays the same, so runs can be compared."""
    return replace(
        whole,
        provenance=Provenance.MODELLED,
        uncertainty_ratio=min(1.0, UNCERTAINTY_RATIO + whole.uncertainty_ratio),
        method=f"{whole.method} × {METHOD}",
        wraps_at=None,
    )


def _is_replaced(root: Path) -> bool:
    try:
        mounts = (root / "proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(line.split()[4:5] == ["/proc/stat"] for line in mounts.splitlines())
