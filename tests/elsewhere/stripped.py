"""Python as on Windows or macOS, for the package under test: without Linux's modules, names, folders and liberties.

The interpreter's own library and other packages keep what they need of Linux, on which they run here: psutil is what
reads ``/proc`` for the package on Linux, and something else elsewhere. So the refusals hold for calls that come from
``lightning_carbon``, directly or through the standard library.

Played rules of Windows: a file that is open can neither be moved nor replaced nor removed, and a name has no colon and
the like (https://learn.microsoft.com/windows/win32/fileio/naming-a-file). This process's own open files count alone.
"""

from __future__ import annotations

import builtins
import os
import signal
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final

PACKAGE: Final = "lightning_carbon"
MODULES: Final = frozenset({"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix"})
NAMES_OF_OS: Final = (
    *("O_NOFOLLOW", "O_DIRECTORY", "O_CLOEXEC", "O_NONBLOCK", "O_NOCTTY", "O_PATH", "uname", "getuid", "geteuid"),
    *(
        "getgid",
        "fork",
        "forkpty",
        "killpg",
        "getpgid",
        "setsid",
        "pread",
        "pwrite",
        "posix_spawn",
        "mkfifo",
        "sysconf",
    ),
    *("sched_getaffinity", "getloadavg", "statvfs", "fchmod", "fchdir", "openpty", "WNOHANG", "nice", "chown"),
)
SIGNALS: Final = (
    *("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGPWR", "SIGRTMIN", "SIGRTMAX", "SIGCHLD", "SIGPIPE", "SIGXFSZ"),
    *("SIGKILL", "SIGALRM", "SIGSTOP", "SIGCONT", "SIGTSTP", "SIGBUS", "sigtimedwait", "sigpending", "pthread_sigmask"),
)
FOLDERS: Final = ("/proc", "/sys", "/etc/machine-id")
FORBIDDEN: Final = frozenset('<>:"|?*')
_LIBRARY: Final = (sysconfig.get_path("stdlib"), "<frozen ")
_PLACES: Final = ("/site-packages/", "/dist-packages/")


def _asks() -> bool:
    """Whether the call under way comes from the package, directly or through the standard library."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - there is no other way to know who calls
    while frame is not None:
        file, name = frame.f_code.co_filename, str(frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] == PACKAGE:
            return True
        is_library = file.startswith(_LIBRARY) and not any(place in file for place in _PLACES)
        if not is_library and name != __name__:
            return False
        frame = frame.f_back
    return False


class _Absent(ModuleType):
    """A module of which the package sees less than others."""

    def __init__(self, real: ModuleType, missing: frozenset[str]) -> None:
        super().__init__(real.__name__)
        self.__dict__["_real"], self.__dict__["_missing"] = real, missing

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module has
        if name in self._missing:
            message = f"module {self._real.__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._real, name, value)


def _importing(real: Callable[..., ModuleType], absent: Mapping[str, ModuleType]) -> Callable[..., ModuleType]:
    def imported(
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - as the interpreter calls it
        locals: Mapping[str, object] | None = None,  # noqa: A002 - as the interpreter calls it
        fromlist: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        asks = str((globals or {}).get("__name__", "")).partition(".")[0] == PACKAGE
        if asks and level == 0:
            if name in MODULES:
                message = f"No module named {name!r}"
                raise ModuleNotFoundError(message, name=name)
            if name in absent:
                return absent[name]
        return real(name, globals, locals, fromlist, level)

    return imported


def _held_open(path: str) -> bool:
    """Whether this process has a file open."""
    try:
        facts = os.stat(path)  # noqa: PTH116 - Path would come back here
    except OSError:
        return False
    for descriptor in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - as above
        try:
            if os.path.samestat(os.fstat(descriptor), facts):
                return True
        except OSError:
            continue
    return False


class Watch:
    """The audit hook that refuses what another system would.

    Args:
        folder: The folder in which the rules of Windows on files hold.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._is_busy = False
        self.refused: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at what is about to happen."""
        if self._is_busy or event not in {"open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.mkdir"}:
            return
        self._is_busy = True
        try:
            self._look(event, [str(path) for path in arguments[:2] if isinstance(path, str | Path)])
        finally:
            self._is_busy = False

    def _look(self, event: str, paths: list[str]) -> None:
        for path in paths:
            if path.startswith(FOLDERS) and _asks():
                self.refused.append(path)
                raise FileNotFoundError(2, "No such file or directory", path)
            if path.startswith(self._folder):
                if FORBIDDEN & set(path):
                    raise OSError(22, "Invalid argument", path)
                if event in {"os.rename", "os.remove"} and _held_open(path):
                    raise PermissionError(13, "The process cannot access the file because it is used", path)


def strip(folder: Path) -> Watch:
    """Take away from the package what another system does not have; there is no way back.

    Args:
        folder: The folder in which the rules of Windows on files hold.

    Returns:
        The watch, which counts what it refused.
    """
    absent = {
        "os": _Absent(os, frozenset(NAMES_OF_OS)),
        "signal": _Absent(signal, frozenset(SIGNALS)),
    }
    builtins.__import__ = _importing(builtins.__import__, absent)
    watch = Watch(folder)
    sys.addaudithook(watch)
    return watch
