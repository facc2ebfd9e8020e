"""A record as plain values, as JSON has them, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lightning_carbon.records.fields import check_schema, mapping, plain, read, reading
from lightning_carbon.records.run import SCHEMA, RunRecord
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from lightning_carbon.records.totals import Totals


def to_mapping(record: RunRecord) -> dict[str, Any]:
    """A record as plain values (JSON types only), without its location, since copies lie elsewhere."""
    values: dict[str, Any] = plain(record)
    del values["location"]
    for key in ("lineage", "spent"):
        totals = getattr(record, key)
        values[key] = None if totals is None else _totals_mapping(totals)
    values["attempts"] = [
        {name: getattr(attempt, name) for name in ("run_id", "status", "joules", "grams_co2e")}
        for attempt in record.attempts
    ]
    return values


def from_mapping(values: object, *, location: str | None = None) -> RunRecord:
    """Read a record; unknown keys are ignored.

    Args:
        values: The result of :func:`to_mapping` of this or an earlier version; not trusted.
        location: Where it lies.

    Raises:
        RecordError: It is no record, or has a newer schema.
    """
    with reading("a record of a run"):
        check_schema(mapping(values), SCHEMA, "the record")
        return replace(read(RunRecord, values), location=location)


def _totals_mapping(totals: Totals) -> dict[str, Any]:
    """Totals with their energy in joules."""
    values = plain(totals)
    del values["microjoules"]
    return {"joules": totals.joules, **values}
