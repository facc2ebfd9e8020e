"""The commands ``statement``, ``card`` and ``verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lightning_carbon.cli.forms import JsonOption, LatexOption, MarkdownOption, form_of
from lightning_carbon.cli.options import LedgerOption, ProjectOption
from lightning_carbon.cli.usage_errors import told

statements_app = typer.Typer()
"""Commands that stand at the top, beside those of the app."""

_FORMS = "paper, eu-ai-act, sci, ghg or afnor."
_STATEMENT_HELP = (
    "State the energy and carbon of a run or a project in the form that somebody asks for.\n\n"
    "Such as: statement paper --project lisa --latex\n\n"
    "paper: two sentences and a table; eu-ai-act: energy and compute of the Model Documentation Form; sci: Software "
    "Carbon Intensity, ISO/IEC 21031; ghg: Scope 2 by place and by contract, and Scope 3 category 3, GHG Protocol; "
    "afnor: what AFNOR Spec 2314 for frugal AI counts, as far as it is known. "
    "--trace adds the arithmetic behind every figure."
)

_VERIFY_HELP = (
    "Work out every figure of a record again from its journals and their factors, and say which differ.\n\n"
    "Such as: verify baseline\n\n"
    "Ends with 0 where all agree, with 1 where a figure differs or a line of a journal has been altered."
)

_CARD_HELP = (
    "Write energy and carbon into a model card: the Hub's co2_eq_emissions and a section for people.\n\n"
    "Such as: card README.md --project lisa --training-type fine-tuning"
)

RunArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[RUN]",
        help="Its id, the beginning of its id, or its name; or the name of a project. By default the last run.",
        show_default=False,
    ),
]


@statements_app.command(help=_STATEMENT_HELP)
def statement(
    form: Annotated[str, typer.Argument(metavar="FORM", help=_FORMS, show_default=False)],
    run: RunArgument = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    flop: Annotated[
        float | None,
        typer.Option(metavar="NUMBER", help="The floating-point operations of the training.", show_default=False),
    ] = None,
    params: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER", help="The parameters of the model, where the runs count their tokens.", show_default=False
        ),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(metavar="UNIT", help="With sci: 1000-tokens, step, sample, run or flop.", show_default=False),
    ] = None,
    life_years: Annotated[
        float | None,
        typer.Option(
            metavar="YEARS", help="With sci, afnor: the life of an accelerator; 4 (3 to 6).", show_default=False
        ),
    ] = None,
    *,
    trace: Annotated[bool, typer.Option("--trace", help="Also print the arithmetic.")] = False,
    json: JsonOption = False,
    markdown: MarkdownOption = False,
    latex: LatexOption = False,
) -> None:
    """State the energy and carbon of a run or a project."""
    from lightning_carbon.cli.statements import work

    numbers = {"flop": flop, "params": params, "unit": unit, "life_years": life_years}
    with told({**numbers, "project": project, "ledger": ledger, "json": json, "markdown": markdown, "latex": latex}):
        output = form_of(json=json, markdown=markdown, latex=latex)
        asked = work.StatementRequest(form, flop=flop, params=params, unit=unit, life_years=life_years)
        work.state(asked, run, ledger=ledger, project=project, trace=trace, output=output)


@statements_app.command(help=_CARD_HELP)
def card(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The card, such as README.md.", show_default=False)],
    run: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Its id, the beginning of its id, or its name; by default the last.", show_default=False
        ),
    ] = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    training_type: Annotated[
        str | None, typer.Option(metavar="TYPE", help="pre-training or fine-tuning.", show_default=False)
    ] = None,
) -> None:
    """Write energy and carbon into a model card."""
    from lightning_carbon.cli.statements.work import write_card

    with told({"run": run, "project": project, "ledger": ledger, "training_type": training_type}, words={"run"}):
        write_card(path, run, ledger=ledger, project=project, training_type=training_type)


@statements_app.command(help=_VERIFY_HELP)
def verify(
    run: RunArgument = None,
    project: ProjectOption = None,
    ledger: LedgerOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Work out a record again from its journals."""
    from lightning_carbon.cli.statements.checking import check_record

    with told({"project": project, "ledger": ledger}):
        code = check_record(run, ledger=ledger, project=project, output=form_of(json=json))
    raise typer.Exit(code)
