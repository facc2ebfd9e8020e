"""``lightning-carbon run``: the meter around a program of any kind."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, cast

from lightning_carbon.cli import NAME
from lightning_carbon.cli.run.handled import held_signals
from lightning_carbon.cli.run.program import CannotStart, find
from lightning_carbon.errors import ConfigError, LedgerError
from lightning_carbon.ledger.files import write_json
from lightning_carbon.meter import Meter
from lightning_carbon.records.mapping import to_mapping
from lightning_carbon.records.run import Status
from lightning_carbon.settings import Settings, configure
from lightning_carbon.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lightning_carbon.cli.run.attached import Attached
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.settings import MeterConfig


def metered(words: list[str], settings: Mapping[str, object], *, copy_to: Path | None, quiet: bool) -> int:
    """Run a program under the meter.

    Args:
        words: The program and its arguments.
        settings: The meter's arguments; ``None`` for those not given.
        copy_to: The path of a copy of the record, if any.
        quiet: Whether to print no summary.

    Returns:
        The exit code: the program's own, if it ran.

    Raises:
        ConfigError: A setting cannot be used; nothing was started.
    """
    config = configure(**cast("Settings", {name: value for name, value in settings.items() if value is not None}))
    if copy_to is not None:
        _check_copy(copy_to)
    try:
        path = find(words[0])
        with held_signals() as signals:
            meter = Meter.of(replace(config, on_budget="warn")).start()
            status = Status.FAILED
            try:
                ending = signals.run(path, words, shall_end=lambda: _is_over(meter, config))
                status = ending.status
            finally:
                record = meter.stop(status)
            _report(record, copy_to, quiet=quiet)
    except CannotStart as error:
        _say(f"{NAME}: {error}")
        return error.exit_code
    return ending.exit_code


def attached(to: Attached, settings: Mapping[str, object], *, copy_to: Path | None, quiet: bool) -> int:
    """Meter what runs already.

    Args:
        to: What is metered, and how long.
        settings: The meter's arguments; ``None`` for those not given.
        copy_to: The path of a copy of the record, if any.
        quiet: Whether to print no summary.

    Returns:
        The exit code: 0, however it ended.

    Raises:
        ConfigError: A setting cannot be used; nothing was metered.
    """
    config = configure(**cast("Settings", {name: value for name, value in settings.items() if value is not None}))
    if copy_to is not None:
        _check_copy(copy_to)
    if to.subject.pid is None:
        if config.on_budget != "warn":
            raise ConfigError("on_budget", config.on_budget, "a machine is not stopped: leave it at warn.")
        devices = "all" if config.devices == "auto" else config.devices
        config = replace(config, cpu_scope="machine", devices=devices)
    meter = Meter.of(replace(config, on_budget="warn"), subject=to.subject).start()
    status = Status.FAILED
    try:
        status = to.wait(lambda: _is_over(meter, config))
    finally:
        record = meter.stop(status)
    _report(record, copy_to, quiet=quiet)
    return 0


def _is_over(meter: Meter, config: MeterConfig) -> bool:
    """Whether the budget is used up and the program shall end for it, which the meter is told."""
    is_over = config.on_budget != "warn" and meter.budget_reached
    if is_over:
        meter.tell_stop()
    return is_over


def _check_copy(path: Path) -> None:
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise ConfigError("json", str(path), "give a file in a folder that is there and can be written.")


def _report(record: RunRecord, copy_to: Path | None, *, quiet: bool) -> None:
    if copy_to is not None:
        try:
            _write(copy_to, to_mapping(record))
        except (LedgerError, OSError) as error:
            kept = "stored nowhere" if record.location is None else f"in {record.location}"
            _say(f"{NAME}: {error}; the record is {kept}")
    if not quiet:
        _say(record.summary())


def _write(path: Path, mapping: Mapping[str, object]) -> None:
    if path.exists() and not path.is_file():
        # A pipe or /dev/fd/3, which must not be replaced by a file.
        path.write_text(json.dumps(mapping) + "\n", encoding="utf-8")
    else:
        write_json(path.resolve(), mapping)


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - the console is what this module is for
    except OSError:
        # The output's reader is gone. Python would end with 120 for the data left to flush; the exit code must be the
        # program's.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
