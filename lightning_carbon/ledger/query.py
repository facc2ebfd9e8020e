"""Reading a ledger: all its runs, or the run that the user means."""

from __future__ import annotations

import contextlib
import os
from heapq import nlargest
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lightning_carbon.errors import ConfigError, NewerSchema, RecordError
from lightning_carbon.ledger.attempts import tell_attempts
from lightning_carbon.ledger.causes import cause_parts_of
from lightning_carbon.ledger.directory import RECORD_FILE, DirectoryRunStore
from lightning_carbon.ledger.facts import Facts, facts_of
from lightning_carbon.ledger.files import clear_left_over, read_json, write_json
from lightning_carbon.ledger.filters import NAMED, RunFilter, unknown_project
from lightning_carbon.ledger.finality import Finality, Stamp, finality_of, has_no_news, is_settled
from lightning_carbon.ledger.index import MANY, Entry, Key, Refresher, Row, RunIndex, facts_in
from lightning_carbon.ledger.journals import read_journal, read_texts
from lightning_carbon.ledger.orders import ORDERS, STARTED
from lightning_carbon.ledger.recovery import Observer, OpenRun, look_at
from lightning_carbon.ledger.sums import ALL, Addition, condition, divided
from lightning_carbon.ledger.tags import TAGS_FILE, read_tags
from lightning_carbon.ledger.trials import with_outcome
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.overlaps import Counted, counted_twice
from lightning_carbon.units import NANOSECONDS_PER_SECOND
from lightning_carbon.values import replace

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator

    from lightning_carbon.records.run import RunRecord


_NO_STAMP: Stamp = (0, 0, 0)
_MOST_INODE = 2**63 - 1
"""The largest whole number of SQLite; some file systems have inodes beyond it."""
T = TypeVar("T")


class Ledger:
    """A folder of runs, which recovers dead runs as it is read.

    Args:
        root: The folder.
        observer: The point of view on runs that were not closed.
        notice: Called with a line for everything that cannot be read.
        index: Its index; one in memory by default, which each question makes anew.
    """

    def __init__(
        self, root: Path, observer: Observer, notice: Callable[[str], None], *, index: RunIndex | None = None
    ) -> None:
        self._root = root
        self._store = DirectoryRunStore(root)
        self.observer = observer
        self._notice = notice
        self._index = index or RunIndex()

    def runs(self, project: str | None = None, limit: int | None = None) -> Iterator[RunRecord]:
        """The runs that can be read, the newest last.

        Args:
            project: The project, if only its runs are wanted.
            limit: The most runs; the newest are returned.
        """
        if limit is None:
            yield from filter(None, map(self._read, self._keys(project)))
        else:
            yield from [*islice(filter(None, map(self._read, self._newest(project, limit))), limit)][::-1]

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
        if limit is not None and wanted.is_all and sort == STARTED:  # the newest are found by their names
            return [facts_of(record) for record in self.runs(wanted.project, limit)]
        where, values = condition(wanted)
        tail = f"ORDER BY {ORDERS[sort]} DESC, run_id DESC, project DESC"
        if limit is not None:
            tail += f" LIMIT {limit}"
        listed = self._ask(wanted, lambda index: facts_in(index, where, values, tail=tail))
        return [replace(facts, location=str(self._root.joinpath(*key, RECORD_FILE))) for key, facts in listed][::-1]

    def sums(self, wanted: RunFilter, way: str = ALL) -> Addition:
        """Sums over the runs that are wanted.

        Args:
            wanted: The filters.
            way: How the sum is divided, of :data:`~lightning_carbon.ledger.sums.WAYS`.
        """
        where, values = condition(wanted)

        def ask(index: sqlite3.Connection) -> Addition:
            parts, whole = divided(lambda *asked: index.execute(*asked).fetchall(), wanted, way)
            sharing = [facts.counted for _, facts in facts_in(index, f"{where} AND shares", values)]
            if sharing:
                query = f"SELECT run_id, told_project FROM runs WHERE {where} AND NOT shares"  # noqa: S608 - no text of a user
                sharing += [Counted(run_id, of, ()) for run_id, of in index.execute(query, values)]
            return Addition(parts, whole, counted_twice(sharing))

        return self._ask(wanted, ask)

    def _ask(self, wanted: RunFilter, question: Callable[[sqlite3.Connection], T]) -> T:
        """Ask the index, once it agrees with the folders; tags are read where they lie."""

        def is_tagged(project: str, folder: str) -> bool:
            return {*wanted.tags} <= {*self._tags_in(self._root / project / folder)}

        def ask(connection: sqlite3.Connection) -> T:
            connection.create_function("tagged", 2, is_tagged)
            return question(connection)

        index = self._index if self._root.is_dir() else RunIndex()
        return index.ask(lambda refresher: self._renew(refresher, wanted.project), ask)

    def _renew(self, refresher: Refresher, project: str | None) -> None:
        """Read again what has changed since the index was written."""
        known = refresher.known(project)
        stale: list[tuple[Key, Stamp | None]] = []
        root = str(self._root)
        for key in self._keys(project):
            if not (_is_whole(key[0]) and _is_whole(key[1])):
                self._notice(f"{self._root.joinpath(*key)}: its name is not UTF-8, and it is left out")
                continue
            row = known.pop(key, None)
            stamp = stamp_of(f"{root}/{key[0]}/{key[1]}/{RECORD_FILE}")
            if row is None or stamp != row[2:5] or not self._is_still_settled(row):
                stale.append((key, stamp))
        if len(stale) > MANY:
            self._notice(f"reading {len(stale):,} runs into the index of {root}, once")
        refresher.replace([(key, _NO_STAMP, None) for key in known])
        refresher.replace(self._entries_of(stale))

    def _entries_of(self, stale: Iterable[tuple[Key, Stamp | None]]) -> Iterator[tuple[Key, Stamp, Entry | None]]:
        for key, stamp in stale:
            record = self.read(self._root.joinpath(*key))
            entry = None if record is None else Entry(facts_of(record), finality_of(record), cause_parts_of(record))
            yield key, stamp or _NO_STAMP, entry

    def _is_still_settled(self, row: Row) -> bool:
        project, folder, *_, settled_so, ranks = row
        if settled_so == Finality.UNLESS_JOURNALS:
            return has_no_news(self._root / project / folder, row[2:5], ranks)
        return settled_so == Finality.CLOSED

    def record(self, facts: Facts) -> RunRecord | None:
        """The record of a run; ``None`` where it can no longer be read."""
        return self.read(self.folder(facts))

    def folder(self, run: Facts | RunRecord) -> Path:
        """The folder of a run."""
        return self._root / run.project / run.run_id if run.location is None else Path(run.location).parent

    def tags(self, run: Facts | RunRecord) -> tuple[str, ...]:
        """The tags of a run, sorted."""
        return self._tags_in(self.folder(run))

    def _tags_in(self, folder: Path) -> tuple[str, ...]:
        try:
            return read_tags(folder)
        except (OSError, RecordError) as error:
            self._notice(f"{folder / TAGS_FILE}: {error}")
            return ()

    def find(self, text: str, project: str | None = None) -> RunRecord:
        """The run with a given id, beginning of an id, or name.

        Args:
            text: The text that the user gave.
            project: The project, if only its runs count.

        Raises:
            ConfigError: No run matches, or several do.
        """
        folders = [self._root.joinpath(*key) for key in self._keys(project)]
        meant = [folder for folder in folders if folder.name == text]
        meant = meant or [folder for folder in folders if text and folder.name.startswith(text)]
        if len(meant) > 1:
            raise ConfigError("run", text, _say_which("begin so", (_called(folder) for folder in meant), len(meant)))
        if meant:
            record = self.read(meant[0])
            if record is None:
                raise ConfigError("run", text, f"{meant[0]} has no record that can be read.")
            return record
        named = self._named(text, project) if text else []
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
            if stamp is not None and is_settled(record, folder, stamp):
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

    def _read(self, key: Key) -> RunRecord | None:
        return self.read(self._root.joinpath(*key))

    def _named(self, text: str, project: str | None) -> list[RunRecord]:
        """The runs of a name, the oldest first."""
        where, values = condition(RunFilter(project=project))
        where, order = f"{where} AND run_name = :name", "ORDER BY run_id, project"
        listed = self._ask(
            RunFilter(project=project), lambda index: facts_in(index, where, values | {"name": text}, tail=order)
        )
        return [record for key, _ in listed if (record := self._read(key)) is not None]

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

    def _keys(self, project: str | None) -> list[Key]:
        """The names of the folders of runs and of their projects, the oldest first."""
        found: list[Key] = []
        for name in self._entries(self._root) if project is None else [project]:
            found += [(run, name) for run in self._entries(self._root / name)]
        return [(name, run) for run, name in sorted(found)]

    def _newest(self, project: str | None, count: int) -> Iterator[Key]:
        """The names of the folders of runs and of their projects, the newest first.

        Args:
            project: The project, if only its runs are wanted.
            count: The number that is likely to be needed; all of a large ledger need not be sorted for them.
        """
        names: list[tuple[str, str]] = []
        for name in self._entries(self._root) if project is None else [project]:
            with contextlib.suppress(OSError):  # what cannot be listed is reported below, if it is needed
                runs = os.listdir(self._root / name)  # noqa: PTH208 - a third of the time of Path
                names += [(run, name) for run in nlargest(count, runs) if run[0] != "."]
        first = [
            (name, run) for run, name in sorted(names, reverse=True)[:count] if self._root.joinpath(name, run).is_dir()
        ]
        yield from first
        known = {*first}
        yield from (key for key in reversed(self._keys(project)) if key not in known)

    def _entries(self, folder: Path) -> list[str]:
        """The names of the folders in a folder; entries that cannot be examined are reported."""
        names = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    try:
                        if entry.is_dir() and entry.name[0] != ".":
                            names.append(entry.name)
                    except OSError as error:  # such as a link that leads to itself
                        self._notice(f"{entry.path}: it cannot be read: {error.strerror or error}")
        except FileNotFoundError:
            pass
        except OSError as error:
            self._notice(f"{folder}: it cannot be read: {error.strerror or error}")
        return names


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
    return with_outcome(from_mapping(read_json(path), location=str(path)), path.parent)


def stamp_of(path: Path | str) -> Stamp | None:
    """The inode, time and size of a file, which show whether it changed; ``None`` where there is no file."""
    try:
        facts = os.stat(path)  # noqa: PTH116 - a tenth of the time of Path
    except OSError:
        return None
    return facts.st_ino & _MOST_INODE, facts.st_mtime_ns, facts.st_size


def _is_whole(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    return text.isascii() or text == text.encode("utf-8", "ignore").decode()


def _called(folder: Path) -> str:
    return f"{folder.name} ({folder.parent.name})"


def _say_which(what: str, names: Iterable[str], count: int) -> str:
    last = list(names)[-NAMED:]
    more = f" and {count - len(last)} more" if count > len(last) else ""
    return f"{count} runs {what}: {', '.join(last)}{more}; give more of the id, or --project."
