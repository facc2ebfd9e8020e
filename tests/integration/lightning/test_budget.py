"""A trainer of Lightning whose budget is used up."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.lightning.support import PACKAGES, CountedReads, loader, make_callback, make_module, make_trainer


@pytest.mark.parametrize(
    ("on_budget", "steps", "saved"), [("warn", 3, []), ("checkpoint_and_stop", 1, ["budget-reached.ckpt"])]
)
def test_a_fit_stops_at_the_end_of_its_step(tmp_path: Path, on_budget: str, steps: int, saved: list[str]) -> None:
    """With a checkpoint if that is asked for; a warning alone lets it go on."""
    callback = make_callback(tmp_path, sources=[CountedReads()], budget="1 J", on_budget=on_budget)

    def wait(_: Any) -> None:  # noqa: ANN401 - a module
        while callback.meter is not None and not callback.meter.budget_reached:
            time.sleep(0.001)

    trainer = make_trainer(PACKAGES[0], tmp_path, callback, max_epochs=1)
    trainer.fit(make_module(PACKAGES[0], wait), loader(3), loader(1))

    assert callback.record is not None
    assert (steps, steps, "completed") == (trainer.global_step, callback.record.steps, callback.record.status)
    assert saved == [path.name for path in tmp_path.rglob("*.ckpt")]
