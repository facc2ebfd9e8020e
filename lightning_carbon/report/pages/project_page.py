"""The content of the report of several runs: totals, failures, sweeps and quality, each run in a table. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.equivalents import equivalent_of
from lightning_carbon.records.numbers import CO2E, NOTHING, WATT_HOURS, amount, duration, likely, percent, span
from lightning_carbon.records.overlaps import Counted, counted_twice
from lightning_carbon.records.run import Status
from lightning_carbon.report.pages.run_page import Headline
from lightning_carbon.report.pages.sweep_table import sweep_table
from lightning_carbon.report.pages.tables import Cell, PageTable, count, figure, page_table, share, words
from lightning_carbon.units import CarbonMass
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from lightning_carbon.carbon.interval import Interval
    from lightning_carbon.records.course import MetricPoint
    from lightning_carbon.records.sweeps import SweepSum

MOST_RUNS: Final = 200
"""The most runs that are listed, the newest; totals are of all."""
MOST_SWEEPS: Final = 20
_MONTH, _DAY = 7, 10
_MOST_DAYS: Final = 45
"""The most days that are drawn one by one; more are drawn by month."""
_UNSUCCESSFUL: Final = frozenset({Status.FAILED, Status.INTERRUPTED, Status.PRUNED})
_NUMBER: Final = re.compile(r"[-_. ]*\d+$")


@dataclass(frozen=True, slots=True)
class RunLine:
    """What a report of several runs needs of one of them.

    Args:
        run_id: The run.
        project: Its project.
        name: The user's name for it, or its id.
        status: How it stands.
        started_at: ISO 8601, UTC.
        seconds: How long it ran.
        joules: Its energy; ``None`` where nothing could be measured.
        measured_joules: The part of it that sensors measured.
        grams: Its CO2e.
        low_grams: The lower end of its range.
        high_grams: The upper end.
        counted: What other runs have of its energy, too.
        sweep: The search whose trial it is; ``None`` where it is none.
    """

    run_id: str
    project: str
    name: str
    status: str
    started_at: str
    seconds: float
    joules: float | None
    measured_joules: float
    grams: float | None
    low_grams: float | None
    high_grams: float | None
    counted: Counted
    sweep: str | None = None

    @property
    def is_lost(self) -> bool:
        """Whether it did not complete."""
        return self.status in _UNSUCCESSFUL


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """The content of the report of several runs.

    Args:
        title: The project, or the ledger.
        headlines: The headline figures.
        tables: The tables, in order.
        sources: Every assumption, a sentence each.
        is_running: Whether any run goes on.
    """

    title: str
    headlines: tuple[Headline, ...]
    tables: tuple[PageTable, ...]
    sources: tuple[str, ...]
    is_running: bool


def project_page(
    title: str,
    lines: Sequence[RunLine],
    link: Callable[[RunLine], str] = lambda _: "",
    *,
    likely_grams: Interval | None = None,
    sweeps: Sequence[SweepSum] = (),
) -> ProjectPage:
    """The content of the report of several runs.

    Args:
        title: The project, or the ledger.
        lines: The runs, the newest last; at least one.
        link: Where the page of a run is; by default nowhere.
        likely_grams: The 90 % interval of their CO2e; ``None`` where a run has none.
        sweeps: The searches for hyperparameters whose trials are among them.
    """
    tables = (_statuses(lines), _projects(lines), sweep_table(sweeps), _sweeps(lines), _runs(lines, link))
    return ProjectPage(
        title,
        tuple(_headlines(lines, likely_grams)),
        tuple(table for table in tables if table is not None),
        tuple(_sources(lines, likely_grams)),
        any(line.status == Status.RUNNING for line in lines),
    )


def periods(lines: Iterable[RunLine]) -> tuple[list[str], list[float], list[float]]:
    """The energy of runs by day, or by month where there are many: labels, joules, and those of runs that failed."""
    known = sorted(lines, key=lambda line: line.started_at)
    days = {line.started_at[:_DAY] for line in known}
    width = _DAY if len(days) <= _MOST_DAYS else _MONTH
    whole: dict[str, float] = {}
    lost: dict[str, float] = {}
    for line in known:
        period = line.started_at[:width]
        whole[period] = whole.get(period, 0.0) + (line.joules or 0.0)
        lost[period] = lost.get(period, 0.0) + (line.joules or 0.0) * line.is_lost
    return [*whole], [*whole.values()], [*lost.values()]


def quality(
    lines: Iterable[RunLine], ends: Mapping[tuple[str, str], Mapping[str, MetricPoint]]
) -> tuple[str, list[tuple[float, float]]]:
    """The metric that most runs have, and the energy and the last value of it of each; an empty name without any.

    Args:
        lines: The runs.
        ends: The last point of each metric, by project and run.
    """
    told = [(line.joules, ends.get((line.project, line.run_id), {})) for line in lines if line.joules is not None]
    names: defaultdict[str, int] = defaultdict(int)
    for _, metrics in told:
        for name in metrics:
            names[name] += 1
    if not names:
        return "", []
    # An evaluation says more than a loss in training.
    best = max(names, key=lambda name: (names[name], "eval" in name or "val" in name, name))
    return best, [(joules, metrics[best].value) for joules, metrics in told if best in metrics]


def _headlines(lines: Sequence[RunLine], likely_grams: Interval | None) -> Iterable[Headline]:
    joules = _sum(line.joules for line in lines)
    measured = sum(line.measured_joules for line in lines)
    lost = [line for line in lines if line.is_lost]
    yield Headline("runs", f"{len(lines):,}", f"{lines[0].started_at[:_DAY]} to {lines[-1].started_at[:_DAY]}")
    if joules is None:
        yield Headline("energy", "not known", "nothing could be metered")
        return
    known = percent(min(1.0, measured / joules)) if joules else "nothing"
    yield Headline("energy", amount(joules, WATT_HOURS), f"{known} measured")
    grams = _sum(line.grams for line in lines)
    low, high = _sum(line.low_grams for line in lines), _sum(line.high_grams for line in lines)
    if grams is not None and low is not None and high is not None:
        ends = likely(likely_grams, CO2E, like=grams) or span(low, high, CO2E, like=grams)
        yield Headline("CO2e", amount(grams, CO2E), ends)
        equivalent = equivalent_of(CarbonMass(grams))
        if equivalent is not None:
            yield Headline("about as much as", equivalent.text, equivalent.reference.source)
    used = sum(line.joules or 0.0 for line in lost)
    share_of = percent(used / joules) if joules else NOTHING
    yield Headline("not completed", share_of, f"of the energy, in {len(lost):,} of {len(lines):,} runs")
    yield Headline("metered time", duration(sum(line.seconds for line in lines)), "of all runs together")


def _statuses(lines: Sequence[RunLine]) -> PageTable | None:
    return _grouped("How runs ended", "status", lines=lines, key=lambda line: line.status)


def _projects(lines: Sequence[RunLine]) -> PageTable | None:
    if len({line.project for line in lines}) == 1:
        return None
    return _grouped("Projects", "project", lines=lines, key=lambda line: line.project)


def _sweeps(lines: Sequence[RunLine]) -> PageTable | None:
    """Runs whose names differ by the number at their end, without those of which a search tells more."""
    groups: defaultdict[str, list[RunLine]] = defaultdict(list)
    for line in lines:
        if line.sweep is None and line.name != line.run_id and (stem := _NUMBER.sub("", line.name)):
            groups[stem].append(line)
    sweeps = [line for group in groups.values() if len(group) > 1 for line in group]
    return _grouped(
        "The most costly sweeps", "runs named", lines=sweeps, key=lambda line: f"{_NUMBER.sub('', line.name)}…"
    )


def _grouped(title: str, column: str, *, lines: Sequence[RunLine], key: Callable[[RunLine], str]) -> PageTable | None:
    groups: defaultdict[str, list[RunLine]] = defaultdict(list)
    for line in lines:
        groups[key(line)].append(line)
    total = sum(line.joules or 0.0 for line in lines)
    totals = {name: sum(line.joules or 0.0 for line in group) for name, group in groups.items()}
    rows = [
        [
            words(name),
            count(len(groups[name])),
            figure(totals[name], WATT_HOURS),
            share(totals[name], total),
            figure(_sum(line.grams for line in groups[name]), CO2E),
            Cell(duration(seconds := sum(line.seconds for line in groups[name])), seconds),
        ]
        for name in sorted(groups, key=totals.__getitem__, reverse=True)[:MOST_SWEEPS]
    ]
    columns = [(column, "<"), ("runs", ">"), ("energy", ">"), ("share", ">"), ("CO2e", ">"), ("time", ">")]
    return page_table(title, columns, rows)


def _runs(lines: Sequence[RunLine], link: Callable[[RunLine], str]) -> PageTable | None:
    several = len({line.project for line in lines}) > 1
    most = max((line.joules or 0.0 for line in lines), default=0.0)
    rows = [
        [
            words(line.name, link(line)),
            *([words(line.project)] if several else []),
            words(line.status),
            words(line.started_at[:16].replace("T", " ")),
            Cell(duration(line.seconds), line.seconds),
            figure(line.joules, WATT_HOURS)._replace(share=(line.joules or 0.0) / most if most else None),
            figure(line.grams, CO2E),
        ]
        for line in reversed(lines[-MOST_RUNS:])
    ]
    columns = [("run", "<"), *([("project", "<")] if several else []), ("status", "<"), ("started (UTC)", "<")]
    columns += [("time", ">"), ("energy", ">"), ("CO2e", ">")]
    note = f"The newest {MOST_RUNS} of {len(lines):,} runs; the totals are of all." if len(lines) > MOST_RUNS else ""
    return page_table("Runs", columns, rows, notes=[note])


def _sources(lines: Sequence[RunLine], likely_grams: Interval | None) -> Iterable[str]:
    yield "Energy is that of the metered hardware, without what cools and feeds sites; CO2e includes each run's PUE."
    yield "Every run is priced as in its own record; the report of a run names its factors and sources."
    if likely_grams is None:
        yield "The ends of ranges are added up, as if all runs were off in the same direction: the widest that can be."
    else:
        low, high, like = (_sum(figures) or 0.0 for figures in zip(*map(_mass, lines), strict=True))
        yield (
            "The range marked (90 %) is a 90 % interval: errors of one cause, such as a model of card or a grid, go "
            "together over runs, all others partly cancel. With all errors at their worst together it is "
            f"{span(low, high, CO2E, like=like)}."
        )
    yield "Where no search tells its trials, a sweep is runs whose names differ by the number at their end."
    twice = counted_twice([line.counted for line in lines])
    if twice:
        yield f"About {amount(twice, WATT_HOURS)} are counted twice: runs metered the same hardware at the same time."


def _mass(line: RunLine) -> tuple[float | None, float | None, float | None]:
    return line.low_grams, line.high_grams, line.grams


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
