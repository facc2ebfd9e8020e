"""The command line, ``lightning-carbon``: what can be metered here, and the meter around any program.

Everything loads inside :func:`main`, so that nothing but the command line itself pays for typer and rich.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper

NAME = "lightning-carbon"


def main() -> None:
    """Run the command line with the words this process was given, and end the process."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no "±" or "µ" shows a question mark in its stead.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    from lightning_carbon.cli.app import app

    app(prog_name=NAME)
