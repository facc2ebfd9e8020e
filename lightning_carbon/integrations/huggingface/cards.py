"""The card that a Hugging Face Trainer makes of its model, with the energy and the CO2e of the trainings that made it.

A Trainer writes ``README.md`` anew each time, from what it knows itself, so the figures go in right after that.
Trainers of TRL and of sentence-transformers have the same method and the same file; models that write cards themselves
are followed by :mod:`lightning_carbon.integrations.huggingface.model_cards`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.integrations.huggingface.runs import TrainerRuns
from lightning_carbon.integrations.shared.guard import guarded, logger, warn_once
from lightning_carbon.records.run import RunRecord
from lightning_carbon.report.statements.card import write_card
from lightning_carbon.report.statements.consumption import consumption_of
from lightning_carbon.wiring import open_ledger

CARD: Final = "README.md"
FINE_TUNING: Final = "fine-tuning"


@guarded()
def tell_card(path: Path, model: object, told: Sequence[TrainerRuns]) -> None:
    """Write the energy and the CO2e of a model's trainings into the card that was made of it.

    A training that still goes on is left out, and a card without any training stays as it is. What goes wrong is told
    in a warning.

    Args:
        path: The card.
        model: The model.
        told: The runs of the Trainers that have trained it.
    """
    runs = [known for known in told if known.writes_cards and _is_first(known.trainer)]
    trained = _attempts(record for known in runs for record in known.trained)
    records = [record for record in trained if record.energy.total_joules is not None]
    if not records or not path.exists():
        return
    try:
        write_card(path, consumption_of(records[-1].run_name or records[-1].project, records), training_type_of(model))
    except ConfigError as error:
        warn_once("the model card stays without its energy and CO2e: %s", str(error))


def training_type_of(model: object) -> str | None:
    """``fine-tuning`` where the model was loaded from somewhere, as its configuration says; ``None`` where it was not.

    Args:
        model: The model, of transformers or of sentence-transformers and SetFit, whose models have one of those inside.
    """
    inner = getattr(getattr(model, "model_body", model), "transformers_model", model)
    names = (getattr(getattr(inner, "config", None), "_name_or_path", None), getattr(inner, "name_or_path", None))
    return FINE_TUNING if any(isinstance(name, str) and name for name in names) else None


def _is_first(trainer: Any) -> bool:  # noqa: ANN401 - a Trainer of any version, or None
    """Whether a Trainer, where it is still there, is that of the first process."""
    return trainer is None or bool(trainer.is_world_process_zero())


def _attempts(trained: Iterable[RunRecord]) -> list[RunRecord]:
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
