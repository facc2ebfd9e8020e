"""What became of a trial, in a file of its own beside its record: a search tells it after the run has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import RecordError
from lightning_carbon.ledger.files import read_json
from lightning_carbon.records.fields import reading
from lightning_carbon.records.trial import outcome_from, told
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_carbon.records.run import RunRecord

TRIAL_FILE: Final = "trial.json"
_MOST_BYTES: Final = 2**17


def with_outcome(record: RunRecord, folder: Path) -> RunRecord:
    """The record with what became of its trial; as it is where it is no trial, or nothing that can be read is told.

    Args:
        record: The record.
        folder: The folder that it lies in.
    """
    if record.trial is None:
        return record
    try:
        with reading("what became of a trial"):
            outcome = outcome_from(read_json(folder / TRIAL_FILE, _MOST_BYTES))
    except (OSError, RecordError):
        return record
    return replace(record, trial=told(record.trial, outcome))
