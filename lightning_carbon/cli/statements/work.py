"""``lightning-carbon statement`` and ``card``: what a training owes its readers, from the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.cli.forms import Form
from lightning_carbon.cli.output import show as show_tables
from lightning_carbon.cli.runs.choosing import find_run_or_project, known_runs
from lightning_carbon.cli.say import notice, say
from lightning_carbon.errors import ConfigError
from lightning_carbon.report.statements import afnor, card, eu_ai_act, ghg, paper, sci
from lightning_carbon.report.statements.consumption import consumption_of
from lightning_carbon.report.statements.embodied import share_of
from lightning_carbon.report.statements.work import arithmetic_of
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.report.statements.consumption import Consumption
    from lightning_carbon.report.statements.statement import Statement

FORMS: Final = (paper.FORM, eu_ai_act.FORM, sci.FORM, ghg.FORM, afnor.FORM)


@dataclass(frozen=True, slots=True)
class StatementRequest:
    """A statement as a user asks for it.

    Args:
        form: The form.
        flop: The floating-point operations of the training.
        params: The parameters of the model.
        unit: The functional unit.
        life_years: The life of an accelerator.
    """

    form: str
    flop: float | None = None
    params: float | None = None
    unit: str | None = None
    life_years: float | None = None


def state(
    asked: StatementRequest, run: str | None, *, ledger: str | None, project: str | None, trace: bool, output: Form
) -> None:
    """Print a statement.

    Args:
        asked: The statement.
        run: The run, or the name of a project; the last run where nothing is given.
        ledger: The folder of all runs.
        project: The project whose runs all count.
        trace: Whether to print the arithmetic.
        output: The form of the output.

    Raises:
        ConfigError: There is no such form, run or project, or an argument cannot be used.
    """
    if asked.form not in FORMS:
        raise ConfigError("form", asked.form, f"give one of {', '.join(FORMS)}.")
    if asked.life_years is not None and not 0 < asked.life_years < float("inf"):
        raise ConfigError("life_years", asked.life_years, "give years above 0.")
    statement = _statement(asked, used(run, ledger, project))
    if statement.text and output is not Form.JSON:
        say(statement.text + "\n")
    show_tables(output, statement.sheets(trace=trace), statement.as_mapping(), label=asked.form)


def write_card(
    path: Path, run: str | None, *, ledger: str | None, project: str | None, training_type: str | None
) -> None:
    """Write energy and carbon into a model card.

    Args:
        path: The card.
        run: The run, or the name of a project; the last run where nothing is given.
        ledger: The folder of all runs.
        project: The project whose runs all count.
        training_type: ``pre-training`` or ``fine-tuning``.

    Raises:
        ConfigError: There is no such run or project, or the card cannot be read or written.
    """
    card.check_training_type(training_type)
    usage = used(run, ledger, project)
    card.write_card(path, usage, training_type)
    notice(f"{path}: {usage.grams_co2e.value:.4g} gCO2e of {usage.name}")


def used(run: str | None, ledger: str | None, project: str | None) -> Consumption:
    """The usage of the run or of the project that a user names.

    Raises:
        ConfigError: There is no such run or project, or both are named.
    """
    if project is not None and run is not None:
        raise ConfigError("project", project, f"the run {run!r} is named too; leave one out.")
    found = project if project is not None else find_run_or_project(run, ledger, None)
    if isinstance(found, str):
        return consumption_of(found, [*known_runs(ledger, found).ledger.runs(found)])
    return consumption_of(found.run_name or found.run_id, [found])


def _statement(asked: StatementRequest, usage: Consumption) -> Statement:
    arithmetic = arithmetic_of(asked.flop, asked.params, usage.tokens)
    match asked.form:
        case eu_ai_act.FORM:
            return eu_ai_act.eu_ai_act(usage, arithmetic)
        case afnor.FORM:
            return afnor.afnor(usage, share_of(usage, asked.life_years))
        case ghg.FORM:
            return ghg.ghg(usage)
        case sci.FORM:
            share = share_of(usage, asked.life_years)
            return sci.sci(usage, share, unit=_unit(asked.unit), arithmetic=arithmetic)
        case _:
            return paper.paper(usage, arithmetic)


def _unit(text: str | None) -> sci.FunctionalUnit | None:
    if text is None:
        return None
    try:
        return sci.FunctionalUnit(text)
    except ValueError:
        raise ConfigError("unit", text, f"give one of {', '.join(sci.FunctionalUnit)}.") from None
