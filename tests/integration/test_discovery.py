"""What is found on a machine, all sources together; its NVIDIA GPUs are asked for as none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.ports import Finding, PowerGauge, Source
from lightning_carbon.settings.checks import CpuScope
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


def test_a_count_of_memory_has_the_model_behind_it(tmp_path: Path) -> None:
    """Behind each socket's count is its part of the model, for a count that never moves; behind a share is none."""
    tree = PowercapTree(tmp_path)
    for socket in range(2):
        tree.add(f"intel-rapl:{socket}", f"package-{socket}", joules=1000 * (socket + 1))
        tree.add(f"intel-rapl:{socket}:0", "dram", joules=100)

    def fallbacks(cpu_scope: CpuScope) -> list[Source]:
        findings = discover([], powercap_root=tree.root, environ={}, root=tmp_path, cpu_scope=cpu_scope)
        return [finding.fallback for finding in findings if finding.fallback is not None]

    halves = fallbacks("machine")
    whole = host_model.discover({}, cpu=False, cpu_scope="machine")[0].port
    watts = [source.read_power().watts for source in [*halves, whole] if isinstance(source, PowerGauge)]

    assert [Provenance.MODELLED] * 2 == [source.sensor.provenance for source in halves]
    assert watts[0] + watts[1] == pytest.approx(watts[2], rel=0.05)
    assert [] == fallbacks("process")


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
