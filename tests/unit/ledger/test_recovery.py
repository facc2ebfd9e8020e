"""What is made of a run that nobody has closed, from values alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_carbon.ledger.journals import Journal
from lightning_carbon.ledger.recovery import (
    SILENT_ELSEWHERE_SECONDS,
    SILENT_HERE_SECONDS,
    Breath,
    Observer,
    OpenRun,
    Outcome,
    look_at,
)
from lightning_carbon.records.journal import RankPart
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import RunRecord, Status
from tests.unit.records.parts import domain, part, parts

FOLDER = Path("ledger/lisa/run")
NOW = 10_000.0
GPU = domain("gpu:0")
HERE, ELSEWHERE = "node-0:boot", "node-9:boot"


def observer(*, is_there: bool | None, host: str = HERE, namespace: int | None = None) -> Observer:
    """Looks from a host on which all processes are there, or none."""
    return Observer(host, lambda _pid, _started: is_there, lambda _folder: NOW, namespace)


def journal(rank: RankPart, silent: float = 0.0, namespace: int | None = None) -> Journal:
    """What a rank has written, so many seconds ago."""
    header = replace(rank.header, pid_namespace=namespace)
    return Journal("rank.jsonl", NOW - silent, header, replace(rank, header=header))


def found(record: RunRecord | None, *journals: Journal, written_at: float | None = NOW) -> OpenRun:
    """What lies in a folder."""
    return OpenRun(FOLDER, "record.json", record, written_at if record else None, journals)


def unchanged(record: RunRecord) -> RunRecord:
    """A ledger that knows of no other attempts."""
    return record


@pytest.mark.parametrize(
    ("is_there", "host", "namespaces", "silent", "breath"),
    [
        (True, HERE, (None, None), 1_000, Breath.ALIVE),
        (False, HERE, (4, 4), 0, Breath.DEAD),
        (False, HERE, (4, 5), 0, Breath.ALIVE),
        (False, HERE, (4, 5), SILENT_HERE_SECONDS + 1, Breath.DEAD),
        (False, HERE, (None, None), 0, Breath.ALIVE),
        (False, HERE, (None, None), SILENT_HERE_SECONDS + 1, Breath.DEAD),
        (None, HERE, (4, 4), SILENT_HERE_SECONDS + 1, Breath.ALIVE),
        (None, HERE, (4, 4), SILENT_ELSEWHERE_SECONDS + 1, Breath.DEAD),
        (False, ELSEWHERE, (4, 4), SILENT_ELSEWHERE_SECONDS - 1, Breath.ALIVE),
        (True, ELSEWHERE, (4, 4), SILENT_ELSEWHERE_SECONDS + 1, Breath.DEAD),
        (True, ELSEWHERE, (4, 4), -SILENT_ELSEWHERE_SECONDS - 1, Breath.DEAD),
    ],
)
def test_a_rank_is_dead_when_its_process_is_gone_or_it_is_silent_for_long(
    *, is_there: bool | None, host: str, namespaces: tuple[int | None, int | None], silent: float, breath: Breath
) -> None:
    """At once where numbers of processes mean the same; a process that nobody can look up is judged by silence."""
    theirs, ours = namespaces
    looker = observer(is_there=is_there, host=host, namespace=ours)

    assert breath is looker.breath(journal(part(), silent, theirs), FOLDER)


def test_a_rank_that_has_ended_is_neither() -> None:
    """Whatever has become of its process."""
    ended = part(status=Status.FAILED)

    assert Breath.ENDED is observer(is_there=False).breath(journal(ended, 1_000), FOLDER)


def test_a_journal_without_a_header_is_judged_by_silence() -> None:
    """Nobody knows whose it is."""
    torn = Journal("rank.jsonl", NOW - 50, trouble="torn")

    assert Breath.ALIVE is observer(is_there=False, namespace=4).breath(torn, FOLDER)


def test_a_dead_run_is_news_with_the_energy_of_its_beats() -> None:
    """It is interrupted, in the place of what its record said when it began."""
    rank = part(uj={GPU: 3_000_000}, steps=4)
    outcome = look_at(found(record_of([rank]), journal(rank, 1_000)), observer(is_there=False), unchanged)

    assert outcome.record is not None
    assert (True, "interrupted", 3.0) == (
        outcome.is_news,
        outcome.record.status,
        outcome.record.energy.total_joules,
    )


def test_a_living_run_is_told_and_not_kept() -> None:
    """With what it has used by now; one that has no record yet lies nowhere."""
    rank = part(uj={GPU: 3_000_000})
    living = observer(is_there=True)

    assert Outcome(record_of([rank], location="record.json")) == look_at(
        found(record_of([part()]), journal(rank)), living, unchanged
    )
    assert Outcome(record_of([rank])) == look_at(found(None, journal(rank)), living, unchanged)


def test_what_was_recovered_before_is_no_news() -> None:
    """Two readers come to the same."""
    rank = part(uj={GPU: 3_000_000})
    looker = observer(is_there=False)
    first = look_at(found(record_of([rank]), journal(rank, 1_000)), looker, unchanged)

    assert Outcome(first.record) == look_at(found(first.record, journal(rank, 1_000)), looker, unchanged)


@pytest.mark.parametrize("trouble", ["a later version wrote it", "it is of another run"])
def test_a_foreign_journal_leaves_everything_as_it_is(trouble: str) -> None:
    """Half of a run is not its record."""
    rank = part(uj={GPU: 3_000_000})
    foreign = Journal("rank.jsonl", 0.0, trouble=trouble, is_foreign=True)
    record = record_of([rank])

    assert Outcome(record) == look_at(found(record, journal(rank, 1_000), foreign), observer(is_there=False), unchanged)


@pytest.mark.parametrize(
    ("silent", "status", "is_news"),
    [(SILENT_ELSEWHERE_SECONDS - 1, "running", False), (SILENT_ELSEWHERE_SECONDS + 1, "interrupted", True)],
)
def test_a_record_without_journals_waits_for_silence(*, silent: float, status: str, is_news: bool) -> None:
    """Where nothing is known of its process."""
    record = record_of([part()])
    outcome = look_at(found(record, written_at=NOW - silent), observer(is_there=False), unchanged)

    assert outcome.record is not None
    assert (status, is_news) == (outcome.record.status, outcome.is_news)


def test_a_record_with_a_header_alone_ends_with_its_process() -> None:
    """There is no beat, so no energy is known."""
    rank = part()
    alone = Journal("rank.jsonl", NOW, replace(rank.header, pid_namespace=4), trouble="no beat")
    record = record_of([rank])

    assert Outcome(record) == look_at(found(record, alone), observer(is_there=True, namespace=4), unchanged)
    outcome = look_at(found(record, alone), observer(is_there=False, namespace=4), unchanged)
    assert outcome.record is not None
    assert ("interrupted", True) == (outcome.record.status, outcome.is_news)
    assert [Status.INTERRUPTED] == [rank.status for rank in outcome.record.ranks]


def test_a_record_that_ended_stays_as_it_is() -> None:
    """A journal that cannot be read says nothing against it."""
    record = record_of([part(status=Status.COMPLETED)])

    assert Outcome(record) == look_at(found(record), observer(is_there=False), unchanged)
    assert Outcome(None) == look_at(found(None), observer(is_there=False), unchanged)


def test_journals_that_make_no_record_are_told() -> None:
    """The record that is there is what is known."""
    rank = part(uj={GPU: 3_000_000})

    def fails(_record: RunRecord) -> RunRecord:
        message = "no such attempt"
        raise LookupError(message)

    outcome = look_at(found(record_of([rank]), journal(rank, 1_000)), observer(is_there=False), fails)

    assert Outcome(record_of([rank]), trouble="its journals make no record: no such attempt") == outcome


@given(ranks=parts(), is_there=st.booleans())
def test_no_energy_is_lost_by_recovery(ranks: list[RankPart], *, is_there: bool) -> None:
    """Whoever is dead, what the ranks wrote is what the record tells."""
    journals = [journal(rank, 1_000) for rank in ranks]
    outcome = look_at(found(record_of(ranks), *journals), observer(is_there=is_there), unchanged)

    assert outcome.record is not None
    assert record_of(ranks).energy.total_joules == outcome.record.energy.total_joules
    assert is_there or outcome.record.status != Status.RUNNING
