"""Plain loops that end badly at a chosen place: while they start, inside of ``stop()``, inside of the last write.

A loop runs in a process of its own, forked for this, on a GPU of constant power: what it has used is its time.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.disk import Disk
from lightning_carbon.metering.engine import Engine
from lightning_carbon.settings import configure
from lightning_carbon.sources.simulated import SimulatedGPU
from lightning_carbon.wiring import assemble
from tests.benchmarks.report import Check
from tests.soak.kills import parts_in, recovered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning_carbon.records.run import RunRecord

WATTS = 100.0
STEP_SECONDS = 0.01
TRAINED_SECONDS = 0.6
STARTING_SECONDS = 0.2
"""A start takes less; what is killed later is in its first steps."""
STOPPING_SECONDS = 0.25
"""The end waits for the next jump of the counter, and writes."""
STOPPED_SECONDS = 1.5
PATIENCE_SECONDS = 60.0
MOST_LOST_SECONDS = 1.2
MOST_EXCESS_SECONDS = 0.1
TIMES = 20
STOPS = 4


class SuicidalDisk(Disk):
    """A disk at whose n-th call, from some moment on, the process is killed; a write has taken half by then.

    Args:
        at: At which call, counted from 0; ``None`` for none.
    """

    def __init__(self, at: int | None) -> None:
        super().__init__()
        self._at = at
        self._calls: int | None = None

    def arm(self) -> None:
        """Count from here."""
        self._calls = 0

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        """Open a file, or die."""
        self._call()
        return super().open(path, flags, mode)

    def write(self, file: int, data: memoryview) -> int:
        """Write, or die in the middle."""
        if self._calls is not None and self._calls == self._at:
            super().write(file, data[: len(data) // 2])
        self._call()
        return super().write(file, data)

    def sync(self, file: int) -> None:
        """Wait for the disk, or die."""
        self._call()
        super().sync(file)

    def replace(self, path: Path, other: Path) -> None:
        """Move a file, or die."""
        self._call()
        super().replace(path, other)

    def _call(self) -> None:
        if self._calls is None:
            return
        if self._calls == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
        self._calls += 1


@dataclass(frozen=True, slots=True)
class Loss:
    """What the end of a loop has cost.

    Args:
        status: How the record stands that a reader finds; ``nothing`` where there is none.
        lost_seconds: How much less it has than was used, as time; 0 where nothing had begun.
        excess_seconds: How much more it has than was used, as time.
        left: How many files that were half written are still there.
        code: How the process ended.
    """

    status: str
    lost_seconds: float
    excess_seconds: float
    left: int
    code: int


class Loop:
    """A loop in a process of its own.

    Args:
        ledger: Where it writes.
        dies_at: At which call to the disk inside of ``stop()`` it kills itself, if it does.
    """

    def __init__(self, ledger: Path, dies_at: int | None = None) -> None:
        self._ledger = ledger
        self._dies_at = dies_at
        self._told, self._tells = os.pipe()
        self._process = multiprocessing.get_context("fork").Process(target=self._run)
        self._process.start()
        os.close(self._tells)

    def wait_for(self, word: bytes) -> None:
        """Wait until it is that far: ``b"a"`` as it starts, ``b"b"`` once it has, ``b"c"`` as it stops."""
        while (said := os.read(self._told, 1)) != word:
            if not said:
                raise RuntimeError(f"the loop has ended before it said {word!r}")

    def send(self, number: signal.Signals) -> int:
        """Send it a signal; the moment, on the monotonic clock."""
        now_ns = time.monotonic_ns()
        with suppress(ProcessLookupError):
            os.kill(self._process.pid or 0, number)
        return now_ns

    def end(self, killed_ns: int | None = None) -> Loss:
        """Wait until it has ended, and see what is left.

        Args:
            killed_ns: When it was killed; by default it has ended just now.
        """
        self._process.join(PATIENCE_SECONDS)
        now_ns, now = time.monotonic_ns(), time.time()
        os.close(self._told)
        parts = parts_in(self._ledger)
        record = recovered(self._ledger)
        left = sum(1 for path in self._ledger.rglob("*.tmp"))
        code = self._process.exitcode
        if record is None or not parts:
            return Loss(_status(record), 0.0, 0.0, left, -1 if code is None else code)
        until = now - (now_ns - (killed_ns or now_ns)) / 1e9
        used_seconds = until - parts[0].header.started_at
        if record.status == "completed":
            used_seconds = record.duration_seconds
        known_seconds = (record.energy.total_joules or 0.0) / WATTS
        return Loss(
            _status(record),
            max(0.0, used_seconds - known_seconds),
            max(0.0, known_seconds - used_seconds),
            left,
            -1 if code is None else code,
        )

    def _run(self) -> None:
        log = os.open(self._ledger.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        disk = SuicidalDisk(self._dies_at)
        store = DirectoryRunStore(self._ledger, disk)
        gpu = SimulatedGPU(watts=WATTS)
        config = configure(sources=[gpu], ledger=self._ledger, interval_seconds=0.1, per_step=True)
        engine = Engine(config, lambda config: replace(assemble(config), store=store))
        os.write(self._tells, b"a")
        engine.start("train")
        os.write(self._tells, b"b")
        until = time.monotonic() + TRAINED_SECONDS
        while time.monotonic() < until:
            time.sleep(STEP_SECONDS)
            engine.step_done()
        disk.arm()
        os.write(self._tells, b"c")
        engine.stop()


def _status(record: RunRecord | None) -> str:
    return "nothing" if record is None else record.status


def _killed_at_start(folder: Path, dice: random.Random) -> Loss:
    loop = Loop(folder)
    loop.wait_for(b"a")
    time.sleep(dice.uniform(0, STARTING_SECONDS))
    return loop.end(loop.send(signal.SIGKILL))


def _killed_in_stop(folder: Path, dice: random.Random) -> Loss:
    loop = Loop(folder)
    loop.wait_for(b"c")
    time.sleep(dice.uniform(0, STOPPING_SECONDS))
    return loop.end(loop.send(signal.SIGKILL))


def _stopped_and_continued(folder: Path, dice: random.Random) -> Loss:
    loop = Loop(folder)
    loop.wait_for(b"b")
    time.sleep(dice.uniform(0, TRAINED_SECONDS / 2))
    loop.send(signal.SIGSTOP)
    time.sleep(STOPPED_SECONDS)
    loop.send(signal.SIGCONT)
    return loop.end()


def soak_loops(folder: Path, dice: random.Random, tell: Callable[[str], None]) -> list[Check]:
    """End many loops in many ways.

    Args:
        folder: For their files.
        dice: Tells the moments.
        tell: Told what is done.
    """
    checks: list[Check] = []
    for what, times, act in (
        ("kill at start", TIMES, _killed_at_start),
        ("kill in stop()", TIMES, _killed_in_stop),
        ("SIGSTOP, SIGCONT", STOPS, _stopped_and_continued),
    ):
        losses = []
        for number in range(times):
            tell(f"{what} {number + 1}/{times}")
            losses.append(act(folder / f"{what[:4]}-{what[-4]}-{number}", dice))
        checks += _checks(what, losses)
    losses, at = [], 0
    while not losses or losses[-1].code == -signal.SIGKILL:
        tell(f"kill at call {at} of the end to the disk")
        losses.append(Loop(folder / f"write-{at}", at).end())
        at += 1
    checks += _checks("kill in last write", losses)
    return checks


def _checks(what: str, losses: Sequence[Loss]) -> list[Check]:
    statuses = ", ".join(f"{sum(loss.status == status for loss in losses)} {status}" for status in _statuses(losses))
    return [
        Check(
            what,
            f"energy lost at one of {len(losses)}, worst",
            max(loss.lost_seconds for loss in losses),
            "s",
            MOST_LOST_SECONDS,
            note=statuses,
        ),
        Check(
            what,
            "energy beyond the truth, worst",
            max(loss.excess_seconds for loss in losses),
            "s",
            MOST_EXCESS_SECONDS,
        ),
        Check(what, "runs that seem to go on", sum(loss.status == "running" for loss in losses), "", 0),
        Check(what, "files left half written", sum(loss.left for loss in losses), "", 0),
    ]


def _statuses(losses: Sequence[Loss]) -> list[str]:
    return sorted({loss.status for loss in losses})
