"""Ranks that agree on the step at which all of them stop, without waiting for each other. Pure.

The first rank *proposes* a step some seconds ahead in its journal; every other rank *agrees* in its own; once all have,
the first rank *confirms*, and at that step every rank stops. What makes this safe is the training itself: no rank ends
a step before every rank has begun it, as gradients are exchanged in it. So a proposal also names an earlier step by
which it is confirmed or void: the first rank decides that at the latest when it ends that step, for good. Whoever looks
a few steps later sees what was decided, however slow its thread, disk or clock is. A rank that has not been able to
look since then looks at the step itself.

Nothing here reads a clock, a file or another rank.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from lightning_carbon.records.journal import StopBeat
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NEVER: Final = 1 << 62
"""A step that no training reaches."""
LEAST_LOOKING_STEPS: Final = 3
"""The fewest steps between the decision on a proposal and its step: a program may run a step ahead of its device; ours.
"""


def looks_from(proposal: StopBeat) -> int:
    """The step from which on a look shows for certain what the first rank has decided.

    Half of the steps after the decision, two at least, are for programs that run ahead of their devices.
    """
    return proposal.confirm_by + max(2, (proposal.at_step - proposal.confirm_by) // 2)


class Proposer:
    """The first rank's side.

    Attributes:
        steps: The number of steps that this rank has ended.
        said: What its journal says, from its next beat on.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.said: StopBeat | None = None
        self._turn = threading.Lock()
        self._next = NEVER
        self._last = 0

    def propose(self, at_step: int, looking_steps: int) -> None:
        """Propose a step, in place of any earlier proposal that is void by now.

        Args:
            at_step: The step; a step that is too near, or that was proposed before, is moved on.
            looking_steps: The number of steps in which the others can learn what was decided.
        """
        margin = max(LEAST_LOOKING_STEPS, looking_steps)
        at_step = self._last = max(at_step, self.steps + 1 + margin, self._last + 1)
        with self._turn:
            self.said = StopBeat(at_step, at_step - margin)
            self._next = self.said.confirm_by

    def hear(self, answers: Iterable[StopBeat | None], publish: Callable[[StopBeat], bool]) -> None:
        """Confirm the proposal if all others have agreed to it.

        Args:
            answers: What the journals of all other ranks say.
            publish: Writes the confirmation into the journal before it returns; false where that failed, and it is
                tried again the next time. The training's thread waits for it if it gets to the deciding step meanwhile.
        """
        said = self.said
        if said is None or said.is_confirmed:
            return
        if any(answer is None or answer.at_step != said.at_step for answer in answers):
            return
        with self._turn:
            if self.said is said and self.steps < said.confirm_by:
                confirmed = replace(said, is_confirmed=True)
                if publish(confirmed):
                    self.said, self._next = confirmed, confirmed.at_step

    def step_done(self) -> bool:
        """Count a step, on the training's thread.

        Returns:
            Whether this is the step, or a later step, at which all stop.
        """
        self.steps += 1
        return self.steps >= self._next and self._decide()

    def _decide(self) -> bool:
        with self._turn:
            said = self.said
            if said is not None and said.is_confirmed:
                return self.steps >= said.at_step
            self.said, self._next = None, NEVER  # too late: whatever was agreed to is void
            return False


class Answerer:
    """Every other rank's side.

    Args:
        ask: Reads at once what the first rank's journal says; ``None`` where that fails.

    Attributes:
        steps: The number of steps that this rank has ended.
        said: What its journal says, from its next beat on.
    """

    def __init__(self, ask: Callable[[], StopBeat | None]) -> None:
        self.steps = 0
        self.said: StopBeat | None = None
        self._ask = ask
        self._next = NEVER
        self._heard: tuple[StopBeat | None, int] = (None, 0)

    def hear(self, told: StopBeat | None, since: int) -> bool:
        """Note what the first rank's journal says.

        Args:
            told: What it says; ``None`` where it proposes nothing.
            since: The number of steps that this rank had ended before the journal was read.

        Returns:
            Whether there is something new to say in answer.
        """
        before = self.said
        if told is None or (not told.is_confirmed and self.steps >= told.confirm_by and not self._agreed_to(told)):
            self.said = None
        else:
            self.said = replace(told, is_confirmed=False)
        self._heard = told, since
        self._next = NEVER if told is None else told.at_step
        return self.said is not None and self.said != before

    def step_done(self) -> bool:
        """Count a step, on the training's thread.

        Returns:
            Whether this is the step, or a later step, at which all stop.
        """
        self.steps += 1
        return self.steps >= self._next and self._decide()

    def _agreed_to(self, told: StopBeat) -> bool:
        return self.said is not None and self.said.at_step == told.at_step

    def _decide(self) -> bool:
        told, since = self._heard
        if told is None or self.steps < told.at_step:
            return False
        if not told.is_confirmed and self._agreed_to(told) and since < looks_from(told):
            now = self._ask()
            if now is not None and now.at_step == told.at_step:
                told = now
        if told.is_confirmed:
            return True
        self._next = NEVER
        return False
