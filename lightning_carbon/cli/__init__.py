"""The command line, ``lightning-carbon``.

Everything loads inside :func:`main`, so only the command line itself pays for typer and rich.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper

NAME = "lightning-carbon"


def main() -> None:
    """Run the command line with the arguments of this process, and end the process."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal without "±" or "µ" shows a question mark instead.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    from lightning_carbon.cli.app import app

    app(prog_name=NAME)
