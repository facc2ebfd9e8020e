"""The power of a machine as a service processor last told it, which a thread of its own asks."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from lightning_carbon.errors import NoNews, ReadFailed, SourceLost
from lightning_carbon.settings.redfish import headers_of
from lightning_carbon.sources.redfish.chassis import find_meters, shown_by
from lightning_carbon.sources.redfish.client import Service
from lightning_carbon.units import Power

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.settings.redfish import RedfishPlan
    from lightning_carbon.sources.redfish.chassis import Get, PowerResource

EVERY_SECONDS: Final = 2.0
"""The time between two questions: what a service processor shows is a mean of seconds, and it is slow; ours."""
FRESH_SECONDS: Final = 15.0
"""How long an answer counts; ours."""
UNREAD_SECONDS: Final = 30.0
"""How long a thread asks on after it was last read; ours."""
MOST_WAIT_SECONDS: Final = 60.0
"""The most time between two questions, where none was answered."""
_STANDING_SECONDS: Final = 120.0
"""How long the mean power counts that follows from an energy which moves in coarse steps; ours."""


class _Answer(NamedTuple):
    """What was told last.

    Args:
        at: When, in seconds of the monotonic clock.
        watts: The power of the machine.
    """

    at: float
    watts: float


class RedfishGauge:
    """A :class:`~lightning_carbon.ports.PowerGauge` that shows what its thread was told last.

    Args:
        sensor: What it covers.
        get: Gets a resource; it may take long, and hang.
        chosen: The chassis that are the machine; none: they are found.
        every_seconds: The time between two questions.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        sensor: Sensor,
        get: Get,
        chosen: tuple[str, ...] = (),
        *,
        every_seconds: float = EVERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sensor = sensor
        self._get = get
        self._chosen = chosen
        self._every = every_seconds
        self._clock = clock
        self._meters: list[PowerResource] = []
        self._energies: dict[PowerResource, _Energy] = {}
        self._answer: _Answer | None = None
        self._lost: str | None = None
        self._read_at = 0.0
        self._thread: threading.Thread | None = None
        self._heard = threading.Event()
        #: Why the last question had no answer that can be used; empty where it had.
        self.trouble = ""

    @classmethod
    def of(cls, plan: RedfishPlan, sensor: Sensor, environ: Mapping[str, str] = os.environ) -> Self:
        """A gauge of a service processor, which it does not ask before it is read."""
        return cls(sensor, Service(plan, headers_of(environ)), plan.chassis)

    @property
    def sensor(self) -> Sensor:
        """What it covers and how."""
        return self._sensor

    def read_power(self) -> Power:
        """The power that was told last; waits for nothing.

        Raises:
            NoNews: Nothing was told for a while, or nothing yet.
            SourceLost: The service processor will not tell.
        """
        self._see_to_thread()
        if self._lost is not None:
            raise SourceLost(self._lost)
        answer = self._answer
        if answer is None or self._clock() - answer.at > FRESH_SECONDS:
            raise NoNews(self.trouble or "no answer yet")
        return Power(answer.watts)

    def wait(self, seconds: float) -> bool:
        """Wait for the first answer, or until there will be none; for commands, never for a training.

        Returns:
            Whether there was an answer.
        """
        self._see_to_thread()
        self._heard.wait(seconds)
        return self._answer is not None

    def ask(self) -> None:
        """Ask once, on the calling thread.

        Raises:
            ReadFailed: There was no answer that can be used.
            SourceLost: There will be none.
        """
        if not self._meters:
            self._meters = find_meters(self._get, self._chosen)
        watts = 0.0
        for meter in self._meters:
            shown, now = shown_by(meter, self._get), self._clock()
            if shown.watts is not None:
                watts += shown.watts
            elif shown.joules is not None:
                watts += self._energies.setdefault(meter, _Energy()).mean_watts(shown.joules, now)
        self._answer, self.trouble = _Answer(self._clock(), watts), ""
        self._heard.set()

    def _see_to_thread(self) -> None:
        """Start the thread where none asks: at the first reading, and after a time without readings."""
        self._read_at = self._clock()
        if self._lost is not None or (self._thread is not None and self._thread.is_alive()):
            return
        thread = threading.Thread(target=self._go_on, name="lightning-carbon-redfish", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            raise NoNews(f"no thread is free: {error}") from error
        self._thread = thread

    def _go_on(self) -> None:
        pause, idle = self._every, threading.Event()
        while self._clock() - self._read_at < UNREAD_SECONDS:
            try:
                self.ask()
                pause = self._every
            except SourceLost as error:
                self.trouble = self._lost = str(error)
                self._heard.set()
                break
            except ReadFailed as error:
                self.trouble = str(error)
                pause = min(MOST_WAIT_SECONDS, pause * 2)
            except Exception as error:  # noqa: BLE001 - whatever the library or an answer brings, the training goes on
                self.trouble = f"a garbled answer ({type(error).__name__})"
                pause = min(MOST_WAIT_SECONDS, pause * 2)
            idle.wait(pause)
        close = getattr(self._get, "close", None)
        if close is not None:
            close()


class _Energy:
    """The mean power of a chassis that shows its energy alone, between the two last moves of it."""

    def __init__(self) -> None:
        self._joules: float | None = None
        self._at = 0.0
        self._watts: float | None = None
        self._has_moved = False

    def mean_watts(self, joules: float, at: float) -> float:
        """The power that follows from an energy.

        Raises:
            ReadFailed: It has not moved twice yet, or not for long.
        """
        if self._joules is None or joules < self._joules:
            self._joules, self._at, self._has_moved, self._watts = joules, at, False, None
        elif joules > self._joules:
            # The first move ends a time that began at an unknown moment.
            self._watts = (joules - self._joules) / (at - self._at) if self._has_moved and at > self._at else None
            self._joules, self._at, self._has_moved = joules, at, True
        if self._watts is None or at - self._at > _STANDING_SECONDS:
            raise ReadFailed("its energy moves too seldom to be a power")
        return self._watts
