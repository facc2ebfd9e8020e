"""What an engine is put together from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.ports import Clock, Finding, RunStore


@dataclass(frozen=True, slots=True)
class Parts:
    """The concrete adapters behind one meter.

    Args:
        findings: What was tried as a source, usable or not.
        clock: The monotonic clock and the wall clock beside it.
        store: Where the record goes.
        host: What is told about the machine.
    """

    findings: Sequence[Finding]
    clock: Clock
    store: RunStore
    host: Mapping[str, str | int | None]
