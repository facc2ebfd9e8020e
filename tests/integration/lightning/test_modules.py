"""The energy of the modules of a LightningModule."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.lightning.support import PACKAGES, loader, make_callback, make_module, make_trainer


def test_steps_are_divided_by_the_modules_of_the_model(tmp_path: Path) -> None:
    """Forward and backward, and the optimizer, with no hook left; the rows add up to the energy of the steps."""
    module = make_module(PACKAGES[0], on_step=lambda _: os.getpid())
    callback = make_callback(tmp_path, detail="module", module_every=1)
    make_trainer(PACKAGES[0], tmp_path, callback, max_epochs=3).fit(module, loader(8), loader(1))
    record = callback.record

    assert record is not None
    assert record.modules is not None
    assert "Tiny" == record.modules.model
    rows = {(row.direction, row.path) for row in record.modules.rows}
    expected = {("forward", "layer"), ("backward", "layer"), ("forward", ""), ("optimizer", ""), ("rest", "")}
    assert expected == rows & expected
    assert record.step_joules == pytest.approx(sum(row.joules for row in record.modules.rows), abs=1e-6)
    assert not any(vars(inner)["_forward_hooks"] for inner in module.modules())
