"""What trainers tell of how much they are to do, as a forecast needs it."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from lightning_carbon.integrations.huggingface.plans import tell_plan as tell_of_huggingface
from lightning_carbon.integrations.lightning.plans import tell_plan as tell_of_lightning
from lightning_carbon.metering.forecast import Plan
from lightning_carbon.metering.outlook import Outlook, Planned


class Steps:
    """A strategy as an enumeration has it."""

    value = "steps"


class Told(Planned):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self._outlook = Outlook()

    @property
    def plan(self) -> Plan | None:
        """The plan."""
        return self._outlook.plan


def lightning(**changes: Any) -> SimpleNamespace:  # noqa: ANN401 - whatever a trainer has
    """A trainer of two epochs of 10 batches, each evaluated on 3."""
    told = {
        "max_epochs": 2,
        "max_steps": -1,
        "num_training_batches": 10,
        "accumulate_grad_batches": 1,
        "optimizers": [object()],
        "callbacks": [],
        "enable_validation": True,
        "val_check_batch": 10,
        "check_val_every_n_epoch": 1,
        "num_val_batches": [2, 1],
    }
    return SimpleNamespace(**{**told, **changes})


@pytest.mark.parametrize(
    ("changes", "done", "expected"),
    [
        ({}, 0, Plan(20, {"validate": 2.0}, 3)),
        ({}, 15, Plan(5, {"validate": 1.0}, 3)),
        ({"max_steps": 12}, 0, Plan(12, {"validate": 1.0}, 3)),
        ({"max_steps": 12, "optimizers": [object(), object()]}, 0, Plan(6, {"validate": 0.0}, 3)),
        ({"max_steps": 12, "num_training_batches": 29, "val_check_batch": 6}, 0, Plan(12, {"validate": 2.0}, 3)),
        ({"max_steps": 29, "max_epochs": 9, "check_val_every_n_epoch": 2, "val_check_batch": 3}, 0,
         Plan(29, {"validate": 3.0}, 3)),
        ({"max_steps": 19, "check_val_every_n_epoch": 2, "val_check_batch": 3}, 12, Plan(7, {"validate": 3.0}, 3)),
        ({"accumulate_grad_batches": 3}, 0, Plan(8, {"validate": 2.0}, 3)),
        ({"max_epochs": -1, "max_steps": 50, "val_check_batch": 4}, 0, Plan(50, {"validate": 10.0}, 3)),
        ({"num_val_batches": [math.inf]}, 0, Plan(20, {"validate": 2.0}, 0.0)),
        ({"val_check_batch": 5, "check_val_every_n_epoch": None}, 0, Plan(20, {"validate": 4.0}, 3)),
        ({"val_check_batch": None}, 0, Plan(20, {}, 3)),
        ({"num_training_batches": math.inf, "max_steps": 9, "val_check_batch": math.inf}, 0, Plan(9, {}, 3)),
        ({"enable_validation": False}, 0, Plan(20, {"validate": 0.0}, 0.0)),
        ({"max_epochs": None}, 0, None),
        ({"max_epochs": -1}, 0, None),
        ({}, 20, None),
        ({"callbacks": [type("Timer", (), {})()]}, 0, None),
    ],
)  # fmt: skip
def test_a_fit_is_planned_as_its_trainer_will_run_it(changes: dict[str, Any], done: int, expected: Plan | None) -> None:
    """From where it begins, by whichever limit comes first; nothing where no step is the last."""
    told = Told()
    tell_of_lightning(told, lightning(**changes), done)

    assert expected == told.plan


@pytest.mark.parametrize(
    ("changes", "done", "data", "expected"),
    [
        ({}, 0, range(20), Plan(100, {"validate": 10.0, "checkpoint": 5.0}, 5.0)),
        ({}, 50, range(20), Plan(50, {"validate": 5.0, "checkpoint": 3.0}, 5.0)),
        ({}, 0, {"a": range(20), "b": range(12)}, Plan(100, {"validate": 20.0, "checkpoint": 5.0}, 4.0)),
        ({"eval_strategy": "no"}, 0, None, Plan(100, {"validate": 0.0, "checkpoint": 5.0}, 0.0)),
        ({"save_strategy": Steps()}, 0, None, Plan(100, {"validate": 10.0, "checkpoint": 4.0}, 0.0)),
        ({}, 100, None, None),
    ],
)  # fmt: skip
def test_a_training_is_planned_as_its_arguments_say(
    changes: dict[str, Any], done: int, data: object, expected: Plan | None
) -> None:
    """With every set that it evaluates on, and what is left of it after a checkpoint."""
    told = Told()
    arguments = {"eval_strategy": "steps", "save_strategy": "epoch", "eval_batch_size": 4, "world_size": 1, **changes}
    state = SimpleNamespace(max_steps=100, eval_steps=10, save_steps=25, num_train_epochs=5)
    tell_of_huggingface(told, SimpleNamespace(**arguments), state, done=done, data=data)

    assert expected == told.plan
