"""The options of ``lightning-carbon calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from lightning_carbon.cli.forms import JsonOption, MarkdownOption, form_of
from lightning_carbon.cli.options import LedgerOption, ProjectOption
from lightning_carbon.cli.usage_errors import told
from lightning_carbon.errors import ConfigError

_COMMAND: Final = "lightning_carbon.command"
"""Where a context keeps the words after ``--``."""


class BeforeAndAfter(TyperCommand):
    """A command whose arguments end at ``--``; what follows is a command of the user."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's context, or typer's own
        """Keep the words after ``--`` in the context."""
        place = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = args[place + 1 :]
        return super().parse_args(ctx, args[:place])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 - click's context, or typer's own
        """Name the command at the end of the line of usage."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


calibrating_app = typer.Typer()
"""A command that stands at the top, beside those of the app."""

_HELP = (
    "Hold metered runs against a wall meter, and model the rest of this machine by it from now on.\n\n"
    "By itself, where the machine's service processor is asked: calibrate --redfish, or --ipmi. It is metered "
    "idle and with its processors and GPUs busy, 100 s each.\n\n"
    "With a smart plug or PDU that writes a log: start the log, then meter a command while it is written, such as: "
    "calibrate --wall plug.csv -- python train.py. Or give calibrate --load, then the line that it prints. Runs that "
    "were metered before are named, or found by the log where none is: calibrate idle load --wall plug.csv. An idle "
    "and a loaded run together tell constant and share.\n\n"
    "The log is a CSV whose first line names the columns: time, and watts or energy_wh. Or give the figure of a single "
    "run or command: calibrate load --wall-watts 412. Records stay as they are; the table shows what they would say by "
    "the wall."
)


@calibrating_app.command(help=_HELP, cls=BeforeAndAfter)
def calibrate(
    context: typer.Context,
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
    from lightning_carbon.cli.calibrate.command import (
        Wall,
        calibrate_by_loads,
        calibrate_by_program,
        calibrate_machine,
    )

    words: list[str] = context.meta[_COMMAND]
    given = {"project": project, "ledger": ledger, "wall": wall, "wall_watts": wall_watts, "wall_wh": wall_wh}
    with told(given | {"command": words[0] if words else None}, words={"command"}):
        form = form_of(json=json, markdown=markdown)
        readings = Wall(wall, wall_watts, wall_wh)
        if redfish or ipmi or load:
            if runs or words or any(figure is not None for figure in readings) or redfish + ipmi + load > 1:
                asked = "redfish" if redfish else "ipmi" if ipmi else "load"
                raise ConfigError(
                    asked, True, "it meters runs of its own; leave out RUN, COMMAND, --wall… and its like."
                )
            calibrate_by_loads(
                seconds, redfish=redfish, ipmi=ipmi, ledger=ledger, project=project, keep=keep, form=form
            )
            return
        if words:
            if runs:
                raise ConfigError("runs", " ".join(runs), "the command is metered as a run of its own; leave out RUN.")
            calibrate_by_program(words, readings, ledger=ledger, project=project, keep=keep, form=form)
            return
        if not runs and wall is None:
            fix = "name runs, or give a log (--wall), a command (--), --load, --redfish or --ipmi."
            raise ConfigError("runs", None, fix)
        calibrate_machine(runs or [], readings, ledger=ledger, project=project, keep=keep, form=form)
