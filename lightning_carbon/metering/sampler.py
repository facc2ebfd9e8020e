"""The thread that reads sensors, beside the training and at its own pace, and another for housekeeping.

Counters lose nothing by a late reading, so nothing here hurries, and :mod:`pace` says when they are read. Power gauges
that have to be integrated are read ten times as often as counters are at their closest, whoever asks. Counters that
jump are read closely for a moment: at the start, whenever the times of their jumps have become vague, and at the end.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from lightning_carbon.energy.curve import FOREVER_NS
from lightning_carbon.metering.condition_watch import FIRST_EDGES, next_look_ns
from lightning_carbon.metering.pace import SPARSE_SECONDS, Pace
from lightning_carbon.metering.probe import PATIENCE_NS
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.energy.readings import CounterReading, GaugeReading
    from lightning_carbon.metering.probe import Probe
    from lightning_carbon.metering.sampling import Sampling

CLOSE_LOOK_SECONDS = 0.005
"""The interval of a counter's readings during a closer look."""
FIRST_LOOK_SECONDS = 1.5
"""How long the closer look at the start may take at most."""
LATER_LOOK_SECONDS = 0.25
"""How long a later closer look may take at most."""
LOOK_AGAIN_SECONDS, SPARSE_LOOK_AGAIN_SECONDS = 1.0, 10.0
"""The least time between two closer looks, and between two where readings are sparse: the times of a counter's jumps
then are vague by some hundredths of a second, which only the begin of a phase can tell, and that may look at once."""
GAUGE_SPEEDUP = 10
"""The number of readings of a power gauge for each reading of a counter."""
MIN_GAUGE_SECONDS = 0.01
HOUSEKEEPING_SECONDS = SPARSE_SECONDS
"""The interval of housekeeping, on a thread of its own, since a slow disk must not keep sensors from being read.

It comes after a reading, once no jump of a counter is in doubt. A killed run loses the energy since that jump; twice a
second keeps it under 1.2 s, even on a busy machine.
"""
ALONE_SECONDS = 0.75
"""How long housekeeping waits for a reading at most, as a sensor may hang."""
FIRST_HOUSEKEEPING_SECONDS = HOUSEKEEPING_SECONDS / 8
"""When housekeeping first runs, with doubling intervals after it; ranks that start together then learn their name."""
FINISH_SECONDS = 0.3
"""How long the end of a run may wait for the counters' next jump."""
FIRST_READING_SECONDS = 1.5
"""How long the start may wait for the first readings; half a second more for readings held up by another."""
CHECKED_SECONDS = 0.75
"""The longest time between two checks of a hanging reading that counts against the sensor. After a longer time, the
whole interpreter was held, by a call that kept its lock or by a stopped process, and the sensor may not be to blame."""

GIVEN_UP = "given-up-by-lightning-carbon"
"""The name of a thread that hangs in a driver; it ends when the driver answers, and its source is read again."""

_HOUSEKEEPING_NS = round(HOUSEKEEPING_SECONDS * NANOSECONDS_PER_SECOND)
_SAMPLER = "lightning-carbon-sampler"

logger = logging.getLogger("lightning_carbon")


class Sampler:
    """Reads all probes from a daemon thread.

    Args:
        probes: The probes to read.
        sampling: How to sample.
    """

    def __init__(self, probes: Sequence[Probe], sampling: Sampling) -> None:
        self._probes = probes
        self._clock = sampling.clock
        interval_ns = round(sampling.interval_seconds * NANOSECONDS_PER_SECOND)
        self._pace = Pace(interval_ns, is_sparse=sampling.is_sparse)
        self._gauge_ns = max(round(MIN_GAUGE_SECONDS * NANOSECONDS_PER_SECOND), interval_ns // GAUGE_SPEEDUP)
        self._lock = sampling.lock
        self._housekeeping = sampling.housekeeping
        self._on_lost = sampling.on_lost
        # Free where a thread shall not sleep on. A lock costs half as much as a threading.Event.
        self._call, self._keeper_call = threading.Lock(), threading.Lock()
        self._call.acquire()
        self._keeper_call.acquire()
        self._is_over = False
        self._keep_ns = 0
        self._alive: tuple[list[Probe], list[Probe]] | None = None
        self._finish_ns: int | None = None
        self._generation = 0
        self._thread: threading.Thread | None = None
        self._keeper: threading.Thread | None = None
        self._is_unmanned = False
        self._reading: Probe | None = None
        self._checked_ns = self._hanging_since_ns = self._hung_ns = 0
        self._look_until_ns = 0
        self._look_again_ns = 0
        self._started_ns = self._conditions_ns = self._edges = self._changes = 0
        self._watermark = -1, -1

    def watermark_ns(self) -> int:
        """Up to here all timelines are settled; the lock is held. Computed again only after a timeline has changed."""
        changes, watermark_ns = self._watermark
        if changes != self._changes:
            changes = self._changes
            watermark_ns = min([probe.timeline.watermark_ns for probe in self._probes], default=FOREVER_NS)
            self._watermark = changes, watermark_ns
        return watermark_ns

    def read_first(self) -> None:
        """Take the first reading of every probe, on a thread of its own; the start waits two seconds at most."""
        for patience_seconds in (FIRST_READING_SECONDS, PATIENCE_NS / NANOSECONDS_PER_SECOND - FIRST_READING_SECONDS):
            probes = [probe for probe in self._probes if probe.alive and probe.timeline.watermark_ns < 0]
            thread = threading.Thread(target=self._read, args=(probes,), name=_SAMPLER, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no thread is free
                self.read_now()
                return
            thread.join(patience_seconds)
            if not thread.is_alive():
                return
            with self._lock:
                probe, self._reading = self._reading, None
                if probe is None:
                    return
                probe.lose("the first reading hung")
                probe.timeline.end()
                self._changes += 1
                thread.name = GIVEN_UP
            self._on_lost(probe)

    def read_now(self) -> None:
        """Take a reading of every live probe, on the calling thread, where no other can be started."""
        self._read([probe for probe in self._probes if probe.alive])

    def start(self) -> None:
        """Start the sampling thread."""
        now_ns = self._clock.now_ns()
        self._look_until_ns = now_ns + round(FIRST_LOOK_SECONDS * NANOSECONDS_PER_SECOND)
        self._keep_ns = now_ns + _HOUSEKEEPING_NS
        self._pace.stay_close(now_ns, FIRST_LOOK_SECONDS)
        self._started_ns = now_ns
        self._launch()
        keeper = threading.Thread(target=self._keep_house, name="lightning-carbon-keeper", daemon=True)
        keeper.start()
        self._keeper = keeper

    def note_row(self, now_ns: int) -> None:
        """Note that a row is asked for."""
        self._pace.row(now_ns)

    def note_edge(self, now_ns: int) -> None:
        """Note that a phase begins, or another moment that is asked for: counters are read now, and closely after it.

        Costs a microsecond, and waits for nothing.
        """
        if self._edges < FIRST_EDGES:
            self._edges += 1
            self._started_ns = self._conditions_ns = now_ns
        if self._pace.stay_close(now_ns):
            self._look_again_ns = min(self._look_again_ns, now_ns)
            self._wake()

    def _wake(self) -> None:
        """End the pause of the sampling thread."""
        _free(self._call)

    def _keep_house(self) -> None:
        pause = FIRST_HOUSEKEEPING_SECONDS
        has_failed = False
        while True:
            self._keeper_call.acquire(timeout=pause)
            if self._is_over:
                return
            pause = min(pause * 2, ALONE_SECONDS)
            try:
                self.check()
                self._housekeeping()
            except Exception:
                # The next time may succeed, and then nothing is lost.
                if not has_failed:
                    logger.warning(
                        "what a run has used so far could not be written down; it is tried again", exc_info=True
                    )
                has_failed = True

    def _launch(self) -> None:
        self._generation += 1
        self._alive = None
        self._is_unmanned = True
        thread = threading.Thread(target=self._run, args=(self._generation,), name=_SAMPLER, daemon=True)
        thread.start()
        self._thread, self._is_unmanned = thread, False

    def check(self) -> None:
        """See whether a reading hangs; if so, give its source up and go on with the others on a new thread."""
        with self._lock:
            if self._is_unmanned:
                with suppress(RuntimeError):  # still no thread is free
                    self._launch()
            now_ns = self._clock.now_ns()
            checked_ns, self._checked_ns = self._checked_ns, now_ns
            probe = self._reading
            since_ns = probe.busy_since_ns if probe is not None else None
            if probe is None or since_ns is None:
                return
            if since_ns != self._hanging_since_ns:
                self._hanging_since_ns, self._hung_ns = since_ns, 0
            self._hung_ns += min(now_ns - max(since_ns, checked_ns), round(CHECKED_SECONDS * NANOSECONDS_PER_SECOND))
            if self._hung_ns <= PATIENCE_NS:
                return
            is_lost = not probe.drop_condition()
            if is_lost:
                probe.lose(f"a reading hung for {PATIENCE_NS // NANOSECONDS_PER_SECOND} s")
                probe.timeline.end()
                self._changes += 1
            self._reading = None
            if self._thread is not None:
                self._thread.name = GIVEN_UP
            with suppress(RuntimeError):  # no thread is free; the next check tries again
                self._launch()
        if is_lost:
            self._on_lost(probe)

    def finish(self, at_ns: int) -> None:
        """Read on until every timeline has reached a moment, for a short while at most, and end the thread.

        Args:
            at_ns: The moment, now or before.
        """
        if self._is_unmanned:  # no thread has been free: what can be read is read here
            self.read_now()
        thread = self._thread
        if thread is None:
            return
        self._finish_ns = at_ns
        self._is_over = True
        _free(self._call)
        _free(self._keeper_call)
        keeper, self._keeper = self._keeper, None
        thread.join(FINISH_SECONDS * 2)
        if thread.is_alive():
            probe = self._reading
            if probe is not None and not probe.drop_condition():
                probe.lose("a reading hung at the end of the run")
                self._retire([probe])
            thread.name = GIVEN_UP
            self._generation += 1
        self._thread = None
        if keeper is not None:
            keeper.join(FINISH_SECONDS)

    def _run(self, generation: int) -> None:
        try:
            self._loop(generation)
        except Exception:
            logger.warning("the sampling thread ended early; energy after this is not covered", exc_info=True)

    def _loop(self, generation: int) -> None:
        pace = self._pace
        gauges_ns = self._clock.now_ns()
        pace.restart(gauges_ns)
        is_house_due = False
        while generation == self._generation:
            now_ns = self._clock.now_ns()
            finish_ns = self._finish_ns
            alive, gauges = self._alive or self._sort()
            if finish_ns is not None:
                self._read(alive)
                if self._reached(finish_ns) or now_ns > finish_ns + round(FINISH_SECONDS * NANOSECONDS_PER_SECOND):
                    return
                self._rest()
                continue
            close = [probe for probe in alive if probe.wants_close_look] if self._may_look(now_ns) else []
            doubts: list[int] = []
            if now_ns >= pace.due_ns:
                doubts = self._read_all(alive, now_ns)
                gauges_ns = now_ns + self._gauge_ns
                is_house_due = now_ns >= self._keep_ns
            elif gauges and now_ns >= gauges_ns:
                self._read([probe for probe in alive if probe.is_measured_gauge or probe in close])
                gauges_ns = now_ns + self._gauge_ns
            else:
                self._read(close or [probe for probe in alive if probe.in_doubt_until_ns is not None])
            if is_house_due and not doubts:
                is_house_due = False
                self._keep_ns = now_ns + _HOUSEKEEPING_NS - pace.interval_ns // 2
                _free(self._keeper_call)
            next_ns = min(pace.due_ns, max(doubts, default=FOREVER_NS), gauges_ns if gauges else FOREVER_NS)
            if close:
                next_ns = min(next_ns, now_ns + round(CLOSE_LOOK_SECONDS * NANOSECONDS_PER_SECOND))
            self._pause(next_ns)

    def _read_all(self, alive: list[Probe], now_ns: int) -> list[int]:
        """Read what is due; when one more reading decides what it leaves open, where the next is far."""
        self._read(alive)
        self._look_at_conditions(alive, now_ns)
        self._pace.read(now_ns, is_watched=any([probe.is_watched for probe in alive]))  # noqa: C419 - half the cost
        doubtful = [] if self._pace.is_close(now_ns) else alive
        return [until_ns for probe in doubtful if (until_ns := probe.in_doubt_until_ns) is not None]

    def _sort(self) -> tuple[list[Probe], list[Probe]]:
        """The probes that are read, and the power gauges among them; kept until something is odd about one of them."""
        alive = [probe for probe in self._probes if probe.alive]
        self._alive = alive, [probe for probe in alive if probe.is_measured_gauge]
        return self._alive

    def _pause(self, until_ns: int) -> None:
        """Sleep until a moment, or until a phase begins or the end comes."""
        self._call.acquire(timeout=max(0.0, (until_ns - self._clock.now_ns()) / NANOSECONDS_PER_SECOND))

    def _rest(self) -> None:
        """Sleep for a moment, once the end has come."""
        time.sleep(CLOSE_LOOK_SECONDS)

    def _may_look(self, now_ns: int) -> bool:
        if now_ns < self._look_until_ns:
            return True
        if now_ns >= self._look_again_ns:
            self._look_until_ns = now_ns + round(LATER_LOOK_SECONDS * NANOSECONDS_PER_SECOND)
            again_seconds = LOOK_AGAIN_SECONDS if self._pace.is_close(now_ns) else SPARSE_LOOK_AGAIN_SECONDS
            self._look_again_ns = self._look_until_ns + round(again_seconds * NANOSECONDS_PER_SECOND)
            return True
        return False

    def _reached(self, at_ns: int) -> bool:
        with self._lock:
            return all(probe.timeline.reached(at_ns) for probe in self._probes if probe.alive)

    def _read(self, probes: list[Probe]) -> None:
        readings = []
        for probe in probes:
            self._reading = probe
            reading = probe.read()
            if self._reading is not probe:
                self._take_up(probe, reading)
                return  # given up meanwhile: another thread has taken over
            self._reading = None
            if reading is not None:
                readings.append((probe, reading))
        with self._lock:
            for probe, reading in readings:
                probe.append(reading)
            self._changes += 1
        odd = [probe for probe in probes if probe.remark is not None or probe.lost is not None]
        if odd:
            self._alive = None
            self._tell(odd)

    def _look_at_conditions(self, probes: list[Probe], now_ns: int) -> None:
        """Read the gauges of devices, every few seconds."""
        if now_ns < self._conditions_ns:
            return
        self._conditions_ns = next_look_ns(self._started_ns, now_ns)
        for probe in probes:
            if probe.condition is None:
                continue
            self._reading = probe
            probe.condition.read()
            if self._reading is not probe:
                return  # given up meanwhile: another thread has taken over
            self._reading = None
            with self._lock:  # here, as a row would have to otherwise
                probe.condition.add_up()

    def _tell(self, odd: list[Probe]) -> None:
        """Tell what is odd about some probes, and end the timelines of those that were lost."""
        for probe in odd:
            if probe.remark is not None:
                logger.warning("%s: %s", probe.sensor.domain.name, probe.remark)
                probe.remark = None
        self._retire([probe for probe in odd if probe.lost is not None and not probe.timeline.ended])

    def _take_up(self, probe: Probe, reading: CounterReading | GaugeReading | None) -> None:
        """Take up a source again whose reading came back late."""
        with self._lock:
            if reading is None or self._finish_ns is not None or not probe.timeline.ended:
                return
            probe.take_up(reading)
            self._changes += 1
            self._alive = None
            self._pace.stay_close(self._clock.now_ns(), FIRST_LOOK_SECONDS)
        logger.warning("%s is metered again; the time it did not answer is not covered", probe.sensor.domain.name)

    def _retire(self, lost: list[Probe]) -> None:
        for probe in lost:
            with self._lock:
                probe.timeline.end()
                self._changes += 1
            self._on_lost(probe)


def _free(lock: threading.Lock) -> None:
    """Let a thread go on that waits for a lock, or will."""
    with suppress(RuntimeError):  # it is free already
        lock.release()
