"""A training as a child in a session of its own, which can be ended as a whole.

Its output goes into files without a name, which neither mix with the progress bar nor stay behind; the last lines show
why it failed. It is asked to end by SIGINT first, at which Python programs end in good order and close their record;
then by SIGTERM; then it is killed. All three signals go to the whole group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Self

import psutil

from lightning_carbon.errors import ConfigError
from lightning_carbon.sources.launchers import host_id
from lightning_carbon.systems import read_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import IO

GRACE_SECONDS: Final = 20.0
"""How long a program may take to end after each signal, as it may write a checkpoint."""
HURRIED_SECONDS: Final = 3.0
"""The same when the user is waiting."""
_LOOK_SECONDS: Final = 0.05
_TAIL_BYTES: Final = 16_384
_HAS_GROUPS: Final = hasattr(os, "killpg")
_OWN_GROUP: Final[dict[str, Any]] = (
    {"start_new_session": True}
    if os.name != "nt"
    else {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
)


class Child:
    """A program from its start to its end; a ``with`` block leaves nothing of it behind.

    Args:
        words: The program and its arguments.
        environ: Its environment.
        grace_seconds: How long it may take to end after each signal.

    Raises:
        ConfigError: It cannot be started.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], grace_seconds: float = GRACE_SECONDS) -> None:
        self._grace_seconds = grace_seconds
        self._out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._err: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child, too
        try:
            with _sigint_not_ignored():
                self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                    list(words),
                    env=dict(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=self._out,
                    stderr=self._err,
                    **_OWN_GROUP,
                )
        except OSError as error:
            self._close()
            raise ConfigError("command", words[0], f"it cannot be started: {error.strerror or error}.") from None

    def __enter__(self) -> Self:
        """Enter the block while the program runs."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill what is left of the program, in a hurry after an exception such as Ctrl-C."""
        self.end(in_a_hurry=kind is not None)
        self._close()

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal; ``None`` while the program runs."""
        return self._process.poll()

    def owns(self, host: str, pid: int) -> bool:
        """Whether a process is this program or descends from it.

        Args:
            host: The id of its host, as journals name it.
            pid: Its number there.
        """
        if host != host_id():
            return False
        if pid == self._process.pid:
            return True
        try:
            return any(parent.pid == self._process.pid for parent in psutil.Process(pid).parents())
        except psutil.Error:
            return False

    def end(self, *, in_a_hurry: bool = False) -> None:
        """End the program, and everything else in its group.

        Args:
            in_a_hurry: Whether to allow less time after each signal.
        """
        grace = min(self._grace_seconds, HURRIED_SECONDS) if in_a_hurry else self._grace_seconds
        # Launchers give their workers sessions of their own, where signals to the group do not reach them.
        family = self._family()
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                if self._process.poll() is not None:
                    break
                self._signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(grace)
        finally:  # a user who presses Ctrl-C again has no patience
            self._kill()
            for process in family:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self._process.wait()

    def wait(self, seconds: float) -> None:
        """Wait for the end of the program, for some seconds at most."""
        until = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < until:
            time.sleep(min(_LOOK_SECONDS, max(0.0, until - time.monotonic())))

    def last_words(self, lines: int = 12) -> str:
        """The last lines on stderr, or on stdout where stderr is empty."""
        for file in (self._err, self._out):
            size = os.fstat(file.fileno()).st_size
            data = read_at(file.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES))
            # A progress bar overwrites its line; the last text is the visible one.
            said = [line.rsplit("\r", 1)[-1].rstrip() for line in data.decode("utf-8", "replace").split("\n")]
            shown = [line for line in said if line.strip()][-lines:]
            if shown:
                return "\n".join(shown)
        return ""

    def failure(self, name: str = "the program") -> str | None:
        """The failure of a program that has ended, with its last words; ``None`` where it ended well or still runs.

        Args:
            name: The name of the program in the sentence.
        """
        code = self.exit_code
        if not code:
            return None
        how = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
        said = self.last_words()
        return f"{name} {how}" + (f"; its last words:\n{said}" if said else ", without a word")

    def _family(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.Error:
            return []

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if _HAS_GROUPS:
                os.killpg(self._process.pid, number)
            elif number == signal.SIGINT:
                # The one signal that reaches a group on Windows, at which Python ends.
                self._process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", number))
            else:
                self._process.terminate()

    def _kill(self) -> None:
        """Kill what is left of the group, or, where there are no groups, the program."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if _HAS_GROUPS:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _close(self) -> None:
        self._out.close()
        self._err.close()


@contextlib.contextmanager
def _sigint_not_ignored() -> Iterator[None]:
    """Have SIGINT not ignored, since a child inherits that (signal(7)), as in background jobs of a shell."""
    if (
        signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
