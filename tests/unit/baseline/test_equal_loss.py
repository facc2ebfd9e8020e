"""Energy to the same loss: what the curves say, what their noise says, and when there is none."""

from __future__ import annotations

import json
from random import Random
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_carbon.baseline.contest import Contest, Trial, WorkUnit, contest_of
from lightning_carbon.baseline.equal_loss import LEAST_POINTS, Curve, EqualLoss, LoggedRun, at_equal_loss, said_of
from tests.unit.baseline.curves import POINTS, falling, logged

EXPERIMENTS = 10
losses = st.lists(st.floats(0.01, 100.0), min_size=LEAST_POINTS, max_size=POINTS)


def reached(found: EqualLoss | str) -> EqualLoss:
    """What was found, where something was."""
    assert isinstance(found, EqualLoss), found
    return found


@settings(max_examples=10)
@given(losses)
def test_the_same_run_has_not_changed(values: list[float]) -> None:
    """The ratio is 1, and lies in its interval, wherever the curve comes down at all."""
    found = at_equal_loss([logged(values)], [logged(values)], is_paired=False)
    if isinstance(found, str):
        assert found == "no two runs have a stretch of loss in common"
    else:
        assert found.change.ratio == pytest.approx(1.0)
        assert found.change.low <= found.change.ratio <= found.change.high
        assert 0 < found.change.least_p_value <= found.change.p_value <= 1


@pytest.mark.parametrize("times", [0.3, 7.0])
def test_the_same_curve_for_so_many_times_the_energy_is_that_change(times: float) -> None:
    """Of single runs, of several, in pairs and apart."""
    once, more = falling(), logged([point.value for point in falling().metrics["loss"]], 100.0 * times)
    for count, is_paired in ((1, False), (5, False), (5, True)):
        found = reached(at_equal_loss([once] * count, [more] * count, is_paired=is_paired))

        assert found.change.ratio == pytest.approx(times)
        assert found.second / found.first == pytest.approx(times)
        assert (min(count, 5), is_paired) == (found.change.trials, found.change.is_paired)


@settings(max_examples=30)
@given(st.lists(st.floats(0.0, 10.0), min_size=LEAST_POINTS, max_size=90))
def test_a_smooth_curve_is_the_running_median(values: list[float]) -> None:
    """Of the points on either side, as far as there are any."""
    curve = Curve([*map(float, range(len(values)))], values)
    windows = (values[max(0, place - curve.reach) : place + curve.reach + 1] for place in range(len(values)))

    assert [*map(median, windows)] == curve.smooth()


def test_a_run_that_needs_more_is_found_with_its_noise() -> None:
    """The interval of single runs holds the truth about as often as it says, to three deviations of so few."""
    random = Random(3)
    found = [
        reached(at_equal_loss([falling(1.0, 0.02, random)], [falling(1.2, 0.02, random)], is_paired=False)).change
        for _ in range(EXPERIMENTS)
    ]

    assert median(change.ratio for change in found) == pytest.approx(1.2, abs=0.05)
    assert sum(change.low <= 1.2 <= change.high for change in found) >= 0.7 * EXPERIMENTS


def test_the_loss_is_the_lowest_that_all_reach() -> None:
    """A run that was ended early limits how far the others are followed."""
    long, short = falling(), logged([point.value for point in falling().metrics["loss"]][:20])
    found = reached(at_equal_loss([long], [short], is_paired=False))

    assert found.loss == pytest.approx(short.metrics["loss"][-3].value)
    assert found.first == pytest.approx(found.second)


def test_a_drawn_curve_that_reaches_nothing_is_left_out() -> None:
    """Where a curve hardly falls, turned noise may leave no loss in common; the rest still tell."""
    values = [1.0, 1.2, 0.9, 1.1, 0.8, 1.2, 1.1, 0.9, 0.7, 1.2]
    found = reached(at_equal_loss([logged(values)], [logged(values)], is_paired=False))

    assert found.change.least_p_value > 2 / 401


@pytest.mark.parametrize(
    ("second", "metric", "reason"),
    [
        (falling()._replace(is_resumed=True), None, "run run goes on from another, whose energy its curve lacks"),
        (LoggedRun("b", {}), None, "not every run has logged a loss of the same name"),
        (falling(), "val_loss", "not every run has logged val_loss"),
        (logged([1.0] * 3), None, "not every run has logged loss 10 times"),
        (logged([1.0] * 10, 0.0), None, "not every run has logged loss 10 times"),
        (logged([1e-9] * 10), None, "no two runs have a stretch of loss in common"),
    ],
)
def test_without_a_common_loss_there_is_no_figure(second: LoggedRun, metric: str | None, reason: str) -> None:
    """And it says why."""
    found = at_equal_loss([falling()], [second], is_paired=False, metric=metric)

    assert reason == found
    assert f"Energy to the same loss is not compared: {reason}." == said_of(found)


def test_the_densest_loss_is_taken_unless_one_is_named() -> None:
    """Of those that all runs have logged; what is no loss is no candidate."""
    values = [point.value for point in falling().metrics["loss"]]
    run = logged(values[:12], val_loss=values[:15], accuracy=values)

    assert "val_loss" == reached(at_equal_loss([run], [run], is_paired=False)).metric
    assert "loss" == reached(at_equal_loss([run], [run], is_paired=False, metric="loss")).metric


def contest() -> Contest:
    """A comparison of runs."""
    trial = Trial("run", "H100", frozenset({("gpu", "counter")}), {WorkUnit.RUN: 1.0}, {WorkUnit.RUN: 1.0})
    return contest_of(("eager", "compiled"), [trial] * 5, [trial] * 5, is_paired=True)


def test_a_comparison_has_a_row_and_a_note_more() -> None:
    """Or a note alone; both survive JSON."""
    found = reached(at_equal_loss([falling()], [falling(1.2)], is_paired=False))
    told, untold = contest().with_equal_loss(found), contest().with_equal_loss("no reason")

    assert told.rows()[-1][0].startswith("energy to loss 0.")
    assert len(told.rows()[-1]) == len(told.rows()[0])
    assert "the lowest that all runs reach as a running median" in told.notes[-1]
    assert (None, "Energy to the same loss is not compared: no reason.") == (untold.equal_loss, untold.notes[-1])
    for shown in (told, untold):
        assert shown.as_mapping() == json.loads(json.dumps(shown.as_mapping()))
    assert found.change.ratio == told.as_mapping()["equal_loss"]["change"]["ratio"]
