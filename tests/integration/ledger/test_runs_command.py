"""``lightning-carbon runs``, as a process."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.tags import write_tags
from lightning_carbon.records.mapping import from_mapping, to_mapping
from tests.unit.records.samples import FULL, NOTHING

ODD = replace(FULL.energy.domains[0], name="GPU\x1b[31m")


def runs(*words: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-m", "lightning_carbon", "runs", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
        env=os.environ | {"COLUMNS": str(columns), "NO_COLOR": "1"},
    )


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """A ledger of runs with long names and odd ones, large figures and small ones; one is known by its chips alone."""
    machine = FULL.machine
    assert machine is not None
    store = DirectoryRunStore(tmp_path)
    for number, joules in enumerate((1e-2, 3.6e6, 3.6e13, 7.2e4)):
        record = replace(
            FULL,
            run_id=f"20261121T10111{number}Z-3fa2000{number}",
            project=["lisa", "[red]bert-large-pretraining", "日本語の計画の名前", "x"][number],
            run_name=f"name-{number}",
            status=["completed", "interrupted", "failed", "completed"][number],
            machine=None if number == 0 else replace(machine, joules=joules),
            energy=replace(FULL.energy, total_joules=joules, domains=(ODD, *FULL.energy.domains[1:])),
            carbon=replace(FULL.carbon, grams_co2e=joules / 3.6e6 * 473),
            world_size=[2, 2, 4, 2][number],
            steps=1_234_567,
        )
        store.save(to_mapping(record))
    store.save(to_mapping(replace(NOTHING, run_id="20261122T000000Z-00000004")))
    return str(tmp_path)


@pytest.mark.parametrize("columns", [80, 140])
def test_the_table_fits_the_terminal(ledger: str, columns: int) -> None:
    """Ids and figures stay whole, at any width that terminals have; the project gives way."""
    told = runs("--ledger", ledger, columns=columns)
    lines = told.stdout.splitlines()

    assert (0, "") == (told.returncode, told.stderr)
    assert max(len(line) for line in lines) <= columns
    for word in ("20261121T101112Z-3fa20002", "name-3", "1 min 28 s", "interrupted", "1.00e+07", "2.78e-09", "5 runs"):
        assert word in told.stdout
    for word in ("2026-11-21 10:11", "1,234,567", " 2/4 "):
        assert (word in told.stdout) is (columns == 140)
    assert ("Not all ranks have reported of 20261121T101112Z-3fa20002 (2/4).\n" in told.stdout) is (columns == 80)
    assert "20261122T000000Z-00000004" in lines[-4 if columns == 140 else -5]


def test_the_energy_of_a_list_and_of_a_sum_is_that_of_the_machine(ledger: str) -> None:
    """A run known by its chips alone is named; where all are, the head says so."""

    def told(*words: str) -> str:
        return CliRunner().invoke(app, ["runs", *words, "--ledger", ledger]).stdout

    listed, summed = told(), told("total")
    [row] = csv.DictReader(told("--csv", "--project", "x").splitlines())

    assert "Plug kWh" in listed
    assert "Of the chips alone, as no more is known: 20261121T101110Z-3fa20000.\n" in listed
    assert "Chip kWh" in told("--project", "lisa")
    assert "Of 1 run it is the energy of the chips alone" in summed
    assert "machine" in summed.splitlines()[0]
    assert ("machine", "72000.0") == (row["boundary"], row["priced_joules"])


def test_nothing_but_printable_text_reaches_the_terminal(ledger: str) -> None:
    """A project may be called anything, and a device, too."""
    told = runs("--ledger", ledger, columns=140).stdout
    shown = runs("show", "name-0", "--ledger", ledger).stdout

    assert "[red]bert-large-pretraining" in told
    assert "GPU [31m" in shown
    assert "\x1b" not in told + shown


def test_the_json_is_the_records(ledger: str) -> None:
    """All of each, in the order of the table; of one, as it lies in the ledger."""
    listed = json.loads(runs("--ledger", ledger, "--json").stdout)
    shown = runs("show", "name-1", "--ledger", ledger, "--json").stdout
    (stored,) = Path(ledger).glob("*/20261121T101111Z-3fa20001/record.json")

    assert 5 == len(listed)
    assert listed[1] == json.loads(shown) == json.loads(stored.read_text())
    assert [listed[-1]] == json.loads(runs("--ledger", ledger, "--json", "--limit", "1").stdout)
    assert [listed[2]] == json.loads(runs("--ledger", ledger, "--json", "--status", "failed").stdout)


def test_one_run_is_shown_as_its_summary(ledger: str) -> None:
    """By id, by its beginning and by name, with the options before or after; the last run, where none is named."""
    told = [
        runs("show", "20261121T101110Z-3fa20000", "--ledger", ledger).stdout,
        runs("show", "20261121T101110Z", "--ledger", ledger).stdout,
        runs("--ledger", ledger, "show", "name-0").stdout,
    ]
    (stored,) = Path(ledger).glob("*/20261121T101110Z-3fa20000/record.json")
    record = from_mapping(json.loads(stored.read_text()), location=str(stored))

    assert [record.summary() + "\n"] * 3 == told
    assert "20261122T000000Z-00000004" in CliRunner().invoke(app, ["runs", "--ledger", ledger, "show"]).stdout
    assert runs("--ledger", ledger, "--project", "x").stdout == runs("show", "x", "--ledger", ledger).stdout


def test_runs_are_filtered_and_sorted(ledger: str) -> None:
    """By any filter, all of which hold; the CSV has a row of figures for each that is left."""
    folder = Path(ledger)
    write_tags(next(folder.glob("*/20261121T101112Z-3fa20002")), ["paper", "=1+1"])

    def found(*words: str) -> list[str]:
        lines = CliRunner().invoke(app, ["runs", "--ledger", ledger, "--csv", *words]).stdout.splitlines()
        return [row["run_id"][-1] for row in csv.DictReader(lines)]

    assert list("01234") == found()
    assert ["1", "2", "4"] == found("--status", "failed,interrupted")
    assert ["2"] == found("--status", "failed", "--sweep", "name-*", "--tag", "paper", "--host", "node-7")
    assert [] == found("--host", "nowhere")
    assert ["4"] == found("--since", "2026-11-22")
    assert [] == found("--until", "2026-11-21T10:11:12")
    assert list("0123") == found("--until", "2026-11-21")
    assert list("40312") == found("--sort", "energy")
    assert ["1", "2"] == found("--sort", "energy", "--limit", "2", "--since", "9999w")
    assert ["0", "4"] == found("--project", "lisa", "--since", "2020-01", "--until", "2026-11")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "nobody", "--ledger", "LEDGER"], "run='nobody' cannot be used: no run in "),
        (["show", "2026112", "--ledger", "LEDGER"], "run='2026112' cannot be used: 5 runs begin so: "),
        (["--ledger", "LEDGER/none"], "--ledger LEDGER/none cannot be used: there is no such folder"),
        (["--ledger", "LEDGER", "--project", "a/b"], "--project a/b cannot be used: "),
        (
            ["--ledger", "LEDGER", "--project", "lise"],
            "--project lise cannot be used: there is no such project in LEDGER; did you mean lisa?",
        ),
    ],
)
def test_what_cannot_be_found_is_one_line(ledger: str, words: list[str], said: str) -> None:
    """On stderr, with exit code 2."""
    told = runs(*(word.replace("LEDGER", ledger) for word in words))

    assert (2, "", 1) == (told.returncode, told.stdout, told.stderr.count("\n"))
    assert told.stderr.startswith("lightning-carbon: " + said.replace("LEDGER", ledger))


def test_a_ledger_that_nobody_has_written_to_has_no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is no error, where nobody said where it is."""
    monkeypatch.setenv("LIGHTNING_CARBON_LEDGER", str(tmp_path / "later"))
    told = runs()

    assert (0, f"No runs in {tmp_path / 'later'}\n", "") == (told.returncode, told.stdout, told.stderr)


_TRAINING = """
import sys, time
from lightning_carbon import Meter
from lightning_carbon.sources.simulated import SimulatedCounter
with Meter(ledger=sys.argv[1], project="killed", sources=[SimulatedCounter(watts=50.0)]) as meter:
    with meter.phase("train"):
        while True:
            time.sleep(0.02)
            meter.step_done(samples=1)
"""


def test_a_training_that_is_killed_is_found_with_its_energy(tmp_path: Path) -> None:
    """While it runs it is told as running; killed, as interrupted, with what its journal had by then."""
    with subprocess.Popen([sys.executable, "-c", _TRAINING, str(tmp_path)]) as training:
        until = time.monotonic() + 300
        journals: list[Path] = []
        while not journals or len(journals[0].read_text().splitlines()) < 4:
            assert time.monotonic() < until
            time.sleep(0.05)
            journals = list(tmp_path.glob("killed/*/rank-00000.jsonl"))
        during = json.loads(runs("--ledger", str(tmp_path), "--json").stdout)
        training.send_signal(signal.SIGKILL)
    after = json.loads(runs("--ledger", str(tmp_path), "--json").stdout)
    beat = json.loads(journals[0].read_text().splitlines()[-1])

    assert ["running", "interrupted"] == [during[0]["status"], after[0]["status"]]
    assert during[0]["steps"] > 0
    assert 0 < during[0]["energy"]["total_joules"] <= after[0]["energy"]["total_joules"]
    assert sum(sum(phase["uj"]) for phase in beat["phases"].values()) / 1e6 == pytest.approx(
        after[0]["energy"]["total_joules"]
    )


def test_modules_are_printed_and_written_as_a_flame_graph(tmp_path: Path) -> None:
    """The table, the picture and the file for speedscope have the same energies; a run without modules says the fix."""
    store = DirectoryRunStore(tmp_path)
    store.save(to_mapping(FULL))
    store.save(to_mapping(replace(FULL, run_id="20261122T000000Z-00000004", run_name="plain", modules=None)))
    svg, scope = tmp_path / "flame.svg", tmp_path / "flame.json"
    words = ["runs", "--ledger", str(tmp_path), "modules"]
    told = CliRunner().invoke(app, [*words, "baseline", "--svg", str(svg), "--speedscope", str(scope)])
    plain = CliRunner().invoke(app, [*words, "plain"])
    as_json = CliRunner().invoke(app, [*words, "baseline", "--json"])

    assert 0 == told.exit_code
    assert "transformer.decoder  backward     1.39 Wh" in told.stdout
    assert svg.read_text(encoding="utf-8").startswith("<svg")
    assert "sampled" == json.loads(scope.read_text(encoding="utf-8"))["profiles"][0]["type"]
    assert to_mapping(FULL)["modules"] == json.loads(as_json.stdout)
    assert 2 == plain.exit_code
    assert "nothing is known of its modules" in " ".join(plain.output.split())
