"""What a run leaves in TensorBoard at its end, beside its rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_carbon.report.board import SUMMARY
from lightning_carbon.report.markdown import summary_markdown
from tests.integration.board import Show
from tests.integration.lightning.support import (
    PACKAGES,
    CountedReads,
    Trainer,
    loader,
    loggers_of,
    make_callback,
    make_module,
    make_trainer,
    tags,
)

CHARTS = [
    "power (W)",
    "energy of the run (kWh)",
    "energy of each row (J)",
    "energy of the run by kind (J)",
    "energy of a step (J)",
    "energy of a sample (J)",
    "CO2e of the run (g)",
    "CO2e of each row (g)",
    "energy of the run at its end (kWh)",
    "CO2e of the run at its end (g)",
    "time that is left (s)",
]


class Trouble(Exception):
    """Something that happens in a training."""


def prepared(
    folder: Path, package: str = PACKAGES[0], *, fails: bool = False, prefix: str = ""
) -> tuple[Trainer, object]:
    """A trainer that logs for TensorBoard and into a table, and a module for it."""
    source = CountedReads()
    loggers = loggers_of(package)
    logger = [loggers.TensorBoardLogger(folder, "tb", prefix=prefix), loggers.CSVLogger(folder, "csv")]
    trainer = make_trainer(package, folder, make_callback(folder, sources=[source]), logger=logger)

    def on_step(_: object) -> None:
        source.wait()
        if fails:
            raise Trouble

    return trainer, make_module(package, on_step)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_end_of_a_training_is_shown(tmp_path: Path, package: str) -> None:
    """The summary and the layout, on the last step; the names of other loggers stay what they were."""
    trainer, module = prepared(tmp_path, package)
    trainer.fit(module, loader(8), loader(1))
    show = Show.of(trainer.loggers[0].log_dir)
    table = Path(trainer.loggers[1].log_dir)

    assert {SUMMARY.name: [(7, summary_markdown(trainer.callbacks[0].record))]} == show.texts
    assert {} == show.images  # it is too short for one
    assert CHARTS == show.charts
    assert ["lightning_carbon_record.json", "metrics.csv"] == sorted(file.name for file in table.iterdir())
    assert SUMMARY.name not in (table / "metrics.csv").read_text()


def test_a_training_that_fails_is_shown_too(tmp_path: Path) -> None:
    """With how it ended, at the first step, since no other was done."""
    trainer, module = prepared(tmp_path, fails=True)
    with pytest.raises(Trouble):
        trainer.fit(module, loader(8), loader(1))
    show = Show.of(trainer.loggers[0].log_dir)
    [(step, text)] = show.texts[SUMMARY.name]

    assert 0 == step
    assert ": failed after " in text


def test_a_test_is_shown_beside_the_training(tmp_path: Path) -> None:
    """Under its own prefix, and the layout is there once."""
    trainer, module = prepared(tmp_path)
    trainer.fit(module, loader(4), loader(1))
    trainer.test(module, loader(2), verbose=False)
    show = Show.of(trainer.loggers[0].log_dir)

    assert {SUMMARY.name, f"test/{SUMMARY.name}"} == set(show.texts)
    assert 1 == show.layouts


def test_a_logger_s_prefix_is_before_these_names_too(tmp_path: Path) -> None:
    """As before those of the rows."""
    trainer, module = prepared(tmp_path, prefix="mine")
    trainer.fit(module, loader(4), loader(1))
    logs = trainer.loggers[0].log_dir

    assert "mine-power/total_watts" in tags(logs)
    assert [f"mine-{SUMMARY.name}"] == list(Show.of(logs).texts)


def test_a_layout_of_the_user_s_own_stays(tmp_path: Path) -> None:
    """TensorBoard shows one layout of a run, so ours gives way."""
    trainer, module = prepared(tmp_path)
    trainer.loggers[0].experiment.add_custom_scalars({"mine": {"loss": ["Multiline", ["train/loss"]]}})
    trainer.fit(module, loader(4), loader(1))
    show = Show.of(trainer.loggers[0].log_dir)

    assert (["loss"], 1) == (show.charts, show.layouts)
    assert [SUMMARY.name] == list(show.texts)
