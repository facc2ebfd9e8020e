"""Telling trackers of the end of a run, whatever they do."""

from __future__ import annotations

import logging
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from lightning_carbon.integrations.trackers.ending import Ending, Target, ending_of, settings_of, show_ending
from lightning_carbon.integrations.trackers.finished import FinishedRun
from lightning_carbon.integrations.trackers.lookup import ACCELERATE, HUGGING_FACE, LIGHTNING, targets_among
from lightning_carbon.records.power_profile import power_profile_of
from lightning_carbon.settings import configure
from tests.unit.records.samples import FULL

if TYPE_CHECKING:
    import pytest

ENDED = FinishedRun(FULL, power_profile_of(()), 7, is_training=False)
CONFIG = configure({}, region="SE", project="lisa", run_name="trial-1")
ENDING = Ending({}, {}, {}, 7)


class Logger:
    """A tracker's logger."""


def test_every_tracker_is_told_and_one_that_fails_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """The others are told all the same, and nothing is raised."""

    class Odd:
        """A logger of a class that is not known yet to fail."""

    def fail(_: Ending) -> None:
        raise OSError("no route")

    told: list[Ending] = []
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        show_ending([Target(Odd(), fail), Target(Logger(), told.append)], ENDING)
    [message] = [said.getMessage() for said in caplog.records]

    assert [ENDING] == told
    assert message.endswith("Odd did not take the energy that was logged, and the training goes on")


def test_a_tracker_that_hangs_holds_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A server that does not answer costs a warning; what was begun goes on beside the program."""
    answer, is_done = threading.Event(), threading.Event()

    def hang(_: Ending) -> None:
        answer.wait()
        is_done.set()

    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        show_ending([Target(Logger(), hang)], ENDING, patience_seconds=0.01)
    was_done = is_done.is_set()
    answer.set()

    assert not was_done
    assert is_done.wait(60)
    assert [said.getMessage() for said in caplog.records] == [
        "Logger took longer than 0.01 s for the end of a run, and goes on by itself"
    ]


def test_trackers_find_what_they_keep_in_a_context() -> None:
    """Trackio keeps its run in one, which a thread does not see by itself."""
    current: ContextVar[str] = ContextVar("current", default="none")
    token = current.set("mine")
    found: list[str] = []
    show_ending([Target(Logger(), lambda _: found.append(current.get()))], ENDING)
    current.reset(token)

    assert ["mine"] == found


def test_without_trackers_nothing_happens() -> None:
    """No thread is started."""
    before = threading.active_count()
    show_ending([], ENDING)

    assert before == threading.active_count()


def test_a_copy_of_the_record_is_as_the_user_wants_it() -> None:
    """Without names of machines, unless it is whole; none at all where a callback was not given by hand."""
    names = {rank.host for rank in FULL.ranks} | {str(FULL.host["name"])}
    plain, whole, none = (ending_of(ENDED, CONFIG, copies=copies) for copies in (True, "whole", False))

    assert plain.record_text is not None
    assert whole.record_text is not None
    assert not [name for name in names if f'"{name}"' in plain.record_text]
    assert all(f'"{name}"' in whole.record_text for name in names)
    assert none.record is None
    assert none.record_text is None
    assert none.facts == plain.facts | {}
    assert FULL.energy.total_joules == plain.figures["energy/run_joules"]


def test_settings_are_plain_and_name_no_folder() -> None:
    """What makes a figure what it is, and nothing of the machine."""
    told = settings_of(CONFIG)

    assert ("SE", "lisa", "trial-1") == (told["region"], told["project"], told["run_name"])
    assert {str, float} >= {type(value) for value in told.values()}
    assert {"run_name", "market_intensity", "wue"}.isdisjoint(settings_of(configure({}, region="SE")))
    more = settings_of(configure({}, region="SE", market_intensity=9.0, wue=1.8, machine="workstation"))
    assert ("auto", "workstation", 9.0, 1.8) == (
        told["machine"],
        more["machine"],
        more["market_intensity"],
        more["wue"],
    )
    assert not [value for value in told.values() if str(value).startswith("/")]


def made(name: str, **attributes: Any) -> object:  # noqa: ANN401 - whatever trackers keep
    """A logger or callback of a class of some name."""
    holder = type(name, (), {})()
    vars(holder).update(attributes)
    return holder


def test_trackers_are_found_by_the_names_of_their_classes() -> None:
    """Derived classes, too; those that were never started are left alone, and so is what is not known."""
    run = object()
    derived = type("Mine", (type("WandbLogger", (), {}),), {"_experiment": run})()
    loggers = [
        derived,
        made("CometLogger", _experiment=None),
        made("MLFlowLogger"),
        made("CSVLogger"),
        made("AimLogger"),
    ]
    callbacks = [
        made("WandbCallback", _wandb=made("wandb", run=run)),
        made("WandbCallback", _wandb=None),
        made("MLflowCallback", _ml_flow=made("mlflow", active_run=lambda: None)),
        made("TrackioCallback", _initialized=False),
        made("ClearMLCallback", _clearml_task=run),
        made("PrinterCallback"),
    ]
    trackers = [
        made("WandBTracker", run=run),
        made("WandBTracker"),
        made("MLflowTracker"),
        made("CometMLTracker", writer=run),
        made("TensorBoardTracker", writer=run),
    ]

    assert [derived] == [target.owner for target in targets_among(loggers, LIGHTNING)]
    assert [callbacks[0], callbacks[4]] == [target.owner for target in targets_among(callbacks, HUGGING_FACE)]
    assert [trackers[0], trackers[3]] == [target.owner for target in targets_among(trackers, ACCELERATE)]


def test_a_tracker_that_cannot_be_looked_up_costs_the_others_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A version that keeps its run elsewhere is named."""
    task = made("ClearMLCallback", _clearml_task=object())
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        found = targets_among([made("MLflowCallback"), task], HUGGING_FACE)

    assert [task] == [target.owner for target in found]
    assert [True] == ["MLflowCallback did not take" in said.getMessage() for said in caplog.records]
