"""The options of ``lightning-carbon calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightning_carbon.cli.forms import JsonOption, MarkdownOption, form_of
from lightning_carbon.cli.options import LedgerOption, ProjectOption
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.errors import ConfigError

calibrating_app = typer.Typer()
"""A command that stands at the top, beside those of the app."""

_HELP = (
    "Hold metered runs against a wall meter, and model the rest of this machine by it from now on.\n\n"
    "By itself, where the machine's service processor is asked: calibrate --redfish, or --ipmi. It is metered "
    "idle and with its processors and GPUs busy, 100 s each.\n\n"
    "With a smart plug or PDU that writes a log: start the log, give calibrate --load, then the line that it prints. "
    "Or meter loads of your own while the log is written: run --run-name idle -- sleep 60; "
    "run --run-name load -- python train.py. Then, such as: calibrate idle load --wall plug.csv\n\n"
    "The log is a CSV whose first line names the columns: time, and watts or energy_wh. Or give the figure of a single "
    "run: calibrate load --wall-watts 412. Records stay as they are; the table shows what they would say by the wall."
)


@calibrating_app.command(help=_HELP)
def calibrate(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN...", help="Runs: ids, beginnings of ids, or names.", show_default=False),
    ] = None,
    wall: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The log of the wall meter, as CSV.", show_default=False)
    ] = None,
    wall_watts: Annotated[
        float | None, typer.Option(metavar="WATTS", help="The mean power at the plug over the run.", show_default=False)
    ] = None,
    wall_wh: Annotated[
        float | None, typer.Option(metavar="WH", help="The energy at the plug over the run, in Wh.", show_default=False)
    ] = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    seconds: Annotated[
        float, typer.Option(min=10.0, max=1800.0, metavar="SECONDS", help="How long each load is metered.")
    ] = 100.0,
    *,
    redfish: Annotated[
        bool, typer.Option("--redfish", help="Load it, and ask its service processor (LIGHTNING_CARBON_REDFISH).")
    ] = False,
    ipmi: Annotated[bool, typer.Option("--ipmi", help="Load it, and ask ipmitool.")] = False,
    load: Annotated[bool, typer.Option("--load", help="Load it, for a log that is read later.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep it for later runs of this machine.")] = True,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
) -> None:
    """Calibrate the model of the rest of this machine."""
    from lightning_carbon.cli.calibrate.command import Wall, calibrate_by_loads, calibrate_machine

    given = {"project": project, "ledger": ledger, "wall": wall, "wall_watts": wall_watts, "wall_wh": wall_wh}
    with told(given):
        form = form_of(json=json, markdown=markdown)
        readings = Wall(wall, wall_watts, wall_wh)
        if redfish or ipmi or load:
            if runs or any(figure is not None for figure in readings) or redfish + ipmi + load > 1:
                asked = "redfish" if redfish else "ipmi" if ipmi else "load"
                raise ConfigError(asked, True, "it meters runs of its own; leave out RUN, --wall… and its like.")
            calibrate_by_loads(
                seconds, redfish=redfish, ipmi=ipmi, ledger=ledger, project=project, keep=keep, form=form
            )
            return
        if not runs:
            fix = "name runs, or start the plug's log and give --load; with a service processor --redfish or --ipmi."
            raise ConfigError("runs", None, fix)
        calibrate_machine(runs, readings, ledger=ledger, project=project, keep=keep, form=form)
