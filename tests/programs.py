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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[1]


class Programs:
    """Runs programs that all import one module.

    Args:
        module: The module.
    """

    def __init__(self, module: str) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", __name__, module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, program: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a program in the folder that it lies in, and wait for its end.

        Args:
            program: Its file.
            environment: All variables that it sees.
        """
        streams = [program.with_suffix(suffix) for suffix in (".out", ".err")]
        stdin, stdout = self._server.stdin, self._server.stdout
        assert stdin is not None
        assert stdout is not None
        job = {"program": str(program), "environment": dict(environment), "streams": [str(file) for file in streams]}
        stdin.write(f"{json.dumps(job)}\n")
        stdin.flush()
        code = int(stdout.readline())
        output, errors = (file.read_text(encoding="utf-8") for file in streams)
        return subprocess.CompletedProcess(str(program), code, output, errors)

    def close(self) -> None:
        """End the process that the programs are forks of."""
        self._server.communicate(timeout=300)


def _become(job: dict[str, object]) -> None:
    """Run a program in this process."""
    program, environment, streams = job["program"], job["environment"], job["streams"]
    assert isinstance(program, str)
    assert isinstance(environment, dict)
    assert isinstance(streams, list)
    for number, file in enumerate(streams, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(Path(program).parent)
    sys.argv[:] = [program]
    sys.path[0] = str(Path(program).parent)
    runpy.run_path(program, run_name="__main__")


def main(module: str) -> None:
    """Import the module, and fork a process for each job on standard input."""
    import_module(module)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become(json.loads(line))
            return
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
