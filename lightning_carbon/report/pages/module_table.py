"""The table of a page on the energy of modules, forward and backward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.records.module_words import direction_words, module_name, sampled_words
from lightning_carbon.records.numbers import WATT_HOURS, duration, span
from lightning_carbon.report.pages.tables import Cell, figure, page_table, share, words

if TYPE_CHECKING:
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.report.pages.tables import PageTable


def module_table(record: RunRecord) -> PageTable | None:
    """The energy of the steps by module and direction, with every row."""
    modules, whole = record.modules, record.step_joules
    if modules is None:
        return None
    rows = [
        [
            words(module_name(row, modules.model)),
            words(direction_words(row)),
            figure(row.joules, WATT_HOURS),
            share(row.joules, whole),
            Cell(span(row.low_joules, row.high_joules, WATT_HOURS, like=row.joules), row.high_joules - row.low_joules),
            Cell(duration(row.step_seconds), row.step_seconds),
        ]
        for row in modules.rows
    ]
    columns = [
        ("module", "<"),
        ("direction", "<"),
        ("energy", ">"),
        ("share of the steps", ">"),
        ("90 % interval", ">"),
    ]
    note = f"In {modules.model}, {sampled_words(modules)}."
    return page_table("Where the joules went in the model", [*columns, ("time in a step", ">")], rows, notes=[note])
