"""``lightning-carbon verify``: records that follow from their journals, and those that somebody has touched."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from lightning_carbon import Meter
from lightning_carbon.cli.app import app
from lightning_carbon.energy.readings import Domain, Kind
from lightning_carbon.ledger.chain import Chain, breaks_of
from lightning_carbon.sources.simulated import SimulatedCounter

JOURNAL = "rank-00000.jsonl"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with several beats."""
    sources = [SimulatedCounter(watts=300.0, domain=Domain(Kind.GPU, "gpu:0", "A100"))]
    folder = tmp_path_factory.mktemp("ledger")
    with Meter(sources=sources, ledger=folder, project="lisa", region="SE", interval_seconds=0.05) as meter:
        meter.enter("train")
        for _ in range(30):
            time.sleep(0.05)
            meter.step_done(samples=8, tokens=512)
    assert meter.record.location is not None
    return Path(meter.record.location).parent


@pytest.fixture
def copied(run: Path, tmp_path: Path) -> Path:
    """A copy of it in a ledger of its own, which a test may spoil."""
    folder = tmp_path / run.parent.name / run.name
    shutil.copytree(run, folder)
    return folder


def verify(folder: Path, *words: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["verify", *words, "--ledger", str(folder.parents[1])])


def test_a_record_follows_from_its_journals(run: Path) -> None:
    """Every figure of it, and every line of the journals from the line before."""
    result = verify(run)

    assert result.exit_code == 0
    assert result.stdout.endswith(
        "figures worked out again from 1 journal; all agree, and no line of a journal has been altered\n"
    )
    assert json.loads(verify(run, "--json").stdout)["figures"] > 30


def test_an_altered_figure_of_the_record_is_named(copied: Path) -> None:
    """With both values."""
    path = copied / "record.json"
    record = json.loads(path.read_text())
    record["energy"]["total_joules"] *= 0.9
    path.write_text(json.dumps(record))
    result = verify(copied)
    found = json.loads(verify(copied, "--json").stdout)

    assert result.exit_code == 1
    assert "1 differs\n" in result.stdout
    assert "energy.total_joules" in result.stdout
    assert [record["energy"]["total_joules"]] == [difference["stored"] for difference in found["differences"]]


def test_an_altered_interval_is_named_and_a_record_of_before_needs_none(copied: Path) -> None:
    """It is drawn again, by the seed in the record; a record that was written without one still holds."""
    path = copied / "record.json"
    record = json.loads(path.read_text())
    assert "Monte Carlo" == record["carbon"]["interval"]["method"]
    record["carbon"]["interval"]["high"] *= 0.999
    path.write_text(json.dumps(record))
    altered = verify(copied)
    record["carbon"]["interval"]["high"] /= 0.999
    for part in ("energy", "carbon"):
        del record[part]["interval"]["causes"]
    path.write_text(json.dumps(record))
    without_causes = verify(copied)
    for part in ("energy", "carbon"):
        del record[part]["interval"]
    path.write_text(json.dumps(record))

    assert 0 == without_causes.exit_code
    assert "carbon.interval.high" in altered.stdout
    assert 1 == altered.exit_code
    assert 0 == verify(copied).exit_code


@pytest.mark.parametrize("change", ["alter", "remove"])
def test_an_altered_line_of_a_journal_shows(copied: Path, change: str) -> None:
    """Although the record still follows from the last line."""
    path = copied / JOURNAL
    lines = path.read_text().splitlines()
    lines[2:3] = [lines[2].replace('"steps":', '"steps":1')] if change == "alter" else []
    path.write_text("\n".join(lines) + "\n")
    result = verify(copied)

    assert result.exit_code == 1
    assert f"{JOURNAL}: line {4 if change == 'alter' else 3} does not follow from the line before it" in result.stdout


def test_without_journals_there_is_nothing_to_hold_a_record_against(copied: Path) -> None:
    """One line, and exit code 2."""
    (copied / JOURNAL).unlink()
    result = verify(copied)

    assert (2, 1) == (result.exit_code, result.stderr.count("\n"))
    assert "0 of its 1 journals can be read" in result.stderr


def test_a_chain_goes_on_after_a_line_that_may_be_missing() -> None:
    """A write that failed breaks no later line; journals of before have no chain at all."""
    chain = Chain("{}")
    first = chain.link({"ns": 1})
    chain.advance()
    lost = chain.link({"ns": 2})
    chain.tear()
    third = chain.link({"ns": 3})
    chain.advance()
    fourth = chain.link({"ns": 4})

    assert [] == breaks_of(["{}", first, third, fourth]) == breaks_of(["{}", first, lost, third, fourth])
    assert [] == breaks_of(["{}", '{"ns":1}', '{"ns":2}'])
    assert 1 == len(breaks_of(["{}", first, third.replace("3", "5"), fourth]))
    assert ["line 2 is no JSON"] == breaks_of(["{}", "{", first])
