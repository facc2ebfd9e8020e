"""A Trainer whose budget is used up."""

import time
from pathlib import Path

import pytest

from tests.integration.huggingface.support import CountedReads, make_callback, make_trainer


@pytest.mark.parametrize(
    ("on_budget", "steps", "saved"), [("warn", 4, []), ("checkpoint_and_stop", 1, ["checkpoint-1"])]
)
def test_a_trainer_stops_at_the_end_of_its_step(tmp_path: Path, on_budget: str, steps: int, saved: list[str]) -> None:
    """With a checkpoint if that is asked for; a warning alone lets it go on."""
    callback = make_callback(tmp_path, sources=[CountedReads()], budget="1 J", on_budget=on_budget)

    def wait() -> None:
        while callback.meter is not None and not callback.meter.budget_reached:
            time.sleep(0.001)

    trainer = make_trainer(tmp_path, [callback], wait, save_strategy="no")
    trainer.train()

    assert callback.record is not None
    assert (steps, steps, "completed") == (trainer.state.global_step, callback.record.steps, callback.record.status)
    assert saved == sorted(folder.name for folder in Path(str(trainer.args.output_dir)).glob("checkpoint-*"))
