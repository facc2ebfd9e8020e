"""The factor that a run is priced with: a place's yearly mean, or a series over time, by the energy used so far."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.series import use_of
from lightning_carbon.records.power_profile import energy_profile_of
from lightning_carbon.records.run import Status
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.carbon.intensity import Intensity
    from lightning_carbon.carbon.series import IntensitySeries, SeriesUse
    from lightning_carbon.records.journal import Beat
    from lightning_carbon.records.power_profile import PowerProfile
    from lightning_carbon.settings import MeterConfig

AGAIN_AFTER_NS: Final = 10 * NANOSECONDS_PER_SECOND
"""How often a run that goes on is priced again; no series has shorter intervals than minutes."""


class RunPricing:
    """Prices a run, and keeps the factor for the rows until it is priced again.

    Args:
        config: The factor of the place, and the series, if there is one.
        started_at: The start of the run, in seconds since 1970.
        series: The series as far as it is known; default: that of the configuration.
    """

    def __init__(
        self, config: MeterConfig, started_at: float, series: Callable[[], IntensitySeries | None] | None = None
    ) -> None:
        self._rest = config.intensity
        self._started_at = started_at
        self._series = series or (lambda: config.series)
        self._use: SeriesUse | None = None
        self._priced_ns = -AGAIN_AFTER_NS

    @property
    def intensity(self) -> Intensity:
        """The factor for everything used so far."""
        return self._rest if self._use is None else self._use.intensity

    def told(self, beat: Beat, profile: Callable[[], PowerProfile]) -> Beat:
        """A beat with the part of the series in the price, which is worked out again now and then, and at the end.

        Args:
            beat: What was used so far.
            profile: Tells the power of the run over time.
        """
        is_due = beat.status != Status.RUNNING or beat.ns - self._priced_ns >= AGAIN_AFTER_NS
        series = self._series() if is_due else None
        if series is not None:
            self._use = use_of(energy_profile_of(profile(), self._started_at), series, self._rest)
            self._priced_ns = beat.ns
        return beat if self._use is None else replace(beat, series=self._use)
