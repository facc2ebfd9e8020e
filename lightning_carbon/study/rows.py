"""One row type for what was published and for what is measured, and tables of such rows in three forms. Pure.

A row is what the study's Table 3 has of a model: hardware, power, hours, energy, CO2e, cost. What is not known is
``None`` and shows as a dash. Cells are made here once; Markdown and LaTeX are written here, the terminal's table by the
command line, from the same cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from math import floor, log10
from typing import Any

from lightning_carbon.study.printed import Printed

NOTHING = "–"
_DIGITS = 3
_LITTLE = 1e-3

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """The computed figures of a row; each ``None`` where an input of it is not known.

    Args:
        kwh_pue: Energy of the site in kWh: that of the computers times the PUE.
        co2e_lbs: CO2e in pounds.
        co2e_kg: The same in kilograms.
        cloud_usd: What the accelerators cost in a cloud, low and high, in USD.
        electricity_usd: What the electricity of the site costs, in USD.
    """

    kwh_pue: float | None = None
    co2e_lbs: float | None = None
    co2e_kg: float | None = None
    cloud_usd: Pair | None = None
    electricity_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """The low and the high end of a row's figures, by interval arithmetic; ``None`` where there is no such figure.

    Args:
        kwh_pue: Of the site's energy, in kWh.
        co2e_lbs: Of the CO2e, in pounds.
        co2e_kg: The same in kilograms.
        electricity_usd: Of the electricity's cost, in USD.
    """

    kwh_pue: Pair | None = None
    co2e_lbs: Pair | None = None
    co2e_kg: Pair | None = None
    electricity_usd: Pair | None = None


@dataclass(frozen=True, slots=True)
class PrintedFigures:
    """The figures of a row as somebody printed them; ``None`` where nothing was printed.

    Args:
        hours: How long the training took, in hours.
        kwh_pue: Energy with PUE, in kWh.
        co2e_lbs: CO2e in pounds.
        cloud_usd: Cost in a cloud, low and high, in USD.
        electricity_usd: Cost of electricity, in USD.
    """

    hours: Printed | None = None
    kwh_pue: Printed | None = None
    co2e_lbs: Printed | None = None
    cloud_usd: tuple[Printed, Printed] | None = None
    electricity_usd: Printed | None = None

    def closes(self, computed: Figures | None) -> bool | None:
        """Whether every figure that was printed is the computed one, rounded to the printed digits.

        Hours are an input and are not judged.

        Args:
            computed: The computed figures.

        Returns:
            ``None`` where nothing was printed.
        """
        known = computed or Figures()
        lows = [None, None] if known.cloud_usd is None else list(known.cloud_usd)
        pairs = [
            (self.kwh_pue, known.kwh_pue),
            (self.co2e_lbs, known.co2e_lbs),
            (self.electricity_usd, known.electricity_usd),
            *zip(self.cloud_usd or (), lows, strict=False),
        ]
        verdicts = [printed.closes(figure) for printed, figure in pairs if printed is not None]
        return all(verdicts) if verdicts else None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Args:
        id: A name for machines, unique in its table.
        name: What was trained, for people.
        table: The number of the study's table that it belongs to; ``None`` for what the study has not.
        hardware: Accelerator and count, such as ``"P100 x8"``; ``None`` where that has no meaning.
        hours: How long the whole training takes; ``None`` where that has no meaning.
        power_watts: Mean power of all of it, without PUE; ``None`` where it is not known.
        computed: What follows; ``None`` where nothing does.
        printed: What was printed; ``None`` where nothing was.
        provenance: How the power came about, such as ``"counter"``; ``None`` for published power.
        range: The ranges of the computed figures; ``None`` where the inputs have none.
        notes: What has to be said of it, a sentence each.
    """

    id: str
    name: str
    table: int | None = None
    hardware: str | None = None
    hours: float | None = None
    power_watts: float | None = None
    computed: Figures | None = None
    printed: PrintedFigures | None = None
    provenance: str | None = None
    range: Range | None = None
    notes: tuple[str, ...] = ()

    @property
    def closes(self) -> bool | None:
        """Whether the computed figures are the printed ones; ``None`` where nothing was printed."""
        return None if self.printed is None else self.printed.closes(self.computed)

    def as_mapping(self) -> dict[str, Any]:
        """The row as plain values (JSON types only); provenance, range and notes only where there are any."""
        mapping: dict[str, Any] = {
            "table": self.table,
            "id": self.id,
            "name": self.name,
            "hardware": self.hardware,
            "hours": self.hours,
            "power_watts": self.power_watts,
            "computed": None if self.computed is None else _plain(asdict(self.computed)),
            "printed": None if self.printed is None else _printed(self.printed),
            "closes": self.closes,
        }
        if self.provenance is not None:
            mapping["provenance"] = self.provenance
        if self.range is not None:
            mapping["range"] = _plain(asdict(self.range))
        if self.notes:
            mapping["notes"] = list(self.notes)
        return mapping


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table of rows.

    Args:
        title: Its head.
        cell: What it says of a row.
        align: ``<`` or ``>``.
    """

    title: str
    cell: Callable[[Row], str]
    align: str = ">"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text.

    Args:
        title: What it shows.
        head: The titles of its columns.
        align: ``<`` or ``>`` for every column.
        rows: Its cells.
        notes: What has to be said under it, a sentence or more each.
    """

    title: str
    head: tuple[str, ...]
    align: str
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def number(value: float | None, decimals: int = 1) -> str:
    """A figure with separated thousands; below one with three digits, and below a thousandth with an exponent.

    Args:
        value: The figure; ``None`` shows as a dash.
        decimals: How many digits it has behind the point, from one up.
    """
    if value is None:
        return NOTHING
    if 0 < abs(value) < _LITTLE:
        return f"{value:.{_DIGITS - 1}e}"
    small = 0 < abs(value) < 1
    return f"{value:,.{max(decimals, _DIGITS - 1 - floor(log10(abs(value)))) if small else decimals}f}"


def pair(values: Pair | None, decimals: int = 1) -> str:
    """Two figures as a span; a dash where there are none."""
    return NOTHING if values is None else f"{number(values[0], decimals)} – {number(values[1], decimals)}"


def _beside(text: str, printed: str | None) -> str:
    return text if printed is None else f"{text} ({printed})"


def _printed_text(row: Row, name: str) -> str | None:
    value = getattr(row.printed, name, None)
    if isinstance(value, tuple):
        return " – ".join(one.text for one in value)
    return value.text if isinstance(value, Printed) else None


def _hours(row: Row) -> str:
    if row.hours is None:
        return NOTHING
    printed = None if row.printed is None else row.printed.hours
    differs = printed is not None and printed.value != row.hours
    return _beside(f"{row.hours:,.10g}", printed.text if differs and printed else None)


def _computed(name: str, *, decimals: int = 1, scale: float = 1.0) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        value = getattr(row.computed, name, None)
        if isinstance(value, tuple):
            return _beside(pair(value, decimals), _printed_text(row, name))
        scaled = None if value is None else value * scale
        return _beside(number(scaled, decimals), _printed_text(row, name) if scale == 1.0 else None)

    return cell


_TONNES_PER_KILOGRAM = 1e-3
_VERDICTS = {True: "yes", False: "no", None: NOTHING}

NAME = Column("Model", lambda row: row.name, "<")
HARDWARE = Column("Hardware", lambda row: row.hardware or NOTHING, "<")
POWER = Column("Power, W", lambda row: number(row.power_watts, 2))
HOURS = Column("Hours", _hours)
ENERGY = Column("kWh × PUE", _computed("kwh_pue"))
POUNDS = Column("CO2e, lb", _computed("co2e_lbs"))
KILOGRAMS = Column("CO2e, kg", _computed("co2e_kg"))
TONNES = Column("CO2e, t", _computed("co2e_kg", decimals=3, scale=_TONNES_PER_KILOGRAM))
CLOUD = Column("Cloud, USD", _computed("cloud_usd"))
ELECTRICITY = Column("Electricity, USD", _computed("electricity_usd"))
CLOSES = Column("Closes", lambda row: _VERDICTS[row.closes], "<")
PROVENANCE = Column("Power is", lambda row: row.provenance or NOTHING, "<")
RANGE = Column("CO2e, kg, range", lambda row: pair(None if row.range is None else row.range.co2e_kg))

MODELS = (NAME, HARDWARE, POWER, HOURS, ENERGY, POUNDS, KILOGRAMS, TONNES, CLOUD, ELECTRICITY, CLOSES)
"""What the study's Tables 3 and 4 have, in three units, beside what was printed."""
EMISSIONS = (Column("Consumption", NAME.cell, "<"), POUNDS, KILOGRAMS, TONNES, CLOSES)
"""What its Table 1 has."""


def sheet(title: str, rows: Sequence[Row], columns: Sequence[Column] = MODELS, notes: Sequence[str] = ()) -> Sheet:
    """Write rows as cells; printed figures stand in brackets beside the computed ones.

    Args:
        title: What the table shows.
        rows: Its rows.
        columns: Its columns.
        notes: What has to be said of all of it; what has to be said of a row follows, each sentence once.
    """
    said = dict.fromkeys([*notes, *(note for row in rows for note in row.notes)])
    return Sheet(
        title=title,
        head=tuple(column.title for column in columns),
        align="".join(column.align for column in columns),
        rows=tuple(tuple(column.cell(row) for column in columns) for row in rows),
        notes=tuple(said),
    )


def markdown(table: Sheet) -> str:
    """A table as GitHub's Markdown, its title above and its notes below; no end of line at the end."""
    rules = ["---" if side == "<" else "---:" for side in table.align]
    lines = [table.head, rules, *table.rows]
    body = ["| " + " | ".join(map(_in_markdown, cells)) + " |" for cells in lines]
    notes = [f"* {_in_markdown(note)}" for note in table.notes]
    blocks = [[f"**{_in_markdown(table.title)}**"], body, notes]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def latex(table: Sheet, label: str) -> str:
    r"""A table as LaTeX, for ``\usepackage{adjustbox,booktabs}``; no end of line at the end.

    It is scaled down where it is wider than the text.

    Args:
        table: The table.
        label: For ``\ref``; letters, digits, hyphens and colons.
    """
    columns = "".join("l" if side == "<" else "r" for side in table.align)
    is_wide = len(table.head) > _WIDE
    lines = [
        " & ".join(_in_latex(cell, side, is_wide) for cell, side in zip(cells, table.align, strict=True)) + r" \\"
        for cells in (table.head, *table.rows)
    ]
    notes = [rf"\par\smallskip\raggedright\footnotesize {escape_latex(note)}" for note in table.notes]
    return "\n".join(
        [
            r"% \usepackage{adjustbox,booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(table.title)}}}",
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


_WIDE = 6
"""With more columns than that, a printed page has no room for brackets beside figures."""

_LATEX = {
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


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it is, without line ends."""
    plain = " ".join(text.split()).replace("--", "-\N{ZERO WIDTH SPACE}-")  # an option's hyphens are no dash
    return "".join(_LATEX.get(letter, letter) for letter in plain).replace("CO2e", r"CO$_2$e")


def _in_latex(text: str, side: str, is_wide: bool) -> str:  # noqa: FBT001 - private
    """A cell; of a wide table, figures stand above their brackets."""
    figure, bracket, rest = text.partition(" (")
    if not (is_wide and bracket and side == ">"):
        return escape_latex(text)
    return rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{escape_latex(figure)}\\{escape_latex('(' + rest)}\end{{tabular}}"


def _in_markdown(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")


def _printed(figures: PrintedFigures) -> dict[str, Any]:
    """The numbers that were printed, by the names of the computed ones."""
    values = {field.name: getattr(figures, field.name) for field in fields(figures)}
    return {
        name: [one.number for one in value] if isinstance(value, tuple) else None if value is None else value.number
        for name, value in values.items()
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
