"""The threads of meters that are under way in this process."""

from __future__ import annotations

import threading
import time

NAMES = ("lightning-carbon-sampler", "lightning-carbon-keeper")
"""What is there as long as a meter. A driver or a disk that hangs may keep other threads, which hold up nobody."""
LEDGER = "lightning-carbon-ledger"
"""What is there now and then while a meter writes, and not after it."""
PATIENCE_SECONDS = 60.0


def samplers() -> list[threading.Thread]:
    """The threads of meters that are there now."""
    return [thread for thread in threading.enumerate() if thread.name in NAMES]


def lasting_samplers() -> list[threading.Thread]:
    """The threads of meters that do not end: on a busy machine an end takes a moment, which no meter waits for."""
    until = time.monotonic() + PATIENCE_SECONDS
    while _of_meters() and time.monotonic() < until:
        time.sleep(0.01)
    return _of_meters()


def _of_meters() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name in (*NAMES, LEDGER)]
