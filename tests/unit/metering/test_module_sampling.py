"""Sampled steps: when modules are watched, what they are found to use, and what ends the watching."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from lightning_carbon.energy.module_passes import ModulePass
from lightning_carbon.metering.module_sampling import FIRST_STEP, MOST_STEPS, ModuleSampling
from lightning_carbon.metering.module_trace import MOST_BOUNDARIES, ModuleTrace
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.testing import ScriptedCounter
from tests.unit.metering.worlds import GPU_0, World

if TYPE_CHECKING:
    from lightning_carbon.energy.module_reports import ModuleReports
    from lightning_carbon.records.run import RunRecord

WATTS = {"a": 100.0, "b": 300.0, "optimizer": 200.0, "rest": 50.0}
LENGTHS = (("a", 0.013), ("b", 0.027), ("optimizer", 0.011), ("rest", 0.006))
"""A step: module a forward, module b backward, the optimizer, and the rest."""
TICK = 0.02


class Model:
    """A model that a test drives by hand."""

    name = "Net"

    def __init__(self, levels: int = 1) -> None:
        self.reports: ModuleReports | None = None
        self.watched = 0
        self.levels = levels

    def watch(self, reports: ModuleReports) -> None:
        """Begin to report."""
        self.reports = reports
        self.watched += 1

    def unwatch(self) -> None:
        """Report no more."""
        self.reports = None

    def watch_less(self) -> bool:
        """Watch a level less."""
        self.levels -= 1
        return self.levels > 0


class Training:
    """A training on a GPU whose power is that of what computes, with a reading every 20 ms.

    Args:
        every: One step in so many is sampled in the long run.
    """

    def __init__(self, every: int = 3) -> None:
        self.joules = 0.0
        self.until = 0.0
        self.used = dict.fromkeys(WATTS, 0.0)
        self.world = World(
            lambda clock: [ScriptedCounter(clock, joules=lambda _: self.joules, domain=GPU_0)],
            detail="module",
            changes={"module_every": every},
        )
        self.model = Model()
        self.engine = self.world.engine.start("train")
        self.sampling.watch(self.model)

    @property
    def sampling(self) -> ModuleSampling:
        """The sampling of the run."""
        run = self.engine._run  # noqa: SLF001 - what a meter does for its user
        assert run is not None
        assert isinstance(run.modules, ModuleSampling)
        return run.modules

    def compute(self, what: str, seconds: float) -> None:
        """Let time pass at a power, with readings on the way."""
        left = seconds
        while left > 1e-9:
            passed = min(left, TICK - self.until)
            self.joules += passed * WATTS[what]
            self.world.clock.advance(seconds=passed)
            self.until += passed
            left -= passed
            if self.until > TICK - 1e-9:
                self.until = 0.0
                self.world.samplers[-1].tick()
        self.used[what] += seconds * WATTS[what]

    def step(self, share: float = 1.0) -> None:
        """Train a step."""
        for what, seconds in LENGTHS:
            reports = self.model.reports
            if what == "a" and reports is not None:
                reports.begin("a", is_backward=False)
            if what == "b" and reports is not None:
                reports.begin_backward("b")
            if what == "optimizer":
                self.engine.enter_part("optimizer")
            self.compute(what, seconds * share)
            if what == "a" and reports is not None:
                reports.end("a", is_backward=False)
            if what == "b" and reports is not None:
                reports.end_backward()
            if what == "optimizer":
                self.engine.enter_part("other")
        self.engine.step_done()

    def end(self) -> RunRecord:
        """End the run."""
        return self.engine.stop()


@pytest.fixture(scope="module")
def trained() -> tuple[Training, RunRecord]:
    """A training of steps of several lengths, and its record."""
    training = Training()
    for number in range(240):
        training.step(1.0 + 0.3 * (number % 5) / 5)
    return training, training.end()


def test_the_energy_of_modules_is_found_through_the_whole_meter(trained: tuple[Training, RunRecord]) -> None:
    """Each activity is less than 10 % off, though every reading covers several."""
    training, record = trained
    whole = sum(training.used.values())

    assert record.modules is not None
    assert {"a", "b", ""} == {row.path for row in record.modules.rows}
    for row in record.modules.rows:
        assert row.joules / whole == pytest.approx(training.used[row.path or row.direction] / whole, rel=0.1)
        assert row.low_joules <= row.joules <= row.high_joules


def test_the_table_adds_up_to_the_energy_of_the_steps(trained: tuple[Training, RunRecord]) -> None:
    """To the microjoule; and a reader of the record finds it again."""
    _, record = trained

    assert record.modules is not None
    assert record.step_joules == pytest.approx(sum(row.joules for row in record.modules.rows), abs=1e-6)
    assert record.modules == from_mapping(to_mapping(record)).modules


def test_a_few_steps_are_watched_and_most_are_not(trained: tuple[Training, RunRecord]) -> None:
    """In the long run one step in three, several in a row; nothing is watched after the end."""
    training, record = trained

    assert record.modules is not None
    assert 50 <= record.modules.sampled_steps <= 130
    assert 3 <= training.model.watched <= 20
    assert training.model.reports is None


def test_the_shortest_run_has_its_sample() -> None:
    """The steps that have ended count, though more were to be sampled."""
    training = Training(every=500)
    for _ in range(FIRST_STEP + 4):
        training.step()
    record = training.end()

    assert record.modules is not None
    assert 4 == record.modules.sampled_steps


def test_an_evaluation_ends_the_sample_before_it() -> None:
    """Its own calls of the model are no part of a step; a phase of the program's own is one."""
    training = Training()
    for _ in range(FIRST_STEP + 2):
        training.step()
    with training.engine.phase("rollout"):
        watched_in_own_phase = training.model.reports is not None
    with training.engine.phase("validate"):
        watched_in_evaluation = training.model.reports is not None
    record = training.end()

    assert (True, False) == (watched_in_own_phase, watched_in_evaluation)
    assert record.modules is not None
    assert 2 == record.modules.sampled_steps


def test_watching_never_costs_more_than_a_hundredth() -> None:
    """Where hooks are slow, fewer steps are sampled."""
    training = Training(every=1)
    for _ in range(60):
        training.step()
        if training.model.reports is not None:
            training.sampling.cost_ns += 30_000_000
    slow = training.end().modules

    assert slow is not None
    assert slow.sampled_steps < 10


def test_too_many_boundaries_make_the_watching_coarser() -> None:
    """A level of modules less is watched, and none where only one is left; the training goes on."""
    training = Training()
    training.model.levels = 2
    for _ in range(FIRST_STEP + 4):
        training.step()
        reports = training.model.reports
        for _ in range(MOST_BOUNDARIES if reports is not None else 0):
            assert reports is not None
            reports.begin("a", is_backward=False)
            reports.end("a", is_backward=False)
    record = training.end()

    assert 0 == training.model.levels
    assert not training.sampling.is_watching
    assert record.modules is None


def test_another_model_takes_the_place_of_the_first() -> None:
    """A program that trains several models one after the other has the last in its table."""
    training = Training()
    for _ in range(FIRST_STEP + 3):
        training.step()
    other = Model()
    other.name = "Other"
    training.model = other
    training.sampling.watch(other)
    for _ in range(MOST_STEPS):
        training.step()
    modules = training.end().modules

    assert modules is not None
    assert "Other" == modules.model


def test_without_module_detail_nothing_is_watched() -> None:
    """Marks cost what they did."""
    world = World()
    with world.engine as meter:
        world.steps(5)
        assert meter._run is not None  # noqa: SLF001 - as above
        assert not meter._run.modules.is_watching  # noqa: SLF001 - as above

    assert world.engine.record.modules is None


def traced() -> ModuleTrace:
    """A trace whose clock counts."""
    return ModuleTrace(0, 0, count(1).__next__)


def activities(trace: ModuleTrace) -> list[tuple[str, str]]:
    """The activities of a trace in short."""
    return [(boundary.activity.kind[0], boundary.activity.path) for boundary in trace.boundaries]


def test_the_innermost_module_is_the_activity() -> None:
    """Forward, by calls; an exception that passes through several modules ends all of them."""
    trace = traced()
    trace.enter_part(1, "forward")
    trace.begin("block", is_backward=False)
    trace.begin("block.mlp", is_backward=False)
    trace.end_of("block.mlp", is_backward=False)
    trace.begin("block.mlp", is_backward=False)
    trace.end_of("block", is_backward=False)
    trace.end_of("block", is_backward=False)

    inner = [("f", "block"), ("f", "block.mlp"), ("f", "block"), ("f", "block.mlp")]
    assert [("r", ""), ("f", ""), *inner, ("f", "")] == activities(trace)


def test_gradients_tell_which_module_computes_backward() -> None:
    """Of two at once the inner counts; a module whose end nobody tells ends where another beside it begins."""
    trace = traced()
    trace.begin_backward("head.last")
    trace.begin_backward("head")
    trace.begin_backward("")
    trace.end_of("head", is_backward=True)
    trace.begin_backward("embedding")
    trace.begin_backward("block")
    trace.begin("block", is_backward=True)
    trace.end_of("block", is_backward=True)
    trace.end_backward()
    trace.end_backward()

    assert [("r", ""), ("b", "head.last"), ("b", ""), ("b", "embedding"), ("b", "block"), ("r", "")] == activities(
        trace
    )


def test_a_part_of_the_step_ends_backward_passes() -> None:
    """A trainer tells where its backward pass ends; modules that are being called stay open."""
    trace = traced()
    trace.begin("outer", is_backward=False)
    trace.begin_backward("b")
    trace.enter_part(7, "optimizer")
    trace.end_of("outer", is_backward=False)

    assert [("r", ""), ("f", "outer"), ("b", "b"), ("f", "outer"), ("o", "")] == activities(trace)


def test_only_whole_steps_are_kept() -> None:
    """What began after the last of them is forgotten."""
    trace = traced()
    trace.begin("a", is_backward=False)
    trace.step_done(5)
    trace.begin("b", is_backward=False)
    trace.cut()

    assert [("r", ""), ("f", "a")] == activities(trace)
    assert (1, 5) == (trace.steps, trace.end)
    assert ModulePass.FORWARD is trace.boundaries[-1].activity.kind
