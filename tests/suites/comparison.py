"""The tests that end otherwise with the meter on, each with its reason."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.suites.outcomes import Outcome

REASONS: Final = Path(__file__).with_name("reasons.csv")
"""The known reasons: a suite, a pattern of the test's name, a pattern of its error, and the reason."""
UNKNOWN: Final = "not known"
_COLUMNS: Final = ("suite", "test", "error", "reason")


class Reason(NamedTuple):
    """A known reason of differences.

    Args:
        suite: The suite that it is of.
        test: Matches the end of the name of a test.
        error: Is found in the error of the test.
        reason: Why the meter makes a difference there.
    """

    suite: str
    test: str
    error: str
    reason: str

    def explains(self, suite: str, difference: Difference) -> bool:
        """Whether it is the reason of a difference."""
        errors = (difference.off.text, difference.on.text)
        return (
            suite == self.suite
            and re.search(self.test, difference.test) is not None
            and any(re.search(self.error, error) for error in errors)
        )


class Difference(NamedTuple):
    """A test that ends otherwise with the meter on.

    Args:
        test: Its name.
        off: How it ended without the meter.
        on: How it ended with it.
        reason: Why; :data:`UNKNOWN` where no reason is kept that explains it.
    """

    test: str
    off: Outcome
    on: Outcome
    reason: str = UNKNOWN


class Comparison(NamedTuple):
    """A suite with the meter on, beside the same without.

    Args:
        tests: How many tests ran in both.
        passed: How many of them passed in both.
        only_once: The tests that ran in one of the two alone.
        differences: Those that ended otherwise.
    """

    tests: int
    passed: int
    only_once: tuple[str, ...]
    differences: tuple[Difference, ...]


def known_reasons(file: Path = REASONS) -> list[Reason]:
    """The kept reasons, in order.

    Raises:
        ValueError: The table has other columns.
    """
    with file.open(newline="", encoding="utf-8") as lines:
        table = csv.DictReader(lines)
        if tuple(table.fieldnames or ()) != _COLUMNS:
            message = f"{file.name} has the columns {table.fieldnames}, not {list(_COLUMNS)}"
            raise ValueError(message)
        return [Reason(*(row[column] for column in _COLUMNS)) for row in table]


def compare(
    suite: str, off: Mapping[str, Outcome], on: Mapping[str, Outcome], reasons: Sequence[Reason] = ()
) -> Comparison:
    """Compare the outcomes of a suite test by test.

    Args:
        suite: Its name.
        off: The outcomes without the meter.
        on: Those with it.
        reasons: The known reasons; the first that explains a difference counts.
    """
    both = sorted(off.keys() & on.keys())
    found = [Difference(test, off[test], on[test]) for test in both if off[test].word != on[test].word]
    return Comparison(
        tests=len(both),
        passed=sum(off[test].word == on[test].word == "passed" for test in both),
        only_once=tuple(sorted(off.keys() ^ on.keys())),
        differences=tuple(_explained(suite, difference, reasons) for difference in found),
    )


def _explained(suite: str, difference: Difference, reasons: Sequence[Reason]) -> Difference:
    for known in reasons:
        if known.explains(suite, difference):
            return difference._replace(reason=known.reason)
    return difference
