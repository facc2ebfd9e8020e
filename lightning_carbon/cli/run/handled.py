"""A program as a child on macOS and Windows, where signals cannot be fetched with their sender, but handled.

Ctrl-C reaches the whole group, or everything at the console, so SIGINT and SIGQUIT are noted and not passed on. The
other signals come from processes, and are.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lightning_carbon.cli.run.program import LOOK_SECONDS, NOT_EXECUTABLE, SIGNALLED, CannotStart, ProgramEnding
from lightning_carbon.cli.run.program import Signals as FetchedSignals
from lightning_carbon.cli.run.program import why_not_executable as why
from lightning_carbon.systems import signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import FrameType

_OF_THE_TERMINAL: Final = frozenset(signals("SIGINT", "SIGQUIT", "SIGBREAK"))
_FORWARDED: Final = frozenset(signals("SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2"))
_CONTROL_C_EXIT: Final = 0xC000013A
"""The exit code of Windows for a program that Ctrl-C has ended (STATUS_CONTROL_C_EXIT, MS-ERREF 2.3.1)."""


class HandledSignals:
    """The signals of this process, noted by handlers."""

    def __init__(self) -> None:
        self._received: list[int] = []

    @classmethod
    @contextmanager
    def held(cls) -> Iterator[HandledSignals]:
        """Note the signals in a ``with`` block, and end at none of them; what is ignored stays ignored."""
        found = cls()
        before = {
            number: signal.signal(number, found._note)
            for number in _OF_THE_TERMINAL | _FORWARDED
            if signal.getsignal(number) not in {None, signal.SIG_IGN}
        }
        try:
            yield found
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, path: str, words: list[str], *, shall_end: Callable[[], bool] = bool) -> ProgramEnding:
        """Run a program to its end, however long it takes.

        Args:
            path: The path from :func:`~lightning_carbon.cli.run.program.find`.
            words: The program's name, as it was given, and its arguments.
            shall_end: Whether the program shall end; it is then ended once.

        Raises:
            CannotStart: The system refuses to execute it.
        """
        if self._received:
            return ProgramEnding(SIGNALLED + min(self._received), signalled=True)
        try:
            process = subprocess.Popen(words, executable=path)  # noqa: S603 - the user's own command
        except OSError as error:
            raise CannotStart(f"{path} cannot be executed: {why(error)}", NOT_EXECUTABLE) from error
        passed_on, is_asked = 0, False
        while True:
            if not is_asked and shall_end():
                is_asked = True
                self._received.append(signal.SIGTERM)
            for number in self._received[passed_on:]:
                passed_on += 1
                if number in _FORWARDED:
                    with contextlib.suppress(OSError):  # it has ended, or runs as another user
                        process.send_signal(number)
            try:
                code = process.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            if code == _CONTROL_C_EXIT:
                return ProgramEnding(SIGNALLED + signal.SIGINT, signalled=True)
            return ProgramEnding.of(code, frozenset(self._received))

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._received.append(number)


def held_signals() -> AbstractContextManager[FetchedSignals | HandledSignals]:
    """Hold back the signals of this process in a ``with`` block, in the way that this system has."""
    return FetchedSignals.held() if hasattr(signal, "sigtimedwait") else HandledSignals.held()
