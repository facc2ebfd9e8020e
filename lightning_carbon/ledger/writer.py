"""Writing a run into the ledger: a journal of every rank while it runs, and a record of all ranks at its end.

Ranks never wait for each other, and none sends anything to another: each appends to a journal of its own in the run's
folder, and reads those of the others there. The record is built from the journals, so it is right even when a rank
died. Every rank builds it when it ends; the last to end has seen all others.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from lightning_carbon.errors import LedgerError
from lightning_carbon.ledger.attempts import Attempts
from lightning_carbon.ledger.beside import RunsBeside
from lightning_carbon.ledger.chain import Chain
from lightning_carbon.ledger.courses import COURSE_FILE
from lightning_carbon.ledger.files import reason_of, to_json
from lightning_carbon.ledger.journals import journal_name, parts_of, read_journal
from lightning_carbon.ledger.trials import TRIAL_FILE
from lightning_carbon.records.course import course_mapping
from lightning_carbon.records.journal import RankPart, beat_mapping, header_mapping
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.merging import iso, record_of
from lightning_carbon.records.run import Status
from lightning_carbon.records.totals import Totals
from lightning_carbon.records.trial import outcome_mapping
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lightning_carbon.carbon.series import IntensitySeries
    from lightning_carbon.ports import LineSink, RunIdentity, RunStore
    from lightning_carbon.records.course import Course
    from lightning_carbon.records.journal import Beat, Header
    from lightning_carbon.records.run import RunRecord

STEPS_FILE = "steps.csv"
SERIES_FILE = "intensity.csv"
"""The carbon intensities that were fetched for a run."""
STEPS_HEADER = "step,phase,start_ns,end_ns,gpu_joules,total_joules,resolution"

SILENT_SECONDS = 3.0
"""How long a rank may be silent and still count among those that report."""
_READING_SHARE = 0.01
"""The largest share of rank 0's time for reading the journals of other ranks, as that holds up the training, and many
ranks read the same file system; the rows of rank 0 are those that are logged."""
_OTHERS_READING_SHARE = 0.001
_ALONE_SECONDS = 5.0
"""How far looks for processes that join are apart, where the run has a single process."""
AGREE_SECONDS = 60.0
"""How long a rank may take to learn the name of the run before it keeps a run of its own."""
_TURN_SECONDS = 6.0
"""How long the end waits for a beat that is being written, which is longer than a disk may take before it is given
up."""
_TRIES = 3
_FIX = "make room there, or name another folder by ledger= or LIGHTNING_CARBON_LEDGER"
_MOST_HELD = 100_000
"""The most lines of steps that wait for a full disk, about 10 MB; of more, the oldest go, and the file says how
many."""


class RunWriter:
    """Writes a rank of a run into the ledger.

    Args:
        store: Where.
        identity: The way in which ranks agree on the name of the run.
        header: The header of this rank; its ``run_id`` is the name that this rank proposes.
        per_step: Whether to keep a list of steps.
        warn: Called on trouble, with a key and a message.
    """

    def __init__(
        self,
        store: RunStore,
        identity: RunIdentity,
        header: Header,
        *,
        per_step: bool,
        warn: Callable[[str, str], None],
    ) -> None:
        self._store = store
        self._identity = identity
        self._header = header
        self._per_step = per_step
        self._turn = threading.RLock()
        self._is_closed = False
        self._warn = warn
        self._run_id: str | None = None
        self._journal: LineSink | None = None
        self._chain = Chain("")
        self._steps: LineSink | None = None
        self._heading: list[str] = []
        self._held: list[str] = []
        self._dropped = self._missing = 0
        self._missing_reason = "the name of the run was not known"
        self._since = time.monotonic()
        self._patience_seconds = getattr(identity, "patience_seconds", AGREE_SECONDS)
        self._read_again = self._read_at = 0.0
        self._others: list[RankPart] = []
        self._heard: dict[int, tuple[float, float]] = {}
        self._beside = RunsBeside(store, warn)
        self.attempts = Attempts(store, header.project, header.started_at)
        self.location: str | None = None

    @property
    def run_id(self) -> str:
        """The name of the run, as far as this rank knows."""
        return self._run_id or self._header.run_id

    @property
    def others(self) -> list[RankPart]:
        """The parts of the other ranks, as of when they were last read."""
        return self._others

    @property
    def spent_before(self) -> Totals:
        """What earlier attempts at the same training have used, as far as they are known."""
        spent = Totals()
        for attempt in self.attempts.known:
            if attempt.run_id != self.run_id:
                spent = spent.plus(attempt.totals)
        return spent

    @property
    def reading_seconds(self) -> float:
        """The least time between two readings of the other ranks' journals."""
        return max(0.0, self._read_again - self._read_at)

    @property
    def silent(self) -> set[int]:
        """The ranks that should be running and have written nothing for a while: late, or dead."""
        until = self._read_at - SILENT_SECONDS
        running = (part.header.rank for part in self._others if part.beat.status == Status.RUNNING)
        return {rank for rank in running if self._heard[rank][1] < until}

    def open(self, beat: Beat) -> None:
        """Begin the journal; where the name of the run is not known yet, the first beat that knows it begins it.

        Raises:
            LedgerError: The ledger cannot be written.
        """
        name = self._identity.agree(self._header.run_id)
        if name is not None:
            self._run_id = self._untaken(name)
            self._begin(beat)
            self._append(beat)  # then a kill in the first second leaves a readable journal, too

    def write(self, beat: Beat, steps: list[str]) -> bool:
        """Write the usage so far, and read that of other ranks. Never raises; warns once.

        Args:
            beat: The usage.
            steps: Lines for the list of steps.

        Returns:
            Whether it has been written.
        """
        self.hold(steps)
        with self._turn:
            # A beat after the end is older than the last.
            return not self._is_closed and self._write(beat)

    def read_first(self) -> RankPart | None:
        """Read what rank 0 has written last; ``None`` where its journal is not there, or not whole."""
        try:
            texts = self._store.read_journals(self._header.project, self.run_id, rank=0)
        except OSError:
            return None
        journals = [read_journal(text, self._header.project, self.run_id) for text in texts]
        return next((journal.part for journal in journals if not journal.trouble), None)

    def hold(self, steps: list[str]) -> None:
        """Keep lines for the list of steps until the next write."""
        self._held += steps

    def _write(self, beat: Beat) -> bool:
        is_written = False
        try:
            if self._run_id is None:
                name = self._identity.agree(self._header.run_id)
                if name is None and time.monotonic() - self._since < self._patience_seconds:
                    self._drop_oldest()
                    return False
                self._run_id = self._untaken(name or self._header.run_id)
            if self._journal is None:
                self._begin(beat)
            self._beside.look(self._part(beat))
            self._append(self._part(beat).beat)
            is_written = True
            if self._header.rank == 0:
                self.attempts.enlist(self.run_id)
        except (LedgerError, OSError) as error:
            self.warn_of(error)
            self._missing_reason = reason_of(error)
            self._drop_oldest()
        self._read_others()
        return is_written

    def warn_of(self, error: OSError) -> None:
        """Warn, once, that the ledger cannot be written."""
        tried = "the training goes on, and so do attempts to write"
        self._warn("ledger", f"the ledger could not be written: {error}; {tried}; {_FIX}")

    def close(self, beat: Beat, steps: list[str]) -> RunRecord:
        """Write the end of this rank, and the record of all ranks. Never raises; warns once.

        Returns:
            The record.
        """
        self.hold(steps)
        has_turn = self._turn.acquire(timeout=_TURN_SECONDS)
        try:
            self._is_closed = True
            return self._close(beat)
        finally:
            if has_turn:
                self._turn.release()

    def _close(self, beat: Beat) -> RunRecord:
        if self._run_id is None:
            self._since = float("-inf")  # a rank that does not know the name by now never will
        self._beside.look(self._part(beat), is_last=True)
        self._write(beat)
        for _ in range(_TRIES):
            if self._held and self._per_step:
                self._write(beat)  # a folder that had to be made again has room for them now
        self._missing += len(self._held) if self._per_step else 0
        self.attempts.look()
        record = self._own(beat)
        try:
            for attempt in range(_TRIES):
                if attempt:
                    self.attempts.look()  # rank 0, which lists them, may have done so only now
                self._read_again = 0.0
                self._read_others()
                known = [part.beat.at for part in self._others]
                record = self.running(beat)
                self.location = self._store.save(to_mapping(record))
                self._read_again = 0.0
                self._read_others()
                if [part.beat.at for part in self._others] == known:
                    break  # no rank has ended since, which might have written a later record before this rank's
        except (LedgerError, OSError) as error:
            self.location = None  # any record there is that of the beginning
            self._warn("ledger", f"the record could not be written, and is in memory alone: {error}; {_FIX}")
        for sink in (self._journal, self._steps):
            if sink is not None:
                sink.close()
        return replace(record, location=self.location)

    def keep_course(self, course: Course) -> None:
        """Write the course of the run beside its record, at rank 0, in the place of an earlier course. Never raises.

        Nothing is said where it cannot be written: it costs figures, and no figure of the record.
        """
        if self._header.rank or self.location is None or not course.profile.strands:
            return
        with suppress(LedgerError, OSError, ValueError):
            sink = self._store.open_lines(self._header.project, self.run_id, COURSE_FILE)
            with closing(sink):
                sink.write_lines([to_json(course_mapping(course))])

    def keep_outcome(self, outcome: Mapping[str, object]) -> None:
        """Write what became of the trial beside its record, as far as it is known. Never raises, and says nothing."""
        trial = self._header.trial
        if self._header.rank or self.location is None or trial is None or not outcome:
            return
        with suppress(LedgerError, OSError, ValueError):
            sink = self._store.open_lines(self._header.project, self.run_id, TRIAL_FILE)
            with closing(sink):
                sink.write_lines([to_json(outcome_mapping(trial.sweep, outcome))])

    def keep_series(self, series: IntensitySeries) -> None:
        """Write a series beside the record, as a file that may be given again; never raises, and says nothing."""
        if self._header.rank or self.location is None:
            return
        values = zip(series.starts, series.grams, strict=True)
        lines = ["timestamp,gCO2e/kWh", *(f"{iso(at)},{grams:.6g}" for at, grams in values)]
        with suppress(LedgerError, OSError, ValueError):
            sink = self._store.open_lines(self._header.project, self.run_id, SERIES_FILE)
            with closing(sink):
                sink.write_lines([f"# {series.source}; {series.basis}; {series.signal}", *lines])

    def running(self, beat: Beat) -> RunRecord:
        """The record of the run so far."""
        if not self._others:
            return self._own(beat)
        try:
            parts = [self._part(beat), *self._others]
            return self.attempts.told(record_of(parts, location=self.location))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            self._warn("ranks", f"what the other ranks have written makes no record with this one's: {error}")
            return self._own(beat)

    def _own(self, beat: Beat) -> RunRecord:
        """The record of this rank alone."""
        return self.attempts.told(record_of([self._part(beat)], location=self.location))

    def _part(self, beat: Beat) -> RankPart:
        """What this rank has used, with what it knows of other runs on its hardware, and of its list of steps."""
        if self._beside.found:
            beat = replace(beat, overlaps=self._beside.found)
        if self._missing:
            beat = replace(beat, missing_steps=self._missing, missing_steps_reason=self._missing_reason)
        return RankPart(self._named(), beat)

    def _named(self) -> Header:
        return replace(self._header, run_id=self.run_id)

    def _begin(self, beat: Beat) -> None:
        header = self._named()
        if header.rank == 0:
            self.location = self._store.save(to_mapping(record_of([RankPart(header, beat)])))
        first = to_json(header_mapping(header))
        self._chain = Chain(first)
        self._journal = self._store.open_journal(header.project, header.run_id, header.rank, header=first)

    def _untaken(self, name: str) -> str:
        """The name, or the next name where this rank has written under it before.

        Names that ranks work out for themselves can be those of an earlier run of the same shell; every rank then finds
        its own earlier journal, and comes to the same next name.
        """
        project, rank, tries = self._header.project, self._header.rank, 1
        free = name
        while self._header.world_size > 1 and self._store.read_lines(project, free, journal_name(rank)):
            tries += 1
            free = f"{name}-{tries}"
        return free

    def _append(self, beat: Beat) -> None:
        self._chain_on(beat)
        if self._per_step:
            if self._steps is None:
                rank = self._header.rank
                file = STEPS_FILE if rank == 0 else STEPS_FILE.replace(".", f".rank-{rank:05d}.")
                self._steps = self._store.open_lines(self._header.project, self.run_id, file)
                self._heading = [STEPS_HEADER]
            told = f"# {self._dropped} steps are missing here, as they could not be written: {self._missing_reason}"
            gap = [told] if self._dropped else []
            held = [*self._held]
            self._steps.write_lines([*self._heading, *gap, *held])
            # Kept until they are written; more may have come since.
            self._heading, self._dropped = [], 0
            del self._held[: len(held)]

    def _chain_on(self, beat: Beat) -> None:
        """Append a beat to the journal, linked to the line before it."""
        if self._journal is None:
            return
        line = self._chain.link(beat_mapping(beat))
        try:
            self._journal.write_lines([line])
        except BaseException:
            self._chain.tear()
            raise
        self._chain.advance()

    def _drop_oldest(self) -> None:
        """Drop the oldest of too many lines, with a warning."""
        dropped = len(self._held) - _MOST_HELD
        if dropped > 0:
            del self._held[:dropped]
            self._dropped += dropped
            self._missing += dropped
            self._warn("steps", f"{STEPS_FILE} lacks steps that could not be written; it says where, and how many")

    def _read_others(self) -> None:
        """Read the other ranks' journals: rank 0 shows them in its rows, and every rank puts them in the record."""
        now = time.monotonic()
        if self._run_id is None or now < self._read_again:
            return
        project, run_id, mine = self._header.project, self._run_id, self._header.rank
        try:
            journals = self._store.read_journals(project, run_id)
        except OSError:
            return  # the parts read before count until they can be read again
        parts = parts_of((journal for journal in journals if journal.rank != mine), project, run_id)
        for part in parts:
            rank = part.header.rank
            # By this host's own clock, since those of other hosts may differ.
            if self._heard.get(rank, (None,))[0] != part.beat.at:
                self._heard[rank] = (part.beat.at, now)
        # A journal that cannot be read this time, or any more, is not unheard.
        known = {part.header.rank: part for part in [*self._others, *parts]}
        self._others = [known[rank] for rank in sorted(known)]
        taken = time.monotonic() - now
        self._read_at = now
        at_least = 0.0 if self._header.world_size > 1 or self._others else _ALONE_SECONDS
        share = _READING_SHARE if self._header.rank == 0 else _OTHERS_READING_SHARE
        self._read_again = now + max(at_least, taken / share)
