"""Ranks that agree on the step at which they stop, in a simulated training of any luck."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING, Final

from hypothesis import example, given
from hypothesis import strategies as st

from lightning_carbon.metering.agreement import LEAST_LOOKING_STEPS, Answerer, Proposer, looks_from
from lightning_carbon.metering.stop_planner import AGREEING_SECONDS, MOST_AGREEING_SECONDS, Passing, StopPlanner
from lightning_carbon.records.journal import StopBeat

if TYPE_CHECKING:
    from collections.abc import Callable

_TURN_SECONDS: Final = 0.5
_FAIR_TURNS: Final = 60


class Training:
    """Ranks that take steps together, each with a keeper that writes and reads journals whenever it gets to.

    A rank ends a step only when all have begun it, save for the steps that programs run ahead of their devices.

    Args:
        ranks: The number of ranks.
        run_ahead: How many steps a program may run ahead.
        luck: Chooses what happens next, and to which rank.
        steps_each: How many steps are tried for each time that a keeper gets to do something.
        death: How likely a rank dies whenever something happens.
    """

    def __init__(self, ranks: int, run_ahead: int, luck: Random, *, steps_each: int = 1, death: float = 0.0) -> None:
        self.journals: list[StopBeat | None] = [None] * ranks
        self.leader = Proposer()
        self.answerers = [Answerer(lambda: self.journals[0]) for _ in range(1, ranks)]
        self.sides: list[Proposer | Answerer] = [self.leader, *self.answerers]
        self.stopped: dict[int, int] = {}
        self.dead: set[int] = set()
        self._run_ahead = run_ahead
        self._luck = luck
        self._death = death
        self._events: list[Callable[[int], None]] = [self._step] * (6 * steps_each)
        self._events += [*(self._write, self._begin_to_read, self._hear) * 2, self._lose_reading, self._propose]
        self._seen: list[tuple[list[StopBeat | None], int] | None] = [None] * ranks
        self._is_publishing = self._is_fair = False

    def run(self, events: int) -> None:
        """Go on as luck has it."""
        for _ in range(events):
            self._happen()

    def run_fairly(self, turns: int = _FAIR_TURNS) -> None:
        """Go on without bad luck, a step a turn."""
        self._is_fair = True
        for _ in range(turns):
            for rank in range(len(self.sides)):
                self._write(rank)
                self._begin_to_read(rank)
                self._hear(rank)
                self._write(rank)
            for rank in range(len(self.sides)):
                self._step(rank)

    def _happen(self) -> None:
        rank = self._luck.randrange(len(self.sides))
        if self._luck.random() < self._death:
            self.dead.add(rank)
        self._luck.choice(self._events)(rank)

    def _is_going_on(self, rank: int) -> bool:
        return rank not in self.dead and rank not in self.stopped

    def _step(self, rank: int) -> None:
        """End a step, unless another rank has not begun it."""
        side = self.sides[rank]
        begun = [other.steps + self._is_going_on(number) for number, other in enumerate(self.sides)]
        is_held = self._is_publishing and rank == 0 and side.said is not None and side.steps + 1 >= side.said.confirm_by
        if self._is_going_on(rank) and min(begun) >= side.steps + 1 - self._run_ahead and not is_held:
            if side.step_done():
                self.stopped[rank] = side.steps
            self.check()

    def _write(self, rank: int) -> None:
        if rank not in self.dead and not (rank == 0 and self._is_publishing):  # the keeper does one after the other
            self.journals[rank] = self.sides[rank].said

    def _begin_to_read(self, rank: int) -> None:
        self._seen[rank] = list(self.journals), self.sides[rank].steps

    def _lose_reading(self, rank: int) -> None:
        self._seen[rank] = None

    def _hear(self, rank: int) -> None:
        seen, self._seen[rank] = self._seen[rank], None
        if seen is None or rank in self.dead or (rank == 0 and self._is_publishing):
            return
        journals, since = seen
        if rank == 0:
            self.leader.hear(journals[1:], self._publish)
        else:
            self.answerers[rank - 1].hear(journals[0], since)

    def _propose(self, rank: int) -> None:
        if rank == 0 and self.leader.said is None and 0 not in self.dead:
            self.leader.propose(self.leader.steps + 2, LEAST_LOOKING_STEPS)

    def _publish(self, confirmed: StopBeat) -> bool:
        """Write the confirmation, while the others go on, or fail to."""
        if self._is_fair:
            self.journals[0] = confirmed
            return True
        self._is_publishing = True
        until, after, fails = self._luck.randrange(20), self._luck.randrange(20), self._luck.random() < 1 / 3
        for _ in range(until):
            self._happen()
        if not fails:
            self.journals[0] = confirmed
        for _ in range(after):
            self._happen()
        self._is_publishing = False
        return not fails

    def check(self) -> None:
        """No two ranks stop at different steps, and none goes past a step at which another stops."""
        steps = set(self.stopped.values())

        assert len(steps) <= 1, self.stopped
        beyond = [rank for rank, side in enumerate(self.sides) if steps and side.steps >= max(steps)]
        assert set(self.stopped) >= set(beyond), (self.stopped, beyond)


@given(
    ranks=st.integers(2, 4),
    run_ahead=st.integers(0, 1),
    seed=st.integers(0, 2**32),
    steps_each=st.integers(1, 4),
    death=st.sampled_from([0.0, 0.0, 0.002]),
)
def test_no_two_ranks_stop_at_different_steps(
    ranks: int, run_ahead: int, seed: int, steps_each: int, death: float
) -> None:
    """Whatever is lost, late, torn or dead: either all that still go on stop at the end of the same step, or none."""
    for number in range(6):
        training = Training(ranks, run_ahead, Random(seed + number), steps_each=steps_each, death=death)
        training.leader.propose(training.leader.steps + 8, LEAST_LOOKING_STEPS)
        training.run(400)
        training.run_fairly(12)

        training.check()


@given(st.integers(2, 4), st.integers(0, 1))
def test_ranks_without_bad_luck_stop_where_it_was_proposed(ranks: int, run_ahead: int) -> None:
    """All of them."""
    training = Training(ranks, run_ahead, Random(0))
    training.leader.propose(8, LEAST_LOOKING_STEPS)
    training.run_fairly()

    assert dict.fromkeys(range(ranks), 8) == training.stopped


def test_a_proposal_that_is_not_answered_in_time_is_void() -> None:
    """The next is for a later step, and the late answer changes nothing."""
    leader, answerer = Proposer(), Answerer(lambda: None)
    leader.propose(6, 3)
    first = leader.said
    assert first is not None
    for _ in range(first.confirm_by):
        leader.step_done()
        answerer.step_done()
    is_answer = answerer.hear(first, 0)
    leader.hear([first], lambda _: True)
    leader.propose(6, 3)

    assert (None, False) == (answerer.said, is_answer)
    assert leader.said is not None
    assert leader.said.at_step > 6
    assert not leader.said.is_confirmed


def test_a_rank_that_could_not_look_since_the_decision_looks_at_the_step_itself() -> None:
    """Once, and stops if the first rank has confirmed."""
    asked: list[int] = []
    told = StopBeat(6, 3)

    def ask() -> StopBeat:
        asked.append(answerer.steps)
        return StopBeat(6, 3, is_confirmed=True)

    answerer = Answerer(ask)
    answerer.hear(told, 0)
    stops = [answerer.step_done() for _ in range(6)]

    assert [False] * 5 + [True] == stops
    assert [6] == asked


def test_a_rank_that_cannot_look_goes_on() -> None:
    """A guess might leave it alone in the next step; the next proposal finds it."""
    answerer = Answerer(lambda: None)
    answerer.hear(StopBeat(6, 3), 0)
    stops = [answerer.step_done() for _ in range(8)]
    answerer.hear(StopBeat(12, 9, is_confirmed=True), 8)
    later = [answerer.step_done() for _ in range(4)]

    assert [False] * 8 == stops
    assert [False, False, False, True] == later


def test_a_rank_that_has_looked_since_the_decision_asks_nothing() -> None:
    """Half of the steps after the decision are for programs that run ahead of their devices."""
    told = StopBeat(16, 8)
    answerer = Answerer(lambda: StopBeat(16, 8, is_confirmed=True))
    answerer.hear(told, 0)
    for _ in range(looks_from(told)):
        answerer.step_done()
    answerer.hear(told, answerer.steps)
    stops = [answerer.step_done() for _ in range(6)]

    assert (12, [False] * 6) == (looks_from(told), stops)


@given(
    pace=st.floats(0.05, 200.0),
    budget_seconds=st.floats(40.0, 400.0),
    offset=st.floats(0.0, _TURN_SECONDS),
    lag=st.floats(0.0, 1.5),
)
@example(pace=0.05, budget_seconds=40.0, offset=0.0, lag=1.5)
@example(pace=0.296875, budget_seconds=40.0, offset=0.0, lag=1.0)
@example(pace=0.056, budget_seconds=206.0, offset=0.0, lag=0.63)
def test_a_step_is_proposed_where_the_budget_will_be_used_up(
    pace: float, budget_seconds: float, offset: float, lag: float
) -> None:
    """With steps of a known pace and power: within a second and three of the steps that ranks need to agree."""
    planner, at, passing = StopPlanner(), offset, None
    while passing is None:
        at += _TURN_SECONDS
        settled_at = max(0.0, at - lag)
        passing = planner.plan(
            at, math.floor(at * pace), settled=math.floor(settled_at * pace), share=settled_at / budget_seconds
        )
    least = 1 + LEAST_LOOKING_STEPS
    late = passing.at_step / pace - budget_seconds

    assert passing.at_step >= math.floor(at * pace) + max(least, math.floor(pace * 0.9 * AGREEING_SECONDS) - 2)
    assert abs(late) <= 1.0 + 3.0 / pace


def test_a_step_that_takes_long_is_allowed_for() -> None:
    """Energy that is used without a step's end brings the last step nearer, before the budget is used up."""
    planner, share, passing = StopPlanner(), 0.0, None
    for step in range(5):
        share = step / 20
        assert planner.plan(4.0 * step, step, settled=step, share=share) is None
    for turn in range(20):
        share += 0.05
        passing = planner.plan(18.0 + 2 * turn, 4, settled=4, share=share)
        if passing is not None:
            break

    assert passing is not None
    assert (True, 8) == (0.8 < share < 0.9, passing.at_step)


def test_proposals_without_answers_get_more_time() -> None:
    """Twice as much each, up to a minute."""
    ahead = []
    for tries in range(6):
        planner = StopPlanner()
        for _ in range(tries):
            planner.fall_back()
        planner.plan(0.0, 0, settled=0, share=0.0)
        passing = planner.plan(10.0, 1000, settled=1000, share=1.0)
        ahead.append(passing)

    seconds = [min(AGREEING_SECONDS * 2**tries, MOST_AGREEING_SECONDS) for tries in range(6)]
    assert [Passing(1000 + round(100 * ahead), 200) for ahead in seconds] == ahead


def test_nothing_is_proposed_before_anything_is_known() -> None:
    """Nor while nothing is used."""
    planner = StopPlanner()

    assert planner.plan(0.0, 0, settled=0, share=0.0) is None
    assert planner.plan(1.0, 10, settled=10, share=0.0) is None
