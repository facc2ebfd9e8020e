"""The factor that a run is priced with: a place's yearly mean, or a series over time, by the energy used so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from lightning_carbon.carbon.series import IntensitySeries, use_of
from lightning_carbon.records.power_profile import energy_profile_of
from lightning_carbon.records.run import Status
from lightning_carbon.units import NANOSECONDS_PER_SECOND
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.carbon.intensity import Intensity
    from lightning_carbon.carbon.series import SeriesUse
    from lightning_carbon.records.journal import Beat
    from lightning_carbon.records.power_profile import PowerProfile
    from lightning_carbon.settings import MeterConfig

AGAIN_AFTER_NS: Final = 10 * NANOSECONDS_PER_SECOND
"""How often a run that goes on is priced again; no series has shorter intervals than minutes."""


class GrowingSeries(Protocol):
    """A series of carbon intensities that is fetched while a run goes on; no method waits for a network."""

    def start(self, started_at: float, keep: Callable[[IntensitySeries], None]) -> None:
        """Begin to fetch, for a run that started at a moment in seconds since 1970."""
        ...

    def series(self) -> IntensitySeries:
        """The series so far, with what could not be had in its notes."""
        ...

    def stop(self) -> None:
        """Fetch no more."""
        ...


class RunPricing:
    """Prices a run, and keeps the factor for the rows until it is priced again.

    Args:
        config: The factor of the place, and the series, if there is one.
        started_at: The start of the run, in seconds since 1970.
    """

    def __init__(self, config: MeterConfig, started_at: float) -> None:
        self._rest = config.intensity
        self._started_at = started_at
        self._given = config.series if isinstance(config.series, IntensitySeries) else None
        self._live: GrowingSeries | None = None
        self._keep: Callable[[IntensitySeries], None] = lambda _series: None
        self._has_begun = False
        self._use: SeriesUse | None = None
        self._priced_ns = -AGAIN_AFTER_NS

    @property
    def intensity(self) -> Intensity:
        """The factor for everything used so far."""
        return self._rest if self._use is None else self._use.intensity

    @property
    def has_series(self) -> bool:
        """Whether the factor changes while the run goes on."""
        return self._given is not None or self._live is not None

    def follow(self, live: GrowingSeries | None, keep: Callable[[IntensitySeries], None]) -> None:
        """Price with a series that is fetched while the run goes on.

        Args:
            live: The series; ``None`` where none is fetched.
            keep: Keeps what was fetched, on a thread of its own.
        """
        self._live, self._keep = live, keep

    def told(self, beat: Beat, profile: Callable[[], PowerProfile]) -> Beat:
        """A beat with the part of the series in the price, which is worked out again now and then, and at the end.

        Args:
            beat: What was used so far.
            profile: Tells the power of the run over time.
        """
        is_over = beat.status != Status.RUNNING
        if self._live is not None and not self._has_begun:
            self._has_begun = True
            self._live.start(self._started_at, self._keep)
        if self._live is not None and is_over:
            self._live.stop()
        is_due = is_over or beat.ns - self._priced_ns >= AGAIN_AFTER_NS
        series = self._known() if is_due else None
        if series is not None:
            self._use = use_of(energy_profile_of(profile(), self._started_at), series, self._rest)
            self._priced_ns = beat.ns
        return beat if self._use is None else replace(beat, series=self._use)

    def _known(self) -> IntensitySeries | None:
        return self._given if self._live is None else self._live.series()
