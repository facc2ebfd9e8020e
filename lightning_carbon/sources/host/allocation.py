"""The number of the machine's processors that this job may use, by cgroup, cpuset, affinity or Slurm.

A job that has a part of the machine shares it with others, and must not be charged for their work. The limits read:

* cgroup v2: ``cpu.max`` and ``cpuset.cpus.effective``; v1: ``cpu.cfs_quota_us`` and ``cpuset.effective_cpus``. A quota
  of any group above holds too, so all levels are looked at, as far up as this mount namespace shows them.
* the processors that the scheduler lets this process run on (``Cpus_allowed_list``).
* Slurm: ``SLURM_CPUS_ON_NODE``, else ``SLURM_JOB_CPUS_PER_NODE``. Where Slurm's configuration counts cores, an
  exclusive node with two threads a core looks like half of one.

Not visible: neighbours that are held back by weights alone (``cpu.weight``, Kubernetes requests without
limits).

References:
    * https://docs.kernel.org/admin-guide/cgroup-v2.html, sections CPU and Cpuset
    * https://docs.kernel.org/scheduler/sched-bwc.html, https://docs.kernel.org/admin-guide/cgroup-v1/cpusets.html
    * proc_pid_mountinfo(5), cgroups(7), srun(1) on output environment variables
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_REPEATED = r"(\d+)(?:\(x(\d+)\))?"
_OCTAL = r"\\([0-7]{3})"
# No machine has more; an error in a file must not make a set that fills the memory.
_MOST_CPUS = 1 << 16
_WITH_QUOTAS, _WITH_CPUSETS = frozenset({"cgroup2", "cpu"}), frozenset({"cgroup2", "cpuset"})
"""The controllers whose groups have such limits; the other hierarchies of version 1 need not be looked at."""

Limit = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Allocation:
    """A job's part of the machine.

    Args:
        cpus: The number of processors (hardware threads) that the job may use, possibly fractional; ``None`` where
            nothing limits it.
        machine_cpus: The number of processors of the machine.
        reason: The limit in force, for people.
    """

    cpus: float | None
    machine_cpus: int
    reason: str

    @property
    def is_part(self) -> bool:
        """Whether the job has a part of the machine only."""
        return self.cpus is not None


@dataclass(frozen=True, slots=True)
class _Mount:
    """A mounted cgroup hierarchy, whose group ``root`` is visible at ``folder``."""

    controllers: frozenset[str]
    root: PurePosixPath
    folder: Path


def allocation(environ: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Allocation:
    """Find the narrowest limit of this job.

    Args:
        environ: The environment variables.
        root: Where ``proc`` and ``sys`` are.

    Returns:
        The job's part. Never raises: what cannot be read limits nothing.
    """
    online = _cpu_list(_text(root / "sys/devices/system/cpu/online")) or set(range(os.cpu_count() or 1))
    limits = [*_cgroup_limits(root, online), *_affinity_limit(root, online), *_slurm_limit(environ)]
    cpus, by = min(limits, default=(float("inf"), ""))
    if cpus >= len(online):
        return Allocation(None, len(online), f"nothing holds this job to fewer than the {len(online)} CPUs there are")
    return Allocation(cpus, len(online), f"this job has {cpus:g} of {len(online)} CPUs by {by}")


def _affinity_limit(root: Path, online: set[int]) -> Iterator[Limit]:
    for line in _text(root / "proc/self/status").splitlines():
        key, _colon, value = line.partition(":")
        # Bits are also set for processors that could be plugged in.
        if key == "Cpus_allowed_list" and (allowed := _cpu_list(value) & online):
            yield float(len(allowed)), "its affinity (Cpus_allowed_list)"


def _slurm_limit(environ: Mapping[str, str]) -> Iterator[Limit]:
    if "SLURM_JOB_ID" not in environ:
        return
    here = environ.get("SLURM_CPUS_ON_NODE", "")
    if here.isdecimal() and int(here) > 0:
        yield float(here), "Slurm (SLURM_CPUS_ON_NODE)"
        return
    counts: list[int] = []
    for entry in environ.get("SLURM_JOB_CPUS_PER_NODE", "").split(","):
        match = re.fullmatch(_REPEATED, entry.strip())
        if match is None or not 0 < int(match[2] or 1) <= _MOST_CPUS:
            return
        counts += [int(match[1])] * int(match[2] or 1)
    node = environ.get("SLURM_NODEID", "")
    if len(set(counts)) == 1:
        cpus = counts[0]
    elif node.isdecimal() and int(node) < len(counts):
        cpus = counts[int(node)]
    else:
        return
    if cpus > 0:
        yield float(cpus), "Slurm (SLURM_JOB_CPUS_PER_NODE)"


def _cgroup_limits(root: Path, online: set[int]) -> Iterator[Limit]:
    mounts = list(_mounts(root))
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if number == "0" and not names:
            names = "cgroup2"
        controllers = frozenset(names.split(","))
        if not controllers & (_WITH_QUOTAS | _WITH_CPUSETS):
            continue
        for mount in mounts:
            if controllers & mount.controllers:
                folders = list(_levels(mount, path))
                if controllers & _WITH_QUOTAS:
                    yield from _quotas(folders)
                if controllers & _WITH_CPUSETS:
                    yield from _cpusets(folders, online)
                break


def _mounts(root: Path) -> Iterator[_Mount]:
    """The cgroup hierarchies that are mounted, by the kernel's list."""
    for line in _text(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) < 5 or len(kinds) < 3 or kinds[0] not in {"cgroup", "cgroup2"}:  # noqa: PLR2004 - the columns
            continue
        controllers = frozenset(["cgroup2"] if kinds[0] == "cgroup2" else kinds[2].split(","))
        folder = root / _unescaped(fields[4]).lstrip("/")
        yield _Mount(controllers, PurePosixPath(_unescaped(fields[3])), folder)


def _levels(mount: _Mount, path: str) -> Iterator[Path]:
    """The folder of a group, then those of the groups above it, as far as they are visible.

    A group outside the mount (its path leads up by ``..``, or is the host's while the mount is the container's) is
    taken to be the group at the mount itself.
    """
    group = PurePosixPath(path)
    relative = PurePosixPath()
    if ".." not in group.parts and group.is_relative_to(mount.root):
        relative = group.relative_to(mount.root)
    if not (mount.folder / relative).is_dir():
        relative = PurePosixPath()
    yield mount.folder / relative
    for parent in relative.parents:
        yield mount.folder / parent


def _quotas(folders: list[Path]) -> Iterator[Limit]:
    for folder in folders:
        quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
        name = "a cgroup's quota (cpu.max)"
        if not quota:
            quota = _text(folder / "cpu.cfs_quota_us").strip()
            period = _text(folder / "cpu.cfs_period_us").strip()
            name = "a cgroup's quota (cpu.cfs_quota_us)"
        # Without a limit it says "max", or -1 in version 1.
        if quota.isdecimal() and period.isdecimal() and int(quota) > 0 and int(period) > 0:
            yield int(quota) / int(period), name


def _cpusets(folders: list[Path], online: set[int]) -> Iterator[Limit]:
    for folder in folders:
        for name in ("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"):
            cpus = _cpu_list(_text(folder / name)) & online
            if cpus:  # the limits of a group lie within those of the groups above
                yield float(len(cpus)), f"a cpuset ({name})"
                return


def _cpu_list(text: str) -> set[int]:
    """The processors in a list such as ``0-3,8``; empty where the text is no list."""
    cpus: set[int] = set()
    for entry in text.strip().split(","):
        first, dash, last = entry.strip().partition("-")
        last = last if dash else first
        if not (first.isdecimal() and last.isdecimal()) or int(last) >= _MOST_CPUS:
            return set()
        cpus.update(range(int(first), int(last) + 1))
    return cpus


def _unescaped(text: str) -> str:
    """A path of mountinfo, where blanks and backslashes stand as octal numbers."""
    return re.sub(_OCTAL, lambda match: chr(int(match[1], 8)), text) if "\\" in text else text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
