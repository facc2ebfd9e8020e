"""``study published``: the forms, and tables in which no figure is cut."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from lightning_carbon.study.published.tables import published_rows, published_sheets


def said(*words: str, columns: int = 100) -> str:
    """What the command prints, having succeeded."""
    result = CliRunner(env={"COLUMNS": str(columns)}).invoke(app, ["study", *words])

    assert (0, "") == (result.exit_code, result.stderr)
    return result.stdout


@pytest.mark.parametrize("columns", [40, 80, 100, 132, 200])
def test_no_figure_is_ever_cut(columns: int) -> None:
    """However narrow the terminal, every figure is there, and a narrow one has no line that is too long."""
    text = said("published", columns=columns)

    for sheet in published_sheets(published_rows()):
        for cell in (cell for cells in sheet.rows for cell in cells[1:]):
            for figure in re.findall(r"[\d,.]+\d", cell):
                assert figure in text
    assert "…" not in text
    if columns >= 80:
        assert columns >= max(map(len, text.splitlines()))


def test_json_is_a_list_of_rows() -> None:
    """Nineteen rows and six mixes with these keys, in the order of the tables."""
    every = json.loads(said("published", "--json"))

    assert [1] * 8 + [2] * 6 + [3] * 8 + [4] * 3 == [row["table"] for row in every]
    assert [["table", "id", "name", "percent", "grams_co2e_per_kilowatt_hour"]] * 6 == [
        list(row) for row in every if row["table"] == 2
    ]
    rows = [row for row in every if row["table"] != 2]
    keys = ["table", "id", "name", "hardware", "hours", "power_watts", "computed", "printed", "closes"]
    assert [keys] * 19 == [list(row) for row in rows]
    assert {"kwh_pue", "co2e_lbs", "co2e_kg", "cloud_usd", "electricity_usd"} == set(rows[8]["computed"])
    assert all(row["closes"] is True for row in rows)


def test_markdown_and_latex_have_all_four_tables() -> None:
    """One after the other, each with a label of its own."""
    assert ["Table 1", "Table 2", "Table 3", "Table 4"] == re.findall(
        r"^\*\*.*(Table \d)\)\*\*$", said("published", "--markdown"), re.MULTILINE
    )
    assert ["1", "2", "3", "4"] == re.findall(r"\\label\{tab:strubell2019-(\d)\}", said("published", "--latex"))


def test_two_forms_at_once_are_refused() -> None:
    """One line on stderr, nothing on stdout."""
    result = CliRunner().invoke(app, ["study", "published", "--json", "--latex"])

    assert (2, "") == (result.exit_code, result.stdout)
    assert "--latex is given too" in result.stderr
    assert 1 == result.stderr.count("\n")


def test_claims_are_printed_with_their_verdicts() -> None:
    """As a table, Markdown and JSON, the same thirty-one."""
    found = json.loads(said("claims", "--json"))

    assert 31 == len(found)
    assert {"holds", "holds roughly", "wrong"} == {claim["verdict"] for claim in found}
    table, text = said("claims", columns=500), said("claims", "--markdown")
    assert all(claim["claim"] in table and claim["arithmetic"] in text for claim in found)
    assert "off by 2 % at most" in table


def test_the_page_s_table_is_what_the_command_prints() -> None:
    """Word for word, with its notes."""
    page = (Path(__file__).parents[4] / "docs" / "study.md").read_text(encoding="utf-8")
    [table] = re.findall(r"<!-- table 3: .*? -->\n\n(.*?)\n\n<!-- end of table 3 -->", page, re.DOTALL)

    assert table in said("published", "--markdown")
