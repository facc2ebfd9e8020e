"""Compares this tree with an earlier commit: ``python -m tests.benchmarks.compare BASE``, or ``make compare BASE=...``.

Small programs run alternately on both trees (ABBA, a process each), and real trainings in turns of some steps. What is
printed is the median of the ratios of neighbours, with a 95 % interval: a machine that is busy with something else is
busy with it for both.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests.benchmarks.compare.cost_child import PROGRAMS
from tests.benchmarks.compare.intervals import Interval, interval_of
from tests.benchmarks.compare.trainings import BLOCK_STEPS, train
from tests.benchmarks.compare.trees import HERE, checked_out, importable
from tests.benchmarks.report import PLAIN_WIDTH
from tests.benchmarks.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OLD, NEW = "base", "this tree"
FRAMEWORKS = ("lightning", "huggingface")
STARTS = {"start": 12, "calls": 6, "threads": 4, "threads-step": 4}
TRAININGS, TURNS = 3, 16

Paths = dict[str, "Sequence[Path]"]


def main() -> int:
    """Compare.

    Returns:
        1 when something costs more than before, beyond doubt and by more than is allowed; otherwise 0.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compare", description=__doc__)
    names = [*PROGRAMS, *FRAMEWORKS]
    parser.add_argument("base", metavar="BASE", help="the commit to compare with")
    parser.add_argument("--only", action="append", choices=names, help="may be said several times")
    parser.add_argument("--quick", action="store_true", help="a quarter of the repetitions, for a first impression")
    parser.add_argument(
        "--most",
        type=float,
        default=1.05,
        metavar="RATIO",
        help="what may be lost without failing; default: %(default)s",
    )
    options = parser.parse_args()
    chosen = [name for name in names if options.only is None or name in options.only]
    with TemporaryDirectory(prefix="lightning-carbon-compare-") as name, Progress(transient=True) as progress:
        folder = Path(name)
        with checked_out(options.base, folder / "tree") as base:
            paths: Paths = {
                OLD: importable(base, folder / "old"),
                NEW: importable(HERE, folder / "new"),
            }
            world = World(folder, options.quick)
            rows: list[Compared] = []
            for program in progress.track(chosen):
                compare = _trainings if program in FRAMEWORKS else _program
                found = list(compare(world, program, paths))
                _print(found, f"{program}: {NEW} beside {options.base}, median of ratios, 95 % interval")
                rows += found
    worse = [row.what for row in rows if row.is_worse(options.most)]
    print(f"costs more than {options.base}: {'; '.join(worse)}" if worse else f"nothing costs more than {options.base}")
    return 1 if worse else 0


class Compared:
    """A figure of both trees.

    Args:
        what: What was measured, with its unit.
        old: The figure of the base; ``None`` where the row compares something else.
        new: That of this tree.
        ratio: The ratio of neighbours.
        at_least: Whether more is better.
    """

    def __init__(
        self, what: str, old: float | None, new: float | None, ratio: Interval, *, at_least: bool = False
    ) -> None:
        self.what, self.old, self.new, self.ratio, self._at_least = what, old, new, ratio, at_least

    def is_worse(self, most: float) -> bool:
        """Whether it is worse by more than a ratio, and the whole interval says so that it is worse at all."""
        if self.old is None:
            return False
        if self._at_least:
            return self.ratio.value < 1 / most and self.ratio.high < 1
        return self.ratio.value > most and self.ratio.low > 1


def _program(world: World, program: str, paths: Paths) -> Iterator[Compared]:
    for path in paths.values():
        world.child("compare.cost_child", program, scenario=world.eight_gpus(), path=path)  # writes the .pyc files
    found: dict[str, dict[str, list[float]]] = {OLD: defaultdict(list), NEW: defaultdict(list)}
    for pair in range(max(2, STARTS[program] // (4 if world.quick else 1))):
        for tree in (OLD, NEW)[:: -1 if pair % 2 else 1]:
            answer = world.child("compare.cost_child", program, scenario=world.eight_gpus(), path=paths[tree])
            for what, value in answer.items():
                if isinstance(value, int | float):
                    found[tree][what].append(value)
    for what, old in found[OLD].items():
        new = found[NEW][what]
        ratios = [[after / before] for before, after in zip(old, new, strict=True)]
        yield Compared(what, median(old), median(new), interval_of(ratios))


def _trainings(world: World, framework: str, paths: Paths) -> Iterator[Compared]:
    count = 1 if world.quick else TRAININGS
    starts = [train(world, framework, paths, TURNS // (2 if world.quick else 1)) for _ in range(count)]
    step_ms = median([block[0] for start in starts for block in start["plain"]]) / BLOCK_STEPS * 1e3
    for index, clock in enumerate(("by the clock", "by CPU")):

        def ratios(over: str, under: str, index: int = index) -> Interval:
            return interval_of(
                [[a[index] / b[index] for a, b in zip(start[over], start[under], strict=True)] for start in starts]
            )

        what = f"{framework}, steps of {step_ms:.1f} ms, a row every {BLOCK_STEPS}: throughput {clock}"
        yield Compared(f"{what}, {NEW} to {OLD}", 1, None, ratios(OLD, NEW), at_least=True)
        for tree in paths:
            yield Compared(f"{what}, {tree} to no meter", None, None, ratios("plain", tree), at_least=True)
    extra = {
        tree: [
            [(on[1] - off[1]) / BLOCK_STEPS * 1e6 for on, off in zip(start[tree], start["plain"], strict=True)]
            for start in starts
        ]
        for tree in paths
    }
    for tree, starts_of in extra.items():
        what = f"{framework}: CPU a step beyond that without a meter, µs, {tree}"
        yield Compared(what, None, None, interval_of(starts_of))


def _print(rows: Sequence[Compared], title: str) -> None:
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for column in (OLD, NEW, "ratio", "95 % interval"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        figures = ["" if value is None else f"{value:.4g}" for value in (row.old, row.new)]
        figures = figures if row.new is not None else ["", ""]
        digits = ".3f" if abs(row.ratio.value) < 10 else ".1f"
        shown = (format(value, digits) for value in (row.ratio.value, row.ratio.low, row.ratio.high))
        value, low, high = shown
        table.add_row(row.what, *figures, value, f"{low} to {high}")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
