"""The runs of this machine that the log of a wall meter covers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lightning_carbon.cli.runs.choosing import known_runs
from lightning_carbon.errors import ConfigError
from lightning_carbon.ledger.filters import NAMED, RunFilter
from lightning_carbon.records.run import Status
from lightning_carbon.systems import system

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lightning_carbon.ledger.facts import Facts
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.sources.wall_log import WallLog

LEAST_SECONDS: Final = 10.0
"""The shortest run: a start and an end are known to a second; ours."""
LEAST_COVERED: Final = 0.9
"""The least share of a run that a log has to cover; ours."""


def runs_in(log: WallLog, path: Path, *, ledger: str | None, project: str | None) -> list[RunRecord]:
    """The runs of this machine that have ended and that a log covers, the oldest first.

    Args:
        log: The log.
        path: Its path, for errors.
        ledger: The folder of all runs.
        project: The project, if only its runs count.

    Raises:
        ConfigError: It covers none, or several that ran at the same time; the error names those that it might be.
    """
    runs, here = known_runs(ledger, project), system().node
    until = f"{datetime.fromtimestamp(log.spans[-1][1], UTC):%Y-%m-%dT%H:%M:%SZ}"
    known = runs.ledger.select(RunFilter(project=runs.project, host=here, until=until))
    metered = [facts for facts in known if facts.joules is not None and facts.status != Status.RUNNING]
    covered = {facts.run_id: log.between(*span_of(facts))[1] for facts in metered}
    inside = [
        facts for facts in metered if facts.duration_seconds >= LEAST_SECONDS and covered[facts.run_id] >= LEAST_COVERED
    ]
    if not inside:
        part = [f"{named(facts)}, covered by {covered[facts.run_id]:.0%}" for facts in metered if covered[facts.run_id]]
        might = f"; it might be {', '.join(part[-NAMED:])}" if part else ""
        least = f"of {LEAST_SECONDS:.0f} s or more"
        raise ConfigError(
            "wall", str(path), f"it covers no run {least} of {here} in {runs.folder}; {said(log)}{might}."
        )
    together = _together(inside)
    if together:
        names = ", ".join(map(named, together[-NAMED:]))
        fix = f"these ran at the same time, and it has the power of both: {names}; name the run that it is of."
        raise ConfigError("wall", str(path), fix)
    return [record for facts in inside if (record := runs.ledger.record(facts)) is not None]


def span_of(run: Facts | RunRecord) -> tuple[float, float]:
    """The start and the end of a run, in seconds since 1970."""
    moment = datetime.fromisoformat(run.started_at)
    start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return start, start + run.duration_seconds


def said(log: WallLog) -> str:
    """The time that a log is of, for people."""
    first, last = (datetime.fromtimestamp(at, UTC) for at in (log.spans[0][0], log.spans[-1][1]))
    return f"it has {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"


def named(run: Facts) -> str:
    """A run for people, with its time."""
    name = f" ({run.run_name})" if run.run_name else ""
    return f"{run.run_id}{name} of {run.started_at}, {run.duration_seconds:.0f} s"


def _together(runs: Sequence[Facts]) -> list[Facts]:
    """Runs of which another ran at the same time."""
    spans = [span_of(run) for run in runs]
    return [
        run
        for place, (run, (start, end)) in enumerate(zip(runs, spans, strict=True))
        if any(start < other[1] and other[0] < end for at, other in enumerate(spans) if at != place)
    ]
