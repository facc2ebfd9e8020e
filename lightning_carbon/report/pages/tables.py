"""Tables of pages: cells with the figure that they are sorted by, and the share that is drawn as a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lightning_carbon.records.numbers import NOTHING, Scale, amount, percent
from lightning_carbon.report.sheets import Sheet
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable


class Cell(NamedTuple):
    """A cell of a table.

    Args:
        text: Its text.
        key: What it is sorted by; ``None`` for its text.
        share: A share of a whole that is drawn as a bar; ``None`` for no bar.
        link: Where it leads, within the pages; empty for nowhere.
    """

    text: str
    key: float | None = None
    share: float | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table of a page.

    Args:
        title: Its title.
        head: The titles of its columns.
        align: ``<`` or ``>`` for every column.
        rows: Its cells.
        notes: The notes below it.
    """

    title: str
    head: tuple[str, ...]
    align: str
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def sheet(self) -> Sheet:
        """The table as text."""
        rows = tuple(tuple(cell.text for cell in row) for row in self.rows)
        return Sheet(self.title, self.head, self.align, rows, self.notes)


def page_table(
    title: str, columns: Iterable[tuple[str, str]], rows: Iterable[Iterable[Cell]], *, notes: Iterable[str] = ()
) -> PageTable | None:
    """A table; ``None`` without rows.

    Args:
        title: Its title.
        columns: The title of each column and ``<`` or ``>``.
        rows: Its rows.
        notes: The notes below it; empty notes are left out.
    """
    told = tuple(tuple(row) for row in rows)
    named = tuple(columns)
    head, align = tuple(name for name, _ in named), "".join(side for _, side in named)
    return PageTable(title, head, align, told, tuple(filter(None, notes))) if told else None


def words(text: str, link: str = "") -> Cell:
    """A cell of text."""
    return Cell(text, link=link)


def figure(value: float | None, scale: Scale) -> Cell:
    """A cell with a quantity; the placeholder where it is not known."""
    return Cell(NOTHING, -1.0) if value is None else Cell(amount(value, scale), value)


def count(value: int | None) -> Cell:
    """A cell with a number of things."""
    return Cell(NOTHING, -1.0) if value is None else Cell(f"{value:,}", float(value))


def share(part: float | None, whole: float | None) -> Cell:
    """A cell with a share and its bar."""
    if part is None or not whole:
        return Cell("", -1.0)
    ratio = min(1.0, max(0.0, part / whole))
    return Cell(percent(ratio), ratio, ratio)
