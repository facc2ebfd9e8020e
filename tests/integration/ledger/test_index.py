"""The index of a ledger: whatever happens to it, the answers are those of the folders."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.ledger.directory import RECORD_FILE, DirectoryRunStore
from lightning_carbon.ledger.facts import NO_GPU, facts_of
from lightning_carbon.ledger.filters import RunFilter
from lightning_carbon.ledger.index import INDEX_FILE, RunIndex
from lightning_carbon.ledger.query import Ledger
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.overlaps import Overlap
from tests.integration.ledger.support import Reader
from tests.unit.records.samples import FULL, NOTHING, SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS = (
    replace(FULL, run_id="20261001T000000Z-a", project="lisa", run_name="trial-1", started_at="2026-10-01T00:00:00Z"),
    replace(FULL, run_id="20261102T000000Z-b", project="bert", run_name="trial-2", status="failed", overlaps=()),
    replace(NOTHING, run_id="20261103T000000Z-c", project="lisa", run_name="probe"),
)
KWH = (FULL.energy.total_joules or 0.0) * 2


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A ledger of three runs, one of which has no energy."""
    for record in RUNS:
        DirectoryRunStore(tmp_path).save(to_mapping(record))
    return tmp_path


def opened(root: Path, said: list[str] | None = None) -> Ledger:
    """The ledger with its index, opened anew."""
    notices = [] if said is None else said
    return Ledger(root, Reader(root).ledger.observer, notices.append, index=RunIndex(root / INDEX_FILE))


def letters(root: Path, wanted: RunFilter = RunFilter(), **how: object) -> str:  # noqa: B008 - frozen
    """The last letters of the ids that a ledger selects."""
    return "".join(facts.run_id[-1] for facts in opened(root).select(wanted, **how))  # type: ignore[arg-type]


def sums(root: Path, *words: str) -> list[dict[str, str]]:
    """What `runs total --csv` prints."""
    result = CliRunner().invoke(app, ["runs", "--ledger", str(root), "total", "--csv", *words])

    assert (0, "") == (result.exit_code, result.stderr)
    return list(csv.DictReader(result.stdout.splitlines()))


def test_the_index_gives_back_what_the_records_say(root: Path) -> None:
    """Every fact of every run, from the index as from the record itself, the first time and later."""
    truth = [facts_of(record) for record in Reader(root).ledger.runs()]

    assert truth == opened(root).select(RunFilter()) == opened(root).select(RunFilter())
    assert (root / INDEX_FILE).is_file()


def test_what_changes_in_the_folders_changes_in_the_answers(root: Path) -> None:
    """A run that is added, rewritten, removed or moved; the index is never told."""
    assert "abc" == letters(root)
    store = DirectoryRunStore(root)
    store.save(to_mapping(replace(FULL, run_id="20261104T000000Z-d", project="new", run_name="trial-3")))
    store.save(to_mapping(replace(RUNS[1], status="completed")))
    (root / "lisa" / RUNS[0].run_id / RECORD_FILE).unlink()
    (root / "lisa" / RUNS[0].run_id).rmdir()

    assert "bcd" == letters(root)
    assert "" == letters(root, RunFilter(statuses=("failed",)))
    (root / "lisa").rename(root / "mona")
    assert "c" == letters(root, RunFilter(project="mona"))
    assert "" == letters(root, RunFilter(project="lisa"))


def test_a_run_that_goes_on_is_looked_at_every_time(root: Path) -> None:
    """Its record says running, so no row of it holds."""
    DirectoryRunStore(root).save(to_mapping(replace(SMALL, run_id="20261105T000000Z-e")))
    said: list[str] = []
    opened(root, said).select(RunFilter())
    with sqlite3.connect(root / INDEX_FILE) as index:
        index.execute("UPDATE runs SET steps = 77")
    index.close()

    assert [1_200, 1_200, RUNS[2].steps, 1] != [facts.steps for facts in opened(root).select(RunFilter())]
    assert 1 == opened(root).select(RunFilter())[-1].steps


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"no database at all, but longer than a header of one hundred bytes, which SQLite looks at first " * 9,
        "cut",
        "garbage",
        "table",
        "values",
        "version",
    ],
)
def test_an_index_that_is_damaged_is_made_anew(root: Path, damage: bytes | str) -> None:
    """Cut off, overwritten, of another program or another version: nothing of it is believed, and nothing is said."""
    path = root / INDEX_FILE
    truth = opened(root).select(RunFilter())
    whole = path.read_bytes()
    if isinstance(damage, bytes):
        path.write_bytes(damage)
    elif damage == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "garbage":
        path.write_bytes(whole[:4_096] + b"\xff" * (len(whole) - 4_096))
    else:
        change = {
            "table": "DROP TABLE portions",
            "values": "UPDATE details SET more = 'nonsense'",
            "version": "PRAGMA user_version = 99",
        }
        with sqlite3.connect(path) as index:
            index.execute(change[damage])
        index.close()
    said: list[str] = []

    assert truth == opened(root, said).select(RunFilter())
    assert "trial-2" == opened(root, said).find("trial-2").run_name
    assert [] == said
    assert 2 == len(opened(root).sums(RunFilter(), "project").parts)


@pytest.mark.parametrize("place", ["folder", "fifo", "link"])
def test_what_is_no_file_in_the_place_of_the_index_is_left_alone(root: Path, place: str) -> None:
    """The answers come from memory."""
    path = root / INDEX_FILE
    if place == "folder":
        path.mkdir()
    elif place == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(root / "elsewhere")

    assert "abc" == letters(root)
    assert not (root / "elsewhere").exists()


def test_an_index_that_another_program_holds_is_not_waited_for_without_end(root: Path) -> None:
    """What it lacks is read from the folders, into memory."""
    letters(root)
    DirectoryRunStore(root).save(to_mapping(replace(FULL, run_id="20261104T000000Z-d", project="new")))
    holder = sqlite3.connect(root / INDEX_FILE, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    index = RunIndex(root / INDEX_FILE, busy_seconds=0.05)
    ledger = Ledger(root, Reader(root).ledger.observer, print, index=index)

    assert "abcd" == "".join(facts.run_id[-1] for facts in ledger.select(RunFilter()))
    holder.execute("ROLLBACK")
    holder.close()


_ASKING = """
import sys
from pathlib import Path
from lightning_carbon.ledger.filters import RunFilter
from lightning_carbon.wiring import open_ledger
for _ in range(15):
    print(open_ledger(Path(sys.argv[1]), print).sums(RunFilter()).whole.runs)
"""


def test_programs_ask_while_others_write(root: Path) -> None:
    """Each answer has every run that was there when it was asked for, and no program fails."""
    asking: Sequence[subprocess.Popen[str]] = [
        subprocess.Popen([sys.executable, "-c", _ASKING, str(root)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    store = DirectoryRunStore(root)
    for number in range(60):
        store.save(to_mapping(replace(FULL, run_id=f"20261201T000000Z-{number:03}", project=f"project-{number % 3}")))
    for program in asking:
        counts = [int(line) for line in program.communicate(timeout=300)[0].split()]

        assert (0, 15, sorted(counts)) == (program.returncode, len(counts), counts)
    assert 63 == len(opened(root).select(RunFilter()))


def test_a_record_that_cannot_be_read_is_named_and_left_out_every_time(root: Path) -> None:
    """Cut off, or of a later version: it is skipped, and stays where it is."""
    torn, later = root / "lisa" / "20261106T000000Z-f", root / "lisa" / "20261107T000000Z-g"
    for folder, text in ((torn, '{"schema": 1, '), (later, json.dumps(to_mapping(FULL) | {"schema": 99}))):
        folder.mkdir()
        (folder / RECORD_FILE).write_text(text)

    for _ in range(2):
        said: list[str] = []
        assert "abc" == "".join(facts.run_id[-1] for facts in opened(root, said).select(RunFilter()))
        assert [str(torn / RECORD_FILE), str(later / RECORD_FILE)] == [line.split(": ")[0] for line in said]
    assert torn.exists()
    assert later.exists()


def test_sums_are_divided_in_every_way(root: Path) -> None:
    """Each way adds up to the whole, and a run without energy is counted as such."""
    whole = sums(root)

    assert (3, 1) == (int(whole[0]["runs"]), int(whole[0]["unmetered_runs"]))
    assert KWH == pytest.approx(float(whole[0]["joules"]))
    for way in ("project", "month", "host", "status", "model", "gpu"):
        divided = sums(root, "--by", way)
        assert KWH == pytest.approx(sum(float(row["joules"]) for row in divided))
        assert float(whole[0]["grams_co2e"]) == pytest.approx(sum(float(row["grams_co2e"]) for row in divided))
    assert ["2026-10", "2026-11"] == [row["month"] for row in sums(root, "--by", "month")]
    assert {"NVIDIA H100 80GB HBM3 (GPU-1)", NO_GPU} == {row["gpu"] for row in sums(root, "--by", "gpu")}
    assert ["bert"] == [row["project"] for row in sums(root, "--by", "project", "--status", "failed")]
    assert ["2"] == [row["runs"] for row in sums(root, "--sweep", "trial-*")]


def test_a_sum_says_what_it_counts_twice_and_lacks(root: Path) -> None:
    """In notes below the table, and in the JSON."""
    shared = Overlap(RUNS[0].run_id, "lisa", ["GPU"], 0.0, 10.0, 720.0)
    DirectoryRunStore(root).save(to_mapping(replace(RUNS[1], overlaps=(shared,))))
    told = CliRunner().invoke(app, ["runs", "--ledger", str(root), "total", "--by", "project"]).stdout
    plain = json.loads(CliRunner().invoke(app, ["runs", "--ledger", str(root), "total", "--json"]).stdout)

    assert "1 run has no energy that could be measured; the sum lacks it." in told
    assert "About 0.200 Wh of the chips' energy are counted twice" in told
    assert 720.0 == pytest.approx(plain["counted_twice_joules"])
    assert plain["total"] == plain["sums"][0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "colour"], "--by colour cannot be used: give one of project, month, host, status, model, gpu."),
        (["--by", "projct"], "--by projct cannot be used: did you mean project? "),
        (["--project", "lise"], "--project lise cannot be used: there is no such project in "),
        (["--json", "--csv"], "--json cannot be used: --csv is given too"),
    ],
)
def test_a_sum_that_cannot_be_made_is_one_line(root: Path, words: list[str], said: str) -> None:
    """On stderr, with exit code 2."""
    result = CliRunner().invoke(app, ["runs", "--ledger", str(root), "total", *words])

    assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n"))
    assert result.stderr.startswith(f"lightning-carbon: {said}")
