"""The clocks of the operating system."""

from __future__ import annotations

import time


class SystemClock:
    """The monotonic and the wall clock of this machine (CLOCK_MONOTONIC and CLOCK_REALTIME on Linux)."""

    def now_ns(self) -> int:
        """Nanoseconds on the monotonic clock, which stands still while the machine is suspended."""
        return time.monotonic_ns()

    def wall_seconds(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()
