"""A run under way: its probes, its marks, its usage so far, and what the ledger gets of it.

A run is made whole at the start, and goes on until :meth:`Run.end`. Everything attributed so far is a single value that
is replaced as a whole. So a signal's handler that ends the run, whatever it interrupts, finds a mark attributed wholly
or not at all.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from lightning_carbon.errors import LedgerError, LedgerLost, SourceLost
from lightning_carbon.ledger.writer import RunWriter
from lightning_carbon.metering.beats import HOST_ALONE, beat_of, header_of
from lightning_carbon.metering.budget_stop import stop_of
from lightning_carbon.metering.course import CourseNotes
from lightning_carbon.metering.insisting import insist
from lightning_carbon.metering.marks import NotedMark, ready_marks, steps_after
from lightning_carbon.metering.modules import modules_of
from lightning_carbon.metering.neighbours import NeighbourWatch
from lightning_carbon.metering.probes import probes_of
from lightning_carbon.metering.row_maker import RowMaker
from lightning_carbon.metering.sampling import Sampling
from lightning_carbon.metering.settled import Settled, nothing_yet
from lightning_carbon.metering.step_lines import lines_of, roots_at
from lightning_carbon.records.journal import RankPart
from lightning_carbon.records.lineage import resumed_at, totals_of
from lightning_carbon.records.merging import record_of
from lightning_carbon.records.run import Status
from lightning_carbon.records.totals import Totals
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning_carbon.energy.attribution import MarkFields, StepEnergy, Usage
    from lightning_carbon.energy.readings import Sensor
    from lightning_carbon.metering.adapters import Adapters
    from lightning_carbon.metering.outlook import Outlook
    from lightning_carbon.metering.probe import Probe
    from lightning_carbon.metering.sampler import Sampler
    from lightning_carbon.metering.sums import Hardware
    from lightning_carbon.records.journal import Beat
    from lightning_carbon.records.lineage import Checkpoint, Resumed
    from lightning_carbon.records.power_profile import PowerProfile
    from lightning_carbon.records.rows import Row
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.settings import MeterConfig

_CHECK_EVERY_NS = _TRIM_EVERY_NS = NANOSECONDS_PER_SECOND // 2

logger = logging.getLogger("lightning_carbon")


class Run:
    """A run, from its first readings to its record.

    Args:
        config: The settings, checked.
        adapters: The concrete adapters.
        sampling: Makes the sampler.
        phase: The phase that the run begins in.
        warn: Called on trouble, with a key, for which a single message is shown, and the message.
        outlook: The plan and the forecast of the run.
    """

    def __init__(
        self,
        config: MeterConfig,
        adapters: Adapters,
        *,
        sampling: Callable[[Sequence[Probe], Sampling], Sampler],
        phase: str,
        warn: Callable[[str, str], None],
        outlook: Outlook,
    ) -> None:
        clock = adapters.clock
        self._config, self._adapters = config, adapters
        self._warn, self._outlook = warn, outlook
        self.now_ns = clock.now_ns
        self.lock = threading.RLock()
        self.check_ns = 0
        self._trouble: SourceLost | LedgerLost | None = None
        started_at = clock.wall_seconds()
        outlook.phase = phase
        self._probes = probes_of(adapters.findings, clock, config.interval_seconds, phase=lambda: outlook.phase)
        is_sparse = config.detail == "phase" and not config.per_step
        told = Sampling(clock, config.interval_seconds, self.lock, self._keep_house, self._note_loss, is_sparse)
        self._sampler = sampling(self._probes, told)
        self._is_sampled = True
        # Another rank of this host may meter the host, and leave nothing for this rank.
        if adapters.findings and not self._probes and adapters.ranks.meters_host:
            warn("nothing", "nothing can be metered on this machine; `lightning-carbon doctor` says why")
        self._sampler.read_first()
        self._step_clock = adapters.step_clock
        if self._step_clock is not None:
            self._step_clock.poll()  # most likely the device is still idle: its clock is known from here
        self._header = header_of(config, adapters, self.sensors, started_at=started_at)
        self.writer = RunWriter(
            adapters.store, adapters.identity, self._header, per_step=config.per_step, warn=self._warn_of_ledger
        )
        self._serials = itertools.count(1)
        self._marks: deque[NotedMark] = deque()
        self._timelines = [probe.timeline for probe in self._probes]
        self._settled = nothing_yet(self._timelines, self.now_ns(), phase, detailed=config.detail != "phase")
        self.modules = modules_of(config, clock, self._step_clock)
        self._trim_ns = 0
        self._rows = RowMaker(config, self._header, self._probes, outlook=outlook)
        self._rows.pricing.follow(adapters.live, self.writer.keep_series)
        self._course = CourseNotes(outlook.metrics)
        self._resumed: Resumed | None = None
        self._neighbours = NeighbourWatch(adapters.neighbours, warn)
        self.budget_stop = stop_of(outlook, self.writer, adapters.ranks, config=config, hurry=self._hurry)
        adapters.follow_trial(outlook.note_outcome, lambda: self.record)
        self.lap_numbers = itertools.count(1)
        self.is_over = False
        self._ended_as: Status | None = None
        self.record: RunRecord | None = None

    def begin(self, phase: str, checkpoint: Checkpoint | None) -> None:
        """Open the ledger, and begin to sample.

        Args:
            phase: The phase that the run begins in.
            checkpoint: The checkpoint that it continues from, if any.

        Raises:
            LedgerError: With ``strict=True`` only: the ledger cannot be written.
        """
        if checkpoint is not None:
            self.resume(checkpoint)
        try:
            self.writer.open(self._beat(Status.RUNNING))
        except LedgerError as error:
            if self._config.strict:
                raise
            self.writer.warn_of(error)
        # The time of the ledger's disk, tens of milliseconds on a busy disk, is no part of the training.
        self._settled = nothing_yet(self._timelines, self.now_ns(), phase, detailed=self._config.detail != "phase")
        try:
            self._sampler.start()
        except RuntimeError as error:
            self._is_sampled = False
            self._warn("thread", f"sensors are read at the start and the end alone, without a thread: {error}")

    # -- marks ------------------------------------------------------------------------------------------------------

    def mark(self, mark: MarkFields) -> None:
        """Note a mark on the training's thread, at the moment when the program reached it."""
        ticket = None if self._step_clock is None else self._step_clock.stamp()
        self._marks.append((next(self._serials), ticket, mark))
        if self.modules.is_watching:
            self.modules.note(ticket, mark)

    def check(self, now_ns: int) -> None:
        """See whether a reading hangs, and raise trouble if strict; on the training's thread, twice a second at most.

        Raises:
            SourceLost: With ``strict=True`` only: a sensor was lost since the last call; or ``LedgerLost``, the ledger.
        """
        self.check_ns = now_ns + _CHECK_EVERY_NS
        with suppress(RuntimeError):  # no thread is free to take over from a hanging thread; the next check tries again
            self._sampler.check()
        self.poll()
        trouble, self._trouble = self._trouble, None
        if trouble is not None and self._config.strict:
            raise trouble
        if self.budget_stop is not None:
            self.budget_stop.check()

    def mark_edge(self, mark: MarkFields) -> None:
        """Note a mark around which readings have to be close: the begin of a phase, or a moment asked for later."""
        self.mark(mark)
        self._sampler.note_edge(mark[0])

    def settle_for_row(self) -> None:
        """Attribute as far as readings have settled, for a row; the lock is held."""
        self._sampler.note_row(self.now_ns())
        self.settle()

    def poll(self) -> None:
        """See how far the device has got."""
        if self._step_clock is not None:
            self._step_clock.poll()

    # -- figures ----------------------------------------------------------------------------------------------------

    @property
    def sensors(self) -> list[Sensor]:
        """The present sensor of each metered domain."""
        return [probe.sensor for probe in self._probes]

    @property
    def usage(self) -> Usage:
        """The usage attributed since the start."""
        return self._settled.usage

    def settle(self, cut_ns: int | None = None) -> None:
        """Attribute up to a moment, by default as far as readings have settled; the lock is held."""
        if cut_ns is None:
            cut_ns = min(self.now_ns(), self._sampler.watermark_ns())
        is_done = False
        while not is_done:  # again, where a signal's handler has settled in between, whose work counts
            settled = self._settled
            is_done = self._replace(settled, self._advanced(settled, cut_ns))
        serial, marks = self._settled.serial, self._marks
        with suppress(IndexError):  # none is left, or a signal's handler has taken the last off in between
            while marks[0][0] <= serial:
                marks.popleft()
        at_ns = self._settled.attribution.at_ns
        if at_ns >= self._trim_ns:
            self._trim_ns = at_ns + _TRIM_EVERY_NS
            at_ns = self.modules.settle(at_ns, self._timelines, partial(roots_at, self.usage, self.sensors))
            for timeline in self._timelines:
                timeline.trim(at_ns)

    def _replace(self, known: Settled, new: Settled) -> bool:
        """Put a later state in the place of a known state; CPython runs no handler between the look and the step."""
        if self._settled is known:
            self._settled = new
            return True
        return False

    def _advanced(self, settled: Settled, cut_ns: int) -> Settled:
        marks, cut_ns = ready_marks(self._marks, settled.serial, cut_ns, clock=self._step_clock)
        if not marks and cut_ns <= settled.usage.end_ns:
            return settled
        ready = len(marks)
        steps: list[StepEnergy] = []
        attribution = settled.attribution.copy(steps.append if self._config.per_step else None)
        usage = settled.usage.plus(attribution.advance(marks, cut_ns))
        slowest_ns = max((probe.cadence_ns or 0 for probe in self._probes), default=0) if steps else 0
        lines = [*settled.lines, *lines_of(steps, usage, self.sensors, cadence_ns=slowest_ns)]
        return Settled(attribution, usage, lines, settled.serial + ready - len(marks))

    def pending(self) -> Totals:
        """The steps that have ended and are not attributed yet; the lock is held."""
        return steps_after(self._settled.serial, self._marks.copy())

    @property
    def has_row(self) -> bool:
        """Whether a step has been settled since the last row."""
        return self.usage.steps > self._rows.steps

    def row(self) -> Row:
        """The row since the last row; the lock is held."""
        now, is_over, writer = self._adapters.clock.wall_seconds(), self.record is not None, self.writer
        return self._rows.row(self.usage, writer.others, writer.silent, at_seconds=now, is_over=is_over)

    def parts(self) -> list[RankPart]:
        """The part of this rank so far, and those of the others as last written; the lock is held."""
        beat = beat_of(self.usage, self._probes, self._adapters.clock.wall_seconds(), status=Status.RUNNING)
        return [RankPart(self._header, beat), *self.writer.others]

    def hardware(self, parts: Sequence[RankPart]) -> Hardware:
        """The hardware of these ranks, kept until another rank is heard of."""
        return self._rows.hardware(parts)

    def record_so_far(self) -> RunRecord:
        """The record of everything settled so far; the lock is held."""
        return self.record or self.writer.running(self._beat(Status.RUNNING))

    def power_profile(self) -> PowerProfile:
        """The power of the run over time."""
        with self.lock:
            return self._course.profile()

    def resume(self, checkpoint: Checkpoint) -> None:
        """Continue from a checkpoint."""
        now = totals_of(self.writer.running(self._beat(Status.RUNNING))).plus(self.pending())
        self._resumed = resumed_at(checkpoint, self.writer.run_id, now)
        self.writer.attempts.resume(checkpoint)

    # -- the end ----------------------------------------------------------------------------------------------------

    def end(self, status: Status) -> RunRecord:
        """Take the last readings and close the record. Only raises interruptions from outside, at the end.

        Args:
            status: How the run ended. Where another call interrupts this call, the first status counts.
        """
        status = self._ended_as = self._ended_as or status
        self.is_over = True
        end_ns = self.now_ns()
        try:
            self.modules.close()
            if self._step_clock is not None:
                self._step_clock.flush()
            end_ns = self.now_ns()
            self._sampler.finish(end_ns)
            if not self._is_sampled:
                self._sampler.read_now()
        except Exception:
            logger.warning("the last readings of a run could not be taken", exc_info=True)
        finally:  # Ctrl-C, or a signal, during this wait costs no record
            record = self._closed(status, end_ns)
        return record

    def _closed(self, status: Status, end_ns: int) -> RunRecord:
        """Write the record and return it; an interruption is raised afterwards."""

        def close() -> None:
            self.record = self.record or self._close(status, end_ns)

        def close_alone(error: Exception) -> None:
            # Whatever sources return or other ranks wrote, the part of this rank is recorded.
            logger.warning("the record of a run could not be completed", exc_info=error)
            self._warn("record", f"the record has this process alone, and may not be stored: {error}")
            self.record = record_of([self._own_part(status)])

        insist(close, close_alone)
        assert self.record is not None  # noqa: S101 - either of the two has made it
        return self.record

    def _close(self, status: Status, end_ns: int) -> RunRecord:
        with self.lock:
            for probe in self._probes:
                probe.timeline.close(end_ns)
            self._trim_ns = 0
            self.settle(end_ns)
            self.modules.conclude()
            self._course.note(self._own_part(status), is_last=True)
            if self.budget_stop is not None:
                self.budget_stop.see(self._own_part(status))
            part = self._own_part(status)  # priced up to the last height
            self._hand_over_lines()
        record = self.writer.close(part.beat, [])
        self._note_others()
        self.writer.keep_course(self._course.all(is_over=True))
        self._outlook.keep_outcome_by(self.writer.keep_outcome)
        return record

    # -- beside the training ----------------------------------------------------------------------------------------

    def _keep_house(self) -> None:
        """Do the housekeeping, about twice a second, on a thread of its own."""
        self._neighbours.beat()
        with self.lock:
            if self.is_over:
                return
            self.settle()
            part = self._own_part(Status.RUNNING)
            self._course.note(part)
            self._hand_over_lines()
        self.writer.write(part.beat, [])
        self._note_others()
        if self._course.is_due(part.beat.ns):
            self.writer.keep_course(self._course.all(is_over=False))
        if self.budget_stop is not None:
            self.budget_stop.look(part, self.now_ns())

    def _hurry(self) -> None:
        """Have the training's thread check at its next step."""
        self.check_ns = 0

    def _hand_over_lines(self) -> None:
        """Give the writer the settled steps; the lock is held, so none is lost in between."""
        self.writer.hold(self._settled.lines)
        self._settled = self._settled._replace(lines=[])

    def _note_others(self) -> None:
        """Note the usage of the other ranks, at rank 0, which draws that of all."""
        if not self._adapters.ranks.rank:
            own = partial(self._own_part, Status.RUNNING)
            self._course.note_others(self.writer.others, self.writer.silent, own)

    def _note_loss(self, probe: Probe) -> None:
        message = f"{probe.sensor.domain.name} is no longer metered: {probe.lost}"
        self._trouble = SourceLost(message)
        self._hurry()
        self._warn(f"lost {probe.sensor.domain.id}", f"{message}; the record says so, and training goes on")

    def _warn_of_ledger(self, key: str, message: str) -> None:
        """Pass on a warning of the writer; that it cannot write at all also counts as trouble."""
        if key == "ledger" and not self.is_over:
            self._trouble = LedgerLost(message)
            self._hurry()
        self._warn(key, message)

    def _own_part(self, status: Status) -> RankPart:
        return RankPart(self._header, self._beat(status))

    def _beat(self, status: Status) -> Beat:
        beat = beat_of(
            self.usage,
            self._probes,
            self._adapters.clock.wall_seconds(),
            status=status,
            resumed=self._resumed,
            told=self._outlook.told_by_now,
            clock_use=HOST_ALONE if self._step_clock is None else self._step_clock.use,
        )
        beat = self.modules.added_to(self._rows.pricing.told(beat, self.power_profile))
        return beat if self.budget_stop is None else self.budget_stop.told(beat)
