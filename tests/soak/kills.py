"""Kills trainings, and compares what the ledger has of them with the truth."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.journals import parts_of
from lightning_carbon.ledger.query import Ledger
from lightning_carbon.ledger.recovery import Observer, is_process_there
from lightning_carbon.sources.launchers import host_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkProcess
    from pathlib import Path

    from lightning_carbon.records.journal import RankPart
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.sources.simulated import SimulatedGPU
    from tests.soak.trainings import Training

Aim = Literal["all", "one"]
"""Whether every process is killed at once, as with a node, or one rank alone."""

START_SECONDS = 120.0
END_SECONDS = 15.0
_NS = 1_000_000_000
_LATER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Kill:
    """What a kill has cost.

    Args:
        framework: Whose trainer was killed.
        ranks: How many it had.
        aim: Who was killed.
        signal: With what.
        after_seconds: How long after the run's folder was there.
        status: How the record stands.
        steps: How many steps it has.
        joules: What it has of the ranks that were killed.
        lost_joules: What these used besides, until they were killed.
        lost_seconds: How long before the kill that was used.
        excess_seconds: How much more any rank's energy is than it had used when it last wrote, as time; mostly below 0.
    """

    framework: str
    ranks: int
    aim: Aim
    signal: str
    after_seconds: float
    status: str
    steps: int
    joules: float
    lost_joules: float
    lost_seconds: float
    excess_seconds: float


class Failed(Exception):
    """A training did not do what it had to, so that nothing could be measured."""


def kill(training: Training, after_seconds: float, aim: Aim, victim: int, number: signal.Signals) -> Kill:
    """Start a training, kill it, and see what is left.

    Args:
        training: What to kill.
        after_seconds: How long to wait once the folder of the run is there.
        aim: Who is killed.
        victim: Which rank, where only one is.
        number: With what.

    Raises:
        Failed: It did not start.
    """
    process = multiprocessing.get_context("fork").Process(target=training.run)
    process.start()
    try:
        _wait(lambda: bool(list(training.ledger.glob("*/*"))), START_SECONDS, process, training.folder)
        time.sleep(after_seconds)
        victims, at_ns = _strike(training, process, aim, victim, number)
        process.join(END_SECONDS)
        if process.is_alive():
            # Lightning's handler of SIGTERM waits for the other ranks, which may wait for this one at another place;
            # so do as schedulers do, whose patience ends, too.
            victims, at_ns = _strike(training, process, "all", victim, signal.SIGKILL)
            process.join(END_SECONDS)
        give_up = time.monotonic() + END_SECONDS
        while any(is_process_there(part.header.pid, part.header.pid_started) for part in parts_in(training.ledger)):
            if time.monotonic() > give_up:
                break
            time.sleep(0.01)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
    return _compare(training, after_seconds, aim, number, victims, at_ns)


def _strike(
    training: Training, process: ForkProcess, aim: Aim, victim: int, number: signal.Signals
) -> tuple[list[int], int]:
    """Kill; the ranks that were killed, and when."""
    pids = {part.header.rank: part.header.pid for part in parts_in(training.ledger)}
    if aim == "one" and victim in pids:
        at_ns = time.monotonic_ns()
        os.kill(pids[victim], number)
        return [victim], at_ns
    at_ns = time.monotonic_ns()
    os.killpg(process.pid or 0, number)
    return list(range(len(training.gpus))), at_ns


def _compare(
    training: Training, after_seconds: float, aim: Aim, number: signal.Signals, victims: list[int], at_ns: int
) -> Kill:
    parts = {part.header.rank: part for part in parts_in(training.ledger)}
    record = recovered(training.ledger)
    joules_of = {rank.rank: rank.joules for rank in record.ranks} if record else {}
    joules = lost = seconds = 0.0
    excess = -1.0
    for rank, gpu in enumerate(training.gpus):
        part = parts.get(rank)
        start_ns = monotonic_ns(part.header.started_at if part else _started(training.ledger))
        if rank in victims:
            used = gpu.truth(start_ns, at_ns).joules
            found = joules_of.get(rank, 0.0)
            joules += found
            lost += used - found
            seconds = max(seconds, _seconds_before(gpu, at_ns, used - found))
        if part is not None:
            most = gpu.truth(start_ns, monotonic_ns(part.beat.at)).joules
            seconds_so_far = (monotonic_ns(part.beat.at) - start_ns) / _NS
            excess = max(excess, (joules_of[rank] - most) / most * seconds_so_far)
    return Kill(
        training.framework,
        len(training.gpus),
        aim,
        number.name,
        after_seconds,
        record.status if record else "nothing",
        record.steps if record else 0,
        joules,
        lost,
        seconds,
        excess,
    )


def parts_in(ledger: Path) -> list[RankPart]:
    """What the ranks of the one run in a ledger have written."""
    store = DirectoryRunStore(ledger)
    runs = [(run.parent.name, run.name) for run in ledger.glob("*/*")]
    return [part for names in runs for part in parts_of(store.read_journals(*names), *names)]


def recovered(ledger: Path) -> RunRecord | None:
    """The record of the one run in a ledger, as whoever reads the ledger a minute later finds it."""
    observer = Observer(host_id(), is_process_there, lambda _folder: time.time() + _LATER_SECONDS)
    return next(Ledger(ledger, observer, print).runs(), None)


def monotonic_ns(wall_seconds: float) -> int:
    """A moment of the wall clock on the monotonic one."""
    return time.monotonic_ns() - round((time.time() - wall_seconds) * _NS)


def _started(ledger: Path) -> float:
    """When the one run in a ledger was begun, where there is no journal yet: when its folder was made."""
    [run] = ledger.glob("*/*")
    return run.stat().st_ctime


def _seconds_before(gpu: SimulatedGPU, at_ns: int, joules: float) -> float:
    """How long before a moment a GPU had used so much less."""
    low, high = 0, 60 * _NS
    while high - low > 1000:
        middle = (low + high) // 2
        if gpu.truth(at_ns - middle, at_ns).joules < joules:
            low = middle
        else:
            high = middle
    return high / _NS


def _wait(until: Callable[[], bool], seconds: float, process: ForkProcess, folder: Path) -> None:
    give_up = time.monotonic() + seconds
    while not until():
        if not process.is_alive() or time.monotonic() > give_up:
            tail = (folder / "log.txt").read_text(errors="replace")[-3000:]
            raise Failed(f"the training in {folder} did not begin:\n{tail}")
        time.sleep(0.002)
