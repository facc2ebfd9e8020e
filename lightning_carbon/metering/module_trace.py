"""The activity of a training within its sampled steps: which module computes, and in which direction.

Hooks report when modules begin and end; the activity is that of the innermost module that has not ended. Between
modules it is that of the part of the step. Every change is stamped by the clock of the steps, on whichever thread it
comes: PyTorch runs backward passes on threads of its own, while the training's thread waits for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.module_passes import REST, Activity, ModulePass, Origin
from lightning_carbon.energy.phases import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_BOUNDARIES: Final = 512
"""The most boundaries of a step, half of the events that a device's clock keeps under way; with more, modules are
watched less deeply."""
_OF_PART: Final[Mapping[str, Activity]] = {
    Part.FORWARD: Activity(ModulePass.FORWARD),
    Part.BACKWARD: Activity(ModulePass.BACKWARD),
    Part.OPTIMIZER: Activity(ModulePass.OPTIMIZER),
}


class ActivityChange(NamedTuple):
    """A change of the activity.

    Args:
        ticket: The ticket of the clock, or the moment itself.
        activity: The activity that begins.
        origin: What tells that.
    """

    ticket: object
    activity: Activity
    origin: Origin


class ModuleTrace:
    """The activities of steps in a row: with those of modules where they are watched, else as marks tell them.

    Args:
        start_ns: When the program began the first step.
        ticket: The ticket of that moment.
        stamp: Stamps a moment.
        is_watched: Whether modules report.

    Attributes:
        start_ns: The same.
        is_watched: The same.
        boundaries: The changes so far, the first at the beginning.
        steps: How many steps have ended.
        end: The ticket of the end of the last of them; ``None`` before the first has ended.
    """

    def __init__(self, start_ns: int, ticket: object, stamp: Callable[[], object], *, is_watched: bool = True) -> None:
        self.start_ns = start_ns
        self.is_watched = is_watched
        self.boundaries = [ActivityChange(ticket, REST, Origin.STEP)]
        self.steps = 0
        self.end: object = None
        self._stamp = stamp
        self._base = REST
        self._open: list[Activity] = []
        self._most = MOST_BOUNDARIES
        self._whole = 0

    @property
    def is_full(self) -> bool:
        """Whether a step had more boundaries than may be."""
        return len(self.boundaries) > self._most

    def begin(self, path: str, *, is_backward: bool) -> None:
        """Note that a module begins."""
        self._open.append(Activity(ModulePass.BACKWARD if is_backward else ModulePass.FORWARD, path))
        self._change()

    def begin_backward(self, path: str) -> None:
        """Note that the gradients of a module's outputs are known: modules beside it have ended, told or not."""
        around, within = [], []
        for activity in self._open:
            if activity.kind is ModulePass.BACKWARD and _is_within(activity.path, path):
                within.append(activity)  # it has returned what the module within it returned: both begin at once
            elif activity.kind is not ModulePass.BACKWARD or _is_within(path, activity.path):
                around.append(activity)
        self._open = [*around, Activity(ModulePass.BACKWARD, path), *within]
        self._change()

    def end_of(self, path: str, *, is_backward: bool) -> None:
        """Note that a module ends, and whatever began within it."""
        activity = Activity(ModulePass.BACKWARD if is_backward else ModulePass.FORWARD, path)
        if activity in self._open:
            place = len(self._open) - 1 - self._open[::-1].index(activity)
            del self._open[place:]
            self._change()

    def end_backward(self) -> None:
        """Note that a backward pass has ended."""
        left = [activity for activity in self._open if activity.kind is not ModulePass.BACKWARD]
        if len(left) < len(self._open):
            self._open = left
            self._change()

    def enter_part(self, ticket: object, part: str) -> None:
        """Note that a part of the step begins, outside of all modules whose backward pass had begun."""
        self._base = _OF_PART.get(part, REST)
        self._open = [activity for activity in self._open if activity.kind is not ModulePass.BACKWARD]
        self._change(ticket)

    def step_done(self, ticket: object) -> None:
        """Note that a step ends, and with it every module; the part of the step goes on."""
        self.steps += 1
        self.end = ticket
        self._open = []
        self._whole = len(self.boundaries)
        self._most = self._whole + MOST_BOUNDARIES
        self.boundaries.append(ActivityChange(ticket, self._base, Origin.STEP))

    def cut(self) -> None:
        """Forget what came after the end of the last step."""
        del self.boundaries[self._whole :]

    def _change(self, ticket: object = None) -> None:
        activity = self._open[-1] if self._open else self._base
        if activity != self.boundaries[-1].activity and not self.is_full:
            known = (self._stamp(), Origin.MODULE) if ticket is None else (ticket, Origin.PART)
            self.boundaries.append(ActivityChange(known[0], activity, known[1]))


def _is_within(inner: str, outer: str) -> bool:
    """Whether a module is within another; all are within the whole model."""
    return inner != outer and (not outer or inner.startswith(f"{outer}."))
