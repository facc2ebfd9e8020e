"""A record as plain values, as JSON has them, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lightning_carbon.errors import NewerSchema, RecordError
from lightning_carbon.records.fields import known
from lightning_carbon.records.run import (
    SCHEMA,
    AbsentSource,
    AttemptRecord,
    CarbonRecord,
    DomainRecord,
    EnergyRecord,
    IntensityRecord,
    PueRecord,
    RankRecord,
    RunRecord,
    TotalRecord,
)


def to_mapping(record: RunRecord) -> dict[str, Any]:
    """A record as plain values (JSON types only); where it lies is left out, since copies lie elsewhere."""
    mapping = asdict(record)
    del mapping["location"]
    mapping["energy"]["domains"] = list(mapping["energy"]["domains"])
    mapping["energy"]["absent"] = list(mapping["energy"]["absent"])
    mapping["ranks"] = list(mapping["ranks"])
    mapping["attempts"] = list(mapping["attempts"])
    return mapping


def from_mapping(mapping: dict[str, Any], *, location: str | None = None) -> RunRecord:
    """Read a record; keys that this version does not know are ignored.

    Args:
        mapping: What :func:`to_mapping` wrote, now or in an earlier version.
        location: Where it lies.

    Raises:
        RecordError: It is no record, or one of a newer schema.
    """
    try:
        schema = int(mapping["schema"])
        if schema > SCHEMA:
            message = f"the record has schema {schema}, this version reads up to {SCHEMA}: upgrade lightning-carbon"
            raise NewerSchema(message)
        energy, carbon = dict(mapping["energy"]), dict(mapping["carbon"])
        energy["domains"] = tuple(known(DomainRecord, one) for one in energy["domains"])
        energy["absent"] = tuple(known(AbsentSource, one) for one in energy.get("absent", ()))
        carbon["intensity"] = known(IntensityRecord, carbon["intensity"])
        carbon["pue"] = known(PueRecord, carbon["pue"])
        whole = {
            **mapping,
            "energy": known(EnergyRecord, energy),
            "carbon": known(CarbonRecord, carbon),
            "ranks": tuple(known(RankRecord, one) for one in mapping.get("ranks", ())),
            "attempts": tuple(known(AttemptRecord, one) for one in mapping.get("attempts", ())),
            "lineage": known(TotalRecord, mapping["lineage"]) if mapping.get("lineage") else None,
            "spent": known(TotalRecord, mapping["spent"]) if mapping.get("spent") else None,
            "location": location,
        }
        return known(RunRecord, whole)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, RecordError):
            raise
        message = f"not a record of a run: {type(error).__name__}: {error}"
        raise RecordError(message) from error
