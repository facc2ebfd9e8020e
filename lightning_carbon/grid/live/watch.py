"""A series that grows while a run goes on: a provider is asked now and then, on a thread of its own.

Nothing waits for it. What it could not get, and why, stands in the notes of its series, and so in the run's record.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.series import IntensitySeries, steps_of
from lightning_carbon.grid.live.client import NotFetched, ask, within
from lightning_carbon.grid.live.providers import LOOK_BACK_SECONDS, PROVIDERS, Provider, Question

if TYPE_CHECKING:
    from lightning_carbon.grid.live.plans import LivePlan
    from lightning_carbon.grid.live.providers import Ask, Points

EVERY_SECONDS: Final = 900.0
"""How often a provider is asked; no source has news more often than every five minutes, and most every hour."""
FIRST_BACK_OFF_SECONDS: Final = 30.0
"""The wait after a first failure, doubled by each further failure up to the usual distance."""
PATIENCE_SECONDS: Final = 20.0
"""How long a request may take in all, its look-up of the name included."""

_MOST_DOUBLINGS: Final = 10


class LiveSeries:
    """The carbon intensities of a provider, as far as they could be had.

    Args:
        plan: The provider and the zone.
        provider: The provider; default: by its name.
        asking: Gets JSON from a URL.
        clock: Tells the time in seconds since 1970.
        patience: How long a request may take in all, in seconds.
    """

    def __init__(
        self,
        plan: LivePlan,
        provider: Provider | None = None,
        *,
        asking: Ask = ask,
        clock: Callable[[], float] = time.time,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._zone = plan.zone
        self._provider = provider or PROVIDERS[plan.provider]
        self._ask = asking
        self._clock = clock
        self._patience = patience
        self._points: dict[float, float] = {}
        self._asked = self._failed = self._in_a_row = 0
        self._wait = 0.0
        self._reasons: dict[str, None] = {}
        self._since = 0.0
        self._keep: Callable[[IntensitySeries], None] = lambda _series: None
        self._end = threading.Event()
        self._news = threading.Event()
        self._series = self._made()

    def start(self, started_at: float, keep: Callable[[IntensitySeries], None] = lambda _series: None) -> None:
        """Begin to ask, on a thread of its own.

        Args:
            started_at: The start of the run, in seconds since 1970.
            keep: Called on that thread with every series that has news.
        """
        self._since = started_at
        self._keep = keep
        thread = threading.Thread(target=self._go_on, name="lightning-carbon-live", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._note_failure(f"no thread is free: {error}")

    def stop(self) -> None:
        """Ask no more; a request under way is left behind."""
        self._end.set()

    def series(self) -> IntensitySeries:
        """The series so far; another object where there is news."""
        return self._series

    def fetch(self) -> float:
        """Ask once.

        Returns:
            How long to wait before the next time, in seconds.
        """
        start, end = self._since - LOOK_BACK_SECONDS, self._clock() + LOOK_BACK_SECONDS / 2
        self._asked += 1

        def answer() -> Points:
            question = Question(self._provider.url, self._provider.secrets(), self._zone, start, end)
            return self._provider.fetch(question, self._ask)

        try:
            points = within(self._patience, answer)
        except NotFetched as error:
            self._failed += 1
            self._note_failure(error.reason)
            wait = min(EVERY_SECONDS, FIRST_BACK_OFF_SECONDS * float(2 ** min(self._in_a_row - 1, _MOST_DOUBLINGS)))
            return wait if error.retry_seconds is None else max(wait, error.retry_seconds)
        self._in_a_row = 0
        self._points |= {at: grams for at, grams in points if at >= start}
        self._series = self._made()
        self._keep(self._series)
        self._news.set()
        return EVERY_SECONDS

    def wait_for_news(self, seconds: float) -> bool:
        """Wait until something was had; for tests and for commands, never for a training."""
        return self._news.wait(seconds)

    def _go_on(self) -> None:
        while not self._end.wait(self._wait):
            self._wait = self.fetch()

    def _note_failure(self, reason: str) -> None:
        self._in_a_row += 1
        self._reasons[reason] = None
        self._series = self._made()

    def _made(self) -> IntensitySeries:
        zone = f", {self._zone}" if self._zone else ""
        notes: tuple[str, ...] = ()
        if self._reasons:
            notes = (f"{self._failed} of {self._asked} requests failed: {', '.join(self._reasons)}",)
        elif not self._points:
            notes = ("no answer has come yet",)
        return IntensitySeries(
            *steps_of(self._points.items()),
            source=f"{self._provider.name}{zone}",
            basis=self._provider.basis,
            signal=self._provider.signal,
            region=self._zone,
            notes=notes,
        )
