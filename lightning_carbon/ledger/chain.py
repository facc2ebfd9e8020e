"""The chain of a journal: every beat names the line before it by its hash, so that an altered line shows.

It shows accidents and careless edits. Whoever writes all later lines anew, and the record with them, leaves no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.files import parse_json, to_json
from lightning_carbon.systems import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KEY: Final = "before"
"""The key of a beat that holds the hash of the line before it."""
_HEXADECIMALS: Final = 32


class Chain:
    """The end of a journal that is being written.

    Args:
        first: The first line of the journal.
    """

    def __init__(self, first: str) -> None:
        self._end: str | None = digest_of(first)
        self._next = self._end

    def link(self, beat: Mapping[str, object]) -> str:
        """The line of a beat, linked to the line before it; call :meth:`advance` once it is written."""
        line = to_json(beat if self._end is None else {**beat, KEY: self._end})
        self._next = digest_of(line)
        return line

    def advance(self) -> None:
        """Go on from the line that was linked last."""
        self._end = self._next

    def tear(self) -> None:
        """Begin anew, as nobody knows whether the line that was linked last has been written."""
        self._end = None


def digest_of(line: str) -> str:
    """The hash of a line, without its end: half of SHA-256, in hexadecimal digits."""
    return sha256_of(line.encode("utf-8", "backslashreplace"))[:_HEXADECIMALS]


def breaks_of(lines: Iterable[str]) -> list[str]:
    """The places of a journal where a line does not follow from the line before it.

    The first beat is not held against the header, since long journals are begun anew with their last line.

    Args:
        lines: The whole lines of the journal, the header first.

    Returns:
        A sentence for each break, empty where there is none.
    """
    found: list[str] = []
    before: str | None = None
    for number, line in enumerate(lines, 1):
        try:
            values = parse_json(line)
        except RecordError:
            found.append(f"line {number} is no JSON")
            before = None
            continue
        linked = values.get(KEY) if isinstance(values, dict) else None
        if linked is not None and before is not None and linked != before:
            found.append(f"line {number} does not follow from the line before it, which has been altered or removed")
        before = digest_of(line) if number > 1 else None
    return found
