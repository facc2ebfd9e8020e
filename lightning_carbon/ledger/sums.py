"""Sums over runs, asked of any database that has the tables of an index: this host's, or a team's.

The 90 % interval of a sum follows from what each cause of error has in its runs: what one cause has adds up, causes and
the own errors of runs add in squares, as :mod:`lightning_carbon.carbon.interval_sums` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lightning_carbon.carbon.interval import LEVEL, OWN, Interval
from lightning_carbon.carbon.interval_sums import IN_SQUARES
from lightning_carbon.carbon.rest import Boundary
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.ledger.filters import RunFilter

ALL: Final = "all"
Asker = Callable[[str, dict[str, object]], "Sequence[Sequence[Any]]"]
"""Asks a database a query with its values, and returns the rows."""
_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ALL: "'all runs'",
        "project": "runs.project",
        "month": "substr(runs.started_at, 1, 7)",
        "host": "portions.name",
        "status": "runs.status",
        "model": "runs.model",
        "gpu": "portions.name",
    }
)
WAYS: Final = tuple(way for way in _KEYS if way != ALL)
"""The ways to divide a sum."""
_FIGURES: Final = 4
"""The figures of a cause: below and above, in joules and in grams."""
_PARTS: Final = {"host", "gpu"}
"""The ways that divide the energy of a run, too."""


class Tables(NamedTuple):
    """The names of the tables in a database.

    Args:
        runs: That of the runs.
        portions: That of the portions of hosts and GPUs in them.
        causes: That of what the causes of errors have in them.
    """

    runs: str = "runs"
    portions: str = "portions"
    causes: str = "causes"


_OF_AN_INDEX: Final = Tables()


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum over runs.

    Args:
        name: The project, month, host, ... of the runs.
        runs: The number of runs.
        unmetered_runs: The number of them whose energy is not known, and not in the sum.
        duration_seconds: How long they lasted, one after the other.
        chips_only_runs: The number of them of which no more than the energy of the chips is known.
        priced_joules: The energy that their CO2e prices, without PUE: of their machines, or else of their chips.
        priced_low_joules: The sum of the lower ends of its ranges.
        priced_high_joules: The sum of the upper ends.
        joules: The energy of their chips.
        measured_joules: The part of it that sensors measured.
        low_joules: The sum of the lower ends of their ranges.
        high_joules: The sum of the upper ends.
        grams_co2e: Their CO2e, each priced as in its own record.
        low_grams_co2e: The sum of the lower ends of its ranges.
        high_grams_co2e: The sum of the upper ends.
        interval_low_joules: The lower end of the 90 % interval of ``priced_joules``; ``None`` where a run has none.
        interval_high_joules: The upper end.
        interval_low_grams_co2e: The lower end of the 90 % interval of ``grams_co2e``.
        interval_high_grams_co2e: The upper end.
    """

    name: str
    runs: int
    unmetered_runs: int
    duration_seconds: float
    chips_only_runs: int
    priced_joules: float
    priced_low_joules: float
    priced_high_joules: float
    joules: float
    measured_joules: float
    low_joules: float
    high_joules: float
    grams_co2e: float
    low_grams_co2e: float
    high_grams_co2e: float
    interval_low_joules: float | None = None
    interval_high_joules: float | None = None
    interval_low_grams_co2e: float | None = None
    interval_high_grams_co2e: float | None = None

    @property
    def interval(self) -> Interval | None:
        """The 90 % interval of the energy that the CO2e prices, in joules."""
        return _interval(self.interval_low_joules, self.interval_high_joules)

    @property
    def mass_interval(self) -> Interval | None:
        """The 90 % interval of the CO2e, in grams."""
        return _interval(self.interval_low_grams_co2e, self.interval_high_grams_co2e)


@dataclass(frozen=True, slots=True)
class Addition:
    """A sum over runs, whole and divided.

    Args:
        parts: Its parts; the largest energy first, or the months in order.
        whole: The whole; ``None`` where there are no runs.
        twice_joules: The approximate energy that it counts more than once; ``None`` where that is not known.
    """

    parts: list[Sum]
    whole: Sum | None
    twice_joules: float | None = None


_SUMMED: Final = (
    *("priced_joules", "priced_low_joules", "priced_high_joules"),
    *("joules", "measured_joules", "low_joules", "high_joules"),
    *("grams_co2e", "low_grams_co2e", "high_grams_co2e"),
)
_IS_CHIPS_ONLY: Final = f"runs.boundary = '{Boundary.CHIPS.value}' AND runs.joules IS NOT NULL"


def condition(wanted: RunFilter, tables: Tables = _OF_AN_INDEX) -> tuple[str, dict[str, object]]:
    """The condition on the table of runs that a filter stands for, and its values.

    The functions ``fits`` and ``tagged`` are those of a ledger's index: tags lie beside the records.
    """
    said, values = ["1 = 1"], dict[str, object]()
    has_host = (
        f"EXISTS (SELECT 1 FROM {tables.portions} AS held WHERE held.project = runs.project "  # noqa: S608 - our table
        "AND held.folder = runs.folder AND held.part = 'host' AND held.name = :host)"
    )
    for name, clause in (
        ("project", "runs.project = :project"),
        ("since", "runs.started_at >= :since"),
        ("until", "runs.started_at < :until"),
        ("sweep", "(fits(runs.run_name, :sweep) OR fits(runs.sweep, :sweep))"),
        (
            "host",
            has_host,
        ),
    ):
        value = getattr(wanted, name)
        if value is not None:
            said.append(clause)
            values[name] = value
    if wanted.tags:
        said.append("tagged(runs.project, runs.folder)")
    if wanted.statuses:
        names = {f"status_{place}": status for place, status in enumerate(wanted.statuses)}
        said.append(f"runs.status IN ({', '.join(f':{name}' for name in names)})")
        values |= names
    return " AND ".join(said), values


def divided(ask: Asker, wanted: RunFilter, way: str, *, tables: Tables = _OF_AN_INDEX) -> tuple[list[Sum], Sum | None]:
    """Ask for sums, the largest energy first or by month, and for their whole.

    Args:
        ask: Asks the database a query with its values, and returns the rows.
        wanted: The runs.
        way: How the sum is divided: :data:`ALL`, or one of :data:`WAYS`.
        tables: The names of the tables.

    Returns:
        The parts, and the whole; ``None`` where there are no runs.
    """
    parts = _summed(ask, wanted, way, tables=tables)
    whole = parts if way == ALL else _summed(ask, wanted, ALL, tables=tables)
    return parts, whole[0] if whole else None


def _summed(ask: Asker, wanted: RunFilter, way: str, *, tables: Tables) -> list[Sum]:
    plain, causes = (ask(*query(wanted, way, tables)) for query in (_sums_query, _causes_query))
    held: dict[str, list[Sequence[Any]]] = {}
    for name, *row in causes:
        held.setdefault(str(name), []).append(row)
    found = []
    for name, runs, unmetered, seconds, chips_only, *figures in plain:
        if runs:
            parts = Sum(str(name), int(runs), int(unmetered), float(seconds), int(chips_only), *map(float, figures))
            found.append(_with_interval(parts, held.get(parts.name, [])))
    return found


def _with_interval(parts: Sum, causes: Sequence[Sequence[Any]]) -> Sum:
    """A sum with its interval, where all of its runs have one.

    Args:
        parts: The sum.
        causes: The name of each cause, in how many runs it counts, and the sums of its figures, or of their squares.
    """
    if sum(int(row[1]) for row in causes if row[0] == OWN) != parts.runs - parts.unmetered_runs or not causes:
        return parts
    halves = [
        sqrt(sum((row[2 + place] or 0.0) ** (1 if row[0] == OWN else 2) for row in causes)) for place in range(_FIGURES)
    ]
    return replace(
        parts,
        interval_low_joules=parts.priced_joules - halves[0],
        interval_high_joules=parts.priced_joules + halves[1],
        interval_low_grams_co2e=parts.grams_co2e - halves[2],
        interval_high_grams_co2e=parts.grams_co2e + halves[3],
    )


def _interval(low: float | None, high: float | None) -> Interval | None:
    return None if low is None or high is None else Interval(low, high, LEVEL, IN_SQUARES)


def _selection(wanted: RunFilter, way: str, tables: Tables) -> tuple[str, str, str, dict[str, object]]:
    """The tables, the share of a run that counts, the condition and its values."""
    where, values = condition(wanted, tables)
    table, share = f"{tables.runs} AS runs", ""
    if way in _PARTS:
        held = f"{tables.portions} AS portions ON portions.project = runs.project AND portions.folder = runs.folder"
        table = f"{table} JOIN {held}"
        where += f" AND portions.part = '{way}'"
        # Everything of a run is divided as its energy is.
        share = " * portions.joules / nullif(runs.joules, 0)"
    return table, share, where, values


def _sums_query(wanted: RunFilter, way: str, tables: Tables) -> tuple[str, dict[str, object]]:
    table, share, where, values = _selection(wanted, way, tables)
    chips_only = f"coalesce(sum(CASE WHEN {_IS_CHIPS_ONLY} THEN 1 ELSE 0 END), 0)"
    figures = ", ".join(f"coalesce(sum(runs.{name}{share}), 0)" for name in _SUMMED)
    query = (
        f"SELECT {_KEYS[way]} AS name, count(*), count(*) - count(runs.joules), "  # noqa: S608 - no text of a user
        f"coalesce(sum(runs.duration_seconds), 0), {chips_only}, {figures} FROM {table} WHERE {where} "
        f"{'' if way == ALL else f'GROUP BY {_KEYS[way]} '}"
        f"ORDER BY {'1' if way == 'month' else '6 DESC, 1'}"
    )
    return query, values


def _causes_query(wanted: RunFilter, way: str, tables: Tables) -> tuple[str, dict[str, object]]:
    """What causes add up to: their own parts, and the squares of what is a run's own."""
    table, share, where, values = _selection(wanted, way, tables)
    names = ("below_joules", "above_joules", "below_grams", "above_grams")
    figures = [f"(causes.{name}{share})" for name in names]
    parts = ", ".join(
        f"sum(CASE WHEN causes.cause = '{OWN}' THEN {figure} * {figure} ELSE {figure} END)" for figure in figures
    )
    query = (
        f"SELECT {_KEYS[way]} AS name, causes.cause, count(*), {parts} FROM {table} "  # noqa: S608 - no text of a user
        f"JOIN {tables.causes} AS causes ON causes.project = runs.project AND causes.folder = runs.folder "
        f"WHERE {where} GROUP BY {'2' if way == ALL else '1, 2'}"
    )
    return query, values
