"""Trainers that nobody gave a callback to: after ``autolog()``, and by ``report_to="lightning_carbon"``."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from transformers import Trainer, TrainerCallback, TrainingArguments
from transformers import trainer as of_transformers

import lightning_carbon
from lightning_carbon import CarbonTrainerCallback, ConfigError
from tests.integration.huggingface.support import (
    CountedReads,
    PatientTrainer,
    make_callback,
    make_trainer,
    records_in,
    scalars,
    values_of,
)
from tests.threads import lasting_samplers

Autolog = Callable[..., None]


@pytest.fixture
def autolog(tmp_path: Path) -> Iterator[Autolog]:
    """The function, with a ledger of its own and one source, and off again after the test."""

    def on(**settings: Any) -> None:  # noqa: ANN401 - of several types
        settings = {"project": "automatic", "sources": [CountedReads()], "interval_seconds": 0.01, **settings}
        lightning_carbon.autolog(intensity=1000.0, pue=1.0, ledger=tmp_path / "ledger", **settings)

    yield on
    lightning_carbon.autolog(disable=True)


def ours(trainer: Trainer) -> list[CarbonTrainerCallback]:
    """The metering callbacks of a Trainer."""
    return [callback for callback in trainer.callback_handler.callbacks if isinstance(callback, CarbonTrainerCallback)]


def records(folder: Path) -> list[dict[str, Any]]:
    """The records in the ledger."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in records_in(folder)]


def test_a_trainer_without_a_callback_meters_itself(tmp_path: Path, autolog: Autolog) -> None:
    """Its logs have the rows, its last one the totals, and the ledger alone the record, unless a copy was asked for."""
    source = CountedReads()
    autolog(sources=[source])
    trainer = make_trainer(tmp_path, on_step=source.wait)
    trainer.train()
    [record] = records(tmp_path)
    history = trainer.state.log_history

    assert not list((tmp_path / "out").glob("lightning_carbon*"))
    assert ("completed", "automatic", 4) == tuple(record[key] for key in ("status", "project", "steps"))
    assert record["energy"]["total_joules"] == pytest.approx(history[-1]["train_energy_joules"])
    assert record["energy"]["total_joules"] == pytest.approx(history[-1]["energy/run_joules"])
    assert not lasting_samplers()


def test_every_trainer_gets_a_callback_of_its_own(tmp_path: Path, autolog: Autolog) -> None:
    """Said twice, it still meters once, as it was said last."""
    autolog(project="first")
    autolog(project="second")
    trainers = [make_trainer(tmp_path / str(number)) for number in range(2)]
    for trainer in trainers:
        trainer.train()
    [first], [second] = map(ours, trainers)

    assert first is not second
    assert ["second", "second"] == [record["project"] for record in records(tmp_path)]


def test_switched_off_no_trainer_meters_itself(tmp_path: Path, autolog: Autolog) -> None:
    """Trainers that were there keep their callback, and transformers has its own list again."""
    before = list(of_transformers.DEFAULT_CALLBACKS)
    autolog()
    metered = make_trainer(tmp_path)
    lightning_carbon.autolog(disable=True)

    assert (1, 0) == (len(ours(metered)), len(ours(make_trainer(tmp_path))))
    assert before == of_transformers.DEFAULT_CALLBACKS


@pytest.mark.parametrize("names", ["lightning_carbon", ["tensorboard", "lightning_carbon"]], ids=str)
def test_report_to_meters_one_trainer(tmp_path: Path, names: str | list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is understood where the integration was imported; settings come from the environment."""
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setenv("LIGHTNING_CARBON_PROJECT", "by name")
    monkeypatch.setenv("LIGHTNING_CARBON_REGION", "FR")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "logs"))
    trainer = make_trainer(tmp_path, report_to=names)
    trainer.train()
    [record] = records(tmp_path)

    assert ("by name", "FRA", 4) == (record["project"], record["carbon"]["intensity"]["region"], record["steps"])
    assert 0 == len(ours(make_trainer(tmp_path)))
    if "tensorboard" in names:
        [(step, joules)] = scalars(tmp_path)["train/train_energy_joules"]
        assert step == 4
        assert joules == pytest.approx(record["energy"]["total_joules"])


def test_a_wrong_variable_is_told_when_the_trainer_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name, and before anything is trained."""
    monkeypatch.setenv("LIGHTNING_CARBON_PUE", "much")
    with pytest.raises(ConfigError, match=r"^LIGHTNING_CARBON_PUE='much' cannot be used"):
        make_trainer(tmp_path, report_to="lightning_carbon")


def test_asked_for_in_two_ways_it_meters_once(
    tmp_path: Path, autolog: Autolog, caplog: pytest.LogCaptureFixture
) -> None:
    """As a default and by name, nobody warns of a second one."""
    autolog()
    with caplog.at_level(logging.WARNING):
        trainer = make_trainer(tmp_path, report_to=["lightning_carbon"])
        trainer.train()

    assert (1, 1) == (len(ours(trainer)), len(records(tmp_path)))
    assert not any("already one" in message for message in caplog.messages)


def given(trainer: PatientTrainer, callback: CarbonTrainerCallback) -> None:
    """Add it as transformers does."""
    trainer.add_callback(callback)


def attached(trainer: PatientTrainer, callback: CarbonTrainerCallback) -> None:
    """Add it as we say."""
    callback.attach(trainer)


def turned_round(trainer: PatientTrainer, callback: CarbonTrainerCallback) -> None:
    """Put it before the automatic one."""
    first, *others = trainer.callback_handler.callbacks
    trainer.callback_handler.callbacks = [first, callback, *others]


@pytest.mark.parametrize("add", [None, given, attached, turned_round])
@pytest.mark.parametrize("by_name", [False, True], ids=["autolog", "report_to"])
def test_a_callback_given_by_hand_is_the_one(
    tmp_path: Path,
    add: Callable[[PatientTrainer, CarbonTrainerCallback], None] | None,
    by_name: bool,  # noqa: FBT001
    autolog: Autolog,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At construction or later, before the automatic one or behind: one run, one log, one record, and no warning."""
    source = CountedReads()
    autolog()
    if by_name:
        lightning_carbon.autolog(disable=True)
    callback = make_callback(tmp_path, project="by hand", sources=[source])
    with caplog.at_level(logging.WARNING):
        trainer = make_trainer(
            tmp_path,
            [callback] if add is None else [],
            source.wait,
            report_to=["lightning_carbon"] if by_name else [],
        )
        if add is not None:
            add(trainer, callback)
        trainer.train()
        trainer.evaluate()
    training, evaluation = records(tmp_path)
    [*_, logged] = values_of(trainer.state.log_history, "energy/run_joules")

    assert [callback] == ours(trainer)
    assert ("by hand", "by hand", 4) == (training["project"], evaluation["project"], training["steps"])
    assert logged == pytest.approx(training["energy"]["total_joules"])
    assert not any("already one" in message or "cannot be found" in message for message in caplog.messages)


def test_one_given_in_mid_run_meters_the_next(tmp_path: Path, autolog: Autolog) -> None:
    """A run that is going on is ended by the callback that began it, with all its steps."""
    autolog()
    callback = make_callback(tmp_path, project="by hand")

    class Attaching(TrainerCallback):
        """Attaches it after the second step."""

        def on_step_end(self, args: object, state: Any, control: object, **kwargs: Any) -> None:  # noqa: ANN401
            """Attach."""
            if state.global_step == 2 and len(ours(trainer)) == 1:
                callback.attach(trainer)

    trainer = make_trainer(tmp_path, [Attaching()])
    trainer.train()
    both = len(ours(trainer))
    trainer.train()

    assert (2, [callback]) == (both, ours(trainer))
    assert [("automatic", "completed", 4), ("by hand", "completed", 4)] == [
        (record["project"], record["status"], record["steps"]) for record in records(tmp_path)
    ]


class Unforeseen(list[CountedReads]):
    """Sources with a defect that comes later."""

    broken = False

    def __iter__(self) -> Iterator[CountedReads]:
        """Be in order as long as it is not broken."""
        if self.broken:
            raise ZeroDivisionError
        return super().__iter__()


def test_a_defect_costs_the_metering_and_not_the_trainer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, autolog: Autolog
) -> None:
    """What nobody has foreseen is warned of, and the Trainer trains without a meter."""
    sources = Unforeseen([CountedReads()])
    autolog(sources=sources)
    sources.broken = True
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        trainer = make_trainer(tmp_path)
    trainer.train()

    assert (4, [], []) == (trainer.state.global_step, ours(trainer), records_in(tmp_path))
    assert ["please report this"] == [said.message[-18:] for said in caplog.records if said.name == "lightning_carbon"]


def test_two_given_by_hand_are_refused_all_the_same(tmp_path: Path, autolog: Autolog) -> None:
    """That there is an automatic one, too, is none of their business."""
    autolog()
    with pytest.raises(ConfigError, match="remove the others"):
        make_trainer(tmp_path, [make_callback(tmp_path), make_callback(tmp_path)])


def test_a_copy_is_still_automatic(tmp_path: Path, autolog: Autolog) -> None:
    """A search for hyperparameters may send the Trainer to another process, where it gives way, too."""
    autolog()
    [automatic] = ours(make_trainer(tmp_path))
    copy = pickle.loads(pickle.dumps(automatic))  # noqa: S301 - made in this very line
    callback = make_callback(tmp_path)
    lightning_carbon.autolog(disable=True)

    assert [callback] == ours(make_trainer(tmp_path, [copy, callback]))


def test_the_parts_of_steps_are_told_where_that_was_asked_for(tmp_path: Path, autolog: Autolog) -> None:
    """Settings reach the callback, and the one given by hand has its own."""
    autolog(detail="step")
    make_trainer(tmp_path).train()
    make_trainer(tmp_path, [make_callback(tmp_path)]).train()
    automatic, by_hand = records(tmp_path)

    assert automatic["energy"]["parts"]
    assert not by_hand["energy"]["parts"]


def test_transformers_takes_the_name(tmp_path: Path) -> None:
    """Its arguments keep it, beside the others and in a file of them."""
    args = TrainingArguments(str(tmp_path), report_to=["tensorboard", "lightning_carbon"])
    kept: dict[str, Any] = args.to_dict()  # type: ignore[no-untyped-call]

    assert ["tensorboard", "lightning_carbon"] == args.report_to == kept["report_to"]
