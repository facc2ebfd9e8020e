"""The table of processors: found exactly or not at all."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.sources.host import constants as host_constants
from lightning_carbon.sources.host import cpu_table
from lightning_carbon.sources.host.cpu_table import CpuSpec, find_cpu, plain_name
from tools import build_tables

TABLE = Path(cpu_table.__file__).with_name("data") / "cpu_power.csv"
with TABLE.open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(line for line in file if not line.startswith("#")))


def test_the_table_is_sane() -> None:
    """Names are in their plain form and unique, powers are those of a socket, threads are whole or absent."""
    assert len(ROWS) > 5000
    assert [row["name"] for row in ROWS if plain_name(row["name"]) != row["name"] or "," in row["name"]] == []
    assert len({row["name"].casefold() for row in ROWS}) == len(ROWS)
    assert [row["name"] for row in ROWS if row["base_watts"] and not 0.5 <= float(row["base_watts"]) <= 600] == []
    assert [row["name"] for row in ROWS if not row["base_watts"] and not row["threads"]] == []
    turbo = [row for row in ROWS if row["max_watts"]]
    assert [row["name"] for row in turbo if not 1 < float(row["max_watts"]) / float(row["base_watts"]) < 5] == []
    assert {"c", "e", "f", "l"} == {row["source"][0] for row in ROWS}
    assert [row["name"] for row in ROWS if row["threads"] and not 1 <= int(row["threads"]) <= 512] == []


def test_the_watts_of_a_thread_are_plausible() -> None:
    """Where threads are stated, one of them is rated at what threads take: a slip of a digit would show."""
    stated = {
        row["name"]: float(row["base_watts"]) / int(row["threads"])
        for row in ROWS
        if row["threads"] and row["base_watts"]
    }
    odd = [name for name, watts in stated.items() if not 0.5 <= watts <= 95]  # Atoms of tablets, to one core at 89 W
    servers = {name: watts for name, watts in stated.items() if re.match("AMD EPYC|Intel Xeon (Gold|Plat)", name)}

    assert len(stated) > 3000
    assert odd == []
    assert [name for name, watts in servers.items() if not 1 <= watts <= 14] == []  # to four cores at 105 W


@given(row=st.sampled_from(ROWS))
def test_every_row_is_found_by_its_name(row: dict[str, str]) -> None:
    """Whatever is listed can be looked up, in any case, and comes back as it is written."""
    found = find_cpu(row["name"])

    assert found is not None
    assert (row["name"], row["base_watts"], row["max_watts"], row["threads"]) == (
        found.name,
        *("" if value is None else f"{value:g}" for value in (found.base_watts, found.max_watts, found.threads)),
    )
    assert found == find_cpu(row["name"].upper())


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
        ("Intel(R) Xeon(R) CPU           X5650  @ 2.67GHz", CpuSpec("Intel Xeon X5650", 95, 12)),
        ("Intel(R) Xeon(R) CPU E7- 4870  @ 2.40GHz", CpuSpec("Intel Xeon E7-4870", 130, 20)),
        ("12th Gen Intel(R) Core(TM) i7-12700K", CpuSpec("Intel Core i7-12700K", 125, 20, 190)),
        ("Intel(R) Core(TM)2 Duo CPU     E8400  @ 3.00GHz", CpuSpec("Intel Core 2 Duo E8400", 65, 2)),
        ("AMD EPYC 7R13 Processor", CpuSpec("AMD EPYC 7R13", 225, 96)),
        ("AMD EPYC 7763 64-Core Processor", CpuSpec("AMD EPYC 7763", 280, 128)),
        ("AMD EPYC 9754S 128-Core Processor", CpuSpec("AMD EPYC 9754S", 360, 128)),
        ("AMD Ryzen 9 5950X 16-Core Processor", CpuSpec("AMD Ryzen 9 5950X", 105, 32)),
        ("AMD Ryzen Threadripper PRO 5995WX 64-Cores", CpuSpec("AMD Ryzen Threadripper PRO 5995WX", 280, 128)),
        ("AMD Ryzen 5 3500U with Radeon Vega Mobile Gfx", CpuSpec("AMD Ryzen 5 3500U", 15, 8)),
        ("AMD Ryzen 7 7840HS w/ Radeon 780M Graphics", CpuSpec("AMD Ryzen 7 7840HS", 54, 16)),
        ("AMD A10-9700 RADEON R7, 10 COMPUTE CORES 4C+6G", CpuSpec("AMD A10-9700", 65, 4)),
        ("12th Gen Intel(R) Core(TM) i9-12900K", CpuSpec("Intel Core i9-12900K", 125, 24, 241)),
        ("13th Gen Intel(R) Core(TM) i9-13900K", CpuSpec("Intel Core i9-13900K", 125, 32, 253)),
        ("13th Gen Intel(R) Core(TM) i5-1335U", CpuSpec("Intel Core i5-1335U", 15, 12, 55)),
        ("12th Gen Intel(R) Core(TM) i7-1270P", CpuSpec("Intel Core i7-1270P", 28, 16, 64)),
        ("12th Gen Intel(R) Core(TM) i5-1240U", CpuSpec("Intel Core i5-1240U", 9, 12, 29)),
        ("12th Gen Intel(R) Core(TM) i5-12400T", CpuSpec("Intel Core i5-12400T", 35, 12, 74)),
        ("12th Gen Intel(R) Core(TM) i5-12600K", CpuSpec("Intel Core i5-12600K", 125, 16, 150)),
        ("Intel(R) Core(TM) Ultra 9 285K", CpuSpec("Intel Core Ultra 9 285K", 125, 24, 250)),
        ("Intel(R) Xeon(R) Platinum 8480C", CpuSpec("Intel Xeon Platinum 8480C", 350, 112, is_like=True)),
        ("Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", CpuSpec("Intel Xeon Platinum 8481C", 350, 112, is_like=True)),
        ("Intel(R) Xeon(R) Platinum 8488C", CpuSpec("Intel Xeon Platinum 8488C", 350, 96, is_like=True)),
        ("INTEL(R) XEON(R) PLATINUM 8581C CPU @ 2.30GHz", CpuSpec("Intel Xeon Platinum 8581C", 350, 112, is_like=True)),
        ("Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", CpuSpec("Intel Xeon Platinum 8370C", 205, 64)),
        ("AMD EPYC 7R32", CpuSpec("AMD EPYC 7R32", 225, 96, is_like=True)),
        ("AMD EPYC 9R14", CpuSpec("AMD EPYC 9R14", 360, 96, is_like=True)),
        ("AMD EPYC 7B13", CpuSpec("AMD EPYC 7B13", 280, 128, is_like=True)),
        ("AMD EPYC 9B14", CpuSpec("AMD EPYC 9B14", 360, 192, is_like=True)),
        ("AMD EPYC 7J13 64-Core Processor", CpuSpec("AMD EPYC 7J13", 280, 128, is_like=True)),
        ("AMD EPYC 9V84 96-Core Processor", CpuSpec("AMD EPYC 9V84", 360, 192, is_like=True)),
        ("AWS Graviton4", CpuSpec("AWS Graviton4", None, 96)),
        ("NVIDIA Grace", CpuSpec("NVIDIA Grace", 250, 72)),
        ("AMD FX(tm)-8350 Eight-Core Processor", CpuSpec("AMD FX-8350", 125, 8)),
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
        "AMD EPYC 9R15",
        "AMD EPYC 7J14 64-Core Processor",
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


def test_the_most_that_a_processor_is_rated_for() -> None:
    """Its turbo power where that is known, else its base power, else nothing."""
    assert [250, 125, None] == [
        CpuSpec("a", 125, 50, 250).most_watts,
        CpuSpec("b", 125, None).most_watts,
        CpuSpec("c", None, 64).most_watts,
    ]


def test_the_facts_are_those_of_their_files() -> None:
    """The packaged table is what the script makes of the packages' figures and of the facts that were collected."""
    packages = {
        row["name"].casefold(): build_tables.Cpu(
            row["name"],
            row["base_watts"],
            row["max_watts"],
            row["threads"] if row["source"][1:] == "e" else "",
            row["source"][:1] + ("e" if row["source"][1:] == "e" else ""),
        )
        for row in ROWS
        if row["source"][0] in "ce" or row["name"].startswith("Intel Core i")
    }

    assert TABLE.read_text(encoding="utf-8") == build_tables.with_facts(packages)


def test_host_constants_lie_in_their_ranges() -> None:
    """Each fallback is inside its own range, and a busy virtual CPU takes more than an idle one."""
    c = host_constants

    assert c.IDLE_WATTS_PER_VCPU_LOW < c.IDLE_WATTS_PER_VCPU < c.IDLE_WATTS_PER_VCPU_HIGH
    assert c.MAX_WATTS_PER_VCPU_LOW < c.MAX_WATTS_PER_VCPU < c.MAX_WATTS_PER_VCPU_HIGH
    assert c.DRAM_WATTS_PER_GIGABYTE_LOW < c.DRAM_WATTS_PER_GIGABYTE < c.DRAM_WATTS_PER_GIGABYTE_HIGH
    assert c.IDLE_WATTS_PER_VCPU < c.MAX_WATTS_PER_VCPU
    assert c.IDLE_WATTS_PER_VCPU_HIGH < c.MAX_WATTS_PER_VCPU_HIGH
