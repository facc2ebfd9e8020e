"""GPUs on which other processes run, on the stand-in driver: named, or told apart by their work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pynvml
import pytest

from lightning_carbon.energy.readings import Provenance
from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.ports import EnergyCounter, Finding, PowerGauge, Share
from lightning_carbon.sources import nvml
from lightning_carbon.sources.discovery import discover
from lightning_carbon.sources.nvml.accuracy import DATA_CENTRE, Family, stated
from lightning_carbon.units import Energy, Power
from tests.nvml_standin import NOT_SUPPORTED, UNKNOWN, Gpu, Process, Scenario, Slice, Standin

if TYPE_CHECKING:
    from lightning_carbon.settings.checks import GpuScope

MINE, MINE_TOO, OTHER, THIRD = 4_100_001, 4_100_002, 4_200_001, 4_200_002
HOST, CONTAINER = "pid:[4026531836]", "pid:[4026532999]"
SECOND = 1_000_000_000


def mine() -> AbstractSet[int]:
    """The job's processes."""
    return {MINE, MINE_TOO}


def namespace(folder: Path, inode: str, **cuda: bool) -> Path:
    """A ``/proc`` of a pid namespace, with processes that have CUDA open or not."""
    (folder / "proc/self/ns").mkdir(parents=True)
    (folder / "proc/self/ns/pid").symlink_to(inode)
    for name, opens in cuda.items():
        files = folder / "proc" / name.removeprefix("pid") / "fd"
        files.mkdir(parents=True)
        (files / "3").symlink_to("/dev/nvidiactl")
        if opens:
            (files / "4").symlink_to("/dev/nvidia-uvm")
    return folder


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """The first pid namespace of a machine."""
    return namespace(tmp_path, HOST)


@contextmanager
def found(standin: Standin, root: Path, scope: GpuScope, *gpus: Gpu) -> Iterator[list[Finding]]:
    """What is found of these GPUs by the job."""
    with standin.showing(Scenario.of(*gpus)):
        yield nvml.discover(environ={}, gpu_scope=scope, pids=mine, root=root)


def occupied(*processes: Process, **changes: object) -> Gpu:
    """A GPU with these processes on it."""
    return Gpu(processes=processes, **changes)  # type: ignore[arg-type]


def counter(finding: Finding) -> EnergyCounter:
    """The port of a finding, as a counter."""
    assert isinstance(finding.port, EnergyCounter), finding
    return finding.port


def test_a_gpu_of_our_own_is_reported_without_a_word(nvml_standin: Standin, host: Path) -> None:
    """Our own processes, and none at all, are nothing to warn of."""
    with found(nvml_standin, host, "device", occupied(Process(pid=MINE), Process(pid=MINE_TOO)), Gpu()) as findings:
        assert ["", ""] == [finding.reason for finding in findings]
        assert ["", ""] == [nvml.neighbours(finding) for finding in findings]


@pytest.mark.parametrize("kind", ["compute", "graphics", "mps"])
def test_others_on_a_gpu_are_named_and_it_is_reported_whole(nvml_standin: Standin, host: Path, kind: str) -> None:
    """Whichever of NVML's lists has them; the source stays the counter of the whole GPU."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        gpu = occupied(Process(pid=MINE, percent=50), Process(pid=child.pid, percent=50, list=kind))  # type: ignore[arg-type]
        with found(nvml_standin, host, "device", gpu) as [finding]:
            assert Provenance.COUNTER is counter(finding).sensor.provenance
            assert finding.reason.startswith("1 process of others on this GPU, charged with it as a whole: python")
            assert f"(pid {child.pid})" in finding.reason
            assert str(MINE) not in finding.reason
    finally:
        child.communicate()


def test_others_that_come_later_are_seen_when_asked_again(nvml_standin: Standin, host: Path) -> None:
    """What discovery could not see yet, a later look does."""
    gpu = occupied(Process(pid=MINE), Process(pid=OTHER, from_ns=time.monotonic_ns() + 3_600 * SECOND))
    with found(nvml_standin, host, "device", gpu) as [finding]:
        nvml_standin.leap(3_601)

        assert ("", f"pid {OTHER}") == (finding.reason, nvml.neighbours(finding)[-len(f"pid {OTHER}") :])


def test_a_crowd_is_counted(nvml_standin: Standin, host: Path) -> None:
    """The first eight are named, of the rest it is said how many they are."""
    gpu = occupied(*(Process(pid=OTHER + number) for number in range(12)))
    with found(nvml_standin, host, "device", gpu) as [finding]:
        assert finding.reason.startswith("12 processes of others")
        assert finding.reason.endswith(f"pid {OTHER + 7}, and 4 more")


def test_a_driver_without_lists_of_processes_warns_of_nobody(nvml_standin: Standin, host: Path) -> None:
    """Nothing is claimed, and the GPU is metered all the same."""
    with found(nvml_standin, host, "device", occupied(Process(pid=OTHER), processes_code=NOT_SUPPORTED)) as [finding]:
        assert "" == finding.reason
        assert counter(finding).read_energy() > Energy.ZERO


@pytest.mark.parametrize(
    ("cuda", "words"),
    [
        ({}, "cannot be told from this job's"),  # numbers of the host: nobody here goes by them
        ({f"pid{OTHER}": False}, "cannot be told from this job's"),  # somebody here does, by chance
        ({f"pid{OTHER}": True}, f"pid {OTHER}"),
    ],
)
def test_in_a_container_nobody_is_named_whose_number_may_be_another_s(
    nvml_standin: Standin, tmp_path: Path, cuda: dict[str, bool], words: str
) -> None:
    """Numbers of the host mean others here; only those count that have CUDA open here."""
    root = namespace(tmp_path, CONTAINER, **cuda)
    with found(nvml_standin, root, "device", occupied(Process(pid=OTHER))) as [finding]:
        assert words in finding.reason
        assert ("pid namespace" in finding.reason) == ("cannot" in words)


def test_a_container_whose_driver_shows_our_own_number_is_believed(nvml_standin: Standin, tmp_path: Path) -> None:
    """One process of ours among them proves whose numbers they are."""
    root = namespace(tmp_path, CONTAINER)
    with found(nvml_standin, root, "device", occupied(Process(pid=MINE), Process(pid=OTHER))) as [finding]:
        assert finding.reason.endswith(f"pid {OTHER}")


def watch(findings: list[Finding], seconds: float) -> tuple[list[float], float, float]:
    """Let time pass, reading all the while as the meter would.

    Returns:
        The joules that each source counted, and the least and the most that a GPU of 300 W has used meanwhile.
    """
    ports = [counter(finding) for finding in findings]
    outer = time.monotonic_ns()
    first = [port.read_energy() for port in ports]
    inner = time.monotonic_ns()
    asked, last = inner, first
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.02)
        asked = time.monotonic_ns()
        last = [port.read_energy() for port in ports]
    answered = time.monotonic_ns()
    counted = [(b - a).joules for a, b in zip(first, last, strict=True)]
    # The last interval may not have been settled yet.
    return counted, (asked - inner) / 1e9 * 300 - 0.6 * 300, (answered - outer) / 1e9 * 300


def test_two_jobs_share_a_gpu_by_their_work(nvml_standin: Standin, host: Path) -> None:
    """One at 60 % and one at 20 % are charged three quarters and one quarter, and together all of it."""
    gpu = occupied(Process(pid=MINE, percent=40), Process(pid=MINE_TOO, percent=20), Process(pid=OTHER, percent=20))
    with nvml_standin.showing(Scenario.of(gpu)):
        jobs = [
            nvml.discover(environ={}, gpu_scope="process", pids=pids, root=host)[0]
            for pids in (mine, lambda: frozenset([OTHER]))
        ]
        (mine_joules, its_joules), low, high = watch(jobs, 1.5)

    assert low <= mine_joules + its_joules <= high
    assert 0.75 == pytest.approx(mine_joules / (mine_joules + its_joules), abs=0.05)
    assert Provenance.MODELLED is counter(jobs[0]).sensor.provenance
    whole = stated(Family("Hopper", DATA_CENTRE)).accuracy
    assert 0.5 + max(whole.below_ratio, whole.above_ratio) == pytest.approx(counter(jobs[0]).sensor.uncertainty_ratio)
    assert "smUtil" in counter(jobs[0]).sensor.method
    assert "gpu:GPU-0a5e1e00" in counter(jobs[0]).sensor.domain.id


def as_share(source: object) -> Share:
    """A source, as a share of another one."""
    assert isinstance(source, Share)
    return source


def test_behind_a_share_is_the_share_of_the_power(nvml_standin: Standin, host: Path) -> None:
    """Of the same work, so that a counter which is dead gives way to it; both tell what the whole shows."""
    gpu = occupied(Process(pid=MINE, percent=30), Process(pid=OTHER, percent=30))
    with nvml_standin.showing(Scenario.of(gpu)):
        [finding] = nvml.discover(environ={}, gpu_scope="process", pids=mine, root=host)
        assert isinstance(finding.fallback, PowerGauge)
        watts = finding.fallback.read_power().watts
    share, behind = as_share(finding.port), as_share(finding.fallback)

    assert [Provenance.COUNTER, Provenance.INTEGRATED] == [port.whole.sensor.provenance for port in (share, behind)]
    assert watts == pytest.approx(150, rel=0.01)
    assert behind.seen == Power(300.0)


def test_a_gpu_without_others_is_charged_whole_and_at_once(nvml_standin: Standin, host: Path) -> None:
    """Idle or not, and whether we are on it yet or not: what the counter shows before and after is around it."""
    for gpu in (occupied(Process(pid=MINE)), occupied(Process(pid=MINE, percent=90)), Gpu()):
        with nvml_standin.showing(Scenario.of(gpu)):
            shared = counter(nvml.discover(environ={}, gpu_scope="process", pids=mine, root=host)[0])
            whole = counter(nvml.discover(environ={}, pids=mine, root=host)[0])
            first = [port.read_energy() for port in (whole, shared, whole)]
            for _ in range(10):
                time.sleep(0.01)
                shared.read_energy()
            last = [port.read_energy() for port in (whole, shared, whole)]

        assert last[0] - first[2] <= last[1] - first[1] <= last[2] - first[0]


def test_idle_time_is_split_evenly_among_those_who_hold_a_gpu(nvml_standin: Standin, host: Path) -> None:
    """Where nobody computes, two processes of ours and two of others keep it from sleeping."""
    gpu = occupied(*(Process(pid=pid) for pid in (MINE, MINE_TOO, OTHER, THIRD)))
    with found(nvml_standin, host, "process", gpu) as findings:
        port = counter(findings[0])
        outer = time.monotonic_ns()
        start = energy = port.read_energy()
        inner = time.monotonic_ns()
        before = after = inner
        while energy == start:
            time.sleep(0.01)
            before = time.monotonic_ns()
            energy = port.read_energy()
            after = time.monotonic_ns()
            assert after - outer < 30 * SECOND

    assert 150 * (before - inner) / 1e9 - 0.01 <= (energy - start).joules <= 150 * (after - outer) / 1e9 + 0.01


def test_entries_that_are_no_samples_are_left_out(nvml_standin: Standin, host: Path) -> None:
    """Some drivers fill up with garbage; nobody is charged by it."""
    gpu = occupied(Process(pid=MINE, percent=30), Process(pid=OTHER, percent=10), samples_garbage=True)
    with found(nvml_standin, host, "process", gpu) as findings:
        (joules,), low, high = watch(findings, 1.2)

    assert low * 0.75 * 0.95 <= joules <= high * 0.75 * 1.05


def test_a_gauge_is_shared_too(nvml_standin: Standin, host: Path) -> None:
    """A GPU without a counter shows its power times the share: by heads at first, then by work."""
    gpu = occupied(Process(pid=MINE, percent=60), Process(pid=OTHER, percent=20), energy_code=NOT_SUPPORTED)
    with found(nvml_standin, host, "process", gpu) as [finding]:
        assert isinstance(finding.port, PowerGauge)
        shown = []
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            shown.append(finding.port.read_power().watts)
            time.sleep(0.05)

    assert {round(watts, 6) for watts in shown} <= {150.0, 225.0}
    assert 225.0 == pytest.approx(shown[-1])


@pytest.mark.parametrize("changes", [{"samples_code": NOT_SUPPORTED}, {"processes_code": NOT_SUPPORTED}])
def test_without_samples_or_lists_a_share_is_refused(
    nvml_standin: Standin, host: Path, changes: dict[str, int]
) -> None:
    """The reason says what is missing, the fix what would do."""
    with found(nvml_standin, host, "process", occupied(Process(pid=MINE), **changes)) as [finding]:
        assert finding.port is None
        assert "does not tell whose the work" in finding.reason
        assert 'gpu_scope to "device"' in finding.fix


def test_a_slice_is_not_shared_further(nvml_standin: Standin, host: Path) -> None:
    """NVML has no samples in MIG mode."""
    part = Slice(uuid="MIG-aaaa1111-0000-5000-8000-000000000000")
    gpu = occupied(Process(pid=MINE), mig_enabled=True, slices=(part,))
    with found(nvml_standin, host, "process", gpu) as [finding]:
        assert finding.port is None
        assert "MIG slice" in finding.reason


def test_in_a_container_a_wrong_share_is_refused(nvml_standin: Standin, tmp_path: Path) -> None:
    """Where our own number is not among NVML's there is no share, whatever the samples say."""
    root = namespace(tmp_path, CONTAINER)
    with found(nvml_standin, root, "process", occupied(Process(pid=OTHER, percent=50)), Gpu()) as findings:
        assert [None, None] == [finding.port for finding in findings]
        assert all("pid namespace" in finding.reason and "--pid=host" in finding.fix for finding in findings)


def test_in_a_container_that_shows_our_number_a_share_says_what_it_does_not_see(
    nvml_standin: Standin, tmp_path: Path
) -> None:
    """It works, with the remark that others outside may be missing."""
    root = namespace(tmp_path, CONTAINER)
    with found(nvml_standin, root, "process", occupied(Process(pid=MINE, percent=50))) as [finding]:
        assert isinstance(finding.port, EnergyCounter)
        assert "outside of it may not be seen" in finding.reason


def test_a_share_of_a_lost_gpu_is_lost(nvml_standin: Standin, host: Path) -> None:
    """As the GPU itself."""
    gpu = occupied(Process(pid=MINE), lost_at_ns=time.monotonic_ns() + 3_600 * SECOND)
    with found(nvml_standin, host, "process", gpu) as [finding]:
        nvml_standin.leap(3_601)
        with pytest.raises(SourceLost):
            counter(finding).read_energy()


def test_a_child_of_ours_is_ours(nvml_standin: Standin, host: Path) -> None:
    """Without being told, the job is this process and all below it."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        gpu = occupied(Process(pid=os.getpid()), Process(pid=child.pid), Process(pid=os.getppid()))
        with nvml_standin.showing(Scenario.of(gpu)):
            [alone] = nvml.discover(environ={}, root=host)
            [together, *_] = discover(environ={}, root=host, host=False)
            [launched, *_] = discover(environ={}, root=host, host=False, job_pid=os.getppid())
    finally:
        child.communicate()

    assert f"(pid {os.getppid()})" in alone.reason
    assert (alone.reason, "") == (together.reason, launched.reason)
    assert f"{child.pid}" not in alone.reason


def test_the_stand_in_speaks_as_nvml_does(nvml_standin: Standin) -> None:
    """Calls of pynvml get the lists, the samples since a moment, and NotFound where there are none."""
    gpu = occupied(Process(pid=1, percent=5), Process(pid=2, list="graphics"), sample_ns=3_600 * SECOND)
    with nvml_standin.showing(Scenario.of(gpu)):
        pynvml.nvmlInit()
        try:
            handle = pynvml.nvmlDeviceGetHandleByIndex(0)
            compute = [process.pid for process in pynvml.nvmlDeviceGetComputeRunningProcesses(handle)]
            graphics = [process.pid for process in pynvml.nvmlDeviceGetGraphicsRunningProcesses(handle)]
            mps = pynvml.nvmlDeviceGetMPSComputeRunningProcesses(handle)
            [sample] = pynvml.nvmlDeviceGetProcessUtilization(handle, 0)
            with pytest.raises(pynvml.NVMLError) as caught:
                pynvml.nvmlDeviceGetProcessUtilization(handle, sample.timeStamp + 10_000)
        finally:
            pynvml.nvmlShutdown()

    assert ([1], [2], [], 1, 5) == (compute, graphics, mps, sample.pid, sample.smUtil)
    assert 6 == caught.value.value


def test_a_driver_that_fails_in_passing_fails_this_time_only(nvml_standin: Standin, host: Path) -> None:
    """Lists and samples that come back are used again, and nothing is lost meanwhile."""
    now = time.monotonic_ns()
    gpu = occupied(
        Process(pid=MINE), fail_from_ns=now + 3_600 * SECOND, fail_until_ns=now + 7_200 * SECOND, fail_code=UNKNOWN
    )
    with found(nvml_standin, host, "process", gpu) as [finding]:
        port = counter(finding)
        outer = time.monotonic_ns()
        port.read_energy()
        inner = time.monotonic_ns()
        nvml_standin.leap(3_601)
        with pytest.raises(ReadFailed):
            port.read_energy()
        nvml_standin.leap(3_601)
        time.sleep(0.3)
        before = time.monotonic_ns()
        joules = port.read_energy().joules
        after = time.monotonic_ns()

    assert 300 * (before - inner) / 1e9 - 0.01 <= joules <= 300 * (after - outer) / 1e9 + 0.01
