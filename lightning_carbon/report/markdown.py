"""The summary of a record as Markdown: the same words and figures as in a terminal, laid out for a page. Pure.

In the dialect that TensorBoard's text plugin (Python-Markdown with tables) and GitHub share: paragraphs, lists, tables.
Names from people or drivers are shown as text, whatever characters they contain.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from lightning_carbon.records.numbers import ENERGY, amount
from lightning_carbon.records.said import Line, Section, Table
from lightning_carbon.records.summary import sections
from lightning_carbon.report.sheets import escape_markdown, markdown_code, markdown_table

if TYPE_CHECKING:
    from lightning_carbon.records.run import RunRecord

_STRONG: Final = frozenset({"total", "spent"})
"""The rows that the others add up to."""
_LEVEL: Final = 2
"""The blanks of a level at the beginning of a row."""
_CARBON: Final = "CO2e"
_GAP: Final = "&nbsp;"
"""A gap between two tables, which pages would otherwise join."""
_NESTED: Final = "    "
"""The indentation of an item under another; Python-Markdown needs four blanks."""


def summary_markdown(record: RunRecord) -> str:
    """Write a record for people, as Markdown.

    Args:
        record: The record of a run, ended or not.

    Returns:
        Blocks with an empty line between them, without an end of line at the end.
    """
    said = sections(record)
    lines = [line for section in said if not isinstance(section, Table) for line in section]
    blocks = [f"#### {escape_markdown(lines[0].text)}"]
    # A page shows its beginning first, but carbon comes late in a summary.
    if record.energy.total_joules is not None:
        carbon = next((line.text for line in lines if line.first.strip() == _CARBON), "")
        joules = record.energy.total_joules * record.machine_ratio
        energy = f"{amount(joules, ENERGY)} ({record.carbon.boundary})"
        headline = escape_markdown(f"{energy}, {carbon}".rstrip(", "))
        blocks.append(f"**{headline}**")
    for before, section in pairwise(said):
        if isinstance(before, Table) and isinstance(section, Table):
            blocks.append(_GAP)
        blocks.append(_block(section))
    return "\n\n".join(blocks)


def _block(section: Section) -> str:
    if isinstance(section, Table):
        return _table(section)
    lines: list[str] = []
    indents: list[int] = []
    for line in section:
        label = line.first.strip()
        indent = len(line.first) - len(line.first.lstrip())
        if not indent:
            # A line of its own, perhaps followed by a list, which needs an empty line before it.
            told = f"**{label}** {_said(line)}" if label else _said(line)
            lines += [*([""] if lines else []), f"**{told}**" if _is_head(line, section) else told, ""]
            indents = []
            continue
        indents = [outer for outer in indents if outer < indent] + [indent]
        item = f"{label} {_said(line)}" if label else _said(line)
        lines.append(f"{_NESTED * (len(indents) - 1)}- {item}")
    return "\n".join(lines).strip("\n")


def _is_head(line: Line, section: list[Line]) -> bool:
    """Whether a line is the heading of the lines that follow."""
    return not line.first and len(section) > 1


def _said(line: Line) -> str:
    """The text of a line; a command to be copied becomes code."""
    if line.wraps or not line.first:
        return escape_markdown(line.text)
    return markdown_code(line.text)


def _table(section: Table) -> str:
    head, *rows = section.rows
    return markdown_table([*map(escape_markdown, head)], [*map(_row, rows)], section.align)


def _row(row: tuple[str, ...]) -> list[str]:
    name = row[0].strip()
    level = (len(row[0]) - len(row[0].lstrip())) // _LEVEL
    cells = [escape_markdown(cell) for cell in (name, *row[1:])]
    if name in _STRONG:
        return [cell and f"**{cell}**" for cell in cells]
    return ["&nbsp;" * 4 * max(0, level - 1) + cells[0], *cells[1:]]
