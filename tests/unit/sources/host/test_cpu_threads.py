"""Threads of processors from public collections: what most reports agree on, or nothing."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from lightning_carbon.sources.host.cpu_table import plain_name
from tests.unit.sources.host.test_cpu_table import ROWS
from tools import build_tables, build_threads

LSCPU = """\
CPU(s):                          48
Thread(s) per core:              2
Core(s) per socket:              12
Socket(s):                       2
Model name:                      Intel(R) Xeon(R) CPU E5-2690 v3 @ 2.60GHz
"""
DMI = """\
Handle 0x0001, DMI type 1, 27 bytes
System Information
\tManufacturer: {maker}
\tProduct Name: PowerEdge R730

Handle 0x0400, DMI type 4, 48 bytes
Processor Information
\tSocket Designation: CPU1
\tVersion: Intel(R) Xeon(R) CPU E5-2690 v3 @ 2.60GHz
\tCore Count: 12
\tThread Count: 24
"""
TEMPLATE = """\
structure template hardware/cpu/intel/xeon_gold_6254;
"model" = "Intel(R) Xeon(R) Gold 6254 CPU @ 3.10 GHz";
"cores" = 18;
"max_threads" = 36;
"""
XEON = "intel xeon e5-2690 v3"


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        (build_threads.by_lscpu([LSCPU, LSCPU]), {XEON: Counter({24: 2})}),
        (build_threads.by_lscpu([LSCPU + "Hypervisor vendor: KVM\n", "", "CPU(s): 3\nSocket(s): 2\n"]), {}),
        (build_threads.by_dmi([DMI.format(maker="Dell Inc.")]), {XEON: Counter({24: 1})}),
        (build_threads.by_dmi([DMI.format(maker="QEMU"), "System Information\n"]), {}),
        (
            build_threads.by_quattor([TEMPLATE, TEMPLATE.replace("Gold 6254", "Phi 7250"), ""]),
            {"intel xeon gold 6254": Counter({36: 1})},
        ),
        (
            build_threads.by_amd('"Name","# of Threads"\n"AMD Ryzen™ 9 7950X","32"\n"AMD Athlon™",""\n'),
            {"amd ryzen 9 7950x": Counter({32: 1})},
        ),
    ],
)
def test_each_collection_is_read_in_its_own_form(
    reports: build_threads.Reports, expected: build_threads.Reports
) -> None:
    """Sockets divide processors, guests do not count, and what names no model or no number is passed over."""
    assert expected == reports


@pytest.mark.parametrize(
    ("by_system", "by_firmware", "expected"),
    [
        ({8: 1}, {8: 1}, {"a b1": 8}),
        ({8: 9, 4: 1}, {}, {"a b1": 8}),
        ({8: 1}, {}, {}),
        ({8: 3, 4: 1}, {8: 9}, {}),
        ({8: 9}, {4: 9}, {}),
    ],
)
def test_reports_count_where_enough_of_them_agree(
    by_system: dict[int, int], by_firmware: dict[int, int], expected: dict[str, int]
) -> None:
    """One report is none, a fifth of others is too many, and so are two collections that differ."""
    reports = [{"a b1": Counter(counts)} for counts in (by_system, by_firmware) if counts]

    assert expected == build_threads.seen(*reports)


def test_a_model_is_left_out_where_collections_differ() -> None:
    """Those that agree are all named, and a list with two numbers for a model has none."""
    text = build_threads.collected({"h": {"a b1": 8, "a b2": 8}, "q": {"a b1": 8, "a b2": 4}, "a": {"a b3": 2}})

    assert "name,threads,source\na b1,8,hq\na b3,2,a\n" == text.removeprefix(build_threads.HEADER)
    assert {"a b1": 8} == build_threads.stated({"a b1": Counter({8: 2}), "a b2": Counter({8: 1, 4: 1})})


def test_the_collected_threads_are_those_of_other_sources() -> None:
    """Where SPECpower, Green Algorithms or a machine that is rented whole say something, they say the same."""
    with build_tables.COLLECTED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    collected = {row["name"]: row["threads"] for row in rows}
    stated = {row["name"].casefold(): row["threads"] for row in build_tables.lines_of(build_tables.THREADS)}

    assert len(rows) == len(collected)
    assert [row["name"] for row in rows if plain_name(row["name"]) != row["name"] or not row["threads"].isdigit()] == []
    assert len(collected.keys() & stated.keys()) > 100
    assert {} == {name: collected[name] for name in collected.keys() & stated.keys() if collected[name] != stated[name]}


def test_most_processors_of_servers_have_their_threads() -> None:
    """Those of virtual machines, whose own count says nothing of the socket's."""
    servers = [row for row in ROWS if row["name"].startswith(("AMD EPYC", "Intel Xeon"))]

    assert sum(bool(row["threads"]) for row in ROWS) > 0.6 * len(ROWS)
    assert sum(bool(row["threads"]) for row in servers) > 0.7 * len(servers)
