"""Sensors in hwmon, on recorded machines: what is metered, what the doctor says, and what a damaged tree does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import pytest

from lightning_carbon.cli.doctor.examine import examine
from lightning_carbon.energy.readings import Kind
from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.ports import EnergyCounter, Finding, PowerGauge
from lightning_carbon.settings.checks import Devices
from lightning_carbon.sources.discovery import discover
from lightning_carbon.sources.hwmon import discovery as hwmon
from tests.worlds import write_world

SHOWN: Final[dict[str, dict[str, float | None]]] = {
    "amd": {"gpu:5a7c1b1e2f3d4c01": 89.0, "gpu:77aa1b1e2f3d4c02": 93.0},
    "intel": {"gpu:0000:03:00.0": None, "gpu:0000:83:00.0": None},
    "grace": {"package:0": 104.0},
    "jetson": {"module:jetson": 14.30784, "gpu:jetson-VDD_CPU_GPU_CV": 5.952, "host:jetson-VDD_SOC": 3.17952},
    "laptop": {"machine:0": 17.837376},
    "bmc": {"machine:0": 412.0},
    "altra": {"package:0": 45.83, "package:1": 59.18},
}


def found(root: Path, devices: Devices = "auto", computes_on: str | None = None, **environ: str) -> list[Finding]:
    """What is found on a recorded machine, whose RAPL is not there."""
    return discover(devices, root / "no-powercap", environ, root=root, computes_on=computes_on, machine=True)


def domains(findings: list[Finding]) -> list[str]:
    """The domains that can be read, without the model of the host."""
    return [finding.port.sensor.domain.id for finding in findings if finding.port and finding.source != "host_model"]


@pytest.mark.parametrize("world", SHOWN)
def test_the_doctor_on_a_recorded_machine(tmp_path: Path, world: str) -> None:
    """Every sensor of the machine is usable, with its power, and its parent where it is inside of another one."""
    root = write_world(world, tmp_path)
    environ = {"LIGHTNING_CARBON_POWERCAP_ROOT": str(root / "no-powercap"), "LIGHTNING_CARBON_HOME": str(root / "home")}
    report = json.loads(examine(seconds=0.01, environ=environ, root=root).as_json())
    sources = [source for source in report["sources"] if source["domain"] and source["source"] != "host_model"]
    watts = {source["domain"]: source["watts"] for source in sources}

    assert report["usable"]
    assert set(SHOWN[world]) == set(watts)
    assert [pytest.approx(power) for power in SHOWN[world].values() if power] == [
        watts[domain] for domain, power in SHOWN[world].items() if power
    ]
    method = report["machine"]["measured_by"]
    assert (method is not None) == ("machine:0" in watts)
    assert "machine" == report["machine"]["boundary"]
    assert report["machine"]["assumed"]
    assert {"module:jetson"} >= {source["parent"] for source in sources} - {None}


def test_rails_without_an_input_add_up(tmp_path: Path) -> None:
    """On an AGX Orin the rails are domains of their own, memory inside the rail that feeds it, and none is modelled."""
    findings = found(write_world("jetson-agx", tmp_path))
    parents = {f.port.sensor.domain.id: f.port.sensor.domain.parent for f in findings if f.port is not None}

    assert {
        "gpu:jetson-VDD_GPU_SOC": None,
        "package:jetson-VDD_CPU_CV": None,
        "host:jetson-VIN_SYS_5V0": None,
        "dram:jetson-VDDQ_VDD2_1V8AO": "host:jetson-VIN_SYS_5V0",
    } == parents


@pytest.mark.parametrize(
    ("devices", "environ", "expected"),
    [
        ("auto", {"HIP_VISIBLE_DEVICES": "1"}, ["gpu:5a7c1b1e2f3d4c01"]),
        ("auto", {"ROCR_VISIBLE_DEVICES": "2,3"}, ["gpu:77aa1b1e2f3d4c02"]),
        ("auto", {"ROCR_VISIBLE_DEVICES": "GPU-77AA1B1E2F3D4C12"}, ["gpu:77aa1b1e2f3d4c02"]),
        ("auto", {"HIP_VISIBLE_DEVICES": ""}, []),
        ("all", {"HIP_VISIBLE_DEVICES": ""}, ["gpu:5a7c1b1e2f3d4c01", "gpu:77aa1b1e2f3d4c02"]),
        ((2,), {}, ["gpu:77aa1b1e2f3d4c02"]),
        (("0000:34:00.0",), {}, ["gpu:5a7c1b1e2f3d4c01"]),
        ((), {}, []),
    ],
)
def test_a_die_without_a_sensor_is_charged_its_board(
    tmp_path: Path, devices: Devices, environ: dict[str, str], expected: list[str]
) -> None:
    """Whichever die of a board torch computes on, the board counts, and once."""
    assert expected == domains(found(write_world("amd", tmp_path), devices, "rocm", **environ))


def test_the_board_says_that_it_is_shared_with_another_die(tmp_path: Path) -> None:
    """Where only the second die is this job's, the finding says whose power it is."""
    findings = found(write_world("amd", tmp_path), "auto", "rocm", HIP_VISIBLE_DEVICES="1")

    assert ["it shows the power of the whole board, 0000:34:00.0 included, which shows none"] == [
        finding.reason for finding in findings if finding.source == "amdgpu" and finding.port is not None
    ]


@pytest.mark.parametrize(
    ("devices", "mask", "expected"),
    [
        ("auto", "1", ["gpu:0000:83:00.0"]),
        ((0,), "1", ["gpu:0000:83:00.0"]),
        ("all", "1", ["03", "83"]),
        ((5,), "", []),
    ],
)
def test_intel_s_mask_decides_over_its_gpus(tmp_path: Path, devices: Devices, mask: str, expected: list[str]) -> None:
    """An index counts among those that the mask leaves."""
    ids = domains(found(write_world("intel", tmp_path), devices, "xpu", ZE_AFFINITY_MASK=mask))

    assert [True] * len(expected) == [end in domain for end, domain in zip(expected, ids, strict=True)]


def test_a_gpu_of_two_tiles_is_two_devices_and_one_card(tmp_path: Path) -> None:
    """By either driver: with two tiles on the first card, the third device is the second card."""
    root = write_world("intel", tmp_path)
    (root / "sys/devices/pci0000:00/0000:03:00.0/tile0").mkdir()
    (root / "sys/devices/pci0000:00/0000:03:00.0/tile1").mkdir()
    ids = [domains(found(root, "auto", "xpu", ZE_AFFINITY_MASK=mask)) for mask in ("0,1", "1", "2")]

    assert [["gpu:0000:03:00.0"], ["gpu:0000:03:00.0"], ["gpu:0000:83:00.0"]] == ids
    assert ["gpu:0000:83:00.0"] == domains(found(root, (2,), "xpu"))


@pytest.mark.parametrize("world", ["amd", "intel"])
def test_a_training_on_another_maker_s_gpu_leaves_these_out(tmp_path: Path, world: str) -> None:
    """What the training does not compute on is a finding with the reason, and an index is none of theirs."""
    root = write_world(world, tmp_path)
    reasons = [finding.reason for finding in found(root, "auto", "cuda") if finding.source in {"amdgpu", "i915"}]

    assert [] == domains(found(root, "auto", "cuda"))
    assert [] == domains(found(root, (0,), "cuda"))
    assert "the training computes on another accelerator" in reasons


@pytest.mark.parametrize(("world", "computes_on"), [("amd", "rocm"), ("intel", "xpu"), ("jetson", "cuda:0")])
def test_what_is_metered_is_not_said_to_be_missing(tmp_path: Path, world: str, computes_on: str) -> None:
    """No accelerator is unmetered where hwmon has it; where its files are empty, the reason is told."""
    root = write_world(world, tmp_path)

    assert [] == [finding.subject for finding in found(root, "auto", computes_on) if finding.source == "accelerator"]


def test_a_partitioned_gpu_is_several_devices_and_one_board(tmp_path: Path) -> None:
    """ROCm counts each partition, the kernel writes its number into the function, and the index finds the board."""
    root = write_world("amd", tmp_path)
    nodes = root / "sys/class/kfd/kfd/topology/nodes"
    for number, (bus, part) in enumerate([(0x11, 0), (0x11, 1), (0x31, 0)], start=1):
        (nodes / f"{number}/properties").write_text(f"simd_count 304\nlocation_id {bus << 8 | part}\ndomain 0\n")

    assert ["gpu:77aa1b1e2f3d4c02"] == domains(found(root, (1,), "rocm"))
    assert ["gpu:5a7c1b1e2f3d4c01"] == domains(found(root, (2,), "rocm"))


def test_a_counter_that_stands_at_zero_gives_way_to_power(tmp_path: Path) -> None:
    """A count of zero is no count, and behind one that moves its power is kept."""
    root = write_world("amd", tmp_path)
    for bus, joules in (("31", 0), ("11", 12_000_000)):
        chip = next((root / f"sys/devices/pci0000:00/0000:{bus}:00.0/hwmon").iterdir())
        (chip / "energy1_input").write_text(f"{joules}\n")
    dead, alive = (finding for finding in found(root, "all") if finding.source == "amdgpu" and finding.port is not None)

    assert (True, "energy1_input: it stands at zero") == (isinstance(dead.port, PowerGauge), dead.reason)
    assert (True, True) == (isinstance(alive.port, EnergyCounter), isinstance(alive.fallback, PowerGauge))


def test_rapl_comes_before_hwmon(tmp_path: Path) -> None:
    """Where RAPL has the sockets, what hwmon shows of them is not added."""
    root = write_world("altra", tmp_path)
    zone = root / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    for name, text in (("name", "package-0"), ("energy_uj", "123456789")):
        (zone / name).write_text(text)
    findings = discover("auto", root / "sys/class/powercap", {}, root=root)

    assert ["package:0"] == domains(findings)
    assert ["RAPL counts it"] * 2 == [finding.reason for finding in findings if finding.source == "hwmon"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [("Charging", "its battery charges"), ("Full", "gives nothing"), ("Discharging", "")],
)
def test_a_battery_tells_of_the_machine_only_while_it_gives(tmp_path: Path, status: str, reason: str) -> None:
    """On mains the battery is no sensor of the machine, at the start as in mid-run."""
    root = write_world("laptop", tmp_path)
    [finding] = hwmon.discover([], {}, root).machine
    (root / "sys/class/power_supply/BAT0/status").write_text(status)
    [now] = hwmon.discover([], {}, root).machine

    assert bool(reason) == (now.port is None)
    assert reason in now.reason
    assert isinstance(finding.port, PowerGauge)
    if reason:
        with pytest.raises(ReadFailed, match=reason):
            finding.port.read_power()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4294967295000", "does not know its power"),
        ("0", "0 W, which no machine draws"),
        ("-5", "is no power in microwatts"),
        ("junk", "is no power in microwatts"),
        ("", "is no power in microwatts"),
    ],
)
def test_a_meter_of_the_machine_that_knows_nothing_is_none(tmp_path: Path, text: str, reason: str) -> None:
    """What cannot be the power of a machine is a finding with the reason."""
    root = write_world("bmc", tmp_path)
    (root / "sys/devices/LNXSYSTM:00/ACPI000D:00/power1_average").write_text(text)
    [finding] = hwmon.discover([], {}, root).machine

    assert finding.port is None
    assert reason in finding.reason


def test_several_meters_are_no_meter_of_the_machine(tmp_path: Path) -> None:
    """Where nothing tells which of two meters sees the machine, neither does."""
    root = write_world("grace", tmp_path)
    for number in range(2):
        (root / f"sys/devices/LNXSYSTM:00/ACPI000D:{number:02d}/power1_oem_info").write_text("")

    assert ["2 meters are there, and nothing tells which of them sees the machine"] == [
        finding.reason for finding in hwmon.discover([], {}, root).machine
    ]


@pytest.mark.parametrize("damage", ["pipe", "folder", "binary", "gone", "loop"])
@pytest.mark.parametrize("world", SHOWN)
def test_a_damaged_tree_costs_its_sensors_and_nothing_else(tmp_path: Path, world: str, damage: str) -> None:
    """Whatever stands in the place of a file, nothing is raised, and nothing hangs."""
    root = write_world(world, tmp_path)
    for path in [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]:
        path.unlink()
        if damage == "pipe":
            os.mkfifo(path)
        elif damage == "folder":
            path.mkdir()
        elif damage == "binary":
            path.write_bytes(b"\xff\xfe\x00" * 40)
        elif damage == "loop":
            path.symlink_to(path.name)

    assert [] == domains(found(root))


def test_a_sensor_that_vanishes_is_lost_and_a_garbled_one_fails(tmp_path: Path) -> None:
    """In mid-run a file that is gone is gone for good; what is no number is asked for again."""
    root = write_world("bmc", tmp_path)
    gauge = hwmon.discover([], {}, root).machine[0].port
    assert isinstance(gauge, PowerGauge)
    file = root / "sys/devices/LNXSYSTM:00/ACPI000D:00/power1_average"
    file.write_text("3.5 kW")

    with pytest.raises(ReadFailed):
        gauge.read_power()
    file.unlink()
    with pytest.raises(SourceLost):
        gauge.read_power()


def test_the_machine_is_no_part_of_what_a_training_meters(tmp_path: Path) -> None:
    """Unless asked for, what has all others inside is not among what is found."""
    root = write_world("bmc", tmp_path)
    findings = discover("auto", root / "no-powercap", {}, root=root)

    assert Kind.MACHINE not in {finding.port.sensor.domain.kind for finding in findings if finding.port is not None}
