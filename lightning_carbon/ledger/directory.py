"""A folder of runs: ``<root>/<project>/<run id>/record.json``, each written all or nothing."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from lightning_carbon.errors import ConfigError, LedgerError

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD_FILE = "record.json"


class DirectoryRunStore:
    """Keeps every run in a folder of its own.

    Args:
        root: The folder of all runs; made when the first record is saved.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[str, Path] = {}

    def save(self, record: Mapping[str, object]) -> str:
        """Write the record of a run, replacing an earlier one, all or nothing.

        Returns:
            The path of the file.

        Raises:
            LedgerError: It could not be written; an earlier record is still whole.
        """
        folder = self._root / str(record["project"]) / str(record["run_id"])
        path = folder / RECORD_FILE
        write_json(path, record)
        self._folders[str(record["run_id"])] = folder
        return str(path)

    def open_lines(self, run_id: str, name: str) -> FileLines:
        """Open a file of lines in the folder of a run that was saved before, empty.

        Raises:
            LedgerError: It cannot be written, or there is no such run.
        """
        folder = self._folders.get(run_id)
        if folder is None:
            message = f"the run {run_id} has no folder yet: save its record first"
            raise LedgerError(message)
        return FileLines(folder / name)


class FileLines:
    """A growing text file.

    Args:
        path: Where; emptied if it exists.

    Raises:
        LedgerError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file: TextIO | None = path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise _trouble(path, error) from error

    def write_lines(self, lines: list[str]) -> None:
        """Append lines; they reach the file before this returns.

        Raises:
            LedgerError: They could not be written.
        """
        if self._file is None:
            return
        try:
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()
        except OSError as error:
            raise _trouble(self._path, error) from error

    def close(self) -> None:
        """Release the file; further calls do nothing."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


def write_json(path: Path, mapping: Mapping[str, object]) -> None:
    """Write a JSON file all or nothing: a reader finds the old one or the new one, whole.

    Raises:
        LedgerError: It could not be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8") as file:
            json.dump(mapping, file, indent=2, allow_nan=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise _trouble(path, error) from error
    except (TypeError, ValueError) as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        message = f"{path} cannot be written: not plain values: {error}"
        raise LedgerError(message) from error


def check_writable(folder: Path) -> Path:
    """Check that a folder can be made or written, making nothing yet.

    Returns:
        The folder, absolute.

    Raises:
        ConfigError: It cannot.
    """
    absolute = folder.expanduser().absolute()
    nearest = absolute
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(
            "ledger",
            str(folder),
            f"{nearest} is no folder that can be written; give another one, or set LIGHTNING_CARBON_LEDGER.",
        )
    return absolute


def _trouble(path: Path, error: OSError) -> LedgerError:
    return LedgerError(f"{path} cannot be written: {error.strerror or error}")
