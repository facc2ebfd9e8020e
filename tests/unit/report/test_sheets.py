"""Tables in every form, and text that is never taken for markup."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lightning_carbon.report.sheets import (
    Column,
    Sheet,
    as_latex,
    as_markdown,
    as_text,
    escape_latex,
    escape_markdown,
    markdown_code,
    sheet_of,
)


class Model(NamedTuple):
    """What the tables here are about."""

    name: str
    kilograms: str


COLUMNS: Final = (
    Column[Model]("Model", lambda model: model.name, "<"),
    Column[Model]("CO2e, kg", lambda model: model.kilograms),
)
MODELS: Final = (Model("BERT", "–"), Model("my | own_model", "0.0279 – 0.0339"))
SHEET: Final = sheet_of("Mine & yours", MODELS, COLUMNS, notes=["100 % <sure>.", "100 % <sure>."])

TEXT: Final = """\
Mine & yours

Model                  CO2e, kg
BERT                          –
my | own_model  0.0279 – 0.0339
100 % <sure>."""

MARKDOWN: Final = r"""**Mine &amp; yours**

| Model | CO2e, kg |
| --- | ---: |
| BERT | – |
| my \| own\_model | 0.0279 – 0.0339 |

* 100 % &lt;sure&gt;."""

LATEX: Final = r"""% \usepackage{adjustbox,booktabs}
\begin{table}
\centering
\caption{Mine \& yours}
\label{tab:mine}
\begin{adjustbox}{max width=\textwidth}
\begin{tabular}{lr}
\toprule
Model & CO$_2$e, kg \\
\midrule
BERT & -- \\
my \textbar{} own\_model & 0.0279 -- 0.0339 \\
\bottomrule
\end{tabular}
\end{adjustbox}
\par\smallskip\raggedright\footnotesize 100 \% \textless{}sure\textgreater{}.
\end{table}"""


def rendered(markdown: str) -> str:
    """The page that GitHub would show, HTML passed through."""
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def test_every_form_word_for_word() -> None:
    """Title, head, rows and each note once, aligned and escaped as the form asks for."""
    assert (TEXT, MARKDOWN, LATEX) == (as_text(SHEET), as_markdown(SHEET), as_latex(SHEET, "tab:mine"))


def test_a_table_without_title_notes_or_rows_is_still_one() -> None:
    """Nothing but a head."""
    bare = Sheet("", ("a", "b"), "<>", ())

    assert ("a  b", "| a | b |\n| --- | ---: |") == (as_text(bare), as_markdown(bare))


@pytest.mark.parametrize("cell", ["GPU <b>x</b>", "a|b", "`rm -rf`", "two\nlines", "\\|", "*a* _b_ [c](d)", "&lt;"])
def test_markdown_shows_a_name_as_it_is(cell: str) -> None:
    """Tags, bars, backticks, line ends, emphasis and links in a name are text."""
    page = rendered(as_markdown(Sheet("", ("Name", "Figure"), "<>", ((cell, "1"),))))
    [shown, figure] = re.findall(r"<td[^>]*>(.*)</td>", page)
    text = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    assert (" ".join(cell.split()), "1") == (text, figure)


@given(st.text())
def test_a_cell_is_one_cell_of_markdown(text: str) -> None:
    """Whatever a name holds, the row has the columns of its head, and no tag of its own."""
    page = rendered(as_markdown(Sheet("T", ("a", "b"), "<<", ((text, text),), (text,))))

    assert (2, 2) == (page.count("<td>"), page.count("</td>"))
    assert {"p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"} >= set(
        re.findall(r"</?([a-z]+)", page)
    )


@given(st.text("`a \\"))
def test_code_is_shown_letter_by_letter(text: str) -> None:
    """Backticks in a command do not end it."""
    page = rendered(f"see {markdown_code(text)} there")
    expected = " ".join(text.split())

    assert f"<p>see <code>{expected}</code> there</p>\n" == page or not expected


@pytest.mark.parametrize("write", [as_text, as_markdown, lambda sheet: as_latex(sheet, "tab:t")])
def test_control_characters_reach_no_output(write: object) -> None:
    """A name cannot steer the terminal that it is printed on."""
    assert callable(write)
    text = write(Sheet("\x1b[2J", ("\a",), "<", (("\x1b]0;x\x07",),), ("\u202enote",)))

    assert text.replace("\n", "").isprintable()


@given(st.text())
def test_latex_never_meets_a_letter_of_its_own(text: str) -> None:
    """Whatever a name holds, only our own commands are left of what LaTeX interprets."""
    left = re.sub(r"-\{\}|\\(?:text\w+|ldots)\{\}|\\[{}$&#_%]|\$(?:\\\w+|_2)\$", "", escape_latex(text))

    assert not set(left) & set("\\{}$&#_%~^\n")


def test_latex_puts_brackets_of_a_wide_table_below_their_figures() -> None:
    """A page is narrow; text keeps its brackets where they are."""
    text = as_latex(Sheet("T", tuple("abcdefg"), "<>>>>>>", (("BERT (base)", "1,506.8 (1507)", *"34567"),)), "tab:t")

    assert r"BERT (base) & \begin{tabular}[t]{@{}r@{}}1,506.8\\(1507)\end{tabular} & 3" in text


def test_latex_leaves_the_hyphens_of_an_option_apart() -> None:
    """They would become a dash."""
    assert r"give -{}-model RUN" == escape_latex("give --model RUN")


def test_plain_text_passes_markdown_unchanged() -> None:
    """Figures, signs and punctuation need no escape."""
    assert "12,041.5 – 3 × 2 (79); ±5 %." == escape_markdown("12,041.5 – 3 × 2 (79); ±5 %.")
