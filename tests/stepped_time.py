"""The meter's own sampling threads on a clock that a test moves: what they read and when is the same on any machine.

The threads are real, and so is all that they do. Only their pauses last until the test's clock gets there: while the
test sleeps on its clock, thread and test take turns, so neither is ever late, and nothing waits in real time.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from lightning_carbon.metering.engine import Engine
from lightning_carbon.metering.sampler import (
    CLOSE_LOOK_SECONDS,
    FINISH_SECONDS,
    FIRST_HOUSEKEEPING_SECONDS,
    HOUSEKEEPING_SECONDS,
    Sampler,
)
from lightning_carbon.settings import Settings, configure
from lightning_carbon.testing import ManualClock
from lightning_carbon.units import NANOSECONDS_PER_SECOND
from lightning_carbon.wiring import assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning_carbon.metering.adapters import Adapters
    from lightning_carbon.metering.probe import Probe
    from lightning_carbon.metering.sampling import Sampling
    from lightning_carbon.settings import MeterConfig

PATIENCE_SECONDS = 300.0
"""A thread that has not come to its next pause by then has hung outside this clock: an error of the test."""
START_NS = 1_000 * NANOSECONDS_PER_SECOND
NEVER_NS = 1 << 62


class SteppedClock(ManualClock):
    """A clock that moves while the test sleeps on it, from one pause of a thread to the next.

    Args:
        on_move: Told every new time, in nanoseconds.
    """

    def __init__(self, on_move: Callable[[int], object] = lambda _now_ns: None) -> None:
        super().__init__(start_ns=START_NS)
        self._turn = threading.Condition()
        self._busy = 0
        self._due: dict[int, int] = {}
        self._on_move = on_move
        on_move(self.now_ns())

    def sleep(self, seconds: float) -> None:
        """On the test's thread: let so much time pass, and every thread do what falls into it."""
        self._pass(self.now_ns() + round(seconds * NANOSECONDS_PER_SECOND), lambda: False)

    def sleep_until(self, condition: Callable[[], bool], most_seconds: float) -> None:
        """On the test's thread: let time pass until a condition holds, for so long at most."""
        self._pass(self.now_ns() + round(most_seconds * NANOSECONDS_PER_SECOND), condition)

    def hang(self, seconds: float | None = None) -> None:
        """On a thread of the sampler, in a source: take so long to answer, or until :meth:`let_go`."""
        self.pause_until(NEVER_NS if seconds is None else self.now_ns() + round(seconds * NANOSECONDS_PER_SECOND))

    def let_go(self, thread: threading.Thread | None = None) -> None:
        """Wake a thread before its time; by default all of them, so that sources answer that hang."""
        with self._turn:
            self._wake([ident for ident in self._due if thread is None or ident == thread.ident])

    def hasten(self, thread: threading.Thread) -> None:
        """Let the pause of a thread end now, as soon as the test sleeps."""
        with self._turn:
            if thread.ident in self._due:
                self._due[thread.ident] = self.now_ns()

    def pause_until(self, due_ns: int) -> None:
        """On a thread of the sampler: sleep until a moment of this clock."""
        me = threading.get_ident()
        with self._turn:
            self._busy -= 1
            self._due[me] = due_ns
            self._turn.notify_all()
            self._turn.wait_for(lambda: me not in self._due)

    def join(self) -> None:
        """Count in a thread that is about to start."""
        with self._turn:
            self._busy += 1

    def leave(self) -> None:
        """Count out a thread that ends."""
        with self._turn:
            self._busy -= 1
            self._turn.notify_all()

    def _pass(self, until_ns: int, is_enough: Callable[[], bool]) -> None:
        with self._turn:
            self._settle()
            while self.now_ns() < until_ns and not is_enough():
                now_ns = min([until_ns, *self._due.values()])
                self.advance(nanoseconds=max(0, now_ns - self.now_ns()))
                self._on_move(self.now_ns())
                self._wake([thread for thread, due_ns in self._due.items() if due_ns <= now_ns])
                self._settle()

    def _settle(self) -> None:
        """Wait until every thread sleeps or has ended."""
        if not self._turn.wait_for(lambda: self._busy == 0, PATIENCE_SECONDS):
            message = f"{self._busy} threads do not come to their next pause"
            raise AssertionError(message)

    def _wake(self, threads: Sequence[int]) -> None:
        for thread in threads:
            del self._due[thread]
        self._busy += len(threads)
        self._turn.notify_all()


class SteppedSampler(Sampler):
    """The sampler with its threads, whose pauses are those of a :class:`SteppedClock`."""

    def __init__(self, probes: Sequence[Probe], sampling: Sampling) -> None:
        super().__init__(probes, sampling)
        assert isinstance(sampling.clock, SteppedClock)
        self._time = sampling.clock
        self._has_ended = False

    def start(self) -> None:
        """Start both threads."""
        self._time.join()  # the one that keeps house; the other is counted where it is launched
        super().start()

    def finish(self, at_ns: int) -> None:
        """Let the end take its time on the clock, and end the threads."""
        self._time.sleep(0.0)
        self._finish_ns = at_ns
        self._is_over = True
        if self._keeper is not None:
            self._time.let_go(self._keeper)
        self._time.sleep_until(lambda: self._has_ended, FINISH_SECONDS * 2)
        super().finish(at_ns)

    def _launch(self) -> None:
        self._time.join()
        super()._launch()

    def _run(self, generation: int) -> None:
        try:
            super()._run(generation)
        finally:
            self._has_ended = generation == self._generation
            self._time.leave()

    def _pause(self, until_ns: int) -> None:
        if self._finish_ns is None:
            self._time.pause_until(until_ns)

    def _wake(self) -> None:
        if self._thread is not None:
            self._time.hasten(self._thread)

    def _rest(self) -> None:
        self._time.pause_until(self._clock.now_ns() + round(CLOSE_LOOK_SECONDS * NANOSECONDS_PER_SECOND))

    def _keep_house(self) -> None:
        pause = FIRST_HOUSEKEEPING_SECONDS
        while not self._is_over:
            self._time.pause_until(self._clock.now_ns() + round(pause * NANOSECONDS_PER_SECOND))
            pause = min(pause * 2, HOUSEKEEPING_SECONDS)
            if not self._is_over:
                self.check()
                self._housekeeping()
        self._time.leave()


def engine_on(clock: SteppedClock, **settings: Unpack[Settings]) -> Engine:
    """A meter as users get it, on such a clock.

    Args:
        clock: Its clock.
        settings: As for :class:`~lightning_carbon.Meter`.
    """

    def adapters(config: MeterConfig) -> Adapters:
        return replace(assemble(config), clock=clock, step_clock=None)

    return Engine(configure(**settings), adapters, SteppedSampler)
