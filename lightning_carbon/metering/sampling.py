"""How sensors are sampled: by which clock, how often, and what is called beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from lightning_carbon.metering.probe import Probe
    from lightning_carbon.ports import Clock


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample.

    Args:
        clock: The clock of the probes.
        interval_seconds: How often counters are read where somebody asks for short times.
        lock: Held while readings are appended and while timelines are read.
        housekeeping: Called about twice a second, on a thread of its own.
        on_lost: Called, outside the lock, when a probe was lost.
        is_sparse: Whether nobody asks for single steps, so that counters are read less often between rows and phases.
    """

    clock: Clock
    interval_seconds: float
    lock: threading.RLock
    housekeeping: Callable[[], None]
    on_lost: Callable[[Probe], None]
    is_sparse: bool = False
