"""The sampled steps of a run (``detail="module"``): when modules are watched, and what comes of it.

A few steps in a row are sampled, so that the sensor has news within them, then none for many times as long; at first
more often, so that a short run is known, too. The others are followed: their marks are kept for a while, and the news
of the sensor in them count by what sampled steps have shown. What all this costs is timed, and never more than a
hundredth of the run.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.module_powers import ModuleSums
from lightning_carbon.energy.module_ticks import spans_of
from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.metering.module_trace import ModuleTrace
from lightning_carbon.records.module_table import modules_beat
from lightning_carbon.units import NANOSECONDS_PER_SECOND
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lightning_carbon.energy.attribution import MarkFields
    from lightning_carbon.energy.module_reports import WatchedModel
    from lightning_carbon.energy.timeline import Timeline
    from lightning_carbon.ports import Clock, StepClock
    from lightning_carbon.records.journal import Beat
    from lightning_carbon.records.module_table import ModulesBeat

FIRST_STEP: Final = 2
"""The steps before the first that is sampled: they also allocate, compile and fill caches."""
FIRST_GAP: Final = 4
"""How many times the length of the first window no step is sampled after it; twice as many after each that follows."""
LONGEST_NS: Final = NANOSECONDS_PER_SECOND // 2
"""How long steps are sampled in a row; the slowest sensors of GPUs have news every tenth of a second."""
MOST_STEPS: Final = 32
"""How many steps are sampled in a row at most."""
FOLLOWED_NS: Final = 4 * NANOSECONDS_PER_SECOND
"""How long the marks of steps that are not sampled are kept, before they are taken in."""
FOLLOWED_STEPS: Final = 64
"""How many such steps are taken in together at most."""
MOST_COST: Final = 100
"""What watching may cost: the time so far over this number."""
FOLLOWED_COST: Final = 2 * MOST_COST
"""Up to what cost steps are followed, in the same way; the rest is for those that are sampled."""
FREE_NS: Final = NANOSECONDS_PER_SECOND // 20
"""What watching may cost in any case, so that the shortest runs have their sample."""
LATE_NS: Final = 64 * NANOSECONDS_PER_SECOND
"""How long a window waits for its readings."""
_KNOWN: Final = frozenset(Phase)

logger = logging.getLogger("lightning_carbon")


class ModuleSampling:
    """Samples steps, and gathers what their modules used.

    ``watch``, ``note`` and the reports of hooks belong to the training; ``settle`` and ``conclude`` to whoever holds
    the lock of the run.

    Args:
        every: One step in so many is sampled in the long run.
        clock: The meter's clock.
        step_clock: Tells when the device got to a boundary; ``None`` where the program computes by itself.

    Attributes:
        told: What is known of the modules, once the run has ended.
    """

    told: ModulesBeat | None = None

    def __init__(self, every: int, clock: Clock, step_clock: StepClock | None) -> None:
        self._every = every
        self._now_ns = clock.now_ns
        self._stamp = clock.now_ns if step_clock is None else step_clock.stamp
        self._step_clock = step_clock
        self._model: WatchedModel | None = None
        self._trace: ModuleTrace | None = None
        self._name = ""
        self._done: deque[ModuleTrace] = deque()
        self._sums = ModuleSums()
        self._steps = 0
        self._next = FIRST_STEP
        self._gap = min(FIRST_GAP, every)
        self._started_ns = clock.now_ns()
        self._part: str = Part.OTHER
        self.cost_ns = 0
        self._cost_beside_ns = 0

    @property
    def is_watching(self) -> bool:
        """Whether there is a model to watch."""
        return self._model is not None

    # -- on the training's threads ------------------------------------------------------------------------------------

    def watch(self, model: WatchedModel) -> None:
        """Watch the modules of a model from the next sampled step on, in the place of any other."""
        self._finish()
        if self._name != model.name:
            self._done, self._sums = deque(), ModuleSums()
        self._model, self._name = model, model.name

    def note(self, ticket: object, mark: MarkFields) -> None:
        """Note a mark of the training.

        Args:
            ticket: Its ticket.
            mark: The mark.
        """
        now_ns, phase, _, _, part, lap = mark
        ticket = now_ns if ticket is None else ticket
        if phase is not None:
            if phase in _KNOWN:
                self._finish()
        elif part is not None:
            self._part = part
            if self._trace is not None:
                self._trace.enter_part(ticket, part)
        elif lap is None:
            self._steps += 1
            if self._trace is not None:
                self._step_done(self._trace, ticket, now_ns)
            if self._trace is None and self._model is not None:
                self._go_on(self._model, ticket, now_ns)

    def begin(self, path: str, *, is_backward: bool) -> None:
        """Note that a module begins."""
        began_ns = self._now_ns()
        if (trace := self._trace) is not None:
            trace.begin(path, is_backward=is_backward)
        self.cost_ns += self._now_ns() - began_ns

    def begin_backward(self, path: str) -> None:
        """Note that the gradients of a module's outputs are known."""
        began_ns = self._now_ns()
        if (trace := self._trace) is not None:
            trace.begin_backward(path)
        self.cost_ns += self._now_ns() - began_ns

    def end(self, path: str, *, is_backward: bool) -> None:
        """Note that a module ends."""
        began_ns = self._now_ns()
        if (trace := self._trace) is not None:
            trace.end_of(path, is_backward=is_backward)
        self.cost_ns += self._now_ns() - began_ns

    def end_backward(self) -> None:
        """Note that a backward pass has ended."""
        if (trace := self._trace) is not None:
            trace.end_backward()

    def close(self) -> None:
        """Watch nothing any more."""
        self._finish()
        self._model = None

    def _may_cost(self, now_ns: int, most: int = MOST_COST) -> bool:
        return self.cost_ns + self._cost_beside_ns <= FREE_NS + (now_ns - self._started_ns) // most

    def _go_on(self, model: WatchedModel, ticket: object, now_ns: int) -> None:
        if self._steps >= self._next and self._may_cost(now_ns):
            self._begin(model, ticket, now_ns)
        elif self._next > FIRST_STEP and self._may_cost(now_ns, FOLLOWED_COST):
            self._trace = ModuleTrace(now_ns, ticket, self._stamp, is_watched=False)
            self._trace.enter_part(ticket, self._part)

    def _begin(self, model: WatchedModel, ticket: object, now_ns: int) -> None:
        self._trace = ModuleTrace(now_ns, ticket, self._stamp)
        self._trace.enter_part(ticket, self._part)
        model.watch(self)
        self.cost_ns += self._now_ns() - now_ns

    def _step_done(self, trace: ModuleTrace, ticket: object, now_ns: int) -> None:
        if trace.is_full:
            self._trace = None
            if trace.is_watched:
                self._watch_less()
            return
        trace.step_done(ticket)
        lasted_ns = now_ns - trace.start_ns
        if trace.is_watched:
            is_over = lasted_ns >= LONGEST_NS or trace.steps >= MOST_STEPS or not self._may_cost(now_ns)
        else:
            is_over = lasted_ns >= FOLLOWED_NS or trace.steps >= FOLLOWED_STEPS or self._steps >= self._next
        if is_over:
            self._finish()

    def _watch_less(self) -> None:
        """Begin anew with fewer modules, as those so far have too many boundaries in a step."""
        self._stop_watching()
        self._done, self._sums = deque(), ModuleSums()
        if self._model is not None and not self._model.watch_less():
            self._model = None

    def _finish(self) -> None:
        """End the sampling or following of steps, if any are, and keep those that are whole."""
        trace, self._trace = self._trace, None
        if trace is None:
            return
        if trace.is_watched:
            self._stop_watching()
        if trace.steps:
            trace.cut()
            self._done.append(trace)
            if trace.is_watched:
                self._next = self._steps + self._gap * trace.steps
                self._gap = min(2 * self._gap, self._every)

    def _stop_watching(self) -> None:
        began_ns = self._now_ns()
        if self._model is not None:
            self._model.unwatch()
        self.cost_ns += self._now_ns() - began_ns

    # -- beside the training ------------------------------------------------------------------------------------------

    def settle(self, at_ns: int, timelines: Sequence[Timeline], roots: Callable[[], Iterable[int]]) -> int:
        """Take in the sampled steps that readings have settled.

        Args:
            at_ns: Up to here everything is settled.
            timelines: The curves.
            roots: Gives the places of those that a total sums.

        Returns:
            The first moment whose heights are still needed.
        """
        if self._done:
            self._take_in(at_ns, [timelines[place] for place in roots()])
        waiting = [trace for trace in (*self._done, self._trace) if trace is not None]
        return min([at_ns, *(trace.start_ns for trace in waiting)])

    def _take_in(self, at_ns: int, timelines: Sequence[Timeline]) -> None:
        done, sums = self._done, self._sums  # those of another model may take their place meanwhile
        while done:
            trace = done[0]
            end_ns = self._resolved(trace.end)
            if end_ns is None or end_ns > at_ns:
                if at_ns - trace.start_ns <= LATE_NS:
                    return
            else:
                began_ns = self._now_ns()
                self._add(sums, trace, timelines, end_ns=end_ns)
                self._cost_beside_ns += self._now_ns() - began_ns
            done.popleft()

    def conclude(self) -> None:
        """Work out the shares, at the end of the run."""
        if self.told is None:
            try:
                self.told = modules_beat(self._name, self._sums.steps, self._sums.shares())
            except ArithmeticError:
                logger.warning("the energy of modules could not be worked out", exc_info=True)

    def added_to(self, beat: Beat) -> Beat:
        """A beat of the journal with what is known of the modules."""
        return beat if self.told is None else replace(beat, modules=self.told)

    def _add(self, sums: ModuleSums, trace: ModuleTrace, timelines: Sequence[Timeline], *, end_ns: int) -> None:
        """Add steps, whose modules are where they were seen, or where they usually are."""
        moments = [(self._resolved(ticket), activity, origin) for ticket, activity, origin in trace.boundaries]
        known = [(at_ns, activity, origin) for at_ns, activity, origin in moments if at_ns is not None]
        known.sort(key=lambda boundary: boundary[0])  # those of several threads may cross
        spans = spans_of(known, end_ns)
        heights = _heights(timelines, known[0][0], end_ns)
        if trace.is_watched:
            sums.add(trace.steps, spans, heights)
        else:
            sums.follow(spans, heights)

    def _resolved(self, ticket: object) -> int | None:
        if self._step_clock is None:
            return ticket if isinstance(ticket, int) else None
        return self._step_clock.resolve(ticket)


def _heights(timelines: Sequence[Timeline], start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """The news of the sensor that shows the most around a window; the energy of others is a line between their own."""
    curves = [timeline.curve for timeline in timelines if timeline.curve is not None]
    most = max(curves, key=lambda curve: curve.height(end_ns) - curve.height(start_ns), default=None)
    knots = [] if most is None else most.knots_around(start_ns, end_ns)
    return [(at_ns, sum(curve.height(at_ns) for curve in curves)) for at_ns in knots]
