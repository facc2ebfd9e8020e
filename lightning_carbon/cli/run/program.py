"""Somebody else's program as a child: found, started, sent the signals that were meant for it, and waited for.

The child keeps our standard streams, our terminal and our process group, so that pipelines, Ctrl-C and Ctrl-Z work as
if it had been started by the shell. Signals of the terminal go to the whole group: the child has had them already, and
they come from the kernel (``si_code`` above 0, sigaction(2)), which tells them from those that somebody sent to us and
that are passed on. Those that the child itself sent, as when it ends its own group, are not sent back to it. What
another process sends to the whole group reaches the child twice; nothing tells that from a signal to us alone.

Signals are held back and fetched by ``sigtimedwait`` rather than handled: a handler cannot know who sent them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.records.run import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127
SIGNALLED: Final = 128
"""What shells add to the number of the signal that ended a program (POSIX.1-2017, XCU 2.8.2 asks for more than 128)."""

# Job control (TSTP, TTIN, TTOU, CONT) works on the group as a whole and is left to do so.
_FORWARDED: Final = frozenset(
    [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPWR]
) | frozenset(range(signal.SIGRTMIN, signal.SIGRTMAX + 1))
_WATCHED: Final = _FORWARDED | {signal.SIGCHLD}
# Python ignores these at its start, and what is ignored stays so in a child (signal(7)).
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)
_LOOK_SECONDS: Final = 1.0


class CannotStart(Exception):
    """A program cannot be started.

    Args:
        message: Why not and what to do, in one line.
        exit_code: What a shell would end with.
    """

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class ProgramEnding:
    """How a program ended.

    Args:
        exit_code: What a shell would say: its own code, or 128 and the signal.
        signalled: Whether a signal ended it.
    """

    exit_code: int
    signalled: bool = False

    @classmethod
    def of(cls, code: int, received: frozenset[int] = frozenset()) -> ProgramEnding:
        """Tell how a program ended.

        Args:
            code: As :func:`os.waitstatus_to_exitcode` gives it: negative for a signal.
            received: The signals that it was sent; one that catches such a signal, cleans up and ends with 128 and
                its number was ended by it all the same.
        """
        if code < 0:
            return cls(SIGNALLED - code, signalled=True)
        return cls(code, signalled=code - SIGNALLED in received)

    @property
    def status(self) -> Status:
        """How its run stands."""
        if self.signalled:
            return Status.INTERRUPTED
        return Status.FAILED if self.exit_code else Status.COMPLETED


def find(command: str, environ: Mapping[str, str] = os.environ) -> str:
    """Find a program as a shell does.

    Returns:
        Its path.

    Raises:
        CannotStart: There is none, or it may not be executed.
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
        """Hold them back in a ``with`` block, in the threads that start inside too; none is left over after it."""
        default = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        before = frozenset(signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED))
        try:
            yield cls(before)
        finally:
            while signal.sigtimedwait(_WATCHED, 0) is not None:
                pass  # too late for a program that has ended
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            signal.signal(signal.SIGCHLD, default)

    def run(self, path: str, words: list[str], environ: Mapping[str, str] = os.environ) -> ProgramEnding:
        """Run a program to its end, which takes as long as it takes.

        Args:
            path: What :func:`find` found.
            words: Its name, as it was called, and its arguments.
            environ: Its environment.

        Raises:
            CannotStart: The kernel refuses to execute it.
        """
        early = signal.sigpending() & _FORWARDED
        if early:
            return ProgramEnding(SIGNALLED + min(early), signalled=True)
        try:
            pid = os.posix_spawn(path, words, environ, setsigmask=self._before, setsigdef=_IGNORED_BY_PYTHON)
        except OSError as error:
            raise CannotStart(f"{path} cannot be executed: {_why(error)}", NOT_EXECUTABLE) from error
        received: set[int] = set()
        while True:
            info = signal.sigtimedwait(_WATCHED, _LOOK_SECONDS)
            if info is not None and info.si_signo != signal.SIGCHLD and info.si_pid != pid:
                received.add(info.si_signo)
                if info.si_code <= 0:
                    # One that runs as somebody else (sudo) cannot be sent a signal.
                    with contextlib.suppress(PermissionError):
                        os.kill(pid, info.si_signo)
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return ProgramEnding.of(os.waitstatus_to_exitcode(status), frozenset(received))


def _why(error: OSError) -> str:
    match error.errno:
        case errno.ENOEXEC:
            return "no program for this machine, or a script without a first line such as #!/bin/sh"
        case errno.ENOENT:
            return "the interpreter that its first line names is not there"
        case _:
            return os.strerror(error.errno or 0)
