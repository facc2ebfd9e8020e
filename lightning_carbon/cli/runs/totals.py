"""``lightning-carbon runs total``: sums over runs, whole or divided."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Final

import typer

from lightning_carbon.cli.runs.choosing import known_runs
from lightning_carbon.cli.runs.figures import csv_line, formula_safe
from lightning_carbon.cli.say import say
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.files import to_json
from lightning_carbon.ledger.filters import near_words
from lightning_carbon.ledger.sums import ALL, WAYS, Addition, Sum
from lightning_carbon.records.numbers import (
    CO2E,
    WATT_HOURS,
    amount,
    duration,
    likely,
    percent,
    printable,
    shorten,
    span,
    table,
)

if TYPE_CHECKING:
    from lightning_carbon.ledger.filters import RunFilter

_WIDEST: Final = 44
"""The most characters of a name in the table."""


def show_totals(ledger: str | None, wanted: RunFilter, by: str | None, *, as_json: bool, as_csv: bool) -> None:
    """Print sums over the runs of a ledger.

    Args:
        ledger: The folder of all runs that the user named, if any.
        wanted: The runs.
        by: How the sum is divided, if it is.
        as_json: Whether JSON is printed.
        as_csv: Whether CSV is printed.

    Raises:
        ConfigError: There is no such folder, project or way, or two forms are asked for.
    """
    way = checked_way(by)
    check_forms(as_json=as_json, as_csv=as_csv)
    runs = known_runs(ledger, wanted.project)
    print_sums(runs.ledger.sums(wanted, way), way, as_json=as_json, as_csv=as_csv)


def checked_way(by: str | None) -> str:
    """Check how a sum is to be divided.

    Raises:
        ConfigError: There is no such way.
    """
    if by is None:
        return ALL
    if by not in WAYS:
        raise ConfigError("by", by, near_words(by, WAYS))
    return by


def check_forms(*, as_json: bool, as_csv: bool) -> None:
    """Refuse two forms at once.

    Raises:
        ConfigError: Both are asked for.
    """
    if as_json and as_csv:
        raise ConfigError("json", True, "--csv is given too, and one form is printed; leave one out.")


def print_sums(sums: Addition, way: str, *, as_json: bool, as_csv: bool) -> None:
    """Print sums as a table, JSON or CSV.

    Args:
        sums: The sums.
        way: How they are divided.
        as_json: Whether JSON is printed.
        as_csv: Whether CSV is printed.
    """
    if as_json:
        plain = {
            "by": None if way == ALL else way,
            "sums": [asdict(part) for part in sums.parts],
            "total": None if sums.whole is None else asdict(sums.whole),
            "counted_twice_joules": sums.twice_joules,
        }
        say(to_json(plain, indent=2))
    elif as_csv:
        lines = [csv_line([way if field.name == "name" else field.name for field in fields(Sum)])]
        lines += [csv_line([formula_safe(part.name), *[*asdict(part).values()][1:]]) for part in sums.parts]
        typer.echo("".join(lines), nl=False)
    elif sums.whole is None:
        say("No runs match.")
    else:
        energy = "chips" if sums.whole.chips_only_runs == _metered(sums.whole) else "machine"
        head = ("" if way == ALL else way, "runs", "duration", energy, "range", "chips measured", "CO2e", "range")
        rows = [head, *map(_cells, sums.parts), *(() if way == ALL else (_cells(sums.whole),))]
        say("\n".join(table(rows, "<>>>>>>>")))
        for note in _notes(sums.whole, way, sums.twice_joules):
            say(note)


def _cells(part: Sum) -> tuple[str, ...]:
    return (
        shorten(printable(part.name), _WIDEST),
        f"{part.runs:,}",
        duration(part.duration_seconds),
        amount(part.priced_joules, WATT_HOURS),
        likely(part.interval, WATT_HOURS, like=part.priced_joules)
        or span(part.priced_low_joules, part.priced_high_joules, WATT_HOURS, like=part.priced_joules),
        percent(min(1.0, part.measured_joules / part.joules)) if part.joules else "–",
        amount(part.grams_co2e, CO2E),
        likely(part.mass_interval, CO2E, like=part.grams_co2e)
        or span(part.low_grams_co2e, part.high_grams_co2e, CO2E, like=part.grams_co2e),
    )


def _metered(part: Sum) -> int:
    return part.runs - part.unmetered_runs


def _notes(overall: Sum, way: str, twice_joules: float | None) -> list[str]:
    notes = []
    if overall.interval is not None:
        notes.append(
            "Ranges marked (90 %) are 90 % intervals: what errs together in runs adds up, the rest partly cancels."
        )
    elif _metered(overall):
        notes.append(
            "Ranges are sums of bounds: a run has no 90 % interval, as it goes on or is of an earlier version."
        )
    if overall.unmetered_runs:
        are = "1 run has" if overall.unmetered_runs == 1 else f"{overall.unmetered_runs:,} runs have"
        notes.append(f"{are} no energy that could be measured; the sum lacks it.")
    if 0 < overall.chips_only_runs < _metered(overall):
        are = "Of 1 run" if overall.chips_only_runs == 1 else f"Of {overall.chips_only_runs:,} runs"
        notes.append(f"{are} it is the energy of the chips alone: the rest of the machine is not known.")
    if twice_joules:
        twice = amount(twice_joules, WATT_HOURS)
        about = f"About {twice} of the chips' energy are counted twice"
        notes.append(f"{about}: runs metered the same hardware at the same time.")
    if way in {"host", "gpu"}:
        notes.append(f"A run of several {way}s counts for each; its energy is divided between them.")
    return notes
