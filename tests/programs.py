"""Programs that start with their framework imported: ``python -m tests.programs MODULE``.

An import of a framework takes seconds. So one process imports it, and a fork of that process runs each program, as
``python program.py`` would: in a folder and an environment of its own, and through the end of the interpreter.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]


class Programs:
    """Runs programs that all import one module, one after the other.

    What the import writes to standard error stands before what each program writes there.

    Args:
        module: The module.
    """

    def __init__(self, module: str) -> None:
        self._streams = TemporaryDirectory(prefix="programs-")
        self._imported, *self._files = (Path(self._streams.name, name) for name in ("imported", "output", "errors"))
        with self._imported.open("w") as imported:
            self._server = subprocess.Popen(
                [sys.executable, "-m", __name__, module],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=imported,
                text=True,
            )

    def run(
        self, program: Path, environment: Mapping[str, str], *words: str, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program, and wait for its end.

        Args:
            program: Its file.
            environment: All variables that it sees.
            words: Its arguments.
            folder: Where it runs; by default, where it lies.
        """
        self.start(program, environment, *words, folder=folder)
        return self.end()

    def start(
        self, program: Path, environment: Mapping[str, str], *words: str, folder: Path | None = None
    ) -> psutil.Process:
        """Run a program, likewise, while the test goes on; it has to wait for its end before it runs another.

        Returns:
            The program's process, to be looked at and sent signals.
        """
        stdin = self._server.stdin
        assert stdin is not None
        job = {
            "words": [str(program), *words],
            "folder": str(folder or program.parent),
            "environment": dict(environment),
            "streams": [str(stream) for stream in self._files],
        }
        stdin.write(f"{json.dumps(job)}\n")
        stdin.flush()
        return psutil.Process(self._answer())

    def end(self) -> subprocess.CompletedProcess[str]:
        """Wait for the end of what was started."""
        code = self._answer()
        imported, output, errors = (file.read_text(encoding="utf-8") for file in (self._imported, *self._files))
        return subprocess.CompletedProcess("", code, output, imported + errors)

    def close(self) -> None:
        """End the process that the programs are forks of."""
        self._server.communicate(timeout=300)
        self._streams.cleanup()

    def _answer(self) -> int:
        stdout = self._server.stdout
        assert stdout is not None
        line = stdout.readline()
        assert line, self._imported.read_text(encoding="utf-8")
        return int(line)


def _become(job: dict[str, object]) -> None:
    """Run a program in this process."""
    words, folder, environment, streams = job["words"], job["folder"], job["environment"], job["streams"]
    assert isinstance(words, list)
    assert isinstance(folder, str)
    assert isinstance(environment, dict)
    assert isinstance(streams, list)
    for number, file in enumerate(streams, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[:] = words
    sys.path[0] = str(Path(words[0]).parent)
    runpy.run_path(words[0], run_name="__main__")


def main(module: str) -> None:
    """Import the module, and fork a process for each job on standard input; answer with its number, then its code."""
    import_module(module)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become(json.loads(line))
            return
        _say(pid)
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
