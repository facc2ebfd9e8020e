"""Ends a run whose budget is used up: of several processes, all at the end of the same step.

The first rank sees what all have used, proposes the step at which the budget will be used up, and the others agree to
it in their journals (see :mod:`~lightning_carbon.metering.agreement`). All of that happens beside the training; on its
thread a step is counted and compared with a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from lightning_carbon.errors import BudgetReached
from lightning_carbon.metering.agreement import Answerer, Proposer
from lightning_carbon.metering.stop_planner import StopPlanner
from lightning_carbon.metering.sums import sums_of
from lightning_carbon.records.run import Status
from lightning_carbon.units import NANOSECONDS_PER_SECOND, Energy
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning_carbon.metering.outlook import Outlook
    from lightning_carbon.ranks import Ranks
    from lightning_carbon.records.journal import Beat, RankPart, StopBeat
    from lightning_carbon.records.totals import Totals
    from lightning_carbon.settings import MeterConfig

_TRIES: Final = 3
"""The number of proposals without an answer after which it is said that there is none."""
_LOOKS_UNTIL_ALL: Final = 120
"""The look, about a minute after the start, by which all processes should have been heard of; ours."""
_FIX: Final = "give all of them one folder by ledger= or LIGHTNING_CARBON_LEDGER"


class RankJournals(Protocol):
    """The journals of a run's ranks, of which this rank writes its own."""

    @property
    def others(self) -> list[RankPart]:
        """The parts of the other ranks, as of when they were last read."""

    @property
    def reading_seconds(self) -> float:
        """The least time between two readings of them."""

    @property
    def spent_before(self) -> Totals:
        """What earlier attempts at the same training have used, as far as they are known."""

    def write(self, beat: Beat, steps: list[str]) -> bool:
        """Write a beat of this rank, and say whether it has been written. Never raises."""

    def read_first(self) -> RankPart | None:
        """Read what rank 0 has written last; ``None`` where that cannot be read. Never raises."""


class BudgetStop:
    """Watches the budget of a run beside the training, and tells its thread when to stop.

    Args:
        outlook: Has the budget, and how the run will end.
        writer: Writes this rank's journal, and reads those of others.
        ranks: The place of this process in the run.
        ends: Whether the loop shall be ended by an exception.
        hurry: Called when the training's thread should check soon.
    """

    def __init__(
        self, outlook: Outlook, writer: RankJournals, ranks: Ranks, *, ends: bool, hurry: Callable[[], None]
    ) -> None:
        assert outlook.budget is not None  # noqa: S101 - there is one wherever this is made
        self._budget = outlook.budget
        self._outlook = outlook
        self._writer = writer
        self._ranks = ranks
        self._ends = ends
        self._hurry = hurry
        self._planner = StopPlanner()
        self._proposer = Proposer()
        self._answerer = Answerer(self._ask)
        self._side = self._answerer if ranks.rank else self._proposer
        self._is_alone = ranks.world_size == 1
        self._proposals = 0
        self._looks = 0

    # -- on the training's thread -----------------------------------------------------------------------------------

    def step_done(self) -> bool:
        """Count a step.

        Returns:
            Whether all ranks stop at its end.
        """
        if not self._side.step_done() or self._budget.is_due:
            return False
        self._budget.is_due = True
        return True

    def check(self) -> None:
        """Raise if the loop shall end, once.

        Raises:
            BudgetReached: The budget is used up.
        """
        if self._ends and self._budget.is_due:
            self._ends = False
            self._outlook.is_stopped = True
            message = "the run has used up its budget"
            raise BudgetReached(message)

    # -- beside the training ----------------------------------------------------------------------------------------

    def told(self, beat: Beat) -> Beat:
        """A beat of this rank with what it says of a stop."""
        said = self._side.said
        return beat if said is None else replace(beat, stop=said)

    def look(self, part: RankPart, at_ns: int) -> None:
        """See how far the budget is used, and come to an agreement; after this rank has written its journal.

        Args:
            part: The part of this rank, as it was written.
            at_ns: Now, on the clock of the run.
        """
        is_new = self.see(part)
        if self._ranks.rank:
            self._follow(part)
        elif not self._is_alone:
            training = [other for other in self._writer.others if other.header.role is None]
            self._lead(part, training, at_ns / NANOSECONDS_PER_SECOND)
        elif is_new:
            self._budget.is_due = True
            self._hurry()

    def see(self, part: RankPart) -> bool:
        """See what all ranks have used, at the first rank, which speaks for all.

        Args:
            part: The part of this rank.

        Returns:
            Whether the budget is used up, and was not before.
        """
        if self._ranks.rank:
            return False
        used = sums_of([part, *self._writer.others])
        joules = Energy(used.total).joules
        earlier = self._writer.spent_before
        return self._budget.see(joules, self._outlook.last, machine_ratio=used.machine_ratio, earlier=earlier)

    def _lead(self, part: RankPart, others: Sequence[RankPart], at_seconds: float) -> None:
        """Propose a step, or confirm the step that was proposed."""

        def publish(confirmed: StopBeat) -> bool:
            return self._writer.write(replace(part.beat, stop=confirmed), [])

        self._looks += 1
        missing = self._ranks.world_size - 1 - len(others)
        if missing and self._looks == _LOOKS_UNTIL_ALL:
            self._miss(missing)
        proposer, share = self._proposer, self._budget.used_ratio or 0.0
        before = proposer.said
        settled = _settled_steps([part, *others])
        passing = self._planner.plan(
            at_seconds, proposer.steps, settled=settled, share=share, reading_seconds=self._writer.reading_seconds
        )
        if before is not None:
            running = [other.beat.stop for other in others if other.beat.status == Status.RUNNING]
            if not missing:
                proposer.hear(running, publish)
        elif passing is not None and not self._budget.is_due:
            if self._proposals:
                self._planner.fall_back()
            proposer.propose(*passing)
            self._proposals += 1
            self._writer.write(self.told(part.beat), [])
            if missing:
                self._miss(missing)
            elif self._proposals > _TRIES:
                self._budget.warn(
                    "budget answers", "not all processes have answered in time, so they do not stop at the budget yet"
                )

    def _miss(self, missing: int) -> None:
        """Warn that processes whose journals are elsewhere can neither be counted nor stopped."""
        count = f"{missing} of {self._ranks.world_size} processes"
        self._budget.warn(
            "budget ranks",
            f"the budget counts only processes that write into one folder, and stops none otherwise: the journals of "
            f"{count} are not there; {_FIX}",
        )

    def _follow(self, part: RankPart) -> None:
        """Learn what the first rank says, and answer."""
        since = self._answerer.steps
        first = self._writer.read_first()
        if first is not None and self._answerer.hear(first.beat.stop, since):
            self._writer.write(self.told(part.beat), [])

    def _ask(self) -> StopBeat | None:
        """Read at once what the first rank says, on the training's thread: a small file, where no look was in time."""
        first = self._writer.read_first()
        if first is None:
            self._budget.warn(
                "budget ask", "rank 0's journal cannot be read at the step at which the run may stop; this rank goes on"
            )
            return None
        return first.beat.stop


def stop_of(
    outlook: Outlook, writer: RankJournals, ranks: Ranks, *, config: MeterConfig, hurry: Callable[[], None]
) -> BudgetStop | None:
    """What ends a run at its budget; ``None`` where it has none. The arguments are those of :class:`BudgetStop`."""
    ends = config.on_budget != "warn"
    return None if outlook.budget is None else BudgetStop(outlook, writer, ranks, ends=ends, hurry=hurry)


def _settled_steps(parts: Sequence[RankPart]) -> float:
    """The number of steps that the energy of all ranks stands for; some are heard of later than others."""
    energies = [sum(part.beat.uj(place) for place in range(len(part.header.domains))) for part in parts]
    total = sum(energies)
    if not total:
        return float(parts[0].beat.steps)
    return sum(energy * part.beat.steps for energy, part in zip(energies, parts, strict=True)) / total
