"""A training in several attempts: what led to the present state of its model, and what was spent on it in all. Pure.

A checkpoint holds the totals that led to it. A run that is resumed from it adds its own: the *lineage*. What an earlier
attempt had used after the checkpoint was written led nowhere, but was used all the same: *spent* adds up every attempt
whole, so it is never less than the lineage, and the difference is the work that was lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from lightning_carbon.errors import RecordError
from lightning_carbon.records.run import AttemptRecord, RunRecord, TotalRecord
from lightning_carbon.units import MICROJOULES_PER_JOULE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Figure = TypeVar("Figure", int, float)

CHECKPOINT_SCHEMA = 1
UNKNOWN = "unknown"
"""The status of an attempt that is not in this ledger."""

_LONGEST_NAME = 255
"""Bytes that a name in a path may have on Linux."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What was used, and for how much work.

    Args:
        microjoules: Energy, without PUE; ``None`` where nothing could be measured.
        grams_co2e: What it stands for; ``None`` likewise.
        steps: How many steps.
        samples: How many samples they had; ``None`` where nobody told.
        tokens: How many tokens they had; ``None`` where nobody told.
    """

    microjoules: int | None = None
    grams_co2e: float | None = None
    steps: int = 0
    samples: int | None = None
    tokens: int | None = None

    def plus(self, other: Totals, sign: int = 1) -> Totals:
        """Add another; ``sign=-1`` takes it off. What neither knows stays unknown."""
        return Totals(
            _plus(self.microjoules, other.microjoules, sign),
            _plus(self.grams_co2e, other.grams_co2e, sign),
            self.steps + sign * other.steps,
            _plus(self.samples, other.samples, sign),
            _plus(self.tokens, other.tokens, sign),
        )

    def at_least(self, other: Totals) -> Totals:
        """The larger one of each figure."""
        return Totals(
            _larger(self.microjoules, other.microjoules),
            _larger(self.grams_co2e, other.grams_co2e),
            max(self.steps, other.steps),
            _larger(self.samples, other.samples),
            _larger(self.tokens, other.tokens),
        )


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
class Attempt:
    """One attempt at a training, as far as somebody knew it.

    Args:
        run_id: Its run.
        project: The project whose folder it lies in.
        totals: What it had used by then.
        status: How it stood, or :data:`UNKNOWN`.
    """

    run_id: str
    project: str
    totals: Totals = field(default_factory=Totals)
    status: str = UNKNOWN


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
    joules = record.energy.total_joules
    return Totals(
        None if joules is None else round(joules * MICROJOULES_PER_JOULE),
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
    for one in (attempt for attempts in lists for attempt in attempts):
        other = known.get(one.run_id, one)
        status = one.status if other.status == UNKNOWN else other.status
        known[one.run_id] = replace(other, totals=one.totals.at_least(other.totals), status=status)
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
    lineage = _stored(resumed.before.plus(totals_of(record)))
    return with_attempts(replace(record, origin=resumed.origin, lineage=lineage), ())


def with_attempts(record: RunRecord, attempts: Sequence[Attempt]) -> RunRecord:
    """The record of a resumed run with all attempts at its training, and what they spent together.

    Args:
        record: The record; one of a run that was not resumed stays as it is.
        attempts: The attempts that are known; those of the record's own run are replaced by what the record says.
    """
    if record.origin is None or record.lineage is None:
        return record
    others = [one for one in attempts if one.run_id != record.run_id]
    every = merged(others, [attempt_of(record)])
    spent = Totals()
    for one in every:
        spent = spent.plus(one.totals)
    return replace(
        record,
        attempts=tuple(
            AttemptRecord(one.run_id, one.status, _joules(one.totals.microjoules), one.totals.grams_co2e)
            for one in every
        ),
        spent=_stored(spent.at_least(_totals(record.lineage))),
    )


def checkpoint_at(record: RunRecord, attempts: Sequence[Attempt] = (), pending: Totals | None = None) -> Checkpoint:
    """What a checkpoint that is written now says.

    Args:
        record: The record of the run so far.
        attempts: The other attempts that are known.
        pending: Steps that have ended, but whose energy is not known yet: they led to the checkpoint, too.
    """
    pending = pending or Totals()
    lineage = totals_of(record) if record.lineage is None else _totals(record.lineage)
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
        "attempts": [attempt_mapping(one) for one in checkpoint.attempts],
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
        [attempt_from(one) for one in listed] if isinstance(listed, list) else [Attempt(run_id, project, lineage)]
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


def _totals(stored: TotalRecord) -> Totals:
    uj = None if stored.joules is None else round(stored.joules * MICROJOULES_PER_JOULE)
    return Totals(uj, stored.grams_co2e, stored.steps, stored.samples, stored.tokens)


def _stored(totals: Totals) -> TotalRecord:
    return TotalRecord(_joules(totals.microjoules), totals.grams_co2e, totals.steps, totals.samples, totals.tokens)


def _joules(uj: int | None) -> float | None:
    return None if uj is None else uj / MICROJOULES_PER_JOULE


def _plus(one: Figure | None, other: Figure | None, sign: int) -> Figure | None:
    if other is None:
        return one
    return sign * other if one is None else one + sign * other


def _larger(one: Figure | None, other: Figure | None) -> Figure | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
