"""``lightning-carbon dashboard`` and its options."""

from __future__ import annotations

import signal
from typing import Annotated, Final

import typer

from lightning_carbon.cli.options import LedgerOption, ProjectOption
from lightning_carbon.cli.say import notice, say
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.errors import ConfigError

DASHBOARD_HELP: Final = (
    "Serve the pages of all runs to a browser on this machine, live while trainings run.\n\n"
    "Such as: dashboard --project lisa\n\n"
    "It prints an address with a secret token, answers nothing without that, listens on loopback alone, changes "
    "nothing, and ends with Ctrl-C. From elsewhere, tunnel: ssh -L PORT:127.0.0.1:PORT HOST"
)
_SIGNALLED: Final = 128


def dashboard(
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="NUMBER", help="The port; 0 is any that is free.")] = 0,
) -> None:
    """Serve the pages of all runs."""
    from lightning_carbon.cli.dashboard.server import Dashboard
    from lightning_carbon.cli.report.making import with_needed
    from lightning_carbon.cli.runs.choosing import known_runs

    with told({"project": project, "ledger": ledger, "port": port}):
        with_needed("port")
        runs = known_runs(ledger, project)
        try:
            server = Dashboard(runs.ledger, runs.project, port)
        except OSError as error:
            fix = f"it cannot be listened on: {error.strerror or error}; give another, or none."
            raise ConfigError("port", port, fix) from None
        with server:
            say(server.address)
            notice("serving on this machine alone; Ctrl-C ends it")
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                raise typer.Exit(_SIGNALLED + signal.SIGINT) from None
