"""Cross-checks of an energy counter against the power of the same hardware, at the start and from time to time.

A dead counter still answers, with a count that stands still. So where a second sensor of the hardware is known, its
power is read beside the counter for a few seconds at the start, for a few seconds of every two minutes, whenever the
count stands still, and once a second in between, so no time lacks a reading when the counter dies. The ratio of both
energies is kept for the record.

A counter whose fallback is a model cannot be checked against power. But a processor or memory that is switched on
always draws some power, and RAPL counts that in steps of less than a tenth of a millijoule, about every millisecond: a
count that stands still for seconds is not that of idle hardware, but of a dead counter.

Where a job is charged a share of a counter, the whole is watched: a share stands still while its job waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from lightning_carbon.energy.curve import FOREVER_NS
from lightning_carbon.energy.readings import Kind, Provenance
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.energy.readings import CounterReading, GaugeReading, Sensor
    from lightning_carbon.energy.timeline import CounterTimeline, Timeline
    from lightning_carbon.ports import Source

FIRST_NS = 5 * NANOSECONDS_PER_SECOND
"""How long power is read beside a counter at the start, and then each time."""
EVERY_NS = 120 * NANOSECONDS_PER_SECOND
"""The interval between two such times."""
PAUSE_NS = NANOSECONDS_PER_SECOND // 20
"""The least time between these readings of power."""
STANDING_NS = NANOSECONDS_PER_SECOND // 4
"""How long a count may stand still before it is watched; jumps of known counters are closer together."""
DEAD_NS = NANOSECONDS_PER_SECOND
"""How long a count may stand still, while power says that it should move, before it is dead."""
SILENT_NS = 3 * NANOSECONDS_PER_SECOND
"""How long the count of a processor, or of memory that has counted before, may stand still before it is dead, whatever
the fallback: the slowest known, that of QEMU's virtual machines, moves every second (MSR_ENERGY_THREAD_SLEEP_US,
2024)."""
KEEP_NS = NANOSECONDS_PER_SECOND
"""The time between readings of the second sensor in between, short enough for it to take over without a gap."""
LEAST_WATTS = 1.0
"""The mean power below which a count may stand still."""
HIGHEST_RATIO = 2.0
"""The factor by which counter and power may differ: both come from the same shunts, of which the worst known is 15 %
off (Yang et al., SC'24), and power is read at moments, which follows a fast load less well."""
WINDOW_NS = 3 * NANOSECONDS_PER_SECOND
"""The time that both must cover to be compared."""
ENOUGH_STRIKES = 2
"""The number of such times in a row that must speak against a counter."""
RETRY_NS = tuple(round(seconds * NANOSECONDS_PER_SECOND) for seconds in (0.2, 0.5, 1.0, 2.0, 3.0))
"""When a better sensor that did not answer at first is tried again, after the start."""


class SecondSensor(Protocol):
    """A source with its timeline, beside another of the same domain."""

    timeline: Timeline
    lost: str | None

    @property
    def whole_sensor(self) -> Sensor:
        """The sensor of the whole, where this is a share, or its own."""
        ...

    @property
    def whole_timeline(self) -> Timeline:
        """The timeline of the whole, or its own."""
        ...

    def read(self) -> CounterReading | GaugeReading | None:
        """Take one reading; ``None`` where it failed."""
        ...

    def append(self, reading: CounterReading | GaugeReading) -> None:
        """Put a reading on the timeline."""
        ...


Second = TypeVar("Second", bound=SecondSensor)


class CrossCheck(Generic[Second]):
    """Watches a counter by a second sensor of the same hardware.

    Args:
        counter: The counter's timeline; that of the whole, where a share of it is charged.
        witness: The second sensor.
        kind: The kind of hardware.
        now_ns: The moment.
    """

    __slots__ = (
        "_count",
        "_counted",
        "_counter",
        "_has_moved",
        "_is_close",
        "_is_power",
        "_kind",
        "_looked_ns",
        "_moved_ns",
        "_read_ns",
        "_reading",
        "_start_ns",
        "_strikes",
        "_summed",
        "_window",
        "witness",
    )

    def __init__(self, counter: CounterTimeline, witness: Second, kind: Kind, *, now_ns: int) -> None:
        self._counter = counter
        self.witness = witness
        self._kind = kind
        # A model of power says nothing about a counter, but it is a fallback.
        self._is_power = witness.whole_sensor.provenance is not Provenance.MODELLED
        self._start_ns = self._moved_ns = self._read_ns = now_ns
        self._looked_ns = now_ns - KEEP_NS
        self._is_close = False
        self._has_moved = False
        self._reading: GaugeReading | CounterReading | None = None
        self._count: int | None = None
        self._window: tuple[int, int, int, int] | None = None
        self._counted = self._summed = 0
        self._strikes = 0

    @property
    def ratio(self) -> float | None:
        """The counted energy over the integrated power, over all times that both cover; ``None`` before."""
        return self._counted / self._summed if self._summed > 0 and self._is_power else None

    @property
    def ratio_at_the_end(self) -> float | None:
        """The same after the counter has given way, against its model, where that has taken over."""
        return self._counted / self._summed if self._summed > 0 else None

    @property
    def is_close(self) -> bool:
        """Whether counter and power are compared now, or the count stands still: both need close readings."""
        if self._looked_ns == FOREVER_NS:
            return False
        return self._is_close or self._read_ns - self._moved_ns > STANDING_NS

    def look(self, now_ns: int) -> None:
        """Read the second sensor, if it is time; appends nothing.

        Args:
            now_ns: The moment.
        """
        if now_ns - self._looked_ns < PAUSE_NS:
            return
        is_first = self._is_power and (now_ns - self._start_ns) % EVERY_NS < FIRST_NS
        # Where readings are rare, the last has to have shown that the count stands.
        stands = self._read_ns > self._moved_ns and now_ns - self._moved_ns > STANDING_NS
        self._is_close = is_first or self._strikes > 0 or stands
        if self._is_close or now_ns - self._looked_ns >= KEEP_NS:
            self._looked_ns = now_ns
            self._reading = self.witness.read()

    def judge(self, reading: CounterReading) -> str | None:
        """Compare the readings of :meth:`look` with a reading that the counter's timeline has taken already.

        Args:
            reading: The counter's reading.

        Returns:
            Why the counter is broken, or ``None`` where nothing speaks against it.
        """
        witness = self.witness
        power, self._reading = self._reading, None
        self._read_ns = reading.at_ns
        if reading.energy.microjoules != self._count:
            self._moved_ns = reading.at_ns
            if self._count is None:
                self._start_ns = reading.at_ns
            else:
                self._has_moved = True
                if not self._is_power and self._dead_ns() is None:
                    self._looked_ns = FOREVER_NS  # it does move, and a model is no better
            self._count = reading.energy.microjoules
        if power is None or witness.lost is not None:
            return None
        witness.append(power)
        dead_ns = self._dead_ns()
        if dead_ns is not None and reading.at_ns - self._moved_ns >= dead_ns:
            return self._why_standing(reading.at_ns)
        return self._why_apart()

    def _dead_ns(self) -> int | None:
        """How long the count may stand still; ``None`` for without a limit."""
        if self._is_power:
            return DEAD_NS
        if self._kind is Kind.PACKAGE or (self._has_moved and self._kind is Kind.DRAM):
            return SILENT_NS
        return None if self._has_moved else DEAD_NS

    def _why_standing(self, at_ns: int) -> str | None:
        seconds = (at_ns - self._moved_ns) / NANOSECONDS_PER_SECOND
        if not self._is_power:
            if self._has_moved:
                return f"its count stood still for {seconds:.1f} s, as none does that is powered"
            return f"its count has not moved in the first {seconds:.1f} s"
        timeline = self.witness.whole_timeline
        covered_ns = timeline.covered(at_ns) - timeline.covered(self._moved_ns)
        if covered_ns * 2 < at_ns - self._moved_ns:
            return None
        mean = timeline.between(self._moved_ns, at_ns).over(covered_ns)
        if mean.watts < LEAST_WATTS:
            return None
        return f"its count stood still for {seconds:.1f} s at {mean.watts:.0f} W"

    def _why_apart(self) -> str | None:
        """Add up the energy that both have settled since the last time, and compare it after long enough."""
        timeline, counter = self.witness.whole_timeline, self._counter
        at_ns = min(timeline.watermark_ns, counter.watermark_ns)
        if at_ns < 0:
            return None
        if self._is_power and not self._is_close:
            self._window = None  # a reading a second shows too little of a changing load
            self._trim(at_ns)
            return None
        (counted, counted_ns), (summed, summed_ns) = counter.at(at_ns), timeline.at(at_ns)
        covered_ns = counted_ns + summed_ns
        self._trim(at_ns)
        since_ns, counted_by_then, summed_by_then, covered_by_then = self._window or (at_ns, 0, 0, 0)
        span_ns = at_ns - since_ns
        has_gap = covered_ns - covered_by_then < 2 * span_ns
        if self._window is None or has_gap or span_ns >= WINDOW_NS:
            self._window = (at_ns, counted, summed, covered_ns)
            if span_ns >= WINDOW_NS and not has_gap:
                return self._compare(counted - counted_by_then, Energy(summed - summed_by_then), span_ns)
        return None

    def _trim(self, before_ns: int) -> None:
        self.witness.whole_timeline.trim(before_ns)
        if self.witness.whole_timeline is not self.witness.timeline:  # then the counter's is of the whole, too
            self.witness.timeline.trim(before_ns)
            self._counter.trim(before_ns)

    def _compare(self, counted: int, power: Energy, span_ns: int) -> str | None:
        self._counted += counted
        self._summed += power.microjoules
        if not self._is_power or power.over(span_ns).watts < LEAST_WATTS:
            return None
        ratio = counted / power.microjoules
        is_apart = not 1 / HIGHEST_RATIO <= ratio <= HIGHEST_RATIO
        self._strikes = self._strikes + 1 if is_apart else 0
        return f"it counted {ratio:.2g} times what power adds up to" if self._strikes >= ENOUGH_STRIKES else None


class Retry(Generic[Second]):
    """Tries for a better source a few times in the first seconds.

    Args:
        find: Gives the better source; raises as long as there is none.
        probe: Makes its probe.
        now_ns: The moment.
    """

    __slots__ = ("_due", "_find", "_probe", "better")

    def __init__(self, find: Callable[[], Source], probe: Callable[[Source], Second], now_ns: int) -> None:
        self._find = find
        self._probe = probe
        self._due = [now_ns + after_ns for after_ns in reversed(RETRY_NS)]
        #: The better source with its first reading, once it has answered.
        self.better: Second | None = None

    @property
    def is_due(self) -> bool:
        """Whether it will be tried again."""
        return bool(self._due)

    def attempt(self, now_ns: int) -> None:
        """Try, if it is time.

        Args:
            now_ns: The moment.
        """
        if not self._due or now_ns < self._due[-1]:
            return
        self._due.pop()
        try:
            probe = self._probe(self._find())
        except Exception:  # noqa: BLE001 - whatever the error, there is no better sensor this time
            return
        reading = probe.read()
        if reading is not None:
            probe.append(reading)
            self.better = probe
