"""A ledger on a disk that may stop answering, as network and FUSE mounts do, and for which nothing waits for long.

A system call that hangs cannot be ended from outside. So each call is made on a daemon thread, which is left behind
where the disk does not answer; until it does, every further call fails at once. While a journal is open, a thread stays
for a while after its call, as starting one costs more than a write; once it is closed, no thread is left.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from lightning_carbon.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from lightning_carbon.ports import JournalText, LineSink, RunStore, WrittenRun

T = TypeVar("T")

WRITING_SECONDS: Final = 5.0
"""How long a disk may take to write; ours. A busy disk may take seconds to confirm that data has reached it."""
READING_SECONDS: Final = 10.0
"""How long a disk may take to read the journals of all ranks; ours. Thousands take seconds over a network."""

IDLE_SECONDS: Final = 2.0
"""How long a thread waits for a further call; a run writes twice a second."""

_ON_ITS_WAY_SECONDS: Final = 60.0
"""How long a call may take from a thread that asks to the thread that makes it, on a busy machine."""
_NAME: Final = "lightning-carbon-ledger"


class NoDiskAnswer(LedgerError):
    """A disk has not answered in time.

    Args:
        message: The message.
        call: The call that may still be done; ``None`` where it was not made any more.
    """

    def __init__(self, message: str, call: DiskCall[Any] | None = None) -> None:
        super().__init__(message)
        self.call = call


class DiskPatience:
    """Makes calls in turn, on threads of its own, and waits for none of them for long.

    Args:
        where: The disk, for people.
        idle_seconds: How long a thread stays after a call, where threads stay.

    Attributes:
        stays: Whether threads stay for further calls.
    """

    stays = False

    def __init__(self, where: str, idle_seconds: float = IDLE_SECONDS) -> None:
        self._where = where
        self._idle_seconds = idle_seconds
        self._turn = threading.RLock()
        self._given_up: DiskCall[Any] | None = None
        self._idle: list[_Worker] = []

    def ask(self, call: Callable[[], T], seconds: float) -> T:
        """Make a call and wait for its result; a result that comes too late is closed, if it can be.

        Args:
            call: What may hang.
            seconds: How long to wait at most.

        Raises:
            NoDiskAnswer: There is no answer in time, or an earlier call has none yet.
            BaseException: Whatever the call raises.
        """
        trouble = f"{self._where} has not answered for {seconds:g} s"
        if self._given_up is not None and not self._given_up.is_over.is_set():
            raise NoDiskAnswer(trouble)
        made = DiskCall(call, self._turn, seconds)
        try:
            self._worker().give(made)
        except RuntimeError:  # no thread is free: the call is made here, and may hang
            made.make()
        if not made.is_over.wait(seconds):
            made.is_given_up = True
            self._given_up = made
        if made.error is not None:
            raise made.error
        if not made.answer:
            raise NoDiskAnswer(trouble, made)
        return made.answer[0]

    def rest(self) -> None:
        """Let no thread stay from now on."""
        self.stays = False
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().give(None)

    def _worker(self) -> _Worker:
        """A thread without a call: a thread that has come back, else a new thread.

        Raises:
            RuntimeError: None can be started.
        """
        while self._idle:
            with suppress(IndexError):  # another thread, or a signal's handler, was faster
                worker = self._idle.pop()
                if worker.is_alive():  # after a fork, there is none in the child
                    return worker
        worker = _Worker(self._idle, lambda: self.stays, self._idle_seconds)
        worker.start()
        return worker


class _Worker(threading.Thread):
    """A thread that makes the calls that it is given, one after the other, and ends after a while without any.

    Whoever takes it off the list of idle threads gives it a call: taking off is a single step of the interpreter, so no
    lock is held, which a signal's handler might find taken.

    Args:
        idle: The list that it puts itself on when it has nothing to do.
        stays: Whether it stays then.
        idle_seconds: How long it waits then.
    """

    def __init__(self, idle: list[_Worker], stays: Callable[[], bool], idle_seconds: float) -> None:
        super().__init__(name=_NAME, daemon=True)
        self._idle = idle
        self._stays = stays
        self._idle_seconds = idle_seconds
        self._is_idle = False
        self._call: DiskCall[Any] | None = None
        self._given = threading.Lock()
        self._given.acquire()

    def give(self, call: DiskCall[Any] | None) -> None:
        """Make a call, on this thread; without a call, end."""
        self._call = call
        self._given.release()

    def run(self) -> None:
        """Make the calls that are given, until none comes for a while."""
        while self._given.acquire(timeout=self._idle_seconds) or not self._leaves():
            call, self._call = self._call, None
            if call is None:
                return
            self._is_idle = False
            call.make(self._idle_again)
            del call
            if not self._is_idle:
                return

    def _idle_again(self) -> None:
        self._is_idle = self._stays()
        if self._is_idle:
            self._idle.append(self)

    def _leaves(self) -> bool:
        """Leave the list; false where a call has come meanwhile."""
        try:
            self._idle.remove(self)
        except ValueError:  # a call is on its way, unless an exception from outside has come between
            return not self._given.acquire(timeout=_ON_ITS_WAY_SECONDS)
        return True


class DiskCall(Generic[T]):
    """A call and what has become of it.

    Args:
        call: What may hang.
        turn: Held while it is made, so that no two are made at a time.
        seconds: How long to wait for the turn at most.
    """

    def __init__(self, call: Callable[[], T], turn: threading.RLock, seconds: float) -> None:
        self._call = call
        self._turn = turn
        self._seconds = seconds
        self.is_over = threading.Event()
        self.is_given_up = False
        self.answer: list[T] = []
        self.error: BaseException | None = None

    def make(self, made: Callable[[], object] = int) -> None:
        """Make the call, unless it is given up before its turn comes.

        Args:
            made: Called when the thread has nothing else to do than to tell that it is over.
        """
        if self._turn.acquire(timeout=self._seconds):
            try:
                if not self.is_given_up:
                    self.answer.append(self._call())
            except BaseException as error:  # noqa: BLE001 - raised again, on the thread that asked
                self.error = error
            finally:
                self._turn.release()
        is_late = self.is_given_up
        if not is_late:
            made()
        self.is_over.set()
        if self.is_given_up:
            for late in self.answer:
                with suppress(Exception):
                    getattr(late, "close", int)()
        if is_late:
            made()


class PatientRunStore:
    """A :class:`~lightning_carbon.ports.RunStore` whose calls end in time: where the disk hangs, they fail.

    Args:
        store: The ledger.
        where: Its folder, for people.
        writing_seconds: How long a write may take.
        reading_seconds: How long it may take to read the journals of a run.
        idle_seconds: How long a thread stays after a call.
    """

    def __init__(
        self,
        store: RunStore,
        where: str,
        *,
        writing_seconds: float = WRITING_SECONDS,
        reading_seconds: float = READING_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._store = store
        self._patience = DiskPatience(where, idle_seconds)
        self._writing_seconds = writing_seconds
        self._reading_seconds = reading_seconds

    def save(self, record: Mapping[str, object]) -> str:
        """Write the record of a run.

        Raises:
            LedgerError: It could not be written, or not in time.
        """
        return self._ask(lambda: self._store.save(record))

    def load(self, project: str, run_id: str) -> Mapping[str, object] | None:
        """The record of a run; ``None`` where there is none that can be read in time."""
        with suppress(NoDiskAnswer):
            return self._ask(lambda: self._store.load(project, run_id))
        return None

    def open_lines(self, project: str, run_id: str, name: str) -> LineSink:
        """Open a file of lines in the folder of a run, empty.

        Raises:
            LedgerError: It cannot be written, or not in time.
        """
        return PatientLines(self._ask(lambda: self._store.open_lines(project, run_id, name)), self._ask)

    def open_journal(self, project: str, run_id: str, rank: int, *, header: str) -> LineSink:
        """Open the journal of a rank, with its first line.

        Raises:
            LedgerError: It cannot be written, or not in time.
        """
        journal = self._ask(lambda: self._store.open_journal(project, run_id, rank, header=header))
        self._patience.stays = True
        return PatientLines(journal, self._ask, closed=self._patience.rest)

    def read_journals(self, project: str, run_id: str, *, rank: int | None = None) -> Sequence[JournalText]:
        """The ends of every journal of a run, or of a rank's.

        Raises:
            LedgerError: There is no answer in time.
        """
        return self._patience.ask(lambda: self._store.read_journals(project, run_id, rank=rank), self._reading_seconds)

    def list_runs(self, known: Collection[tuple[str, str]]) -> Sequence[WrittenRun]:
        """The runs that have journals; none where there is no answer in time."""
        with suppress(NoDiskAnswer):
            return self._ask(lambda: self._store.list_runs(known))
        return ()

    def append_lines(self, project: str, run_id: str, name: str, *, lines: list[str]) -> None:
        """Add lines to the end of a file in the folder of a run.

        Raises:
            LedgerError: It cannot be written, or not in time.
        """
        self._ask(lambda: self._store.append_lines(project, run_id, name, lines=lines))

    def read_lines(self, project: str, run_id: str, name: str) -> list[str]:
        """The whole lines of a file in the folder of a run; none where it cannot be read in time."""
        with suppress(NoDiskAnswer):
            return self._ask(lambda: self._store.read_lines(project, run_id, name))
        return []

    def _ask(self, call: Callable[[], T]) -> T:
        return self._patience.ask(call, self._writing_seconds)


class PatientLines:
    """A :class:`~lightning_carbon.ports.LineSink` whose calls end in time.

    Lines that were given up may reach the disk after all. Whoever writes them again, with others after them, gets each
    of them written once.

    Args:
        lines: The file.
        ask: Makes a call and waits for it, but not for ever.
        closed: Called when the file is released.
    """

    def __init__(
        self,
        lines: LineSink,
        ask: Callable[[Callable[[], None]], None],
        closed: Callable[[], object] = int,
    ) -> None:
        self._lines = lines
        self._closed = closed
        self._ask = ask
        self._late: tuple[DiskCall[Any], list[str]] | None = None
        self._ahead: list[str] = []

    def write_lines(self, lines: list[str]) -> None:
        """Append lines.

        Raises:
            LedgerError: They could not be written, or not in time.
        """
        if self._late is not None and self._late[0].is_over.is_set():
            (call, late), self._late = self._late, None
            self._ahead += late if call.answer else []
        known = len(self._ahead)
        rest = lines[known:] if lines[:known] == self._ahead else lines
        try:
            self._ask(lambda: self._lines.write_lines(rest))
        except NoDiskAnswer as error:
            if error.call is not None:
                self._late = (error.call, rest)
            raise
        self._ahead = []

    def close(self) -> None:
        """Release the file, if that is possible in time."""
        try:
            with suppress(LedgerError):
                self._ask(self._lines.close)
        finally:
            self._closed()
