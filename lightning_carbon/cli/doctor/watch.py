"""Close reading of a source for a second: how often it moves, what a reading costs, and the power it shows."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.readings import CounterReading, Provenance
from lightning_carbon.energy.timeline import CounterTimeline
from lightning_carbon.errors import SourceLost
from lightning_carbon.ports import EnergyCounter
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Energy
from lightning_carbon.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.ports import Source

READ_EVERY_SECONDS: Final = 0.002
PATIENCE_SECONDS: Final = 2.0
"""How long a reading may take beyond the end of the watch: the meter's own patience."""

# Where more than this share of all readings shows a new value, the value moves more often than it was read.
_EVERY_READING: Final = 0.6
_ENOUGH_MOVES: Final = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a source.

    Args:
        before_ns: When the call began.
        after_ns: When the call had returned.
        value: Microjoules of a counter, watts of a gauge.
    """

    before_ns: int
    after_ns: int
    value: float

    @property
    def at_ns(self) -> int:
        """The middle of the call."""
        return (self.before_ns + self.after_ns) // 2


@dataclass(frozen=True, slots=True)
class Watched:
    """The results of watching a source.

    Args:
        readings: The number of readings.
        failed: How many more failed.
        moves: The number of readings with another value than the reading before.
        tick_seconds: The period of its moves; ``None`` where it is not known.
        tick_is_upper_bound: Whether it moved at nearly every reading and may therefore move more often.
        read_seconds: The median cost of a reading.
        watts: The mean power meanwhile; ``None`` where the counter hardly moved.
        trouble: Why readings failed or ended early, or an empty string.
        gone: Whether they ended early: the source was lost, or hangs.
    """

    readings: int = 0
    failed: int = 0
    moves: int = 0
    tick_seconds: float | None = None
    tick_is_upper_bound: bool = False
    read_seconds: float | None = None
    watts: float | None = None
    trouble: str = ""
    gone: bool = False


@dataclass(slots=True)
class Watcher:
    """Reads a source for a while.

    Args:
        source: The source.
        seconds: For how long.
    """

    source: Source
    seconds: float
    taken: list[Reading] = field(default_factory=list)
    failed: int = 0
    trouble: str = ""
    gone: bool = False

    def run(self) -> None:
        """Read, until the time is over or the source is lost."""
        is_counter = isinstance(self.source, EnergyCounter)
        end_ns = time.monotonic_ns() + round(self.seconds * NANOSECONDS_PER_SECOND)
        while True:
            before_ns = time.monotonic_ns()
            if before_ns > end_ns:
                return
            try:
                value = self.source.read_energy().microjoules if is_counter else self.source.read_power().watts  # type: ignore[union-attr]
                self.taken.append(Reading(before_ns, time.monotonic_ns(), value))
            except SourceLost as error:
                self.trouble, self.gone = str(error), True
                return
            except Exception as error:  # noqa: BLE001 - a doctor has to report whatever a driver throws
                self.failed += 1
                self.trouble = str(error) or type(error).__name__
            time.sleep(READ_EVERY_SECONDS)

    def result(self, *, hangs: bool) -> Watched:
        """The results so far; a reading may still be going on where it hangs."""
        trouble = f"a reading has not come back for {PATIENCE_SECONDS:g} s" if hangs else self.trouble
        return replace(sum_up(self.source, tuple(self.taken), self.failed), trouble=trouble, gone=hangs or self.gone)


def watch(sources: Sequence[Source], seconds: float, patience_seconds: float = PATIENCE_SECONDS) -> list[Watched]:
    """Read several sources closely, each on a thread of its own, where a slow source holds up no other.

    Args:
        sources: The sources.
        seconds: For how long.
        patience_seconds: How long a reading may take beyond that.

    Returns:
        The results of each source, in their order.
    """
    watchers = [Watcher(source, seconds) for source in sources]
    threads = [threading.Thread(target=watcher.run, daemon=True) for watcher in watchers]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds + patience_seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [watcher.result(hangs=thread.is_alive()) for watcher, thread in zip(watchers, threads, strict=True)]


def sum_up(source: Source, taken: Sequence[Reading], failed: int = 0) -> Watched:
    """Sum up the readings of a source.

    Args:
        source: The source that was read.
        taken: The readings, in order.
        failed: How many more failed.
    """
    if not taken:
        return Watched(failed=failed)
    moved = [late for early, late in pairwise(taken) if late.value != early.value]
    tick_seconds, is_bound = _tick(source, taken, moved)
    return Watched(
        readings=len(taken),
        failed=failed,
        moves=len(moved),
        tick_seconds=tick_seconds,
        tick_is_upper_bound=is_bound,
        read_seconds=median(reading.after_ns - reading.before_ns for reading in taken) / NANOSECONDS_PER_SECOND,
        watts=_watts(source, taken),
    )


def _tick(source: Source, taken: Sequence[Reading], moved: Sequence[Reading]) -> tuple[float | None, bool]:
    if len(moved) < _ENOUGH_MOVES:
        return None, False
    if len(moved) > _EVERY_READING * (len(taken) - 1):
        gap_ns = median(late.at_ns - early.at_ns for early, late in pairwise(taken))
        return gap_ns / NANOSECONDS_PER_SECOND, True
    period_ns = _period_ns(source, taken)
    if period_ns is None:
        period_ns = median(late.at_ns - early.at_ns for early, late in pairwise(moved))
    return period_ns / NANOSECONDS_PER_SECOND, False


def _period_ns(source: Source, taken: Sequence[Reading]) -> float | None:
    """The period that the meter itself would learn from these readings."""
    if not isinstance(source, EnergyCounter) or source.sensor.provenance is not Provenance.COUNTER:
        return None
    timeline = CounterTimeline(wraps_at=source.sensor.wraps_at)
    for reading in taken:
        timeline.append(CounterReading(reading.at_ns, Energy(int(reading.value))))
    return timeline.period_ns


def _watts(source: Source, taken: Sequence[Reading]) -> float | None:
    """The mean power: of a gauge's readings, or by a counter's rise from its first move to its last."""
    if not isinstance(source, EnergyCounter):
        return fmean(reading.value for reading in taken)
    moved = [taken[0]]
    moved += [late for early, late in pairwise(taken) if late.value != early.value]
    if len(moved) <= _ENOUGH_MOVES:
        return None
    # The energy of the first move was counted since an unknown moment.
    steps = [late.value - early.value for early, late in pairwise(moved[1:])]
    rise = sum(step for step in steps if step > 0)  # a wrap or a reset during the watch is left out
    return rise / MICROJOULES_PER_JOULE / ((moved[-1].at_ns - moved[1].at_ns) / NANOSECONDS_PER_SECOND)
