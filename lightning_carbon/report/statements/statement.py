"""A statement: fields with their values, the arithmetic behind them, and what is missing. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from lightning_carbon.report.sheets import Sheet
from lightning_carbon.values import dataclass

STATEMENT_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a statement.

    Args:
        name: Its name in the form that it belongs to.
        value: Its value, as it is to be written.
        number: The same as a number, in the unit of the value; ``None`` for a text.
        trace: The arithmetic behind it, a line each.
    """

    name: str
    value: str
    number: float | None = None
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement.

    Args:
        form: The form that it belongs to, such as ``eu-ai-act``.
        title: Its title.
        entries: Its fields.
        missing: The fields that the records cannot fill, with the reason or the option that fills them.
        notes: What a reader has to know, a sentence each.
        text: Its sentences, where the form has any.
    """

    form: str
    title: str
    entries: tuple[FormField, ...]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    text: str = ""

    def sheets(self, *, trace: bool = False) -> list[Sheet]:
        """The statement as tables.

        Args:
            trace: Whether to add the arithmetic behind the figures.
        """
        notes = (*(f"Missing: {name}." for name in self.missing), *self.notes)
        rows = tuple((entry.name, entry.value) for entry in self.entries)
        sheets = [Sheet(self.title, ("field", "value"), "<<", rows, notes)]
        if trace:
            lines = tuple((entry.name, line) for entry in self.entries for line in entry.trace)
            sheets.append(Sheet("The arithmetic", ("field", "how"), "<<", lines))
        return sheets

    def as_mapping(self) -> dict[str, Any]:
        """The statement as plain values."""
        plain = asdict(self)
        entries = [{**values, "trace": list(values["trace"])} for values in plain["entries"]]
        return {
            "schema": STATEMENT_SCHEMA,
            **plain,
            "entries": entries,
            "missing": list(self.missing),
            "notes": list(self.notes),
        }
