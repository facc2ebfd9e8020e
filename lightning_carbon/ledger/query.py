"""Reading a ledger: all its runs, or the run that the user means."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_carbon.errors import ConfigError, NewerSchema, RecordError
from lightning_carbon.ledger.attempts import tell_attempts
from lightning_carbon.ledger.directory import RECORD_FILE, DirectoryRunStore
from lightning_carbon.ledger.facts import Facts, facts_of
from lightning_carbon.ledger.files import clear_left_over, read_json, write_json
from lightning_carbon.ledger.filters import NAMED, RunFilter, unknown_project
from lightning_carbon.ledger.journals import journals_of, read_journal, read_texts
from lightning_carbon.ledger.orders import ORDERS, STARTED
from lightning_carbon.ledger.recovery import Observer, OpenRun, look_at
from lightning_carbon.ledger.tags import TAGS_FILE, read_tags
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.run import Status
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lightning_carbon.records.run import RunRecord

_LATER_NS = NANOSECONDS_PER_SECOND
"""The seconds by which journals must be newer than the record of an interrupted run to show that it goes on."""

Stamp = tuple[int, int, int]
"""An inode, its time in nanoseconds and its size."""


class Ledger:
    """A folder of runs, which recovers dead runs as it is read.

    Args:
        root: The folder.
        observer: The point of view on runs that were not closed.
        notice: Called with a line for everything that cannot be read.
    """

    def __init__(self, root: Path, observer: Observer, notice: Callable[[str], None]) -> None:
        self._root = root
        self._store = DirectoryRunStore(root)
        self.observer = observer
        self._notice = notice

    def runs(self, project: str | None = None, limit: int | None = None) -> Iterator[RunRecord]:
        """The runs that can be read, the newest last.

        Args:
            project: The project, if only its runs are wanted.
            limit: The most runs; the newest are returned.
        """
        folders = self._folders(project)
        if limit is None:
            yield from filter(None, map(self.read, folders))
        else:
            yield from [*islice(filter(None, map(self.read, reversed(folders))), limit)][::-1]

    def projects(self) -> list[str]:
        """The names of all projects, sorted."""
        return sorted(self._entries(self._root))

    def check_project(self, name: str) -> str:
        """Check that there is a project of a name.

        Raises:
            ConfigError: There is none; those that resemble it are named.
        """
        known = self.projects()
        if name not in known:
            raise unknown_project(name, known, str(self._root))
        return name

    def last(self, project: str | None = None) -> RunRecord:
        """The run that started last.

        Args:
            project: The project, if only its runs count.

        Raises:
            ConfigError: There is none.
        """
        for record in self.runs(project, 1):
            return record
        of = "" if project is None else f" of project {project}"
        raise ConfigError("run", None, f"there are no runs{of} in {self._root}.")

    def meant(self, text: str, project: str | None = None) -> RunRecord | str:
        """The run that a user means, or the name of the project, where the text is that.

        Args:
            text: An id, the beginning of an id, the name of a run, or the name of a project.
            project: The project, if only its runs count; then no project is looked for.

        Raises:
            ConfigError: Nothing matches, or several runs do.
        """
        if project is None and text in self.projects():
            return text
        return self.find(text, project)

    def select(self, wanted: RunFilter, *, sort: str = STARTED, limit: int | None = None) -> list[Facts]:
        """The facts of the runs that are wanted, in order.

        Args:
            wanted: The filters.
            sort: The name of the order, of :data:`~lightning_carbon.ledger.orders.ORDERS`.
            limit: The most runs; the last in that order are returned.
        """
        if wanted.is_all and sort == STARTED:
            return [facts_of(record) for record in self.runs(wanted.project, limit)]
        found: Iterable[Facts] = filter(wanted.takes, map(facts_of, self.runs(wanted.project)))
        if wanted.tags:
            found = (facts for facts in found if {*wanted.tags} <= {*self.tags(facts)})
        ordered = sorted(found, key=ORDERS[sort])
        return ordered if limit is None else ordered[-limit:]

    def record(self, facts: Facts) -> RunRecord | None:
        """The record of a run; ``None`` where it can no longer be read."""
        return self.read(self.folder(facts))

    def folder(self, run: Facts | RunRecord) -> Path:
        """The folder of a run."""
        return self._root / run.project / run.run_id if run.location is None else Path(run.location).parent

    def tags(self, run: Facts | RunRecord) -> tuple[str, ...]:
        """The tags of a run, sorted."""
        try:
            return read_tags(self.folder(run))
        except (OSError, RecordError) as error:
            self._notice(f"{self.folder(run) / TAGS_FILE}: {error}")
            return ()

    def find(self, text: str, project: str | None = None) -> RunRecord:
        """The run with a given id, beginning of an id, or name.

        Args:
            text: The text that the user gave.
            project: The project, if only its runs count.

        Raises:
            ConfigError: No run matches, or several do.
        """
        folders = self._folders(project)
        meant = [folder for folder in folders if folder.name == text]
        meant = meant or [folder for folder in folders if text and folder.name.startswith(text)]
        if len(meant) > 1:
            raise ConfigError("run", text, _say_which("begin so", (_called(folder) for folder in meant), len(meant)))
        if meant:
            record = self.read(meant[0])
            if record is None:
                raise ConfigError("run", text, f"{meant[0]} has no record that can be read.")
            return record
        named = [record for record in self.runs(project) if text and record.run_name == text]
        if len(named) > 1:
            names = (f"{record.run_id} ({record.project})" for record in named)
            raise ConfigError("run", text, _say_which("have that name", names, len(named)))
        if not named:
            fix = f"no run in {self._root} has that id or name; `lightning-carbon runs` lists them."
            raise ConfigError("run", text, fix)
        return named[0]

    def read(self, folder: Path) -> RunRecord | None:
        """The run in a folder, recovered if it is dead; ``None`` where nothing there can be read."""
        path = folder / RECORD_FILE
        stamp = stamp_of(path)
        record = None
        try:
            record = read_record(path)
            if stamp is not None and _is_settled(record, folder, stamp):
                return record
        except FileNotFoundError:
            pass
        except NewerSchema as error:
            self._notice(f"{path}: {error}")
            return None
        except OSError as error:
            self._notice(f"{path}: it cannot be read: {error.strerror or error}")
            return None
        except RecordError as error:
            self._notice(f"{path}: {error}")
        return self._look_at(folder, record, stamp)

    def _look_at(self, folder: Path, record: RunRecord | None, stamp: Stamp | None) -> RunRecord | None:
        """Look at a run that was not closed, and store its outcome."""
        path = folder / RECORD_FILE
        project, run_id = folder.parent.name, folder.name
        journals = [read_journal(text, project, run_id) for text in read_texts(folder)]
        for journal in journals:
            if journal.trouble:
                self._notice(f"{journal.where}: {journal.trouble}")
        if record is not None and (record.project, record.run_id) != (project, run_id):
            return record  # it was copied here: its journals were not written for this folder
        written_at = None if stamp is None else stamp[1] / NANOSECONDS_PER_SECOND
        run = OpenRun(folder, str(path), record, written_at, journals)
        outcome = look_at(run, self.observer, lambda now: tell_attempts(self._store, now))
        if outcome.trouble:
            self._notice(f"{folder}: {outcome.trouble}")
        if outcome.record is None and not journals:
            clear_left_over(folder, self.observer.now(folder))  # no writer comes here again
        if outcome.record is None or not outcome.is_news:
            return outcome.record
        # Whoever wrote this run is gone by now.
        dead = {journal.header.pid for journal in journals if journal.header is not None}
        return self._keep(path, outcome.record, stamp, dead=dead)

    def _keep(self, path: Path, recovered: RunRecord, stamp: Stamp | None, *, dead: set[int]) -> RunRecord:
        """Write a recovered record; two readers write the same, each all or nothing."""
        try:
            if stamp_of(path) != stamp:
                # Another reader was faster, or the run itself, which knows better.
                return read_record(path)
            write_json(path, to_mapping(recovered))
            clear_left_over(path.parent, self.observer.now(path.parent), dead)
        except (OSError, RecordError):
            # The ledger may be read-only: the record is returned all the same.
            return recovered if stamp is not None else replace(recovered, location=None)
        return recovered

    def _folders(self, project: str | None) -> list[Path]:
        """The folders of runs, the oldest first, as their names begin with the start."""
        found: list[tuple[str, str]] = []
        for name in self._entries(self._root) if project is None else [project]:
            found += [(run, os.path.join(name, run)) for run in self._entries(self._root / name)]  # noqa: PTH118 - half the time of Path
        return [self._root / path for _, path in sorted(found)]

    def _entries(self, folder: Path) -> list[str]:
        """The names of the folders in a folder; entries that cannot be examined are reported."""
        try:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries if not entry.name.startswith(".") and self._is_folder(entry)]
        except FileNotFoundError:
            return []
        except OSError as error:
            self._notice(f"{folder}: it cannot be read: {error.strerror or error}")
            return []

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir()
        except OSError as error:  # such as a link that leads to itself
            self._notice(f"{entry.path}: it cannot be read: {error.strerror or error}")
            return False


def record_in(folder: Path) -> RunRecord:
    """Read the record in the folder of a run.

    Raises:
        RecordError: It is no record, or a later version wrote it.
        OSError: It cannot be read.
    """
    return read_record(folder / RECORD_FILE)


def read_record(path: Path) -> RunRecord:
    """Read the record of a run from a file.

    Raises:
        OSError: The file cannot be read.
        RecordError: It holds something else, or a record of a newer schema.
    """
    return from_mapping(read_json(path), location=str(path))


def stamp_of(path: Path) -> Stamp | None:
    """The inode, time and size of a file, which show whether it changed; ``None`` where there is no file."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def _is_settled(record: RunRecord, folder: Path, stamp: Stamp) -> bool:
    """Whether a record has the end of its run, and its journals need not be read."""
    statuses = {record.status, *(rank.status for rank in record.ranks)}
    if Status.RUNNING in statuses:
        return False
    if Status.INTERRUPTED not in statuses and len(record.ranks) >= record.world_size:
        return True
    journals = [path for _, path in journals_of(folder)]
    if len(journals) > max(1, len(record.ranks)):
        return False
    try:
        return all(path.stat().st_mtime_ns <= stamp[1] + _LATER_NS for path in journals)
    except OSError:
        return True


def _called(folder: Path) -> str:
    return f"{folder.name} ({folder.parent.name})"


def _say_which(what: str, names: Iterable[str], count: int) -> str:
    last = list(names)[-NAMED:]
    more = f" and {count - len(last)} more" if count > len(last) else ""
    return f"{count} runs {what}: {', '.join(last)}{more}; give more of the id, or --project."
