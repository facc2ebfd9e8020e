"""What a summary says of energy that was no training. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.records.numbers import ENERGY, amount, duration, percent
from lightning_carbon.records.said import Line
from lightning_carbon.records.waste import WORDS, Waste, WasteKind

if TYPE_CHECKING:
    from collections.abc import Iterable

_FIRST, _REST = "Waste         ", " " * 14


def waste_words(waste: Waste) -> str:
    """A kind of waste with its figures, for people."""
    words = WORDS[WasteKind(waste.kind)] + ("" if waste.rank is None else f", rank {waste.rank}")
    time = f" in {duration(waste.seconds)}" if waste.seconds else ""
    of_what = " of all attempts" if waste.kind == WasteKind.LOST else ""
    return f"{words}: {amount(waste.joules, ENERGY)}{time}, {percent(waste.ratio)}{of_what}"


def waste_lines(named: Iterable[Waste]) -> list[Line]:
    """What of the run was no training, each with what to try."""
    lines: list[Line] = []
    for waste in named:
        lines.append(Line(waste_words(waste), _REST if lines else _FIRST, _REST))
        lines.append(Line(f"try: {waste.hint}", _REST + "  ", _REST + "  "))
    return lines
