"""``lightning-carbon verify``: a record held against its journals."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.cli.forms import Form
from lightning_carbon.cli.output import show as show_tables
from lightning_carbon.cli.runs.choosing import find_run
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError, RecordError
from lightning_carbon.ledger.verification import Verification, verify
from lightning_carbon.report.sheets import Sheet

if TYPE_CHECKING:
    from lightning_carbon.ledger.verification import Difference

_DIFFERS: Final = 1


def check_record(run: str | None, *, ledger: str | None, project: str | None, output: Form) -> int:
    """Hold the record of a run against its journals, and print what differs.

    Args:
        run: The run; the last where nothing is given.
        ledger: The folder of all runs.
        project: The project, if only its runs count.
        output: The form of the output.

    Returns:
        The exit code: 1 where a figure differs or a journal shows an alteration.

    Raises:
        ConfigError: There is no such run, or nothing to hold it against.
    """
    record = find_run(run, ledger, project)
    if record.location is None:
        raise ConfigError("run", record.run_id, "it has no folder, so there are no journals to hold it against.")
    try:
        found = verify(Path(record.location).parent)
    except (OSError, RecordError) as error:
        raise ConfigError("run", record.run_id, f"it cannot be verified: {error}.") from error
    if output is Form.JSON:
        show_tables(output, [], {**asdict(found), "holds": found.holds}, label="verify")
    else:
        say(_said(found))
        if found.differences:
            rows = tuple(map(_row, found.differences))
            show_tables(output, [Sheet("", ("key", "record", "journals"), "<>>", rows)], {}, label="verify")
    return 0 if found.holds else _DIFFERS


def _said(found: Verification) -> str:
    journals = f"{found.journals:,} {'journal' if found.journals == 1 else 'journals'}"
    what = f"{found.run_id}: {found.figures:,} figures worked out again from {journals}"
    if found.holds:
        return f"{what}; all agree, and no line of a journal has been altered"
    count = len(found.differences)
    return "\n".join([f"{what}; {count:,} {'differs' if count == 1 else 'differ'}", *found.breaks])


def _row(difference: Difference) -> tuple[str, ...]:
    return (difference.key, _value(difference.stored), _value(difference.recomputed))


def _value(value: object) -> str:
    return "absent" if value is None else f"{value:.12g}" if isinstance(value, float) else str(value)
