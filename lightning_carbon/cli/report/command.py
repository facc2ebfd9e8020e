"""``lightning-carbon report`` and its options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from lightning_carbon.cli.options import LedgerOption, ProjectOption
from lightning_carbon.cli.runs.options import RUN_HELP
from lightning_carbon.cli.say import notice
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.errors import ConfigError

REPORT_HELP: Final = (
    "Write a page about a run, or about the runs of a project.\n\n"
    "Such as: report -o report.html, or: report --project lisa -o lisa.html\n\n"
    "By default about the last run. The page is a single file that loads nothing. A name that ends in .pdf "
    "gives the same page for paper (pip install 'lightning-carbon[pdf]'), in .md Markdown, without charts."
)
_HTML: Final = frozenset({".html", ".htm"})
_MARKDOWN: Final = frozenset({".md", ".markdown"})
_PDF: Final = ".pdf"


def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN", help=f"{RUN_HELP} By default the last, or with --project all of it.", show_default=False
        ),
    ] = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to: a name that ends in .html, .pdf or .md.")
    ] = Path("report.html"),
) -> None:
    """Write a page about a run, or about the runs of a project."""
    with told({"run": run, "project": project, "ledger": ledger, "output": output}, words={"run"}):
        write_report(run, project, ledger, output=output)


def write_report(run: str | None, project: str | None, ledger: str | None, *, output: Path) -> None:
    """Write a page, all or nothing.

    Args:
        run: The run that the user names, if any; the name of a project will do, too.
        project: The project, if any.
        ledger: The folder of the ledger, if the user named it.
        output: Where to.

    Raises:
        ConfigError: There is no such run or project, or the file cannot be written.
    """
    from lightning_carbon.cli.report.making import project_html, project_markdown, run_html, run_markdown, with_needed
    from lightning_carbon.cli.runs.choosing import known_runs
    from lightning_carbon.report.pages.pdf import pdf_of, with_weasyprint

    ending = _ending_of(output)
    is_markdown = ending in _MARKDOWN
    if not is_markdown:
        with_needed()
    if ending == _PDF:
        with_weasyprint(str(output))
    runs = known_runs(ledger, project)
    meant = runs.project if run is None else runs.ledger.meant(run, runs.project)
    if run is None and meant is None:
        meant = runs.ledger.last()
    if isinstance(meant, str):
        text = project_markdown(runs.ledger, meant) if is_markdown else project_html(runs.ledger, meant)
    else:
        assert meant is not None  # noqa: S101 - the last run was looked for
        text = run_markdown(meant) if is_markdown else run_html(runs.ledger, meant)
    _write(output, pdf_of(text) if ending == _PDF else text.encode(errors="replace"))
    notice(f"wrote {output}")


def _ending_of(output: Path) -> str:
    """How the name of a file ends that can be written.

    Raises:
        ConfigError: Otherwise.
    """
    ending = output.suffix.lower()
    if ending not in _HTML | _MARKDOWN | {_PDF}:
        raise ConfigError("output", str(output), "give a name that ends in .html, .pdf or .md.")
    if not output.absolute().parent.is_dir():
        raise ConfigError("output", str(output), f"there is no folder {output.absolute().parent}; make it first.")
    return ending


def _write(output: Path, content: bytes) -> None:
    scratch = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        scratch.write_bytes(content)
        scratch.replace(output)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise ConfigError("output", str(output), f"it cannot be written: {error.strerror or error}.") from None
