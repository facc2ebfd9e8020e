"""A training in several attempts: what led to the present state of its model, and what all attempts spent. Pure.

A checkpoint holds the totals that led to it. A run that is resumed from it adds its own: the *lineage*. What an earlier
attempt used after it wrote the checkpoint led nowhere, but was spent all the same: *spent* adds up whole attempts, so
it is never less than the lineage, and the difference is the work that was lost.
"""

from __future__ import annotations

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
    plain,
    reading,
)
from lightning_carbon.records.totals import UNKNOWN, Attempt, Totals, microjoules_of
from lightning_carbon.records.waste import lost_work, with_lost
from lightning_carbon.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lightning_carbon.records.run import RunRecord

CHECKPOINT_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Resumed:
    """The earlier training that a run continues.

    Args:
        origin: The run that this training began with.
        before: The totals to be added to the run's own to get the lineage. Figures may be negative: the work of a run
            before it went back to a checkpoint is not in the lineage.
    """

    origin: str
    before: Totals = field(default_factory=Totals)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The statement of a model's checkpoint on the energy that led to it.

    Args:
        origin: The run that the training began with.
        run_id: The run that wrote the checkpoint.
        project: The project of that run.
        lineage: The totals that led to this checkpoint.
        attempts: Every attempt that was known then, the writer included.
    """

    origin: str
    run_id: str
    project: str
    lineage: Totals
    attempts: tuple[Attempt, ...] = ()


def totals_of(record: RunRecord) -> Totals:
    """The totals of a run alone, without earlier attempts."""
    return Totals(
        microjoules_of(record.energy.total_joules),
        record.carbon.grams_co2e,
        record.steps,
        record.samples,
        record.tokens,
    )


def attempt_of(record: RunRecord, status: str | None = None) -> Attempt:
    """A run as an attempt at its training.

    Args:
        record: The record of the run.
        status: Its status, where that is known better.
    """
    return Attempt(record.run_id, record.project, totals_of(record), status or record.status)


def merged(*lists: Iterable[Attempt]) -> tuple[Attempt, ...]:
    """Every attempt once, in the order of their first mention.

    Each has the largest totals in any list, and the first status given for it.
    """
    known: dict[str, Attempt] = {}
    for attempt in (attempt for attempts in lists for attempt in attempts):
        first = known.get(attempt.run_id, attempt)
        status = attempt.status if first.status == UNKNOWN else first.status
        known[attempt.run_id] = replace(first, totals=attempt.totals.at_least(first.totals), status=status)
    return tuple(known.values())


def resumed_at(checkpoint: Checkpoint, run_id: str, now: Totals) -> Resumed:
    """The lineage of a run that continues from a checkpoint.

    Args:
        checkpoint: The checkpoint.
        run_id: The run that loads it.
        now: The totals of that run by then. They belong to the lineage if they were for setting up; if steps were
            taken, or if the run goes back to a checkpoint of its own, they led nowhere.
    """
    lost = now.steps > 0 or run_id == checkpoint.run_id
    return Resumed(checkpoint.origin, checkpoint.lineage.plus(now, -1) if lost else checkpoint.lineage)


def with_lineage(record: RunRecord, resumed: Resumed | None) -> RunRecord:
    """The record of a run that continues an earlier training; of the attempts, it lists only itself.

    Args:
        record: The record.
        resumed: The earlier training; ``None`` where there is none.
    """
    if resumed is None:
        return record
    lineage = resumed.before.plus(totals_of(record))
    return with_attempts(replace(record, origin=resumed.origin, lineage=lineage), ())


def with_attempts(record: RunRecord, attempts: Sequence[Attempt]) -> RunRecord:
    """The record of a resumed run with all attempts at its training and their total.

    Args:
        record: The record; that of a run that was not resumed stays as it is.
        attempts: The known attempts; the record replaces that of its own run.
    """
    if record.origin is None or record.lineage is None:
        return record
    others = [attempt for attempt in attempts if attempt.run_id != record.run_id]
    every = merged(others, [attempt_of(record)])
    spent = Totals()
    for attempt in every:
        spent = spent.plus(attempt.totals)
    total = spent.at_least(record.lineage)
    return replace(
        record,
        waste=with_lost(record.waste, lost_work(record.lineage, total)),
        attempts=tuple(
            Attempt(attempt.run_id, None, Totals(attempt.totals.microjoules, attempt.totals.grams_co2e), attempt.status)
            for attempt in every
        ),
        spent=total,
    )


def checkpoint_at(record: RunRecord, attempts: Sequence[Attempt] = (), pending: Totals | None = None) -> Checkpoint:
    """The statement of a checkpoint that is written now.

    Args:
        record: The record of the run so far.
        attempts: The other known attempts.
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
    """A checkpoint's statement as plain values (JSON types only), as ``torch.load(weights_only=True)`` allows them."""
    return {
        "schema": CHECKPOINT_SCHEMA,
        "origin": checkpoint.origin,
        "run_id": checkpoint.run_id,
        "project": checkpoint.project,
        "lineage": plain(checkpoint.lineage),
        "attempts": [attempt_mapping(attempt) for attempt in checkpoint.attempts],
    }


def checkpoint_of(values: object) -> Checkpoint:
    """Read the statement of a checkpoint; unknown keys are ignored, and most others may be missing.

    Args:
        values: The result of :func:`checkpoint_mapping` of this or an earlier version; not trusted.

    Raises:
        RecordError: It is something else, or has a newer schema.
    """
    with reading("the state of a meter"):
        told = mapping(values)
        check_schema(told, CHECKPOINT_SCHEMA, "it")
        run_id, project = at(told, "run_id", name), at(told, "project", name)
        lineage = at(told, "lineage", _totals_from)
        # Without a list of attempts, the whole lineage counts as a single attempt, so none of it is missing.
        whole_way: tuple[Attempt, ...] = (Attempt(run_id, project, lineage),)
        attempts = at_or(told, "attempts", partial(each, reader=_attempt_from), default=whole_way)
        return Checkpoint(at_or(told, "origin", name, default=run_id), run_id, project, lineage, merged(attempts))


def attempt_mapping(attempt: Attempt) -> dict[str, Any]:
    """An attempt as plain values."""
    # The status at the time of writing does not tell how the attempt ended.
    return {"run_id": attempt.run_id, "project": attempt.project, **plain(attempt.totals)}


def attempt_from(values: object) -> Attempt:
    """Read an attempt at a training.

    Raises:
        RecordError: It is no attempt.
    """
    with reading("an attempt at a training"):
        return _attempt_from(values)


def resumed_from(values: object) -> Resumed:
    """Read a journal's statement on the training that its run continues."""
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
