"""Loops on Fabric, of both packages: steps, samples, phases, rows in its loggers, and what a checkpoint carries on."""

from __future__ import annotations

import logging
import logging.handlers
import pickle
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from lightning_carbon import CarbonFabricCallback, ConfigError, RunRecord
from lightning_carbon.errors import BudgetReached
from tests.integration.lightning.support import BATCH_SIZE, CountedReads, csv_column, loader

STEPS = 4
GIVEN: dict[str, Any] = {"intensity": 1000.0, "pue": 1.0, "interval_seconds": 0.01}

every_package = pytest.mark.parametrize("package", ["lightning.fabric", "lightning_fabric"])


class Broken:
    """A logger that takes nothing."""

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Fail."""
        raise OSError(f"no route for {len(metrics)} metrics of step {step}")


@dataclass(frozen=True)
class Trained:
    """What a loop left.

    Args:
        record: The record of its run.
        folder: Where its logs and its checkpoint lie.
        warned: What the callback warned of.
    """

    record: RunRecord
    folder: Path
    warned: list[str]


def callback_in(folder: Path, **settings: Any) -> tuple[CarbonFabricCallback, CountedReads]:  # noqa: ANN401 - ours
    """A callback with a ledger of its own, and its source of constant power."""
    source = CountedReads()
    return CarbonFabricCallback(sources=[source], ledger=folder / "ledger", **{**GIVEN, **settings}), source


def set_up(package: str, **given: object) -> tuple[Any, Any, Any]:
    """Fabric on the processor, with a model and an optimizer that it has set up."""
    fabric = import_module(package).Fabric(accelerator="cpu", devices=1, **given)
    layer = torch.nn.Linear(4, 1)
    return fabric, *fabric.setup(layer, torch.optim.SGD(layer.parameters(), lr=0.01))


@pytest.fixture(scope="module", params=["lightning.fabric", "lightning_fabric"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A loop that accumulates two batches to a step and calls the hooks of Lightning's trainers."""
    folder = tmp_path_factory.mktemp("fabric")
    said = logging.handlers.BufferingHandler(capacity=100)
    logging.getLogger("lightning_carbon").addHandler(said)
    carbon, source = callback_in(folder, log_every_n_steps=2, detail="step", project="lisa")
    csv = import_module(f"{request.param}.loggers").CSVLogger(folder / "logs", flush_logs_every_n_steps=1)
    fabric, model, optimizer = set_up(request.param, callbacks=[carbon], loggers=[csv, Broken()])
    for number, batch in enumerate(fabric.setup_dataloaders(loader(2 * STEPS))):
        fabric.call("on_train_batch_start", batch, number)
        loss = model(batch).mean()
        fabric.call("on_before_backward", loss)
        fabric.backward(loss)
        fabric.call("on_after_backward")
        if number % 2:
            source.wait()
            optimizer.step()
            optimizer.zero_grad()
        fabric.call("on_train_batch_end", loss, batch=batch, batch_idx=number)
    fabric.call("on_validation_start")
    source.wait()
    fabric.call("on_validation_end")
    fabric.save(folder / "checkpoint", {"model": model, "carbon": carbon})
    fabric.call("on_train_end")
    logging.getLogger("lightning_carbon").removeHandler(said)
    assert carbon.record is not None
    return Trained(carbon.record, folder, [told.getMessage() for told in said.buffer])


def test_every_step_of_the_optimizer_is_a_step_with_its_batches(run: Trained) -> None:
    """Batches that accumulate are one step, and hooks that the loop calls divide it."""
    record = run.record

    assert ("completed", "lisa", STEPS) == (record.status, record.project, record.steps)
    assert 2 * STEPS * BATCH_SIZE == record.samples
    assert {"train", "validate"} == record.energy.phases.keys()
    assert {"data", "forward", "backward", "other"} <= record.part_seconds["train"].keys()


def test_rows_stand_in_every_logger_of_fabric_and_end_at_the_record(run: Trained) -> None:
    """On the step of the loop, counted from 0; the logger that fails is named, and the training went on."""
    rows = csv_column(next((run.folder / "logs").rglob("metrics.csv")).parent, "energy/run_joules")

    assert STEPS - 1 == rows[-1][0]
    assert {step for step, _ in rows} <= {1, STEPS - 1}
    assert run.record.energy.total_joules == pytest.approx(rows[-1][1])
    assert set(run.warned) <= {"Broken did not take the energy that was logged, and the training goes on"}


def test_a_checkpoint_carries_the_totals_on(run: Trained, tmp_path: Path) -> None:
    """Loaded after the model is set up; a copy for another process takes the state along, and no meter."""
    carbon, source = callback_in(tmp_path)
    fabric, model, optimizer = set_up("lightning.fabric", callbacks=[carbon])
    fabric.load(run.folder / "checkpoint", {"model": model, "carbon": carbon})
    source.wait()
    optimizer.step()
    copied: CarbonFabricCallback = pickle.loads(pickle.dumps(carbon))  # noqa: S301 - its own
    fabric.call("on_train_end")

    assert carbon.record is not None
    assert (1, run.record.run_id) == (carbon.record.steps, carbon.record.origin)
    assert carbon.record.lineage is not None
    assert STEPS + 1 == carbon.record.lineage.steps
    assert (None, None) == (copied.meter, copied.record)


@every_package
def test_a_loop_that_sets_models_up_alone_says_when_it_starts(package: str, tmp_path: Path) -> None:
    """Fabric tells callbacks of no ``setup_module()``, and a second model in a run begins no other run."""
    carbon, _ = callback_in(tmp_path)
    fabric = import_module(package).Fabric(accelerator="cpu", devices=1, callbacks=[carbon])
    layer = torch.nn.Linear(4, 1)
    fabric.setup_module(layer)
    optimizer = fabric.setup_optimizers(torch.optim.SGD(layer.parameters(), lr=0.01))

    assert carbon.meter is None

    fabric.call("on_train_start", fabric=fabric)
    first = carbon.meter
    fabric.setup(torch.nn.Linear(1, 1))
    optimizer.step()
    fabric.call("on_exception", exception=KeyboardInterrupt())

    assert first is carbon.meter
    assert carbon.record is not None
    assert ("interrupted", 1) == (carbon.record.status, carbon.record.steps)


def spend(optimizer: Any, source: CountedReads) -> None:  # noqa: ANN401 - of either package
    """Take steps until something ends them."""
    for _ in range(10_000):
        source.wait(1)
        optimizer.step()


def test_a_budget_that_is_used_up_ends_the_loop(tmp_path: Path) -> None:
    """By an error at a step, as Fabric's loop is the user's own."""
    carbon, source = callback_in(tmp_path, budget="0.001 Wh", on_budget="stop")
    fabric, _, optimizer = set_up("lightning.fabric", callbacks=[carbon])
    with pytest.raises(BudgetReached):
        spend(optimizer, source)
    fabric.call("on_train_end")

    assert carbon.record is not None
    assert carbon.record.budget is not None


@pytest.mark.parametrize("steps", [0, True, "2", 1.5])
def test_a_cadence_that_is_none_is_refused(steps: Any) -> None:  # noqa: ANN401 - what a user may give
    """Where it was typed, with the fix."""
    with pytest.raises(ConfigError, match=r"log_every_n_steps=.* from 1 on"):
        CarbonFabricCallback(log_every_n_steps=steps)
