"""RAPL counters read from powercap trees on disk.

A file that only root may read is stood in for by an opener that refuses it: root, as whom tests may run, can read any.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lightning_carbon.energy.readings import Kind
from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.ports import EnergyCounter, Finding
from lightning_carbon.sources.host.rapl import discover
from lightning_carbon.sources.kernel_files import FileCounter
from lightning_carbon.units import Energy
from tests.powercap import USUAL_RANGE_MICROJOULES, PowercapTree


@pytest.fixture
def tree(tmp_path: Path) -> PowercapTree:
    """An empty tree."""
    return PowercapTree(tmp_path / "sys")


def found(findings: list[Finding]) -> dict[str, EnergyCounter]:
    """The sources that can be read, by the ids of their domains."""
    return {
        finding.port.sensor.domain.id: finding.port for finding in findings if isinstance(finding.port, EnergyCounter)
    }


def parents(findings: list[Finding]) -> dict[str, str | None]:
    """What is inside of what."""
    return {id_: port.sensor.domain.parent for id_, port in found(findings).items()}


def refusing(refused: Callable[[str], bool], error: int = errno.EACCES) -> Callable[[str, int], int]:
    """An opener that the files in question cannot be opened with."""

    def opener(path: str, flags: int) -> int:
        if refused(path):
            raise OSError(error, os.strerror(error), path)
        return os.open(path, flags)

    return opener


def server(tree: PowercapTree) -> None:
    """Two sockets with memory."""
    for socket in range(2):
        tree.add(f"intel-rapl:{socket}", f"package-{socket}", joules=1000 + 500 * socket)
        tree.add(f"intel-rapl:{socket}:0", "dram", joules=10 + socket)


def test_a_server_has_packages_and_memory_side_by_side(tree: PowercapTree) -> None:
    """Every socket's package and memory is found once, though the tree shows it twice, and none is inside another."""
    server(tree)

    assert {"package:0": None, "package:1": None, "dram:0": None, "dram:1": None} == parents(discover(tree.root))


@pytest.mark.parametrize("root", ["class/powercap", "class/powercap/intel-rapl", "devices/virtual/powercap"])
def test_the_tree_may_be_given_from_any_of_its_tops(tree: PowercapTree, root: str) -> None:
    """The folder of links, the control type's and the devices' own show the same domains."""
    server(tree)

    assert parents(discover(tree.root)) == parents(discover(tree.root.parents[1] / root))


def test_the_tree_may_be_named_by_the_environment(tree: PowercapTree) -> None:
    """``LIGHTNING_CARBON_POWERCAP_ROOT`` stands in for an argument that is not given."""
    server(tree)

    assert 4 == len(found(discover(environ={"LIGHTNING_CARBON_POWERCAP_ROOT": str(tree.root)})))


def test_a_counter_shows_what_the_kernel_counted(tree: PowercapTree) -> None:
    """A counter fed by a power over time shows its integral, and says where it wraps."""
    zone = tree.add("intel-rapl:0", "package-0")
    counter = found(discover(tree.root))["package:0"]
    shown = []
    for seconds in range(5):
        zone.set_joules(1000 + 65 * seconds + seconds**2)
        shown.append(counter.read_energy().joules)

    assert [1000, 1066, 1134, 1204, 1276] == shown
    assert Energy(USUAL_RANGE_MICROJOULES) == counter.sensor.wraps_at


def test_a_counter_wraps_at_the_end_of_its_range(tree: PowercapTree) -> None:
    """Past the range that the sensor states the count goes on from zero."""
    zone = tree.add("intel-rapl:0", "package-0", joules=49, range_microjoules=50_000_000)
    counter = found(discover(tree.root))["package:0"]
    before = counter.read_energy()
    zone.set_joules(52)
    limit = counter.sensor.wraps_at
    assert limit is not None

    assert Energy.from_joules(3) == counter.read_energy() + limit - before


def test_the_parts_of_a_package_are_left_out(tree: PowercapTree) -> None:
    """Cores and uncore are inside their package and would count twice; a client's memory is not."""
    tree.add("intel-rapl:0", "package-0")
    for number, label in enumerate(["core", "uncore", "dram"]):
        tree.add(f"intel-rapl:0:{number}", label)

    assert {"package:0": None, "dram:0": None} == parents(discover(tree.root))


def test_a_platform_holds_packages_and_memory(tree: PowercapTree) -> None:
    """With a psys zone only the platform is a root."""
    server(tree)
    tree.add("intel-rapl:2", "psys", joules=9000)

    assert {
        "psys:0": None,
        "package:0": "psys:0",
        "package:1": "psys:0",
        "dram:0": "psys:0",
        "dram:1": "psys:0",
    } == parents(discover(tree.root))


def test_each_of_several_platforms_holds_its_own_sockets(tree: PowercapTree) -> None:
    """A socket belongs to the psys that leads at or below its number."""
    for socket in range(4):
        tree.add(f"intel-rapl:{socket}", f"package-{socket}", joules=1000 + 500 * socket)
    tree.add("intel-rapl:4", "psys", joules=9000)
    tree.add("intel-rapl:5", "psys-2", joules=8000)
    packages = {id_: parent for id_, parent in parents(discover(tree.root)).items() if parent is not None}

    assert {
        "package:0": "psys:0",
        "package:1": "psys:0",
        "package:2": "psys:2",
        "package:3": "psys:2",
    } == packages


def test_a_platform_that_cannot_be_read_holds_nothing(tree: PowercapTree) -> None:
    """What is inside of a psys zone that cannot be read is counted by itself."""
    server(tree)
    zone = tree.add("intel-rapl:2", "psys", joules=9000)
    findings = discover(tree.root, opener=refusing(lambda path: path.endswith("intel-rapl:2/energy_uj")))

    assert {None} == set(parents(findings).values())
    assert [True] == [zone.path.name in finding.subject for finding in findings if finding.port is None]


def test_a_package_shown_by_two_drivers_counts_once(tree: PowercapTree) -> None:
    """The mmio zone of a package repeats the other, and a finding says so."""
    tree.add("intel-rapl-mmio:0", "package-0", joules=777)
    tree.add("intel-rapl:0", "package-0", joules=1000)
    findings = discover(tree.root)

    assert pytest.approx([1000]) == [counter.read_energy().joules for counter in found(findings).values()]
    assert ["the same as intel-rapl:0 by another way; counted once"] == [f.reason for f in findings if f.port is None]


def test_the_other_driver_serves_where_the_first_cannot_be_read(tree: PowercapTree) -> None:
    """A package is read by mmio where only that can be opened."""
    tree.add("intel-rapl-mmio:0", "package-0", joules=777)
    tree.add("intel-rapl:0", "package-0", joules=1000)
    findings = discover(tree.root, opener=refusing(lambda path: path.endswith("intel-rapl:0/energy_uj")))

    assert pytest.approx([777]) == [counter.read_energy().joules for counter in found(findings).values()]


def test_dies_that_count_apart_are_counted_each(tree: PowercapTree) -> None:
    """Intel's multi-die packages have a zone for each die, with a count of its own."""
    for die, joules in enumerate([50_000, 47_000]):
        tree.add(f"intel-rapl:{die}", f"package-0-die-{die}", joules=joules)
        tree.add(f"intel-rapl:{die}:0", "dram", joules=100)

    assert ["package:0-die-0", "dram:0-die-0", "package:0-die-1", "dram:0-die-1"] == sorted(
        found(discover(tree.root)), key=lambda id_: (id_[-1], -ord(id_[0]))
    )


def test_dies_that_repeat_their_socket_s_count_are_counted_once(tree: PowercapTree) -> None:
    """AMD's first EPYCs show the count of the socket for every die; each socket is still counted."""
    for number, (socket, die) in enumerate([(0, 0), (0, 1), (1, 2), (1, 3)]):
        tree.add(f"intel-rapl:{number}", f"package-{socket}-die-{die}", joules=50_000 + 0.2 * die)

    assert ["package:0-die-0", "package:1-die-2"] == list(found(discover(tree.root)))


def test_a_file_for_root_only_is_a_finding_with_the_command_that_opens_it(tree: PowercapTree) -> None:
    """Without rights nothing is counted, and every zone says why."""
    server(tree)
    findings = discover(tree.root, opener=refusing(lambda path: path.endswith("energy_uj")))

    assert [None] * 4 == [finding.port for finding in findings]
    assert all("CVE-2020-8694" in finding.reason and finding.fix.startswith("sudo find ") for finding in findings)


def test_the_command_opens_every_count_and_nothing_else(tmp_path: Path) -> None:
    """Running it, as root would, makes the counts of all zones readable and leaves other files as they were."""
    tree = PowercapTree(tmp_path / "a tree with spaces")
    server(tree)
    for path in tree.devices.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o400)
    finding = discover(tree.root, opener=refusing(lambda path: path.endswith("energy_uj")))[0]
    subprocess.run(["sh", "-c", finding.fix.removeprefix("sudo ")], check=True)
    readable = {
        path.name
        for path in tree.devices.rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_mode & stat.S_IROTH
    }
    counts = list(tree.devices.rglob("energy_uj"))

    assert {"energy_uj", "max_energy_range_uj"} == readable
    assert [0o444] * 4 == [stat.S_IMODE(path.stat().st_mode) for path in counts]


def test_a_count_that_is_none_is_a_finding(tree: PowercapTree) -> None:
    """A zone whose count is a folder, garbage, or absent is left out with its reason; the others are counted."""
    for number, label in enumerate(["package-0", "package-1", "package-2", "package-3"]):
        tree.add(f"intel-rapl:{number}", label, joules=1000 * number)
    zones = [tree.devices / "intel-rapl" / f"intel-rapl:{number}" / "energy_uj" for number in range(3)]
    zones[0].unlink()
    zones[0].mkdir()
    zones[1].write_text("many\n")
    zones[2].unlink()
    findings = discover(tree.root)

    reasons = [finding.reason for finding in findings if finding.port is None]
    expected = ["Is a directory", "is no count of microjoules", "No such file or directory"]

    assert ["package:3"] == list(found(findings))
    assert [True] * 3 == [reason.endswith(end) for reason, end in zip(reasons, expected, strict=True)]


@pytest.mark.parametrize("text", ["", "-5\n", "12.5\n", "Input/output error\n"])
def test_garbage_is_a_failed_reading(tree: PowercapTree, text: str) -> None:
    """What is no count fails this time only."""
    zone = tree.add("intel-rapl:0", "package-0")
    counter = found(discover(tree.root))["package:0"]
    (zone.path / "energy_uj").write_text(text)
    with pytest.raises(ReadFailed):
        counter.read_energy()
    zone.set_joules(2000)

    assert Energy.from_joules(2000) == counter.read_energy()


def test_a_zone_that_vanishes_is_lost(tree: PowercapTree) -> None:
    """When the file is gone so is the source."""
    tree.add("intel-rapl:0", "package-0")
    counter = found(discover(tree.root))["package:0"]
    shutil.rmtree(tree.devices / "intel-rapl")

    with pytest.raises(SourceLost):
        counter.read_energy()


def test_a_file_that_is_replaced_is_read_anew(tree: PowercapTree) -> None:
    """A count that is written beside and moved over is followed."""
    zone = tree.add("intel-rapl:0", "package-0")
    counter = found(discover(tree.root))["package:0"]
    beside = zone.path / "energy_uj.new"
    beside.write_text("123\n")
    beside.replace(zone.path / "energy_uj")

    assert Energy(123) == counter.read_energy()


def test_a_counter_closes_its_file(tree: PowercapTree) -> None:
    """No descriptor stays open when a counter is let go."""
    count = tree.add("intel-rapl:0", "package-0").path / "energy_uj"

    def open_here() -> list[str]:
        return [link.name for link in Path("/proc/self/fd").iterdir() if link.resolve() == count.resolve()]

    counter: FileCounter | None = discover(tree.root)[0].port  # type: ignore[assignment]
    assert counter is not None
    assert 1 == len(open_here())
    del counter
    assert [] == open_here()


def test_no_range_means_no_wrap(tree: PowercapTree) -> None:
    """A zone without a range is taken for one that never wraps."""
    zone = tree.add("intel-rapl:0", "package-0")
    (zone.path / "max_energy_range_uj").unlink()

    assert found(discover(tree.root))["package:0"].sensor.wraps_at is None


def test_an_absent_tree_says_so(tmp_path: Path) -> None:
    """No folder, an empty one, and links that lead nowhere are told apart; none raises."""
    empty = tmp_path / "empty"
    empty.mkdir()
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "intel-rapl:0").symlink_to("../../nowhere/intel-rapl:0")
    reasons = [discover(root)[0].reason for root in (tmp_path / "absent", empty, hidden)]

    assert ["there is no such folder", "no RAPL zone is in it", "the zones are listed but hidden"] == [
        reason.partition(":")[0].partition(",")[0] for reason in reasons
    ]


@pytest.mark.parametrize("vendor", ["GenuineIntel", "CentaurHauls", None])
def test_kinds_carry_ranges_of_their_own(tree: PowercapTree, tmp_path: Path, vendor: str | None) -> None:
    """Memory is less certain than a package, and nothing but AMD's counts is said to be computed."""
    server(tree)
    sensors = [port.sensor for port in found(discover(tree.root, cpuinfo=described(tmp_path, vendor))).values()]
    ratios = {sensor.domain.kind: sensor.uncertainty_ratio for sensor in sensors}

    assert ratios[Kind.PACKAGE] < ratios[Kind.DRAM]
    assert not any("computes" in sensor.method for sensor in sensors)


def test_what_an_amd_processor_computes_is_less_certain(tree: PowercapTree, tmp_path: Path) -> None:
    """AMD's counts say that the processor computes them, and have a wider range than those that are measured."""
    server(tree)
    measured = found(discover(tree.root, cpuinfo=described(tmp_path, "GenuineIntel")))["package:0"].sensor
    computed = found(discover(tree.root, cpuinfo=described(tmp_path, "AuthenticAMD")))["package:0"].sensor

    assert "the processor computes from its activity" in computed.method
    assert computed.uncertainty_ratio > measured.uncertainty_ratio


def described(folder: Path, vendor: str | None) -> Path:
    """A file that describes the processor, if there is one."""
    path = folder / "cpuinfo"
    if vendor is not None:
        path.write_text(f"processor\t: 0\nvendor_id\t: {vendor}\n\nprocessor\t: 1\n")
    return path


@pytest.mark.parametrize(
    ("model", "constraints", "watts"),
    [
        ("Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz", {}, 150.0),
        ("Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz", {"constraint_1_power_limit_uw": 180_000_000}, 180.0),
        ("Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz", {"constraint_0_max_power_uw": 90_000_000}, 150.0),
        ("nobody's", {"constraint_0_max_power_uw": 90_000_000, "constraint_0_power_limit_uw": 0}, 90.0),
        ("nobody's", {}, None),
    ],
)
def test_a_package_knows_the_most_that_it_draws(
    tree: PowercapTree, tmp_path: Path, model: str, constraints: dict[str, int], watts: float | None
) -> None:
    """The greatest of the limits in force, of those that can be set and of the rated power of the model is told."""
    zone = tree.add("intel-rapl:0", "package-0")
    tree.add("intel-rapl:0:0", "dram")
    for name, microwatts in constraints.items():
        (zone.path / name).write_text(f"{microwatts}\n")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"model name\t: {model}\n")
    ports = found(discover(tree.root, cpuinfo=cpuinfo))
    most = ports["package:0"].sensor.max_power

    assert watts == (most and most.watts)
    assert ports["dram:0"].sensor.max_power is None
