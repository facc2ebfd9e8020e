"""Measures accuracy and overhead against the targets: ``python -m tests.benchmarks [--only NAME] [--quick]``."""

from __future__ import annotations

import argparse
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.progress import Progress

from tests.benchmarks import (
    accuracy,
    comparing,
    ending,
    forecasting,
    ledger,
    many_runs,
    memory,
    modules,
    overhead,
    ranks,
    starting,
    training,
    wasting,
)
from tests.benchmarks.peers import costs, ends, packages, trainings, truth
from tests.benchmarks.peers.arena import PEERS_PYTHON, Arena
from tests.benchmarks.peers.rows import print_rows, write_rows
from tests.benchmarks.report import Check, machine, print_table, write_json
from tests.benchmarks.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.peers.rows import Row

BENCHES: dict[str, Callable[[World], Iterator[Check]]] = {
    "import": starting.importing,
    "start": starting.starting,
    "step_done": overhead.step_done,
    "sampler": overhead.sampler,
    "ranks": ranks.rows,
    "accuracy-continuous": accuracy.continuous,
    "accuracy-ticking": accuracy.ticking,
    "accuracy-power": accuracy.integrated,
    "hooks": training.hooks,
    "lightning": training.lightning,
    "huggingface": training.huggingface,
    "memory": memory.memory,
    "week": memory.week,
    "ledger": ledger.ledger,
    "many-runs": many_runs.many_runs,
    "ending": ending.ending,
    "forecast": forecasting.forecasts,
    "waste": wasting.waste,
    "modules": modules.modules,
    "compare": comparing.comparisons,
}
PEER_BENCHES: dict[str, Callable[[Arena], Iterator[Row]]] = {
    "peers-start": costs.start,
    "peers-step": costs.step,
    "peers-sampler": costs.sampler,
    "peers-traces": costs.traces,
    "peers-totals": truth.totals,
    "peers-steps": truth.steps,
    "peers-packages": packages.totals,
    "peers-packages-steps": packages.steps,
    "peers-kill": ends.kills,
    "peers-ranks": ends.ranks,
    "peers-lightning": trainings.lightning,
    "peers-huggingface": trainings.huggingface,
}
DEFAULT_JSON = Path("build/benchmarks.json")
PEERS_JSON = "peers.json"


def main() -> int:
    """Run what was asked for.

    Returns:
        1 when a target was missed, otherwise 0.
    """
    names = [*BENCHES, *PEER_BENCHES]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="NAME", help=f"one of these, or the start of some: {', '.join(names)}"
    )
    parser.add_argument("--json", type=Path, default=DEFAULT_JSON, metavar="PATH", help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a first impression")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="of the random phases")
    options = parser.parse_args()
    chosen = [name for name in names if options.only is None or name.startswith(tuple(options.only))]
    if not chosen:
        parser.error(f"--only {' '.join(options.only)} names none of {', '.join(names)}")
    if not PEERS_PYTHON.exists() and set(chosen) & set(PEER_BENCHES):
        chosen = [name for name in chosen if name in BENCHES]
        if not chosen:
            parser.error(f"there is no {PEERS_PYTHON}: `make peers` installs what we are compared with")
        print(f"nothing is compared with other tools: there is no {PEERS_PYTHON}; `make peers` makes it")

    began = time.monotonic()
    checks: list[Check] = []
    rows: list[Row] = []
    with TemporaryDirectory(prefix="lightning-carbon-benchmarks-") as folder, Progress(transient=True) as progress:
        world = World(Path(folder), options.quick, random.Random(options.seed))
        arena = Arena(world)
        task = progress.add_task("", total=len(chosen))
        for name in chosen:
            progress.update(task, description=name)
            if name in BENCHES:
                checks += BENCHES[name](world)
            else:
                rows += PEER_BENCHES[name](arena)
            progress.advance(task)
    seconds = time.monotonic() - began
    checks += [check for row in rows for check in row.checks()]
    if rows:
        print_rows(rows)
        write_rows(
            options.json.with_name(PEERS_JSON),
            rows,
            date=datetime.now(UTC).date().isoformat(),
            seconds=round(seconds),
            quick=options.quick,
            seed=options.seed,
            benches=[name for name in chosen if name in PEER_BENCHES],
            versions=arena.versions(),
            machine=machine(),
        )
    print_table(checks, f"lightning-carbon, measured in {seconds:.0f} s (phases from --seed {options.seed})")
    write_json(options.json, checks, seconds=seconds)
    missed = sum(check.ok is False for check in checks)
    print(f"{missed} missed; written to {options.json}" if missed else f"all reached; written to {options.json}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
