"""Whose energy it was: phases and steps share out the curves, and every share adds up."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.energy.attribution import Attribution, Mark, PhaseUsage, StepEnergy, Usage
from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.energy.readings import CounterReading
from lightning_carbon.energy.timeline import CounterTimeline, Timeline
from lightning_carbon.units import Energy
from tests.strategies import SECOND, counted, counts, detailed_marks, marks, timelines


@dataclass(frozen=True)
class Run:
    """Curves, and what happened while they rose."""

    curves: list[Timeline]
    marks: list[Mark]
    cuts: list[int]
    start_ns: int
    end_ns: int
    detailed: bool = False

    def attribution(self, steps: list[StepEnergy] | None = None, order: list[int] | None = None) -> Attribution:
        """A new attribution of this run, which tells single steps where a list for them is given."""
        curves = [self.curves[index] for index in order or range(len(self.curves))]
        on_step = steps.append if steps is not None else None
        return Attribution(curves, self.start_ns, Phase.SETUP, on_step=on_step, detailed=self.detailed)

    def at_once(self) -> Usage:
        """The usage of the whole run in one go."""
        return self.attribution().advance(deque(self.marks), self.end_ns)


@st.composite
def runs(draw: st.DrawFn, *, detailed: bool = False) -> Run:
    """A run over up to three curves, cut into rows anywhere."""
    curves = draw(st.lists(timelines(), max_size=3))
    known = [curve.curve for curve in curves if curve.curve is not None]
    start_ns = min((curve.start_ns for curve in known), default=0)
    end_ns = max((curve.end_ns for curve in known), default=SECOND) + draw(st.integers(0, SECOND))
    start_ns = draw(st.integers(start_ns, end_ns))
    cuts = sorted(draw(st.lists(st.integers(start_ns, end_ns), max_size=6)))
    told = draw(detailed_marks(start_ns, end_ns) if detailed else marks(start_ns, end_ns))
    return Run(curves, told, [*cuts, end_ns], start_ns, end_ns, detailed)


@given(runs())
def test_phases_sum_to_the_run_on_every_curve(run: Run) -> None:
    """However the training moves between phases, not a microjoule and not a nanosecond is lost or invented."""
    usage = run.at_once()

    assert run.end_ns - run.start_ns == sum(share.nanoseconds for share in usage.phases.values())
    for index, curve in enumerate(run.curves):
        assert curve.height(run.end_ns) - curve.height(run.start_ns) == usage.microjoules(index)
        assert curve.covered(run.end_ns) - curve.covered(run.start_ns) == usage.covered(index)


@given(runs(detailed=True))
def test_parts_sum_to_their_phase_on_every_curve(run: Run) -> None:
    """However the training moves between phases and parts, each phase is its parts, to the microjoule."""
    usage = run.at_once()

    assert run.end_ns - run.start_ns == sum(share.nanoseconds for share in usage.phases.values())
    for share in usage.phases.values():
        parts = share.parts.values()
        assert share.nanoseconds == sum(part.nanoseconds for part in parts)
        assert share.microjoules == [sum(part.microjoules[at] for part in parts) for at in range(len(run.curves))]
        assert share.covered == [sum(part.covered[at] for part in parts) for at in range(len(run.curves))]


@given(runs(detailed=True))
def test_telling_parts_apart_changes_nothing_else(run: Run) -> None:
    """Phases and steps, single ones too, are what they are without the marks of parts."""
    plain = replace(run, detailed=False, marks=[mark for mark in run.marks if mark.part is None])
    mine: list[StepEnergy] = []
    theirs: list[StepEnergy] = []
    fine = run.attribution(mine).advance(deque(run.marks), run.end_ns)
    coarse = plain.attribution(theirs).advance(deque(plain.marks), run.end_ns)
    whole = {phase: replace(share, parts={}) for phase, share in fine.phases.items()}

    assert theirs == mine
    assert coarse == replace(fine, phases=whole)


@given(st.one_of(runs(), runs(detailed=True)))
def test_rows_add_up_to_the_run(run: Run) -> None:
    """Cut into rows anywhere, within steps and phases too, the rows together say the same as the run at once."""
    attribution, waiting = run.attribution(), deque(run.marks)
    rows = [attribution.advance(waiting, cut_ns) for cut_ns in run.cuts]
    total = Usage(run.start_ns, run.start_ns, step_microjoules=[0] * len(run.curves))
    for row in rows:
        total = total.plus(row)

    assert run.at_once() == total
    assert not waiting
    assert run.end_ns == attribution.at_ns


@given(runs())
def test_steps_use_no_more_than_the_run(run: Run) -> None:
    """The energy of steps is part of the run's; what no step end follows before the phase changes is no step's."""
    usage = run.at_once()

    assert usage.steps == sum(mark.phase is None for mark in run.marks)
    assert 0 <= usage.step_nanoseconds <= run.end_ns - run.start_ns
    for index, microjoules in enumerate(usage.step_microjoules):
        assert 0 <= microjoules <= usage.microjoules(index)


@given(runs())
def test_single_steps_sum_to_the_steps(run: Run) -> None:
    """Told one by one, steps are numbered, follow each other without overlap, and add up to what rows say of them."""
    steps: list[StepEnergy] = []
    attribution, waiting = run.attribution(steps), deque(run.marks)
    rows = [attribution.advance(waiting, cut_ns) for cut_ns in run.cuts]

    assert list(range(len(steps))) == [step.step for step in steps]
    assert all(step.end_ns <= later.start_ns for step, later in pairwise(steps))
    assert sum(row.step_nanoseconds for row in rows) == sum(step.end_ns - step.start_ns for step in steps)
    for index in range(len(run.curves)):
        assert sum(row.step_microjoules[index] for row in rows) == sum(step.microjoules[index] for step in steps)


@given(runs())
def test_watching_single_steps_changes_no_row(run: Run) -> None:
    """Rows are the same with and without the energy of single steps."""
    watched, plain = run.attribution([]), run.attribution()
    mine, theirs = deque(run.marks), deque(run.marks)

    assert [plain.advance(theirs, cut_ns) for cut_ns in run.cuts] == [watched.advance(mine, cut) for cut in run.cuts]


@given(runs(), st.randoms(use_true_random=False))
def test_the_order_of_curves_does_not_matter(run: Run, random: Random) -> None:
    """Every curve gets the same shares wherever it stands."""
    order = list(range(len(run.curves)))
    random.shuffle(order)
    straight, mixed = run.at_once(), run.attribution(order=order).advance(deque(run.marks), run.end_ns)

    assert straight.phases.keys() == mixed.phases.keys()
    assert [straight.microjoules(index) for index in order] == [mixed.microjoules(at) for at in range(len(order))]
    assert [straight.step_microjoules[index] for index in order] == mixed.step_microjoules


@given(counts.filter(lambda series: len(series) > 1), st.integers(2, 100), st.data())
def test_twice_the_power_is_twice_the_energy_of_every_phase(
    series: list[CounterReading], factor: int, data: st.DataObject
) -> None:
    """So many times the count is so many times every share, but for the microjoules rounded at its ends."""
    start_ns, end_ns = series[0].at_ns, series[-1].at_ns
    told = data.draw(marks(start_ns, end_ns))
    high = [CounterReading(count.at_ns, Energy(count.energy.microjoules * factor)) for count in series]
    both: list[Timeline] = [counted(series), counted(high)]
    for curve in both:
        curve.end()
    usage = Attribution(both, start_ns, Phase.TRAIN).advance(deque(told), end_ns)

    for share in usage.phases.values():
        assert abs(share.microjoules[1] - factor * share.microjoules[0]) <= factor * (len(told) + 2)


def curve_of(*microjoules: int) -> CounterTimeline:
    """A curve that rises by so many microjoules in one stretch of 10 ns after the other."""
    timeline = CounterTimeline(ticking=False)
    for number, count in enumerate(accumulate(microjoules, initial=0)):
        timeline.append(CounterReading(number * 10, Energy(count)))
    return timeline


def test_the_waiting_before_a_step_end_belongs_to_the_step() -> None:
    """A step begins at the mark before it, whatever happened in between, and samples and tokens add up where told."""
    steps: list[StepEnergy] = []
    attribution = Attribution([curve_of(10, 20, 30, 40)], 0, Phase.SETUP, on_step=steps.append)
    told = [Mark(10, Phase.TRAIN), Mark(20, samples=8), Mark(30, samples=4, tokens=100), Mark(35, Phase.VALIDATE)]
    usage = attribution.advance(deque(told), 40)

    assert steps == [StepEnergy(0, Phase.TRAIN, 10, 20, (20,)), StepEnergy(1, Phase.TRAIN, 20, 30, (30,))]
    assert (usage.steps, usage.samples, usage.tokens) == (2, 12, 100)
    assert {phase: share.microjoules[0] for phase, share in usage.phases.items()} == {
        Phase.SETUP: 10,
        Phase.TRAIN: 70,
        Phase.VALIDATE: 20,
    }


def test_a_phase_goes_on_with_the_part_that_it_was_left_in() -> None:
    """Saving in the midst of a forward pass leaves it a forward pass; a phase that nobody told apart is all other."""
    attribution = Attribution([curve_of(10, 20, 30, 40, 50)], 0, Phase.TRAIN, detailed=True)
    told = [
        Mark(10, part=Part.FORWARD),
        Mark(20, Phase.CHECKPOINT),
        Mark(30, Phase.TRAIN),
        Mark(40, part=Part.DATA),
        Mark(45),
    ]
    usage = attribution.advance(deque(told), 50)

    assert usage.phases[Phase.TRAIN].parts == {
        Part.OTHER: PhaseUsage(10, [10], [10]),
        Part.FORWARD: PhaseUsage(20, [60], [20]),
        Part.DATA: PhaseUsage(10, [50], [10]),
    }
    assert usage.phases[Phase.CHECKPOINT].parts == {Part.OTHER: PhaseUsage(10, [30], [10])}
    assert (usage.steps, usage.step_microjoules, usage.step_nanoseconds) == (1, [65], 15)


def test_a_step_over_two_rows_counts_whole_in_the_second() -> None:
    """The phases are cut where the rows are, a step is not."""
    attribution, waiting = Attribution([curve_of(10, 20)], 0, Phase.TRAIN), deque([Mark(15)])
    first, second = attribution.advance(waiting, 10), attribution.advance(waiting, 20)

    assert (first.steps, first.step_microjoules, first.microjoules(0)) == (0, [0], 10)
    assert (second.steps, second.step_microjoules, second.microjoules(0)) == (1, [20], 20)
    assert second.step_nanoseconds == 15


def test_a_mark_that_comes_late_counts_from_where_attribution_stands() -> None:
    """What is attributed stays; the mark takes effect at once."""
    attribution = Attribution([curve_of(10, 20, 30)], 0, Phase.SETUP)
    attribution.advance(deque(), 20)
    usage = attribution.advance(deque([Mark(5, Phase.TRAIN), Mark(7)]), 30)

    assert {Phase.TRAIN: 30} == {phase: share.microjoules[0] for phase, share in usage.phases.items()}
    assert (usage.steps, usage.step_microjoules) == (1, [0])


def test_marks_out_of_order_do_not_share_time() -> None:
    """A mark stamped before the step end that it follows counts from that step end, so the next step begins there."""
    attribution = Attribution([curve_of(10, 20, 30)], 0, Phase.SETUP)
    usage = attribution.advance(deque([Mark(20), Mark(10, Phase.TRAIN), Mark(30)]), 30)

    assert (usage.steps, usage.step_nanoseconds, usage.step_microjoules) == (2, 30, [60])


def test_advancing_to_the_past_changes_nothing() -> None:
    """An empty row, and the next one carries on."""
    attribution = Attribution([curve_of(10, 20, 30)], 0, Phase.TRAIN)
    attribution.advance(deque(), 20)
    nothing = attribution.advance(deque(), 10)

    assert (20, 20, {}) == (nothing.start_ns, nothing.end_ns, nothing.phases)
    assert attribution.advance(deque(), 30).microjoules(0) == 30


def test_a_curve_that_begins_before_the_run_gives_it_nothing_from_before() -> None:
    """The curve of a counter that jumps is drawn later and reaches back; the run still begins where it began."""
    timeline = CounterTimeline()
    attribution = Attribution([timeline], 30_000_000, Phase.TRAIN)
    jumps = range(0, 10**9, 10**8)
    for at in range(30_000_000, 900_000_000, 1_000_000):
        timeline.append(CounterReading(at, Energy(1_000 * sum(jump <= at for jump in jumps))))
    usage = attribution.advance(deque(), 500_000_000)

    assert abs(usage.microjoules(0) - 4_700) <= 10
