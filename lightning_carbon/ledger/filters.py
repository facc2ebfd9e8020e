"""The runs that a user means: filters by project, status, date, host, tag and sweep, each checked once."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import ConfigError
from lightning_carbon.records.run import Status
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NAMED: Final = 5
"""The most projects or runs that an error names."""
_DATE_FIX: Final = (
    "give a date such as 2026-11-21, a time such as 2026-11-21T08:30 (UTC), or how long ago, such as 7d or 12h."
)
_AGO: Final = re.compile(r"(\d{1,5})([hdw])")
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MONTH: Final = re.compile(r"\d{4}-\d\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """The runs that are wanted; every filter that is given must hold.

    Args:
        project: The project.
        statuses: The states; any of them.
        since: The earliest start, ISO 8601 in UTC.
        until: The moment before which a run started, ISO 8601 in UTC.
        host: The name of a host that it ran on.
        tags: The tags, all of which it has.
        sweep: The name of a sweep, or a pattern of names of runs, such as ``trial-*``.
    """

    project: str | None = None
    statuses: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    host: str | None = None
    tags: tuple[str, ...] = ()
    sweep: str | None = None

    @property
    def is_all(self) -> bool:
        """Whether no filter but the project is given."""
        return all(not getattr(self, field.name) for field in fields(self) if field.name != "project")


def filter_of(
    *,
    project: str | None = None,
    statuses: Sequence[str] = (),
    since: str | None = None,
    until: str | None = None,
    host: str | None = None,
    tags: Sequence[str] = (),
    sweep: str | None = None,
    now: datetime | None = None,
) -> RunFilter:
    """Check the filters that a user has given.

    Args:
        project: The project, checked before.
        statuses: The names of states; several may stand in a text, separated by commas.
        since: The earliest start.
        until: The latest start; of a date, the whole day counts.
        host: The name of a host.
        tags: The tags that a run must have.
        sweep: The name of a sweep, or a pattern of names of runs.
        now: The present; the system's by default.

    Raises:
        ConfigError: A filter cannot be used, or two contradict each other.
    """
    present = now or datetime.now(UTC)
    begin, end = moment_of("since", since, present), moment_of("until", until, present, is_end=True)
    if begin is not None and end is not None and begin >= end:
        raise ConfigError("until", until, f"--since {since} is not before it, and no run could match; swap the two.")
    for name, text in (("host", host), ("sweep", sweep), *(("tag", tag) for tag in tags)):
        if text is not None and not text.strip():
            raise ConfigError(name, text, "it is empty; leave it out, or give a name.")
    return RunFilter(
        project=project,
        statuses=tuple(dict.fromkeys(_status(word) for text in statuses for word in text.split(","))),
        since=begin,
        until=end,
        host=host,
        tags=tuple(dict.fromkeys(tags)),
        sweep=sweep,
    )


def moment_of(argument: str, text: str | None, now: datetime, *, is_end: bool = False) -> str | None:
    """The moment that a user means, as records write it; ``None`` where none is given.

    Args:
        argument: The name of the option.
        text: A date, a month, a time, or how long ago, such as ``7d``.
        now: The present.
        is_end: Whether a day or a month is meant to its end.

    Raises:
        ConfigError: It is no moment.
    """
    if text is None:
        return None
    word = text.strip()
    try:
        ago = _AGO.fullmatch(word)
        if ago is not None:
            moment = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        elif _MONTH.fullmatch(word):
            first = datetime.fromisoformat(f"{word}-01").replace(tzinfo=UTC)
            moment = (first + timedelta(days=31)).replace(day=1) if is_end else first
        else:
            moment = datetime.fromisoformat(word)
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            if is_end and _DAY.fullmatch(word):
                moment += timedelta(days=1)
    except (ValueError, OverflowError):
        raise ConfigError(argument, text, _DATE_FIX) from None
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")


def unknown_project(name: str, known: Iterable[str], where: str) -> ConfigError:
    """The error for a project that a ledger does not have, with those that resemble it."""
    names = list(known)
    near = get_close_matches(name, names, NAMED, 0.5) or [
        known_name for known_name in names if name.lower() in known_name.lower()
    ]
    if near:
        hint = f"did you mean {', '.join(near[:NAMED])}?"
    elif names:
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        hint = f"it has {', '.join(names[:NAMED])}{more}."
    else:
        hint = "it is empty."
    return ConfigError("project", name, f"there is no such project in {where}; {hint}")


def near_words(text: str, words: Iterable[str]) -> str:
    """What would work in the place of a word: the nearest, and all."""
    known = list(words)
    near = get_close_matches(text.strip().lower(), known, 1)
    hint = f"did you mean {near[0]}? Give " if near else "give "
    return f"{hint}one of {', '.join(known)}."


def _status(text: str) -> str:
    word = text.strip().lower()
    known = [status.value for status in Status]
    if word in known:
        return word
    raise ConfigError("status", text, near_words(word, known))
