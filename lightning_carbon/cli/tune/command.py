"""The options of ``lightning-carbon tune``."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from lightning_carbon.cli.forms import JsonOption, LatexOption, MarkdownOption, form_of
from lightning_carbon.cli.options import DevicesOption, LedgerOption, OwnProjectOption
from lightning_carbon.cli.usage_errors import told

TUNE_HELP: Final = (
    "Tell what power limits of the GPUs save, what they cost in time, and which to take.\n\n"
    "Such as: tune --limits 100,85,70 --allow-slower 5% -- python train.py --max-steps 200\n\n"
    "The program is run at every limit in turn, after a first run that does not count. Setting limits takes root; they "
    "are put back at the end, whatever happens, and where tune is killed by the next tune or doctor."
)


def tune(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="The program and its arguments, after --.", show_default=False),
    ] = None,
    limits: Annotated[
        str,
        typer.Option(metavar="LIMITS", help="The limits: per cent of the default limit, or watts such as 500W."),
    ] = "100,85,70",
    runs: Annotated[int, typer.Option("--runs", metavar="NUMBER", help="How often each is tried.")] = 5,
    allow_slower: Annotated[
        str, typer.Option(metavar="SHARE", help="How much slower the recommended limit may be.")
    ] = "5%",
    per: Annotated[
        str | None,
        typer.Option(
            metavar="UNIT",
            help="What decides: token, sample, step or run; by default the first known.",
            show_default=False,
        ),
    ] = None,
    devices: DevicesOption = None,
    project: OwnProjectOption = None,
    ledger: LedgerOption = None,
    *,
    shared: Annotated[bool, typer.Option("--shared", help="Go on although others use the GPUs.")] = False,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """Compare power limits."""
    from lightning_carbon.cli.tune.tuning import Wanted, tune_limits

    given = {"limits": limits, "runs": runs, "allow_slower": allow_slower, "per": per, "devices": devices}
    with told({**given, "project": project, "ledger": ledger, "json": json, "markdown": markdown, "latex": latex}):
        form = form_of(json=json, markdown=markdown, latex=latex)
        wanted = Wanted.of(command or [], limits=limits, runs=runs, allow_slower=allow_slower, per=per)
        tune_limits(wanted, devices=devices, ledger=ledger, project=project, is_shared=shared, form=form)
