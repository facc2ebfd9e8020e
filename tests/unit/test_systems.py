"""What systems differ in, and that nothing else in the package asks for what another system lacks."""

from __future__ import annotations

import ast
import hashlib
import os
import signal
import sys
from pathlib import Path

import pytest

import lightning_carbon
from lightning_carbon.sources.host.cpuinfo import describe_cpu
from lightning_carbon.sources.launchers import pid_namespace
from lightning_carbon.systems import processor_name, read_at, sha256_of, signals, system
from tests.elsewhere.stripped import MODULES, NAMES_OF_OS, SIGNALS

PACKAGE = Path(lightning_carbon.__file__).parent
GUARDED = {
    "cli/run/program.py": {
        *("os.posix_spawn", "os.WNOHANG"),
        *("signal.SIGCHLD", "signal.sigtimedwait", "signal.sigpending", "signal.pthread_sigmask"),
    },
    "measuring/child.py": {"os.killpg", "signal.SIGKILL"},
    "sources/host/cpu_share.py": {"os.sysconf"},
    "systems.py": {"os.uname", "os.pread"},
}
"""What only Linux or POSIX has, and is used after a look whether it is there."""


def asked_for(module: Path) -> set[str]:
    """What a module imports or uses that Windows or macOS lacks."""
    found = set[str]()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module} & MODULES
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            lacking = {"os": NAMES_OF_OS, "signal": SIGNALS}.get(node.value.id, ())
            found |= {f"{node.value.id}.{node.attr}"} if node.attr in lacking else set()
    return found


def test_nothing_asks_for_what_another_system_lacks() -> None:
    """Save where it looks first, which is written down here by module and name."""
    found = {module.relative_to(PACKAGE).as_posix(): asked_for(module) for module in PACKAGE.rglob("*.py")}

    assert {name: names for name, names in found.items() if names} == GUARDED


def test_the_machine_has_a_name_and_a_system() -> None:
    """Those that the platform module would give, which starts a process on Windows."""
    import platform

    here = system()

    assert (platform.node(), platform.system(), platform.machine()) == (here.node, here.name, here.architecture)


def test_signals_that_a_system_lacks_are_left_out() -> None:
    """The others keep their order."""
    assert (signal.SIGTERM, signal.SIGINT) == signals("SIGTERM", "SIGNOWHERE", "SIGINT")


def test_a_place_in_a_file_is_read(tmp_path: Path) -> None:
    """From its offset on, as many bytes as asked for."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        assert b"345" == read_at(file.fileno(), 3, 3)
        assert b"01" == read_at(file.fileno(), 2)


@pytest.mark.parametrize("platform", [name for name in ("win32", "darwin") if name != sys.platform])
def test_a_processor_s_name_that_is_not_told_is_empty(platform: str) -> None:
    """Where there is no registry, and no such call."""
    assert "" == processor_name(platform)


def test_a_processor_without_a_file_goes_by_its_name(tmp_path: Path) -> None:
    """As on macOS and Windows, which tell the name in other ways."""
    nowhere = tmp_path / "cpuinfo"

    assert {"model name": "Apple M2 Pro"} == describe_cpu(nowhere, lambda: "Apple M2 Pro")
    assert {} == describe_cpu(nowhere, str)


def test_only_linux_has_several_namespaces_of_processes(tmp_path: Path) -> None:
    """Elsewhere the number of a process means the same to everyone on the machine."""
    assert pid_namespace(tmp_path, "linux") is None
    assert 0 == pid_namespace(tmp_path, "darwin") == pid_namespace(tmp_path, "win32")


def test_names_that_are_looked_for_exist_on_some_system() -> None:
    """So that a slip in the list of what others lack shows."""
    assert [] == [name for name in NAMES_OF_OS if not hasattr(os, name)] or sys.platform != "linux"
    assert [] == [name for name in SIGNALS if not hasattr(signal, name)] or sys.platform != "linux"


@pytest.mark.parametrize("content", [b"", b"abc", "größer".encode() * 100])
def test_a_hash_is_that_of_the_standard_library(content: bytes) -> None:
    """Whichever module has it, the digits are the same."""
    assert hashlib.sha256(content).hexdigest() == sha256_of(content)
