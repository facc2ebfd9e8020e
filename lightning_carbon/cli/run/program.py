"""A program as a child: finding it, starting it, passing its signals on, and waiting for its end.

The child keeps our standard streams, our terminal and our process group, so pipelines, Ctrl-C and Ctrl-Z work as if the
shell had started it. Signals of the terminal go to the whole group, so the child has had them already. They come from
the kernel (``si_code`` above 0, sigaction(2)), which distinguishes them from signals that another process sent to us
and that are passed on. Signals that the child itself sent, as when it ends its own group, are not sent back to it. A
signal of another process to the whole group reaches the child twice, since nothing distinguishes it from a signal to us
alone.

Signals are blocked and fetched by ``sigtimedwait`` rather than handled, as a handler cannot know their sender. Systems
without it have ``handled``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.records.run import Status
from lightning_carbon.systems import signals
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
SIGNALLED: Final = 128
"""The number that shells add to that of the ending signal (POSIX.1-2017, XCU 2.8.2 asks for more than 128)."""

# Job control (TSTP, TTIN, TTOU, CONT) works on the whole group and is left alone.
_OF_PROCESSES: Final = signals("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGPWR")
_REAL_TIME: Final = range(getattr(signal, "SIGRTMIN", 0), getattr(signal, "SIGRTMAX", -1) + 1)
_FORWARDED: Final = frozenset(_OF_PROCESSES) | frozenset(_REAL_TIME)
_WATCHED: Final = _FORWARDED | frozenset(signals("SIGCHLD"))
# Python ignores these at its start, and a child inherits that (signal(7)).
_IGNORED_BY_PYTHON: Final = signals("SIGPIPE", "SIGXFSZ")
LOOK_SECONDS: Final = 1.0
"""How often to look whether the program shall end."""


class CannotStart(Exception):
    """A program cannot be started.

    Args:
        message: The reason and the fix, in a single line.
        exit_code: The exit code of a shell in this case.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class ProgramEnding:
    """The end of a program.

    Args:
        exit_code: The code that a shell would give: its own, or 128 plus the signal.
        signalled: Whether a signal ended it.
    """

    exit_code: int
    signalled: bool = False

    @classmethod
    def of(cls, code: int, received: frozenset[int] = frozenset()) -> ProgramEnding:
        """Make the ending of an exit code.

        Args:
            code: As :func:`os.waitstatus_to_exitcode` gives it: negative for a signal.
            received: The signals that the program was sent; a program that catches such a signal, cleans up and ends
                with 128 plus its number also counts as ended by it.
        """
        if code < 0:
            return cls(SIGNALLED - code, signalled=True)
        return cls(code, signalled=code - SIGNALLED in received)

    @property
    def status(self) -> Status:
        """The status of the program's run."""
        if self.signalled:
            return Status.INTERRUPTED
        return Status.FAILED if self.exit_code else Status.COMPLETED


def find(command: str, environ: Mapping[str, str] = os.environ) -> str:
    """Find a program as a shell does.

    Returns:
        Its path.

    Raises:
        CannotStart: There is no such program, or it may not be executed.
    """
    path = environ.get("PATH", os.defpath)
    found = shutil.which(command, path=path)
    if found is not None:
        return found
    folders = [""] if os.sep in command else path.split(os.pathsep)
    there = [place for folder in folders if command and (place := Path(folder) / command).exists()]
    if not there:
        raise CannotStart(f"{command!r}: no such program; check the spelling and PATH", NOT_FOUND)
    if there[0].is_dir():
        raise CannotStart(f"{command!r} is a folder, not a program", NOT_EXECUTABLE)
    raise CannotStart(f"{command!r} is not executable: chmod +x {there[0]}, or name its interpreter", NOT_EXECUTABLE)


class Signals:
    """The signals of this process, held back."""

    def __init__(self, before: frozenset[signal.Signals | int]) -> None:
        self._before = before

    @classmethod
    @contextmanager
    def held(cls) -> Iterator[Signals]:
        """Block the signals in a ``with`` block, also in threads that start inside; none is pending after it."""
        default = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        before = frozenset(signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED))
        try:
            yield cls(before)
        finally:
            while signal.sigtimedwait(_WATCHED, 0) is not None:
                pass  # too late for a program that has ended
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            signal.signal(signal.SIGCHLD, default)

    def run(self, path: str, words: list[str], *, shall_end: Callable[[], bool] = bool) -> ProgramEnding:
        """Run a program to its end, however long it takes.

        Args:
            path: The path from :func:`find`.
            words: The program's name, as it was given, and its arguments.
            shall_end: Whether the program shall end; it is then sent a single SIGTERM.

        Raises:
            CannotStart: The kernel refuses to execute it.
        """
        early = signal.sigpending() & _FORWARDED
        if early:
            return ProgramEnding(SIGNALLED + min(early), signalled=True)
        try:
            pid = os.posix_spawn(path, words, os.environ, setsigmask=self._before, setsigdef=_IGNORED_BY_PYTHON)
        except OSError as error:
            raise CannotStart(f"{path} cannot be executed: {why_not_executable(error)}", NOT_EXECUTABLE) from error
        received: set[int] = set()
        while True:
            if signal.SIGTERM not in received and shall_end():
                received.add(signal.SIGTERM)
                with contextlib.suppress(PermissionError, ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            info = signal.sigtimedwait(_WATCHED, LOOK_SECONDS)
            if info is not None and info.si_signo != signal.SIGCHLD and info.si_pid != pid:
                received.add(info.si_signo)
                if info.si_code <= 0:
                    # A program that runs as another user (sudo) cannot be sent a signal.
                    with contextlib.suppress(PermissionError):
                        os.kill(pid, info.si_signo)
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return ProgramEnding.of(os.waitstatus_to_exitcode(status), frozenset(received))


def why_not_executable(error: OSError) -> str:
    """Why the system refuses to execute a program, for people."""
    match error.errno:
        case errno.ENOEXEC:
            return "no program for this machine, or a script without a first line such as #!/bin/sh"
        case errno.ENOENT:
            return "the interpreter that its first line names is not there"
        case _:
            return os.strerror(error.errno or 0)
