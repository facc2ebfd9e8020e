"""Moments as files of the grid write them, in seconds since 1970.

A moment without a zone names no instant. It is read as UTC only where the publisher's form, or the name of its column,
says so, and as Central European time in the files of ENTSO-E.

References:
    Directive 2000/84/EC: summer time begins on the last Sunday of March and ends on that of October, at 01:00 UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final


class ZoneMeaning(Enum):
    """The meaning of a moment that has no zone of its own."""

    NONE = auto()
    """It has none, and cannot be used."""
    UTC = auto()
    """Coordinated universal time."""
    CENTRAL_EUROPE = auto()
    """CET in winter, CEST in summer."""


_CET, _CEST = timedelta(hours=1), timedelta(hours=2)
_EARLIEST, _LATEST = 631_152_000.0, 4_102_444_800.0
"""From 1990 until 2100: no file of the grid describes another time, and a larger number is in milliseconds."""
_MILLISECONDS: Final = 1_000.0
_NUMBER: Final = re.compile(r"\d{9,13}(?:\.\d+)?")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?")
_MARK: Final = re.compile(r"\s*\((CEST|CET|UTC)\)\s*$")


def moment_of(text: str, zone: ZoneMeaning, before: float | None = None) -> float | None:
    """The moment that a text names, in seconds since 1970.

    Args:
        text: ISO 8601, day first as in ``31.12.2024 23:00``, or seconds or milliseconds since 1970; of a range such as
            ``01.01.2024 00:00 - 01.01.2024 01:00``, the beginning counts.
        zone: The meaning of a moment without a zone.
        before: The moment of the row before; in the hour that occurs twice in autumn it says whether this is the second
            time.

    Returns:
        The moment; ``None`` where the text names none.
    """
    found = text.strip().split(" - ")[0].strip()
    mark = _MARK.search(found)
    if mark is not None:
        found = found[: mark.start()]
    if _NUMBER.fullmatch(found):
        number = float(found)
        return _plausible(number / _MILLISECONDS if number > _LATEST else number)
    moment = _parsed(found)
    if moment is None:
        return None
    if moment.tzinfo is not None:
        return _plausible(moment.timestamp())
    if mark is not None:
        offset = {"UTC": timedelta(0), "CET": _CET, "CEST": _CEST}[mark[1]]
        return _plausible((moment.replace(tzinfo=UTC) - offset).timestamp())
    if zone is ZoneMeaning.UTC:
        return _plausible(moment.replace(tzinfo=UTC).timestamp())
    return _central_european(moment, before) if zone is ZoneMeaning.CENTRAL_EUROPE else None


def has_no_zone(text: str) -> bool:
    """Whether a text is a moment that lacks nothing but its zone."""
    return moment_of(text, ZoneMeaning.NONE) is None and moment_of(text, ZoneMeaning.UTC) is not None


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    day_first = _DAY_FIRST.fullmatch(text)
    if day_first is None:
        return None
    day, month, year, hour, minute, second = (int(part or 0) for part in day_first.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - its zone follows from the column
    except ValueError:
        return None


def _plausible(seconds: float) -> float | None:
    return seconds if _EARLIEST <= seconds <= _LATEST else None


def _central_european(moment: datetime, before: float | None) -> float | None:
    """The instant of a local time: none in the hour that spring leaves out; of autumn's two, the first is CEST."""
    if _plausible(moment.replace(tzinfo=UTC).timestamp()) is None:
        return None
    local = moment.replace(tzinfo=UTC)
    summer, winter = ((local - offset).timestamp() for offset in (_CEST, _CET))
    begin, end = (_last_sunday(moment.year, month) for month in (3, 10))
    found = [
        seconds
        for seconds, is_right in ((summer, begin <= summer < end), (winter, not begin <= winter < end))
        if is_right
    ]
    if len(found) > 1 and before is not None and before >= found[0]:
        del found[0]
    return found[0] if found else None


def _last_sunday(year: int, month: int) -> float:
    """01:00 UTC of the last Sunday of a month of 31 days."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return (last - timedelta(days=(last.weekday() + 1) % 7)).timestamp()
