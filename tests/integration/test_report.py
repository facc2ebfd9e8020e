"""Reports, made by the command line and looked at in a real browser."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from typer.testing import CliRunner

from lightning_carbon.cli.app import app
from tests.browser import Browser, axe_source, browser_window
from tests.report_ledger import make_ledger
from tests.tensorboard_pages import missing_tools
from tests.unit.report.test_pages import ATTACK, attacked, course, page_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_carbon.records.run import RunRecord

needs_browser = pytest.mark.skipif(bool(missing_tools()), reason=f"needs {missing_tools()}, a browser to look with")


class Reports(NamedTuple):
    """A ledger and its reports.

    Args:
        ledger: The ledger.
        record: Its last run.
        run: The page of that run.
        project: The page of its project.
    """

    ledger: Path
    record: RunRecord
    run: Path
    project: Path


def command(*words: str) -> tuple[int, str]:
    """Run a command: its exit code, and what it said on stderr."""
    done = CliRunner().invoke(app, words)
    return done.exit_code, done.stderr


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    """Make a ledger, and the pages."""
    folder = tmp_path_factory.mktemp("reports")
    ledger, run, project = folder / "ledger", folder / "run.html", folder / "project.html"
    record = make_ledger(ledger, 4)
    assert (0, f"lightning-carbon: wrote {run}\n") == command("report", "--ledger", str(ledger), "-o", str(run))
    assert 0 == command("report", "--project", "lisa", "--ledger", str(ledger), "-o", str(project))[0]
    return Reports(ledger, record, run, project)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser."""
    with browser_window() as opened:
        yield opened


def test_by_default_the_last_run_is_reported(reports: Reports) -> None:
    """With the chart of its course, and the loss against its energy."""
    page = reports.run.read_text(encoding="utf-8")

    assert reports.record.run_id in page
    assert ["Power over time", "Energy and CO2e so far", "train/loss against energy", "eval/loss against energy"] == (
        re.findall(r"<figcaption><h2>(.*?)</h2>", page)
    )


def test_the_report_of_a_run_that_was_killed_shows_what_its_journal_has(reports: Reports, tmp_path: Path) -> None:
    """Without its course the chart is made of the beats, as it is while a run goes on."""
    (reports.ledger / "lisa" / reports.record.run_id / "course.json").rename(tmp_path / "course.json")
    try:
        code, _ = command("report", "--ledger", str(reports.ledger), "-o", str(tmp_path / "report.html"))
    finally:
        (tmp_path / "course.json").rename(reports.ledger / "lisa" / reports.record.run_id / "course.json")

    page = (tmp_path / "report.html").read_text(encoding="utf-8")

    assert 0 == code
    assert ["Power over time", "Energy and CO2e so far"] == re.findall(r"<figcaption><h2>(.*?)</h2>", page)


def test_a_record_draws_itself(reports: Reports) -> None:
    """For a notebook, by what lies beside it in the ledger."""
    [power, *_] = reports.record.plot().axes

    assert "baseline" in power.get_title(loc="left")


def test_without_a_library_its_extra_is_named(reports: Reports) -> None:
    """By the record and by the command alike, each in a single line."""
    program = """
import sys
sys.modules["weasyprint"] = None
from pathlib import Path
from typer.testing import CliRunner
from lightning_carbon.cli.app import app
from lightning_carbon.errors import UsageError
from lightning_carbon.errors import UsageError
from lightning_carbon.ledger.query import read_record
print(CliRunner().invoke(app, ["report", "--ledger", sys.argv[1], "-o", "x.pdf"]).stderr)
sys.modules["matplotlib"] = None
try:
    read_record(Path(sys.argv[2]) / "record.json").plot()
except UsageError as error:
    print(error)
print(CliRunner().invoke(app, ["report", "--ledger", sys.argv[1], "-o", "x.html"]).stderr)
"""
    words = [sys.executable, "-c", program, str(reports.ledger), str(reports.ledger / "lisa" / reports.record.run_id)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)

    assert 2 == done.stdout.count("pip install 'lightning-carbon[report]'")
    assert "--output x.pdf cannot be used: a PDF needs weasyprint: pip install 'lightning-carbon[pdf]'" in done.stdout


def test_markdown_has_the_same_tables(reports: Reports, tmp_path: Path) -> None:
    """A name that ends in .md is enough, for a run and for a project."""
    for words in ([], ["lisa"]):
        assert 0 == command("report", *words, "--ledger", str(reports.ledger), "-o", str(tmp_path / "report.md"))[0]

        assert "| trial" in (page := (tmp_path / "report.md").read_text(encoding="utf-8")) or "| train" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "report.txt"], "give a name that ends in .html, .pdf or .md"),
        (["-o", "nowhere/report.html"], "there is no folder"),
        (["nobody"], "no run in"),
        (["--project", "lysa"], "lisa"),
    ],
)
def test_a_report_that_cannot_be_written_says_what_helps(
    reports: Reports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    """In a single line, and with nothing half-written."""
    monkeypatch.chdir(tmp_path)
    code, told = command("report", *words, "--ledger", str(reports.ledger))

    assert (2, 1) == (code, told.count("\n"))
    assert said in told
    assert [] == [*tmp_path.iterdir()]


@needs_browser
@pytest.mark.parametrize("width", [360, 1440])
def test_pages_fit_and_load_nothing(reports: Reports, browser: Browser, width: int) -> None:
    """Charts are drawn, nothing is wider than the window, and no request leaves the page."""
    for page, charts in ((reports.run, 4), (reports.project, 2)):
        browser.open(page, width=width)

        assert width == browser.ask("document.documentElement.scrollWidth")
        heights = browser.ask("[...document.querySelectorAll('.chart svg')].map((svg) => svg.clientHeight)")
        assert [True] * charts == [height > 100 for height in heights]
        assert [] == browser.ask("performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert [] == browser.driver.get_log("browser")


@needs_browser
def test_a_click_on_a_title_sorts_a_table(reports: Reports, browser: Browser) -> None:
    """By figures, not by the letters that show them."""
    browser.open(reports.project)
    browser.ask(
        "[...document.querySelectorAll('th button')].filter((each) => each.textContent == 'time').at(-1).click()"
    )
    keys = (
        "[...document.querySelectorAll('table').item(2).tBodies[0].rows].map((row) => Number(row.cells[3].dataset.key))"
    )
    sorted_keys = browser.ask(keys)

    assert sorted(sorted_keys, reverse=True) == sorted_keys
    assert 4 == len(sorted_keys)


@needs_browser
def test_an_attack_in_a_name_does_nothing(browser: Browser, tmp_path: Path) -> None:
    """It is shown as the text that it is."""
    (tmp_path / "attack.html").write_text(page_of(attacked(), course(ATTACK, ATTACK)), encoding="utf-8")
    browser.open(tmp_path / "attack.html")

    assert browser.ask("window.attacked") is None
    assert "window.attacked=1" in browser.ask("document.querySelector('h1').textContent")
    browser.open(tmp_path / "attack.html", width=360)

    assert 360 == browser.ask("document.documentElement.scrollWidth")


@needs_browser
def test_pages_pass_axe(reports: Reports, browser: Browser, tmp_path: Path) -> None:
    """Contrast, names and structure hold the rules of WCAG 2.1 AA, in the light and in the dark."""
    try:
        axe = axe_source(tmp_path)
    except LookupError as error:
        pytest.skip(str(error))
    for page in (reports.run, reports.project):
        for scheme in ("light", "dark"):
            browser.open(page, scheme=scheme)

            assert [] == browser.violations(axe), (page.name, scheme)
