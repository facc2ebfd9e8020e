"""The clocks of the operating system."""

from __future__ import annotations

import time


class SystemClock:
    """The monotonic and the wall clock of this machine (CLOCK_MONOTONIC and CLOCK_REALTIME on Linux)."""

    # Not wrapped, as every step of a training calls it.
    now_ns = staticmethod(time.monotonic_ns)
    """Nanoseconds on the monotonic clock, which stands still while the machine is suspended."""

    def wall_seconds(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()
