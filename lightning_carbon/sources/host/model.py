"""A model of the CPU's and the memory's energy, for machines that show no RAPL counters: most clouds, WSL, macOS.

CPU: processor seconds × watts per hardware thread. Processor time is itself a counter, so late readings lose nothing.
Watts per thread are the power of the socket over its threads where the packaged table knows the model, otherwise the
mean of a busy virtual CPU. That power is the maximum turbo power where the vendor states it: boards hold it for as long
as cooling allows. Else it is the base power. A thread alone on its core draws more, a thread that waits for memory
less.

* ``"process"``: the busy time of this process and its descendants, and a share of the machine's idle time: that of its
  busy time in all busy time (as in ``cpu_share``, the jobs that compute share what the machine draws idle).
* ``"machine"``: the busy time of all threads, and idle watts for their idle time.

Threads of a socket (``threads``): the table's or those by the brand string, unless the kernel shows just half of them,
as where a machine has its second threads switched off. The kernel's ``siblings`` alone are believed on bare metal only.
A guest's ``siblings`` are those that were rented, and a guest may hide its hypervisor.

Memory: the job's memory × watts per gigabyte, not the installed memory, and never more than the machine has in use.

Every sensor says MODELLED and a wide range; the sources of the figures are in ``host_constants`` and ``cpu_table``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import SourceLost
from lightning_carbon.ports import Finding
from lightning_carbon.sources.host import constants as host_constants
from lightning_carbon.sources.host.cpu_table import CpuSpec, find_cpu
from lightning_carbon.sources.host.cpuinfo import CPUINFO, describe_cpu
from lightning_carbon.sources.host.threads import DMI, arm_model, socket_threads, sys_vendor
from lightning_carbon.sources.process_tree import ProcessTree, job_tree
from lightning_carbon.units import Energy, Power

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


# Rated power is neither the least nor the most that a load draws: a socket may stay at half of it or, for as long as
# cooling allows, exceed it by half (Intel's PL2 and AMD's PPT are 1.25 to 2 times the rated power). Our assumption.
RATED_POWER_UNCERTAINTY_RATIO = 0.5
# Above the maximum turbo power: boards that lift the limit, and threads that have a core for themselves. Ours.
ABOVE_TURBO_RATIO = 0.25
# Memory modules are sold in units of 2^30 bytes.
BYTES_PER_GIGABYTE = 1 << 30
# Resident memory changes slowly next to the training step, and costs about 6 us a process to read.
MEMORY_SECONDS = 1.0
# The kernel writes all of /proc/stat for a machine's times: above 1 ms with hundreds of processors.
IDLE_SECONDS = 0.5
NOTHING = Power(0.0)


class ModelledCpu:
    """The energy of processor time at a power per hardware thread; an :class:`~lightning_carbon.ports.EnergyCounter`.

    Args:
        domain: What it stands for.
        seconds: Gives busy and idle seconds of hardware threads so far.
        busy: Power of a busy thread.
        idle: Power of an idle thread.
        accuracy: The range.
        method: How the model is made, for people.
    """

    def __init__(
        self,
        domain: Domain,
        seconds: Callable[[], tuple[float, float]],
        *,
        busy: Power,
        idle: Power = NOTHING,
        accuracy: Accuracy,
        method: str,
    ) -> None:
        widest = max(accuracy.below_ratio, accuracy.above_ratio)
        self._sensor = Sensor(domain, Provenance.MODELLED, widest, method, accuracy=accuracy)
        self._seconds = seconds
        self._busy = busy
        self._idle = idle
        self._highest = Energy.ZERO

    @property
    def sensor(self) -> Sensor:
        """What it stands for and how."""
        return self._sensor

    def read_energy(self) -> Energy:
        """The energy of all processor time so far.

        Raises:
            SourceLost: The processes are gone.
        """
        try:
            busy_seconds, idle_seconds = self._seconds()
        except ProcessLookupError as error:
            raise SourceLost(str(error)) from error
        joules = busy_seconds * self._busy.watts + idle_seconds * self._idle.watts
        # Linux documents that a machine's idle and iowait time may fall (proc_stat(5)).
        self._highest = max(self._highest, Energy.from_joules(joules))
        return self._highest


class IdleShare:
    """A job's share of the machine's idle time: that of its busy time in the machine's, interval by interval.

    Args:
        job_seconds: Busy time of the job so far.
        machine_seconds: Busy and idle time of the machine so far, over all its threads; asked twice a second at most.
        now_seconds: A monotonic clock.
    """

    def __init__(
        self,
        job_seconds: Callable[[], float],
        machine_seconds: Callable[[], tuple[float, float]],
        *,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now_seconds = now_seconds
        self._looked_seconds = now_seconds()
        self._job_seconds = job_seconds
        self._machine_seconds = machine_seconds
        self._job = job_seconds()
        self._busy, self._idle = machine_seconds()
        self._shared = 0.0

    def __call__(self) -> tuple[float, float]:
        """Busy seconds of the job, and its idle seconds, since its processes began."""
        job = self._job_seconds()
        now = self._now_seconds()
        if now - self._looked_seconds < IDLE_SECONDS:
            return job, self._shared
        self._looked_seconds = now
        busy, idle = self._machine_seconds()
        risen = busy - self._busy
        if risen > 0:
            # Processor time is counted in hundredths of a second, and late for workers that are seen late.
            share = min(1.0, max(0.0, job - self._job) / risen)
            self._shared += max(0.0, idle - self._idle) * share
            self._job, self._busy, self._idle = max(job, self._job), busy, idle
        return job, self._shared


class ModelledMemory:
    """The power of the memory in use; a :class:`~lightning_carbon.ports.PowerGauge`.

    Args:
        domain: What it stands for.
        used_bytes: Gives the memory in use, in bytes; called once a second at most.
        uncertainty_ratio: Half width of the range.
        method: How the model is made, for people.
        now_seconds: A monotonic clock.
    """

    def __init__(
        self,
        domain: Domain,
        used_bytes: Callable[[], int],
        *,
        uncertainty_ratio: float,
        method: str,
        now_seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sensor = Sensor(domain, Provenance.MODELLED, uncertainty_ratio, method)
        self._used_bytes = used_bytes
        self._now_seconds = now_seconds
        self._asked_seconds = float("-inf")
        self._power = NOTHING

    @property
    def sensor(self) -> Sensor:
        """What it stands for and how."""
        return self._sensor

    def read_power(self) -> Power:
        """The power of the memory in use, as of at most a second ago.

        Raises:
            SourceLost: The processes are gone.
        """
        now = self._now_seconds()
        if now - self._asked_seconds >= MEMORY_SECONDS:
            try:
                used = self._used_bytes()
            except ProcessLookupError as error:
                raise SourceLost(str(error)) from error
            self._power = Power(used / BYTES_PER_GIGABYTE * host_constants.DRAM_WATTS_PER_GIGABYTE)
            self._asked_seconds = now
        return self._power


def discover(
    environ: Mapping[str, str] = os.environ,
    *,
    cpu: bool = True,
    dram: bool = True,
    cpu_scope: Literal["process", "machine"] = "process",
    cpuinfo: Path = CPUINFO,
    dmi: Path = DMI,
    tree: ProcessTree | None = None,
    parts: int = 1,
) -> list[Finding]:
    """Set up the models of the processor and the memory.

    Args:
        environ: The environment variables. Under torchrun the launcher's whole tree counts, so a single process on a
            machine speaks for all of its ranks.
        cpu: Whether to model the processor.
        dram: Whether to model the memory.
        cpu_scope: Whose processor time and memory: this process tree's or the machine's.
        cpuinfo: The file that describes the processor.
        dmi: The folder that names the maker of the machine.
        tree: The processes of the job; default those that the environment names.
        parts: The number of equal parts that processor and memory are split into; each finding is then for a single
            part.

    Returns:
        A finding for each model.
    """
    if not (cpu or dram):
        return []
    import psutil

    tree = (tree or job_tree(environ)) if cpu_scope == "process" else None

    def machine_seconds() -> tuple[float, float]:
        times = psutil.cpu_times()
        busy = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq"))
        return busy, times.idle + getattr(times, "iowait", 0.0)

    of_job = None if tree is None or not cpu else IdleShare(tree.cpu_seconds, machine_seconds)

    def seconds() -> tuple[float, float]:
        busy, idle = machine_seconds() if of_job is None else of_job()
        return busy / parts, idle / parts

    def used_bytes() -> int:
        memory = psutil.virtual_memory()
        in_use: int = memory.total - memory.available
        return (in_use if tree is None else min(in_use, tree.memory_bytes())) // parts

    whose = "of the machine" if tree is None else "of this process and its descendants"
    findings = []
    if cpu:
        findings.append(_cpu(describe_cpu(cpuinfo), seconds, whose, vendor=sys_vendor(dmi)))
    if dram:
        findings.append(_memory(used_bytes, whose))
    return findings


def _cpu(
    description: Mapping[str, str], seconds: Callable[[], tuple[float, float]], whose: str, *, vendor: str
) -> Finding:
    model = description.get("model name", "") or arm_model(description, vendor)
    spec = find_cpu(model) if model else None
    threads = socket_threads(description, spec)
    name = spec.name if spec is not None else model or "CPU"
    if spec is not None and spec.most_watts is not None and threads is not None:
        busy_watts = spec.most_watts / threads
        accuracy = _accuracy_of(spec)
        kind = "rated" if spec.max_watts is None else "turbo"
        origin = f"{kind} {spec.most_watts:g} W / {threads} threads of {spec.name}"
        origin += ", whose power is that of a similar model" if spec.is_like else ""
    else:
        busy_watts = host_constants.MAX_WATTS_PER_VCPU
        half = _half_width(host_constants.MAX_WATTS_PER_VCPU_LOW, busy_watts, host_constants.MAX_WATTS_PER_VCPU_HIGH)
        accuracy = Accuracy(half, half)
        origin = "mean of a busy virtual CPU, Cloud Carbon Footprint"
    idle_watts = min(host_constants.IDLE_WATTS_PER_VCPU, busy_watts)
    method = (
        f"processor seconds {whose} × {busy_watts:.3g} W ({origin}) + idle seconds × {idle_watts:.3g} W (Cloud Carbon "
        "Footprint)"
    )
    counter = ModelledCpu(
        Domain(Kind.PACKAGE, "package:host-model", f"{name} (modelled)"),
        seconds,
        busy=Power(busy_watts),
        idle=Power(idle_watts),
        accuracy=accuracy,
        method=method,
    )
    return Finding("host_model", f"CPU {name}", counter, f"modelled, {_range_text(accuracy)}: {method}")


def _accuracy_of(spec: CpuSpec) -> Accuracy:
    """The range of a rated power: from the base to beyond the turbo where both are known, else half on either side."""
    if spec.max_watts is None or spec.base_watts is None:
        return Accuracy(RATED_POWER_UNCERTAINTY_RATIO, RATED_POWER_UNCERTAINTY_RATIO)
    return Accuracy(max(RATED_POWER_UNCERTAINTY_RATIO, 1 - spec.base_watts / spec.max_watts), ABOVE_TURBO_RATIO)


def _range_text(accuracy: Accuracy) -> str:
    below, above = accuracy.below_ratio, accuracy.above_ratio
    return f"±{below:.0%}" if below == above else f"-{below:.0%} / +{above:.0%}"


def _memory(used_bytes: Callable[[], int], whose: str) -> Finding:
    watts = host_constants.DRAM_WATTS_PER_GIGABYTE
    uncertainty_ratio = _half_width(
        host_constants.DRAM_WATTS_PER_GIGABYTE_LOW, watts, host_constants.DRAM_WATTS_PER_GIGABYTE_HIGH
    )
    method = f"memory in use {whose} × {watts:.3g} W/GB (Lannelongue et al. 2021)"
    gauge = ModelledMemory(
        Domain(Kind.DRAM, "dram:host-model", "memory (modelled)"),
        used_bytes,
        uncertainty_ratio=uncertainty_ratio,
        method=method,
    )
    return Finding("host_model", "memory", gauge, f"modelled, ±{uncertainty_ratio:.0%}: {method}")


def _half_width(low: float, middle: float, high: float) -> float:
    """The half width of the symmetric range that holds both ends, as a share."""
    return max(high - middle, middle - low) / middle
