"""The concrete adapters that an engine is put together from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lightning_carbon.ranks import OwnIdentity, Ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lightning_carbon.ports import Clock, Finding, RunIdentity, RunStore, StepClock


@dataclass(frozen=True, slots=True)
class Adapters:
    """The concrete adapters behind one meter.

    Args:
        findings: What was tried as a source, usable or not.
        clock: The monotonic clock and the wall clock beside it.
        store: Where the record goes.
        host: What is told about the machine.
        ranks: Which of the run's processes this is.
        identity: How they come to call it the same.
        pid_started: When this process started, in seconds since 1970, where that is known.
        pid_namespace: What the numbers of processes are of here, where that is known.
        step_clock: Tells when the device got to a mark; ``None`` where the program computes by itself.
        neighbours: Tells who else uses what is metered whole, or an empty string; asked now and then.
    """

    findings: Sequence[Finding]
    clock: Clock
    store: RunStore
    host: Mapping[str, str | int | None]
    ranks: Ranks = field(default_factory=Ranks)
    identity: RunIdentity = field(default_factory=OwnIdentity)
    pid_started: float | None = None
    pid_namespace: int | None = None
    step_clock: StepClock | None = None
    neighbours: Callable[[], str] = str
