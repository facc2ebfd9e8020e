"""Each trial of a search is a run of one sweep: Optuna, Hugging Face over Optuna, and Hydra, as they are."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from transformers.trainer_utils import default_compute_objective
from typer.testing import CliRunner

from lightning_carbon import Meter
from lightning_carbon.cli.app import app
from lightning_carbon.errors import ConfigError
from lightning_carbon.integrations.optuna import CarbonTrials
from lightning_carbon.sources.simulated import SimulatedGPU
from tests.integration.huggingface.support import make_callback, make_trainer

STORY: dict[int, float | Exception] = {0: 0.9, 1: optuna.TrialPruned(), 2: ValueError("no"), 3: float("nan"), 4: 0.4}
"""How each trial of the study ends."""


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def sweep(ledger: Path, *words: str) -> Any:  # noqa: ANN401 - what the command prints as JSON
    """What the command prints of a sweep."""
    result = CliRunner().invoke(app, ["runs", "--ledger", str(ledger), "sweep", "--json", *words])
    assert not result.exit_code, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, optuna.Study]:
    """A ledger, and the study whose trials it has."""
    ledger = tmp_path_factory.mktemp("study")
    trials = CarbonTrials(objective="loss")

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("rate", 0.0, 1.0)
        with Meter(ledger=ledger, project="search", sources=[SimulatedGPU()]) as meter:
            meter.step_done()
            end = STORY[trial.number]
            if isinstance(end, Exception):
                raise end
        return end

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name="rates")
    study.optimize(trials.metered(objective), n_trials=len(STORY), callbacks=[trials], catch=(ValueError,))
    return ledger, study


def test_optuna_tells_pruned_from_failed(studied: tuple[Path, optuna.Study]) -> None:
    """Also of a value that is no number, which only Optuna calls a failure."""
    found = sweep(studied[0], "rates")

    assert ["complete", "pruned", "failed", "failed", "complete"] == [trial["state"] for trial in found["trials"]]
    assert ("4", "loss", "minimize") == (found["best"], found["objective"], found["direction"])
    assert pytest.approx(0.5) == found["gain"]
    assert all(0 <= trial["parameters"]["rate"] <= 1 for trial in found["trials"])


def test_the_study_has_the_energy_of_its_trials(studied: tuple[Path, optuna.Study]) -> None:
    """As attributes, which add up to the sweep."""
    ledger, study = studied

    assert pytest.approx(sweep(ledger)["joules"]) == sum(trial.user_attrs["energy_joules"] for trial in study.trials)


def test_a_sweep_is_printed_in_every_form(studied: tuple[Path, optuna.Study]) -> None:
    """A table with its sums, Markdown, and a row of CSV for each trial; two forms at once are refused."""

    def printed(*words: str) -> str:
        result = CliRunner().invoke(app, ["runs", "sweep", "--ledger", str(studied[0]), *words])
        return result.output

    assert "The best trial, 4, has" in " ".join(printed().split())
    assert "| 4 (best) | complete | 0.4 |" in printed("--markdown")
    assert [*"01234"] == [line.partition(",")[0] for line in printed("--csv").splitlines()[1:]]
    assert "--csv" in printed("--csv", "--json")
    assert "did you mean rates?" in printed("rate")
    assert "--direction down cannot be used" in printed("--direction", "down")
    assert "have logged no metric" in printed("--metric", "loss")


def test_filters_know_sweeps(studied: tuple[Path, optuna.Study]) -> None:
    """The name of a sweep selects its runs, as a pattern of their names does."""
    result = CliRunner().invoke(app, ["runs", "total", "--ledger", str(studied[0]), "--sweep", "rates", "--json"])

    assert len(STORY) == json.loads(result.stdout)["total"]["runs"]


def test_the_report_of_a_project_adds_its_searches_up(studied: tuple[Path, optuna.Study], tmp_path: Path) -> None:
    """With what pruned and failed trials took, as the command does."""
    page = tmp_path / "report.md"
    words = ["report", "--project", "search", "--ledger", str(studied[0]), "-o", str(page)]
    result = CliRunner().invoke(app, words)

    assert not result.exit_code, result.output
    assert "| rates | 5 |" in page.read_text(encoding="utf-8")


def test_a_loop_of_a_shell_is_a_sweep(tmp_path: Path) -> None:
    """Each program is the trial that the options name."""
    words = [
        "run",
        "--quiet",
        "--ledger",
        str(tmp_path),
        "--sweep",
        "widths",
        "--trial",
        "7",
        "--",
        sys.executable,
        "-c",
        "",
    ]
    subprocess.run([sys.executable, "-m", "lightning_carbon", *words], check=True, timeout=500)

    assert [("7", "complete")] == [(trial["name"], trial["state"]) for trial in sweep(tmp_path, "widths")["trials"]]


def test_an_outcome_has_known_words(tmp_path: Path) -> None:
    """A state that is none is refused where it is given."""
    with Meter(ledger=tmp_path, sources=[SimulatedGPU()]) as meter, pytest.raises(ConfigError, match="complete"):
        meter.tell_trial(state="good")


def test_a_run_without_a_sweep_tells_no_outcome(tmp_path: Path) -> None:
    """Nothing is written beside the record of a run that is no trial."""
    with Meter(ledger=tmp_path, sources=[SimulatedGPU()]) as meter:
        meter.tell_trial(0.5)

    assert not list(tmp_path.rglob("trial.json"))
    result = CliRunner().invoke(app, ["runs", "sweep", "--ledger", str(tmp_path)])
    assert "no run of this ledger is a trial" in result.output


def test_the_metered_search_of_hugging_face_finds_what_the_bare_one_finds(tmp_path: Path) -> None:
    """Each trial is one of the sweep; our figures in the metrics of an evaluation are no part of the objective."""

    def search(folder: Path, *callbacks: Any) -> Any:  # noqa: ANN401 - callbacks, and a BestRun
        trainer: Any = make_trainer(folder, callbacks, samples=2)
        trainer.model_init = lambda: make_trainer(folder).model
        return trainer.hyperparameter_search(
            lambda trial: {"learning_rate": trial.suggest_float("learning_rate", 1e-3, 1e-1)},
            n_trials=2,
            backend="optuna",
            study_name="lr",
            sampler=optuna.samplers.RandomSampler(seed=0),
        )

    bare = search(tmp_path / "bare")
    metered = search(tmp_path, make_callback(tmp_path))
    found = sweep(tmp_path / "ledger", "lr")

    assert pytest.approx(bare.objective) == metered.objective
    assert [2, 2] == [trial["runs"] for trial in found["trials"]]
    assert [pytest.approx(metered.objective)] == [
        trial["value"] for trial in found["trials"] if trial["name"] == metered.run_id
    ]
    assert metered.run_id == found["best"]


def test_the_objective_of_the_user_may_have_our_figures() -> None:
    """Only the sum that transformers takes by itself is of the model's metrics alone, by the name that it has there."""
    assert "default_compute_objective" == default_compute_objective.__name__


def test_the_jobs_of_hydra_have_one_ledger(tmp_path: Path) -> None:
    """Each job runs in a folder of its own, and a relative ledger is where the user started them."""
    program = Path(__file__).with_name("hydra_job.py")
    command = [sys.executable, str(program), "-m", "hydra.job.chdir=True", "+lr=0.1,0.2"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    found = sweep(tmp_path / "ledger")

    assert ["0", "1"] == [trial["name"] for trial in found["trials"]]
    assert [{"lr": "0.1"}, {"lr": "0.2"}] == [trial["parameters"] for trial in found["trials"]]
    assert ("1", "loss") == (found["best"], found["objective"])
    assert [tmp_path / "ledger" / "jobs"] == [path for path in tmp_path.rglob("jobs") if path.is_dir()]
