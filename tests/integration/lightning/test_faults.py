"""A real training on real adapters while hardware fails: it goes on, says so once, and the gap stands in the record."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon import CarbonCallback, Meter, RunRecord
from lightning_carbon.records.run import DomainRecord
from tests.integration.endings import parts_in
from tests.integration.lightning.support import BUSY, loader, make_callback, make_module, make_trainer
from tests.nvml_standin import Gpu, Scenario, Standin, gpu_uuid
from tests.threads import lasting_samplers

PACKAGE = "pytorch_lightning"
WATTS = 300.0
STEP_SECONDS = 0.02
STEPS_BEFORE = 10
HOUR_SECONDS = 3_600
PATIENCE_SECONDS = 300.0


def gpus_of(record: RunRecord) -> dict[str, DomainRecord]:
    """The GPUs of a record, by UUID."""
    return {domain.id.removeprefix("gpu:"): domain for domain in record.energy.domains if domain.kind == "gpu"}


def train(folder: Path, standin: Standin, until: Callable[[CarbonCallback], bool]) -> tuple[CarbonCallback, int]:
    """Train on the processor while all GPUs are metered, let faults begin, and go on until something has happened.

    Returns:
        The callback, and how many steps there were.
    """
    callback = make_callback(folder, sources=None, devices="all", interval_seconds=0.05)
    give_up = time.monotonic() + PATIENCE_SECONDS
    steps: list[bool] = []

    def on_step(module: Any) -> None:  # noqa: ANN401
        time.sleep(STEP_SECONDS)
        if len(steps) == STEPS_BEFORE:
            standin.leap(2 * HOUR_SECONDS)
        assert time.monotonic() < give_up, "it never happened"
        steps.append(until(callback))
        if sum(steps) > 2:
            module.trainer.should_stop = True

    make_trainer(PACKAGE, folder, callback, max_epochs=-1).fit(make_module(PACKAGE, on_step), loader(100), loader(1))
    return callback, len(steps)


def lost_of(callback: CarbonCallback) -> list[str]:
    """Why GPUs were lost, so far."""
    assert isinstance(callback.meter, Meter)
    return [domain.lost for domain in gpus_of(callback.meter.record).values() if domain.lost is not None]


@pytest.mark.parametrize("fault", ["lost_at_ns", "hang_at_ns"])
def test_a_gpu_that_fails_in_mid_run_costs_its_own_rest(
    tmp_path: Path, nvml_standin: Standin, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """When a GPU falls off the bus, or its driver hangs, the training and the other GPU's meter go on to the end."""
    troubled: Any = {fault: time.monotonic_ns() + HOUR_SECONDS * 1_000_000_000}
    scenario = Scenario.of(Gpu(watts=WATTS), Gpu(watts=WATTS, **troubled))
    with nvml_standin.showing(scenario), caplog.at_level(logging.WARNING, "lightning_carbon"):
        callback, steps = train(tmp_path, nvml_standin, lambda callback: bool(lost_of(callback)))
    record = callback.record
    assert record is not None
    sound, failed = (gpus_of(record)[gpu_uuid(index)] for index in (0, 1))
    [part] = parts_in(tmp_path / "ledger")

    assert ("completed", steps) == (record.status, record.steps)
    assert (None, True) == (sound.lost, failed.lost is not None)
    assert sound.joules == pytest.approx(WATTS * record.duration_seconds * sound.coverage_ratio, rel=BUSY)
    # The gap is neither filled nor hidden: what was counted is what the covered time took.
    assert failed.coverage_ratio < 1
    assert failed.joules == pytest.approx(WATTS * record.duration_seconds * failed.coverage_ratio, rel=BUSY)
    assert "completed" == part.beat.status
    assert 1 == sum("no longer metered" in said.message for said in caplog.records)


def test_a_driver_that_hangs_does_not_hold_up_the_journal(tmp_path: Path, nvml_standin: Standin) -> None:
    """While every question to the driver hangs, beats go on, so that a kill costs no more than otherwise."""
    scenario = Scenario.of(Gpu(watts=WATTS, hang_at_ns=time.monotonic_ns() + HOUR_SECONDS * 1_000_000_000))

    def beats(_: object) -> int:
        [journal] = (tmp_path / "ledger").glob("*/*/rank-00000.jsonl")
        return len(journal.read_text().splitlines()) - 1

    with nvml_standin.showing(scenario):
        callback, _ = train(tmp_path, nvml_standin, lambda callback: bool(lost_of(callback)) and beats(callback) > 7)
    [path] = (tmp_path / "ledger").glob("*/*/record.json")

    assert lost_of(callback)
    assert "completed" == json.loads(path.read_text())["status"]
    assert not lasting_samplers()
