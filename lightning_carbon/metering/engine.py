"""The engine: the verbs of the meter and the states in which they are allowed; ``run`` does their work.

The training's thread does only what it must: a step or a phase is a stamp appended to a queue. Attribution runs when a
row is asked for, and about twice a second on a thread beside it, so memory stays flat at any logging cadence.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.errors import UsageError
from lightning_carbon.exporting.live import done
from lightning_carbon.metering.arguments import MOST_COUNTED, counted, first_phase, status_of, word_of
from lightning_carbon.metering.budget import BudgetWatch
from lightning_carbon.metering.laps import Laps
from lightning_carbon.metering.names import RunNames
from lightning_carbon.metering.outlook import Outlook, Planned
from lightning_carbon.metering.run import Run
from lightning_carbon.metering.sampler import Sampler
from lightning_carbon.metering.showing import ShownRun
from lightning_carbon.records.lineage import checkpoint_at, checkpoint_mapping, checkpoint_of
from lightning_carbon.records.run import RunRecord, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from lightning_carbon.metering.adapters import Adapters
    from lightning_carbon.metering.probe import Probe
    from lightning_carbon.metering.sampling import Sampling
    from lightning_carbon.records.lineage import Checkpoint
    from lightning_carbon.records.power_profile import PowerProfile
    from lightning_carbon.records.rows import Row
    from lightning_carbon.settings import MeterConfig

__all__ = ["Engine", "status_of"]

logger = logging.getLogger("lightning_carbon")


class Engine(Planned):
    """Meters a run.

    Args:
        config: The settings, checked.
        assemble: Makes the adapters; called at the start, in the process that trains, which alone touches the hardware.
        sampling: Makes the sampler: a thread, except in tests that move the clock themselves.
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
        self._run: Run | None = None
        self._running: Run | None = None
        self._withdraw: Callable[[], None] = done
        self._phase: str = Phase.OTHER
        self._part_of: dict[str, str] = {}
        self._warned: set[str] = set()
        self._names = RunNames(self._warn, has_parts=config.detail != "phase")
        self._loaded: Checkpoint | None = None
        self._outlook = Outlook(BudgetWatch(config, self._warn) if config.budget else None)
        self._pid = os.getpid()

    # -- the run ----------------------------------------------------------------------------------------------------

    def start(self, phase: str = Phase.OTHER) -> Self:
        """Find the sensors, take the first readings and start sampling.

        Args:
            phase: The phase that the run begins in.

        Raises:
            UsageError: It was started before, and a meter meters a single run.
            ConfigError: ``devices`` names a device that is not there, or ``phase`` cannot be a name.
            LedgerError: With ``strict=True`` only: the ledger cannot be written.
        """
        if self._run is not None:
            message = "this meter was started before; a meter meters one run, so make another one"
            raise UsageError(message)
        self._phase = self._names.phase(first_phase(self._config, phase), Phase.OTHER)
        self._pid = os.getpid()
        adapters, outlook = self._assemble(self._config), self._outlook
        run = Run(self._config, adapters, sampling=self._sampling, phase=self._phase, warn=self._warn, outlook=outlook)
        run.begin(self._phase, self._loaded)
        self._run = self._running = run
        atexit.register(self._at_exit)
        self._withdraw = adapters.publish(ShownRun(run))
        return self

    def stop(self, status: Status | str = Status.COMPLETED) -> RunRecord:
        """End the run: wait for the counters' next jump, 0.3 s at most, and write the record.

        Nothing in sources, the disk or other ranks makes it raise. Ctrl-C while it waits ends the wait; it is
        raised once the record is closed.

        Args:
            status: How it ended.

        Returns:
            The record, also when called again.

        Raises:
            UsageError: It was never started.
            ConfigError: There is no such status.
        """
        ended = word_of(Status, "status", status)
        if self._run is None:
            message = "this meter was never started: call start(), or use it in a `with` statement"
            raise UsageError(message)
        self._running = None
        record = self._run.record or self._run.end(ended)
        self._withdraw()
        atexit.unregister(self._at_exit)  # not before there is a record: this may be interrupted
        return record

    def __enter__(self) -> Self:
        """Start the run and enter the block."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the run, with a status by the way the block ended."""
        self.stop(status_of(kind))

    # -- marks ------------------------------------------------------------------------------------------------------

    def step_done(self, samples: int | None = None, tokens: int | None = None) -> None:
        """Mark the end of a training step. Costs a few microseconds, reads nothing and waits for nothing.

        Args:
            samples: The number of its samples, if known. Anything but a whole number from 0 on is not counted, with a
                warning.
            tokens: The number of its tokens, if known, under the same rule.

        Raises:
            SourceLost: With ``strict=True`` only: a sensor was lost since the last call; or ``LedgerLost``, the ledger.
            BudgetReached: The budget is used up, and ``on_budget`` says to stop; on all ranks at the same step.
        """
        run = self._running
        if run is None:
            self._warn("step", f"step_done() {self._when()} is not counted")
            return
        if samples is not None and (samples.__class__ is not int or not 0 <= samples <= MOST_COUNTED):
            samples = counted("samples", samples, self._warn)
        if tokens is not None and (tokens.__class__ is not int or not 0 <= tokens <= MOST_COUNTED):
            tokens = counted("tokens", tokens, self._warn)
        now_ns = run.now_ns()
        run.mark((now_ns, None, samples, tokens, None, None))
        if run.budget_stop is not None and run.budget_stop.step_done():
            run.check_ns = now_ns
        if now_ns >= run.check_ns:
            run.check(now_ns)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Attribute the time inside a ``with`` block to a phase; blocks may be nested.

        Args:
            name: One of :class:`Phase`, such as ``"train"``, or a name of your own, such as ``"rollout"``. Of those a
                run may have 64, parts included; further names are warned of once, and count to the phase around them.

        Raises:
            ConfigError: It cannot be a name.
        """
        outer = self.enter(name)
        try:
            yield
        finally:
            self.enter(outer)

    def enter(self, name: str) -> str:
        """Enter a phase, from now on.

        Returns:
            The phase that ends here.

        Raises:
            ConfigError: It cannot be a name.
            SourceLost: With ``strict=True`` only: a sensor was lost since the last call; or ``LedgerLost``, the ledger.
        """
        outer = self._phase
        if name is outer and self._running is not None:
            return outer
        phase = self._names.phase(name, outer)
        run = self._running
        if run is None:
            self._warn("phase", f"a phase {self._when()} is not counted")
            return outer
        if phase != outer:
            now_ns = run.now_ns()
            run.mark_edge((now_ns, phase, None, None, None, None))
            self._outlook.enter(phase, outer)
            self._phase = phase
            run.check(now_ns)
        return outer

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Attribute the time inside a ``with`` block to a part of the present phase; blocks may be nested.

        Only with ``detail="step"``; else it does nothing.

        Args:
            name: ``data``, ``forward``, ``backward``, ``optimizer``, ``other``, or a name of your own.

        Raises:
            ConfigError: It cannot be a name.
        """
        outer = self.enter_part(name)
        try:
            yield
        finally:
            self.enter_part(outer)

    def enter_part(self, name: str) -> str:
        """Enter a part of the present phase, from now on; a phase that is left and entered again goes on with it.

        Only with ``detail="step"``; else it does nothing. Costs a few microseconds, reads nothing, waits for nothing.

        Returns:
            The part that ends here.

        Raises:
            ConfigError: It cannot be a name.
        """
        outer = self._part_of.get(self._phase, Part.OTHER)
        part = self._names.part(name, self._phase, outer)
        if self._config.detail == "phase":
            return outer
        run = self._running
        if run is None:
            self._warn("part", f"a part {self._when()} is not counted")
        elif part != outer:
            run.mark((run.now_ns(), None, None, None, part, None))
            self._part_of[self._phase] = part
        return outer

    # -- figures ----------------------------------------------------------------------------------------------------

    def row(self) -> Row:
        """The energy since the last row, up to where readings have settled it (at most the last 0.5 s is not settled).

        Energy that is not settled yet comes with the next row; where none is settled, that of this row is ``None``.
        After :meth:`stop` the last row has the rest, so the rows add up to the record, exactly.

        Raises:
            UsageError: It was never started.
            SourceLost: With ``strict=True`` only: a sensor was lost since the last call; or ``LedgerLost``, the ledger.
        """
        run = self._started("rows")
        with run.lock:
            if self._running is not None:
                run.check(run.now_ns())
                run.settle_for_row()
            return run.row()

    def next_row(self) -> Row | None:
        """A row, or ``None`` as long as no step has been settled since the last row; for loggers' cadences.

        Raises:
            UsageError: It was never started.
            SourceLost: With ``strict=True`` only: a sensor was lost since the last call; or ``LedgerLost``, the ledger.
        """
        run = self._started("rows")
        with run.lock:
            if self._running is not None:
                run.check(run.now_ns())
                run.settle_for_row()
            return run.row() if run.has_row else None

    @property
    def record(self) -> RunRecord:
        """The record: final after :meth:`stop`; before, of the time that readings have settled.

        Raises:
            UsageError: It was never started.
        """
        run = self._started("record")
        with run.lock:
            if self._running is not None:
                run.settle()
            return run.record_so_far()

    @property
    def power_profile(self) -> PowerProfile:
        """The power of the run over time, with its phases, in a few hundred stretches at most.

        After :meth:`stop`, it is that of the whole run, at rank 0 of all ranks. Before, it ends some time ago.

        Raises:
            UsageError: It was never started.
        """
        return self._started("power profile").power_profile()

    @property
    def laps(self) -> Laps:
        """Moments of the run, for integrations that tell what was used between two of them."""
        return Laps(self._started("laps"))

    # -- resuming ---------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The statement for a checkpoint on the energy that led to it, up to where readings have settled it.

        It counts all steps, but not the energy of the last 0.5 s at most, nor that of other ranks' last second.

        Returns:
            Plain values, as JSON and ``torch.load(weights_only=True)`` know them; empty before the start.
        """
        run = self._run
        if run is None:
            return {} if self._loaded is None else checkpoint_mapping(self._loaded)
        with run.lock:
            if self._running is not None:
                run.poll()
            return checkpoint_mapping(checkpoint_at(self.record, run.writer.attempts.known, run.pending()))

    def load_state_dict(self, state: object) -> None:
        """Continue the training of a checkpoint, before the start or any time after it. Never raises.

        This stays a run of its own, with a record of its own. That record then has the :attr:`~RunRecord.origin` of the
        training, and the totals of its lineage and of all its attempts. After a state that cannot be used, with a
        warning, the run begins a training of its own.

        Args:
            state: The result of :meth:`state_dict` when the checkpoint was written; an empty state changes nothing.
        """
        try:
            if state:
                self._load(checkpoint_of(state))
        except Exception as error:  # noqa: BLE001 - a checkpoint is not trusted, and may hold anything
            self._warn(
                "resume", f"this run goes on without the totals of its checkpoint, which cannot be read: {error}"
            )

    def _load(self, checkpoint: Checkpoint) -> None:
        run = self._running
        if run is None and self._run is not None:
            self._warn("resume", f"load_state_dict() {self._when()} changes nothing")
            return
        checkpoint_mapping(checkpoint_of(checkpoint_mapping(checkpoint)))  # a state to pass on can be read again
        if run is not None:
            with run.lock:
                run.settle()
                run.resume(checkpoint)
        self._loaded = checkpoint

    @property
    def run_id(self) -> str:
        """The name of the run; until a rank has learnt it, a name of its own.

        Raises:
            UsageError: It was never started.
        """
        return self._started("record").writer.run_id

    @property
    def record_path(self) -> str | None:
        """The path of the record; ``None`` where it could not be written, or before the start."""
        return None if self._run is None else self._run.writer.location

    @property
    def is_running(self) -> bool:
        """Whether the meter was started and not stopped."""
        return self._running is not None

    # -- inside -----------------------------------------------------------------------------------------------------

    def _started(self, figure: str) -> Run:
        if self._run is None:
            message = f"this meter has no {figure} yet: call start(), or use it in a `with` statement"
            raise UsageError(message)
        return self._run

    def _when(self) -> str:
        return "before start()" if self._run is None else "after stop()"

    def _warn(self, key: str, message: str) -> None:
        if key not in self._warned:
            self._warned.add(key)
            logger.warning(message)

    def _at_exit(self) -> None:
        """Close the record of a run that was not stopped; not in a forked child, which is not metered."""
        if os.getpid() == self._pid and self._run is not None and self._run.record is None:
            error = getattr(sys, "last_value", None)
            self.stop(Status.INTERRUPTED if error is None else status_of(type(error)))
