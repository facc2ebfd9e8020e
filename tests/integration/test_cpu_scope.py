"""Who is charged for a host: a job's share of RAPL's counters or all of them, on powercap trees and real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.errors import ReadFailed
from lightning_carbon.ports import EnergyCounter, Finding
from lightning_carbon.settings.checks import CpuScope
from lightning_carbon.sources.discovery import discover
from lightning_carbon.sources.host import rapl
from lightning_carbon.sources.host.cpu_share import BusyTime, CpuShare, share
from lightning_carbon.sources.process_tree import ProcessTree, job_tree
from tests.powercap import PowercapTree, Zone

ALONE = {"sys/devices/system/cpu/online": "0-63\n", "proc/self/status": "Cpus_allowed_list:\t0-63\n"}
HERTZ = os.sysconf("SC_CLK_TCK")
# Says when it is there, burns so many seconds, and waits to be let go.
BURN = """
import sys, time
print("there", flush=True)
sys.stdin.readline()
while time.process_time() < float(sys.argv[1]):
    pass
print("done", flush=True)
sys.stdin.readline()
"""


class Machine:
    """A machine with 64 processors whose counters and busy time go where they are told.

    Args:
        folder: Where its files are.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.powercap = PowercapTree(folder / "sys")
        self.zones: list[Zone] = []
        self._joules: list[float] = []
        self._busy_ticks = 1_000
        for number, label in enumerate(("package-0", "package-1")):
            self.add(f"intel-rapl:{number}", label, joules=1_000.0 + 100 * number)
        self.add("intel-rapl:0:0", "dram", joules=10.0)
        for path, text in ALONE.items():
            self.write(path, text)
        self.go_on(0, 0)

    def add(self, name: str, label: str, joules: float) -> None:
        """Add a counter."""
        self.zones.append(self.powercap.add(name, label, joules=joules))
        self._joules.append(joules)

    def write(self, path: str, text: str) -> None:
        """Write a file of ``/proc`` or ``/sys``."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def go_on(self, joules: float, busy_seconds: float) -> None:
        """Let every counter use so much, and the processors be busy for so long."""
        self._joules = [counted + joules for counted in self._joules]
        for zone, counted in zip(self.zones, self._joules, strict=True):
            zone.set_joules(counted)
        self._busy_ticks += round(busy_seconds * HERTZ)
        user, system = self._busy_ticks // 2, self._busy_ticks - self._busy_ticks // 2 - 30
        self.write("proc/stat", f"cpu  {user} 10 {system} 777777 8888 5 15 999 123 4\ncpu0 1 2 3 4 5 6 7 8 9 10\n")

    def discover(self, scope: CpuScope = "auto", environ: dict[str, str] | None = None) -> list[Finding]:
        """What is found of it."""
        return discover([], self.powercap.root, environ or {}, cpu_scope=scope, root=self.root)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that is the job's alone."""
    return Machine(tmp_path)


def counters(findings: list[Finding]) -> dict[str, EnergyCounter]:
    """The counters by the ids of their domains."""
    return {f.port.sensor.domain.id: f.port for f in findings if isinstance(f.port, EnergyCounter)}


def test_a_machine_that_is_the_job_s_alone_is_charged_whole(machine: Machine) -> None:
    """Without a limit the default is the counters themselves, labelled as all of the machine."""
    package = counters(machine.discover())["package:0"]

    assert Provenance.COUNTER is package.sensor.provenance
    assert "whole machine" in package.sensor.method
    assert package.read_energy().joules == 1_000.0


@pytest.mark.parametrize(
    ("scope", "environ", "shared"),
    [
        ("auto", {}, False),
        ("auto", {"SLURM_JOB_ID": "1", "SLURM_CPUS_ON_NODE": "8"}, True),
        ("auto", {"SLURM_JOB_ID": "1", "SLURM_CPUS_ON_NODE": "64"}, False),
        ("machine", {"SLURM_JOB_ID": "1", "SLURM_CPUS_ON_NODE": "8"}, False),
        ("process", {}, True),
    ],
)
def test_a_part_of_a_machine_is_charged_a_share(
    machine: Machine, scope: CpuScope, environ: dict[str, str], *, shared: bool
) -> None:
    """The default follows the allocation, and what is asked for by name is done; ids stay the same."""
    findings = machine.discover(scope, environ)
    found = counters(findings)
    remarks = [finding.reason for finding in findings if finding.source == "rapl"]

    assert {"package:0", "package:1", "dram:0"} == set(found)
    assert all(shared == (port.sensor.provenance is Provenance.MODELLED) for port in found.values())
    assert all(shared == ("busy processor time" in port.sensor.method) for port in found.values())
    assert all(shared == ("shared by processor time" in remark) for remark in remarks)
    assert not environ or not shared or all("8 of 64 CPUs by Slurm" in remark for remark in remarks)


def test_a_share_s_range_is_wider_than_the_counter_s(machine: Machine) -> None:
    """The share's own uncertainty comes on top."""
    whole, shared = (counters(machine.discover(scope)) for scope in ("machine", "process"))

    assert {id_: pytest.approx(port.sensor.uncertainty_ratio + 0.5) for id_, port in whole.items()} == {
        id_: port.sensor.uncertainty_ratio for id_, port in shared.items()
    }


def test_a_count_of_the_container_s_own_time_is_no_measure_of_the_machine(machine: Machine) -> None:
    """Where /proc/stat is replaced, counters are not shared by it; the model charges the job's own instead."""
    machine.write("proc/self/mountinfo", "99 22 0:51 /proc/stat /proc/stat rw,nosuid - fuse.lxcfs lxcfs rw,user_id=0\n")
    findings = machine.discover("process")
    left_out = [finding for finding in findings if finding.source == "rapl"]

    assert all("replaced" in finding.reason and 'cpu_scope to "machine"' in finding.fix for finding in left_out)
    assert {"package:host-model"} == set(counters(findings))


@pytest.mark.parametrize("text", ["", "cpu  1 2 3\n", "cpu  a b c d e f g h\n", "intr 1 2 3 4 5 6 7 8\n", None])
def test_a_machine_that_does_not_tell_its_busy_time_is_not_shared(machine: Machine, text: str | None) -> None:
    """Nothing is made up for it."""
    if text is None:
        (machine.root / "proc/stat").unlink()
    else:
        machine.write("proc/stat", text)

    assert {"package:host-model"} == set(counters(machine.discover("process")))


def test_a_reading_without_the_busy_time_fails_this_time_only(machine: Machine) -> None:
    """And the next one charges what went on meanwhile."""
    now = iter(range(0, 10_000, 60))
    seconds = [0.0]
    splitting = CpuShare(lambda: seconds[0], BusyTime(machine.root), 64, now_seconds=lambda: float(next(now)))
    package = counters(share(rapl.discover(machine.powercap.root, {}), splitting, "by hand"))["package:0"]
    package.read_energy()
    stat = (machine.root / "proc/stat").read_text()
    machine.write("proc/stat", "")
    with pytest.raises(ReadFailed, match="busy time"):
        package.read_energy()
    machine.write("proc/stat", stat)
    seconds[0] += 1
    machine.go_on(10, 2)

    assert pytest.approx(5.0) == package.read_energy().joules


def test_two_jobs_on_one_package_share_it_to_the_microjoule(machine: Machine) -> None:
    """Two groups of processes that make up the machine's busy time are charged the whole of every counter."""
    now = [0.0]
    spent = [0.0, 0.0]
    jobs = [
        counters(share(rapl.discover(machine.powercap.root, {}), splitting, "by hand"))
        for splitting in (
            CpuShare(lambda: spent[0], BusyTime(machine.root), 64, now_seconds=lambda: now[0]),
            CpuShare(lambda: spent[1], BusyTime(machine.root), 64, now_seconds=lambda: now[0]),
        )
    ]
    charged = [{id_: port.read_energy() for id_, port in job.items()} for job in jobs]
    used = 0
    for number in range(1, 200):
        mine, its, microjoules = number % 7, 3 + number % 11, 1_234_567 + number
        spent[0] += mine / HERTZ
        spent[1] += its / HERTZ
        used += microjoules
        now[0] += 60
        machine.go_on(microjoules / 1e6, (mine + its) / HERTZ)
        charged = [{id_: port.read_energy() for id_, port in job.items()} for job in jobs]
    sums = {sum(job[id_].microjoules for job in charged) for id_ in charged[0]}

    assert {"package:0", "package:1", "dram:0"} == set(charged[0])
    assert sums <= {used, used - 1}
    assert 0.25 < charged[0]["package:0"].microjoules / used < 0.35


@contextmanager
def burning(seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A process that has been told to burn so many seconds of processor time."""
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", BURN, str(seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        yield process


def test_real_jobs_share_by_their_real_work(tmp_path: Path) -> None:
    """Of two real processes on this machine, the one that works three times as much is charged as much more."""
    machine = Machine(tmp_path)
    with burning(1.5) as much, burning(0.5) as little:
        busy = BusyTime()
        before = busy()
        trees = [ProcessTree(process.pid) for process in (much, little)]
        jobs = [
            counters(share(rapl.discover(machine.powercap.root, {}), CpuShare(tree.cpu_seconds, busy, 64), "test"))
            for tree in trees
        ]
        for job in jobs:
            job["package:0"].read_energy()
        for process in (much, little):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in (much, little):
            assert process.stdout is not None
            assert process.stdout.readline() == "done\n"
        machine.go_on(100, 0)
        time.sleep(0.2)
        joules = [job["package:0"].read_energy().joules for job in jobs]
        all_seconds = busy() - before

    # Linux counts a process's time exactly and the machine's by sampling: the two may differ by some hundredths.
    assert sum(joules) <= 110
    # Others may work on this machine, too: the two are charged by what they did of all that was done.
    assert joules[0] == pytest.approx(100 * 1.5 / all_seconds, rel=0.3)
    assert joules[1] == pytest.approx(100 * 0.5 / all_seconds, rel=0.4)


def test_the_busy_time_of_this_machine_is_that_of_its_processors() -> None:
    """Burning half a second shows, and no more passes than all processors together can do."""
    busy = BusyTime()
    before, start = busy(), time.monotonic()
    with burning(0.5) as process:
        process.communicate("go\n\n")
    seconds, wall = busy() - before, time.monotonic() - start

    assert 0.4 <= seconds <= (wall + 0.1) * (os.cpu_count() or 1)


STEP = """
import os, sys
from lightning_carbon.sources.process_tree import job_tree
print(os.getpid(), job_tree().pid)
"""


def root_of(tmp_path: Path, parent: str, environ: dict[str, str]) -> str:
    """Whose tree a job's is that a process of this name has started by a shell: its own, or that process's."""
    launcher = tmp_path / parent
    launcher.symlink_to("/bin/sh")
    done = subprocess.run(
        [launcher, "-c", 'echo $$; sh -c \'"$0" -c "$1"; true\' "$0" "$1"; true', sys.executable, STEP],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    started, ran = done.stdout.split("\n")[:2]
    own, root = ran.split()
    return {own: "own", started: "launcher"}.get(root, "another")


@pytest.mark.parametrize(
    ("parent", "environ", "expected"),
    [
        ("slurmstepd", {"SLURM_STEP_NUM_TASKS": "4"}, "launcher"),
        ("slurmstepd", {"SLURM_STEP_NUM_TASKS": "1"}, "own"),
        ("slurmstepd", {}, "own"),
        ("bash", {"SLURM_STEP_NUM_TASKS": "4"}, "own"),
        ("launcher", {"LOCAL_RANK": "0"}, "own"),
        ("launcher", {"LOCAL_RANK": "1"}, "another"),  # the shell between: the one that started this rank
    ],
)
def test_ranks_of_a_machine_are_one_job(tmp_path: Path, parent: str, environ: dict[str, str], expected: str) -> None:
    """What started the ranks speaks for all of them, and for nothing else."""
    assert expected == root_of(tmp_path, parent, environ)


def test_a_job_may_be_named_by_its_process() -> None:
    """A caller that knows the root gives it."""
    with burning(0.01) as process:
        assert process.pid == job_tree({"LOCAL_RANK": "3"}, process.pid).pid
        assert process.pid in ProcessTree().pids()


def test_the_host_model_s_default_stays_the_job(tmp_path: Path) -> None:
    """Without counters the job's own processor time is charged, unless all of the machine is asked for."""
    empty = tmp_path / "empty"
    methods = [
        counters(discover([], empty, {}, cpu_scope=scope, root=tmp_path))["package:host-model"].sensor.method
        for scope in ("auto", "process", "machine")
    ]

    assert ["of this process", "of this process", "of the machine"] == [
        "of the machine" if "of the machine" in method else "of this process" for method in methods
    ]
    assert Kind.PACKAGE is counters(discover([], empty, {}, root=tmp_path))["package:host-model"].sensor.domain.kind
