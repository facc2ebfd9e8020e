"""What is found on a machine, all sources together; its NVIDIA GPUs are asked for as none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.ports import EnergyCounter, Finding, PowerGauge
from lightning_carbon.sources.discovery import discover
from lightning_carbon.sources.host import model as host_model
from tests.powercap import PowercapTree


def domains(findings: list[Finding]) -> dict[Kind, Provenance]:
    """Which parts of the host can be read, and how."""
    sensors = [finding.port.sensor for finding in findings if finding.port is not None]
    return {sensor.domain.kind: sensor.provenance for sensor in sensors}


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        ([], {Kind.PACKAGE: Provenance.MODELLED, Kind.DRAM: Provenance.MODELLED}),
        (["package-0"], {Kind.PACKAGE: Provenance.COUNTER, Kind.DRAM: Provenance.MODELLED}),
        (["package-0", "dram"], {Kind.PACKAGE: Provenance.COUNTER, Kind.DRAM: Provenance.COUNTER}),
        (["package-0", "psys"], {Kind.PACKAGE: Provenance.COUNTER, Kind.PSYS: Provenance.COUNTER}),
        (["psys"], {Kind.PSYS: Provenance.COUNTER}),
    ],
)
def test_only_what_is_not_measured_is_modelled(
    tmp_path: Path, zones: list[str], expected: dict[Kind, Provenance]
) -> None:
    """The model fills in for packages and memory that RAPL does not show, unless a platform counter holds both."""
    tree = PowercapTree(tmp_path)
    for number, label in enumerate(zones):
        tree.add(f"intel-rapl:{number}", label, joules=1000 * (number + 1))

    # Under a root without limits, so that the machine that runs this need not be without them.
    assert expected == domains(discover([], powercap_root=tree.root, environ={}, root=tmp_path))


@pytest.mark.parametrize("cpu_scope", ["machine", "process"])
def test_each_count_of_a_host_has_the_model_behind_it(tmp_path: Path, cpu_scope: Literal["machine", "process"]) -> None:
    """Behind the count of each socket, and behind a share of it, is its part of the model, should the count be dead."""
    tree = PowercapTree(tmp_path)
    for socket in range(2):
        tree.add(f"intel-rapl:{socket}", f"package-{socket}", joules=1000 * (socket + 1))
        tree.add(f"intel-rapl:{socket}:0", "dram", joules=100)
    (tmp_path / "proc").mkdir(exist_ok=True)
    (tmp_path / "proc" / "stat").write_text("cpu  100 0 50 1000 0 0 0 0 0 0\n", encoding="ascii")
    found = discover([], powercap_root=tree.root, environ={}, root=tmp_path, cpu_scope=cpu_scope)
    behind = [finding.fallback for finding in found if finding.fallback is not None]
    cpu, memory = (finding.port for finding in host_model.discover({}, cpu_scope=cpu_scope))
    halves = [source.read_power().watts for source in behind if isinstance(source, PowerGauge)]

    assert [Provenance.MODELLED] * 4 == [source.sensor.provenance for source in behind]
    assert [Kind.PACKAGE, Kind.DRAM] * 2 == [source.sensor.domain.kind for source in behind]
    assert isinstance(memory, PowerGauge)
    assert isinstance(cpu, EnergyCounter)
    assert sum(halves) == pytest.approx(memory.read_power().watts, rel=0.05)
    assert 2 == sum(isinstance(source, EnergyCounter) for source in behind)


def test_the_environment_s_tree_is_used(tmp_path: Path) -> None:
    """``LIGHTNING_CARBON_POWERCAP_ROOT`` reaches RAPL."""
    tree = PowercapTree(tmp_path)
    tree.add("intel-rapl:0", "package-0")
    found = domains(discover([], environ={"LIGHTNING_CARBON_POWERCAP_ROOT": str(tree.root)}, root=tmp_path))

    assert Provenance.COUNTER is found[Kind.PACKAGE]


def test_another_process_may_speak_for_the_host(tmp_path: Path) -> None:
    """Without the host nothing of it is looked at."""
    tree = PowercapTree(tmp_path)
    tree.add("intel-rapl:0", "package-0")

    assert [] == discover([], powercap_root=tree.root, environ={}, host=False)


QUIET = """
import sys
def forbid(event, arguments):
    if event.startswith(("subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "socket.")):
        sys.stderr.write(f"{event} {arguments}")
sys.addaudithook(forbid)
from lightning_carbon.sources.discovery import discover
from lightning_carbon.sources.host import model as host_model
for finding in discover():
    if finding.port is not None:
        getattr(finding.port, "read_energy", None) or finding.port.read_power()
"""


def test_looking_around_starts_nothing_and_says_nothing() -> None:
    """No process, no socket, no word."""
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=True)

    assert ("", "") == (done.stdout, done.stderr)
