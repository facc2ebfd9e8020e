"""What a benchmark found: the checks against targets, as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

PLAIN_WIDTH = 132
"""Columns where the output is no terminal."""

_PACKAGES = ("torch", "pytorch-lightning", "transformers", "nvidia-ml-py", "psutil")


@dataclass(frozen=True, slots=True)
class Check:
    """One figure, held against its target or shown beside one.

    Args:
        bench: The benchmark that it comes from.
        what: What was measured, for people.
        measured: The figure.
        unit: Its unit, such as ``%`` or ``ms``.
        limit: The target, or ``None`` for a figure that only explains.
        at_least: Whether the target is a least value rather than a greatest one.
        note: What else is worth knowing.
    """

    bench: str
    what: str
    measured: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether the target is reached; ``None`` where there is none, and never where the figure is not a number."""
        if self.limit is None:
            return None
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    @property
    def verdict(self) -> str:
        """``ok``, ``missed``, or nothing."""
        return {None: "", True: "ok", False: "missed"}[self.ok]


def print_table(checks: Iterable[Check], title: str) -> None:
    """Print the checks, one a line."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    table = Table(title=title, title_justify="left")
    table.add_column("benchmark", no_wrap=True)
    table.add_column("what")
    table.add_column("target", justify="right", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("note")
    for check in checks:
        sign = "≥" if check.at_least else "≤"
        target = "" if check.limit is None else f"{sign} {_figure(check.limit)} {check.unit}"
        measured = f"{_figure(check.measured)} {check.unit}"
        style = "red" if check.ok is False else "dim" if check.ok is None else None
        table.add_row(check.bench, check.what, target, measured, check.verdict, check.note, style=style)
    console.print(table)


def write_json(path: Path, checks: Sequence[Check], *, seconds: float) -> None:
    """Write the checks and the machine they were made on.

    Args:
        path: Where; its folder is made.
        checks: What was found.
        seconds: How long it all took.
    """
    mapping = {
        "machine": machine(),
        "seconds": round(seconds, 1),
        "missed": sum(check.ok is False for check in checks),
        "checks": [{**asdict(check), "ok": check.ok} for check in checks],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(mapping, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, str | int | None]:
    """What the figures depend on: processors, Python and packages."""
    found: dict[str, str | int | None] = {
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _figure(value: float) -> str:
    return f"{value:.4g}"
