"""The index of a ledger: the facts of its runs in one SQLite file, derived from the folders, which stay the truth.

A row holds for the file that it was made of: its inode, time and size. So nothing has to be told to the index: whoever
asks compares every row with its file, reads again what has changed, and drops what is gone. An index that is damaged,
or of another version, is made anew; where it cannot be written, the question is answered from memory.

SQLite rather than DuckDB: docs/ledger.md has the figures.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
from dataclasses import astuple, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from lightning_carbon.ledger.causes import CausePart
from lightning_carbon.ledger.facts import Facts, Portion
from lightning_carbon.ledger.finality import Finality, Stamp
from lightning_carbon.records.overlaps import Overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

INDEX_FILE: Final = ".index.sqlite3"
"""The name of the index in a ledger; a name that begins with a dot is no project."""

VERSION: Final = 3
"""The layout of the tables; an index of another is made anew."""
BUSY_SECONDS: Final = 5.0
"""How long to wait for another program that writes the index."""
_TRIES: Final = 2
"""An index that is damaged is made anew, and asked again."""
_BATCH: Final = 500
"""The number of runs that are read between two writes."""
MANY: Final = 5_000
"""From how many runs on it is said that they are read into the index, which takes a while."""

Key = tuple[str, str]
"""The names of the folders of a project and of a run."""
T = TypeVar("T")


class Entry(NamedTuple):
    """A run as it was read.

    Args:
        facts: Its facts.
        settled: How final they are.
        causes: What the causes of errors have in it.
    """

    facts: Facts
    settled: Finality
    causes: tuple[CausePart, ...] = ()


Row = tuple[str, str, int, int, int, int, int]
"""What the index knows of a run: its folders, the stamp of its file, how final that is, and the number of its ranks."""
_PLAIN: Final = tuple(
    field.name for field in fields(Facts) if field.name not in {"hosts", "gpus", "overlaps", "location", "project"}
)
_TEXT: Final = {"run_name", "sweep", "status", "started_at", "ended_at", "model", "run_id", "boundary"}
_COLUMNS: Final = ("folder", "project", "inode", "mtime", "size", "settled", "told_project", *_PLAIN, "shares")


def _type_of(name: str) -> str:
    if name in _TEXT:
        return "TEXT"
    return "REAL" if any(unit in name for unit in ("joules", "grams", "seconds")) else "INTEGER"


_TABLES: Final = (
    f"""
    CREATE TABLE runs (
        folder TEXT NOT NULL, project TEXT NOT NULL,
        inode INTEGER NOT NULL, mtime INTEGER NOT NULL, size INTEGER NOT NULL, settled INTEGER NOT NULL,
        told_project TEXT NOT NULL, {", ".join(f"{name} {_type_of(name)}" for name in _PLAIN)},
        shares INTEGER NOT NULL,
        PRIMARY KEY (project, folder)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE portions (
        project TEXT NOT NULL, folder TEXT NOT NULL, part TEXT NOT NULL, name TEXT NOT NULL, joules REAL,
        PRIMARY KEY (project, folder, part, name)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE causes (
        project TEXT NOT NULL, folder TEXT NOT NULL,
        cause TEXT NOT NULL, below_joules REAL NOT NULL, above_joules REAL NOT NULL,
        below_grams REAL NOT NULL, above_grams REAL NOT NULL,
        PRIMARY KEY (project, folder, cause)
    ) WITHOUT ROWID
    """,
    # What is only shown lies apart, so that sums need not read past it.
    """
    CREATE TABLE details (
        project TEXT NOT NULL, folder TEXT NOT NULL, more TEXT NOT NULL, PRIMARY KEY (project, folder)
    ) WITHOUT ROWID
    """,
    f"PRAGMA user_version = {VERSION}",
)

_NAMES: Final = ("runs", "portions", "causes", "details")


class RunIndex:
    """The index of a ledger.

    Args:
        path: The file; ``None`` for an index in memory.
        busy_seconds: How long to wait for another program that writes it.
    """

    def __init__(self, path: Path | None = None, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._busy_seconds = busy_seconds

    def ask(self, renew: Callable[[Refresher], None], question: Callable[[sqlite3.Connection], T]) -> T:
        """Ask the index, once it agrees with the folders.

        Args:
            renew: Brings it up to date.
            question: Asks it.
        """
        if self._path is not None:
            for _ in range(_TRIES):
                try:
                    with contextlib.closing(_connect(self._path, self._busy_seconds)) as connection:
                        renew(Refresher(connection))
                        return question(connection)
                except (sqlite3.Error, ValueError, TypeError) as error:
                    if _is_out_of_reach(error):
                        break
                    _remove(self._path)
                except OSError:
                    break
        with contextlib.closing(_connect(None, self._busy_seconds)) as connection:
            if self._path is not None:
                _copy(self._path, connection)
            renew(Refresher(connection))
            return question(connection)


class Refresher:
    """Brings an index up to date.

    Args:
        connection: The index.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def known(self, project: str | None = None) -> dict[Key, Row]:
        """What the index knows of the files of runs."""
        where, values = ("", ()) if project is None else (" WHERE project = ?", (project,))
        rows = self._connection.execute(
            f"SELECT project, folder, inode, mtime, size, settled, reported_ranks FROM runs{where}",  # noqa: S608 - no text of a user
            values,
        )
        return {row[:2]: row for row in rows}

    def replace(self, entries: Iterable[tuple[Key, Stamp, Entry | None]]) -> None:
        """Put runs in the place of what was known of them, some hundred at a time.

        Args:
            entries: Each with the file that it was read from; without an entry where nothing can be read.
        """
        batch: list[tuple[Key, Stamp, Entry | None]] = []
        for entry in entries:
            batch.append(entry)
            if len(batch) >= _BATCH:
                self._write(batch)
                batch.clear()
        if batch:
            self._write(batch)

    def _write(self, batch: Sequence[tuple[Key, Stamp, Entry | None]]) -> None:
        keys = [key for key, _, _ in batch]
        read = [(key, stamp, entry) for key, stamp, entry in batch if entry is not None]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for table in _NAMES:
                self._connection.executemany(f"DELETE FROM {table} WHERE project = ? AND folder = ?", keys)  # noqa: S608 - our tables
            self._connection.executemany(
                f"INSERT INTO runs ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",  # noqa: S608 - no text of a user
                [_row(key, stamp, entry) for key, stamp, entry in read],
            )
            self._connection.executemany(
                "INSERT INTO portions VALUES (?, ?, ?, ?, ?)",
                [
                    (*key, part, portion.name, portion.joules)
                    for key, _, entry in read
                    for part, portions in (("host", entry.facts.hosts), ("gpu", entry.facts.gpus))
                    for portion in portions
                ],
            )
            self._connection.executemany(
                "INSERT INTO causes VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*key, *astuple(part)) for key, _, entry in read for part in entry.causes],
            )
            self._connection.executemany(
                "INSERT INTO details VALUES (?, ?, ?)", [(*key, _details(entry.facts)) for key, _, entry in read]
            )
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise


def facts_in(
    connection: sqlite3.Connection, where: str, values: Mapping[str, object], *, tail: str = ""
) -> list[tuple[Key, Facts]]:
    """The facts of runs in an index, with their folders.

    Args:
        connection: The index.
        where: A condition on the table of runs.
        values: The values of its names.
        tail: The order and the limit.
    """
    columns = ", ".join(("project", "folder", "told_project", "more", *_PLAIN))
    query = f"SELECT {columns} FROM runs JOIN details USING (project, folder) WHERE {where} {tail}"  # noqa: S608 - conditions are ours, values are bound
    found = connection.execute(query, values)
    return [((row[0], row[1]), _facts(row[2], row[3], row[4:])) for row in found]


def _facts(project: str, more: str, plain: Sequence[Any]) -> Facts:
    told = json.loads(more)
    return Facts(
        project=project,
        **dict(zip(_PLAIN, plain, strict=True)),
        hosts=tuple(Portion(*portion) for portion in told["hosts"]),
        gpus=tuple(Portion(*portion) for portion in told["gpus"]),
        overlaps=tuple(Overlap(*overlap) for overlap in told.get("overlaps", ())),
    )


def _row(key: Key, stamp: Stamp, entry: Entry) -> tuple[object, ...]:
    project, folder = key
    facts = entry.facts
    plain = [getattr(facts, name) for name in _PLAIN]
    return (folder, project, *stamp, int(entry.settled), facts.project, *plain, bool(facts.overlaps))


def _details(facts: Facts) -> str:
    more: dict[str, object] = {
        "hosts": [astuple(portion) for portion in facts.hosts],
        "gpus": [astuple(portion) for portion in facts.gpus],
    }
    if facts.overlaps:
        more["overlaps"] = [astuple(overlap) for overlap in facts.overlaps]
    return json.dumps(more)


def _connect(path: Path | None, busy_seconds: float) -> sqlite3.Connection:
    """Open an index, made if it is not there."""
    if path is not None:
        _check_place(path)
    place = ":memory:" if path is None else path
    connection = sqlite3.connect(place, timeout=busy_seconds, isolation_level=None)
    try:
        connection.create_function("fits", 2, _fits, deterministic=True)
        connection.execute("PRAGMA synchronous = NORMAL")
        if _version(connection) != VERSION:
            connection.execute("BEGIN IMMEDIATE")
            if _version(connection) != VERSION:  # another program may have made it meanwhile
                for statement in _TABLES:
                    connection.execute(statement)
            connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _fits(name: str | None, pattern: str) -> bool:
    return fnmatchcase(name or "", pattern)


def _version(connection: sqlite3.Connection, database: str = "main") -> int:
    (version,) = connection.execute(f"PRAGMA {database}.user_version").fetchone()
    return int(version)


def _check_place(path: Path) -> None:
    """Refuse anything but a file in the place of an index.

    Raises:
        OSError: It is a link, a FIFO, a folder or the like.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            message = f"{path} is no file"
            raise OSError(message)


def _copy(path: Path, connection: sqlite3.Connection) -> None:
    """Copy an index that cannot be written into memory, as far as it can be read."""
    with contextlib.suppress(sqlite3.Error, OSError):
        _check_place(path)
        connection.execute("ATTACH ? AS kept", (str(path),))
        if _version(connection, "kept") == VERSION:
            for table in _NAMES:
                connection.execute(f"INSERT INTO {table} SELECT * FROM kept.{table}")  # noqa: S608 - our tables
    with contextlib.suppress(sqlite3.Error):
        connection.execute("DETACH kept")


def _is_out_of_reach(error: Exception) -> bool:
    """Whether an index is locked, or not to be written, and may be whole."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
    }


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-journal"):
        with contextlib.suppress(OSError):
            path.with_name(name).unlink()
