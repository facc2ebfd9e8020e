r"""Tables: typed columns, and the one writer of tables as plain text, Markdown and LaTeX. Pure.

A :class:`Sheet` holds text, which stays text in every output: a name with a bar, a tag, a backtick, a line end or a
backslash neither ends a cell nor turns into markup.

Markdown is the dialect that GitHub and TensorBoard's text plugin (Python-Markdown with tables) share. LaTeX needs
``\usepackage{adjustbox,booktabs}``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from lightning_carbon.records.numbers import printable, table
from lightning_carbon.values import dataclass

_MARKDOWN: Final = re.compile(r"([\\`*_\[\]#|])")
_BACKTICKS: Final = re.compile("`+")
_HTML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LATEX: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "×": r"$\times$",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "≈": r"$\approx$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "–": "--",
    "…": r"\ldots{}",
    "µ": r"$\mu$",
    "\N{ZERO WIDTH SPACE}": "{}",
}
_WIDE: Final = 6
"""The most columns with brackets beside the figures; a printed page has no room for more."""

_Item = TypeVar("_Item")


@dataclass(frozen=True)  # with slots, Python 3.11 cannot make a Column[X]
class Column(Generic[_Item]):
    """A column of a table.

    Args:
        title: Its heading.
        cell: The text of its cell for an item.
        align: ``<`` for text, ``>`` for figures.
    """

    title: str
    cell: Callable[[_Item], str]
    align: str = ">"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of text, ready to be written in any form.

    Args:
        title: The title; may be empty.
        head: The titles of its columns.
        align: ``<`` or ``>`` for every column.
        rows: Its cells, as many in every row as there are columns.
        notes: The notes below it, a sentence or more each.
    """

    title: str
    head: tuple[str, ...]
    align: str
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def sheet_of(
    title: str, items: Sequence[_Item], columns: Sequence[Column[_Item]], *, notes: Sequence[str] = ()
) -> Sheet:
    """Make a table with a row for each item.

    Args:
        title: The title.
        items: The items of its rows.
        columns: Its columns.
        notes: The notes below it; repetitions are left out.
    """
    return Sheet(
        title=title,
        head=tuple(column.title for column in columns),
        align="".join(column.align for column in columns),
        rows=tuple(tuple(column.cell(item) for column in columns) for item in items),
        notes=tuple(dict.fromkeys(notes)),
    )


def as_text(sheet: Sheet) -> str:
    """A table as plain text: title above, columns aligned, notes below; no end of line at the end."""
    rows = [[printable(cell) for cell in cells] for cells in (sheet.head, *sheet.rows)]
    title = [printable(sheet.title), ""] if sheet.title else []
    return "\n".join([*title, *table(rows, sheet.align), *map(printable, sheet.notes)])


def as_markdown(sheet: Sheet) -> str:
    """A table as Markdown: title above, notes below as a list; no end of line at the end."""
    head, *rows = ([escape_markdown(cell) for cell in cells] for cells in (sheet.head, *sheet.rows))
    notes = [f"* {escape_markdown(note)}" for note in sheet.notes]
    title = f"**{escape_markdown(sheet.title)}**" if sheet.title else ""
    blocks = [title, markdown_table(head, rows, sheet.align), "\n".join(notes)]
    return "\n\n".join(filter(None, blocks))


def as_latex(sheet: Sheet, label: str) -> str:
    r"""A table as LaTeX; no end of line at the end. It is scaled down where it is wider than the text.

    Args:
        sheet: The table.
        label: For ``\ref``; letters, digits, hyphens and colons.
    """
    columns = "".join("l" if side == "<" else "r" for side in sheet.align)
    stacked = [len(sheet.head) > _WIDE and side == ">" for side in sheet.align]
    lines = [
        " & ".join(_latex_cell(cell, is_stacked=is_stacked) for cell, is_stacked in zip(cells, stacked, strict=True))
        + r" \\"
        for cells in (sheet.head, *sheet.rows)
    ]
    notes = [rf"\par\smallskip\raggedright\footnotesize {escape_latex(note)}" for note in sheet.notes]
    return "\n".join(
        [
            r"% \usepackage{adjustbox,booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(sheet.title)}}}",
            rf"\label{{{label}}}",
            r"\begin{adjustbox}{max width=\textwidth}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{adjustbox}",
            *notes,
            r"\end{table}",
        ]
    )


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """The lines of a table in Markdown.

    Args:
        head: The titles of the columns, in Markdown.
        rows: The cells, in Markdown.
        align: ``<`` or ``>`` for every column.
    """
    rules = ["---:" if side == ">" else "---" for side in align]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rules, *rows))


def escape_markdown(text: str) -> str:
    """Text in a single line that Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(printable(text).split()).translate(_HTML))


def markdown_code(text: str) -> str:
    """Text in a single line that Markdown shows as code, to be copied."""
    code = " ".join(printable(text).split())
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(code)), default=0))
    pad = " " if code.startswith("`") or code.endswith("`") else ""
    return f"{fence}{pad}{code}{pad}{fence}"


def escape_latex(text: str) -> str:
    """Text in a single line that LaTeX prints as it is."""
    plain = " ".join(printable(text).split())
    plain = plain.replace("--", "-\N{ZERO WIDTH SPACE}-")  # an option's hyphens must not become a dash
    return "".join(_LATEX.get(letter, letter) for letter in plain).replace("CO2e", r"CO$_2$e")


def _latex_cell(text: str, *, is_stacked: bool) -> str:
    """A cell; where it is stacked, a figure stands above its brackets."""
    figure, bracket, rest = text.partition(" (")
    if not (is_stacked and bracket):
        return escape_latex(text)
    return rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{escape_latex(figure)}\\{escape_latex('(' + rest)}\end{{tabular}}"
