"""A run as exporters see it, from threads of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning_carbon.metering.run import Run
    from lightning_carbon.records.run import RunRecord


class ShownRun:
    """The record and the readings of a run, on any thread.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def record(self) -> RunRecord:
        """The record of what readings have settled so far."""
        run = self._run
        with run.lock:
            if not run.is_over:
                run.settle()
            return run.record_so_far()

    def readings(self) -> dict[str, dict[str, float]]:
        """The last readings of the devices of this host beside their power, by domain and name."""
        with self._run.lock:
            parts = self._run.parts()
        return {
            domain.id: {name: shown.last for name, shown in told.gauges.items()}
            for part in parts
            if part.header.host_id == parts[0].header.host_id
            for place, domain in enumerate(part.header.domains)
            if (told := part.beat.condition(place)) is not None
        }
