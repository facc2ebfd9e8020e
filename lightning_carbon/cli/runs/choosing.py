"""The ledger, the runs and the run that a user names on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.cli.say import notice
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.run import Status
from lightning_carbon.settings import PROJECT, ledger_folder
from lightning_carbon.values import dataclass
from lightning_carbon.wiring import open_ledger

if TYPE_CHECKING:
    from lightning_carbon.ledger.query import Ledger
    from lightning_carbon.records.run import RunRecord


@dataclass(frozen=True, slots=True)
class Runs:
    """A ledger, and the project whose runs are wanted.

    Args:
        ledger: The ledger.
        folder: Its folder.
        project: The project, if only its runs are wanted.
    """

    ledger: Ledger
    folder: str
    project: str | None


def open_runs(given: str | None, project: str | None = None) -> Runs:
    """Open a ledger to read it, which recovers dead runs.

    Args:
        given: The folder that the user named, if any.
        project: The project that the user named, if any.

    Raises:
        ConfigError: There is no such folder, or no project can have that name.
    """
    folder = ledger_folder(given).expanduser().absolute()
    if not folder.is_dir() and (given is not None or folder.exists()):
        raise ConfigError("ledger", str(folder), "there is no such folder; give the one that runs were written to.")
    name = None if project is None else PROJECT.check(project)
    return Runs(open_ledger(folder, notice), str(folder), name)


def known_runs(given: str | None, project: str | None = None) -> Runs:
    """Open a ledger to read it, where the project that the user names must be there.

    Raises:
        ConfigError: There is no such folder or project; near matches are named.
    """
    runs = open_runs(given, project)
    if runs.project is not None:
        runs.ledger.check_project(runs.project)
    return runs


def find_run(text: str | None, ledger: str | None, project: str | None) -> RunRecord:
    """Find the run with an id, a beginning of an id, or a name; the last run where none is given.

    Raises:
        ConfigError: There is no such run or more than one, no such folder, or no such project.
    """
    runs = known_runs(ledger, project)
    return runs.ledger.last(runs.project) if text is None else runs.ledger.find(text, runs.project)


def named_runs(runs: Runs, text: str) -> list[RunRecord]:
    """The completed runs that have a name, or are of a project of that name, the oldest first."""
    completed = [record for record in runs.ledger.runs(runs.project) if record.status == Status.COMPLETED]
    return [record for record in completed if text in (record.run_name, record.project)]


def last_runs(text: str, count: int, *, ledger: str | None, project: str | None) -> list[RunRecord]:
    """Find the last completed runs of a name.

    Raises:
        ConfigError: There are fewer, or no such folder or project.
    """
    found = named_runs(known_runs(ledger, project), text)
    if not 1 <= count <= len(found):
        raise ConfigError("runs", count, f"{len(found)} completed runs are called {text}; give from 1 to that many.")
    return found[-count:]


def find_run_or_project(text: str | None, ledger: str | None, project: str | None) -> RunRecord | str:
    """Find the run that a user names, or the project, where the text is its name; the last run where none is given.

    Raises:
        ConfigError: There is no such run or more than one, no such folder, or no such project.
    """
    runs = known_runs(ledger, project)
    return runs.ledger.last(runs.project) if text is None else runs.ledger.meant(text, runs.project)
