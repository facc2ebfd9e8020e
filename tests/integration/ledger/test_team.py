"""The runs of a team in a database: SQLite, and a real PostgreSQL where there is one."""

from __future__ import annotations

import csv
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.ledger.address import without_password
from lightning_carbon.ledger.directory import DirectoryRunStore
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.overlaps import Overlap
from tests.integration.ledger.postgres import PASSWORD, missing, running
from tests.unit.records.samples import FULL, NOTHING, SMALL

if TYPE_CHECKING:
    from typer.testing import Result

sa = pytest.importorskip("sqlalchemy", reason="no SQLAlchemy here: pip install 'lightning-carbon[team]'")

SHARED = Overlap("20261001T000000Z-a", "lisa", ["GPU"], 0.0, 10.0, 720.0)
RUNS = (
    replace(FULL, run_id="20261001T000000Z-a", project="lisa", run_name="trial \x00 1", overlaps=()),
    replace(FULL, run_id="20261102T000000Z-b", project="bert", status="failed", overlaps=(SHARED,)),
    replace(NOTHING, run_id="20261103T000000Z-c", project="lisa"),
    replace(SMALL, run_id="20261104T000000Z-d", project="lisa"),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database."""
    with ExitStack() as open_until_then:
        if request.param == "sqlite":
            yield f"sqlite:///{tmp_path_factory.mktemp('team') / 'team.db'}"
            return
        why = missing() or ("" if find_spec("psycopg") else "no psycopg here: pip install 'lightning-carbon[team]'")
        if why:
            pytest.skip(why)
        yield open_until_then.enter_context(running())


@pytest.fixture
def url(server: str) -> str:
    """The URL of the database, emptied."""
    engine = sa.create_engine(server.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for table in ("runs", "portions", "causes", "schema"):
            connection.execute(sa.text(f"DROP TABLE IF EXISTS lightning_carbon_{table}"))
    engine.dispose()
    return server


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A ledger of four runs, of which one has no energy and one goes on."""
    for record in RUNS:
        DirectoryRunStore(tmp_path).save(to_mapping(record))
    return tmp_path


def runs(*words: str) -> Result:
    """A command under ``runs``, which never prints a password."""
    result: Result = CliRunner().invoke(app, ["runs", *words])

    assert PASSWORD not in result.output
    return result


def sums(*words: str) -> list[dict[str, str]]:
    """What `runs total --csv` prints."""
    result = runs("total", "--csv", *words)

    assert (0, "") == (result.exit_code, result.stderr)
    return list(csv.DictReader(result.stdout.splitlines()))


def test_the_sums_of_the_team_are_those_of_the_ledgers(url: str, root: Path) -> None:
    """Divided and filtered, and with what is counted twice; pushing again changes nothing."""
    first, again = runs("push", "--to", url, "--ledger", str(root)), runs("push", "--to", url, "--ledger", str(root))

    assert (0, "") == (first.exit_code, first.stderr)
    assert f"4 runs pushed to {without_password(url)}, 0 there already\n" == first.stdout
    assert f"0 runs pushed to {without_password(url)}, 4 there already\n" == again.stdout
    # Filters and ways together, since each question opens the database anew.
    for words in (
        [],
        ["--by", "month", "--project", "lisa"],
        ["--by", "host", "--status", "failed,running"],
        ["--by", "gpu", "--since", "2026-11-22"],
        ["--by", "model", "--host", "node-7"],
    ):
        ours, theirs = sums("--ledger", str(root), *words), sums("--from", url, *words)
        assert [list(row) for row in ours] == [list(row) for row in theirs]
        for mine, yours in zip(ours, theirs, strict=True):
            assert [*mine.values()][:3] == [*yours.values()][:3]
            figures = [[float(value) for value in [*row.values()][3:] if value] for row in (mine, yours)]
            assert pytest.approx(figures[0]) == figures[1]
            assert {name for name, value in mine.items() if value} == {name for name, value in yours.items() if value}
    plain = json.loads(runs("total", "--from", url, "--json").stdout)
    assert 720.0 == pytest.approx(plain["counted_twice_joules"])


def test_a_push_brings_what_the_ledger_knows_by_now_and_never_less(url: str, root: Path, tmp_path: Path) -> None:
    """A run that has ended since is replaced, and an older copy of it replaces nothing."""
    old = tmp_path / "old"
    DirectoryRunStore(old).save(to_mapping(RUNS[3]))
    runs("push", "--to", url, "--ledger", str(root))
    DirectoryRunStore(root).save(to_mapping(replace(RUNS[3], status="completed", steps=9)))

    assert "1 runs pushed" in runs("push", "--to", url, "--ledger", str(root)).stdout
    assert "0 runs pushed" in runs("push", "--to", url, "--ledger", str(old)).stdout
    assert {"completed": "2", "failed": "1", "interrupted": "1"} == {
        row["status"]: row["runs"] for row in sums("--from", url, "--by", "status")
    }


def test_two_hosts_push_at_once(url: str, tmp_path: Path) -> None:
    """Into a database without tables, the same runs and others; each run is there once."""
    for host in ("one", "two"):
        for number in range(20):
            record = replace(FULL, run_id=f"2026100{number % 9 + 1}T000000Z-{number:03}", overlaps=())
            DirectoryRunStore(tmp_path / host).save(to_mapping(record))
        DirectoryRunStore(tmp_path / host).save(
            to_mapping(replace(FULL, run_id=f"20261111T000000Z-{host}", overlaps=()))
        )
    words = [sys.executable, "-m", "lightning_carbon", "runs", "push", "--to", url, "--ledger"]
    pushers = [
        subprocess.Popen([*words, str(tmp_path / host)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for host in ("one", "two")
    ]
    for pusher in pushers:
        told, said = pusher.communicate(timeout=300)
        assert (0, "") == (pusher.returncode, said)
        assert PASSWORD not in told
    (whole,) = sums("--from", url)

    assert "22" == whole["runs"]
    assert 22 * 13_545.7 == pytest.approx(float(whole["joules"]))


def test_a_database_of_an_earlier_version_is_brought_up_by_a_push(url: str, root: Path) -> None:
    """What later versions added comes from the records in the database; until then, a sum says what to do."""
    runs("push", "--ledger", str(root), "--to", url)
    now = runs("total", "--from", url, "--json").stdout
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for name in ("boundary", "priced_joules", "priced_low_joules", "priced_high_joules"):
            connection.execute(sa.text(f"ALTER TABLE lightning_carbon_runs DROP COLUMN {name}"))
        connection.execute(sa.text("DROP TABLE lightning_carbon_causes"))
        connection.execute(sa.text("UPDATE lightning_carbon_schema SET version = 1"))
    engine.dispose()
    early = runs("total", "--from", url)
    pushed = runs("push", "--ledger", str(root), "--to", url)

    assert (2, 0) == (early.exit_code, pushed.exit_code)
    assert "its tables have version 1; `lightning-carbon runs push --to` brings them up to 3." in early.stderr
    assert now == runs("total", "--from", url, "--json").stdout


def test_a_database_of_a_later_version_is_left_alone(url: str, root: Path) -> None:
    """One line, exit code 2, and nothing is written; so it is where no run was ever pushed."""
    empty = runs("total", "--from", url)
    runs("push", "--to", url, "--ledger", str(root), "--project", "bert")
    unknown = runs("total", "--from", url, "--project", "brt")
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE lightning_carbon_schema SET version = 99"))
    newer, read = runs("push", "--to", url, "--ledger", str(root)), runs("total", "--from", url)
    with engine.connect() as connection:
        stored = connection.execute(sa.text("SELECT count(*) FROM lightning_carbon_runs")).scalar()
    engine.dispose()

    assert 1 == stored
    for result, said in (
        (empty, "it has no runs yet; `lightning-carbon runs push --to` puts them there"),
        (unknown, "did you mean bert?"),
        (newer, "its tables have version 99, and this version knows up to 3: upgrade lightning-carbon"),
        (read, "its tables have version 99"),
    ):
        assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n"))
        assert said in result.stderr


def test_a_database_that_cannot_be_used_is_one_line_without_the_password(root: Path) -> None:
    """Down, unknown, of another driver, no address at all, a wrong password; exit code 2."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for url, said in (
        (f"sqlite:///{root}/none/team.db", "the database cannot be used: unable to open database file"),
        (f"nonsense:{PASSWORD}", "it is no address of a database"),
        (f"nonsense://me:{PASSWORD}@127.0.0.1/x", "cannot be used"),
        (f"postgresql+pg0000://me:{PASSWORD}@127.0.0.1/x", "cannot be used"),
        (f"postgresql://me:{PASSWORD}@127.0.0.1:{port}/x", "cannot be used"),
        (f"postgresql://me:{PASSWORD}/@127.0.0.1:{port}/x", "cannot be used"),
        (f"postgresql://127.0.0.1:{port}/x?user=me&password={PASSWORD}", "cannot be used"),
    ):
        for words in (["push", "--to", url, "--ledger", str(root)], ["total", "--from", url]):
            if words[0] == "push" or not url.startswith("nonsense:s"):
                result = runs(*words)
                assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n")), (url, result.output)
                assert said in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ledger", "/tmp"], "--ledger /tmp cannot be used: --from is given too"),  # noqa: S108 - only named
        (["--tag", "paper"], "cannot be used: --from is given too"),
        (["--sweep", "trial-*"], "--sweep trial-* cannot be used: --from is given too"),
    ],
)
def test_what_a_database_does_not_know_is_refused(words: list[str], said: str) -> None:
    """Rather than left out in silence."""
    result = runs("total", "--from", "sqlite://", *words)

    assert (2, "", 1) == (result.exit_code, result.stdout, result.stderr.count("\n"))
    assert said in result.stderr
