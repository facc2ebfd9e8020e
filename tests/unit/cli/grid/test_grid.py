"""``lightning-carbon grid``: what it prints, draws and refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.records.mapping import to_mapping
from tests.unit.records.samples import FULL, NOTHING


def run(*words: str) -> str:
    """What a command prints where all is well."""
    result = CliRunner().invoke(app, ["grid", *words])

    assert (0, "") == (result.exit_code, result.stderr), result.stderr
    return result.stdout


def refusal(*words: str) -> str:
    """What is said of words that cannot be used."""
    result = CliRunner().invoke(app, ["grid", *words])

    assert (2, "") == (result.exit_code, result.stdout)
    return result.stderr


@pytest.fixture
def series(tmp_path: Path) -> str:
    """Three days that are clean from 02:00 to 04:00 UTC."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        f"{(start + timedelta(hours=hour)).isoformat()},{100 if hour % 24 in {2, 3} else 300}" for hour in range(72)
    ]
    (tmp_path / "grid.csv").write_text("\n".join(["timestamp,gCO2e/kWh", *rows]))
    return str(tmp_path / "grid.csv")


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """A ledger with a run, and another in which nothing could be metered."""
    for record in (FULL, NOTHING):
        folder = tmp_path / "ledger" / record.project / record.run_id
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps(to_mapping(record)))
    return str(tmp_path / "ledger")


def test_the_best_start_is_told_with_its_saving(series: str) -> None:
    """Two hours from 02:00 emit a third of the usual: the text, and the same as plain values."""
    text = " ".join(run("best", series, "--hours", "2", "--kwh", "3").split())
    found = json.loads(run("best", series, "--hours", "2", "--kwh", "3", "--json"))

    assert "best: 2025-01-01 02:00 UTC" in text
    assert ["02"] == [hour for hour, grams in found["by_hour_utc"].items() if grams == 100]
    assert "71 starts of 2 h at constant power; the best saves 50.0 % to 66.7 % against nine of ten of them" in text
    assert ("2025-01-01 02:00 UTC", 100.0) == tuple(found["best"].values())
    assert pytest.approx(300.0) == found["grams_co2e"]["best"]
    assert found["saved_ratio"]["value"] == pytest.approx(1 - 100 / found["all"]["value"])


def test_a_place_has_no_packaged_profile(series: str) -> None:
    """The message says where files are to be had; a series and a region together are asked about."""
    assert "no profile of the hours of a place may be packaged" in refusal("best", "--region", "DE", "--hours", "6")
    assert "leave --region out" in refusal("best", series, "--region", "DE", "--hours", "6")
    assert "SERIES is missing" in refusal("best", "--hours", "6")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--hours is missing: give the length"),
        (["--hours", "0"], "--hours 0.0 cannot be used"),
        (["--hours", "2", "--kwh", "-1"], "--kwh -1.0 cannot be used"),
        (["--hours", "100"], "none of its stretches without gaps has 100 h"),
        (["--hours", "2", "--json", "--latex"], "leave one out"),
    ],
)
def test_a_job_that_cannot_be_is_refused(series: str, words: list[str], said: str) -> None:
    """Length, energy and form are checked, and the option is named."""
    assert said in refusal("best", series, *words)


def test_a_series_is_drawn(series: str, tmp_path: Path) -> None:
    """Hour of the day by month, in a zone of the user's; a zone or an ending that is none is refused."""
    pytest.importorskip("matplotlib")
    path = tmp_path / "out.png"

    assert "out.png" in run("plot", series, "--output", str(path), "--zone", "Europe/Berlin")
    assert b"\x89PNG" == path.read_bytes()[:4]
    assert "--zone Mars cannot be used" in refusal("plot", series, "--zone", "Mars")
    assert "give a file such as out.png" in refusal("plot", series, "--output", str(tmp_path / "out.xyz"))
    assert "no such file" in refusal("plot", str(tmp_path / "none.csv")).lower()


def rows_of(*words: str) -> dict[str, dict[str, Any]]:
    """The alternatives by name, as plain values."""
    return {row["place"]: row for row in json.loads(run("what-if", *words, "--json"))["what_if"]}


def test_an_energy_is_priced_at_places_hours_and_sites(series: str, tmp_path: Path) -> None:
    """The same energy, with each factor: sorted, and drawn where a picture is wanted."""
    pytest.importorskip("matplotlib")
    picture = tmp_path / "out.png"
    words = ["--kwh", "2", "--region", "DE", "--pue", "1.5", "--regions", "SE,FR", "--pues", "1.2, 1.1"]
    rows = rows_of(*words, "--series", series, "--hours", "2", "--plot", str(picture))

    grams = [row["grams_co2e"]["value"] for row in rows.values()]
    assert sorted(grams) == grams
    assert ["DE"] == [name for name, row in rows.items() if row["is_here"]]
    assert 2 * 1.5 * 100 == pytest.approx(rows["best start, 02:00 UTC"]["grams_co2e"]["value"])
    assert 1 - 1.2 / 1.5 == pytest.approx(rows["PUE 1.2"]["saved_ratio"])
    assert {"SE", "FR", "PUE 1.1", "mean of all starts"} < set(rows)
    assert picture.stat().st_size
    assert "The factors count different emissions" in run("what-if", *words, "--series", series, "--hours", "2")


def test_a_run_of_the_ledger_is_priced_elsewhere(ledger: str) -> None:
    """Energy, place and PUE are those of the record."""
    rows = rows_of(FULL.run_id, "--ledger", ledger, "--regions", "WORLD")
    here = next(row for row in rows.values() if row["is_here"])

    assert FULL.carbon.grams_co2e == pytest.approx(here["grams_co2e"]["value"], rel=1e-4)
    assert FULL.carbon.pue.value == rows["WORLD"]["pue"]
    assert "as run" in run("what-if", FULL.run_id, "--ledger", ledger)
    assert "nothing could be metered" in refusal("what-if", NOTHING.run_id, "--ledger", ledger)
    assert "leave one out" in refusal("what-if", FULL.run_id, "--kwh", "1", "--ledger", ledger)
    assert "the record of the run says it" in refusal("what-if", FULL.run_id, "--pue", "1.1", "--ledger", ledger)


def test_marginal_factors_stand_in_no_table_of_averages(tmp_path: Path) -> None:
    """A series of WattTime says when to shift a job, and is refused beside average factors."""
    rows = [f"2025-01-01T{hour:02d}:00:00+00:00,{1000 - hour}" for hour in range(24)]
    path = tmp_path / "moer.csv"
    path.write_text("\n".join(["timestamp,MOER", *rows]))

    assert "Marginal: the saving of shifting a job" in run("best", str(path), "--hours", "2")
    words = ["what-if", "--kwh", "1", "--hours", "2", "--series", str(path)]
    assert "never mixed" in refusal(*words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--kwh is missing: give a run, or an energy"),
        (["--kwh", "1", "--regions", "SE,Atlantis"], "--regions SE,Atlantis cannot be used"),
        (["--kwh", "1", "--pues", "1.2,0.5"], "--pues 1.2,0.5 cannot be used"),
        (["--kwh", "1", "--region", "Sweeden"], "--region Sweeden cannot be used: did you mean SE"),
    ],
)
def test_a_question_without_sense_is_refused(words: list[str], said: str) -> None:
    """The option is named, with what would work."""
    assert said in refusal("what-if", *words)


def test_a_place_is_shown_with_its_range_years_and_sources() -> None:
    """The factor of a year, the methods that its range spans, the licence, and every publisher's years."""
    text = " ".join(run("show", "de", "--year", "2024").split())
    found = json.loads(run("show", "de", "--year", "2024", "--json"))

    assert text.startswith("Electricity of de ")
    assert "life-cycle, generation" in text
    assert "CC BY 4.0" in text
    assert (2024, "DEU", "de") == tuple(found["intensity"][key] for key in ("year", "region", "typed"))
    assert found["intensity"]["value"] == found["published"][0]["grams_co2e_per_kilowatt_hour"]["2024"]
    assert "the nearest to 1995 that is published" in " ".join(run("show", "DE", "--year", "1995").split())
    assert "PUE" in run("show", "aws:eu-north-1")
    assert [] == json.loads(run("show", "coal=0.3,wind=0.7", "--json"))["published"]
    assert "cannot be used" in refusal("show", "Atlantis")


def test_a_run_is_priced_again_by_a_series(ledger: str, tmp_path: Path) -> None:
    """``runs reprice`` takes a file: the run is cut by its own power over time, and the rest is as recorded."""
    started = datetime.fromisoformat(FULL.started_at)
    path = tmp_path / "again.csv"
    path.write_text(f"time,gCO2e/kWh\n{started.isoformat()},100\n{(started + timedelta(seconds=60)).isoformat()},40\n")
    words = ["runs", "reprice", FULL.run_id, "--ledger", ledger, "--intensity"]
    result = CliRunner().invoke(app, [*words, str(path), "--json"])
    [found] = json.loads(result.stdout)["runs"]

    assert pytest.approx(1.0) == found["series_ratio"]
    assert (100 * 60 + 40 * (FULL.duration_seconds - 60)) / FULL.duration_seconds == pytest.approx(
        found["intensity"]["value"]
    )
    assert "100.0 % of the energy" in CliRunner().invoke(app, [*words, str(path)]).stdout
    assert "is asked while a run goes on" in CliRunner().invoke(app, [*words, "uk"]).stderr
