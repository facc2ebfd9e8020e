"""Kills trainings at random moments and tells what that cost: ``python -m tests.soak [--kills N] [--seed N]``."""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import sys
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.benchmarks.report import Check, machine, print_table
from tests.soak.full_disks import soak_full_disks
from tests.soak.loops import soak_loops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.soak.kills import Aim, Kill

DEFAULT_JSON = Path("build/soak.json")
KILLS = 60
GENTLE = 4
"""So many trainings besides are told to end, by SIGTERM and by SIGINT."""
LONGEST_SECONDS = 4.0
"""Kills fall anywhere in the first seconds of a run; what comes later is more of the same."""
MOST_LOST_SECONDS = 1.2
MOST_EXCESS_SECONDS = 0.1
"""One jump of the counters: the first after the start may have counted from before it, where a busy start kept the
sampler from learning when they jump."""


def main() -> int:
    """Kill, and tell.

    Returns:
        1 when a target was missed, otherwise 0.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, metavar="N", help="default: %(default)s")
    parser.add_argument("--json", type=Path, default=DEFAULT_JSON, metavar="PATH", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="of the random moments")
    options = parser.parse_args()

    began = time.monotonic()
    dice = random.Random(options.seed)
    with TemporaryDirectory(prefix="lightning-carbon-soak-") as folder:
        loops = soak_loops(Path(folder), dice, _show)
    loops += soak_full_disks()
    kills = _kill_many(options.kills, dice)
    seconds = time.monotonic() - began
    checks = [*loops, *_checks(kills)]
    title = f"{len(kills)} trainings, and loops, ended in {seconds:.0f} s (moments from --seed {options.seed})"
    print_table(checks, title)
    mapping = {
        "machine": machine(),
        "seconds": round(seconds, 1),
        "seed": options.seed,
        "missed": sum(check.ok is False for check in checks),
        "checks": [{**asdict(check), "ok": check.ok} for check in checks],
        "kills": [asdict(kill) for kill in kills],
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(mapping, indent=2) + "\n", encoding="utf-8")
    print(f"{mapping['missed']} missed; written to {options.json}")
    return 1 if mapping["missed"] else 0


def _kill_many(count: int, dice: random.Random) -> list[Kill]:
    # Before torch is there: forks of a process with threads in it may wait for ever.
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", HF_HUB_OFFLINE="1")
    from tests.soak.kills import kill
    from tests.soak.trainings import training

    plans = [(signal.SIGKILL, number) for number in range(count)]
    plans += [(ending, number) for number in range(GENTLE) for ending in (signal.SIGTERM, signal.SIGINT)]
    kills = []
    with TemporaryDirectory(prefix="lightning-carbon-soak-") as folder:
        for place, (with_signal, number) in enumerate(plans):
            what = training(
                "lightning" if number % 2 else "huggingface", 1 + number // 2 % 2, Path(folder) / str(place)
            )
            # Of two ranks, every third time one dies alone.
            alone = with_signal is signal.SIGKILL and len(what.gpus) > 1 and dice.random() < 1 / 3
            aim: Aim = "one" if alone else "all"
            moment = dice.uniform(0, LONGEST_SECONDS)
            kills.append(kill(what, moment, aim, dice.randrange(len(what.gpus)), with_signal))
            _tell(place + 1, len(plans), kills[-1])
    return kills


def _show(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r{text:60}", end="", flush=True)


def _tell(number: int, count: int, kill: Kill) -> None:
    if sys.stdout.isatty():
        print(f"\r{number}/{count} {kill.framework} {kill.signal} {kill.lost_seconds:.2f} s ", end="", flush=True)
        if number == count:
            print("\r", end="")


def _checks(kills: Sequence[Kill]) -> list[Check]:
    checks = []
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        ended = [kill for kill in kills if kill.signal == number.name]
        for framework, ranks in sorted({(kill.framework, kill.ranks) for kill in ended}):
            group = [kill for kill in ended if (kill.framework, kill.ranks) == (framework, ranks)]
            lost = [kill.lost_seconds for kill in group]
            what = f"{framework}, {ranks} rank{'s' if ranks > 1 else ''}: energy lost at one of {len(group)}"
            statuses = ", ".join(sorted({kill.status for kill in group}))
            note = f"{max(kill.lost_joules for kill in group):.0f} J at worst; {statuses}"
            checks += [
                Check(number.name, f"{what}, median", statistics.median(lost), "s"),
                Check(number.name, f"{what}, worst", max(lost), "s", MOST_LOST_SECONDS, note=note),
            ]
    excess = max(kill.excess_seconds for kill in kills)
    checks.append(Check("all", "energy beyond the truth, worst", excess, "s", MOST_EXCESS_SECONDS))
    running = sum(kill.status == "running" for kill in kills)
    checks.append(Check("all", "runs that a reader takes to be going on", running, "", 0))
    return checks


if __name__ == "__main__":
    sys.exit(main())
