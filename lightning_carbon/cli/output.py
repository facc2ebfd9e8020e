"""The output of ``estimate`` and ``study``: tables for the terminal, or JSON, Markdown or LaTeX."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Sequence
from itertools import takewhile
from textwrap import wrap
from typing import Any, Final

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightning_carbon.cli.forms import Form
from lightning_carbon.report.sheets import Sheet, as_latex, as_markdown
from lightning_carbon.values import dataclass

_GAP: Final = 2
_LEAST: Final = 40


def show(form: Form, tables: Sequence[Sheet], plain: Any, *, label: str) -> None:  # noqa: ANN401 - whatever JSON has
    """Print tables, or their content as JSON.

    Args:
        form: The form of the output.
        tables: The tables.
        plain: Their content as plain values.
        label: The prefix of the labels in LaTeX, which are numbered where there are several tables.
    """
    if form is Form.JSON:
        typer.echo(jsonlib.dumps(plain, indent=2, allow_nan=False))
    elif form is Form.MARKDOWN:
        typer.echo("\n\n".join(map(as_markdown, tables)))
    elif form is Form.LATEX:
        names = [f"tab:{label}{f'-{number}' if len(tables) > 1 else ''}" for number, _ in enumerate(tables, 1)]
        typer.echo("\n\n".join(as_latex(table, name) for table, name in zip(tables, names, strict=True)))
    else:
        console = Console(highlight=False)
        for number, table in enumerate(tables):
            if number:
                console.print()
            show_sheet(table, console)


def show_sheet(sheet: Sheet, console: Console) -> None:
    """Print a table. No figure is ever cut: where it is too wide, brackets go below, then columns into a second part.

    Args:
        sheet: The table.
        console: The console.
    """
    width = console.width
    for number, part in enumerate(_parts(sheet, width)):
        table = Table(
            title=Text(f"{sheet.title}, continued" if number else sheet.title, "bold"),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, _GAP - 1, 0, 0),
        )
        for column, room in zip(part, _widths(part, width), strict=True):
            table.add_column(Text(column.title), justify="left" if column.side == "<" else "right", width=room)
        for cells in zip(*(column.cells for column in part), strict=True):
            table.add_row(*map(Text, cells))
        console.width = max(
            width, _needed([column.width for column in part])
        )  # print(width=…) takes no more than the terminal has
        console.print(table)
        console.width = width
        console.print()
    for note in sheet.notes:
        lines = wrap(note, max(width, _LEAST), initial_indent="* ", subsequent_indent="  ", break_on_hyphens=False)
        console.print(Text("\n".join(lines)), soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column to be printed: figures keep their lines, text may break at its spaces."""

    title: str
    side: str
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        """The least width of the column, in characters."""
        if self.side == "<":
            words = (word for text in (self.title, *self.cells) for word in text.split())
            return max(map(cell_len, words), default=1)
        return max(cell_len(line) for text in (self.title, *self.cells) for line in text.split("\n"))

    @property
    def full_width(self) -> int:
        """The width of the column without breaking a line, in characters."""
        return max(map(cell_len, (self.title, *self.cells)))

    def stacked(self) -> _Column:
        """The column with brackets, and the part of the heading after a comma, on a line of their own."""
        if self.side == "<":
            return self
        return _Column(
            self.title.replace(", ", ",\n"), self.side, tuple(cell.replace(" (", "\n(") for cell in self.cells)
        )


def _needed(widths: Sequence[int]) -> int:
    """The width of a table of columns; rich counts the gap after the last column, except for the divider."""
    return sum(widths) + _GAP * len(widths) - 1


def _widths(part: Sequence[_Column], width: int) -> list[int]:
    """The least widths, plus the rest of the terminal for text, a character at a time to the column that lacks most."""
    widths = [column.width for column in part]
    texts = [place for place, column in enumerate(part) if column.side == "<"]
    for _ in range(width - _needed(widths)):
        missing = {place: part[place].full_width / widths[place] for place in texts}
        neediest = max(missing, key=missing.__getitem__, default=None)
        if neediest is None or missing[neediest] <= 1:
            break
        widths[neediest] += 1
    return widths


def _parts(sheet: Sheet, width: int) -> list[list[_Column]]:
    """The columns of a sheet, in as many tables as the terminal needs; each begins with the names of the rows."""
    columns = [
        _Column(title, side, tuple(cells[place] for cells in sheet.rows))
        for place, (title, side) in enumerate(zip(sheet.head, sheet.align, strict=True))
    ]
    if _needed([column.full_width for column in columns]) <= width:
        return [columns]
    columns = [column.stacked() for column in columns]
    naming = list(takewhile(lambda column: column.side == "<", columns))
    parts = [list(naming)]
    for column in columns[len(naming) :]:
        part = parts[-1]
        if len(part) > len(naming) and _needed([shown.width for shown in [*part, column]]) > width:
            part = [*naming]
            parts.append(part)
        part.append(column)
    return parts
