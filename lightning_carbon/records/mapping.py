"""A record as plain values, as JSON has them, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypeVar

from lightning_carbon.errors import RecordError
from lightning_carbon.records.run import (
    SCHEMA,
    AbsentSource,
    CarbonRecord,
    DomainRecord,
    EnergyRecord,
    IntensityRecord,
    PueRecord,
    RunRecord,
)

T = TypeVar("T")


def to_mapping(record: RunRecord) -> dict[str, Any]:
    """A record as plain values (JSON types only); where it lies is left out, since copies lie elsewhere."""
    mapping = asdict(record)
    del mapping["location"]
    mapping["energy"]["domains"] = list(mapping["energy"]["domains"])
    mapping["energy"]["absent"] = list(mapping["energy"]["absent"])
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
            raise RecordError(message)
        energy, carbon = dict(mapping["energy"]), dict(mapping["carbon"])
        energy["domains"] = tuple(_known(DomainRecord, one) for one in energy["domains"])
        energy["absent"] = tuple(_known(AbsentSource, one) for one in energy.get("absent", ()))
        carbon["intensity"] = _known(IntensityRecord, carbon["intensity"])
        carbon["pue"] = _known(PueRecord, carbon["pue"])
        whole = {
            **mapping,
            "energy": _known(EnergyRecord, energy),
            "carbon": _known(CarbonRecord, carbon),
            "location": location,
        }
        return _known(RunRecord, whole)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, RecordError):
            raise
        message = f"not a record of a run: {type(error).__name__}: {error}"
        raise RecordError(message) from error


def _known(kind: type[T], values: dict[str, Any]) -> T:
    """Build a dataclass from the keys that it knows."""
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: value for name, value in values.items() if name in names})
