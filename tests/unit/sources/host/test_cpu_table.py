"""The table of processors: found exactly or not at all."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.sources.host import constants as host_constants
from lightning_carbon.sources.host import cpu_table
from lightning_carbon.sources.host.cpu_table import CpuSpec, find_cpu, plain_name

TABLE = Path(cpu_table.__file__).with_name("data") / "cpu_power.csv"
with TABLE.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(line for line in file if not line.startswith("#")))


def test_the_table_is_sane() -> None:
    """Names are in their plain form and unique, powers are those of a socket, threads are whole or absent."""
    assert len(ROWS) > 5000
    assert [row["name"] for row in ROWS if plain_name(row["name"]) != row["name"] or "," in row["name"]] == []
    assert len({row["name"].casefold() for row in ROWS}) == len(ROWS)
    assert [row["name"] for row in ROWS if not 0.5 <= float(row["tdp_watts"]) <= 600] == []
    assert [row["name"] for row in ROWS if row["threads"] and not 1 <= int(row["threads"]) <= 512] == []


def test_the_watts_of_a_thread_are_plausible() -> None:
    """Where threads are stated, one of them is rated at what server threads take: a slip of a digit would show."""
    stated = [CpuSpec(row["name"], float(row["tdp_watts"]), int(row["threads"])) for row in ROWS if row["threads"]]
    odd = [spec.name for spec in stated if not 1 <= (spec.watts_per_thread or 0) <= 10]

    assert len(stated) > 50
    assert odd == []


@given(row=st.sampled_from(ROWS))
def test_every_row_is_found_by_its_name(row: dict[str, str]) -> None:
    """Whatever is listed can be looked up, in any case, and comes back as it is written."""
    expected = CpuSpec(row["name"], float(row["tdp_watts"]), int(row["threads"]) if row["threads"] else None)

    assert expected == find_cpu(row["name"]) == find_cpu(row["name"].upper())


@given(row=st.sampled_from(ROWS))
def test_what_the_kernel_prints_leads_to_the_same_row(row: dict[str, str]) -> None:
    """Marks, clock, filling words and spaces that surround a model change nothing."""
    vendor, _, model = row["name"].partition(" ")
    printed = f"{vendor}(R)   {model} CPU @ 2.30GHz"

    assert find_cpu(row["name"]) == find_cpu(printed)


@pytest.mark.parametrize(
    ("model_name", "expected"),
    [
        ("Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz", CpuSpec("Intel Xeon Platinum 8375C", 300, 64)),
        ("Intel(R) Xeon(R) Platinum 8480+", CpuSpec("Intel Xeon Platinum 8480+", 350, 112)),
        ("Intel(R) Xeon(R) CPU E5-2660 0 @ 2.20GHz", CpuSpec("Intel Xeon E5-2660", 95, 16)),
        ("Intel(R) Xeon(R) CPU           X5650  @ 2.67GHz", CpuSpec("Intel Xeon X5650", 95, None)),
        ("Intel(R) Xeon(R) CPU E7- 4870  @ 2.40GHz", CpuSpec("Intel Xeon E7-4870", 130, None)),
        ("12th Gen Intel(R) Core(TM) i7-12700K", CpuSpec("Intel Core i7-12700K", 190, None)),
        ("Intel(R) Core(TM)2 Duo CPU     E8400  @ 3.00GHz", CpuSpec("Intel Core 2 Duo E8400", 65, None)),
        ("AMD EPYC 7R13 Processor", CpuSpec("AMD EPYC 7R13", 225, 96)),
        ("AMD EPYC 7763 64-Core Processor", CpuSpec("AMD EPYC 7763", 280, 128)),
        ("AMD EPYC 9754S 128-Core Processor", CpuSpec("AMD EPYC 9754S", 360, 128)),
        ("AMD Ryzen 9 5950X 16-Core Processor", CpuSpec("AMD Ryzen 9 5950X", 105, 32)),
        ("AMD Ryzen Threadripper PRO 5995WX 64-Cores", CpuSpec("AMD Ryzen Threadripper PRO 5995WX", 280, 128)),
        ("AMD Ryzen 5 3500U with Radeon Vega Mobile Gfx", CpuSpec("AMD Ryzen 5 3500U", 15, None)),
        ("AMD Ryzen 7 7840HS w/ Radeon 780M Graphics", CpuSpec("AMD Ryzen 7 7840HS", 54, None)),
        ("AMD A10-9700 RADEON R7, 10 COMPUTE CORES 4C+6G", CpuSpec("AMD A10-9700", 65, None)),
        ("AMD FX(tm)-8350 Eight-Core Processor", CpuSpec("AMD FX-8350", 125, None)),
    ],
)
def test_names_as_the_kernel_prints_them(model_name: str, expected: CpuSpec) -> None:
    """The strings of /proc/cpuinfo lead to their model."""
    assert expected == find_cpu(model_name)


@pytest.mark.parametrize(
    "model_name",
    [
        "",
        "Intel(R) Xeon(R) Processor @ 2.60GHz",
        "Intel(R) Xeon(R) CPU @ 2.20GHz",
        "Intel Xeon Processor (Skylake, IBRS)",
        "AMD EPYC",
        "AMD EPYC Processor",
        "AMD EPYC-Milan Processor",
        "AMD EPYC 9R14",
        "AMD EPYC 7J13 64-Core Processor",
        "QEMU Virtual CPU version 2.5+",
        "Intel(R) Pentium(R) 4 CPU 3.00GHz",
        "Intel(R) Xeon(R) Platinum 8375",
        "Genuine Intel(R) CPU 0000%@",
    ],
)
def test_unlisted_and_anonymous_models_have_no_neighbours(model_name: str) -> None:
    """A model that is not listed is unknown, however close another one's name is."""
    assert find_cpu(model_name) is None


@given(model_name=st.text(max_size=80))
def test_reducing_a_name_twice_changes_nothing_more(model_name: str) -> None:
    """The plain form is a fixed point, and any text has one."""
    assert plain_name(model_name) == plain_name(plain_name(model_name))


def test_the_watts_of_a_thread_need_its_number() -> None:
    """A share of the rated power is only stated where it is known of how many."""
    assert CpuSpec("a", 100, 50).watts_per_thread == 2
    assert CpuSpec("b", 100, None).watts_per_thread is None


def test_host_constants_lie_in_their_ranges() -> None:
    """Each fallback is inside its own range, and a busy virtual CPU takes more than an idle one."""
    c = host_constants

    assert c.IDLE_WATTS_PER_VCPU_LOW < c.IDLE_WATTS_PER_VCPU < c.IDLE_WATTS_PER_VCPU_HIGH
    assert c.MAX_WATTS_PER_VCPU_LOW < c.MAX_WATTS_PER_VCPU < c.MAX_WATTS_PER_VCPU_HIGH
    assert c.DRAM_WATTS_PER_GIGABYTE_LOW < c.DRAM_WATTS_PER_GIGABYTE < c.DRAM_WATTS_PER_GIGABYTE_HIGH
    assert c.IDLE_WATTS_PER_VCPU < c.MAX_WATTS_PER_VCPU
    assert c.IDLE_WATTS_PER_VCPU_HIGH < c.MAX_WATTS_PER_VCPU_HIGH
