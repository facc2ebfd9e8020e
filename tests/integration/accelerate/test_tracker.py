"""Loops on Accelerate: rows beside the loss, and what its trackers hold of the run."""

from __future__ import annotations

import json
import logging
import runpy
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from accelerate.tracking import GeneralTracker

from lightning_carbon import CarbonTracker, ConfigError, Meter, RunRecord
from lightning_carbon.errors import BudgetReached
from lightning_carbon.integrations.accelerate import tell_trackers
from lightning_carbon.integrations.accelerate.tracker import devices_of, local_processes
from lightning_carbon.ledger.files import read_json
from tests.integration.board import Show
from tests.integration.huggingface.support import CountedReads
from tests.integration.lightning.support import scalars

STEPS = 4
EXAMPLE = Path(__file__).parents[3] / "examples" / "accelerate_loop.py"
GIVEN: dict[str, Any] = {"intensity": 1000.0, "pue": 1.0, "interval_seconds": 0.01}


class Listener(GeneralTracker):  # type: ignore[misc]  # it has no types
    """A tracker that keeps what it is given."""

    name, requires_logging_directory, tracker = "listener", False, None

    def __init__(self) -> None:
        super().__init__()
        self.logs: list[tuple[int | None, dict[str, Any]]] = []

    def log(self, values: dict[str, Any], step: int | None = None, **kwargs: object) -> None:
        """Keep a copy."""
        self.logs.append((step, dict(values)))


class BrokenTracker(Listener):
    """A tracker that takes what the loop logs, and nothing at the end."""

    name = "broken"

    def log(self, values: dict[str, Any], step: int | None = None, **kwargs: object) -> None:
        """Fail on what has no loss."""
        if "loss" not in values:
            raise OSError("no route")


class Said(logging.Handler):
    """Keeps what the meter warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.messages.append(record.getMessage())


@dataclass(frozen=True)
class Trained:
    """What a loop left.

    Args:
        record: The record of its run.
        rows: What its trackers were given.
        logs: The folder of its logs.
        warned: The warnings of the meter.
        order: The names of its trackers while they were going on.
    """

    record: RunRecord
    rows: list[tuple[int | None, dict[str, Any]]]
    logs: Path
    warned: list[str]
    order: list[str]


def trained(accelerator: Accelerator, source: CountedReads, steps: int = STEPS) -> None:
    """Log a few steps, each once the one before is settled, always the same mapping."""
    values: dict[str, Any] = {}
    for step in range(steps):
        source.wait()
        values["loss"] = 1.0 / (1 + step)
        accelerator.log(values, step=10 * step)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A loop with TensorBoard, a tracker that keeps what it is given, and a tracker that fails."""
    folder = tmp_path_factory.mktemp("accelerate")
    said = Said()
    logging.getLogger("lightning_carbon").addHandler(said)
    source, listener = CountedReads(), Listener()
    ours = CarbonTracker(sources=[source], ledger=folder / "ledger", machine="workstation", **GIVEN)
    trackers = [listener, BrokenTracker(), "tensorboard", ours]
    accelerator = Accelerator(cpu=True, log_with=trackers, project_dir=folder / "logs")
    accelerator.init_trackers("lisa", {"width": 8})
    order = [tracker.name for tracker in accelerator.trackers]
    trained(accelerator, source)
    accelerator.end_training()
    logging.getLogger("lightning_carbon").removeHandler(said)
    assert ours.record is not None
    return Trained(ours.record, listener.logs, folder / "logs", said.messages, order)


def test_every_log_is_a_step_and_rows_add_up_to_the_record(run: Trained) -> None:
    """A mapping that is logged again brings no row twice, and the last row comes at the end."""
    total = run.record.energy.total_joules
    rows = [values["energy/row_joules"] for _, values in run.rows if "energy/row_joules" in values]

    assert ("completed", STEPS, ["train"]) == (run.record.status, run.record.steps, [*run.record.energy.phases])
    assert run.order == ["lightning_carbon", "listener", "broken", "tensorboard"]
    assert [1.0 / (1 + step) for step in range(STEPS)] == [values["loss"] for _, values in run.rows[:STEPS]]
    assert run.rows[-1][0] == 10 * (STEPS - 1)
    assert run.rows[-1][1]["energy/run_joules"] == total
    assert max(rows) < total
    assert {"energy/run_machine_kwh", "carbon/run_grams_co2e"} <= run.rows[-1][1].keys()


def test_tensorboard_has_rows_on_the_axis_of_the_loss_and_the_summary(run: Trained) -> None:
    """Under the names that Lightning's logs have, too."""
    tags = {tag: scalars(run.logs / "lisa", tag) for tag in ("loss", "energy/run_joules")}
    show = Show.of(run.logs / "lisa")

    assert {step for step, _ in tags["energy/run_joules"]} <= {step for step, _ in tags["loss"]}
    assert tags["energy/run_joules"][-1][1] == pytest.approx(run.record.energy.total_joules, rel=1e-6)
    assert ["carbon/summary"] == list(show.texts)
    assert "energy of the run (kWh)" in show.charts


def test_a_copy_of_the_record_lies_beside_the_logs(run: Trained) -> None:
    """Without the name of the machine, since logs are passed around."""
    copied: Any = read_json(run.logs / "lightning_carbon_record.json")

    assert (run.record.run_id, "host 0") == (copied["run_id"], copied["host"]["name"])


def test_a_tracker_that_fails_at_the_end_is_named(run: Trained) -> None:
    """The others are told all the same."""
    assert ["BrokenTracker did not take the energy that was logged, and the training goes on"] == run.warned


def test_by_its_name_it_takes_settings_from_accelerate(tmp_path: Path) -> None:
    """The project is Accelerate's; a loop that counts its own steps is not counted for, and names its phases."""
    source = CountedReads()
    accelerator = Accelerator(cpu=True, log_with="lightning_carbon")
    given = {**GIVEN, "sources": [source], "ledger": tmp_path}
    accelerator.init_trackers("marge", init_kwargs={"lightning_carbon": given})
    meter = accelerator.get_tracker("lightning_carbon", unwrap=True)
    with meter.phase("rollout"):
        source.wait()
    for _ in range(6):
        meter.step_done(samples=2)
    trained(accelerator, source)
    accelerator.end_training()
    record = accelerator.get_tracker("lightning_carbon").record

    assert ("marge", 6, 12) == (record.project, record.steps, record.samples)
    assert {"train", "rollout"} == record.energy.phases.keys()


def test_a_name_that_is_no_project_of_ours_costs_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A project of Accelerate may have a slash; a project that is given to the meter counts before it."""
    with caplog.at_level(logging.WARNING, "lightning_carbon"):
        CarbonTracker("org/lisa", ledger=tmp_path)
        CarbonTracker("org/lisa", ledger=tmp_path, project="bart")

    assert [True] == ["org/lisa" in said.getMessage() for said in caplog.records]


def test_a_setting_that_cannot_be_used_fails_where_the_tracker_is_made() -> None:
    """As everywhere, with the fix."""
    with pytest.raises(ConfigError, match="intensity"):
        CarbonTracker(intensity=-1.0)


def test_a_loop_is_told_where_its_budget_is_used_up(tmp_path: Path) -> None:
    """As by a ``Meter`` of its own, at the log after that; the run can still be ended."""
    source = CountedReads()
    ours = CarbonTracker(sources=[source], ledger=tmp_path, budget="0.001 Wh", on_budget="stop", **GIVEN)
    accelerator = Accelerator(cpu=True, log_with=ours)
    accelerator.init_trackers("lisa")
    with pytest.raises(BudgetReached):
        trained(accelerator, source, steps=10_000)
    accelerator.end_training()

    assert ours.record is not None
    assert ours.record.steps > 0


def test_the_main_process_meters_the_devices_of_all_processes_of_its_machine() -> None:
    """Accelerate gives each process the device of its number; other machines have main processes of their own."""
    assert ["cuda:0", "cuda:1", "cuda:2"] == [*map(str, devices_of(torch.device("cuda", 0), 3))]
    assert ["cpu"] == [*map(str, devices_of(torch.device("cpu"), 3))]
    assert (8, 4, 1, 2) == (
        local_processes(8, {}),
        local_processes(8, {"LOCAL_WORLD_SIZE": "4"}),
        local_processes(1, {"LOCAL_WORLD_SIZE": "4"}),
        local_processes(2, {"LOCAL_WORLD_SIZE": "many"}),
    )


def test_a_tracker_that_is_not_started_does_nothing(tmp_path: Path) -> None:
    """Nothing was metered, so there is nothing to tell; nor is a log of a run that has ended."""
    tracker = CarbonTracker(ledger=tmp_path)
    values = {"loss": 1.0}
    tracker.log(values)
    tracker.finish()

    assert ({"loss": 1.0}, None, None) == (values, tracker.record, tracker.tracker)


def test_trackers_are_told_of_a_run_of_a_meter(tmp_path: Path) -> None:
    """In a loop with ``Meter``, by a call before ``end_training()``."""
    accelerator = Accelerator(cpu=True, log_with="tensorboard", project_dir=tmp_path)
    accelerator.init_trackers("lisa")
    with Meter(sources=[CountedReads()], ledger=tmp_path / "ledger", **GIVEN) as meter:
        meter.step_done()
    tell_trackers(accelerator, meter)
    with pytest.raises(ConfigError, match="copy_record"):
        tell_trackers(accelerator, meter, copy_record="some")  # type: ignore[arg-type]
    accelerator.end_training()
    [text] = Show.of(tmp_path / "lisa").texts["carbon/summary"]

    assert meter.record.run_id in text[1]


def test_the_example_leaves_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight lines of a loop, of which the meter takes a part of one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", str(tmp_path / "ledger"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runpy.run_path(str(EXAMPLE))
    [path] = (tmp_path / "ledger" / "demo").glob("*/record.json")
    record = json.loads(path.read_text())

    assert ("completed", 50) == (record["status"], record["steps"])
    assert list((tmp_path / "runs" / "accelerate_loop").glob("events.out.tfevents.*"))
