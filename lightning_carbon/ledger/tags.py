"""The tags of a run, in a file of their own beside its record, which a run that goes on writes again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.ledger.files import read_json, write_json
from lightning_carbon.records.fields import at, check_schema, each, mapping, reading, text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TAGS_FILE: Final = "tags.json"
_SCHEMA: Final = 1
_MOST_BYTES: Final = 2**20


def read_tags(folder: Path) -> tuple[str, ...]:
    """The tags in the folder of a run, sorted.

    Raises:
        OSError: The file cannot be read.
        RecordError: It holds something else.
    """
    try:
        values = read_json(folder / TAGS_FILE, _MOST_BYTES)
    except FileNotFoundError:
        return ()
    with reading("a file of tags"):
        check_schema(mapping(values), _SCHEMA, "the file of tags")
        return tuple(sorted(at(mapping(values), "tags", lambda tags: each(tags, text))))


def write_tags(folder: Path, tags: Iterable[str]) -> None:
    """Write the tags of a run in the place of those before, all or nothing.

    Raises:
        LedgerError: They could not be written.
    """
    write_json(folder / TAGS_FILE, {"schema": _SCHEMA, "tags": sorted({*tags})})
