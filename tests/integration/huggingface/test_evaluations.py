"""What evaluations are told to have used, each set its own, whenever readings have settled it."""

from __future__ import annotations

import pytest

from lightning_carbon.integrations.huggingface.evaluations import Evaluation, Evaluations
from tests.unit.metering.worlds import World


def evaluated(world: World, evaluations: Evaluations, prefix: str, seconds: float) -> None:
    """Evaluate a set for so long at 100 W, whether a reading comes meanwhile or not."""
    laps = world.engine.laps
    start = laps.note()
    world.clock.advance(seconds=seconds)
    evaluations.note(Evaluation(prefix, "validate", start, laps.note()))


def test_a_short_evaluation_is_told_once_it_is_settled() -> None:
    """Not before, each set its own, and once."""
    world, evaluations = World(), Evaluations()
    world.engine.start("validate")
    world.run(1.0)
    evaluated(world, evaluations, "eval_a", 0.02)
    evaluated(world, evaluations, "eval_b", 0.05)
    assert {} == evaluations.take(world.engine.laps)

    world.run(1.0)
    assert {"eval_a": 2.0, "eval_b": 5.0} == pytest.approx(evaluations.take(world.engine.laps), abs=1e-6)
    assert {} == evaluations.take(world.engine.laps)


def test_a_long_evaluation_is_told_in_its_own_log() -> None:
    """As far as it is settled; the rest comes with the next figures of the same set, and no other's."""
    world, evaluations = World(), Evaluations()
    laps = world.engine.start("validate").laps
    world.run(1.0)
    start = laps.note()
    world.run(2.0)
    world.clock.advance(seconds=0.05)
    evaluations.note(Evaluation("eval_a", "validate", start, laps.note()))
    assert {"eval_a": 200.0} == evaluations.take(laps)

    world.run(0.1)
    evaluated(world, evaluations, "eval_b", 0.05)
    world.run(1.0)
    assert {"eval_b": 5.0} == pytest.approx(evaluations.take(laps), abs=1e-6)

    evaluated(world, evaluations, "eval_a", 0.05)
    world.engine.stop()
    assert {"eval_a": 10.0} == pytest.approx(evaluations.take(laps), abs=1e-6)


def test_evaluations_that_are_never_settled_do_not_pile_up() -> None:
    """The oldest are forgotten."""
    world, evaluations = World(), Evaluations()
    world.engine.start("validate")
    for _ in range(100):
        evaluated(world, evaluations, "eval", 0.001)

    assert {} == evaluations.take(world.engine.laps)
    assert 64 == len(evaluations.waiting)
