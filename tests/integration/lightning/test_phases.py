"""Phases of a program's own in a training of Lightning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.lightning.support import (
    PACKAGES,
    CountedReads,
    loader,
    loggers_of,
    make_callback,
    make_module,
    make_trainer,
    scalars,
    tags,
)


def test_phases_of_a_program_s_own_are_shown_at_the_end(tmp_path: Path) -> None:
    """After the rows, on the last step, all of them, the known ones first; steps have what is in their midst."""
    source = CountedReads()
    callback = make_callback(tmp_path, sources=[source])
    logger = loggers_of(PACKAGES[0]).TensorBoardLogger(tmp_path, "tb")
    trainer = make_trainer(PACKAGES[0], tmp_path, callback, logger=logger)

    def roll_out(_: object) -> None:
        assert callback.meter is not None
        with callback.meter.phase("rollout"):
            source.wait()

    trainer.fit(make_module(PACKAGES[0], roll_out), loader(6), loader(1))
    record = callback.record

    assert record is not None
    assert record.step_joules is not None
    assert "rollout" == [*record.energy.phases][-1]
    assert record.energy.phases["rollout"] < record.step_joules
    assert {f"energy/phase_{phase}_joules" for phase in record.energy.phases} <= tags(logger.log_dir)
    for phase, joules in record.energy.phases.items():
        [(step, shown)] = scalars(logger.log_dir, f"energy/phase_{phase}_joules")
        assert shown == pytest.approx(joules, rel=1e-6)
        assert step == scalars(logger.log_dir, "energy/run_joules")[-1][0]
