"""``lightning-carbon runs modules``: the energy of the steps of a run by module, as a table and as a flame graph."""

from __future__ import annotations

import json as jsonlib
from typing import TYPE_CHECKING

from lightning_carbon import __version__
from lightning_carbon.cli.runs.choosing import find_run
from lightning_carbon.cli.runs.exporting import write_whole
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.fields import plain
from lightning_carbon.report.flame import flame_svg, speedscope
from lightning_carbon.report.pages.module_table import module_table
from lightning_carbon.report.sheets import as_text

if TYPE_CHECKING:
    from pathlib import Path


def show_modules(
    run: str | None, ledger: str | None, project: str | None, *, files: tuple[Path | None, Path | None], as_json: bool
) -> None:
    """Print the modules of a run, and write its flame graph where that is asked for.

    Args:
        run: The run that the user named; the last by default.
        ledger: The folder of all runs that the user named, if any.
        project: The project that the user named, if any.
        files: The file for speedscope and the picture, if they are wanted.
        as_json: Whether JSON is printed instead.

    Raises:
        ConfigError: There is no such run, nothing is known of its modules, or a file cannot be written.
    """
    record = find_run(run, ledger, project)
    table = module_table(record)
    picture = flame_svg(record)
    if table is None or picture is None:
        fix = 'nothing is known of its modules; give detail="module" to the callback or the meter.'
        raise ConfigError("run", record.run_id, fix)
    for_speedscope, for_picture = files
    if for_speedscope is not None:
        told = jsonlib.dumps(speedscope(record, f"lightning-carbon {__version__}"), allow_nan=False)
        write_whole("speedscope", for_speedscope, lambda scratch: scratch.write_text(told, encoding="utf-8"))
    if for_picture is not None:
        write_whole("svg", for_picture, lambda scratch: scratch.write_text(picture, encoding="utf-8"))
    say(jsonlib.dumps(plain(record.modules), indent=2, allow_nan=False) if as_json else as_text(table.sheet()))
