"""Making the pages of reports: content, charts and layout together, as HTML or Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon import __version__
from lightning_carbon.cli.report.gather import ends_of, lines_of, sweeps_of
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.filters import RunFilter
from lightning_carbon.metering.past import course_in
from lightning_carbon.records.run import Status
from lightning_carbon.report.charts import Chart, energy_chart, metric_chart, power_chart, quality_chart, totals_chart
from lightning_carbon.report.flame import flame_svg, flame_words
from lightning_carbon.report.markdown import summary_markdown
from lightning_carbon.report.pages.html import html_of
from lightning_carbon.report.pages.project_page import ProjectPage, RunLine, periods, project_page, quality
from lightning_carbon.report.pages.run_page import RunPage, run_page
from lightning_carbon.report.sheets import as_markdown, escape_markdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning_carbon.ledger.query import Ledger
    from lightning_carbon.records.run import RunRecord

EXTRA: Final = "pip install 'lightning-carbon[report]'"
_METRICS: Final = 2
"""The most metrics that are drawn."""


def run_html(ledger: Ledger, record: RunRecord, *, home: str = "", refresh_seconds: float = 0.0) -> str:
    """The page of a run as HTML.

    Args:
        ledger: The ledger that it is in.
        record: The run.
        home: Where the page of all runs is; empty for nowhere.
        refresh_seconds: How often a page of a run that goes on is fetched again; 0 for never.

    Raises:
        ConfigError: A library is missing.
    """
    page = run_page(record)
    with_needed()
    course = course_in(ledger.folder(record), is_closed=record.status not in {Status.RUNNING, Status.INTERRUPTED})
    drawn: list[Chart | None] = [power_chart(record, course), energy_chart(record, course)]
    names = sorted(course.metrics, key=lambda name: ("loss" not in name, "eval" in name))
    drawn += [metric_chart(course, name) for name in names[:_METRICS]]
    flame = flame_svg(record)
    drawn += [] if flame is None else [Chart("Energy in the model", flame_words(record), flame)]
    charts = [chart for chart in drawn if chart is not None]
    remarks = []
    if not course.profile.strands:
        remarks.append("There is no chart of the power over time: this run has left no course, and no journal with it.")
    elif course.profile.stretches[0].start_seconds > 0:
        remarks.append("The charts begin late: the beginning of this run is in its totals alone.")
    refresh = refresh_seconds if page.is_running else 0.0
    return html_of(page, charts, version=__version__, remarks=remarks, home=home, refresh_seconds=refresh)


def project_html(
    ledger: Ledger,
    project: str | None,
    *,
    link: Callable[[RunLine], str] = lambda _: "",
    refresh_seconds: float = 0.0,
) -> str:
    """The page of the runs of a project, or of all, as HTML.

    Args:
        ledger: The ledger.
        project: The project; ``None`` for all.
        link: Where the page of a run is.
        refresh_seconds: How often the page is fetched again while any run goes on; 0 for never.

    Raises:
        ConfigError: A library is missing, or there are no runs.
    """
    page, lines = _project(ledger, project, link)
    with_needed()
    name, points = quality(lines, ends_of(ledger, project))
    drawn = [totals_chart(*periods(lines)), quality_chart(name, points)]
    charts = [chart for chart in drawn if chart is not None]
    return html_of(page, charts, version=__version__, refresh_seconds=refresh_seconds)


def run_markdown(record: RunRecord) -> str:
    """The report of a run as Markdown: tables and words, no charts."""
    return f"{_markdown(run_page(record))}\n\n## Summary\n\n{summary_markdown(record)}\n"


def project_markdown(ledger: Ledger, project: str | None) -> str:
    """The report of the runs of a project, or of all, as Markdown.

    Raises:
        ConfigError: There are no runs.
    """
    return _markdown(_project(ledger, project, lambda _: "")[0]) + "\n"


def with_needed(argument: str = "output") -> None:
    """See that what draws and lays out pages is installed.

    Args:
        argument: The argument that asks for a page, for the error.

    Raises:
        ConfigError: It is not; the error names the extra.
    """
    try:
        import jinja2  # noqa: F401 - only whether it is there
        import matplotlib as mpl  # noqa: F401 - likewise
    except ImportError as error:
        instead = "; or give a name that ends in .md" if argument == "output" else ""
        raise ConfigError(argument, None, f"a page needs {error.name}: {EXTRA}{instead}.") from None


def _project(ledger: Ledger, project: str | None, link: Callable[[RunLine], str]) -> tuple[ProjectPage, list[RunLine]]:
    lines = lines_of(ledger, project)
    if not lines:
        raise ConfigError("project", project, "there are no runs in it; `lightning-carbon runs` lists all.")
    whole = ledger.sums(RunFilter(project=project)).whole
    likely = None if whole is None else whole.mass_interval
    sweeps = sweeps_of(ledger, project)
    return project_page(project or "all projects", lines, link, likely_grams=likely, sweeps=sweeps), lines


def _markdown(page: RunPage | ProjectPage) -> str:
    blocks = [f"# {escape_markdown(page.title)}"]
    facts = [f"* {name}: {escape_markdown(value)}" for name, value in getattr(page, "facts", ()) if value]
    figures = [
        f"* **{escape_markdown(line.name)}: {escape_markdown(line.value)}** ({escape_markdown(line.note)})"
        for line in page.headlines
    ]
    blocks += ["\n".join(facts), "\n".join(figures)]
    blocks += [as_markdown(table.sheet()) for table in page.tables]
    blocks += ["## Assumptions and sources", "\n".join(f"* {escape_markdown(source)}" for source in page.sources)]
    return "\n\n".join(filter(None, blocks))
