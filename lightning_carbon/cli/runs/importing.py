"""``lightning-carbon runs import``: runs that another tool has metered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.cli.runs.codecarbon import records_of
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError, RecordError
from lightning_carbon.ledger.files import read_whole
from lightning_carbon.ledger.union import add
from lightning_carbon.records.numbers import CO2E, WATT_HOURS, amount
from lightning_carbon.settings import PROJECT, writable_ledger

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES: Final = 64 * 2**20


def import_runs(file: Path, ledger: str | None, project: str | None) -> None:
    """Put the runs of an ``emissions.csv`` into a ledger; the same file twice changes nothing.

    Raises:
        ConfigError: The file cannot be read, or is no such file; nothing is written then.
        LedgerError: The ledger cannot be written.
    """
    name = None if project is None else PROJECT.check(project)
    root = writable_ledger(ledger)
    try:
        records = records_of(read_whole(file, _MOST_BYTES).decode("utf-8-sig"), name)
    except OSError as error:
        raise ConfigError("file", str(file), f"it cannot be read: {error.strerror or error}.") from error
    except (RecordError, UnicodeDecodeError) as error:
        raise ConfigError("file", str(file), f"{error}.") from error
    if not records:
        raise ConfigError("file", str(file), "it has no runs.")
    new = sum(add(root, record) for record in records)
    joules = sum(record.energy.total_joules or 0.0 for record in records)
    grams = sum(record.carbon.grams_co2e or 0.0 for record in records)
    say(
        f"{new:,} runs imported, {len(records) - new:,} there already: {amount(joules, WATT_HOURS)}, "
        f"{amount(grams, CO2E)}, as CodeCarbon has them."
    )
