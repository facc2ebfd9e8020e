"""A training in several attempts: what led to its state, what was spent on it, and what checkpoints say of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.errors import RecordError
from lightning_carbon.records.journal import beat_mapping, header_mapping, part_of
from lightning_carbon.records.lineage import (
    Checkpoint,
    Resumed,
    attempt_from,
    attempt_mapping,
    attempt_of,
    checkpoint_at,
    checkpoint_mapping,
    checkpoint_of,
    merged,
    resumed_at,
    totals_of,
    with_attempts,
    with_lineage,
)
from lightning_carbon.records.mapping import from_mapping, to_mapping
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.records.totals import Attempt, Totals
from tests.unit.records.parts import domain, part
from tests.unit.records.samples import NOTHING

GPU = domain("gpu:0")
STATE: dict[str, Any] = {
    "schema": 1,
    "origin": "run-1",
    "run_id": "run-2",
    "project": "lisa",
    "lineage": {"microjoules": 5, "grams_co2e": 0.5, "steps": 3, "samples": 6, "tokens": 12},
    "attempts": [
        {"run_id": "run-1", "project": "lisa", "microjoules": 4, "grams_co2e": 0.4, "steps": 3},
        {"run_id": "run-2", "project": "lisa", "microjoules": 2, "grams_co2e": 0.2, "steps": 1},
    ],
}

totals = st.builds(
    Totals,
    st.none() | st.integers(0, 10**15),
    st.none() | st.floats(0, 1e9),
    st.integers(0, 10**9),
    st.none() | st.integers(0, 10**12),
    st.none() | st.integers(0, 10**12),
)
attempts = st.builds(Attempt, st.sampled_from(["a", "b", "c", "d"]), st.just("lisa"), totals)


def run(run_id: str, joules: int, steps: int, status: Status = Status.COMPLETED) -> RunRecord:
    """A run of its own."""
    return record_of([part(uj={GPU: joules * 10**6}, steps=steps, status=status, run_id=run_id)])


def joules(total: Totals | None) -> tuple[float | None, int]:
    """The energy and the steps of a total."""
    assert total is not None
    return total.joules, total.steps


def test_lost_work_is_spent_and_is_not_in_the_lineage() -> None:
    """100 J to a checkpoint, 60 J lost after it, 40 J from it on: the model took 140 J, and 200 J were used."""
    checkpoint = checkpoint_at(run("run-1", 100, 10, Status.RUNNING))
    died = run("run-1", 160, 16, Status.INTERRUPTED)
    second = with_lineage(run("run-2", 40, 4), resumed_at(checkpoint, "run-2", Totals()))
    record = with_attempts(second, [attempt_of(died)])

    assert "run-1" == record.origin
    assert (140.0, 14) == joules(record.lineage)
    assert (200.0, 20) == joules(record.spent)
    assert [("run-1", "interrupted", 160.0), ("run-2", "completed", 40.0)] == [
        (attempt.run_id, attempt.status, attempt.joules) for attempt in record.attempts
    ]


def test_a_run_that_goes_back_to_its_own_checkpoint() -> None:
    """What a run did between its checkpoint and going back to it is lost, though it is one run."""
    checkpoint = checkpoint_at(run("run-1", 100, 10))
    resumed = resumed_at(checkpoint, "run-1", totals_of(run("run-1", 160, 16)))
    record = with_lineage(run("run-1", 200, 20), resumed)

    assert (140.0, 14) == joules(record.lineage)
    assert (200.0, 20) == joules(record.spent)
    assert ["run-1"] == [attempt.run_id for attempt in record.attempts]


def test_setting_up_before_a_checkpoint_is_loaded_belongs_to_the_lineage() -> None:
    """A run that has taken no step when it loads another's checkpoint has lost nothing."""
    checkpoint = checkpoint_at(run("run-1", 100, 10))
    resumed = resumed_at(checkpoint, "run-2", Totals(microjoules=7))

    assert checkpoint.lineage == resumed.before


def test_a_second_resume_adds_to_the_first() -> None:
    """The lineage of a third run holds what its checkpoint says of the first two."""
    first = run("run-1", 100, 10)
    second = with_attempts(
        with_lineage(run("run-2", 40, 4), resumed_at(checkpoint_at(first), "run-2", Totals())), [attempt_of(first)]
    )
    checkpoint = checkpoint_at(second, [attempt_of(first)])
    third = with_attempts(
        with_lineage(run("run-3", 5, 1), resumed_at(checkpoint, "run-3", Totals())), checkpoint.attempts
    )

    assert "run-1" == third.origin
    assert (145.0, 15) == joules(third.lineage) == joules(third.spent)
    assert ["run-1", "run-2", "run-3"] == [attempt.run_id for attempt in third.attempts]


def test_steps_that_are_not_settled_led_to_the_checkpoint() -> None:
    """Steps whose energy is not known yet are counted in a checkpoint."""
    checkpoint = checkpoint_at(run("run-1", 100, 10), pending=Totals(steps=2))

    assert (100_000_000, 12) == (checkpoint.lineage.microjoules, checkpoint.lineage.steps)


def test_a_run_without_sensors_is_unknown_and_not_zero() -> None:
    """Where no attempt could be measured, the totals are absent; where one could, they are what it used."""
    blind = with_lineage(NOTHING, Resumed("run-1"))
    seeing = with_lineage(NOTHING, Resumed("run-1", Totals(microjoules=3_000_000, steps=2)))

    assert (None, 0) == joules(blind.lineage) == joules(blind.spent)
    assert (3.0, 2) == joules(seeing.lineage)


def test_a_run_that_was_not_resumed_stays_as_it_is() -> None:
    """Without a checkpoint there is no origin, and nothing about attempts."""
    record = run("run-1", 100, 10)

    assert record == with_lineage(record, None) == with_attempts(record, [Attempt("run-0", "lisa")])


@given(totals, totals, st.lists(attempts))
def test_spent_is_never_less_than_the_lineage(before: Totals, now: Totals, others: list[Attempt]) -> None:
    """Whatever is known of the attempts, and however often a run goes back, no figure of the lineage exceeds spent."""
    record = run("e", 100, 10)
    assert record.energy.total_joules is not None
    now = Totals(min(now.microjoules or 0, 10**8), 0.0, min(now.steps, 10))
    checkpoint = Checkpoint("a", "b", "lisa", before)
    done = with_attempts(with_lineage(record, resumed_at(checkpoint, "e", now)), others)
    assert done.spent is not None
    assert done.lineage is not None

    for name in ("joules", "grams_co2e", "steps", "samples", "tokens"):
        assert (getattr(done.spent, name) or 0) >= (getattr(done.lineage, name) or 0)


@given(st.lists(attempts), st.lists(attempts))
def test_merging_attempts_does_not_depend_on_who_tells(first: list[Attempt], second: list[Attempt]) -> None:
    """Every attempt once, in the order of their first mention; merging again changes nothing."""
    both = merged(first, second)

    assert both == merged(both, second, first, both)
    assert set(both) == set(merged(second, first))
    assert list(dict.fromkeys(attempt.run_id for attempt in [*first, *second])) == [attempt.run_id for attempt in both]


def test_the_ledgers_word_on_how_an_attempt_ended_counts() -> None:
    """A status that is known is not replaced by one that is not."""
    known, unknown = attempt_of(run("a", 1, 1)), Attempt("a", "lisa", Totals(steps=9))

    assert [("completed", 9)] == [
        (attempt.status, attempt.totals.steps)
        for attempt in merged([unknown], [known], [replace(known, status="running")])
    ]


@given(totals, st.lists(attempts))
def test_a_checkpoint_survives_json(lineage: Totals, known: list[Attempt]) -> None:
    """What a checkpoint says comes back from JSON as it was."""
    checkpoint = Checkpoint("run-1", "run-2", "lisa", lineage, merged(known))

    assert checkpoint == checkpoint_of(json.loads(json.dumps(checkpoint_mapping(checkpoint))))


def test_an_attempt_survives_json() -> None:
    """All but how it stood when it was written down."""
    attempt = Attempt("run-1", "lisa", Totals(5, 0.5, 1, 2, 3))

    assert attempt == attempt_from(json.loads(json.dumps(attempt_mapping(replace(attempt, status="running")))))


def test_a_checkpoint_of_a_lesser_schema() -> None:
    """A state that has only what is needed is taken; what it does not say is absent, and nothing of it is lost."""
    least = {"schema": 0, "run_id": "run-1", "project": "lisa", "lineage": {"microjoules": 5, "new": "?"}, "new": []}
    checkpoint = checkpoint_of(least)
    record = with_attempts(
        with_lineage(run("run-2", 0, 1), resumed_at(checkpoint, "run-2", Totals())), checkpoint.attempts
    )

    assert ("run-1", Totals(5)) == (checkpoint.origin, checkpoint.lineage)
    assert (5e-6, 1) == joules(record.spent)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"schema": None},
        {"schema": True},
        {"run_id": None},
        {"run_id": ""},
        {"origin": "../../etc"},
        {"origin": ".."},
        {"origin": "a\nb"},
        {"project": "a/b"},
        {"project": "a" * 300},
        {"lineage": None},
        {"lineage": {"microjoules": -1}},
        {"lineage": {"microjoules": "5"}},
        {"lineage": {"grams_co2e": math.nan}},
        {"lineage": {"steps": True}},
        {"attempts": [{"run_id": "run-1"}]},
        {"attempts": ["run-1"]},
    ],
    ids=str,
)
def test_what_is_no_checkpoint_is_refused(change: dict[str, Any]) -> None:
    """A state of a newer version, of another tool, or with a name that leads out of the ledger raises."""
    checkpoint_of(STATE)

    with pytest.raises(RecordError):
        checkpoint_of({**STATE, **change})


@pytest.mark.parametrize("state", [[], "state", 5])
def test_what_is_no_mapping_is_refused(state: object) -> None:
    """A state that is something else altogether raises."""
    with pytest.raises(RecordError, match="where a mapping should be"):
        checkpoint_of(state)


def test_a_journal_knows_the_lineage() -> None:
    """The record that is built from the journals of a resumed run that died has its origin and its lineage."""
    half = part(uj={GPU: 40_000_000}, steps=4)
    resumed = Resumed("run-1", Totals(100_000_000, 1.0, 10))
    lines = [json.dumps(header_mapping(half.header)), json.dumps(beat_mapping(replace(half.beat, resumed=resumed)))]
    record = record_of([part_of(json.loads(lines[0]), json.loads(lines[1]))], status=Status.INTERRUPTED)

    assert ("run-1", (140.0, 14)) == (record.origin, joules(record.lineage))
    assert record == from_mapping(json.loads(json.dumps(to_mapping(record))))


def test_a_journal_of_before_there_was_a_lineage() -> None:
    """A beat without the key is one of a run that was not resumed."""
    half = part(uj={GPU: 40_000_000}, steps=4)
    beat = beat_mapping(half.beat)
    del beat["resumed"]

    assert half == part_of(json.loads(json.dumps(header_mapping(half.header))), json.loads(json.dumps(beat)))
