"""A training as a child in a session of its own, which can be ended whole.

What it prints is kept in files without a name, so that it neither mixes with what is shown meanwhile nor stays behind;
the last lines are there to tell why it failed. It is asked to end by SIGINT first, which Python programs end in good
order by, closing their record; then by SIGTERM; then killed. All three go to the whole group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Final, Self

import psutil

from lightning_carbon.errors import ConfigError
from lightning_carbon.sources.launchers import host_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import IO

GRACE_SECONDS: Final = 20.0
"""How long a program may take to end by each signal: a checkpoint may have to be written."""
HURRIED_SECONDS: Final = 3.0
"""The same where the user waits for it."""
_LOOK_SECONDS: Final = 0.05
_TAIL_BYTES: Final = 16_384


class Child:
    """A program, from its start to its end; a ``with`` block leaves nothing of it behind.

    Args:
        words: The program and its words.
        environ: Its environment.
        grace_seconds: How long it may take to end by each signal.

    Raises:
        ConfigError: It cannot be started.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str], grace_seconds: float = GRACE_SECONDS) -> None:
        self._grace_seconds = grace_seconds
        self._out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._err: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - likewise
        try:
            with _sigint_not_ignored():
                self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                    list(words),
                    env=dict(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=self._out,
                    stderr=self._err,
                    start_new_session=True,
                )
        except OSError as error:
            self._close()
            raise ConfigError("command", words[0], f"it cannot be started: {error.strerror or error}.") from None

    def __enter__(self) -> Self:
        """Go on while it runs."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill what is left of it: in a hurry where an exception came, such as Ctrl-C."""
        self.end(in_a_hurry=kind is not None)
        self._close()

    @property
    def exit_code(self) -> int | None:
        """What it ended with, negative for a signal; ``None`` while it runs."""
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
        """End it, and everything else of its group.

        Args:
            in_a_hurry: Whether it gets less time for each signal.
        """
        grace = min(self._grace_seconds, HURRIED_SECONDS) if in_a_hurry else self._grace_seconds
        # Launchers give their workers sessions of their own, where no signal to the group reaches them.
        family = self._family()
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                if self._process.poll() is not None:
                    break
                self._signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(grace)
        finally:  # a user who presses Ctrl-C again has no patience
            self._signal(signal.SIGKILL)
            for process in family:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            self._process.wait()

    def wait(self, seconds: float) -> None:
        """Wait for its end, for some seconds at most."""
        until = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < until:
            time.sleep(min(_LOOK_SECONDS, max(0.0, until - time.monotonic())))

    def last_words(self, lines: int = 12) -> str:
        """The last lines that it wrote to stderr, or to stdout where it wrote none."""
        for file in (self._err, self._out):
            size = os.fstat(file.fileno()).st_size
            data = os.pread(file.fileno(), _TAIL_BYTES, max(0, size - _TAIL_BYTES))
            # A progress bar writes over its line; what was written last is what was seen.
            said = [line.rsplit("\r", 1)[-1].rstrip() for line in data.decode("utf-8", "replace").split("\n")]
            shown = [line for line in said if line.strip()][-lines:]
            if shown:
                return "\n".join(shown)
        return ""

    def _family(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.Error:
            return []

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _close(self) -> None:
        self._out.close()
        self._err.close()


@contextlib.contextmanager
def _sigint_not_ignored() -> Iterator[None]:
    """What is ignored stays so in a child (signal(7)), as in jobs that a shell put into the background."""
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
