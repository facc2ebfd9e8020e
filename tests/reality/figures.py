"""The figures of ``make reality`` as tables for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning_carbon.sources.nvml.accuracy
from lightning_carbon.sources.nvml.accuracy import DATA_CENTRE, MEAN, PART, WHOLE, Family, cards, stated
from tests.marked import with_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lightning_carbon.sources.nvml.accuracy import Card, Stated

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "METHODOLOGY.md"
BEGIN = "<!-- reality: written by make reality -->\n"
END = "<!-- end of reality -->\n"
RANGES_BEGIN = "<!-- ranges: written by make reality -->\n"
RANGES_END = "<!-- end of ranges -->\n"
BLUR = Path(lightning_carbon.sources.nvml.accuracy.__file__).with_name("data") / "sensor_blur.csv"
FORMERLY = 0.05
"""The range that is often stated for every GPU."""
_ORDER = ("Kepler", "Maxwell 1", "Maxwell 2", "Pascal", "Turing", "GA100", "Ampere", "Ada")
LOADS = {"5050": "bursts of 52 ms, half of the time", "transient-response": "6 s on, 6 s off"}


def tables(results: Iterable[Mapping[str, Any]]) -> str:
    """Three tables in Markdown: over the whole load and its parts, over windows by length, and what the ranges hold.

    Args:
        results: What ``results.json`` holds.
    """
    rows = list(results)
    lengths = list(dict.fromkeys(length for row in rows for length in row["windows"]))
    whole = [[*_what(row), f"{_percent(row['total'])}", _percent(row["busy"]), _percent(row["idle"])] for row in rows]
    windows = [[*_what(row), *(_pair(row["windows"].get(length)) for length in lengths)] for row in rows]
    inside = [[*_what(row), *(_share(row["inside"].get(length)) for length in lengths)] for row in rows]
    first = ["GPU", "column of nvidia-smi", "load"]
    totals = sum(row["total_inside"] for row in rows)
    shares = [share for row in rows for share in row["inside"].values()]
    return "\n\n".join(
        [
            _table([*first, "whole load", "while on", "while off"], whole),
            _table([*first, *(f"{length} s" for length in lengths)], windows),
            f"Inside the stated ranges are {totals} of {len(rows)} whole loads, and of the windows:",
            _table([*first, *(f"{length} s" for length in lengths)], inside),
            f"That is {100 * sum(shares) / len(shares):.0f} % in the mean, and {100 * min(shares):.0f} % at worst.",
        ]
    )


def ranges() -> str:
    """The stated ranges of GPUs by family, as a table in Markdown, and what ±5 % would have held."""
    families: dict[Family, list[Card]] = {}
    for card in cards():
        families.setdefault(card.family, []).append(card)
    order = sorted(families, key=lambda family: (_ORDER.index(family.generation), family.segment))
    rows = [_range(str(family), stated(family), families[family]) for family in order]
    rows.append(_range("every other", stated(Family("", DATA_CENTRE)), []))
    held = [card for card in cards() if -FORMERLY <= card.error_low and card.error_high <= FORMERLY]
    low = [card for card in cards() if card.error_high < 0]
    head = ["family", "measured", "error of what was shown", "energy may be", "and besides", "and the power of"]
    return "\n\n".join(
        [
            "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)),
            f"Of {len(cards())} cards {len(held)} are within ±{FORMERLY * 100:g} %, and {len(low)} read low.",
        ]
    )


def blur(results: Iterable[Mapping[str, Any]]) -> str:
    """What ``sensor_blur.csv`` holds, made of the figures."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in results:
        found.setdefault(row["sensor"], []).append(row)
    lines = ["sensor,blur_seconds,source"]
    for sensor in (PART, WHOLE, MEAN):
        worst = max(found[sensor], key=lambda row: row["blur_seconds"])
        lines.append(
            f"{sensor},{worst['blur_seconds']:.3f},"
            f"make reality: {worst['card']} {worst['column']} {worst['trace']} of Yang et al. 2023"
        )
    return "\n".join(lines) + "\n"


def with_tables(page: str, results: Iterable[Mapping[str, Any]]) -> str:
    """A page with the tables between its marks.

    Raises:
        SystemExit: It has lost the marks.
    """
    return with_part(with_part(page, RANGES_BEGIN, RANGES_END, text=ranges()), BEGIN, END, text=tables(results))


def _range(name: str, range_of_family: Stated, measured: Sequence[Card]) -> list[str]:
    accuracy = range_of_family.accuracy
    models = list(dict.fromkeys(card.model for card in measured))
    errors = [error for card in measured for error in (card.error_low, card.error_high)]
    return [
        name,
        "; ".join(f"{model}{_times(model, measured)}" for model in models) or "none: assumed, the widest",
        f"{min(errors) * 100:+.1f} to {max(errors) * 100:+.1f} %" if errors else "",
        f"-{accuracy.below_ratio * 100:.3g} / +{accuracy.above_ratio * 100:.3g} %",
        f"-{accuracy.below_watts:g} / +{accuracy.above_watts:g} W",
        f"{accuracy.blur_seconds:g} s",
    ]


def _times(model: str, measured: Sequence[Card]) -> str:
    number = sum(card.model == model for card in measured)
    return f" ({number} cards)" if number > 1 else ""


def _what(row: Mapping[str, Any]) -> list[str]:
    load = next(text for name, text in LOADS.items() if row["trace"].startswith(name))
    return [row["card"], f"`{row['column']}`" + (" (mean of 1 s)" if row["trailing_seconds"] else ""), load]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * 3 + ["---:"] * (len(head) - 3)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def _share(share: float | None) -> str:
    return "" if share is None else f"{share * 100:.0f} %"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:+.1f} %"


def _pair(pair: Sequence[float] | None) -> str:
    return "" if pair is None else f"{pair[0] * 100:.0f} / {pair[1] * 100:.0f} %"
