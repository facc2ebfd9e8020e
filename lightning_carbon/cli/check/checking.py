"""The work of ``lightning-carbon check``: finding the runs, holding them against the file, or writing the file."""

from __future__ import annotations

import os
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.baseline.comparison import Comparison, Verdict, compare
from lightning_carbon.baseline.costs import Baseline, baseline_from, baseline_to, cost_of
from lightning_carbon.baseline.several import cost_of_runs
from lightning_carbon.cli.runs.choosing import find_run, last_runs
from lightning_carbon.cli.say import notice, say
from lightning_carbon.errors import ConfigError, LedgerError, RecordError
from lightning_carbon.ledger.directory import RECORD_FILE
from lightning_carbon.ledger.files import read_json, to_json, write_json
from lightning_carbon.ledger.query import read_record
from lightning_carbon.report.sheets import Sheet, as_markdown, as_text, escape_markdown
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.baseline.costs import Cost
    from lightning_carbon.records.run import RunRecord

AUTO: Final = "auto"
ROSE: Final = 1
NO_BASELINE: Final = 3

_SIGNS: Final = {
    Verdict.RISEN: "**Risen.**",
    Verdict.UNCLEAR: "**Unclear.**",
    Verdict.NO_BASELINE: "**No baseline.**",
}
_HEAD: Final = ("baseline", "now", "change", "95 % interval", "p")


def check_runs(  # noqa: PLR0913 - one for each option of the command
    texts: Sequence[str],
    baseline: Path,
    *,
    last: int | None,
    tolerance: float,
    gpu_model: str,
    work: str,
    ledger: str | None,
    project: str | None,
    form: str,
    update: bool,
    allow_missing: bool,
) -> int:
    """Compare runs with a baseline, or make them the baseline.

    Args:
        texts: The runs: each by its id, the beginning of its id, its name, or the path of its record or the record's
            folder.
        baseline: The file.
        last: How many of the last completed runs of a name are meant; ``None`` where every run is given itself.
        tolerance: The share by which the energy of a step or a token may rise.
        gpu_model: The hardware of the entry; ``"auto"`` for the run's own.
        work: The name of the work in the file; ``"auto"`` for the run's project and its name.
        ledger: The folder of all runs.
        project: The project, if only its runs count.
        form: ``text``, ``json`` or ``markdown``.
        update: Whether to write the runs into the baseline instead of judging them.
        allow_missing: Whether a missing entry of this work on this hardware is accepted.

    Returns:
        The exit code: 1 where energy rose by more than the tolerance, 3 where there is nothing to compare with.

    Raises:
        ConfigError: There is no such run, it cannot be compared, or the baseline cannot be read or written.
    """
    if not (isfinite(tolerance) and tolerance >= 0):
        raise ConfigError("tolerance", tolerance, "give a share from 0 on; 0.1 is 10 %.")
    if not work.strip():
        raise ConfigError("work", work, "give what the file is to call it, such as bert_base.")
    cost = cost_of_runs([cost_of(record) for record in _records(texts, last, ledger=ledger, project=project)])
    if work != AUTO:
        cost = replace(cost, work=work)
    known = _read(baseline, may_be_missing=update or allow_missing)
    if update:
        _update(baseline, known, cost)
        return 0
    hardware = None if gpu_model == AUTO else gpu_model
    found = compare(cost, known, tolerance, hardware=hardware)
    _print(found, form)
    if found.verdict is Verdict.NO_BASELINE:
        _tell_what_there_is(baseline, known, cost, hardware=hardware)
        return 0 if allow_missing else NO_BASELINE
    return ROSE if found.verdict is Verdict.RISEN else 0


def comparison_text(found: Comparison) -> str:
    """The verdict and the figures behind it, for a terminal."""
    return as_text(_sheet(found, found.headline(), ""))


def comparison_markdown(found: Comparison) -> str:
    """The comparison in Markdown, for the summary of a job."""
    sign = _SIGNS.get(found.verdict, "**OK.**")
    return f"{sign} {escape_markdown(found.headline())}.\n\n{as_markdown(_sheet(found, '', 'energy'))}"


def _sheet(found: Comparison, title: str, corner: str) -> Sheet:
    rows = found.rows()
    head = (corner, *_HEAD)[: len(rows[0])]
    return Sheet(title, head, "<" + ">" * (len(head) - 1), tuple(rows), tuple(found.notes()))


def _records(texts: Sequence[str], last: int | None, *, ledger: str | None, project: str | None) -> list[RunRecord]:
    if last is None:
        return [_record(text, ledger, project) for text in texts]
    if len(texts) != 1:
        raise ConfigError("runs", last, "it takes the runs of one name; or else give every run itself.")
    return last_runs(texts[0], last, ledger=ledger, project=project)


def _record(text: str, ledger: str | None, project: str | None) -> RunRecord:
    """Find the run that a text names, by the path of its record where there is such a file."""
    path = Path(text)
    if os.path.lexists(path / RECORD_FILE):
        path /= RECORD_FILE
    if not os.path.lexists(path) or (path.suffix != ".json" and path.is_dir()):
        if path.suffix == ".json":
            raise ConfigError("run", text, "there is no such file; give the path of a record, or the id of a run.")
        return find_run(text, ledger, project)
    try:
        return read_record(path)
    except OSError as error:
        raise ConfigError("run", text, f"it cannot be read: {error.strerror or error}.") from error
    except RecordError as error:
        raise ConfigError("run", text, f"it cannot be read: {error}.") from error


def _read(path: Path, *, may_be_missing: bool) -> Baseline:
    try:
        return baseline_from(read_json(path))
    except FileNotFoundError:
        if may_be_missing:
            return Baseline()
        raise ConfigError("baseline", str(path), "there is no such file; --update writes it from a run.") from None
    except OSError as error:
        raise ConfigError("baseline", str(path), f"it cannot be read: {error.strerror or error}.") from error
    except RecordError as error:
        raise ConfigError("baseline", str(path), f"it cannot be read: {error}.") from error


def _update(path: Path, known: Baseline, cost: Cost) -> None:
    was = known.find(cost.hardware, cost.work)
    try:
        write_json(path.resolve(), baseline_to(known.updated(cost)))
    except LedgerError as error:
        raise ConfigError("baseline", str(path), f"{error}.") from error
    count = len(cost.every_run)
    what = f"{cost.joules_per_step:.6g} J a step" + (f", the middle of {count} runs" if count > 1 else "")
    before = "" if was is None else f", in the place of {was.joules_per_step:.6g} J of run {was.run_id}"
    notice(f"{path}: {cost.work} on {cost.hardware}: {what}{before}")


def _print(found: Comparison, form: str) -> None:
    match form:
        case "json":
            say(to_json(found.as_mapping(), indent=2))
        case "markdown":
            say(comparison_markdown(found))
        case _:
            say(comparison_text(found))


def _tell_what_there_is(path: Path, known: Baseline, cost: Cost, *, hardware: str | None) -> None:
    others = sorted({entry.hardware for entry in known.entries if entry.work == cost.work})
    here = f"; it has {cost.work} on {', '.join(others)}" if others else ""
    what = f"{path} has no entry of {cost.work} on {hardware or cost.hardware}{here}"
    notice(f"{what}; add --update to make this run the baseline")
