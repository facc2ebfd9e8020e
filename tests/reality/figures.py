"""The figures of ``make reality`` as tables for people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "METHODOLOGY.md"
BEGIN = "<!-- reality: written by make reality -->\n"
END = "<!-- end of reality -->\n"
LOADS = {"5050": "bursts of 52 ms, half of the time", "transient-response": "6 s on, 6 s off"}


def tables(results: Iterable[Mapping[str, Any]]) -> str:
    """Two tables in Markdown: over the whole load and its parts, and over windows by their length.

    Args:
        results: What ``results.json`` holds.
    """
    rows = list(results)
    lengths = list(dict.fromkeys(length for row in rows for length in row["windows"]))
    whole = [[*_what(row), f"{_percent(row['total'])}", _percent(row["busy"]), _percent(row["idle"])] for row in rows]
    windows = [[*_what(row), *(_pair(row["windows"].get(length)) for length in lengths)] for row in rows]
    first = ["GPU", "column of nvidia-smi", "load"]
    return "\n\n".join(
        [
            _table([*first, "whole load", "while on", "while off"], whole),
            _table([*first, *(f"{length} s" for length in lengths)], windows),
        ]
    )


def with_tables(page: str, results: Iterable[Mapping[str, Any]]) -> str:
    """A page with the tables between its marks.

    Raises:
        SystemExit: It has lost the marks.
    """
    pattern = re.compile(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise SystemExit(f"the page needs these two lines, once:\n{BEGIN}{END}")
    return pattern.sub(lambda _: f"\n{tables(results)}\n\n", page)


def _what(row: Mapping[str, Any]) -> list[str]:
    load = next(text for name, text in LOADS.items() if row["trace"].startswith(name))
    return [row["card"], f"`{row['column']}`" + (" (mean of 1 s)" if row["trailing_seconds"] else ""), load]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * 3 + ["---:"] * (len(head) - 3)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:+.1f} %"


def _pair(pair: Sequence[float] | None) -> str:
    return "" if pair is None else f"{pair[0] * 100:.0f} / {pair[1] * 100:.0f} %"
