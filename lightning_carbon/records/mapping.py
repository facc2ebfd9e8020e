"""A record as plain values, as JSON has them, and back."""

from __future__ import annotations

from typing import Any

from lightning_carbon.carbon.intensity import Intensity, PowerUsage
from lightning_carbon.errors import NewerSchema, RecordError
from lightning_carbon.ports import Finding
from lightning_carbon.records.fields import known, plain
from lightning_carbon.records.run import (
    SCHEMA,
    CarbonRecord,
    DomainRecord,
    EnergyRecord,
    RankRecord,
    RunRecord,
)
from lightning_carbon.records.totals import Attempt, Totals, microjoules_of


def to_mapping(record: RunRecord) -> dict[str, Any]:
    """A record as plain values (JSON types only); where it lies is left out, since copies lie elsewhere."""
    mapping: dict[str, Any] = plain(record)
    del mapping["location"]
    for key in ("lineage", "spent"):
        totals = getattr(record, key)
        mapping[key] = None if totals is None else _totals_mapping(totals)
    mapping["attempts"] = [
        {name: getattr(attempt, name) for name in ("run_id", "status", "joules", "grams_co2e")}
        for attempt in record.attempts
    ]
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
        energy["domains"] = tuple(known(DomainRecord, entry) for entry in energy["domains"])
        energy["absent"] = tuple(known(Finding, entry) for entry in energy.get("absent", ()))
        carbon["intensity"] = known(Intensity, carbon["intensity"])
        carbon["pue"] = known(PowerUsage, carbon["pue"])
        whole = {
            **mapping,
            "energy": known(EnergyRecord, energy),
            "carbon": known(CarbonRecord, carbon),
            "ranks": tuple(known(RankRecord, entry) for entry in mapping.get("ranks", ())),
            "attempts": tuple(_attempt_from(entry) for entry in mapping.get("attempts", ())),
            "lineage": _totals_from(mapping["lineage"]) if mapping.get("lineage") else None,
            "spent": _totals_from(mapping["spent"]) if mapping.get("spent") else None,
            "location": location,
        }
        return known(RunRecord, whole)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, RecordError):
            raise
        message = f"not a record of a run: {type(error).__name__}: {error}"
        raise RecordError(message) from error


def _totals_mapping(totals: Totals) -> dict[str, Any]:
    """Totals with their energy in joules."""
    mapping = plain(totals)
    del mapping["microjoules"]
    return {"joules": totals.joules, **mapping}


def _totals_from(mapping: dict[str, Any]) -> Totals:
    return known(Totals, {**mapping, "microjoules": microjoules_of(mapping["joules"])})


def _attempt_from(mapping: dict[str, Any]) -> Attempt:
    totals = Totals(microjoules_of(mapping["joules"]), mapping["grams_co2e"])
    return Attempt(mapping["run_id"], None, totals, mapping["status"])
