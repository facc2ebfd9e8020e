"""The figures of runs as rows, for CSV and for files."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from lightning_carbon.records.numbers import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lightning_carbon.ledger.facts import Facts

FIGURES: Final[Sequence[tuple[str, Callable[[Facts], object]]]] = (
    ("run_id", lambda facts: facts.run_id),
    ("run_name", lambda facts: facts.run_name),
    ("project", lambda facts: facts.project),
    ("status", lambda facts: facts.status),
    ("started_at", lambda facts: facts.started_at),
    ("ended_at", lambda facts: facts.ended_at),
    ("duration_seconds", lambda facts: facts.duration_seconds),
    ("hosts", lambda facts: ";".join(portion.name for portion in facts.hosts)),
    ("model", lambda facts: facts.model),
    ("world_size", lambda facts: facts.world_size),
    ("ranks", lambda facts: facts.reported_ranks),
    ("steps", lambda facts: facts.steps),
    ("samples", lambda facts: facts.samples),
    ("tokens", lambda facts: facts.tokens),
    ("energy_joules", lambda facts: facts.joules),
    ("energy_low_joules", lambda facts: facts.low_joules),
    ("energy_high_joules", lambda facts: facts.high_joules),
    ("measured_joules", lambda facts: facts.measured_joules),
    ("boundary", lambda facts: facts.boundary),
    ("priced_joules", lambda facts: facts.priced_joules),
    ("priced_low_joules", lambda facts: facts.priced_low_joules),
    ("priced_high_joules", lambda facts: facts.priced_high_joules),
    ("grams_co2e", lambda facts: facts.grams_co2e),
    ("grams_co2e_low", lambda facts: facts.low_grams_co2e),
    ("grams_co2e_high", lambda facts: facts.high_grams_co2e),
)
"""The columns of the figures of a run, before its tags."""


def as_csv(found: Iterable[Facts], tags: Callable[[Facts], Sequence[str]]) -> Iterator[str]:
    """Lines of CSV, each with its end; text that a spreadsheet would take for a formula is quoted."""
    yield csv_line([*(name for name, _ in FIGURES), "tags"])
    for facts in found:
        yield csv_line([*(_cell(value(facts)) for _, value in FIGURES), _cell(";".join(tags(facts)))])


def csv_line(cells: Iterable[object]) -> str:
    """A line of CSV, with its end."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _cell(value: object) -> object:
    return formula_safe(value) if isinstance(value, str) else value


def csv_of(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows of plain values as CSV, with the names of the first row as head."""
    lines = [csv_line(rows[0])] if rows else []
    return "".join([*lines, *(csv_line(map(_cell, row.values())) for row in rows)])


def formula_safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula, in a single line."""
    line = printable(text)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line
