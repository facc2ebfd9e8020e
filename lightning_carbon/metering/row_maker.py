"""Making the rows of a run, each the difference of two sums, of which the later is kept for the next row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.metering.beats import usage_beat
from lightning_carbon.metering.device_figures import ALWAYS
from lightning_carbon.metering.pricing import RunPricing
from lightning_carbon.metering.probes import sums_at
from lightning_carbon.metering.sums import NOTHING, Hardware, row_between, sums_of
from lightning_carbon.records.journal import RankPart
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from lightning_carbon.energy.attribution import Usage
    from lightning_carbon.metering.outlook import Outlook
    from lightning_carbon.metering.probe import Probe
    from lightning_carbon.records.journal import Header
    from lightning_carbon.records.rows import Row
    from lightning_carbon.settings import MeterConfig


class RowMaker:
    """Makes rows of the usage of a run's ranks.

    Args:
        config: What the energy is priced with.
        header: Of the own rank.
        probes: The hardware that the own rank meters.
        outlook: How the run will end.

    Attributes:
        pricing: The factor that the run is priced with.
    """

    def __init__(self, config: MeterConfig, header: Header, probes: Sequence[Probe], *, outlook: Outlook) -> None:
        self._config = config
        self._asked = None if config.device_metrics else ALWAYS
        self.pricing = RunPricing(config, header.started_at)
        self._grams = 0.0
        if outlook.budget is not None:
            outlook.budget.price_by(lambda: self.pricing.intensity)
        self._probes = probes
        self._outlook = outlook
        self._header = header
        self._hardware = Hardware([header])
        self._last = NOTHING
        self._of: tuple[Usage | None, Sequence[RankPart], AbstractSet[int]] = None, (), frozenset()

    @property
    def steps(self) -> int:
        """The number of steps settled at the last row."""
        return self._last.steps

    def hardware(self, parts: Sequence[RankPart]) -> Hardware:
        """The hardware of these ranks, kept until another rank reports."""
        if not self._hardware.is_of(parts):
            self._hardware = Hardware([part.header for part in parts])
        return self._hardware

    def row(
        self,
        usage: Usage,
        others: Sequence[RankPart],
        silent: AbstractSet[int],
        *,
        at_seconds: float,
        is_over: bool = False,
    ) -> Row:
        """The row since the last row.

        Args:
            usage: The usage of this rank since the start.
            others: The parts of the other ranks; a new list where there is news.
            silent: The ranks that have not written for a while.
            at_seconds: Now, in seconds since 1970.
            is_over: Whether the record is closed, so this row has the rest.
        """
        before = self._last
        known_usage, known_others, known_silent = self._of
        if usage is not known_usage or others is not known_others or silent != known_silent:
            beat = usage_beat(usage, at_seconds, sums_at(self._probes))
            if self._outlook.told.accepted is not None:
                beat = replace(beat, accepted=self._outlook.told.accepted)
            if any(probe.replaced for probe in self._probes):  # another sensor has another range
                beat = replace(beat, sensors=tuple(probe.told(usage.start_ns) for probe in self._probes))
            parts = [RankPart(self._header, beat), *others]
            self._last = sums_of(parts, silent, self.hardware(parts), asked=self._asked)
            self._of = usage, others, silent
        row = row_between(
            before,
            self._last,
            pue=self._config.pue,
            intensity=self.pricing.intensity,
            ranks=1 + len(others) - len(silent),
            heard_of=min(1.0, (1 + sum(part.header.role is None for part in others)) / self._header.world_size),
            is_rest=is_over and before.ns > 0,
            forecast=self._outlook.after(self._last),
        )
        return self._rising(row) if self.pricing.has_series else row

    def _rising(self, row: Row) -> Row:
        """A row whose CO2e is the rise of that of the run: the factor of the run so far changes from row to row."""
        if row.run_grams_co2e is None or row.grams_co2e is None:
            return row
        before, self._grams = self._grams, row.run_grams_co2e
        return replace(row, grams_co2e=row.run_grams_co2e - before)
