"""The command line where Linux's modules, calls and folders are missing.

Run as ``python -m tests.elsewhere.cli FOLDER 'runs' 'runs show latest'`` it makes each of the commands in turn, and
prints the exit code after its output.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from tests.elsewhere.stripped import strip

if __name__ == "__main__":
    if sys.platform == "linux":
        strip(Path(sys.argv[1]))
    from lightning_carbon.cli import main

    for command in sys.argv[2:]:
        sys.argv = ["lightning-carbon", *shlex.split(command)]
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        print(f"\n[{command}: {code or 0}]", flush=True)  # noqa: T201 - it is a program
