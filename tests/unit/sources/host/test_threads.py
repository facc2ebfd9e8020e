"""Which processor it is, and how many threads its socket has, on bare metal and in guests."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_carbon.energy.accuracy import Accuracy
from lightning_carbon.sources.host.cpu_table import find_cpu
from lightning_carbon.sources.host.model import discover
from lightning_carbon.sources.host.threads import arm_model, socket_threads, sys_vendor
from lightning_carbon.sources.process_tree import ProcessTree

EPYC = "AMD EPYC 7763 64-Core Processor"
XEON = "Intel(R) Xeon(R) Gold 6149 CPU @ 3.10GHz"  # the table has its power alone


@pytest.mark.parametrize(
    ("model", "siblings", "flags", "threads"),
    [
        (EPYC, "128", "fpu", 128),
        (EPYC, "64", "fpu", 64),  # its second threads are switched off
        (EPYC, "8", "fpu hypervisor", 128),
        (EPYC, "8", "fpu", 128),  # a guest that hides its hypervisor
        (EPYC, "64", "fpu hypervisor", 128),
        ("13th Gen Intel(R) Core(TM) i9-13900K", "32", "fpu", 32),
        ("Intel(R) Xeon(R) Gold 6242 CPU @ 2.80GHz", "8", "fpu hypervisor", 32),
        (XEON, "32", "fpu", 32),
        (XEON, "8", "fpu", None),  # 205 W / 8: it is not the whole of it
        (XEON, "32", "fpu hypervisor", None),
        ("Intel(R) Core(TM)2 Duo CPU     E8400  @ 3.00GHz", "2", "fpu", 2),
        ("no such model", "16", "fpu", 16),
        ("no such model", "", "fpu", None),
    ],
)
def test_threads_of_a_socket(model: str, siblings: str, flags: str, threads: int | None) -> None:
    """The table's, else the kernel's on bare metal, else none."""
    description = {"model name": model, "siblings": siblings, "flags": flags}

    assert threads == socket_threads(description, find_cpu(model))


@pytest.mark.parametrize(
    ("part", "vendor", "model"),
    [
        ("0xd0c", "Amazon EC2", "AWS Graviton2"),
        ("0xd40", "Amazon EC2", "AWS Graviton3"),
        ("0xd4f", "Amazon EC2", "AWS Graviton4"),
        ("0xd4f", "NVIDIA", "NVIDIA Grace"),
        ("0xd4f", "Supermicro", "NVIDIA Grace"),
        ("0xd4f", "Google", ""),
        ("0xd0c", "GIGABYTE", ""),
        ("0xd49", "Amazon EC2", ""),
    ],
)
def test_a_processor_of_arm_is_known_by_its_part_and_its_machine(part: str, vendor: str, model: str) -> None:
    """The same part is in processors of several clouds."""
    assert model == arm_model({"CPU implementer": "0x41", "CPU part": part}, vendor)


def test_a_processor_that_names_itself_is_not_looked_up_by_part() -> None:
    """Neither is one of another maker."""
    assert "" == arm_model({"model name": EPYC}, "Amazon EC2")
    assert "" == arm_model({"CPU implementer": "0xc0", "CPU part": "0xd4f"}, "Amazon EC2")


def test_the_maker_of_a_machine_is_what_its_firmware_says(tmp_path: Path) -> None:
    """Or nothing, where there is no such file."""
    assert "" == sys_vendor(tmp_path)
    (tmp_path / "sys_vendor").write_text("Amazon EC2\n")

    assert "Amazon EC2" == sys_vendor(tmp_path)


@pytest.mark.parametrize(
    ("text", "watts", "low", "high"),
    [
        ("model name\t: 13th Gen Intel(R) Core(TM) i9-13900K\nsiblings\t: 32\nflags\t\t: fpu\n", 253, 125, 316.25),
        (f"model name\t: {EPYC}\nsiblings\t: 8\nflags\t\t: fpu\n", 280, 140, 420),
        ("model name\t: AMD EPYC 9R14\nsiblings\t: 96\nflags\t\t: fpu hypervisor\n", 360, 180, 540),
        ("CPU implementer\t: 0x41\nCPU part\t: 0xd4f\n", 250, 125, 375),
    ],
)
def test_the_power_of_a_socket_that_is_busy(tmp_path: Path, text: str, watts: float, low: float, high: float) -> None:
    """Turbo power where it is known, from the base to a quarter above; else the rating, half of it either way."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(text)
    tree = ProcessTree()
    [finding] = discover({}, dram=False, cpuinfo=cpuinfo, dmi=tmp_path, tree=tree)
    assert finding.port is not None
    accuracy = finding.port.sensor.accuracy
    assert isinstance(accuracy, Accuracy)

    assert f" {watts} W / " in finding.port.sensor.method
    ends = accuracy.ends(round(watts * 1e6), 10**9)
    assert (low, high) == pytest.approx(tuple(end / 1e6 for end in ends), rel=1e-3)


def test_a_full_load_of_a_desktop_lies_in_its_range() -> None:
    """An i9-13900K was seen to draw 215 to 264 W with its platform (Fischer et al. 2025); 62 to 188 W held neither."""
    spec = find_cpu("13th Gen Intel(R) Core(TM) i9-13900K")
    assert spec is not None
    assert spec.base_watts is not None
    assert spec.max_watts is not None

    assert spec.base_watts < 215 < spec.max_watts < 264 < 1.25 * spec.max_watts
