"""Rows as cells, Markdown, LaTeX and plain values."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lightning_carbon.study.printed import Printed
from lightning_carbon.study.rows import (
    MODELS,
    NAME,
    NOTHING,
    PROVENANCE,
    RANGE,
    Figures,
    PrintedFigures,
    Range,
    Row,
    Sheet,
    escape_latex,
    latex,
    markdown,
    number,
    sheet,
)

PRINTED = Row(
    id="bert",
    name="BERT",
    table=3,
    hardware="V100 x64",
    hours=79.2,
    power_watts=12_041.51,
    computed=Figures(1_506.83, 1_437.51, 652.04, (3_750.91, 12_570.62), 180.82),
    printed=PrintedFigures(
        hours=Printed("79"),
        kwh_pue=Printed("1507"),
        co2e_lbs=Printed("1438"),
        cloud_usd=(Printed("3751"), Printed("12571")),
    ),
    notes=("One is 100 % sure.",),
)
MEASURED = Row(
    id="mine",
    name="my | own_model",
    hours=2,
    power_watts=350.0,
    computed=Figures(kwh_pue=0.84, co2e_lbs=0.0653, co2e_kg=0.0296),
    provenance="counter",
    range=Range(co2e_kg=(0.0279, 0.0339)),
    notes=("One is 100 % sure.",),
)


def test_a_row_shows_what_was_printed_beside_what_is_computed() -> None:
    """In brackets, hours only where they differ."""
    [cells] = sheet("", [PRINTED]).rows

    assert (
        "BERT",
        "V100 x64",
        "12,041.51",
        "79.2 (79)",
        "1,506.8 (1507)",
        "1,437.5 (1438)",
        "652.0",
        "0.652",
        "3,750.9 – 12,570.6 (3751 – 12571)",
        "180.8",
        "yes",
    ) == cells


def test_a_measured_row_stands_in_the_same_table() -> None:
    """With its provenance and range, and dashes for what was printed of no one."""
    table = sheet("", [PRINTED, MEASURED], [*MODELS, PROVENANCE, RANGE])

    assert (NOTHING, "350.00", "2") == table.rows[1][1:4]
    assert (NOTHING, NOTHING, NOTHING, "counter", "0.0279 – 0.0339") == table.rows[1][-5:]
    assert ("One is 100 % sure.",) == table.notes


def test_a_row_that_knows_nothing_is_all_dashes() -> None:
    """Absent is absent, never 0."""
    [cells] = sheet("", [Row("x", "X")]).rows

    assert {NOTHING} == set(cells[1:])
    assert (None, None, None) == (
        Row("x", "X").closes,
        Row("x", "X").as_mapping()["computed"],
        Row("x", "X").as_mapping()["printed"],
    )


def test_what_was_printed_and_cannot_be_computed_does_not_close() -> None:
    """A verdict needs a figure; where nothing was printed there is none."""
    printed = PrintedFigures(kwh_pue=Printed("5"))

    assert printed.closes(None) is False
    assert printed.closes(Figures(kwh_pue=5.2)) is True
    assert PrintedFigures(cloud_usd=(Printed("5"), Printed("6"))).closes(Figures(kwh_pue=5.2)) is False
    assert PrintedFigures(hours=Printed("5")).closes(Figures(kwh_pue=5.2)) is None


def test_plain_values_have_provenance_range_and_notes_only_where_there_are_any() -> None:
    """A published row is its figures; a measured one says how it came about."""
    measured, bare = MEASURED.as_mapping(), Row("x", "X").as_mapping()

    assert ("counter", [0.0279, 0.0339], None) == (
        measured["provenance"],
        measured["range"]["co2e_kg"],
        measured["range"]["kwh_pue"],
    )
    assert {"provenance", "range", "notes"} == set(measured) - set(bare)


def test_markdown_is_a_table_that_renders() -> None:
    """A bar in a name is no column."""
    text = markdown(sheet("Mine", [PRINTED, MEASURED]))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    rows = [token.type for token in tokens].count("tr_open")
    cells = [token.type for token in tokens].count("td_open")

    assert (3, 2 * len(MODELS)) == (rows, cells)
    assert text.startswith("**Mine**\n\n| Model |")
    assert text.endswith("\n\n* One is 100 % sure.")


LATEX = r"""% \usepackage{adjustbox,booktabs}
\begin{table}
\centering
\caption{Mine \& yours}
\label{tab:mine}
\begin{adjustbox}{max width=\textwidth}
\begin{tabular}{lr}
\toprule
Model & CO$_2$e, kg, range \\
\midrule
BERT & -- \\
my \textbar{} own\_model & 0.0279 -- 0.0339 \\
\bottomrule
\end{tabular}
\end{adjustbox}
\par\smallskip\raggedright\footnotesize One is 100 \% sure.
\end{table}"""


def test_latex_is_a_booktabs_table() -> None:
    """Word for word, with everything escaped that LaTeX would take for its own."""
    assert LATEX == latex(sheet("Mine & yours", [PRINTED, MEASURED], [NAME, RANGE]), "tab:mine")


@given(st.text())
def test_latex_never_meets_a_letter_of_its_own(text: str) -> None:
    """Whatever a name holds, only our own commands are left of what LaTeX interprets."""
    left = re.sub(r"-\{\}|\\(?:text\w+|ldots)\{\}|\\[{}$&#_%]|\$(?:\\\w+|_2)\$", "", escape_latex(text))

    assert not set(left) & set("\\{}$&#_%~^\n")


def test_a_table_without_notes_or_rows_is_still_one() -> None:
    """Nothing but a head."""
    text = markdown(Sheet("T", ("a", "b"), "<>", ()))

    assert "**T**\n\n| a | b |\n| --- | ---: |" == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (None, 1, NOTHING),
        (0.0, 1, "0.0"),
        (1234.56, 1, "1,234.6"),
        (1.0, 2, "1.00"),
        (0.0653, 1, "0.0653"),
        (0.5, 3, "0.500"),
        (7.1e-8, 1, "7.10e-08"),
    ],
)
def test_what_is_small_is_never_shown_as_nothing(value: float | None, decimals: int, text: str) -> None:
    """Three digits below one, an exponent below a thousandth."""
    assert text == number(value, decimals)


def test_latex_puts_brackets_of_a_wide_table_below_their_figures() -> None:
    """A page is narrow; text keeps its brackets where they are."""
    text = latex(sheet("T", [replace(PRINTED, name="BERT (base)")]), "tab:t")

    assert r"BERT (base) & V100 x64" in text
    assert r"& \begin{tabular}[t]{@{}r@{}}1,506.8\\(1507)\end{tabular} &" in text


def test_latex_leaves_the_hyphens_of_an_option_apart() -> None:
    """They would become a dash."""
    assert r"give -{}-model RUN" == escape_latex("give --model RUN")
