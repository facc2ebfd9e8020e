"""The development of one model as a ledger has it: 4,789 runs over 172 days that total the figures of the 2019 study.

Nothing of it was measured: lengths, powers and failures are drawn at random and then brought to the published totals,
which are 239,942 GPU-hours in all, 2,880 in the last sweep of 24 runs and 120 in each of those, at a mean of 216.96 W.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.ledger.directory import RECORD_FILE
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.run import (
    SCHEMA,
    CarbonRecord,
    DomainRecord,
    EnergyRecord,
    RankRecord,
    RunRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = "lisa"
JOBS = 4_789
DAYS = 172
GPU_HOURS = 239_942
WATTS = 216.96
SEARCHES = 123
LAST_SWEEP = 24
HOURS_OF_THE_LAST = 120
FIRST = datetime(2018, 8, 1, tzinfo=UTC)

_SECONDS_PER_HOUR = 3_600
_SECONDS_PER_DAY = 86_400
_LEAST_SECONDS, _MOST_SECONDS = 180, 9 * _SECONDS_PER_DAY
_GPU_SHARE = 0.9
_UNCERTAINTY = 0.05

GRID = Intensity(384.4, 383.8, 394.7, "Ember via Our World in Data", 2025, "life-cycle, generation", "USA", False)  # noqa: FBT003 - not assumed
SITE = PowerUsage(1.54, 1.0, 2.19, "Uptime Institute, Global Data Center Survey 2025", assumed=True)


@dataclass(frozen=True)
class Drawn:
    """One run as it was drawn.

    Args:
        name: Its name.
        gpus: How many GPUs it had.
        seconds: How long it took.
        microjoules: Its energy.
        start_seconds: When it began, since the beginning of it all.
        status: How it ended.
    """

    name: str
    gpus: int
    seconds: int
    microjoules: int
    start_seconds: int
    status: str


def write(root: Path, seed: int = 2_019) -> None:
    """Leave the ledger in a folder.

    Args:
        root: The folder of all runs.
        seed: Of what is drawn.
    """
    for record in records(seed):
        folder = root / record.project / record.run_id
        folder.mkdir(parents=True)
        (folder / RECORD_FILE).write_text(json.dumps(to_mapping(record), indent=2), encoding="utf-8")


def records(seed: int = 2_019) -> Iterator[RunRecord]:
    """Every run, in no order."""
    for number, run in enumerate(drawn(random.Random(seed))):
        yield record_of(run, number)


def drawn(random: random.Random) -> list[Drawn]:
    """Every run of the development, whose totals are the study's."""
    earlier = JOBS - LAST_SWEEP
    gpus = [random.choices((1, 2, 4), (8, 1, 1))[0] for _ in range(earlier)]
    gpu_seconds = (GPU_HOURS - LAST_SWEEP * HOURS_OF_THE_LAST) * _SECONDS_PER_HOUR
    seconds = _lengths(random, gpus, gpu_seconds)
    watts = [WATTS * random.uniform(0.8, 1.2) for _ in range(earlier)]
    ideal = [power * count * length * 1e6 for power, count, length in zip(watts, gpus, seconds, strict=True)]
    total = round(WATTS * 1e6) * gpu_seconds
    scale = total / sum(ideal)
    microjoules = [round(part * scale) for part in ideal]
    microjoules[-1] += total - sum(microjoules)
    runs = [
        Drawn(
            f"search-{place % (SEARCHES - 1):03}-trial-{place // (SEARCHES - 1):02}",
            count,
            length,
            energy,
            random.randint(0, DAYS * _SECONDS_PER_DAY - length) if place else 0,
            random.choices(("completed", "failed", "interrupted"), (88, 9, 3))[0],
        )
        for place, (count, length, energy) in enumerate(zip(gpus, seconds, microjoules, strict=True))
    ]
    length = HOURS_OF_THE_LAST * _SECONDS_PER_HOUR
    energy = round(WATTS * 1e6) * length
    start = DAYS * _SECONDS_PER_DAY - length
    ends = [Drawn(f"final-{seed:02}", 1, length, energy, start, "completed") for seed in range(1, LAST_SWEEP + 1)]
    return runs + ends


def _lengths(random: random.Random, gpus: list[int], gpu_seconds: int) -> list[int]:
    """Lengths between three minutes and nine days that add up, each times its GPUs, to so many seconds."""
    shapes = [random.lognormvariate(0, 1.2) for _ in gpus]
    low, high = 0.0, 1e9
    lengths, reached = list[int](), 0
    for _ in range(100):
        scale = (low + high) / 2
        lengths = [round(min(_MOST_SECONDS, max(_LEAST_SECONDS, shape * scale))) for shape in shapes]
        reached = sum(count * length for count, length in zip(gpus, lengths, strict=True))
        low, high = (scale, high) if reached < gpu_seconds else (low, scale)
    rest = gpu_seconds - reached
    for place, (count, length) in enumerate(zip(gpus, lengths, strict=True)):
        if count == 1 and _LEAST_SECONDS <= length + rest <= _MOST_SECONDS:
            lengths[place] += rest
            return lengths
    raise AssertionError("no run can take what is left over")


def record_of(run: Drawn, number: int) -> RunRecord:
    """The record of a run."""
    start = FIRST + timedelta(seconds=run.start_seconds)
    end = start + timedelta(seconds=run.seconds)
    joules = run.microjoules / 1e6
    gpu_joules = round(joules * _GPU_SHARE / run.gpus, 6)
    ids = [f"gpu:GPU-{number}-{place}" for place in range(run.gpus)]
    domains = (
        *(
            DomainRecord(uuid, "gpu", "Tesla P100-PCIE-16GB", gpu_joules, "counter", 1.0, _UNCERTAINTY, "NVML")
            for uuid in ids
        ),
        DomainRecord(
            "package:0", "package", "Xeon", joules - run.gpus * gpu_joules, "counter", 1.0, _UNCERTAINTY, "RAPL"
        ),
    )
    low, high = joules * (1 - _UNCERTAINTY), joules * (1 + _UNCERTAINTY)
    kwh = joules / 3.6e6
    return RunRecord(
        schema=SCHEMA,
        run_id=f"{start:%Y%m%dT%H%M%SZ}-{number:08x}",
        project=PROJECT,
        run_name=run.name,
        status=run.status,
        started_at=f"{start:%Y-%m-%dT%H:%M:%SZ}",
        ended_at=f"{end:%Y-%m-%dT%H:%M:%SZ}",
        duration_seconds=float(run.seconds),
        steps=run.seconds,
        samples=None,
        tokens=None,
        phase_seconds={"train": float(run.seconds)},
        step_joules=joules,
        host={"name": "node-0"},
        energy=EnergyRecord(joules, joules, 0.0, low, high, 1.0, domains, {"train": joules}),
        carbon=CarbonRecord(
            kwh * SITE.value * GRID.value,
            kwh * (1 - _UNCERTAINTY) * SITE.low * GRID.low,
            kwh * (1 + _UNCERTAINTY) * SITE.high * GRID.high,
            GRID,
            SITE,
        ),
        ranks=(
            RankRecord(
                0,
                "node-0",
                [domain.id for domain in domains],
                joules,
                joules / run.seconds if run.seconds else None,
                run.seconds,
                run.seconds,
                run.status,
            ),
        ),
    )
