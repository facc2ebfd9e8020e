"""``lightning-carbon watch``: the command; what it watches with is loaded when it runs."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from lightning_carbon.cli.options import LedgerOption, ProjectOption
from lightning_carbon.cli.runs.options import RUN_HELP
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.units import SECONDS_PER_HOUR

WATCH_HELP: Final = (
    "Watch a run under way: watts by device and phase, temperature and throttling, joules per token, waste, its "
    "forecast and its budget.\n\n"
    "Such as: watch, or: watch baseline --every 5\n\n"
    "By default the run that started last among those under way. Its journals alone are read, so the training takes no "
    "notice. Ends with the run; where stdout is no terminal, prints a line each time."
)


def watch(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help=RUN_HELP, show_default=False)] = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    every: Annotated[
        float, typer.Option(min=0.1, max=SECONDS_PER_HOUR, metavar="SECONDS", help="How often the journals are read.")
    ] = 1.0,
) -> None:
    """Watch a run under way."""
    from lightning_carbon.cli.watch.looking import watch_run

    with told({"run": run, "project": project, "ledger": ledger, "every": every}, words={"run"}):
        watch_run(run, ledger, project, every=every)
