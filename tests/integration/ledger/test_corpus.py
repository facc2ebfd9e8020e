"""Every command on a ledger of all that can be wrong: no traceback, no file changed, and the rest is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.cli.check.checking import check_runs
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.ledger.files import to_json
from lightning_carbon.ledger.index import INDEX_FILE
from lightning_carbon.ledger.writer import RunWriter
from lightning_carbon.ranks import OwnIdentity
from lightning_carbon.records.journal import beat_mapping
from tests import corpus

pytestmark = pytest.mark.usefixtures("bad")
USABLE_HERE = ("journal-last", "journal-header-run-other")
GOOD_RUNS = {corpus.GOOD, f"{corpus.GOOD}-2"}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of two good runs, and of everything in the corpus."""
    return tmp_path_factory.mktemp("ledger")


@pytest.fixture(scope="module")
def bad(ledger: Path) -> set[str]:
    """The folders in which something is wrong."""
    return corpus.build(ledger)


def command(ledger: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command on the ledger."""
    return subprocess.run(
        [sys.executable, "-m", "lightning_carbon", *words],
        check=False,
        capture_output=True,
        text=True,
        errors="strict",
        timeout=500,
        env=os.environ | {"LIGHTNING_CARBON_LEDGER": str(ledger), "COLUMNS": "200", "NO_COLOR": "1"},
    )


def contents(ledger: Path) -> dict[str, tuple[object, ...]]:
    """What every file of a ledger but its index is, and what it holds where it is of a usual size."""
    found: dict[str, tuple[object, ...]] = {}
    for path in ledger.rglob("*"):
        if path.name == INDEX_FILE:
            continue
        facts = path.lstat()
        is_usual = path.is_file() and not path.is_symlink() and facts.st_size < 10**6
        found[str(path)] = (facts.st_mode, facts.st_ino, facts.st_size, path.read_bytes() if is_usual else None)
    return found


def assert_well_told(told: subprocess.CompletedProcess[str]) -> None:
    """There is no traceback, and nothing steers the terminal."""
    assert 0 == told.returncode, told.stderr
    assert "Traceback" not in told.stderr
    assert all(letter.isprintable() or letter == "\n" for letter in told.stdout + told.stderr)


def is_of(kind: str, name: str) -> bool:
    """Whether a bad folder is one of a sort."""
    return name.startswith(kind) or name.endswith(f"-{kind}s")


@pytest.mark.parametrize(
    "words", [("runs",), ("runs", "--json"), ("study", "development", "--project", corpus.PROJECT)]
)
def test_a_bad_folder_hides_no_other(ledger: Path, bad: set[str], words: tuple[str, ...]) -> None:
    """The good runs are listed; each bad folder is told in one line that names it, and nothing is changed."""
    before = contents(ledger)
    told = command(ledger, *words)
    lines = told.stderr.splitlines()
    wrong = {name for name in bad if is_of("record", name) or is_of("journal", name) or name == "loop"}

    assert_well_told(told)
    assert before == contents(ledger)
    assert dict.fromkeys(wrong, 1) == {
        name: sum(f"/{name}/" in line or f"/{name}:" in line for line in lines) for name in wrong
    }
    if words == ("runs",):
        assert all(run_id in told.stdout for run_id in GOOD_RUNS)
    if "--json" in words:
        listed = json.loads(told.stdout, parse_constant=pytest.fail)
        assert {run["run_id"] for run in listed} >= GOOD_RUNS


def test_a_good_run_is_found_among_bad_ones(ledger: Path) -> None:
    """By its name, for which every other is looked at, too."""
    assert_well_told(command(ledger, "runs", "show", corpus.GOOD))
    told = command(ledger, "runs", "show", "baseline")

    assert 2 == told.returncode
    assert "runs have that name" in told.stderr.splitlines()[-1]


def test_measurements_that_cannot_be_read_are_told(ledger: Path, bad: set[str]) -> None:
    """The table shows the others."""
    before = contents(ledger)
    told = command(ledger, "study", "table")
    wrong = {name for name in bad if is_of("measurement", name)}

    assert_well_told(told)
    assert before == contents(ledger)
    assert dict.fromkeys(wrong, 1) == {
        name: sum(f"/{name}/" in line for line in told.stderr.splitlines()) for name in wrong
    }
    assert "Toy" in told.stdout


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    """A good baseline."""
    path = tmp_path / "baseline.json"
    path.write_text(corpus.compact(corpus.baseline()))
    return path


def check(ledger: Path, run: str, baseline: Path) -> int:
    """Hold a run against a baseline."""
    return check_runs(
        [run],
        baseline,
        last=None,
        tolerance=0.1,
        gpu_model="auto",
        work="auto",
        ledger=str(ledger),
        project=None,
        form="text",
        update=False,
        allow_missing=False,
    )


def test_a_baseline_that_cannot_be_read_is_an_error_that_names_it(ledger: Path, baseline: Path, tmp_path: Path) -> None:
    """A good one is read."""
    assert 0 == check(ledger, corpus.GOOD, baseline)
    unkept = tmp_path / "unkept"
    unkept.mkdir()
    for what, make in corpus.UNKEPT.items():
        make(unkept / what)
    for path in [*corpus.files("baselines"), *unkept.iterdir()]:
        with pytest.raises(ConfigError, match="it cannot be read") as caught:
            check(ledger, corpus.GOOD, path)
        assert str(path) == caught.value.value


def test_a_record_that_cannot_be_read_is_an_error_that_names_it(ledger: Path, baseline: Path) -> None:
    """By the path of its file or of its folder."""
    for path in ledger.glob(f"{corpus.PROJECT}/*/record.json"):
        if path.parent.name in GOOD_RUNS:
            assert 0 == check(ledger, str(path.parent), baseline)
            continue
        for word in (path, path.parent):
            with pytest.raises(ConfigError, match=r"it cannot be read"):
                check(ledger, str(word), baseline)


@pytest.mark.parametrize("words", [["doctor"], ["doctor", "--json"]])
@pytest.mark.parametrize("path", corpus.files("powercap"), ids=lambda path: path.stem)
def test_a_powercap_tree_as_it_should_not_be_is_examined(
    path: Path, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its files say."""
    for line in path.read_text().splitlines():
        name, _, content = line.partition(" = ")
        file = tmp_path / "class" / "powercap" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode().decode("unicode_escape").encode("latin-1"))
    monkeypatch.setenv("LIGHTNING_CARBON_POWERCAP_ROOT", str(tmp_path / "class" / "powercap"))
    told = CliRunner().invoke(app, words)

    assert told.exception is None or isinstance(told.exception, SystemExit)
    assert all(letter.isprintable() or letter == "\n" for letter in told.stdout)


def test_what_lies_beside_a_rank_does_not_hold_up_its_end(tmp_path: Path) -> None:
    """A FIFO, a device or a garbage journal of another rank: the record of this one is written, in its own folder."""
    said: list[str] = []
    mine = corpus.rank(number=99_999)
    folder = tmp_path / corpus.PROJECT / corpus.GOOD
    folder.mkdir(parents=True)
    makers = [*corpus.UNKEPT.values(), *(_copied(path) for path in corpus.files("journals"))]
    for number, make in enumerate(makers):
        make(folder / f"rank-{number:05d}.jsonl")
    usable = sum(path.stem.startswith(USABLE_HERE) for path in corpus.files("journals"))
    outside = contents(tmp_path.parent)
    header = replace(mine.header, world_size=len(makers) + 1)
    writer = RunWriter(
        DirectoryRunStore(tmp_path),
        OwnIdentity(),
        header,
        per_step=False,
        warn=lambda _key, message: said.append(message),
    )
    writer.open(mine.beat)
    writer.write(mine.beat, [])
    record = writer.close(replace(mine.beat, status="completed"), [])
    news = contents(tmp_path.parent).keys() - outside.keys()

    assert [] == said
    assert (corpus.PROJECT, corpus.GOOD) == (record.project, record.run_id)
    assert (99_999, "completed") == (record.ranks[-1].rank, record.ranks[-1].status)
    assert {str(folder / "record.json"), str(folder / "rank-99999.jsonl")} == news
    assert 1 + usable == len(record.ranks)


def _copied(path: Path) -> corpus.Maker:
    """Makes a journal what a kept one is, with the names and the rank of where it lies."""

    def make(place: Path) -> None:
        whole = path.read_bytes().replace(path.stem.encode(), corpus.GOOD.encode())
        place.write_bytes(whole.replace(b'"rank":0', f'"rank":{int(place.stem[-5:])}'.encode(), 1))

    return make


def test_the_beats_of_a_bad_journal_are_those_of_a_good_one() -> None:
    """So that what is refused is refused for what is wrong with it."""
    assert to_json(beat_mapping(corpus.rank().beat)) == corpus.journal()[1]
