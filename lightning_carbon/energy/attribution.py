"""Whose energy was it? Walks over the marks of a training and hands the rise of every curve to phases and steps.

The marks are step ends and changes of the phase or of the part within it, in order of time. A step is what lies
between a step end or a phase change and the step end that follows it, so the waiting for its data belongs to it.
Everything is a difference of heights at the same moments on all curves: the phases add up to the run, the parts of a
phase to the phase, the rows to the run, and the steps of a row to at most the row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lightning_carbon.energy.phases import Part, Phase

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Sequence

    from lightning_carbon.energy.timeline import Timeline

_Key = TypeVar("_Key", Phase, Part)


class Mark(NamedTuple):
    """A step end, or a change of the phase or of the part within it.

    Args:
        at_ns: When.
        phase: The phase that begins here, or ``None``. It goes on with the part that it was left in.
        samples: How many samples the step had, if known.
        tokens: How many tokens the step had, if known.
        part: The part of the phase that begins here, or ``None``; a mark with neither phase nor part is a step end.
    """

    at_ns: int
    phase: Phase | None = None
    samples: int | None = None
    tokens: int | None = None
    part: Part | None = None


class StepEnergy(NamedTuple):
    """The energy of one step.

    Args:
        step: Its number in the run, from 0.
        phase: The phase it was in.
        start_ns: Where it began.
        end_ns: Where it ended.
        microjoules: Its energy on every curve, in the order of the timelines.
    """

    step: int
    phase: Phase
    start_ns: int
    end_ns: int
    microjoules: tuple[int, ...]


@dataclass(slots=True)
class Share:
    """The energy of one phase, or of one part of it.

    Args:
        nanoseconds: How long the phase lasted.
        microjoules: Its energy on every curve, in the order of the timelines.
        covered: How many nanoseconds of it readings cover, on every curve.
        parts: The share of each of its parts, where they are told apart; they add up to it.
    """

    nanoseconds: int
    microjoules: list[int]
    covered: list[int]
    parts: dict[Part, Share] = field(default_factory=dict)

    def add(self, other: Share) -> None:
        """Add what the same phase used later."""
        self.nanoseconds += other.nanoseconds
        self.microjoules = _add(self.microjoules, other.microjoules)
        self.covered = _add(self.covered, other.covered)
        for part, share in other.parts.items():
            _share_of(self.parts, part, len(share.microjoules)).add(share)


@dataclass(slots=True)
class Tally:
    """What has been attributed since some moment.

    Args:
        start_ns: That moment.
        end_ns: Up to where.
        phases: The share of each phase that occurred.
        steps: How many steps ended.
        samples: How many samples they had; ``None`` where no step told.
        tokens: How many tokens they had; ``None`` where no step told.
        step_microjoules: The energy of those steps on every curve; a step that began before ``start_ns`` counts whole.
        step_nanoseconds: The duration of those steps, likewise.
    """

    start_ns: int
    end_ns: int
    phases: dict[Phase, Share] = field(default_factory=dict)
    steps: int = 0
    samples: int | None = None
    tokens: int | None = None
    step_microjoules: list[int] = field(default_factory=list)
    step_nanoseconds: int = 0

    def microjoules(self, index: int) -> int:
        """The energy of all phases on one curve."""
        return sum(share.microjoules[index] for share in self.phases.values())

    def covered(self, index: int) -> int:
        """The covered nanoseconds of all phases on one curve."""
        return sum(share.covered[index] for share in self.phases.values())

    def add(self, other: Tally) -> None:
        """Add the tally of the time that follows."""
        self.end_ns = other.end_ns
        for phase, share in other.phases.items():
            _share_of(self.phases, phase, len(share.microjoules)).add(share)
        self.steps += other.steps
        self.samples = _plus(self.samples, other.samples)
        self.tokens = _plus(self.tokens, other.tokens)
        self.step_microjoules = _add(self.step_microjoules, other.step_microjoules)
        self.step_nanoseconds += other.step_nanoseconds


class Attribution:
    """Hands the rise of the curves to phases and steps, up to a moment and then on.

    Args:
        timelines: The curves, in a fixed order.
        start_ns: Where the run begins.
        phase: The phase it begins in.
        on_step: Called with every step, in order, where the energy of single steps is wanted.
        detailed: Whether the parts of phases are told apart.
    """

    def __init__(
        self,
        timelines: Sequence[Timeline],
        start_ns: int,
        phase: Phase,
        on_step: Callable[[StepEnergy], None] | None = None,
        *,
        detailed: bool = False,
    ) -> None:
        self._timelines = timelines
        self._on_step = on_step
        self._phase = phase
        self._detailed = detailed
        self._parts: dict[Phase, Part] = {}
        self._at_ns = start_ns
        self._step_start_ns = start_ns
        self._heights: list[int] = []
        self._covered: list[int] = []
        self._based = False
        self._unclaimed = [0] * len(timelines)
        self._steps = 0

    @property
    def at_ns(self) -> int:
        """Up to here everything is attributed."""
        return self._at_ns

    def advance(self, marks: deque[Mark], cut_ns: int) -> Tally:
        """Attribute up to a moment.

        Args:
            marks: The marks not attributed yet, in order of time; those up to ``cut_ns`` are taken off.
            cut_ns: The moment; not after the watermark of any timeline.

        Returns:
            What was attributed. What lies after the last mark goes to the phase; should a step end follow, the step
            still counts whole, in the tally that its end falls in.
        """
        if cut_ns > self._at_ns and not self._based:
            # Only now: a counter that jumps has no curve before its second jump; the curve then begins before the run.
            self._based = True
            self._heights = [timeline.height(self._at_ns) for timeline in self._timelines]
            self._covered = [timeline.covered(self._at_ns) for timeline in self._timelines]
        tally = Tally(self._at_ns, max(cut_ns, self._at_ns), step_microjoules=[0] * len(self._timelines))
        step_end_ns: int | None = None
        while marks and marks[0].at_ns <= cut_ns:
            mark = marks.popleft()
            at_ns = max(mark.at_ns, step_end_ns or self._at_ns)
            if mark.phase is None and mark.part is None:
                self._count(tally, mark)
                step_end_ns = at_ns
                if self._on_step is not None:
                    self._on_step(self._claim(tally, at_ns))
                continue
            if step_end_ns is not None:
                self._claim(tally, step_end_ns)
                step_end_ns = None
            self._go(tally, at_ns)
            if mark.part is not None:
                self._parts[self._phase] = mark.part
            if mark.phase is not None:
                self._unclaimed = [0] * len(self._timelines)
                self._step_start_ns = at_ns
                self._phase = mark.phase
        if step_end_ns is not None:
            self._claim(tally, step_end_ns)
        self._go(tally, tally.end_ns)
        return tally

    def _count(self, tally: Tally, mark: Mark) -> None:
        self._steps += 1
        tally.steps += 1
        tally.samples = _plus(tally.samples, mark.samples)
        tally.tokens = _plus(tally.tokens, mark.tokens)

    def _claim(self, tally: Tally, end_ns: int) -> StepEnergy:
        """Give the steps that end here the energy since the mark before the first of them."""
        self._go(tally, end_ns)
        step = StepEnergy(self._steps - 1, self._phase, self._step_start_ns, end_ns, tuple(self._unclaimed))
        tally.step_microjoules = _add(tally.step_microjoules, step.microjoules)
        tally.step_nanoseconds += end_ns - self._step_start_ns
        self._unclaimed = [0] * len(self._timelines)
        self._step_start_ns = end_ns
        return step

    def _go(self, tally: Tally, to_ns: int) -> None:
        """Give the phase the energy up to a moment."""
        span_ns = to_ns - self._at_ns
        if span_ns <= 0:
            return
        share = _share_of(tally.phases, self._phase, len(self._timelines))
        shares = [share]
        if self._detailed:
            part = self._parts.get(self._phase, Part.OTHER)
            shares.append(_share_of(share.parts, part, len(self._timelines)))
        for one in shares:
            one.nanoseconds += span_ns
        for index, timeline in enumerate(self._timelines):
            height, covered = timeline.height(to_ns), timeline.covered(to_ns)
            rise = height - self._heights[index]
            for one in shares:
                one.microjoules[index] += rise
                one.covered[index] += covered - self._covered[index]
            self._unclaimed[index] += rise
            self._heights[index], self._covered[index] = height, covered
        self._at_ns = to_ns


def _share_of(shares: dict[_Key, Share], key: _Key, count: int) -> Share:
    """The share of a phase or a part, of nothing so far where there was none."""
    share = shares.get(key)
    if share is None:
        share = shares[key] = Share(0, [0] * count, [0] * count)
    return share


def _add(left: list[int], right: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip(left, right, strict=True)]


def _plus(left: int | None, right: int | None) -> int | None:
    return right if left is None else left if right is None else left + right
