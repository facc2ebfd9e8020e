"""What a training leaves in TensorBoard at its end, beside its rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers.integrations.integration_utils import TensorBoardCallback

from lightning_carbon.integrations.huggingface.trainers import writer_of
from lightning_carbon.report.board import SUMMARY
from lightning_carbon.report.markdown import summary_markdown
from tests.integration.board import Show
from tests.integration.huggingface.support import CountedReads, make_callback, make_trainer, metered_trainer


class Trouble(Exception):
    """Something that happens in a training."""


def logs_of(folder: Path) -> Path:
    """The one folder of logs."""
    [logs] = {file.parent for file in folder.rglob("events.out.tfevents.*")}
    return logs


def test_the_end_of_a_training_is_shown(tmp_path: Path) -> None:
    """The summary and the layout, on the last step, and what is evaluated later adds nothing."""
    trainer, callback = metered_trainer(tmp_path, report_to=["tensorboard"])
    trainer.train()
    record = callback.record
    trainer.evaluate()
    show = Show.of(logs_of(tmp_path))

    assert record is not None
    assert {SUMMARY.name: [(4, summary_markdown(record))]} == show.texts
    assert {} == show.images  # it is too short for one
    assert "power (W)" in show.charts
    assert 1 == show.layouts


def test_a_short_training_has_its_charts(tmp_path: Path) -> None:
    """Where the last row is the only one."""
    trainer, _ = metered_trainer(tmp_path, report_to=["tensorboard"], logging_steps=500)
    trainer.train()

    assert "energy of the run (kWh)" in Show.of(logs_of(tmp_path)).charts


def test_a_training_that_fails_is_shown_too(tmp_path: Path) -> None:
    """Though the Trainer tells nobody."""
    source = CountedReads()

    def fail() -> None:
        source.wait()
        raise Trouble

    callback = make_callback(tmp_path, sources=[source])
    trainer = make_trainer(tmp_path, [callback], fail, report_to=["tensorboard"])
    with pytest.raises(Trouble):
        trainer.train()
    [(step, text)] = Show.of(logs_of(tmp_path)).texts[SUMMARY.name]

    assert 0 == step
    assert ": failed after " in text


def test_a_writer_that_was_closed_is_opened_for_a_moment(tmp_path: Path) -> None:
    """At the end of a training the Trainer closes its own; another one writes beside it."""
    trainer, _ = metered_trainer(tmp_path, report_to=["tensorboard"])
    trainer.train()
    [board] = [callback for callback in trainer.callback_handler.callbacks if isinstance(callback, TensorBoardCallback)]
    assert board.tb_writer is None
    with writer_of(board, trainer.args) as writer:
        writer.add_text("late", "words")

    assert [(0, "words")] == Show.of(logs_of(tmp_path)).texts["late"]
    unused = TensorBoardCallback()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    with writer_of(unused, make_trainer(tmp_path / "other").args) as nowhere:
        assert nowhere is None
