"""A training in several attempts: what led to the present state of its model, and what was spent on it in all. Pure.

A checkpoint holds the totals that led to it. A run that is resumed from it adds its own: the *lineage*. What an earlier
attempt had used after the checkpoint was written led nowhere, but was used all the same: *spent* adds up every attempt
whole, so it is never less than the lineage, and the difference is the work that was lost.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lightning_carbon.records.fields import (
    MOST,
    at,
    at_or,
    check_schema,
    each,
    mapping,
    name,
    number,
    reading,
)
from lightning_carbon.records.totals import UNKNOWN, Attempt, Totals, microjoules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lightning_carbon.records.run import RunRecord

CHECKPOINT_SCHEMA = 1


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
    for attempt in every:
        spent = spent.plus(attempt.totals)
    return replace(
        record,
        attempts=tuple(
            Attempt(attempt.run_id, None, Totals(attempt.totals.microjoules, attempt.totals.grams_co2e), attempt.status)
            for attempt in every
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


def checkpoint_of(values: object) -> Checkpoint:
    """Read what a checkpoint says; keys that this version does not know are ignored, most others may be missing.

    Args:
        values: What :func:`checkpoint_mapping` wrote, now or in an earlier version; it may come from anybody.

    Raises:
        RecordError: It is something else, or of a newer schema.
    """
    with reading("the state of a meter"):
        told = mapping(values)
        check_schema(told, CHECKPOINT_SCHEMA, "it")
        run_id, project = at(told, "run_id", name), at(told, "project", name)
        lineage = at(told, "lineage", _totals_from)
        # Without a list of attempts, all that led here counts as one of them, so that nothing of it is missing.
        whole_way: tuple[Attempt, ...] = (Attempt(run_id, project, lineage),)
        attempts = at_or(told, "attempts", partial(each, reader=_attempt_from), default=whole_way)
        return Checkpoint(at_or(told, "origin", name, default=run_id), run_id, project, lineage, merged(attempts))


def attempt_mapping(attempt: Attempt) -> dict[str, Any]:
    """An attempt as plain values."""
    # How it stood when this was written tells nothing of how it ended.
    return {"run_id": attempt.run_id, "project": attempt.project, **asdict(attempt.totals)}


def attempt_from(values: object) -> Attempt:
    """Read an attempt.

    Raises:
        RecordError: It is none.
    """
    with reading("an attempt at a training"):
        return _attempt_from(values)


def resumed_from(values: object) -> Resumed:
    """Read what a journal says of the training that a run goes on with."""
    told = mapping(values)
    return Resumed(at(told, "origin", name), at(told, "before", partial(_totals_from, least=-MOST)))


def _attempt_from(values: object) -> Attempt:
    told = mapping(values)
    return Attempt(at(told, "run_id", name), at(told, "project", name), _totals_from(told))


def _totals_from(values: object, least: float = 0) -> Totals:
    told = mapping(values)
    count = partial(_count, least=least)
    return Totals(
        at_or(told, "microjoules", count, default=None),
        at_or(told, "grams_co2e", partial(number, least=least), default=None),
        at_or(told, "steps", count, default=0),
        at_or(told, "samples", count, default=None),
        at_or(told, "tokens", count, default=None),
    )


def _count(value: object, least: float) -> int:
    return round(number(value, least))
