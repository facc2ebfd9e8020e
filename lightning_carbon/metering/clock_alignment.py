"""Alignment of a device's clock with the host's, from bounds on both clocks.

Every event of a device has bounds on the host's clock: it happened after it was asked for, and before it was found
done. Only the device's clock orders events within such bounds. Tight bounds come by themselves wherever the two wait
for each other, so nothing has to be made to wait.
"""

from __future__ import annotations


class ClockAlignment:
    """Turns times of a device's clock into times of the host's, by bounds that come in one after the other.

    The first bounds are taken at their middle. Later bounds move the offset of the clocks just as far as they demand.
    While the clocks run alike, the offset keeps to all earlier bounds, and its error never grows: a move straight to an
    interval comes nearer to every point in it. Clocks that drift apart are followed, as no old bound holds the
    offset back.
    """

    __slots__ = ("offset_ns",)

    def __init__(self) -> None:
        self.offset_ns: float | None = None
        """The host's time at the device's zero; unknown before the first bounds."""

    def narrow(self, device_ns: float, earliest_ns: int, latest_ns: int) -> None:
        """Take in that a moment of the device's clock lies between two moments of the host's."""
        low, high = earliest_ns - device_ns, latest_ns - device_ns
        self.offset_ns = (low + high) / 2 if self.offset_ns is None else min(max(self.offset_ns, low), high)

    def moment(self, device_ns: float, earliest_ns: int, latest_ns: int) -> int:
        """The moment on the host's clock, within its own bounds; the earlier bound where nothing else is known."""
        guess_ns = earliest_ns if self.offset_ns is None else round(device_ns + self.offset_ns)
        return min(max(guess_ns, earliest_ns), latest_ns)
