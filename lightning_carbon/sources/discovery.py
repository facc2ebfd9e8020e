"""Discovery: the sensors of this machine, and why the rest of its hardware cannot be metered."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.ports import Finding, is_share
from lightning_carbon.sources import nvml
from lightning_carbon.sources.accelerators import MODELLED, RATED, likely, not_metered
from lightning_carbon.sources.host import model as host_model
from lightning_carbon.sources.host import rapl
from lightning_carbon.sources.host.allocation import allocation
from lightning_carbon.sources.hwmon import discovery as hwmon
from lightning_carbon.sources.hwmon.amd_library import AmdLibrary
from lightning_carbon.sources.process_tree import ProcessTree, job_tree
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from lightning_carbon.carbon.rest import RestModel
    from lightning_carbon.ports import Source
    from lightning_carbon.settings.checks import CpuScope, GpuScope
    from lightning_carbon.sources.host.allocation import Allocation


def discover(  # noqa: PLR0913 - the settings of a meter that concern sensors
    devices: Literal["auto", "all"] | Sequence[int | str] = "auto",
    powercap_root: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    cpu_scope: CpuScope = "auto",
    gpu_scope: GpuScope = "device",
    host: bool = True,
    root: Path = Path("/"),
    job_pid: int | None = None,
    computes_on: str | None = None,
    machine: bool = False,
    asked: Finding | None = None,
    part: Allocation | None = None,
) -> list[Finding]:
    """Try every source this package has.

    GPUs by NVML and hwmon; packages, memory and platform by RAPL, or what hwmon shows of them; what none of these shows
    of a host, by the host model. Where the power of a module that has the CPU inside is counted, as on Grace Hopper, no
    CPU is counted beside it.

    Args:
        devices: Which accelerators: ``"auto"`` (those visible to this process), ``"all"``, or indices, UUIDs or, of AMD
            and Intel, PCI addresses.
        powercap_root: The powercap tree; default ``LIGHTNING_CARBON_POWERCAP_ROOT``, then ``/sys/class/powercap``.
        environ: The environment variables.
        cpu_scope: What is charged of a host: ``"process"`` for this job's share by processor time, ``"machine"`` for
            all. ``"auto"`` is, of RAPL's counters, the share where the job has a part of the machine only (cgroup,
            cpuset, affinity, Slurm) and otherwise all; of the host model, the job's own.
        gpu_scope: What is charged of a GPU: ``"device"`` for all, ``"process"`` for this job's share of the work.
        host: Whether to look for the host's domains; one process a machine should.
        root: Where ``proc`` and ``sys`` are, as far as they tell of the job and of sensors in hwmon.
        job_pid: The root of the job's process tree; default the launcher of this machine's ranks where the environment
            speaks of one, else this process.
        computes_on: The type of device that the training computes on, as torch calls it, or
            :data:`~lightning_carbon.sources.accelerators.ROCM`, where that is known; behind a colon the number of an
            accelerator that no driver numbers, such as a TPU, on this host.
        machine: Whether to look for what sees the whole machine, too, with all of the above inside.
        asked: A sensor of the whole machine that the user has asked for, which comes before all others.
        part: The job's part of the machine, where that is known already.

    Returns:
        A finding for everything that was tried, with a port where it can be read.

    Raises:
        ConfigError: ``devices`` names a device that is not there.
    """
    job = _Job(environ, job_pid)
    addresses = hwmon.addresses_among(devices)
    others = [device for device in devices if device not in addresses] if addresses else devices
    findings = nvml.discover(others, environ, gpu_scope, pids=job.pids)
    # An index is one of NVIDIA's where there are such.
    by_nvml = not isinstance(devices, str) and any(finding.port is not None for finding in findings)
    wanted = addresses if by_nvml else devices
    library = AmdLibrary(job.pids)
    shown = hwmon.discover(wanted, environ, root, host=host, computes_on=computes_on, library=library)
    findings += shown.accelerators
    attached, sockets = _attached(computes_on, devices, (environ, root), host=host)
    findings += attached
    findings += not_metered(computes_on, findings)
    if not host:
        return findings
    part = part or allocation(environ, root)
    if machine:
        findings += _machine(_with_asked(asked, shown.machine), part, cpu_scope)
    is_on_module = nvml.covers_host(findings)
    if is_on_module or nvml.covers_host(shown.processors):
        reason = "inside the power of the module, and counted there"
        inside = [replace(socket, port=None, reason=socket.reason or reason) for socket in shown.processors]
        host_inside = Finding("host_model", "CPU and memory", reason=reason)
        return [*findings, *(inside if is_on_module else shown.processors), host_inside]
    sockets = _sockets(rapl.discover(powercap_root, environ), [*sockets, *shown.processors])
    with_memory = {finding.port.sensor.domain.id for finding in sockets if finding.port and _covers_memory(finding)}
    measured = _scoped(sockets, cpu_scope, part, job=job, root=root)
    domains = [finding.port.sensor.domain for finding in measured if finding.port is not None]
    kinds = {domain.kind for domain in domains}
    # A platform counter has both inside, and so has the power of a processor with memory of its own.
    cpu = not kinds & {Kind.PACKAGE, Kind.PSYS}
    dram = not (kinds & {Kind.DRAM, Kind.PSYS} or any(domain.id in with_memory for domain in domains))

    def model(*, cpu: bool = False, dram: bool = False, parts: int = 1) -> list[Finding]:
        scope: Literal["process", "machine"] = "machine" if cpu_scope == "machine" else "process"
        tree = job.tree() if (cpu or dram) and scope == "process" else None
        return host_model.discover(environ, cpu=cpu, dram=dram, cpu_scope=scope, tree=tree, parts=parts)

    return [*findings, *_backed(measured, model), *model(cpu=cpu, dram=dram)]


def class_of_machine(
    findings: Sequence[Finding],
    environ: Mapping[str, str] = os.environ,
    *,
    local_size: int = 1,
    cpu_scope: CpuScope = "auto",
    root: Path = Path("/"),
    part: Allocation | None = None,
) -> RestModel:
    """The model of the rest of this machine: as calibrated with a wall meter, else by its class, found and assumed.

    Args:
        findings: The findings of :func:`discover`.
        environ: The environment variables.
        local_size: The number of the run's processes on this host.
        cpu_scope: As in the meter.
        root: Where ``proc`` and ``sys`` are.
        part: The job's part of the machine, where that is known already.
    """
    from lightning_carbon.sources.calibration import calibration_of
    from lightning_carbon.sources.machine_class import Accelerators, chassis_of, machine_class

    gpus = [device for device in nvml.list_devices("all", environ).devices if device.kind == "gpu"]
    visible = sum(device.cuda_index is not None for device in gpus)
    others = [
        finding.port.sensor.domain.name
        for finding in findings
        if finding.port is not None and finding.port.sensor.domain.kind is Kind.GPU and finding.source != "nvml"
    ]
    # With a GPU for each rank, each rank sees its own alone.
    of_job = min(len(gpus), max(visible, local_size)) if visible else 0
    accelerators = Accelerators((*(gpu.name for gpu in gpus), *others), of_job + len(others))
    part = part or allocation(environ, root)
    portion = 1.0 if part.cpus is None or cpu_scope == "machine" else part.cpus / part.machine_cpus
    found = machine_class(chassis_of(root), accelerators, portion, cpu_reason=part.reason if part.is_part else "")
    calibrated = calibration_of(root, environ)
    return found if calibrated is None else replace(calibrated, portion=found.portion)


def _attached(
    computes_on: str | None,
    devices: Literal["auto", "all"] | Sequence[int | str],
    around: tuple[Mapping[str, str], Path],
    *,
    host: bool,
) -> tuple[list[Finding], list[Finding]]:
    """Accelerators without a file of the kernel, and the processor of a Mac; most machines load nothing for them."""
    environ, root = around
    kind = computes_on or likely(environ, root)
    if (kind or "").partition(":")[0] not in MODELLED and sys.platform != "darwin":
        return [], []
    from lightning_carbon.sources import attached
    from lightning_carbon.sources.rated import Surroundings

    found, sockets = attached.discover(kind, devices, Surroundings(environ, root), host=host)
    if computes_on is None and kind == "mps":
        found = [finding if finding.source != RATED else attached.only_in_use(finding) for finding in found]
    return found, sockets


def _machine(shown: list[Finding], part: Allocation, scope: CpuScope) -> list[Finding]:
    """What sees the whole machine, unless others use it, too."""
    if scope == "machine" or not part.is_part:
        return shown
    reason = f"it sees other jobs, too: {part.reason}"
    return [replace(finding, port=None, reason=finding.reason or reason) for finding in shown]


def _with_asked(asked: Finding | None, shown: list[Finding]) -> list[Finding]:
    """The sensors of the machine; the sensor that the user has asked for comes first."""
    if asked is None or asked.port is None:
        return shown if asked is None else [asked, *shown]
    reason = f"{asked.subject} was asked for"
    return [asked, *(replace(finding, port=None, reason=finding.reason or reason) for finding in shown)]


def _sockets(counted: list[Finding], shown: list[Finding]) -> list[Finding]:
    """Processors and memory by RAPL, and beside it what hwmon shows where RAPL has no socket."""
    kinds = {finding.port.sensor.domain.kind for finding in counted if finding.port is not None}
    if not kinds & {Kind.PACKAGE, Kind.PSYS}:
        return [*counted, *shown]
    return counted + [Finding(other.source, other.subject, reason=other.reason or "RAPL counts it") for other in shown]


def _covers_memory(finding: Finding) -> bool:
    return bool(getattr(finding.port, "covers_memory", False))


def _backed(measured: list[Finding], model: Callable[..., list[Finding]]) -> list[Finding]:
    """Put the model of processors or memory behind each counter of them, in case the counter turns out to be dead."""
    backed: dict[int, Finding] = {}
    for kind, name in ((Kind.PACKAGE, "cpu"), (Kind.DRAM, "dram")):
        zones = [finding for finding in measured if finding.port is not None and _is_count_of(finding.port, kind)]
        for finding in zones:
            backed[id(finding)] = replace(finding, fallback=model(parts=len(zones), **{name: True})[0].port)
    return [backed.get(id(finding), finding) for finding in measured]


def _is_count_of(port: Source, kind: Kind) -> bool:
    """Whether a port is a counter of such hardware, or a share of one."""
    sensor = port.whole.sensor if is_share(port) else port.sensor
    return sensor.domain.kind is kind and sensor.provenance is Provenance.COUNTER


class _Job:
    """The processes of the job, looked for when they are asked for."""

    def __init__(self, environ: Mapping[str, str], pid: int | None) -> None:
        self._environ = environ
        self._pid = pid
        self._tree: ProcessTree | None = None

    def tree(self) -> ProcessTree:
        if self._tree is None:
            try:
                self._tree = job_tree(self._environ, self._pid)
            except ProcessLookupError:
                self._tree = ProcessTree()
        return self._tree

    def pids(self) -> AbstractSet[int]:
        return self.tree().pids()


def _scoped(findings: list[Finding], scope: CpuScope, part: Allocation, *, job: _Job, root: Path) -> list[Finding]:
    """RAPL's counters, whole or the job's share of each."""
    if scope == "machine" or (scope == "auto" and not part.is_part):
        return findings
    if all(finding.port is None for finding in findings):
        return findings
    from lightning_carbon.sources.host import cpu_share  # few runs need it

    try:
        busy_seconds = cpu_share.BusyTime(root)
    except OSError as error:
        return cpu_share.refuse(findings, f"it counts the whole machine and cannot be shared: {error}")
    why = part.reason if part.is_part else 'cpu_scope="process"'
    splitting = cpu_share.CpuShare(job.tree().cpu_seconds, busy_seconds, part.machine_cpus)
    return cpu_share.share(findings, splitting, why)
