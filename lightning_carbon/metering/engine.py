"""The engine: starts the sampler, takes marks from the training, and turns readings into rows and a record.

The training's thread does only what it must: a step or a phase is one stamp appended to a queue. Attribution runs when
a row is asked for, and about twice a second on a thread beside it, so memory stays flat whatever the logging cadence.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Self

from lightning_carbon.energy.attribution import Attribution, Mark, StepEnergy, Tally
from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.energy.readings import Kind
from lightning_carbon.errors import ConfigError, RecordError, SourceLost, UsageError
from lightning_carbon.ledger.writer import RunWriter
from lightning_carbon.metering.probe import Probe
from lightning_carbon.metering.sampler import Sampler, Sampling
from lightning_carbon.metering.sums import (
    Sums,
    beat_of,
    facts_of,
    height_of,
    others_height,
    others_sums,
    own_sums,
    roots_of,
    row_of,
)
from lightning_carbon.records.journal import JOURNAL_SCHEMA, Header
from lightning_carbon.records.lineage import (
    Checkpoint,
    Resumed,
    checkpoint_at,
    checkpoint_mapping,
    checkpoint_of,
    resumed_at,
    totals_of,
)
from lightning_carbon.records.power_profile import Heights, PowerProfile, power_profile_of
from lightning_carbon.records.run import RunRecord, Status
from lightning_carbon.records.totals import Totals
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from lightning_carbon.metering.adapters import Adapters
    from lightning_carbon.ports import StepClock
    from lightning_carbon.records.journal import Beat, RankPart
    from lightning_carbon.records.rows import Row
    from lightning_carbon.settings import MeterConfig

GAUGE_GAP_NS = 2 * NANOSECONDS_PER_SECOND
"""Two readings of a gauge further apart than this, and than five intervals, do not cover the time between them."""

_BEATS_A_LOOK = 64
"""Every so many beats it is looked who else uses a GPU."""
_FIRST_LOOK = 4
"""The beat of the first look, about a second after the start."""
_LOOK_SECONDS = 0.1
"""How long a beat waits for such a look at most."""

_PRUNED = "TrialPruned"
"""What Optuna raises to end a trial (``optuna.TrialPruned``); it need not be installed."""

_CHECK_EVERY_NS = NANOSECONDS_PER_SECOND // 2

logger = logging.getLogger("lightning_carbon")


class _State(Enum):
    NEW = auto()
    RUNNING = auto()
    CLOSED = auto()


class Engine:
    """Meters one run.

    Args:
        config: What the user set.
        assemble: Makes the adapters; called at the start, so that hardware is touched in the process that trains.
        sampling: Makes the sampler: a thread, save in tests that move the clock themselves.
    """

    def __init__(
        self,
        config: MeterConfig,
        assemble: Callable[[MeterConfig], Adapters],
        sampling: Callable[[Sequence[Probe], Sampling], Sampler] = Sampler,
    ) -> None:
        self._config = config
        self._assemble = assemble
        self._sampling = sampling
        self._state = _State.NEW
        self._lock = threading.RLock()
        self._marks: deque[Mark] = deque()
        self._open_marks: deque[tuple[object, Mark]] = deque()
        self._step_clock: StepClock | None = None
        self._phase = Phase.OTHER
        self._part_of: dict[Phase, Part] = {}
        self._warned: set[str] = set()
        self._record: RunRecord | None = None
        self._loaded: Checkpoint | None = None
        self._resumed: Resumed | None = None
        self._steps_per_epoch: float | None = None
        self._trouble: SourceLost | None = None
        self._beats = 0
        self._look: threading.Thread | None = None
        self._check_ns = 0
        self._now_ns: Callable[[], int] = time.monotonic_ns

    # -- the run ----------------------------------------------------------------------------------------------------

    def start(self, phase: Phase | str = Phase.OTHER) -> Self:
        """Find the sensors, take the first readings and start sampling.

        Args:
            phase: The phase that the run begins in.

        Raises:
            UsageError: It was started before: a meter meters one run.
            ConfigError: ``devices`` names a device that is not there.
            LedgerError: The ledger cannot be written.
        """
        if self._state is not _State.NEW:
            message = "this meter was started before; a meter meters one run, so make another one"
            raise UsageError(message)
        self._phase = _phase(phase)
        parts = self._parts = self._assemble(self._config)
        clock = parts.clock
        self._pid = os.getpid()
        self._now_ns = clock.now_ns
        self._started_at = clock.wall_seconds()
        gap_ns = max(GAUGE_GAP_NS, 5 * round(self._config.interval_seconds * NANOSECONDS_PER_SECOND))
        self._probes = [Probe(one.port, clock, gap_ns) for one in parts.findings if one.port is not None]
        self._sensors = [probe.sensor for probe in self._probes]
        self._roots = roots_of(self._sensors)
        self._gpus = [index for index, one in enumerate(self._sensors) if one.domain.kind is Kind.GPU]
        self._lines: list[str] = []
        self._sampler = self._sampling(
            self._probes,
            Sampling(clock, self._config.interval_seconds, self._lock, self._keep_house, self._note_loss),
        )
        if parts.findings and not self._probes:
            self._warn("nothing", "nothing can be metered on this machine; `lightning-carbon doctor` says why")
        self._sampler.read_first()
        self._step_clock = parts.step_clock
        if self._step_clock is not None:
            self._step_clock.poll()  # most likely the device has nothing to do yet: its clock is known from here
        self._begin()
        self._before = Sums({})
        self._heights, self._others_heights = Heights(), Heights()
        self._others_noted: list[RankPart] = []
        self._writer = RunWriter(
            parts.store, parts.identity, self._header(), per_step=self._config.per_step, warn=self._warn
        )
        if self._loaded is not None:
            self._resume(self._loaded)
        self._writer.open(self._beat(Status.RUNNING))
        self._begin()  # what the ledger's disk took, tens of milliseconds on a busy one, is no part of the training
        self._sampler.start()
        self._state = _State.RUNNING
        atexit.register(self._at_exit)
        return self

    def _begin(self) -> None:
        """Let the run begin now, with nothing used."""
        self._start_ns = self._now_ns()
        self._attribution = Attribution(
            [probe.timeline for probe in self._probes],
            self._start_ns,
            self._phase,
            self._note_step if self._config.per_step else None,
            detailed=self._config.detail == "step",
        )
        self._whole = self._empty(self._start_ns)
        self._since_row = self._empty(self._start_ns)

    def stop(self, status: Status | str = Status.COMPLETED) -> RunRecord:
        """End the run: wait for the counters' next jump, 0.3 s at most, and write the record. Never raises.

        Args:
            status: How it ended.

        Returns:
            The record; the same one when called again.

        Raises:
            UsageError: It was never started.
        """
        if self._state is _State.NEW:
            message = "this meter was never started: call start(), or use it in a `with` statement"
            raise UsageError(message)
        if self._record is not None:
            return self._record
        self._state = _State.CLOSED
        end_ns = self._now_ns()
        try:
            if self._step_clock is not None:
                self._step_clock.flush()
            end_ns = self._now_ns()
            atexit.unregister(self._at_exit)
            self._sampler.finish(end_ns)
        finally:  # who presses Ctrl-C again, or is told to end again, while this waits, has a record all the same
            with self._lock:
                for probe in self._probes:
                    probe.timeline.close(end_ns)
                self._settle(end_ns)
                self._heights.note(height_of(self._whole, self._sensors, self._roots))
                beat, lines = self._beat(Status(status)), self._take_lines()
            self._record = self._writer.close(beat, lines)
            self._note_others()
        return self._record

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, with a status that tells how the block ended."""
        self.stop(status_of(kind))

    # -- marks ------------------------------------------------------------------------------------------------------

    def step_done(self, samples: int | None = None, tokens: int | None = None) -> None:
        """Say that a training step has ended. Costs a few microseconds, reads nothing and waits for nothing.

        Args:
            samples: How many samples it had, if known.
            tokens: How many tokens it had, if known.

        Raises:
            SourceLost: With ``strict=True`` only: a sensor was lost since the last call.
        """
        if self._state is not _State.RUNNING:
            self._warn("step", f"step_done() {self._when()} is not counted")
            return
        now_ns = self._mark(Mark(self._now_ns(), None, samples, tokens))
        if now_ns >= self._check_ns:
            self._check(now_ns)

    @contextmanager
    def phase(self, name: Phase | str) -> Iterator[None]:
        """Attribute what happens inside a ``with`` block to a phase; blocks may be nested.

        Args:
            name: ``setup``, ``sanity``, ``train``, ``validate``, ``test``, ``predict``, ``checkpoint`` or ``other``.

        Raises:
            ConfigError: There is no such phase.
        """
        outer = self.enter(name)
        try:
            yield
        finally:
            self.enter(outer)

    def tell_epoch(self, steps: float) -> None:
        """Say how many steps an epoch has, so that what is measured can be projected to epochs; costs nothing.

        Args:
            steps: Steps of the optimizer; what is not above 0 or not finite is not known.
        """
        self._steps_per_epoch = float(steps) if 0 < steps < float("inf") else None

    def enter(self, name: Phase | str) -> Phase:
        """Go over to a phase, from now on.

        Returns:
            The phase that ends here.

        Raises:
            ConfigError: There is no such phase.
            SourceLost: With ``strict=True`` only: a sensor was lost since the last call.
        """
        phase = _phase(name)
        outer = self._phase
        if self._state is not _State.RUNNING:
            self._warn("phase", f"a phase {self._when()} is not counted")
            return outer
        if phase is not outer:
            now_ns = self._mark(Mark(self._now_ns(), phase))
            self._phase = phase
            self._check(now_ns)
        return outer

    @contextmanager
    def part(self, name: Part | str) -> Iterator[None]:
        """Attribute what happens inside a ``with`` block to a part of the present phase; blocks may be nested.

        Only with ``detail="step"``; else it does nothing.

        Args:
            name: ``data``, ``forward``, ``backward``, ``optimizer`` or ``other``.

        Raises:
            ConfigError: There is no such part.
        """
        outer = self.enter_part(name)
        try:
            yield
        finally:
            self.enter_part(outer)

    def enter_part(self, name: Part | str) -> Part:
        """Go over to a part of the present phase, from now on; a phase that is left and entered again goes on with it.

        Only with ``detail="step"``; else it does nothing. Costs a few microseconds, reads nothing, waits for nothing.

        Returns:
            The part that ends here.

        Raises:
            ConfigError: There is no such part.
        """
        part = _part(name)
        outer = self._part_of.get(self._phase, Part.OTHER)
        if self._config.detail == "phase":
            return outer
        if self._state is not _State.RUNNING:
            self._warn("part", f"a part {self._when()} is not counted")
        elif part is not outer:
            self._mark(Mark(self._now_ns(), part=part))
            self._part_of[self._phase] = part
        return outer

    # -- figures ----------------------------------------------------------------------------------------------------

    def row(self) -> Row:
        """What was used since the last row, up to where readings have settled it (about the last 0.1 s is not).

        What is not settled yet comes with the next row; after :meth:`stop` the last row has the rest, so the rows add
        up to the record, exactly.

        Raises:
            UsageError: It was never started.
            SourceLost: With ``strict=True`` only: a sensor was lost since the last call.
        """
        if self._state is _State.NEW:
            message = "this meter has no rows yet: call start(), or use it in a `with` statement"
            raise UsageError(message)
        with self._lock:
            if self._state is _State.RUNNING:
                self._check(self._now_ns())
                self._settle(self._settled_ns())
            tally, self._since_row = self._since_row, self._empty(self._since_row.end_ns)
            mine = own_sums(tally, self._sensors, self._roots)
            whole = own_sums(self._whole, self._sensors, self._roots)
            world_size = self._parts.ranks.world_size
            ranks = heard_of = 1
            if world_size > 1:
                parts, silent = self._writer.others, self._writer.silent
                others = others_sums(parts, self._parts.ranks.host_id, self._domains, silent)
                mine, whole = mine.plus(others).plus(self._before, -1), whole.plus(others)
                self._before = others
                heard_of += len(parts)
                ranks = heard_of - len(silent)
            config = self._config
            return row_of(
                tally,
                mine,
                whole,
                pue=config.pue,
                intensity=config.intensity,
                ranks=ranks,
                heard_of=min(1.0, heard_of / world_size),
            )

    def next_row(self) -> Row | None:
        """A row, or ``None`` as long as no step has been settled since the last one; for loggers' cadences.

        Raises:
            UsageError: It was never started.
            SourceLost: With ``strict=True`` only: a sensor was lost since the last call.
        """
        with self._lock:
            if self._state is _State.RUNNING:
                if self._step_clock is not None:
                    self._step_clock.poll()
                self._settle(self._settled_ns())
            return self.row() if self._state is _State.NEW or self._since_row.steps else None

    @property
    def record(self) -> RunRecord:
        """The record: final after :meth:`stop`; before, of what readings have settled by now.

        Raises:
            UsageError: It was never started.
        """
        if self._state is _State.NEW:
            message = "this meter has no record yet: call start(), or use it in a `with` statement"
            raise UsageError(message)
        with self._lock:
            if self._state is _State.RUNNING:
                self._settle(self._settled_ns())
            return self._record or self._writer.running(self._beat(Status.RUNNING))

    @property
    def power_profile(self) -> PowerProfile:
        """The power of the run and its phases over time, in a few hundred stretches at most, however long it was.

        After :meth:`stop`, of the whole run; of several ranks, rank 0 knows that of all. Before, up to some time ago.

        Raises:
            UsageError: It was never started.
        """
        if self._state is _State.NEW:
            message = "this meter has no power profile yet: call start(), or use it in a `with` statement"
            raise UsageError(message)
        with self._lock:
            others = self._others_heights.all()
            return power_profile_of(self._heights.all(), others if len(others) > 1 else ())

    # -- resuming ---------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint of the model should say of the energy that led to it, up to where readings have settled it.

        Steps are all counted; the energy of about the last 0.1 s, and that of other ranks' last second, is not.

        Returns:
            Plain values, as JSON and ``torch.load(weights_only=True)`` know them; empty before the start.
        """
        if self._state is _State.NEW:
            return {} if self._loaded is None else checkpoint_mapping(self._loaded)
        with self._lock:
            if self._state is _State.RUNNING and self._step_clock is not None:
                self._step_clock.poll()
            record = self.record
            return checkpoint_mapping(checkpoint_at(record, self._writer.attempts.known, self._pending()))

    def load_state_dict(self, state: object) -> None:
        """Go on with the training that a checkpoint is of, before the start or any time after it. Never raises.

        This stays a run of its own, with a record of its own. That record then has the :attr:`~RunRecord.origin` of the
        training, and the totals of its lineage and of all its attempts. A state that cannot be used is warned of once,
        and the run begins a training of its own.

        Args:
            state: What :meth:`state_dict` told when the checkpoint was written; an empty one changes nothing.
        """
        if not state:
            return
        try:
            checkpoint = checkpoint_of(state)
        except RecordError as error:
            self._warn(
                "resume", f"this run goes on without the totals of its checkpoint, which cannot be read: {error}"
            )
            return
        if self._state is _State.CLOSED:
            self._warn("resume", f"load_state_dict() {self._when()} changes nothing")
            return
        self._loaded = checkpoint
        if self._state is _State.RUNNING:
            with self._lock:
                self._settle(self._settled_ns())
                self._resume(checkpoint)

    @property
    def run_id(self) -> str:
        """The name of the run; a rank that has not learnt it yet has a name of its own for a moment.

        Raises:
            UsageError: It was never started.
        """
        return self.record.run_id if self._state is _State.NEW else self._writer.run_id

    @property
    def record_path(self) -> str | None:
        """Where the record lies; ``None`` where it could not be written, or before the start."""
        return None if self._state is _State.NEW else self._writer.location

    @property
    def is_running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._state is _State.RUNNING

    # -- inside -----------------------------------------------------------------------------------------------------

    def _mark(self, mark: Mark) -> int:
        """Note a mark on the training's thread; the moment that the program came to it."""
        clock = self._step_clock
        if clock is None:
            self._marks.append(mark)
        else:
            self._open_marks.append((clock.stamp(), mark))
        return mark.at_ns

    def _resume(self, checkpoint: Checkpoint) -> None:
        now = totals_of(self._writer.running(self._beat(Status.RUNNING))).plus(self._pending())
        self._resumed = resumed_at(checkpoint, self._writer.run_id, now)
        self._writer.attempts.resume(checkpoint)

    def _pending(self) -> Totals:
        """The steps that have ended and are not attributed yet; the lock is held."""
        totals = Totals()
        for mark in (*self._marks.copy(), *(mark for _, mark in self._open_marks.copy())):
            if mark.phase is None:
                totals = totals.plus(Totals(steps=1, samples=mark.samples, tokens=mark.tokens))
        return totals

    def _settled_ns(self) -> int:
        now_ns = self._now_ns()
        return min([now_ns, *(probe.timeline.watermark_ns for probe in self._probes)])

    def _reached(self, cut_ns: int) -> int:
        """Take over the marks that the device has got to, and go no further than the next one may turn out to be."""
        clock = self._step_clock
        if clock is None:
            return cut_ns
        while self._open_marks:
            ticket, mark = self._open_marks[0]
            at_ns = clock.resolve(ticket)
            if at_ns is None:
                return min(cut_ns, clock.earliest(ticket))
            self._open_marks.popleft()
            self._marks.append(mark._replace(at_ns=at_ns))
        return cut_ns

    def _settle(self, cut_ns: int) -> None:
        """Attribute up to a moment; the lock is held."""
        cut_ns = self._reached(cut_ns)
        tally = self._attribution.advance(self._marks, cut_ns)
        self._whole.add(tally)
        self._since_row.add(tally)
        for probe in self._probes:
            probe.timeline.trim(self._attribution.at_ns)

    def _empty(self, at_ns: int) -> Tally:
        return Tally(at_ns, at_ns, step_microjoules=[0] * len(self._probes))

    def _keep_house(self) -> None:
        """About twice a second, on a thread of its own."""
        self._beats += 1
        if self._beats % _BEATS_A_LOOK == _FIRST_LOOK:
            self._look_around()
        with self._lock:
            if self._state is not _State.RUNNING:
                return
            self._settle(self._settled_ns())
            if self._heights.wants(self._whole.end_ns - self._start_ns):
                self._heights.note(height_of(self._whole, self._sensors, self._roots))
            beat, lines = self._beat(Status.RUNNING), self._take_lines()
        self._writer.write(beat, lines)
        self._note_others()

    def _note_others(self) -> None:
        """Note what the other ranks have used, if there is news; each time costs as much as a row."""
        parts, noted = self._writer.others, self._others_noted
        if parts is noted or self._parts.ranks.rank:
            return
        if len(parts) > len(noted):
            # Who is heard of for the first time has used something by then, at no single moment.
            self._others_heights = Heights()
        height = others_height(parts, self._parts.ranks.host_id, self._domains, self._writer.silent)
        if height is not None:
            self._others_heights.note(height)
        self._others_noted = parts

    def _look_around(self) -> None:
        """See who else uses a GPU, on a thread for that alone: a driver that hangs must not hold up the journal."""
        if self._look is not None and self._look.is_alive():
            return
        self._look = threading.Thread(target=self._tell_neighbours, name="lightning-carbon-look", daemon=True)
        self._look.start()
        self._look.join(_LOOK_SECONDS)

    def _tell_neighbours(self) -> None:
        try:
            neighbours = self._parts.neighbours()
        except Exception:
            logger.debug("cannot tell who else uses a GPU", exc_info=True)
            return
        if neighbours:
            self._warn("neighbours", neighbours)

    def _check(self, now_ns: int) -> None:
        """Twice a second at most, on the training's thread: see whether a reading hangs, and tell trouble if strict."""
        self._check_ns = now_ns + _CHECK_EVERY_NS
        self._sampler.check()
        if self._step_clock is not None:
            self._step_clock.poll()
        trouble, self._trouble = self._trouble, None
        if trouble is not None and self._config.strict:
            raise trouble

    def _note_loss(self, probe: Probe) -> None:
        message = f"{probe.sensor.domain.name} is no longer metered: {probe.lost}"
        self._trouble = SourceLost(message)
        self._check_ns = 0
        self._warn(f"lost {probe.sensor.domain.id}", f"{message}; the record says so, and training goes on")

    def _note_step(self, step: StepEnergy) -> None:
        total = sum(step.microjoules[index] for index in self._roots) / MICROJOULES_PER_JOULE
        gpu = sum(step.microjoules[index] for index in self._gpus) / MICROJOULES_PER_JOULE
        gpu_text = f"{gpu:.6f}" if self._gpus else ""
        total_text = f"{total:.6f}" if self._roots else ""
        self._lines.append(f"{step.step},{step.phase},{step.start_ns},{step.end_ns},{gpu_text},{total_text}")

    def _take_lines(self) -> list[str]:
        lines, self._lines = self._lines, []
        return lines

    def _beat(self, status: Status) -> Beat:
        lost, lost_at_ns = [probe.lost for probe in self._probes], [probe.lost_at_ns for probe in self._probes]
        beat = beat_of(self._whole, lost, lost_at_ns, self._parts.clock.wall_seconds(), status)
        return replace(beat, resumed=self._resumed, steps_per_epoch=self._steps_per_epoch)

    def _header(self) -> Header:
        parts, config = self._parts, self._config
        self._domains = tuple(facts_of(sensor) for sensor in self._sensors)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._started_at))
        return Header(
            schema=JOURNAL_SCHEMA,
            run_id=f"{stamp}-{os.urandom(4).hex()}",
            project=config.project,
            run_name=config.run_name,
            rank=parts.ranks.rank,
            local_rank=parts.ranks.local_rank,
            world_size=parts.ranks.world_size,
            host_id=parts.ranks.host_id,
            pid=self._pid,
            pid_started=parts.pid_started,
            started_at=self._started_at,
            host=dict(parts.host),
            domains=self._domains,
            absent=tuple(finding for finding in parts.findings if finding.port is None),
            intensity=config.intensity,
            pue=config.pue,
            pid_namespace=parts.pid_namespace,
        )

    def _when(self) -> str:
        return "before start()" if self._state is _State.NEW else "after stop()"

    def _warn(self, key: str, message: str) -> None:
        if key not in self._warned:
            self._warned.add(key)
            logger.warning(message)

    def _at_exit(self) -> None:
        """Close the record of a run that nobody stopped; not in a forked child, which is not metered."""
        if os.getpid() == self._pid and self._state is _State.RUNNING:
            error = getattr(sys, "last_value", None)
            self.stop(Status.INTERRUPTED if error is None else status_of(type(error)))


def status_of(error: type[BaseException] | None) -> Status:
    """The status of a run that ended by an exception of this type, or by none."""
    if error is None:
        return Status.COMPLETED
    if any(base.__name__ == _PRUNED for base in error.__mro__):
        return Status.PRUNED
    return Status.FAILED if issubclass(error, Exception) else Status.INTERRUPTED


def _phase(name: Phase | str) -> Phase:
    try:
        return Phase(name)
    except ValueError:
        raise ConfigError("phase", name, f"give one of {', '.join(Phase)}.") from None


def _part(name: Part | str) -> Part:
    try:
        return Part(name)
    except ValueError:
        raise ConfigError("part", name, f"give one of {', '.join(Part)}.") from None
