"""``lightning-carbon statement`` and ``card`` on a real run: the forms, and what they refuse."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from typer.testing import CliRunner, Result

from lightning_carbon import Meter, RunRecord
from lightning_carbon.cli.app import app
from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.sources.simulated import SimulatedCounter


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """A run of a card with a published embodied figure."""
    gpu = Domain(Kind.GPU, "gpu:0", "NVIDIA A100-SXM4-80GB")
    sources = [SimulatedCounter(watts=300.0, domain=gpu)]
    folder = tmp_path_factory.mktemp("ledger")
    with Meter(sources=sources, ledger=folder, project="lisa", run_name="small", region="SE", pue=1.1) as meter:
        time.sleep(0.05)
        meter.step_done(samples=8, tokens=512)
    return meter.record


def ran(record: RunRecord, *words: str) -> Result:
    """Run a command on the ledger of a run."""
    assert record.location is not None
    return CliRunner().invoke(app, [*words, "--ledger", str(Path(record.location).parents[2])])


@pytest.mark.parametrize("form", ["paper", "eu-ai-act", "sci", "ghg", "afnor"])
def test_a_run_is_stated_in_each_form(record: RunRecord, form: str) -> None:
    """Of the last run, of a run by its name and of its project, which is the same here."""
    last, named, project = (
        json.loads(ran(record, "statement", form, *words, "--params", "1e6", "--json").stdout)
        for words in ([], ["small"], ["--project", "lisa"])
    )

    assert last == named
    assert last["entries"] == project["entries"]
    assert form == last["form"]


def test_a_paper_gets_its_sentences(record: RunRecord) -> None:
    """Before the table, in LaTeX, too."""
    for form in ("--markdown", "--latex"):
        text = ran(record, "statement", "paper", form).stdout

        assert text.startswith("Training (1 run) on NVIDIA A100-SXM4-80GB took ")


def test_a_card_is_written(record: RunRecord, tmp_path: Path) -> None:
    """And read back by the Hub's library."""
    path = tmp_path / "README.md"
    result = ran(record, "card", str(path), "--training-type", "fine-tuning")

    assert result.exit_code == 0
    assert ModelCard.load(path).data["co2_eq_emissions"]["emissions"] == pytest.approx(
        record.carbon.grams_co2e, rel=1e-5
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["statement", "letter"], "form='letter' cannot be used: give one of paper, eu-ai-act, sci"),
        (["statement", "sci", "--unit", "epoch"], "--unit epoch cannot be used: give one of 1000-tokens"),
        (["statement", "sci", "--life-years", "-1"], "--life-years -1.0 cannot be used: give years above 0"),
        (
            ["statement", "paper", "small", "--project", "lisa"],
            "--project lisa cannot be used: the run 'small' is named",
        ),
        (["statement", "paper", "nothing"], "nothing"),
        (["card", "README.md", "--training-type", "x"], "--training-type x cannot be used: give one of pre-training"),
    ],
)
def test_what_cannot_be_stated_is_said(record: RunRecord, words: list[str], said: str) -> None:
    """In a line, with exit code 2."""
    result = ran(record, *words)

    assert (2, 1) == (result.exit_code, len(result.stderr.splitlines()))
    assert said in result.stderr
