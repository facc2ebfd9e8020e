"""``lightning-carbon run --pid`` and ``--machine``: the meter on what runs already."""

from __future__ import annotations

import re
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.metering.adapters import MeteredSubject
from lightning_carbon.records.run import Status
from lightning_carbon.systems import signals
from lightning_carbon.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psutil

_LOOK_SECONDS: Final = 0.1
_SECONDS_IN: Final = {"h": SECONDS_PER_HOUR, "m": SECONDS_PER_MINUTE, "s": 1, "": 1}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)([hms]?)")
_MOST_SHOWN: Final = 60
_PID_FIX: Final = "give the number of a process that runs on this machine, as `ps` shows it."
_ENDING: Final = signals("SIGINT", "SIGTERM", "SIGHUP")


def seconds_of(text: str) -> float:
    """The seconds that a text such as ``10m``, ``90s`` or ``1h30m`` names.

    Raises:
        ConfigError: It names no time above zero.
    """
    parts = _PART.findall(text)
    seconds = sum(float(number) * _SECONDS_IN[unit] for number, unit in parts)
    if "".join(map("".join, parts)) != text or seconds <= 0:
        raise ConfigError("for", text, "give a time such as 90s, 10m or 1h30m.")
    return seconds


class Attached:
    """What runs already, and how long to meter it.

    Args:
        pid: The process that is metered with all below it; ``None`` for the whole machine.
        seconds: How long at most; ``None`` until the process ends, or Ctrl-C.

    Raises:
        ConfigError: There is no such process.
    """

    def __init__(self, pid: int | None, seconds: float | None) -> None:
        self._seconds = seconds
        self._process = None if pid is None else _process(pid)
        self.subject = MeteredSubject("the whole machine")
        if self._process is not None:
            self.subject = MeteredSubject(f"process {pid} ({_name_of(self._process)})", pid)

    def wait(self, shall_end: Callable[[], bool]) -> Status:
        """Wait until it is over.

        Args:
            shall_end: Whether the process shall end; it is then sent a single SIGTERM.

        Returns:
            The status: interrupted where Ctrl-C or a signal came first.
        """
        until = float("inf") if self._seconds is None else time.monotonic() + self._seconds
        is_asked = False
        with _told_to_end() as told:
            while time.monotonic() < until and self._goes_on():
                if not is_asked and shall_end():
                    is_asked = True
                    self._end()
                if told.wait(min(_LOOK_SECONDS, max(0.0, until - time.monotonic()))):
                    return Status.INTERRUPTED
        return Status.COMPLETED

    def _goes_on(self) -> bool:
        """Whether the process is there: not a later process of its number, and no zombie."""
        import psutil

        if self._process is None:
            return True
        try:
            return self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def _end(self) -> None:
        import psutil

        if self._process is not None:
            try:
                self._process.terminate()
            except psutil.Error:
                return  # it has ended by itself, or belongs to another user


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Take signals as the wish to end, in a ``with`` block."""
    told = threading.Event()
    before = {number: signal.signal(number, lambda *_: told.set()) for number in _ENDING}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _process(pid: int) -> psutil.Process:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
    except (psutil.Error, ValueError, OverflowError):
        pass  # refused as a process that has ended is
    raise ConfigError("pid", pid, _PID_FIX)


def _name_of(process: psutil.Process) -> str:
    """The command of a process, as far as this user may see it; its arguments may be secrets, so only the first two."""
    import psutil

    try:
        words = process.cmdline()[:2] or [process.name()]
    except psutil.Error:
        return "ended"
    # Folders may name a person.
    text = " ".join(Path(word).name for word in words if not word.startswith("-"))
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
