"""Ray Tune and Ray Train on this machine: each trial, and each worker's training, is a run as it should be."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedGPU

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", autouse=True)
def _ray() -> Iterator[None]:
    root = str(Path(__file__).parents[3])
    ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": root}})
    yield
    ray.shutdown()


def meter(ledger: str, **told: Any) -> None:  # noqa: ANN401 - what becomes of the trial
    """Meter a step, in a worker of Ray."""
    with Meter(ledger=ledger, project="ray", sources=[SimulatedGPU()]) as running:
        running.step_done(samples=4)
    running.tell_trial(**told)


def records_in(ledger: Path) -> list[Any]:
    """The records of a ledger."""
    return [json.loads(path.read_text()) for path in sorted(ledger.rglob("record.json"))]


def test_each_trial_of_ray_tune_is_one_of_its_sweep(tmp_path: Path) -> None:
    """By the id that Ray gives it, with the value that it reports."""
    from ray import tune

    ledger = str(tmp_path / "ledger")

    def train(config: dict[str, float]) -> None:
        loss = (config["lr"] - 0.2) ** 2
        meter(ledger, value=loss, objective="loss", direction="minimize", parameters=config)
        tune.report({"loss": loss})

    tuner = tune.Tuner(
        train,
        param_space={"lr": tune.grid_search([0.1, 0.2])},
        run_config=tune.RunConfig(name="rates", storage_path=str(tmp_path / "ray")),
    )
    results = tuner.fit()
    trials = {record["trial"]["name"] for record in records_in(tmp_path / "ledger")}

    assert not results.errors
    assert {"rates"} == {record["trial"]["sweep"] for record in records_in(tmp_path / "ledger")}
    assert {result.metrics["trial_id"] for result in results} == trials


def test_a_training_of_ray_train_has_a_run(tmp_path: Path) -> None:
    """In its worker, outside of any search: it is no trial of a sweep."""
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    ledger = str(tmp_path / "ledger")
    trainer = TorchTrainer(
        lambda: meter(ledger),
        scaling_config=ScalingConfig(num_workers=1),
        run_config=RunConfig(name="fit", storage_path=str(tmp_path / "ray")),
    )
    trainer.fit()
    (record,) = records_in(tmp_path / "ledger")

    assert ("completed", 1, 4) == (record["status"], record["steps"], record["samples"])
    assert record["trial"] is None
