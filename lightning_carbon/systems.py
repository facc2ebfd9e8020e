"""What Linux, macOS and Windows differ in, as far as the meter asks them for it.

Every name that one of them lacks is looked up here, and nowhere else by its plain name.

References:
    * https://docs.python.org/3/library/os.html#os.open on the flags, and "Availability" with each name
    * https://learn.microsoft.com/cpp/c-runtime-library/reference/open-wopen on ``O_BINARY`` and ``O_NOINHERIT``
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _flags(*names: str) -> int:
    """The flags of ``os.open`` among these that this system has."""
    found = 0
    for name in names:
        found |= int(getattr(os, name, 0))
    return found


OPEN_FLAGS: Final = _flags("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT")
"""Opening neither waits nor takes a terminal, no child inherits the file, and its bytes stay as they are."""

NO_LINK: Final = _flags("O_NOFOLLOW")
"""Opening refuses a symbolic link; 0 where only a look beforehand can refuse it."""


def sha256_of(content: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal digits."""
    return str(_sha256()(content).hexdigest())


@cache
def _sha256() -> Callable[[bytes], Any]:
    """CPython has it in a module of its own, whose name differs by version; hashlib loads all of OpenSSL, in 3 ms."""
    for name in ("_sha2", "_sha256"):
        with suppress(ImportError):
            return cast("Callable[[bytes], Any]", import_module(name).sha256)
    return cast("Callable[[bytes], Any]", import_module("hashlib").sha256)


class System(NamedTuple):
    """A machine's name, and what runs on it.

    Args:
        node: The name of the machine.
        name: The kernel, such as ``Linux``, ``Darwin`` or ``Windows``.
        release: Its release.
        architecture: Such as ``x86_64`` or ``arm64``.
    """

    node: str
    name: str
    release: str
    architecture: str


def system(environ: Mapping[str, str] = os.environ) -> System:
    """This machine, without starting a process, which ``platform`` does on Windows.

    Args:
        environ: The environment variables, which name the machine on Windows.
    """
    if hasattr(os, "uname"):
        told = os.uname()
        return System(told.nodename, told.sysname, told.release, told.machine)
    version: Any = getattr(sys, "getwindowsversion", lambda: ())()
    release = ".".join(map(str, version[:3]))  # major, minor and build
    node, machine = environ.get("COMPUTERNAME", "localhost"), environ.get("PROCESSOR_ARCHITECTURE", "")
    return System(node, "Windows" if os.name == "nt" else sys.platform, release, machine)


def signals(*names: str) -> tuple[signal.Signals, ...]:
    """The signals of these names that this system has."""
    return tuple(number for name in names if (number := getattr(signal, name, None)) is not None)


def read_at(file: int, most_bytes: int, offset: int = 0) -> bytes:
    """Read from a place in an open file; where there is no ``pread``, the file stays at the end of what was read.

    Args:
        file: The descriptor.
        most_bytes: How many bytes at most.
        offset: The place, in bytes.
    """
    if hasattr(os, "pread"):
        return os.pread(file, most_bytes, offset)
    os.lseek(file, offset, os.SEEK_SET)
    return os.read(file, most_bytes)


def processor_name(platform: str = sys.platform) -> str:
    """The processor's name on Windows and macOS, without starting a process; empty elsewhere, or where it is not told.

    Args:
        platform: The system, as :data:`sys.platform` names it.
    """
    try:
        if platform == "win32":
            return _name_in_registry(import_module("winreg"))
        if platform == "darwin":
            return _name_by_sysctl()
    except (ImportError, OSError, AttributeError, ValueError):
        pass
    return ""


def _name_in_registry(winreg: Any) -> str:  # noqa: ANN401 - the module exists on Windows alone
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
        return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()


def _name_by_sysctl() -> str:
    """The name that ``sysctl machdep.cpu.brand_string`` prints, such as ``Apple M2 Pro``; see sysctlbyname(3)."""
    import ctypes

    library = ctypes.CDLL(None)
    name, room = ctypes.create_string_buffer(256), ctypes.c_size_t(256)
    if library.sysctlbyname(b"machdep.cpu.brand_string", name, ctypes.byref(room), None, ctypes.c_size_t(0)):
        return ""
    return name.value.decode("utf-8", "replace").strip()
