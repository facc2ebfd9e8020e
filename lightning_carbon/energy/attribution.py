"""Attribution of energy: walks over the marks of a training and hands the rise of every curve to phases and steps.

The marks are step ends and changes of the phase or of the part within it, in order of time. A step is what lies
between a step end or a phase change and the step end that follows it, so the waiting for its data belongs to it. A
phase of the program's own that begins and ends in the midst of a step, such as ``rollout``, belongs to it, too.
Everything is a difference of heights at the same moments on all curves: the phases add up to the run, the parts of a
phase to the phase, the rows to the run, and the steps of a row to at most the row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Sequence

    from lightning_carbon.energy.timeline import Timeline

MOST_LAPS: Final = 256
"""How many moments are known that are asked for later: twice as many as there are evaluations under way."""
_KNOWN: Final = frozenset(Phase)


class Mark(NamedTuple):
    """A step end, or a change of the phase or of the part within it.

    Args:
        at_ns: When.
        phase: The phase that begins here, or ``None``. It goes on with the part that it was left in.
        samples: How many samples the step had, if known.
        tokens: How many tokens the step had, if known.
        part: The part of the phase that begins here, or ``None``.
        lap: The number of a moment that is asked for later, or ``None``; a mark with none of the three is a step end.
    """

    at_ns: int
    phase: str | None = None
    samples: int | None = None
    tokens: int | None = None
    part: str | None = None
    lap: int | None = None


MarkFields = tuple[int, str | None, int | None, int | None, str | None, int | None]
"""The fields of a :class:`Mark`, in their order: a plain tuple, as a training makes one at every step."""


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
    phase: str
    start_ns: int
    end_ns: int
    microjoules: tuple[int, ...]


class _Waiting(NamedTuple):
    """A step that has begun, while a phase of the program's own is in its midst.

    Args:
        phase: The phase that it is in.
        start_ns: Where it began.
        microjoules: What it has used on every curve.
    """

    phase: str
    start_ns: int
    microjoules: list[int]


@dataclass(slots=True)
class PhaseUsage:
    """What one phase, or one part of it, has used.

    Args:
        nanoseconds: How long it lasted.
        microjoules: Its energy on every curve, in the order of the timelines.
        covered: How many nanoseconds of it readings cover, on every curve.
        parts: What each of its parts has used, where they were distinguished; they add up to it.
        visits: How often the part began; 0 for a phase.
    """

    nanoseconds: int
    microjoules: list[int]
    covered: list[int]
    parts: dict[str, PhaseUsage] = field(default_factory=dict)
    visits: int = field(default=0, compare=False)

    def add(self, nanoseconds: int, microjoules: Sequence[int], covered: Sequence[int]) -> None:
        """Have used that much more, within the same phase or part."""
        self.nanoseconds += nanoseconds
        self.microjoules = _sum(self.microjoules, microjoules)
        self.covered = _sum(self.covered, covered)

    def plus(self, later: PhaseUsage) -> PhaseUsage:
        """What the phase has used in all, with what it used later."""
        return PhaseUsage(
            self.nanoseconds + later.nanoseconds,
            _sum(self.microjoules, later.microjoules),
            _sum(self.covered, later.covered),
            _merged(self.parts, later.parts),
            self.visits + later.visits,
        )


class LapEnergy(NamedTuple):
    """What had been used at a moment that is asked for later.

    Args:
        at_ns: The moment.
        microjoules: The energy up to there, on every curve.
    """

    at_ns: int
    microjoules: tuple[int, ...]


@dataclass(slots=True)
class Usage:
    """What has been used between two moments.

    Args:
        start_ns: The first moment.
        end_ns: The other.
        phases: What each phase that occurred has used.
        steps: How many steps ended.
        samples: How many samples they had; ``None`` where no step told.
        tokens: How many tokens they had; ``None`` where no step told.
        step_microjoules: The energy of those steps on every curve; a step that began before ``start_ns`` counts whole.
        step_nanoseconds: The duration of those steps, counted in the same way.
        laps: The last moments that are asked for later, by number; never more than :data:`MOST_LAPS`.
    """

    start_ns: int
    end_ns: int
    phases: dict[str, PhaseUsage] = field(default_factory=dict)
    steps: int = 0
    samples: int | None = None
    tokens: int | None = None
    step_microjoules: list[int] = field(default_factory=list)
    step_nanoseconds: int = 0
    laps: dict[int, LapEnergy] = field(default_factory=dict)

    def microjoules(self, index: int) -> int:
        """The energy of all phases on one curve."""
        return sum(phase.microjoules[index] for phase in self.phases.values())

    def covered(self, index: int) -> int:
        """The covered nanoseconds of all phases on one curve."""
        return sum(phase.covered[index] for phase in self.phases.values())

    def plus(self, later: Usage) -> Usage:
        """What has been used in all, with what was used in the time that follows."""
        return Usage(
            self.start_ns,
            later.end_ns,
            _merged(self.phases, later.phases),
            self.steps + later.steps,
            _plus(self.samples, later.samples),
            _plus(self.tokens, later.tokens),
            _sum(self.step_microjoules, later.step_microjoules),
            self.step_nanoseconds + later.step_nanoseconds,
            self._laps_with(later) if later.laps else self.laps,
        )

    def _laps_with(self, later: Usage) -> dict[int, LapEnergy]:
        before = [self.microjoules(index) for index in range(len(self.step_microjoules))]
        laps = {
            number: lap._replace(microjoules=tuple(_sum(before, lap.microjoules))) for number, lap in later.laps.items()
        }
        return dict([*self.laps.items(), *laps.items()][-MOST_LAPS:])


class Attribution:
    """Hands the rise of the curves to phases and steps, one interval after the other.

    Args:
        timelines: The curves, in a fixed order.
        start_ns: Where the run begins.
        phase: The phase it begins in.
        on_step: Called with every step, in order, where the energy of single steps is wanted.
        detailed: Whether the parts of phases are distinguished.
    """

    def __init__(
        self,
        timelines: Sequence[Timeline],
        start_ns: int,
        phase: str,
        *,
        on_step: Callable[[StepEnergy], None] | None = None,
        detailed: bool = False,
    ) -> None:
        self._timelines = timelines
        self._on_step = on_step
        self._phase = phase
        self._detailed = detailed
        self._parts: dict[str, str] = {}
        self._at_ns = start_ns
        self._step_start_ns = start_ns
        self._heights: list[int] = []
        self._covered: list[int] = []
        self._based = False
        self._unclaimed = [0] * len(timelines)
        self._waiting: tuple[_Waiting, ...] = ()
        self._has_begun = True  # a phase or a part of one, of which nothing is attributed yet
        self._steps = 0

    @property
    def at_ns(self) -> int:
        """Up to here everything is attributed."""
        return self._at_ns

    def copy(self, on_step: Callable[[StepEnergy], None] | None = None) -> Attribution:
        """A copy that goes on from here, independent of the original.

        Args:
            on_step: Called with every step of the copy.
        """
        twin = object.__new__(Attribution)
        vars(twin).update(
            vars(self),
            _on_step=on_step,
            _parts=dict(self._parts),
            _heights=list(self._heights),
            _covered=list(self._covered),
            _unclaimed=list(self._unclaimed),
        )
        return twin

    def advance(self, marks: deque[Mark], cut_ns: int) -> Usage:
        """Attribute up to a moment.

        Args:
            marks: The marks not attributed yet, in order of time; those up to ``cut_ns`` are taken off.
            cut_ns: The moment; not after the watermark of any timeline.

        Returns:
            What was attributed. What lies after the last mark goes to the phase; should a step end follow, the step
            still counts whole, in the usage that its end falls in.
        """
        if cut_ns > self._at_ns and not self._based:
            # Only now: a counter that jumps has no curve before its second jump; the curve then begins before the run.
            self._based = True
            found = [timeline.at(self._at_ns) for timeline in self._timelines]
            self._heights = [height for height, _ in found]
            self._covered = [covered for _, covered in found]
        usage = Usage(self._at_ns, max(cut_ns, self._at_ns), step_microjoules=[0] * len(self._timelines))
        step_end_ns: int | None = None
        while marks and marks[0].at_ns <= cut_ns:
            mark = marks.popleft()
            at_ns = max(mark.at_ns, step_end_ns or self._at_ns)
            if mark.phase is None and mark.part is None and mark.lap is None:
                self._count(usage, mark)
                step_end_ns = at_ns
                if self._on_step is not None:
                    self._on_step(self._claim(usage, at_ns))
                continue
            if step_end_ns is not None:
                self._claim(usage, step_end_ns)
                step_end_ns = None
            self._go(usage, at_ns)
            if mark.lap is not None:
                used = tuple(usage.microjoules(index) for index in range(len(self._timelines)))
                usage.laps[mark.lap] = LapEnergy(at_ns, used)
            self._has_begun |= mark.lap is None
            if mark.part is not None:
                self._parts[self._phase] = mark.part
            if mark.phase is not None:
                self._begin(mark.phase, at_ns)
        if step_end_ns is not None:
            self._claim(usage, step_end_ns)
        self._go(usage, usage.end_ns)
        return usage

    def _count(self, usage: Usage, mark: Mark) -> None:
        self._steps += 1
        usage.steps += 1
        if mark.samples is not None:
            usage.samples = mark.samples + (usage.samples or 0)
        if mark.tokens is not None:
            usage.tokens = mark.tokens + (usage.tokens or 0)

    def _begin(self, phase: str, at_ns: int) -> None:
        """Begin a phase, and with it a step; one of the program's own lets the step around it wait, and go on after."""
        place = next((place for place, waiting in enumerate(self._waiting) if waiting.phase == phase), None)
        if place is not None:
            for waiting in self._waiting[place:]:
                self._unclaimed = _sum(self._unclaimed, waiting.microjoules)
            self._step_start_ns = self._waiting[place].start_ns
            self._waiting = self._waiting[:place]
        else:
            waiting = _Waiting(self._phase, self._step_start_ns, self._unclaimed)
            self._waiting = () if phase in _KNOWN else (*self._waiting, waiting)
            self._unclaimed = [0] * len(self._timelines)
            self._step_start_ns = at_ns
        self._phase = phase

    def _claim(self, usage: Usage, end_ns: int) -> StepEnergy:
        """Give the steps that end here the energy since the mark before the first of them."""
        self._go(usage, end_ns)
        step = StepEnergy(self._steps - 1, self._phase, self._step_start_ns, end_ns, tuple(self._unclaimed))
        usage.step_microjoules = _sum(usage.step_microjoules, step.microjoules)
        usage.step_nanoseconds += end_ns - self._step_start_ns
        self._unclaimed = [0] * len(self._timelines)
        self._waiting = ()
        self._step_start_ns = end_ns
        return step

    def _go(self, usage: Usage, to_ns: int) -> None:
        """Give the phase the energy up to a moment."""
        span_ns = to_ns - self._at_ns
        if span_ns <= 0:
            return
        found = [timeline.at(to_ns) for timeline in self._timelines]
        heights, covered = [height for height, _ in found], [covered for _, covered in found]
        rises, newly = _rises(self._heights, heights), _rises(self._covered, covered)
        self._heights, self._covered, self._at_ns = heights, covered, to_ns
        self._unclaimed = _sum(self._unclaimed, rises)
        phase = _usage_of(usage.phases, self._phase, len(self._timelines))
        phase.add(span_ns, rises, newly)
        if self._detailed:
            part = _usage_of(phase.parts, self._parts.get(self._phase, Part.OTHER), len(self._timelines))
            part.add(span_ns, rises, newly)
            part.visits += self._has_begun
        self._has_begun = False


def _usage_of(known: dict[str, PhaseUsage], key: str, count: int) -> PhaseUsage:
    """What a phase or a part has used, nothing so far where it is new."""
    usage = known.get(key)
    if usage is None:
        usage = known[key] = PhaseUsage(0, [0] * count, [0] * count)
    return usage


def _merged(known: dict[str, PhaseUsage], later: dict[str, PhaseUsage]) -> dict[str, PhaseUsage]:
    merged = dict(known)
    for key, usage in later.items():
        merged[key] = merged[key].plus(usage) if key in merged else usage
    return merged


def _rises(before: Sequence[int], after: Sequence[int]) -> list[int]:
    return [later - earlier for earlier, later in zip(before, after, strict=True)]


def _sum(left: Sequence[int], right: Sequence[int]) -> list[int]:
    return [earlier + later for earlier, later in zip(left, right, strict=True)]


def _plus(left: int | None, right: int | None) -> int | None:
    return right if left is None else left if right is None else left + right
