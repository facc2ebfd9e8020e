"""What exporters know of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lightning_carbon.records.run import RunRecord


class LiveRun(Protocol):
    """A run that goes on, or has ended; may be asked on any thread."""

    def record(self) -> RunRecord:
        """The record of what readings have settled so far."""

    def readings(self) -> Mapping[str, Mapping[str, float]]:
        """The last readings of the devices of this host beside their power, by domain and name."""


Publish = Callable[[LiveRun], Callable[[], None]]
"""Begins to export a run, and returns what ends that; never raises."""


def publish_nowhere(run: LiveRun) -> Callable[[], None]:  # noqa: ARG001 - nobody looks at it
    """Export a run to nobody."""
    return done


def done() -> None:
    """End an export that there is not."""
