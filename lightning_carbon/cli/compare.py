"""``lightning-carbon compare``: which of two trainings takes less energy, and how sure that is."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from lightning_carbon.baseline.blocks import blocks_of
from lightning_carbon.baseline.contest import Contest, Trial, WorkUnit, contest_of, trial_of, work_unit
from lightning_carbon.baseline.equal_loss import LoggedRun, at_equal_loss
from lightning_carbon.baseline.trials import LEAST_TRIALS, trials_needed
from lightning_carbon.cli.forms import Form
from lightning_carbon.cli.output import show as show_tables
from lightning_carbon.cli.run.program import SIGNALLED
from lightning_carbon.cli.runs.choosing import named_runs, open_runs
from lightning_carbon.cli.say import notice, say
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.courses import read_course
from lightning_carbon.measuring.following import FollowedRun
from lightning_carbon.measuring.turns import Turn, commands_of, take_turns
from lightning_carbon.records.journal import RankPart
from lightning_carbon.records.numbers import ENERGY, amount
from lightning_carbon.report.sheets import Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning_carbon.cli.runs.choosing import Runs
    from lightning_carbon.records.run import RunRecord

_ALIGN: Final = "<>>>>>"
_SIDES: Final = "AB"
_ALONE: Final = (
    "One run of each: the interval holds what varies within these two runs, and not what varies from run to run."
)


def compare_runs(
    texts: Sequence[str], *, ledger: str | None, project: str | None, per: str | None, loss: str | None, form: Form
) -> None:
    """Compare runs of the ledger.

    Args:
        texts: Two runs, or two names that several runs have.
        ledger: The folder of all runs.
        project: The project, if only its runs count.
        per: The unit of work that decides.
        loss: The name of the loss that both are to reach.
        form: The form of the output.

    Raises:
        ConfigError: There are no such runs, or they do not compare.
    """
    if len(texts) != len(_SIDES):
        raise ConfigError("runs", " ".join(texts), "give two: compare A B.")
    runs = open_runs(ledger, project)
    sides = [_named(runs, text) for text in texts]
    if all(len(side) == 1 for side in sides):
        first, second = ([*_blocks(side[0])] for side in sides)
        notes = [_ALONE]
    else:
        first, second = ([trial_of(record) for record in side] for side in sides)
        notes = []
    contest = contest_of((texts[0], texts[1]), first, second, is_paired=False, per=work_unit(per), notes=notes)
    logged = [[_logged(runs, record) for record in side] for side in sides]
    _show(contest.with_equal_loss(at_equal_loss(*logged, is_paired=False, metric=loss)), form)


def compare_commands(
    texts: Sequence[str],
    trials: int,
    *,
    ledger: str | None,
    project: str | None,
    per: str | None,
    loss: str | None,
    form: Form,
) -> None:
    """Run two commands in turn, and compare them.

    Args:
        texts: The commands.
        trials: How often each is run and counted.
        ledger: The folder of all runs.
        project: The project of the runs.
        per: The unit of work that decides.
        loss: The name of the loss that both are to reach.
        form: The form of the output.

    Raises:
        ConfigError: An argument cannot be used, or the runs do not compare.
        StudyError: A program failed.
    """
    unit = work_unit(per)
    if trials < LEAST_TRIALS:
        fix = f"give {LEAST_TRIALS} or more; fewer tell no interval."
        raise ConfigError("runs", trials, fix)
    on_turn = _report(trials, is_shown=form is Form.TABLE)
    try:
        first, second = take_turns(commands_of(texts), trials, ledger=ledger, project=project, on_turn=on_turn)
    except KeyboardInterrupt:
        notice("interrupted; the program was ended, and the runs so far are in the ledger")
        raise typer.Exit(SIGNALLED + signal.SIGINT) from None
    contest = contest_of((_SIDES[0], _SIDES[1]), first, second, is_paired=True, per=unit)
    runs = open_runs(ledger, project)
    logged = [
        [_logged(runs, runs.ledger.find(trial.run_id, runs.project)) for trial in side] for side in (first, second)
    ]
    _show(contest.with_equal_loss(at_equal_loss(*logged, is_paired=True, metric=loss)), form)


def tell_trials(effect: float, noise: float) -> None:
    """Print how many trials show a change.

    Raises:
        ConfigError: An argument is out of range.
    """
    try:
        say(f"{trials_needed(effect, noise)}")
    except ConfigError as error:
        if error.argument == "effect":
            error.argument = "power"
        raise


def _named(runs: Runs, text: str) -> list[RunRecord]:
    """The runs of a name that several have, or of a project, or the run that a text names."""
    same = named_runs(runs, text)
    return same if len(same) > 1 else [runs.ledger.find(text, runs.project)]


def _blocks(record: RunRecord) -> Sequence[Trial]:
    if record.location is None:
        raise ConfigError("run", record.run_id, "it has no folder, so its journals cannot be read.")
    followed = FollowedRun(Path(record.location).parent)
    followed.read()
    journals = followed.journals
    parts = [RankPart(journal.header, journal.beats[-1]) for journal in journals]
    return blocks_of(record, parts, [journal.beats for journal in journals])


def _logged(runs: Runs, record: RunRecord) -> LoggedRun:
    """What a run has logged against its energy."""
    course = read_course(runs.ledger.folder(record))
    return LoggedRun(record.run_id, {} if course is None else course.metrics, record.origin is not None)


def _show(contest: Contest, form: Form) -> None:
    head = ("", *contest.names, "change", "95 % interval", "p")
    title = contest.headline()
    if form is Form.TABLE:
        # The sentence is wider than the table, which would break it.
        say(f"{title}.\n")
        title = ""
    sheet = Sheet(title, head, _ALIGN, tuple(contest.rows()), contest.notes)
    show_tables(form, [sheet], contest.as_mapping(), label="compare")


def _report(trials: int, *, is_shown: bool) -> Callable[[Turn], None]:
    """A report of each run on stderr, where a person is likely to read it."""

    def tell(turn: Turn) -> None:
        name = _SIDES[turn.side]
        if turn.trial is None:
            notice(f"{name}: first run, which does not count")
        else:
            notice(f"{name} {turn.number}/{trials}: {amount(turn.trial.joules[WorkUnit.RUN], ENERGY)}")

    return tell if is_shown else _nothing


def _nothing(turn: Turn) -> None:
    del turn
