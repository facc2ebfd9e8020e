"""How many steps an epoch has, as each trainer tells the meter's journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.huggingface.support import metered_trainer
from tests.integration.lightning.support import PACKAGES, loader, make_callback, make_module, make_trainer


def told(folder: Path) -> list[float | None]:
    """What the last line of every journal says."""
    journals = sorted(folder.rglob("rank-*.jsonl"))
    return [json.loads(path.read_text().splitlines()[-1])["steps_per_epoch"] for path in journals]


@pytest.mark.parametrize(("accumulate", "steps"), [(1, 8.0), (3, 3.0)])
def test_lightning_tells_the_steps_of_an_epoch(tmp_path: Path, accumulate: int, steps: float) -> None:
    """Batches that accumulate make a step together, and the last ones of an epoch make one, too."""
    callback = make_callback(tmp_path)
    trainer = make_trainer(PACKAGES[0], tmp_path, callback, accumulate_grad_batches=accumulate, max_epochs=2)
    trainer.fit(make_module(PACKAGES[0]), loader(8), loader(1))

    assert [steps] == told(tmp_path)
    assert callback.record is not None
    assert 2 * steps == callback.record.steps


def test_the_trainer_tells_the_steps_of_an_epoch(tmp_path: Path) -> None:
    """As it counts them."""
    trainer, callback = metered_trainer(tmp_path, num_train_epochs=2, gradient_accumulation_steps=2)
    trainer.train()
    (steps,) = told(tmp_path)

    assert callback.record is not None
    assert pytest.approx(callback.record.steps / 2, rel=0.01) == steps
