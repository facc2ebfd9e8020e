"""A meter in a plain loop on the stand-in accelerator, in real time: where its steps end, beside the truth."""

from __future__ import annotations

import csv
from pathlib import Path

import torch

from lightning_carbon import Meter
from lightning_carbon.records.run import RunRecord
from lightning_carbon.sources.simulated import SimulatedCounter
from tests.torch_standin import device as standin
from tests.torch_standin.device import Call

LENGTHS = (0.2, 0.05, 0.3, 0.1)
NEAR_NS = 40_000_000
"""A quarter of what the program's own stamps are off by, and room for a busy machine."""


def _meter(folder: Path) -> Meter:
    return Meter(ledger=folder, sources=[SimulatedCounter()], per_step=True, region="SE")


def _train(meter: Meter) -> list[int]:
    """Give the device all its steps at once, and tell when it will have done each."""
    truth = []
    for seconds in LENGTHS:
        standin.launch(seconds)
        truth.append(standin.done_ns())
        meter.step_done(samples=1)
    return truth


def _ends(record: RunRecord) -> list[int]:
    assert record.location is not None
    with Path(record.location).with_name("steps.csv").open() as file:
        return [int(line["end_ns"]) for line in csv.DictReader(file)]


def _near(found: list[int], truth: list[int]) -> list[bool]:
    return [abs(at - true) < NEAR_NS for at, true in zip(found, truth, strict=True)]


def test_a_meter_that_starts_before_the_device_cuts_steps_where_the_device_ends_them(tmp_path: Path) -> None:
    """A plain meter touches nothing before torch does, and finds the clock with the first step."""
    standin.reset()
    meter = _meter(tmp_path).start("train")
    started = standin.is_initialized()
    standin.launch(0.01)  # the model goes to the device, and the program waits for that
    standin.synchronize()
    meter.enter("other")
    meter.enter("train")
    truth = _train(meter)
    record = meter.stop()

    assert not started
    assert [True] * len(LENGTHS) == _near(_ends(record), truth)
    assert ("device", None) == (record.ranks[0].step_clock, record.ranks[0].step_clock_reason)


def test_a_meter_that_starts_on_a_device_in_use_has_its_clock_at_once(tmp_path: Path) -> None:
    """Steps end where the device ends them, and the meter waits for nothing but the end of the run."""
    standin.reset()
    standin.launch(0.0)
    meter = _meter(tmp_path).start("train")
    truth = _train(meter)
    waits = standin.waits()
    record = meter.stop()

    assert 0 == waits
    assert [True] * len(LENGTHS) == _near(_ends(record), truth)
    assert "device" == record.ranks[0].step_clock


def test_a_device_that_fails_leaves_a_whole_record(tmp_path: Path) -> None:
    """An error that sticks ends no training: every step counts, and the record says whose clock cut them, and why."""
    standin.reset()
    standin.launch(0.0)
    meter = _meter(tmp_path).start("train")
    standin.fail(Call.EVERY, sticks=True)
    for _ in range(10):
        meter.step_done(samples=1)
    record = meter.stop()
    standin.recover()

    assert 10 == record.steps == len(_ends(record))
    assert ("host", f"RuntimeError: {standin.MESSAGE}") == (
        record.ranks[0].step_clock,
        record.ranks[0].step_clock_reason,
    )
    assert "the device's clock failed" in record.summary()


def test_a_graph_that_a_trainer_captures_is_whole(tmp_path: Path) -> None:
    """Steps that end amid a capture leave the graph whole, and are counted."""
    standin.reset()
    standin.launch(0.0)
    with _meter(tmp_path) as meter:
        with standin.captured() as graph:
            standin.launch(0.02)
            meter.step_done()
            meter.next_row()
        for _ in range(3):
            standin.replay(graph)
            meter.step_done()
        torch.accelerator.synchronize()

    assert 4 == meter.record.steps
    assert "device" == meter.record.ranks[0].step_clock
