"""The energy of the modules of a model that a Trainer trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.huggingface.support import make_callback, make_trainer


def test_steps_are_divided_by_the_modules_of_the_model(tmp_path: Path) -> None:
    """The blocks of a GPT-2 forward and backward, with no hook left; the rows add up to the energy of the steps."""
    callback = make_callback(tmp_path, detail="module", module_every=1)
    trainer = make_trainer(tmp_path, [callback], max_steps=12, eval_strategy="no", save_strategy="no")
    trainer.train()
    record = callback.record

    assert record is not None
    assert record.modules is not None
    assert "GPT2LMHeadModel" == record.modules.model
    rows = {(row.direction, row.path) for row in record.modules.rows}
    blocks = {(way, f"transformer.h.0.{part}") for way in ("forward", "backward") for part in ("attn", "mlp")}
    assert blocks | {("optimizer", ""), ("rest", "")} <= rows
    assert record.step_joules == pytest.approx(sum(row.joules for row in record.modules.rows), abs=1e-6)
    assert trainer.model is not None
    assert not any(vars(inner)["_forward_hooks"] for inner in trainer.model.modules())
