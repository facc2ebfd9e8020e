"""A PostgreSQL of this machine's own, on loopback, for the time of some tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PASSWORD: Final = "s3cr3t-of-tests"  # noqa: S105 - of a server that lives as long as the tests
_USER: Final = "nobody"
"""PostgreSQL refuses to run as root, so root lets this user run it."""


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs, as Debian has them or on the path; ``None`` where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: path.parts[-3].zfill(4))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def missing() -> str:
    """Why no PostgreSQL can be started here; empty where it can."""
    if binaries() is None:
        return "no PostgreSQL here; on Debian: apt-get install postgresql"
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL does not run as root, and there is no setpriv to run it as another user"
    return ""


@contextmanager
def running() -> Iterator[str]:
    """Start a server with an empty database, and yield its URL."""
    programs = binaries()
    if programs is None:
        raise AssertionError(missing())
    with tempfile.TemporaryDirectory(prefix="postgres-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        as_user: Sequence[str] = ()
        if os.getuid() == 0:
            as_user = ("setpriv", f"--reuid={_USER}", "--regid=nogroup", "--clear-groups")
            for path in (folder, secret):
                shutil.chown(path, _USER)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]

        def call(program: str, *words: str) -> None:
            command = [*as_user, str(programs / program), "-D", str(folder / "data"), *words]
            done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, timeout=300)
            if done.returncode:
                raise AssertionError(f"{program}: {done.stdout}{done.stderr}")

        call(
            "initdb", "--no-sync", "-U", "team", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C"
        )
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        # Its output goes to a file: a pipe would stay open as long as the server runs.
        call("pg_ctl", "start", "-w", "-t", "240", "-l", str(folder / "log"), "-o", options)
        try:
            yield f"postgresql://team:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "stop", "-m", "immediate")
