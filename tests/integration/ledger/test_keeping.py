"""Commands that compare, price again, tag, merge, delete, export and import runs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.ledger.courses import COURSE_FILE
from lightning_carbon.ledger.directory import RECORD_FILE, DirectoryRunStore
from lightning_carbon.records.course import NO_COURSE, MetricPoint, course_mapping
from lightning_carbon.records.mapping import to_mapping
from tests.integration.ledger.support import Reader, write
from tests.unit.records.parts import domain, part
from tests.unit.records.samples import FULL, NOTHING, SMALL

if TYPE_CHECKING:
    from typer.testing import Result

SLOW = replace(FULL, run_id="20261001T000000Z-a", run_name="slow", overlaps=())
FAST = replace(
    FULL,
    run_id="20261002T000000Z-b",
    run_name="fast",
    overlaps=(),
    energy=replace(FULL.energy, total_joules=6_772.85),
    step_joules=6_000.0,
)
NEVER = replace(NOTHING, run_id="20261003T000000Z-c", run_name="never")
COURSES = {
    "slow": (MetricPoint(100, 3_600.0, 2.0), MetricPoint(200, 7_200.0, 0.9), MetricPoint(300, 10_800.0, 0.4)),
    "fast": (MetricPoint(100, 1_800.0, 1.5), MetricPoint(200, 3_600.0, 0.5)),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A ledger of three runs, two of which logged a loss."""
    ledger = tmp_path / "ledger"
    for record in (SLOW, FAST, NEVER):
        DirectoryRunStore(ledger).save(to_mapping(record))
        points = COURSES.get(record.run_name or "")
        if points:
            course = course_mapping(replace(NO_COURSE, metrics={"loss": points}))
            (ledger / "lisa" / record.run_id / COURSE_FILE).write_text(json.dumps(course))
    return ledger


def runs(root: Path, *words: str, answer: str | None = None) -> Result:
    """A command under ``runs``."""
    result: Result = CliRunner().invoke(app, ["runs", "--ledger", str(root), *words], input=answer)
    return result


def told(root: Path, *words: str) -> str:
    """What a command prints that succeeds."""
    result = runs(root, *words)

    assert (0, "") == (result.exit_code, result.stderr)
    return result.stdout


def test_runs_are_compared_with_the_first(root: Path) -> None:
    """Energy and its shares, and the energy until the loss was first low enough; absent where it never was."""
    found = json.loads(told(root, "beside", "slow", "fast", "never", "--metric", "loss", "--reaches", "0.5", "--json"))
    slow, fast, never = found["runs"]

    assert ("loss", 0.5) == (found["metric"], found["reaches"])
    assert pytest.approx(13_545.7) == slow["energy_joules"]
    assert pytest.approx(12_345.6 / 1_228_800) == slow["token_joules"]
    assert pytest.approx(5.0) == fast["step_joules"]
    assert (10_800.0, 300, 3_600.0, 200) == (
        *(slow["reached_joules"], slow["reached_step"]),
        *(fast["reached_joules"], fast["reached_step"]),
    )
    assert [None] * 3 == [never["energy_joules"], never["step_joules"], never["reached_joules"]]
    table = told(root, "beside", "slow", "fast", "--metric", "loss", "--reaches", "1")
    assert "(−50.0 %)" in table
    assert ["slow", "fast"] == [
        row["run_name"] for row in csv.DictReader(told(root, "compare", "slow", "fast", "--csv").splitlines())
    ]


def test_runs_are_priced_again_from_their_records(root: Path) -> None:
    """The footprint is energy times PUE times intensity; what is not given stays as recorded, and so do the records."""
    before = (root / "lisa" / SLOW.run_id / RECORD_FILE).read_bytes()
    (whole,) = json.loads(told(root, "reprice", "slow", "--intensity", "100", "--pue", "1.2", "--json"))["runs"]
    (kept,) = json.loads(told(root, "reprice", "slow", "--intensity", "100", "--json"))["runs"]
    table = told(root, "reprice", "--project", "lisa", "--region", "SE")
    rows = list(csv.DictReader(told(root, "reprice", "lisa", "--region", "SE", "--csv").splitlines()))

    priced = SLOW.priced_energy
    assert priced is not None
    assert priced.value.kilowatt_hours * 100 * 1.2 == pytest.approx(whole["grams_co2e"])
    assert FULL.carbon.grams_co2e == pytest.approx(whole["recorded_grams_co2e"])
    assert priced.value.kilowatt_hours * 100 * 1.54 == pytest.approx(kept["grams_co2e"])
    assert kept["grams_co2e_low"] < kept["grams_co2e"] < kept["grams_co2e_high"]
    assert "The records stay as they are." in table
    assert ["slow", "fast", "never"] == [row["run_name"] for row in rows]
    assert "" == rows[2]["grams_co2e"]
    assert before == (root / "lisa" / SLOW.run_id / RECORD_FILE).read_bytes()


def test_a_run_is_priced_by_the_factor_of_its_year(root: Path) -> None:
    """At another place, too: what Germany emitted in 2015 is more than it does today."""
    old = replace(SLOW, run_id="20150601T000000Z-d", run_name="old", started_at="2015-06-01T00:00:00Z")
    DirectoryRunStore(root).save(to_mapping(old))
    (then,) = json.loads(told(root, "reprice", "old", "--region", "DE", "--json"))["runs"]
    (now,) = json.loads(told(root, "reprice", "slow", "--region", "DE", "--json"))["runs"]

    assert 2015 == then["intensity"]["year"] < now["intensity"]["year"]
    assert then["grams_co2e"] > now["grams_co2e"]


def test_runs_are_tagged_and_found_by_their_tags(root: Path) -> None:
    """Tags add up, are taken away, and lie beside the record."""
    assert f"{SLOW.run_id} (lisa): paper, table-3\n" == told(root, "tag", "slow", "table-3", "paper")
    told(root, "tag", "fast", "paper")
    assert ["slow", "fast"] == [
        row["run_name"] for row in csv.DictReader(told(root, "--tag", "paper", "--csv").splitlines())
    ]
    (both,) = csv.DictReader(told(root, "total", "--tag", "paper", "--csv").splitlines())
    assert "2" == both["runs"]
    assert f"{SLOW.run_id} (lisa): table-3\n" == told(root, "tag", "slow", "paper", "--remove")
    assert f"{SLOW.run_id} (lisa): table-3\n" == told(root, "tag", "slow")
    assert "Tags: table-3" in told(root, "show", "slow")


def test_ledgers_of_several_hosts_become_one(root: Path, tmp_path: Path) -> None:
    """A run in several is one run, a run that goes on is left out, and twice changes nothing."""
    other = tmp_path / "other"
    store = DirectoryRunStore(other)
    for record in (SLOW, replace(FULL, run_id="20261004T000000Z-d", run_name="new", project="bert", overlaps=())):
        store.save(to_mapping(record))
    told(other, "tag", "slow", "elsewhere")
    store.save(to_mapping(replace(SMALL, run_id="20261005T000000Z-e")))
    result = runs(root, "merge", str(other))
    again = runs(root, "merge", str(other)).stdout

    assert 0 == result.exit_code
    assert f"{other}: 1 copied, 1 completed, 0 there already, 1 still running\n" == result.stdout
    assert "20261005T000000Z-e (lisa)" in result.stderr
    assert f"{other}: 0 copied, 0 completed, 2 there already, 1 still running\n" == again
    assert ["a", "b", "c", "d"] == [record.run_id[-1] for record in Reader(root).ledger.runs()]
    assert [] == [path for path in (root / "bert").iterdir() if path.name.startswith(".")]
    assert "elsewhere" in told(root, "tag", "slow")


def test_the_ranks_of_a_run_that_two_hosts_have_become_one_record(tmp_path: Path) -> None:
    """The journals of both, in one folder, make the record of all ranks."""
    ledgers = tmp_path / "node-0", tmp_path / "node-1"
    for rank, ledger in enumerate(ledgers):
        gpu = {domain(f"gpu:{rank}"): 1_000_000 * (rank + 1)}
        write(ledger, part(rank, gpu, world=2, host=f"node-{rank}"), with_record=False)
        assert 1 == len(next(Reader(ledger).ledger.runs()).ranks)
    told(ledgers[0], "merge", str(ledgers[1]))
    (found,) = Reader(ledgers[0]).ledger.runs()

    assert 2 == len(found.ranks)
    assert 3.0 == pytest.approx(found.energy.total_joules)


def test_runs_are_deleted_after_a_question(root: Path) -> None:
    """No answer, or no, deletes nothing; a run that goes on is not deleted."""
    DirectoryRunStore(root).save(to_mapping(replace(SMALL, run_id="20261005T000000Z-e")))
    no = runs(root, "delete", "slow", answer="n\n")
    runs(root, "delete", "slow", answer="")
    going = runs(root, "delete", "slow", "20261005", "--yes")

    assert "20261001T000000Z-a slow (lisa), completed, 3.76 Wh\n" in no.stdout
    assert "Nothing is deleted." in no.stdout
    assert (2, 1) == (going.exit_code, going.stderr.count("\n"))
    assert "it goes on; delete it when it has ended" in going.stderr
    assert 4 == len(list(Reader(root).ledger.runs()))
    assert "2 runs deleted.\n" in runs(root, "delete", "slow", "fast", answer="y\n").stdout
    assert ["c", "e"] == [record.run_id[-1] for record in Reader(root).ledger.runs()]
    assert ["20261003T000000Z-c", "20261005T000000Z-e"] == sorted(path.name for path in (root / "lisa").iterdir())


def test_runs_are_exported_to_files(root: Path, tmp_path: Path) -> None:
    """CSV and Parquet have the same rows, and units in the names of columns."""
    pyarrow = pytest.importorskip("pyarrow.parquet")
    table, text = tmp_path / "runs.parquet", tmp_path / "runs.csv"
    told(root, "tag", "slow", "paper")
    told(root, "export", "--parquet", str(table), "--csv", str(text))
    stored = pyarrow.read_table(table).to_pylist()
    rows = list(csv.DictReader(text.read_text().splitlines()))

    assert ["slow", "fast", "never"] == [row["run_name"] for row in stored] == [row["run_name"] for row in rows]
    assert [13_545.7, 6_772.85, None] == [row["energy_joules"] for row in stored]
    assert [["paper"], [], []] == [row["tags"] for row in stored]
    assert {"runs.parquet", "runs.csv"} == {path.name for path in tmp_path.iterdir() if path.is_file()}


HEAD = (
    "timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,cpu_power,gpu_power,ram_power,"
    "cpu_energy,gpu_energy,ram_energy,energy_consumed,country_name,country_iso_code,codecarbon_version,cpu_model,"
    "gpu_model,tracking_mode,pue"
)
FIRST = (
    "2026-10-05T11:00:00,=lab,aa,,1800,0.05,0,42,200,10,0.05,0.1,0.005,0.155,Sweden,SWE,3.0.1,Xeon,1 x A100,machine,1"
)
LATER = "2026-10-05T12:00:00,=lab,aa,,3600,0.1,0,42,200,10,0.1,0.2,0.01,0.31,Sweden,SWE,3.0.1,Xeon,1 x A100,machine,1"
PLAIN = "2026-10-06T12:00:00,,bb,,60,0.001,0,42,0,10,0.001,0,0.0001,0.0011,Sweden,SWE,3.0.1,Xeon,,process,1"


def test_what_codecarbon_metered_is_imported_as_codecarbons(tmp_path: Path) -> None:
    """The last line of a run counts, twice changes nothing, and each figure says whose it is."""
    file, root = tmp_path / "emissions.csv", tmp_path / "ledger"
    file.write_text(f"{HEAD}\n{FIRST}\n{LATER}\n{PLAIN}\n")
    first, again = told(root, "import", str(file)), told(root, "import", str(file))
    lab, plain = Reader(root).ledger.runs()

    assert first.startswith("2 runs imported, 0 there already: 311 Wh, 101 gCO2e")
    assert again.startswith("0 runs imported, 2 there already")
    assert ("=lab", "2026-10-05T11:00:00Z", 3_600.0) == (lab.project, lab.started_at, lab.duration_seconds)
    assert ("default", ["Xeon", "memory"]) == (plain.project, [domain.name for domain in plain.energy.domains])
    assert 0.31 * 3.6e6 == pytest.approx(lab.energy.total_joules)
    assert 0.0 == lab.energy.measured_joules
    assert 100.0 == pytest.approx(lab.carbon.grams_co2e)
    assert 100.0 / 0.31 == pytest.approx(lab.carbon.intensity.value)
    assert all("CodeCarbon 3.0.1" in part.method for part in lab.energy.domains)
    assert "CodeCarbon 3.0.1" in told(root, "show", lab.run_id)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "it lacks the columns timestamp, project_name"),
        (HEAD.encode() + b"\n", "it has no runs"),
        ((HEAD + "\n" + PLAIN.replace("0.0011", "much")).encode(), "line 2: energy_consumed is 'much'"),
        ((HEAD + "\n" + FIRST + "\n" + PLAIN.replace("2026-10-06T12:00:00", "soon")).encode(), "line 3: timestamp is"),
        ((HEAD + "\n" + PLAIN.replace(",60,", ",1e300,")).encode(), "line 2: timestamp is"),
        (b"\xff\xfe\x00", "'utf-8' codec can't decode"),
        (None, "it cannot be read: No such file"),
    ],
)
def test_a_file_that_is_none_of_codecarbons_changes_nothing(tmp_path: Path, content: bytes | None, said: str) -> None:
    """One line with the file and the fault, exit code 2, and no run of it in the ledger."""
    file, root = tmp_path / "emissions.csv", tmp_path / "ledger"
    if content is not None:
        file.write_bytes(content)
    result = runs(root, "import", str(file))

    assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n"))
    assert said in result.stderr
    assert not list(root.rglob(RECORD_FILE))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["beside", "slow"], "a run is compared with others; name two or more"),
        (["beside", "slow", "slow"], "a run is compared with others; name two or more"),
        (["beside", "slow", "nobody"], "run='nobody' cannot be used: no run in "),
        (
            ["beside", "slow", "fast", "--metric", "loss"],
            "--reaches is missing: a metric and its value belong together",
        ),
        (
            ["beside", "slow", "fast", "--metric", "los", "--reaches", "1"],
            "--metric los cannot be used: did you mean loss?",
        ),
        (["reprice", "slow"], "--region is missing: give what to price by"),
        (["reprice", "--region", "SE"], "--project is missing: name a run, or --project"),
        (["reprice", "slow", "--region", "Swedenn"], "--region Swedenn cannot be used: did you mean SE"),
        (["reprice", "slow", "--region", "SE", "--intensity", "3"], "the region 'SE' is given too"),
        (["tag", "slow", "a;b"], "tag='a;b' cannot be used: give a short text"),
        (["tag", "slow", "--remove"], "--remove cannot be used: no tag is given"),
        (["merge", "LEDGER/none"], "folder='LEDGER/none' cannot be used: there is no such folder"),
        (["merge", "LEDGER"], "it is the ledger that runs are copied into"),
        (["delete", "nobody", "--yes"], "run='nobody' cannot be used: no run in "),
        (["export"], "--parquet is missing: name a file"),
        (["export", "--csv", "LEDGER/none/runs.csv"], "there is no folder LEDGER/none; make it first"),
        (["export", "--csv", "LEDGER/runs.csv", "--status", "pruned"], "no run there matches, and no file is written"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(root: Path, words: list[str], said: str) -> None:
    """On stderr, with exit code 2."""
    before = sorted(root.rglob("*"))
    result = runs(root, *(word.replace("LEDGER", str(root)) for word in words))

    assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n"))
    assert said.replace("LEDGER", str(root)) in result.stderr
    assert before == [path for path in sorted(root.rglob("*")) if path.name != ".index.sqlite3"]
