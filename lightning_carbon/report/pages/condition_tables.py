"""The tables of a page on what energy was wasted on, and on the condition of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning_carbon.energy.condition import Gauge
from lightning_carbon.records.condition_words import gauge_words, reason_words
from lightning_carbon.records.numbers import WATT_HOURS, duration, percent
from lightning_carbon.records.waste import WORDS, WasteKind
from lightning_carbon.report.pages.tables import Cell, figure, page_table, words

if TYPE_CHECKING:
    from lightning_carbon.records.conditions import DeviceRecord
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.report.pages.tables import PageTable

_OVERLAP = "The most that a remedy saves; kinds may overlap, so they do not add up."


def waste_table(record: RunRecord) -> PageTable | None:
    """What of the run was no training, with what to try."""
    rows = []
    for waste in record.waste:
        name = WORDS[WasteKind(waste.kind)] + ("" if waste.rank is None else f", rank {waste.rank}")
        time = Cell(duration(waste.seconds), waste.seconds) if waste.seconds else Cell("", -1.0)
        part = Cell(percent(waste.ratio), waste.ratio, waste.ratio)
        rows.append([words(name), figure(waste.joules, WATT_HOURS), part, time, words(waste.hint)])
    columns = [("waste", "<"), ("energy", ">"), ("share", ">"), ("time", ">"), ("try", "<")]
    return page_table("What could be saved", columns, rows, notes=[_OVERLAP])


def device_table(record: RunRecord) -> PageTable | None:
    """How hot, fast, busy and full each device was, and what slowed it down."""
    rows = [
        [
            words(domain.name),
            _mean(domain.device, Gauge.TEMPERATURE),
            _most(domain.device, Gauge.TEMPERATURE),
            _mean(domain.device, Gauge.SM_CLOCK),
            _mean(domain.device, Gauge.UTILIZATION),
            _most(domain.device, Gauge.MEMORY_USED),
            _throttled(domain.device),
        ]
        for domain in record.energy.domains
        if domain.device is not None
    ]
    columns = [("device", "<"), ("temperature", ">"), ("at most", ">"), ("clock", ">"), ("busy", ">"), ("memory", ">")]
    return page_table("How hot, fast and busy", [*columns, ("throttled", "<")], rows)


def _mean(device: DeviceRecord, gauge: Gauge) -> Cell:
    shown = device.gauges.get(gauge)
    return Cell("", -1.0) if shown is None or shown.mean is None else Cell(gauge_words(gauge, shown.mean), shown.mean)


def _most(device: DeviceRecord, gauge: Gauge) -> Cell:
    shown = device.gauges.get(gauge)
    return Cell("", -1.0) if shown is None else Cell(gauge_words(gauge, shown.maximum), shown.maximum)


def _throttled(device: DeviceRecord) -> Cell:
    if device.throttled_ratio is None:
        return Cell("not told", -1.0)
    reasons = ", ".join(f"{reason_words([reason])} {percent(held)}" for reason, held in device.throttled.items())
    text = f"{percent(device.throttled_ratio)} of the time" + (f": {reasons}" if reasons else "")
    return Cell(text, device.throttled_ratio)
