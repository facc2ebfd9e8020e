"""The figures of devices in a row: temperature and throttling always, the rest where somebody asks for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.condition import ConditionSum, Gauge
from lightning_carbon.units import NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from lightning_carbon.records.journal import RankPart

Conditions = Mapping[tuple[int, int], ConditionSum]
"""What the gauges of devices have shown, by the rank and the place of each."""
NO_CONDITIONS: Final[Conditions] = MappingProxyType({})
THROTTLED: Final = "throttled_ratio"
ALWAYS: Final = frozenset({Gauge.TEMPERATURE.value, THROTTLED})
"""The figures that a row has without being asked for."""
_HIGHEST: Final = frozenset({Gauge.TEMPERATURE.value, Gauge.MEMORY_USED.value})
"""Of these, a row has that of the hottest or the fullest device, and of the others the mean over devices."""


def conditions_at(part: RankPart, places: Sequence[int]) -> dict[tuple[int, int], ConditionSum]:
    """What the gauges of some domains of a rank have shown, of those that have any."""
    found = {}
    for place in places:
        told = part.beat.condition(place)
        if told is not None:
            found[part.header.rank, place] = told
    return found


def figures_between(before: Conditions, now: Conditions, asked: Collection[str] | None = None) -> dict[str, float]:
    """The figures of the time between two sums, over all devices; absent is what no reading in it tells.

    Args:
        before: The sums at the row before.
        now: The present sums.
        asked: The names of the figures that are asked for; ``None`` for all.
    """
    found: dict[str, list[float]] = {}
    for key, told in now.items():
        known = before.get(key)
        if told is known:
            continue
        known = known or ConditionSum()
        watched_ns = told.watched_ns - known.watched_ns
        if watched_ns > 0 and (asked is None or THROTTLED in asked):
            found.setdefault(THROTTLED, []).append((told.throttled_ns - known.throttled_ns) / watched_ns)
        for name in told.gauges if asked is None else asked:
            shown, last = told.gauges.get(name), known.gauges.get(name)
            if shown is None:
                continue
            since_ns, since = (0, 0.0) if last is None else (last.ns, last.integral)
            if shown.ns > since_ns:
                seconds = (shown.ns - since_ns) / NANOSECONDS_PER_SECOND
                found.setdefault(name, []).append((shown.integral - since) / seconds)
    return {name: max(values) if name in _HIGHEST else sum(values) / len(values) for name, values in found.items()}
