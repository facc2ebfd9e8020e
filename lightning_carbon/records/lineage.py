"""A training in several attempts: what led to the present state of its model, and what was spent on it in all. Pure.

A checkpoint holds the totals that led to it. A run that is resumed from it adds its own: the *lineage*. What an earlier
attempt had used after the checkpoint was written led nowhere, but was used all the same: *spent* adds up every attempt
whole, so it is never less than the lineage, and the difference is the work that was lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lightning_carbon.errors import RecordError
from lightning_carbon.records.totals import UNKNOWN, Attempt, Totals, microjoules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lightning_carbon.records.run import RunRecord

CHECKPOINT_SCHEMA = 1

_LONGEST_NAME = 255
"""Bytes that a name in a path may have on Linux."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """That a run goes on with an earlier training.

    Args:
        origin: The run that this training began with.
        before: What is to be added to the run's totals to get the lineage. Figures may be negative: what a run had done
            before it went back to a checkpoint is not in the lineage.
    """

    origin: str
    before: Totals = field(default_factory=Totals)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint of a model says about the energy that led to it.

    Args:
        origin: The run that the training began with.
        run_id: The run that wrote this.
        project: The project of that run.
        lineage: What led to this checkpoint.
        attempts: Every attempt that was known then, the writer included.
    """

    origin: str
    run_id: str
    project: str
    lineage: Totals
    attempts: tuple[Attempt, ...] = ()


def totals_of(record: RunRecord) -> Totals:
    """What a run used, without those before it."""
    return Totals(
        microjoules_of(record.energy.total_joules),
        record.carbon.grams_co2e,
        record.steps,
        record.samples,
        record.tokens,
    )


def attempt_of(record: RunRecord, status: str | None = None) -> Attempt:
    """A run as one attempt at its training.

    Args:
        record: The record of the run.
        status: How it stands, where that is known better.
    """
    return Attempt(record.run_id, record.project, totals_of(record), status or record.status)


def merged(*lists: Iterable[Attempt]) -> tuple[Attempt, ...]:
    """Every attempt once, in the order of their first mention.

    With the largest totals that anybody knew, and the first word on how it stands.
    """
    known: dict[str, Attempt] = {}
    for attempt in (attempt for attempts in lists for attempt in attempts):
        first = known.get(attempt.run_id, attempt)
        status = attempt.status if first.status == UNKNOWN else first.status
        known[attempt.run_id] = replace(first, totals=attempt.totals.at_least(first.totals), status=status)
    return tuple(known.values())


def resumed_at(checkpoint: Checkpoint, run_id: str, now: Totals) -> Resumed:
    """What it means for a run to go on from a checkpoint.

    Args:
        checkpoint: The checkpoint.
        run_id: The run that loads it.
        now: What that run has used by then. It belongs to the lineage if it was for setting up; if steps were taken, or
            if the run goes back to a checkpoint of its own, it led nowhere.
    """
    lost = now.steps > 0 or run_id == checkpoint.run_id
    return Resumed(checkpoint.origin, checkpoint.lineage.plus(now, -1) if lost else checkpoint.lineage)


def with_lineage(record: RunRecord, resumed: Resumed | None) -> RunRecord:
    """The record of a run that goes on with an earlier training; of attempts it knows only itself.

    Args:
        record: The record.
        resumed: What came before; ``None`` where nothing did.
    """
    if resumed is None:
        return record
    lineage = resumed.before.plus(totals_of(record))
    return with_attempts(replace(record, origin=resumed.origin, lineage=lineage), ())


def with_attempts(record: RunRecord, attempts: Sequence[Attempt]) -> RunRecord:
    """The record of a resumed run with all attempts at its training, and what they spent together.

    Args:
        record: The record; one of a run that was not resumed stays as it is.
        attempts: The attempts that are known; those of the record's own run are replaced by what the record says.
    """
    if record.origin is None or record.lineage is None:
        return record
    others = [attempt for attempt in attempts if attempt.run_id != record.run_id]
    every = merged(others, [attempt_of(record)])
    spent = Totals()
    for each in every:
        spent = spent.plus(each.totals)
    return replace(
        record,
        attempts=tuple(
            Attempt(each.run_id, None, Totals(each.totals.microjoules, each.totals.grams_co2e), each.status)
            for each in every
        ),
        spent=spent.at_least(record.lineage),
    )


def checkpoint_at(record: RunRecord, attempts: Sequence[Attempt] = (), pending: Totals | None = None) -> Checkpoint:
    """What a checkpoint that is written now says.

    Args:
        record: The record of the run so far.
        attempts: The other attempts that are known.
        pending: Steps that have ended, but whose energy is not known yet: they led to the checkpoint, too.
    """
    pending = pending or Totals()
    lineage = record.lineage or totals_of(record)
    mine = attempt_of(record)
    return Checkpoint(
        record.origin or record.run_id,
        record.run_id,
        record.project,
        lineage.plus(pending),
        merged(attempts, [replace(mine, totals=mine.totals.plus(pending))]),
    )


def checkpoint_mapping(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint's words as plain values (JSON types only), as ``torch.load(weights_only=True)`` allows them."""
    return {
        "schema": CHECKPOINT_SCHEMA,
        "origin": checkpoint.origin,
        "run_id": checkpoint.run_id,
        "project": checkpoint.project,
        "lineage": asdict(checkpoint.lineage),
        "attempts": [attempt_mapping(attempt) for attempt in checkpoint.attempts],
    }


def checkpoint_of(mapping: object) -> Checkpoint:
    """Read what a checkpoint says; keys that this version does not know are ignored, most others may be missing.

    Args:
        mapping: What :func:`checkpoint_mapping` wrote, now or in an earlier version; it may come from anybody.

    Raises:
        RecordError: It is something else, or of a newer schema.
    """
    values = _mapping(mapping)
    schema = values.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool):
        message = "it has no schema"
        raise RecordError(message)
    if schema > CHECKPOINT_SCHEMA:
        message = f"it has schema {schema}, this version reads up to {CHECKPOINT_SCHEMA}: upgrade lightning-carbon"
        raise RecordError(message)
    run_id = _name(values, "run_id")
    project = _name(values, "project")
    lineage = _totals_from(_mapping(values.get("lineage")))
    # Without a list of attempts, all that led here counts as one of them, so that nothing of it is missing.
    listed = values.get("attempts")
    attempts = (
        [attempt_from(entry) for entry in listed] if isinstance(listed, list) else [Attempt(run_id, project, lineage)]
    )
    return Checkpoint(
        _name(values, "origin") if "origin" in values else run_id, run_id, project, lineage, merged(attempts)
    )


def attempt_mapping(attempt: Attempt) -> dict[str, Any]:
    """An attempt as plain values."""
    # How it stood when this was written tells nothing of how it ended.
    return {"run_id": attempt.run_id, "project": attempt.project, **asdict(attempt.totals)}


def attempt_from(mapping: object) -> Attempt:
    """Read an attempt.

    Raises:
        RecordError: It is none.
    """
    values = _mapping(mapping)
    return Attempt(_name(values, "run_id"), _name(values, "project"), _totals_from(values))


def resumed_from(mapping: object) -> Resumed | None:
    """Read what a journal says of it; ``None`` where it says nothing.

    Raises:
        RecordError: It is something else.
    """
    if mapping is None:
        return None
    values = _mapping(mapping)
    return Resumed(_name(values, "origin"), _totals_from(_mapping(values.get("before")), least=-math.inf))


def _totals_from(values: Mapping[str, Any], least: float = 0) -> Totals:
    return Totals(
        _whole(values, "microjoules", least),
        _number(values, "grams_co2e", least),
        _whole(values, "steps", least) or 0,
        _whole(values, "samples", least),
        _whole(values, "tokens", least),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        message = f"it is {type(value).__name__}, where a mapping should be"
        raise RecordError(message)
    return value


def _name(values: Mapping[str, Any], key: str) -> str:
    """A name that becomes part of a path: a checkpoint may come from anybody."""
    name = values.get(key)
    if (
        not isinstance(name, str)
        or not name.strip()
        or name in {".", ".."}
        or any(c in name for c in "/\\\0\n")
        or len(name.encode("utf-8", "replace")) > _LONGEST_NAME
    ):
        message = f"its {key} is {name!r}"
        raise RecordError(message)
    return name


def _number(values: Mapping[str, Any], key: str, least: float) -> float | None:
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < least:
        message = f"its {key} is {value!r}"
        raise RecordError(message)
    return value


def _whole(values: Mapping[str, Any], key: str, least: float) -> int | None:
    value = _number(values, key, least)
    return None if value is None else round(value)
