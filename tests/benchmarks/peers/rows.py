"""What the comparison found: rows of figures, one for each tool, and who is ahead in each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.report import PLAIN_WIDTH, Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

OURS = "ours"
PEERS = ("codecarbon", "carbontracker", "zeus", "landauer", "trackio")
TOOLS = (OURS, *PEERS)
TITLES = {
    OURS: "lightning-carbon",
    "codecarbon": "CodeCarbon",
    "carbontracker": "CarbonTracker",
    "zeus": "Zeus",
    "landauer": "landauer-gap",
    "trackio": "trackio",
}
DISTRIBUTIONS = {OURS: "lightning-carbon", **{tool: tool for tool in PEERS}, "landauer": "landauer-gap"}
BENCHES = (
    "peers-start",
    "peers-step",
    "peers-sampler",
    "peers-traces",
    "peers-totals",
    "peers-steps",
    "peers-packages",
    "peers-packages-steps",
    "peers-kill",
    "peers-ranks",
    "peers-lightning",
    "peers-huggingface",
)
"""All benchmarks that a whole run has."""
SCHEMA = 1


@dataclass(frozen=True)
class Cell:
    """The figure of one tool.

    Args:
        value: It, or ``None`` where there is none.
        why: Why there is none.
        remark: What has to stand beside it wherever it stands.
        note: What else is worth knowing.
    """

    value: float | None
    why: str = ""
    remark: str = ""
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One thing that was measured, for every tool.

    Args:
        bench: The benchmark that it comes from.
        key: Its name for machines, unique among all rows.
        what: Its name for people.
        unit: Of the figures.
        cells: By tool.
        more_is_better: Rather than less.
        resolution: Figures that are no further apart are equal: more could not be told in one run.
        share: What the best of the others is multiplied by to be our target.
        notes: What else is worth knowing.
    """

    bench: str
    key: str
    what: str
    unit: str
    cells: Mapping[str, Cell]
    more_is_better: bool = False
    resolution: float = 0.0
    share: float = 1.0
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def best(self) -> list[str]:
        """The tools that no other is ahead of, by more than can be told apart."""
        values = {tool: cell.value for tool, cell in self.cells.items() if cell.value is not None}
        if not values:
            return []
        lead = max(values.values()) if self.more_is_better else min(values.values())
        return [tool for tool in TOOLS if tool in values and abs(values[tool] - lead) <= self.resolution]

    @property
    def ahead(self) -> list[str]:
        """The tools that are ahead of us, by more than can be told apart."""
        ours = self.cells[OURS].value
        if ours is None:
            return []
        sign = 1 if self.more_is_better else -1
        values = {tool: cell.value for tool, cell in self.cells.items() if cell.value is not None}
        return [tool for tool in PEERS if tool in values and sign * (values[tool] - ours) > self.resolution]

    def checks(self) -> Iterable[Check]:
        """Our figure, with what the best of the others is as its target."""
        ours = self.cells[OURS]
        peers = {tool: cell.value for tool, cell in self.cells.items() if tool != OURS and cell.value is not None}
        if ours.value is None:
            return
        limit, note = None, "nobody else has a figure"
        if peers:
            ahead = (max if self.more_is_better else min)(peers, key=lambda tool: peers[tool])
            slack = -self.resolution if self.more_is_better else self.resolution
            limit = peers[ahead] * self.share + slack
            note = ", ".join(f"{TITLES[tool]} {value:.4g}" for tool, value in peers.items())
        yield Check(self.bench, self.what, ours.value, self.unit, limit, at_least=self.more_is_better, note=note)


def print_rows(rows: Sequence[Row]) -> None:
    """Print them as a table, the figures of whoever is ahead marked."""
    console = Console(width=None if Console().is_terminal else PLAIN_WIDTH + 28)
    table = Table(title="side by side; * is ahead, or as good as who is", title_justify="left")
    table.add_column("what")
    for tool in TOOLS:
        table.add_column(TITLES[tool], justify="right")
    for row in rows:
        what = f"{row.what} [{row.unit}]" if row.unit else row.what
        table.add_row(what.replace("[", "\\["), *(said(row, tool) for tool in TOOLS))
    console.print(table)


def said(row: Row, tool: str) -> str:
    """A cell in words."""
    cell = row.cells[tool]
    if cell.value is None:
        return f"– ({cell.why})"
    star = "*" if tool in row.best else ""
    words = ", ".join(filter(None, (cell.remark, cell.note)))
    return f"{star}{figure(cell.value)}{f' ({words})' if words else ''}"


def figure(value: float) -> str:
    """Three digits of it, and none of its noise."""
    if value == int(value):
        return f"{value:.0f}"
    size = abs(value)
    if size >= 100:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 1 else f"{value:.2g}"


def write_rows(path: Path, rows: Sequence[Row], **about: Any) -> None:  # noqa: ANN401 - whatever JSON takes
    """Write them as JSON.

    Args:
        path: Where; its folder is made.
        rows: What was found.
        **about: The run that they come from.
    """
    mapping = {
        "schema": SCHEMA,
        **about,
        "rows": [{**asdict(row), "best": row.best} for row in rows],  # who is best is for readers, not read back
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(mapping, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_rows(mapping: Mapping[str, Any]) -> list[Row]:
    """The rows of such a file."""
    rows = []
    for row in mapping["rows"]:
        named = {key: value for key, value in row.items() if key != "best"}
        cells = {tool: Cell(**cell) for tool, cell in named.pop("cells").items()}
        rows.append(Row(cells=cells, **{**named, "notes": tuple(named["notes"])}))
    return rows
