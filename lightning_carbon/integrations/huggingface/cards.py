"""The card that a Hugging Face Trainer makes of its model, with the energy and the CO2e of the trainings that made it.

A Trainer writes ``README.md`` anew each time, from what it knows itself, so the figures go in right after that.
Trainers of TRL and of sentence-transformers have the same method and the same file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.integrations.huggingface.runs import TrainerRuns
from lightning_carbon.integrations.shared.guard import guarded, logger, warn_once
from lightning_carbon.records.run import RunRecord
from lightning_carbon.report.statements.card import write_card
from lightning_carbon.report.statements.usage import usage_of
from lightning_carbon.wiring import open_ledger

CARD: Final = "README.md"
FINE_TUNING: Final = "fine-tuning"


@guarded()
def tell_card(trainer: Any, runs: TrainerRuns) -> None:  # noqa: ANN401 - a Trainer of any version
    """Write the energy and the CO2e of a Trainer's trainings into the card that it has made.

    A training that still goes on is left out, and a card without any training stays as it is. What goes wrong is told
    in a warning.

    Args:
        trainer: The Trainer.
        runs: Its runs.
    """
    if not runs.writes_cards or not trainer.is_world_process_zero():
        return
    path = Path(trainer.args.output_dir, CARD)
    records = [record for record in _attempts(runs.trained) if record.energy.total_joules is not None]
    if not records or not path.exists():
        return
    try:
        write_card(path, usage_of(records[-1].run_name or records[-1].project, records), training_type_of(trainer))
    except ConfigError as error:
        warn_once("the model card stays without its energy and CO2e: %s", str(error))


def training_type_of(trainer: Any) -> str | None:  # noqa: ANN401 - a Trainer of any version
    """``fine-tuning`` where the model was loaded from somewhere, as its configuration says; ``None`` where it was not.

    Args:
        trainer: The Trainer.
    """
    model = trainer.model
    names = (getattr(getattr(model, "config", None), "_name_or_path", None), getattr(model, "name_or_path", None))
    return FINE_TUNING if any(isinstance(name, str) and name for name in names) else None


def _attempts(trained: list[RunRecord]) -> list[RunRecord]:
    """The records of trainings, those before with the attempts that they resumed, as far as the ledger has them."""
    found: dict[str, RunRecord] = {}
    for record in trained:
        for attempt in record.attempts:
            earlier = None if attempt.run_id == record.run_id else _stored(record, attempt.run_id)
            if earlier is not None:
                found.setdefault(earlier.run_id, earlier)
        found[record.run_id] = record
    return list(found.values())


def _stored(record: RunRecord, run_id: str) -> RunRecord | None:
    """Another run of the same project, by the ledger; ``None`` where it is not there."""
    if record.location is None:
        return None
    try:
        return open_ledger(Path(record.location).parents[2], logger.debug).find(run_id, record.project)
    except (ConfigError, LedgerError):
        return None
