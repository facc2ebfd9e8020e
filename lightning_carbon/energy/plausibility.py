"""Plausibility: whether the hardware can have used what its sensor says, checked before it becomes energy.

A power above what the hardware can draw is no reading. A count is believed when it has risen since the last believed
count by no more than the hardware can use in the time. Any other count is held back until the next counts show what
happened: the count comes back, and the glitch is forgotten; or it goes on from where it is, and the counter was reset
in between. A glitch that is forgotten costs nothing, since the counter went on counting meanwhile; the time of a reset
is not covered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.energy.readings import Kind
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Power

if TYPE_CHECKING:
    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.units import Energy

MARGIN = 2.0
"""The factor by which hardware may exceed its limit or rated power: Intel's PL2 and AMD's PPT are 1.25 to 2 times the
rated power (Intel's datasheets of the 13th generation, 2022), GPUs overshoot their limit for milliseconds."""

CEILINGS = {
    Kind.GPU: Power(10_000.0),
    Kind.PACKAGE: Power(2_000.0),
    Kind.DRAM: Power(1_000.0),
    Kind.PSYS: Power(20_000.0),
    Kind.MODULE: Power(20_000.0),
    Kind.HOST: Power(200_000.0),
    Kind.MACHINE: Power(200_000.0),
}
"""The power that no hardware of a kind can draw, for sensors that do not know their own limit. In 2025 the largest
accelerator that was announced takes 3.6 kW (NVIDIA, Rubin Ultra), the largest processor is rated at 500 W (AMD EPYC
9965), sixteen memory modules take 0.4 kW, the largest server 14.3 kW (NVIDIA DGX B200), and a rack of them 132 kW
(GB200 NVL72)."""

SLACK_NS = NANOSECONDS_PER_SECOND
"""The time whose energy a count may be ahead by: counters move in jumps, the slowest known every 0.1 s."""

CONFIRM_NS = NANOSECONDS_PER_SECOND
"""How long a counter has to go on from another level to count as reset."""

GIVE_UP_NS = 2 * NANOSECONDS_PER_SECOND
"""How long a counter may go without a believable count before it is given up; a counter that stands still where it
fell to was reset."""

HELD = -1
"""The count is held back until later counts explain it."""
RESTARTED = -2
"""The counter goes on from another level; :attr:`CountCheck.replayed` has its counts."""

_NEVER_NS = -(2**63)
_ENOUGH_BREAKS = 3
_NANOSECONDS_PER_MICROJOULE_AT_ONE_WATT = NANOSECONDS_PER_SECOND // MICROJOULES_PER_JOULE


def ceiling_of(sensor: Sensor) -> Power:
    """The power that a sensor's hardware cannot exceed: its limit with a margin, or the most for its kind.

    Args:
        sensor: The description of the source.
    """
    most = CEILINGS[sensor.domain.kind]
    return most if sensor.max_power is None else min(most, Power(sensor.max_power.watts * MARGIN))


class CountCheck:
    """Turns counts into rises, and holds back counts that the hardware cannot have reached.

    Args:
        ceiling: The power that the hardware cannot exceed; ``None`` where it is not known.
        wraps_at: The count at which the counter starts again from zero, where it does.
        max_gap_ns: Between readings further apart than this, the counter may have wrapped more than once.
    """

    __slots__ = (
        "_at_ns",
        "_breaks",
        "_count",
        "_falls",
        "_fell_from",
        "_has_moved",
        "_held",
        "_held_spent_ns",
        "_max_gap_ns",
        "_ns_per_microjoule",
        "_spent_ns",
        "_wraps_at",
        "fault",
        "replayed",
    )

    def __init__(
        self, ceiling: Power | None = None, wraps_at: Energy | None = None, max_gap_ns: int = GIVE_UP_NS
    ) -> None:
        # A rise takes at least so long; time that a rise has taken is not available to a later rise.
        self._ns_per_microjoule = 0.0 if ceiling is None else _NANOSECONDS_PER_MICROJOULE_AT_ONE_WATT / ceiling.watts
        self._spent_ns: float = _NEVER_NS
        self._wraps_at = wraps_at.microjoules if wraps_at else 0
        self._max_gap_ns = max_gap_ns
        self._at_ns = _NEVER_NS
        self._count = 0
        self._has_moved = False
        self._fell_from: int | None = None
        self._held: list[tuple[int, int]] = []
        self._held_spent_ns: float = _NEVER_NS
        self._breaks = self._falls = 0
        #: Why the counter is given up, once that is known.
        self.fault: str | None = None
        #: After :data:`RESTARTED`: when, and the rise since the one before; the first is where the counter starts over.
        self.replayed: list[tuple[int, int]] = []

    @property
    def is_held(self) -> bool:
        """Whether counts are held back."""
        return bool(self._held)

    def rise(self, at_ns: int, count: int) -> int:
        """Take one count.

        Args:
            at_ns: When it was read; after the count before.
            count: In microjoules.

        Returns:
            The rise since the last believed count, in microjoules; 0 for the first; or :data:`HELD`,
            or :data:`RESTARTED`.
        """
        if at_ns - self._at_ns > self._max_gap_ns:
            if self._at_ns == _NEVER_NS:
                self.start_over(at_ns, count)
                return 0
            if self._may_have_wrapped_twice(at_ns, count):
                return self._restart([(at_ns, count)])
        risen = count - self._count
        spent_ns = self._spent_ns + risen * self._ns_per_microjoule
        if risen < 0 or spent_ns > at_ns + SLACK_NS:
            wrapped = self._believable(self._count, self._spent_ns, at_ns, count=count)
            if wrapped is None:
                return self._hold(at_ns, count)
            risen = wrapped
            spent_ns = self._spent_ns + risen * self._ns_per_microjoule
        if self._held:
            self._forget()
        if risen:
            if self._fell_from is not None and self._is_way_back(count):
                return self._restart([(at_ns, count)])
            self._has_moved = True
            self._spent_ns = max(spent_ns, at_ns)
        self._at_ns = at_ns
        self._count = count
        return risen

    def conclude(self) -> int:
        """Decide on the counts held back, when no more come: a counter that went on from there was reset.

        Returns:
            :data:`HELD`, or :data:`RESTARTED`.
        """
        held = self._held
        return self._restart(held) if held and held[0][1] != held[-1][1] else HELD

    def start_over(self, at_ns: int, count: int) -> None:
        """Take a count as the first."""
        self._at_ns, self._spent_ns, self._count = at_ns, at_ns, count
        self._has_moved = False
        self._fell_from = None
        self._forget()

    def _believable(self, before: int, spent_ns: float, at_ns: int, *, count: int) -> int | None:
        """The rise since a count, across a wrap where it fell; ``None`` where the hardware cannot have used so much."""
        risen = count - before
        if risen < 0:
            risen += self._wraps_at
            # More than half of a range is as likely a reset, whatever the time.
            if risen < 0 or risen * 2 >= self._wraps_at:
                return None
        return risen if spent_ns + risen * self._ns_per_microjoule <= at_ns + SLACK_NS else None

    def _may_have_wrapped_twice(self, at_ns: int, count: int) -> bool:
        seen_ns = self._held[-1][0] if self._held else self._at_ns
        if not self._wraps_at or not self._ns_per_microjoule or at_ns - seen_ns <= self._max_gap_ns:
            return False
        seen = (count - self._count) % self._wraps_at
        return (seen + self._wraps_at) * self._ns_per_microjoule <= at_ns - self._at_ns

    def _hold(self, at_ns: int, count: int) -> int:
        held = self._held
        since_ns = at_ns - self._at_ns
        risen = self._believable(held[-1][1], self._held_spent_ns, at_ns, count=count) if held else 0
        if risen is None:
            self._breaks += 1
            self._falls += count < held[-1][1]
            held.clear()
        if not held:
            self._held_spent_ns = at_ns
        elif risen:
            self._held_spent_ns = max(self._held_spent_ns + risen * self._ns_per_microjoule, at_ns)
        held.append((at_ns, count))
        if self._breaks >= _ENOUGH_BREAKS and since_ns > GIVE_UP_NS:
            self.fault = (
                "its count runs backwards"
                if self._falls == self._breaks
                else "its count rises by more than its hardware can draw"
            )
            return HELD
        span_ns = at_ns - held[0][0]
        moves = held[0][1] != count
        goes_on = span_ns >= (CONFIRM_NS if moves else GIVE_UP_NS)
        # The first count may itself be the glitch, as long as no other count has confirmed it.
        if len(held) > 1 and (goes_on or not self._has_moved):
            return self._restart(held)
        return HELD

    def _is_way_back(self, count: int) -> bool:
        """Whether this, the first move since the counter fell, brings it back to where it was."""
        before, self._fell_from = self._fell_from, None
        return before is not None and count >= before

    def _restart(self, held: list[tuple[int, int]]) -> int:
        (at_ns, count), before = held[0], self._count
        stands = len(held) > 1 and held[-1][1] == count
        self._fell_from = before if stands and count < before else None
        self.replayed = [(at_ns, 0)]
        self._spent_ns = at_ns
        for next_ns, next_count in held[1:]:
            risen = self._believable(count, self._spent_ns, next_ns, count=next_count) or 0
            self.replayed.append((next_ns, risen))
            if risen:
                self._spent_ns = max(self._spent_ns + risen * self._ns_per_microjoule, next_ns)
            count = next_count
        self._at_ns, self._count = held[-1][0], count
        self._has_moved = True
        self._forget()
        return RESTARTED

    def _forget(self) -> None:
        self._held = []
        self._breaks = self._falls = 0
