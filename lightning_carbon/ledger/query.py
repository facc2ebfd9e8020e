"""Reading a ledger: every run of it, or the one that is meant."""

from __future__ import annotations

import json
import os
from itertools import islice
from typing import TYPE_CHECKING

from lightning_carbon.errors import ConfigError, NewerSchema
from lightning_carbon.ledger.directory import RECORD_FILE
from lightning_carbon.ledger.recovery import Observer, journals_of, look_at, stamp_of
from lightning_carbon.records.mapping import from_mapping
from lightning_carbon.records.run import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from lightning_carbon.records.run import RunRecord

_NAMED = 5
"""So many runs are named where it is not clear which one is meant."""
_LATER_NS = 1_000_000_000
"""Journals that much newer than the record of an interrupted run are of one that goes on."""


class Ledger:
    """A folder of runs. Whatever reads it recovers runs that are found dead.

    Args:
        root: The folder.
        observer: From where runs that nobody has closed are looked at.
        notice: Told of what cannot be read, in one line each.
    """

    def __init__(self, root: Path, observer: Observer, notice: Callable[[str], None]) -> None:
        self._root = root
        self.observer = observer
        self._notice = notice

    def runs(self, project: str | None = None, limit: int | None = None) -> Iterator[RunRecord]:
        """Every run that can be read, the newest last.

        Args:
            project: Only the runs of this one.
            limit: So many at most, the newest ones.
        """
        folders = self._folders(project)
        if limit is None:
            yield from filter(None, map(self.read, folders))
        else:
            yield from [*islice(filter(None, map(self.read, reversed(folders))), limit)][::-1]

    def projects(self) -> list[str]:
        """The names of all projects, sorted."""
        return sorted(self._entries(self._root))

    def find(self, text: str, project: str | None = None) -> RunRecord:
        """The run of that id, of the only id that begins so, or of that name.

        Args:
            text: What the user said.
            project: Only among the runs of this one.

        Raises:
            ConfigError: There is none, or more than one.
        """
        folders = self._folders(project)
        meant = [folder for folder in folders if folder.name == text]
        meant = meant or [folder for folder in folders if text and folder.name.startswith(text)]
        if len(meant) > 1:
            raise ConfigError("run", text, _say_which("begin so", (_called(one) for one in meant), len(meant)))
        if meant:
            record = self.read(meant[0])
            if record is None:
                raise ConfigError("run", text, f"{meant[0]} has no record that can be read.")
            return record
        named = [record for record in self.runs(project) if text and record.run_name == text]
        if len(named) > 1:
            names = (f"{one.run_id} ({one.project})" for one in named)
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
            record = from_mapping(json.loads(path.read_bytes()), location=str(path))
            if stamp is not None and _is_settled(record, folder, stamp):
                return record
        except NewerSchema as error:
            self._notice(f"{path}: {error}")
            return None
        except FileNotFoundError:
            pass
        except OSError as error:
            self._notice(f"{path}: it cannot be read: {error.strerror or error}")
            return None
        except (ValueError, TypeError, RecursionError) as error:
            self._notice(f"{path}: {error}")
            record = None
        return look_at(folder, record, stamp, self.observer, self._notice)

    def _folders(self, project: str | None) -> list[Path]:
        """The folders of runs, the oldest first: their names begin with when they started."""
        found: list[tuple[str, str]] = []
        for name in self._entries(self._root) if project is None else [project]:
            found += [(run, os.path.join(name, run)) for run in self._entries(self._root / name)]  # noqa: PTH118 - half the time of Path
        return [self._root / path for _, path in sorted(found)]

    def _entries(self, folder: Path) -> list[str]:
        try:
            with os.scandir(folder) as entries:
                return [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            self._notice(f"{folder}: it cannot be read: {error.strerror or error}")
            return []


def _is_settled(record: RunRecord, folder: Path, stamp: tuple[int, int, int]) -> bool:
    """Whether a record tells the end of a run, so that its journals need not be read."""
    statuses = {record.status, *(rank.status for rank in record.ranks)}
    if Status.RUNNING in statuses:
        return False
    if Status.INTERRUPTED not in statuses and len(record.ranks) >= record.world_size:
        return True
    journals = list(journals_of(folder))
    if len(journals) > max(1, len(record.ranks)):
        return False
    try:
        return all(path.stat().st_mtime_ns <= stamp[1] + _LATER_NS for path in journals)
    except OSError:
        return True


def _called(folder: Path) -> str:
    return f"{folder.name} ({folder.parent.name})"


def _say_which(what: str, names: Iterable[str], count: int) -> str:
    last = list(names)[-_NAMED:]
    more = f" and {count - len(last)} more" if count > len(last) else ""
    return f"{count} runs {what}: {', '.join(last)}{more}; give more of the id, or --project."
