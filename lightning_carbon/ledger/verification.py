"""The figures of a record, worked out again from the journals beside it and the factors in them."""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.chain import breaks_of
from lightning_carbon.ledger.directory import RECORD_FILE
from lightning_carbon.ledger.files import read_json, read_whole
from lightning_carbon.ledger.journals import MOST_FILE_BYTES, journals_of, parts_of, read_texts
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import Status
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NOT_IN_JOURNALS: Final = frozenset(["attempts", "lineage", "location", "origin", "schema", "spent", "tags"])
"""What a record has from elsewhere: other runs of the training, its place, the version that wrote it, its user."""
_INTERVAL: Final = ".interval"
_CAUSES: Final = ".interval.causes."
_SAME_DIGITS: Final = 9
"""The digits in which figures agree that are the same; sums in another order differ in later digits."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure or text of a record that its journals do not give.

    Args:
        key: Its key, with dots.
        stored: Its value in the record.
        recomputed: Its value by the journals.
    """

    key: str
    stored: object
    recomputed: object


@dataclass(frozen=True, slots=True)
class Verification:
    """A record held against its journals.

    Args:
        run_id: The run.
        figures: The number of figures that were worked out again.
        journals: The number of journals that could be read.
        differences: The figures and texts that differ.
        breaks: The places where a line of a journal does not follow from the line before it.
    """

    run_id: str
    figures: int
    journals: int
    differences: tuple[Difference, ...]
    breaks: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every figure follows from the journals, and no line shows an alteration."""
        return not (self.differences or self.breaks)


def verify(folder: Path) -> Verification:
    """Work out a record again.

    Args:
        folder: The folder of the run.

    Raises:
        RecordError: The record or its journals cannot be read, so that there is nothing to hold it against.
        OSError: The record cannot be read.
    """
    stored = from_mapping(read_json(folder / RECORD_FILE))
    parts = parts_of(read_texts(folder), stored.project, stored.run_id)
    if len(parts) < max(1, len(stored.ranks)):
        message = f"{len(parts)} of its {max(1, len(stored.ranks))} journals can be read, and all are needed"
        raise RecordError(message)
    again = record_of(parts, status=Status(stored.status))
    old, new = (dict(_leaves(_own(to_mapping(record)))) for record in (stored, again))
    # Records of before have no intervals, or none with causes, which are no difference then.
    if not any(_CAUSES in name for name in old):
        new = {name: value for name, value in new.items() if _CAUSES not in name}
    for key in [key for key in old if key.endswith(_INTERVAL) and old[key] is None]:
        new = {**{name: value for name, value in new.items() if not name.startswith(f"{key}.")}, key: None}
    differences = [
        Difference(key, old.get(key), new.get(key))
        for key in sorted({*old, *new})
        if not _is_same(old.get(key), new.get(key)) and not _is_ending(key)
    ]
    breaks = [
        f"{path.name}: {text}"
        for _, path in journals_of(folder)
        for text in breaks_of(_whole_lines(read_whole(path, MOST_FILE_BYTES)))
    ]
    figures = sum(isinstance(value, int | float) for value in new.values())
    return Verification(stored.run_id, figures, len(parts), tuple(differences), tuple(breaks))


def _own(mapping: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in mapping.items() if key not in _NOT_IN_JOURNALS}


def _leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Every value that holds no others, with the keys that lead to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{key}.{place}")
    else:
        yield key, value


def _is_same(stored: object, recomputed: object) -> bool:
    if isinstance(stored, int | float) and isinstance(recomputed, int | float):
        tolerance = 10.0**-_SAME_DIGITS
        return isclose(stored, recomputed, rel_tol=tolerance, abs_tol=tolerance)
    return stored == recomputed


def _is_ending(key: str) -> bool:
    """Whether a key says how a run ended, which whoever recovers a dead run knows better than its journals."""
    return key.rsplit(".", 1)[-1] in ("status", "ended_at")


def _whole_lines(data: bytes) -> list[str]:
    """The lines with an end; a torn last line is none."""
    return data.decode("utf-8", "replace").split("\n")[:-1]
