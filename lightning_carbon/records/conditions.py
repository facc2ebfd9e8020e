"""The condition of devices in journals and records: clocks, heat, memory, and what slowed them down. Pure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lightning_carbon.energy.condition import ConditionSum, GaugeSum, Throttle
from lightning_carbon.records.fields import (
    MOST,
    RATIO,
    SIGNED,
    Misfit,
    at,
    at_or,
    by_name,
    each,
    mapping,
    number,
    read_by,
    text,
    whole,
)
from lightning_carbon.units import NANOSECONDS_PER_SECOND
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS: Final = 6
_FIGURES: Final = 4
_SHARES: Final = read_by(partial(by_name, reader=partial(number, most=1.0)))


@dataclass(frozen=True, slots=True)
class GaugeRecord:
    """What a gauge of a device showed over a run.

    Args:
        maximum: Its highest reading.
        mean: Its mean over the time that readings enclose; ``None`` where there was a single reading.
    """

    maximum: float = field(metadata=SIGNED)
    mean: float | None = field(default=None, metadata=SIGNED)


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """The condition of a device over a run, beside its energy.

    Args:
        gauges: What each of its gauges showed, such as ``temperature_celsius``.
        throttled_ratio: The share of the time in which it ran slower than it was asked to, for any reason; ``None``
            where it does not tell.
        throttled: That share by reason; two reasons may hold at once.
        watched_seconds: How long its readings told whether it was throttled.
    """

    gauges: dict[str, GaugeRecord] = field(default_factory=dict)
    throttled_ratio: float | None = field(default=None, metadata=RATIO)
    throttled: dict[str, float] = field(default_factory=dict, metadata=_SHARES)
    watched_seconds: float = 0.0


def device_record(told: ConditionSum | None) -> DeviceRecord | None:
    """The condition of a device for the record; ``None`` where nothing is known of it."""
    if told is None or not (told.gauges or told.watched_ns):
        return None
    shares = {reason.value: told.share(reason) for reason in Throttle}
    return DeviceRecord(
        {name: GaugeRecord(shown.most, shown.mean) for name, shown in told.gauges.items()},
        told.throttled_ns / told.watched_ns if told.watched_ns else None,
        {reason: share for reason, share in shares.items() if share},
        told.watched_ns / NANOSECONDS_PER_SECOND,
    )


def condition_mapping(told: ConditionSum | None) -> dict[str, Any] | None:
    """What the gauges of a device have shown, as plain values; short, since every beat has it."""
    if told is None:
        return None
    return {
        "gauges": {
            name: [shown.ns, round(shown.integral, _DIGITS), shown.most, shown.last]
            for name, shown in told.gauges.items()
        },
        "watched_ns": told.watched_ns,
        "throttled_ns": told.throttled_ns,
        "reasons_ns": dict(told.reasons_ns),
        "train_ns": told.train_ns,
        "train_busy_ns": told.train_busy_ns,
        "throttled": None if told.throttled is None else list(told.throttled),
    }


def _condition_sum(value: object) -> ConditionSum | None:
    if value is None:
        return None
    values = mapping(value)
    watched_ns = at_or(values, "watched_ns", whole, default=0)
    train_ns = at_or(values, "train_ns", whole, default=0)
    within = partial(whole, most=watched_ns)
    return ConditionSum(
        at(values, "gauges", partial(by_name, reader=_gauge_sum)),
        watched_ns,
        at_or(values, "throttled_ns", within, default=0),
        at_or(values, "reasons_ns", partial(by_name, reader=within), default={}),
        train_ns,
        at_or(values, "train_busy_ns", partial(whole, most=train_ns), default=0),
        at_or(values, "throttled", partial(each, reader=text), default=None),
    )


def _gauge_sum(value: object) -> GaugeSum:
    figures = each(value, partial(number, least=-MOST))
    if len(figures) != _FIGURES or figures[0] < 0:
        raise Misfit("is no time with an integral, a highest and a last reading")
    return GaugeSum(int(figures[0]), *figures[1:])


CONDITIONS: Final[Mapping[str, Any]] = read_by(partial(each, reader=_condition_sum))
"""Metadata of a field that holds what the gauges of every domain have shown."""
