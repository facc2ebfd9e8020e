"""How long it takes to make one record of many ranks, and to read a ledger of many runs."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.records.mapping import to_mapping
from tests.benchmarks.report import Check
from tests.developments import JOBS, PROJECT
from tests.developments import write as write_development
from tests.integration.ledger.support import GONE, Reader, write
from tests.unit.records.parts import domain, part
from tests.unit.records.samples import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import World

_GPUS_A_HOST = 8


def ledger(world: World) -> Iterator[Check]:
    """One run of 4,096 ranks on 512 hosts recovered, 4,789 runs listed, and as many added up as a development."""
    ranks = 256 if world.quick else 4_096
    root = world.folder / "merging"
    shared = {domain("package:0"): 500_000, domain("dram:0", parent="package:0"): 1_000}
    write(
        root,
        *(
            part(
                rank,
                {domain(f"gpu:{rank % _GPUS_A_HOST}"): 1_000_000 + rank, **shared},
                world=ranks,
                host=f"node-{rank // _GPUS_A_HOST}",
                pid=GONE,
                steps=100,
            )
            for rank in range(ranks)
        ),
    )
    began = time.perf_counter()
    (found,) = Reader(root).ledger.runs()
    seconds = time.perf_counter() - began
    what = f"from the journals of {ranks:,} ranks to one record, written"
    yield Check("ledger", what, seconds, "s", 10, note=f"{len(found.energy.domains):,} domains")
    truth = sum(1_000_000 + rank for rank in range(ranks)) + ranks // _GPUS_A_HOST * 500_000
    error = abs(round((found.energy.total_joules or 0) * 1e6) - truth)
    yield Check("ledger", "the total of that record against the truth", error, "µJ", 0)

    runs = 500 if world.quick else 4_789
    root = world.folder / "listing"
    store = DirectoryRunStore(root)
    for number in range(runs):
        store.save(to_mapping(replace(FULL, run_id=f"20261121T101112Z-{number:08x}")))
    began = time.perf_counter()
    count = sum(1 for _ in Reader(root).ledger.runs())
    milliseconds = (time.perf_counter() - began) * 1e3 / count
    yield Check("ledger", f"reading a run, of {count:,} that have ended", milliseconds, "ms", 1)

    root = world.folder / "development"
    write_development(root)
    words = ["study", "development", "--project", PROJECT, "--ledger", str(root)]
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lightning_carbon", *words], check=True, capture_output=True)
    seconds = time.perf_counter() - began
    what = f"study development: {JOBS:,} runs read, added up and printed"
    yield Check("ledger", what, seconds, "s", 2, note="the whole command")
