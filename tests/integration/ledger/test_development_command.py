"""``lightning-carbon study development``, on ledgers as they lie on a disk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.records.mapping import to_mapping
from tests.developments import Drawn, record_of, write
from tests.integration.ledger import support
from tests.unit.records.parts import domain, part
from tests.unit.records.samples import FULL


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of a development like the study's: 4,789 runs over 172 days."""
    root = tmp_path_factory.mktemp("ledger")
    write(root)
    return root


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A ledger of one run, on a GPU that nobody has priced, and of another project."""
    store = DirectoryRunStore(tmp_path)
    record = record_of(Drawn("baseline", 2, 3_600, 720_000_000_000, 0, "completed"), 0)
    domains = tuple(
        replace(domain, name="Voodoo 2") if domain.kind == "gpu" else domain for domain in record.energy.domains
    )
    store.save(to_mapping(replace(record, energy=replace(record.energy, domains=domains))))
    store.save(to_mapping(replace(FULL, project="other")))
    return tmp_path


def said(*words: str, columns: int = 120) -> str:
    """What the command prints, having succeeded."""
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(app, ["study", "development", *words])

    assert (0, "") == (result.exit_code, result.stderr)
    return result.stdout


def told(*words: str) -> dict[str, Any]:
    """The same as JSON."""
    found: dict[str, Any] = json.loads(said(*words, "--json"))
    return found


def test_the_ledger_of_the_study_totals_the_study_s_figures(ledger: Path) -> None:
    """Table 4 and Table 1, from 4,789 records on the disk, with the study's constants."""
    found = told("--project", "lisa", "--ledger", str(ledger), "--method", "strubell2019")
    figures = [(row["jobs"], round(row["gpu_hours"]), row["computed"]) for row in found["rows"]]

    assert [(1, 120), (24, 2_880), (4_789, 239_942)] == [figure[:2] for figure in figures]
    assert [5, 118, 9_870] == [round(figure[2]["electricity_usd"]) for figure in figures]
    assert [39, 942, 78_468] == [round(figure[2]["co2e_lbs"]) for figure in figures]
    assert [[52, 175], [1_238, 4_205], [103_175, 350_315]] == [
        [round(usd) for usd in figure[2]["cloud_usd"]] for figure in figures
    ]
    assert (172.0, 4_789, 123) == (found["days"], found["jobs"], found["sweeps"])


def test_the_tables_show_what_json_has(ledger: Path) -> None:
    """The three rows, the choices, the shares, the lengths and a comparison; no figure is cut."""
    words = ("--project", "lisa", "--ledger", str(ledger), "--method", "strubell2019")
    text = said(*words)

    for part_of_it in (
        "one model: final-24",
        "one sweep: final",
        "239,942.0",
        "78,467.8",
        "9,870.2",
        "the last that completed",
        "4,789 runs over 172.0 days",
        "2.17 years of an average American life",
        "failed",
        "1 to 7 days",
        "PUE 1.58, 432.7 gCO2e/kWh",
    ):
        assert part_of_it in text
    assert "…" not in text
    assert "239,942.0" in said(*words, columns=60)
    assert said(*words, "--markdown").startswith("**The development of lisa**\n\n| What | Runs | Hours | GPU-hours |")
    assert r"\label{tab:development-1}" in said(*words, "--latex")


def test_another_method_prices_as_the_records_say(ledger: Path) -> None:
    """By default each run has its own factors, and ranges that are wider."""
    words = ("--project", "lisa", "--ledger", str(ledger))
    own, study = told(*words), told(*words, "--method", "strubell2019")

    assert ("current", "strubell2019") == (own["method"], study["method"])
    assert own["rows"][2]["kwh"] == study["rows"][2]["kwh"]
    assert own["rows"][2]["computed"]["co2e_kg"] == pytest.approx(own["rows"][2]["kwh"] * 1.54 * 384.4 / 1e3)
    assert any("PUE 1.54 (assumed), 384.4 gCO2e/kWh (USA 2025)" in note for note in own["notes"])


def test_reading_writes_nothing(ledger: Path) -> None:
    """Runs that have ended are left as they are."""
    before = {path: path.stat().st_mtime_ns for path in ledger.rglob("*")}
    told("--project", "lisa", "--ledger", str(ledger))

    assert before == {path: path.stat().st_mtime_ns for path in ledger.rglob("*")}


def test_a_run_found_dead_counts_with_its_energy(tmp_path: Path) -> None:
    """It is recovered from its journal, as interrupted."""
    uj = {domain("gpu:GPU-1"): 7_200_000_000}
    support.write(tmp_path, part(0, uj, seconds=3_600, host="node-9", pid=support.GONE))
    found = told("--project", "lisa", "--ledger", str(tmp_path))

    assert ["interrupted"] == [share["name"] for share in found["statuses"]]
    assert [("everything", 1, 1.0, 0.002)] == [
        (row["id"], row["jobs"], row["gpu_hours"], round(row["kwh"], 9)) for row in found["rows"]
    ]
    assert any("no run has completed" in note for note in found["notes"])


def test_prices_of_one_s_own_fill_what_is_not_known(small: Path) -> None:
    """An unknown GPU has no price until one is given; a kWh has the user's."""
    words = ("--project", "lisa", "--ledger", str(small))
    absent, given = told(*words), told(*words, "--usd-per-gpu-hour", "1", "2.5", "--usd-per-kwh", "0.5")

    assert absent["rows"][-1]["computed"]["cloud_usd"] is None
    assert any("known of Voodoo 2; --usd-per-gpu-hour LOW HIGH" in note for note in absent["notes"])
    assert [2.0, 5.0] == given["rows"][-1]["computed"]["cloud_usd"]
    assert given["rows"][-1]["computed"]["electricity_usd"] == pytest.approx(0.2 * 1.54 * 0.5)


def test_a_record_that_is_none_is_told_of_and_left_out(small: Path) -> None:
    """The others are still added up."""
    record = record_of(Drawn("odd", 1, 60, 1_000_000, 0, "completed"), 1)
    DirectoryRunStore(small).save(to_mapping(replace(record, started_at="yesterday")))
    result = CliRunner().invoke(app, ["study", "development", "--project", "lisa", "--ledger", str(small), "--json"])

    assert (0, 1) == (result.exit_code, json.loads(result.stdout)["jobs"])
    assert "not a record of a run" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--project", "lisp"], "--project lisp cannot be used: it has no runs in "),
        (["--project", "a/b"], "--project a/b cannot be used: give a short text"),
        (["--project", "lisa", "--method", "green"], "--method green cannot be used: give current or strubell2019"),
        (["--project", "lisa", "--model", "nobody"], "--model nobody cannot be used: no run of the project"),
        (["--project", "lisa", "--sweep", "x-*"], "--sweep x-* cannot be used: no run of the project"),
        (["--project", "lisa", "--usd-per-kwh", "-1"], "--usd-per-kwh -1.0 cannot be used: give USD"),
        (["--project", "lisa", "--usd-per-gpu-hour", "3", "2"], "--usd-per-gpu-hour 3 2 cannot be used: give USD"),
        (["--project", "lisa", "--json", "--latex"], "--json cannot be used: --latex is given too"),
        (["--project", "lisa", "--ledger", "/dev/null/none"], "--ledger /dev/null/none cannot be used: "),
    ],
)
def test_bad_input_is_one_line_that_names_the_option(small: Path, words: list[str], message: str) -> None:
    """Exit code 2, nothing on stdout."""
    own = [] if "--ledger" in words else ["--ledger", str(small)]
    result = CliRunner().invoke(app, ["study", "development", *words, *own])

    assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n"))
    assert result.stderr.startswith(f"lightning-carbon: {message}")


def test_projects_that_there_are_are_named(small: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever mistyped sees what was meant; an empty ledger is said to be empty."""
    empty = tmp_path_factory.mktemp("empty")
    runner, words = CliRunner(), ["study", "development", "--project", "nothing", "--ledger"]

    assert "it has lisa, other." in runner.invoke(app, [*words, str(small)]).stderr
    assert "it is empty." in runner.invoke(app, [*words, str(empty)]).stderr
