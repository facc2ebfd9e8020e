"""The host model on real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.ports import EnergyCounter, Finding, PowerGauge
from lightning_carbon.sources.host import constants as host_constants
from lightning_carbon.sources.host.model import discover
from lightning_carbon.sources.process_tree import PROC, ProcessTree

# Says when it has spent its time; then waits to be let go, so that the test decides when it ends.
BURN = """
import sys, time
while time.process_time() < float(sys.argv[1]):
    pass
print(time.process_time(), flush=True)
sys.stdin.read()
"""
# Spends its time in a child that it waits for, and so never shows up in a list of processes that is made afterwards.
BURN_IN_CHILD = """
import os, subprocess, sys
quiet = subprocess.DEVNULL
subprocess.run([sys.executable, "-c", sys.argv[2], sys.argv[1]], stdin=quiet, stdout=quiet, check=True)
print(sum(os.times()[:4]), flush=True)
sys.stdin.read()
"""
ENDING_SECONDS = 0.15
"""What a process spends after it has told what it spent: the end of an interpreter, on a slow machine."""
EPYC = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: AMD EPYC 7742 64-Core Processor
siblings\t: {siblings}
flags\t\t: fpu sse {flags}

processor\t: 1
model name\t: another
"""


class Time:
    """A clock that stands where it is put, so that a tree looks when the test wants it to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """A minute later than last time, by when all looks are due."""
        self.seconds += 60
        return self.seconds


class Burnt(NamedTuple):
    """A process that has done its work.

    Args:
        process: The process, which waits to be let go.
        seconds: What it says that it has spent of the processors, its start and its children included.
    """

    process: subprocess.Popen[str]
    seconds: float

    def end(self) -> None:
        """Let it go and wait for it."""
        self.process.communicate()
        assert self.process.returncode == 0


Burn = Callable[..., Burnt]


@pytest.fixture
def burn() -> Iterator[Burn]:
    """Starts a process that spends so many seconds of processor time, and waits until it has."""
    with ExitStack() as stack:

        def start(seconds: float, *, program: tuple[str, ...] = (BURN,)) -> Burnt:
            process = subprocess.Popen(
                [sys.executable, "-c", program[0], str(seconds), *program[1:]],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.enter_context(process)
            assert process.stdout is not None
            return Burnt(process, float(process.stdout.readline()))

        yield start


def test_a_worker_s_time_is_counted_while_it_lives_and_once_only(burn: Burn) -> None:
    """A child's time shows while it runs, stays when it has been waited for, and is not counted again."""
    tree = ProcessTree(now_seconds=Time())
    tree.cpu_seconds()
    own = sum(os.times()[:2])
    worker = burn(0.3)
    alive = tree.cpu_seconds() - (sum(os.times()[:2]) - own)
    worker.end()
    dead = tree.cpu_seconds() - (sum(os.times()[:2]) - own)
    later = tree.cpu_seconds() - (sum(os.times()[:2]) - own)

    assert worker.seconds == pytest.approx(alive, abs=0.05)
    assert alive == pytest.approx(dead, abs=ENDING_SECONDS)
    assert dead == pytest.approx(later, abs=0.05)


def test_a_child_that_came_and_went_unseen_is_counted(burn: Burn) -> None:
    """What a child spent between two looks counts once it has been waited for."""
    tree = ProcessTree(now_seconds=Time())
    own = sum(os.times()[:2])
    child = burn(0.3)
    child.end()
    counted = tree.cpu_seconds() - (sum(os.times()[:2]) - own)

    assert child.seconds == pytest.approx(counted, abs=ENDING_SECONDS)


@pytest.mark.parametrize("lists", [PROC, Path("/nonexistent")], ids=["listed", "unlisted"])
def test_grandchildren_count(burn: Burn, lists: Path) -> None:
    """So do the descendants of descendants, also after both are gone, and where the kernel lists no children."""
    tree = ProcessTree(now_seconds=Time(), proc=lists)
    own = sum(os.times()[:2])
    child = burn(0.3, program=(BURN_IN_CHILD, BURN))
    tree.cpu_seconds()
    child.end()
    counted = tree.cpu_seconds() - (sum(os.times()[:2]) - own)

    assert child.seconds == pytest.approx(counted, abs=ENDING_SECONDS)


def test_a_tree_may_be_another_s(burn: Burn) -> None:
    """With a process id the tree is that process's, and when it is gone the tree says so."""
    worker = burn(0.1)
    tree = ProcessTree(worker.process.pid, now_seconds=Time())
    idle = tree.cpu_seconds()
    worker.end()

    assert 0.0 == pytest.approx(idle, abs=0.05)
    with pytest.raises(ProcessLookupError):
        tree.cpu_seconds()
    with pytest.raises(ProcessLookupError):
        tree.memory_bytes()
    with pytest.raises(ProcessLookupError):
        ProcessTree(worker.process.pid)


def test_memory_of_the_tree_grows_with_what_it_holds(burn: Burn) -> None:
    """Holding 200 MB more is seen, and a worker adds less than its whole resident set."""
    tree = ProcessTree(now_seconds=Time())
    before = tree.memory_bytes()
    held = bytearray(b"\1" * (200 << 20))
    grown = tree.memory_bytes() - before
    worker = burn(0.01)
    with_worker = tree.memory_bytes() - before - grown
    resident = psutil.Process(worker.process.pid).memory_info().rss

    assert len(held) == pytest.approx(grown, rel=0.2)
    assert 0 < with_worker < resident


def by_kind(findings: list[Finding]) -> dict[Kind, Finding]:
    """The findings by what they stand for."""
    return {finding.port.sensor.domain.kind: finding for finding in findings if finding.port is not None}


@pytest.mark.parametrize("scope", ["process", "machine"])
def test_work_is_charged(scope: str, burn: Burn) -> None:
    """Half a second of work costs at least half a second of a busy thread, and memory has a power."""
    assert scope in {"process", "machine"}
    found = by_kind(discover({}, cpu_scope="process" if scope == "process" else "machine", cpuinfo=Path("/nowhere")))
    cpu, memory = found[Kind.PACKAGE].port, found[Kind.DRAM].port
    assert isinstance(cpu, EnergyCounter)
    assert isinstance(memory, PowerGauge)
    before = cpu.read_energy()
    burn(0.5).end()
    joules = (cpu.read_energy() - before).joules

    assert 0.45 * host_constants.MAX_WATTS_PER_VCPU < joules
    assert 0 < memory.read_power().watts <= psutil.virtual_memory().total / 2**30
    assert {Provenance.MODELLED} == {cpu.sensor.provenance, memory.sensor.provenance}


@pytest.mark.parametrize(
    ("text", "watts", "ratio"),
    [
        (EPYC.format(flags="", siblings=64), 225 / 64, 0.5),  # bare metal with one thread a core
        (EPYC.format(flags="hypervisor", siblings=4), 225 / 128, 0.5),  # a guest: all threads of the chip
        (EPYC.format(flags="", siblings=4), 225 / 128, 0.5),  # a guest that hides its hypervisor
        (EPYC.replace("EPYC 7742 64-Core", "EPYC").format(flags="hypervisor", siblings=4), 3.5, 0.6),
        ("processor\t: 0\nBogoMIPS\t: 50\nFeatures\t: fp asimd\n", 3.5, 0.6),  # Arm names no model
        ("", 3.5, 0.6),
    ],
)
def test_a_thread_s_power_comes_from_the_model_s_table_or_the_mean(
    tmp_path: Path, text: str, watts: float, ratio: float
) -> None:
    """Known models charge their rated power by thread, all others a mean with a wider range."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(text)
    (finding,) = discover({}, dram=False, cpuinfo=cpuinfo)
    assert finding.port is not None

    assert f"× {watts:.3g} W" in finding.port.sensor.method
    assert ratio == pytest.approx(finding.port.sensor.uncertainty_ratio)


def test_only_what_is_asked_for_is_modelled() -> None:
    """Where a part is measured, no model is made of it."""
    assert [] == discover({}, cpu=False, dram=False)
    assert [Kind.DRAM] == list(by_kind(discover({}, cpu=False)))


LAUNCHER = """
import subprocess, sys
ranks = [
    subprocess.Popen([sys.executable, "-c", sys.argv[1], str(rank)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for rank in range(2)
]
ranks[0].stdout.readline()
ranks[1].communicate(b"go")
print(ranks[0].communicate(b"go")[0].decode().strip())
"""
RANK = """
import sys, time
from lightning_carbon.sources.host.model import discover
cpu = discover(dram=False)[0].port
before = cpu.read_energy()
print("ready", flush=True)
sys.stdin.read()
if sys.argv[1] == "1":
    start = time.process_time()
    while time.process_time() < start + 0.5:
        pass
print((cpu.read_energy() - before).joules)
"""


@pytest.mark.parametrize(("environ", "sees"), [({"TORCHELASTIC_RUN_ID": "none"}, True), ({}, False)])
def test_under_torchrun_one_rank_speaks_for_all_of_its_machine(environ: dict[str, str], *, sees: bool) -> None:
    """The launcher's tree is metered, so that the work of the other ranks counts."""
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, RANK],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    least = 0.4 * host_constants.MAX_WATTS_PER_VCPU_LOW

    assert sees == (float(done.stdout) > least)
