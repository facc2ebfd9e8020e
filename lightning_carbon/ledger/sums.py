"""Sums over runs, asked of any database that has the tables of an index: this host's, or a team's."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lightning_carbon.carbon.rest import Boundary
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.ledger.filters import RunFilter

ALL: Final = "all"
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
_PARTS: Final = {"host", "gpu"}
"""The ways that divide the energy of a run, too."""


class Tables(NamedTuple):
    """The names of the tables in a database.

    Args:
        runs: That of the runs.
        portions: That of the portions of hosts and GPUs in them.
    """

    runs: str = "runs"
    portions: str = "portions"


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


def sums_query(wanted: RunFilter, way: str, tables: Tables = _OF_AN_INDEX) -> tuple[str, dict[str, object]]:
    """The query for sums, the largest energy first or by month, and its values.

    Args:
        wanted: The runs.
        way: How the sum is divided: :data:`ALL`, or one of :data:`WAYS`.
        tables: The names of the tables.
    """
    where, values = condition(wanted, tables)
    table, share = f"{tables.runs} AS runs", ""
    if way in _PARTS:
        held = f"{tables.portions} AS portions ON portions.project = runs.project AND portions.folder = runs.folder"
        table = f"{table} JOIN {held}"
        where += f" AND portions.part = '{way}'"
        # Everything of a run is divided as its energy is.
        share = " * portions.joules / nullif(runs.joules, 0)"
    chips_only = f"coalesce(sum(CASE WHEN {_IS_CHIPS_ONLY} THEN 1 ELSE 0 END), 0)"
    figures = ", ".join(f"coalesce(sum(runs.{name}{share}), 0)" for name in _SUMMED)
    query = (
        f"SELECT {_KEYS[way]} AS name, count(*), count(*) - count(runs.joules), "  # noqa: S608 - no text of a user
        f"coalesce(sum(runs.duration_seconds), 0), {chips_only}, {figures} FROM {table} WHERE {where} "
        f"{'' if way == ALL else f'GROUP BY {_KEYS[way]} '}"
        f"ORDER BY {'1' if way == 'month' else '6 DESC, 1'}"
    )
    return query, values


def sums_of(rows: Sequence[Sequence[Any]]) -> list[Sum]:
    """The sums in the rows that such a query returns."""
    return [
        Sum(str(name), int(runs), int(unmetered), float(seconds), int(chips_only), *map(float, figures))
        for name, runs, unmetered, seconds, chips_only, *figures in rows
        if runs
    ]
