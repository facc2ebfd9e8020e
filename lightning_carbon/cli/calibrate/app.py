"""The options of ``lightning-carbon calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightning_carbon.cli.forms import JsonOption, MarkdownOption, form_of
from lightning_carbon.cli.options import LedgerOption, ProjectOption
from lightning_carbon.cli.usage_errors import told

calibrating_app = typer.Typer()
"""A command that stands at the top, beside those of the app."""

_HELP = (
    "Hold metered runs against a wall meter, and model the rest of this machine by it from now on.\n\n"
    "Meter the machine idle and under load, while a smart plug or PDU writes its log: run --run-name idle -- sleep 60; "
    "run --run-name load -- python train.py. Then, such as: calibrate idle load --wall plug.csv\n\n"
    "The log is a CSV whose first line names the columns: time, and watts or energy_wh. Or give the figure of a single "
    "run: calibrate load --wall-watts 412. Records stay as they are; the table shows what they would say by the wall."
)


@calibrating_app.command(help=_HELP)
def calibrate(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="Runs: ids, beginnings of ids, or names.", show_default=False),
    ],
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
    *,
    keep: Annotated[bool, typer.Option(help="Keep it for later runs of this machine.")] = True,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
) -> None:
    """Calibrate the model of the rest of this machine."""
    from lightning_carbon.cli.calibrate.command import Wall, calibrate_machine

    given = {"project": project, "ledger": ledger, "wall": wall, "wall_watts": wall_watts, "wall_wh": wall_wh}
    with told(given):
        form = form_of(json=json, markdown=markdown)
        readings = Wall(wall, wall_watts, wall_wh)
        calibrate_machine(runs, readings, ledger=ledger, project=project, keep=keep, form=form)
