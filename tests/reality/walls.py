"""Machines at their plugs, whose walls were read by others: which of them lie inside the meter's 90 % interval.

[Fischer] R. Fischer et al., Ground-Truthing AI Energy Consumption, 2025 (arXiv 2509.22092): 318 runs of inference on a
desktop with an i9-13900K and an RTX 4090, each with what sensors add up to (RAPL, NVML, a model of the memory) and the
count of a plug's meter before and after, in whole Wh. Their repository has no licence, so nothing of it is kept here:
``LIGHTNING_CARBON_WALLS`` names a checkout of https://github.com/raphischer/ai-energy-validation.

All runs were made twice, on two days. Whatever is fitted is fitted to the first day, and held against the second.

[MLPerf] Power of nodes during MLPerf Training v4.0 to v5.0, from ``measured_trainings.csv``. Of these the wall alone is
known, so the chips are put at what GPUs are rated for, as a model that is right within half.
"""

from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass, replace
from math import hypot, sqrt
from pathlib import Path
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

import lightning_carbon.estimate
from lightning_carbon.carbon.calibration import WallStretch, calibrated
from lightning_carbon.estimate.accelerators import find_accelerator
from lightning_carbon.grid.machines import DESKTOP, MACHINES, SERVER_8_GPU_AIR, SERVER_8_GPU_LIQUID
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import Status
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, JOULES_PER_WATT_HOUR, MICROJOULES_PER_JOULE
from tests.marked import with_part
from tests.unit.records.parts import domain, part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lightning_carbon.carbon.rest import RestModel

VARIABLE: Final = "LIGHTNING_CARBON_WALLS"
RESULTS: Final = Path(__file__).with_name("walls.json")
BEGIN: Final = "<!-- walls: written by make reality -->\n"
END: Final = "<!-- end of walls -->\n"
SENSORS: Final = 0.10
"""The stated range of RAPL's package, and about that of an RTX 4090."""
RATED: Final = 0.50
"""The stated range of a modelled GPU."""
COUNT_WH: Final = 1.0
"""The least that the plug's meter tells."""
SHOWN_90: Final = 1 - sqrt(0.1)
"""The half width that holds 90 % of what a difference of two counts is off: both are cut to a count, each uniform, so
the difference is triangular between a count less and a count more."""
FEW: Final = 3
"""How many runs a user calibrates with: one of each kind."""
TRIES: Final = 5
"""How often so few are drawn, since three runs are of one luck."""
SEED: Final = 2019
_SECONDS: Final = 3_600
_TRAININGS: Final = Path(lightning_carbon.estimate.__file__).with_name("data") / "measured_trainings.csv"


@dataclass(frozen=True, slots=True)
class Wall:
    """A run whose wall was read.

    Args:
        what: What ran, for a row of the table.
        day: The first or the second time that all runs were made.
        seconds: How long it took.
        chips_watts: The mean power that sensors add up to, or that is modelled.
        wall_watts: The mean power at the plug.
    """

    what: str
    day: int
    seconds: float
    chips_watts: float
    wall_watts: float


def folder() -> Path | None:
    """The results of the checkout; ``None`` where there is none."""
    named = os.environ.get(VARIABLE)
    results = Path(named) / "results" if named else None
    return results if results is not None and results.is_dir() else None


def walls(results: Path) -> Iterator[Wall]:
    """Every run of [Fischer] that ended, with both of its pictures of the meter.

    Args:
        results: The folder of their results.
    """
    days: dict[str, int] = {}
    for pictures in sorted(results.glob("*_image_analysis.csv")):
        application = pictures.name.partition("_")[0]
        days[application] = days.get(application, 0) + 1
        counts: dict[str, dict[str, float]] = {}
        for row in _rows(pictures):
            run, _, moment = re.split(r"[\\/]", row[""])[-1].partition("_capture_")
            counts.setdefault(run, {})["start" if moment.startswith("start") else "stop"] = float(row["value"])
        for row in _rows(pictures.with_name(pictures.name.replace("_image_analysis", ""))):
            count = counts.get(row["run_id"], {})
            if {"start", "stop"} <= count.keys() and row["metrics.power_draw_total"]:
                seconds = float(row["metrics.running_time_total"])
                where = "GPU" if "NVIDIA" in row["params.architecture"] else "processor"
                yield Wall(
                    f"{'vision' if application == 'imagenet' else 'language'} on the {where}",
                    days[application],
                    seconds,
                    float(row["metrics.power_draw_total"]) / seconds,
                    (count["stop"] - count["start"]) * JOULES_PER_KILOWATT_HOUR / seconds,
                )


def results_of(runs: Sequence[Wall]) -> list[dict[str, Any]]:
    """What is inside, by kind of run: by the class of machine, and calibrated with runs of the first day.

    Args:
        runs: All runs of [Fischer].
    """
    desktop = MACHINES[DESKTOP]
    first = [run for run in runs if run.day == 1]
    kinds = {run.what: [of for of in first if of.what == run.what] for run in first}
    draw = Random(SEED).choice
    few = [_calibrated([draw(alike) for alike in kinds.values()]) for _ in range(TRIES)]
    whole = _calibrated(first)
    others = {kind: _calibrated(run for run in first if run.what != kind) for kind in kinds}
    second = [run for run in runs if run.day > 1]
    return [
        *_by_kind("desktop, by its class", ((run, desktop) for run in runs)),
        *_by_kind(f"desktop, calibrated with {FEW} runs", ((run, model) for model in few for run in second)),
        *_by_kind(f"desktop, calibrated with {len(first)} runs", ((run, whole) for run in second)),
        *_by_kind("desktop, calibrated with other loads", ((run, others[run.what]) for run in second)),
        *servers(),
    ]


def load_share(runs: Sequence[Wall]) -> float:
    """How much the share of a kind of load differs from what a line by the other kinds says, in the mean.

    That is the standard deviation that a calibration gives to the share of the next load (``LOAD_SHARE``).

    Args:
        runs: All runs of [Fischer], of which the first day's count.
    """
    first = [run for run in runs if run.day == 1]
    squares = []
    for kind in {run.what for run in first}:
        line = _calibrated(run for run in first if run.what != kind)
        held = [run for run in first if run.what == kind]
        off = sum(
            run.chips_watts * (run.wall_watts - run.chips_watts * (1 + line.share) - line.constant_watts)
            for run in held
        )
        squares.append((off / sum(run.chips_watts**2 for run in held)) ** 2)
    return sqrt(fmean(squares))


def servers() -> list[dict[str, Any]]:
    """What is inside of [MLPerf], where nothing but the wall is known."""
    found: dict[str, list[Wall]] = {}
    lines = (line for line in _TRAININGS.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    for row in csv.DictReader(lines):
        if row["boundary"] == "machine" and row["source"].startswith("MLPerf"):
            liquid = "Sustainable Metal Cloud" in row["source"]
            rated = find_accelerator(row["accelerator"]).power_watts or 0.0
            wall = Wall(f"8 {row['accelerator']}", 1, _SECONDS, 8 * rated, 8 * float(row["watts"]))
            found.setdefault(SERVER_8_GPU_LIQUID if liquid else SERVER_8_GPU_AIR, []).append(wall)
    return [
        measured
        for machine, runs in found.items()
        for measured in _by_kind(
            f"{machine}, chips at their rating", ((run, MACHINES[machine]) for run in runs), ratio=RATED
        )
    ]


def _by_kind(how: str, runs: Iterable[tuple[Wall, RestModel]], *, ratio: float = SENSORS) -> Iterator[dict[str, Any]]:
    kinds: dict[str, list[tuple[Wall, RestModel]]] = {}
    for run, model in runs:
        kinds.setdefault(run.what, []).append((run, model))
    for kind, alike in kinds.items():
        inside = bounds = shown = 0
        halves = []
        for run, model in alike:
            record = record_of([_read(run, model, ratio)])
            assert record.machine is not None
            assert record.machine.interval is not None
            joules, wall = record.machine.joules, run.wall_watts * run.seconds
            low, high = record.machine.interval.low, record.machine.interval.high
            count = SHOWN_90 * COUNT_WH * JOULES_PER_WATT_HOUR
            inside += low <= wall <= high
            shown += joules - hypot(joules - low, count) <= wall <= joules + hypot(high - joules, count)
            bounds += record.machine.low_joules <= wall <= record.machine.high_joules
            halves.append((high - low) / 2 / joules)
        yield {
            "machine": how,
            "kind": kind,
            "runs": len(alike),
            "inside": inside,
            "shown": shown if ratio == SENSORS else None,
            "in_bounds": bounds,
            "half_width": round(fmean(halves), 4),
            "widest": round(max(halves), 4),
        }


def _read(run: Wall, model: RestModel, ratio: float) -> Any:  # noqa: ANN401 - a rank's part, as the journal has it
    """What a journal would hold of a run."""
    provenance = "counter" if ratio == SENSORS else "modelled"
    chips = replace(domain("package:0", provenance=provenance), uncertainty_ratio=ratio)
    seconds = max(1, round(run.seconds))
    joules = run.chips_watts * run.seconds
    written = part(0, {chips: round(joules * MICROJOULES_PER_JOULE)}, seconds=seconds, status=Status.COMPLETED)
    return replace(written, header=replace(written.header, rest=model))


def _calibrated(runs: Iterable[Wall]) -> RestModel:
    stretches = (
        WallStretch(
            run.chips_watts,
            run.chips_watts * (1 - SENSORS),
            run.chips_watts * (1 + SENSORS),
            run.wall_watts,
            COUNT_WH * JOULES_PER_WATT_HOUR / run.seconds,
        )
        for run in runs
    )
    return calibrated(stretches, MACHINES[DESKTOP], date="2025-09-12")


def table_of(results: Iterable[dict[str, Any]]) -> str:
    """The share of walls inside, as a table in Markdown.

    Args:
        results: What ``walls.json`` holds.
    """
    head = ["machine", "runs of", "runs", "strictly inside", "as shown", "in the bounds", "half width", "widest"]
    known = list(results)
    rows = [
        [
            row["machine"],
            row["kind"],
            str(row["runs"]),
            f"{100 * row['inside'] / row['runs']:.0f} %",
            "" if row["shown"] is None else f"{100 * row['shown'] / row['runs']:.0f} %",
            f"{100 * row['in_bounds'] / row['runs']:.0f} %",
            f"±{100 * row['half_width']:.0f} %",
            f"±{100 * row['widest']:.0f} %",
        ]
        for row in known
    ]
    lines = [head, ["---", "---", *["---:"] * 6], *rows]
    totals: dict[str, list[int]] = {}
    for row in known:
        machine = totals.setdefault(f"of the {row['machine']}", [0, 0, 0])
        shown = row["inside"] if row["shown"] is None else row["shown"]
        for place, count in enumerate((row["runs"], row["inside"], shown)):
            machine[place] += count
    shares = "; ".join(
        f"{inside:,} of {runs:,} ({100 * inside / runs:.0f} %, as shown {100 * shown / runs:.0f} %) {name}"
        for name, (runs, inside, shown) in totals.items()
    )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + f"\n\nStrictly inside are {shares}."


def with_table(page: str, results: Iterable[dict[str, Any]]) -> str:
    """A page with the table between its marks.

    Args:
        page: The text of the page.
        results: What ``walls.json`` holds.
    """
    return with_part(page, BEGIN, END, text=table_of(results))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)
