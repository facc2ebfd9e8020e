"""What can be seen of a run under way in its journals: power by device and phase, the forecast, the budget."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.condition import Gauge
from lightning_carbon.energy.curve import EnergyCurve
from lightning_carbon.energy.readings import kind_word
from lightning_carbon.records.condition_words import gauge_words, reason_words
from lightning_carbon.records.credits import credits_of
from lightning_carbon.records.journal import AheadBeat, Beat, RankPart
from lightning_carbon.records.merging import record_of
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Energy
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_carbon.records.credits import Credit
    from lightning_carbon.records.run import RunRecord
    from lightning_carbon.study.measured.from_journals import RankJournal

RECENT_SECONDS: Final = 5.0
"""The time that present power is averaged over; ours: ten beats."""
SHOWN: Final = (Gauge.TEMPERATURE, Gauge.SM_CLOCK, Gauge.UTILIZATION)
"""The gauges of a device that there is room for."""
_MOST_DRAWN: Final = 240
"""The most beats that a line of power over time is drawn of, two minutes' worth."""


class DevicePower(NamedTuple):
    """A device of a run.

    Args:
        kind: The kind of hardware, in words.
        name: Its name.
        host: Its host.
        watts: Its present power; ``None`` where it is not known.
        joules: Its energy so far.
        is_measured: Whether a sensor stands behind it.
        lost: Why it is no longer metered, or ``None``.
        condition: How hot, fast and busy it was at the last reading, in words; empty where it does not tell.
        throttled: What slowed it down at the last reading, in words; empty where nothing did.
    """

    kind: str
    name: str
    host: str
    watts: float | None
    joules: float
    is_measured: bool
    lost: str | None
    condition: str = ""
    throttled: str = ""


class PhasePower(NamedTuple):
    """A phase of a run.

    Args:
        name: Its name.
        joules: Its energy so far.
        watts: Its mean power; ``None`` where it took no time.
        seconds: How long it lasted so far.
        is_present: Whether the run is in it.
    """

    name: str
    joules: float
    watts: float | None
    seconds: float
    is_present: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen of a run.

    Args:
        record: Its record so far.
        watts: Its present power; ``None`` until it is known.
        history: Its power over the last minutes, in even steps.
        devices: Its devices.
        phases: Its phases.
        token_joules: The energy of a token in the last steps that were seen; ``None`` where it is not known.
        step_seconds: How long a step took lately; ``None`` where none ended.
        ahead: Its plan, forecast and budget.
    """

    record: RunRecord
    watts: float | None
    history: tuple[float, ...]
    devices: tuple[DevicePower, ...]
    phases: tuple[PhasePower, ...]
    token_joules: float | None
    step_seconds: float | None
    ahead: AheadBeat | None


def sight_of(journals: Sequence[RankJournal]) -> Sight:
    """What can be seen in the journals of a run's ranks.

    Args:
        journals: At least one.
    """
    ranks = sorted(journals, key=lambda journal: journal.header.rank)
    parts = [RankPart(journal.header, journal.beats[-1]) for journal in ranks]
    beats = {journal.header.rank: journal.beats for journal in ranks}
    record = record_of(parts)
    hardware = credits_of(parts)
    devices = [(credit, _device(credit, beats[credit.part.header.rank])) for credit in hardware]
    roots = [device.watts for credit, device in devices if credit.is_root and device.watts is not None]
    first = beats[ranks[0].header.rank]
    before = _before(first)
    return Sight(
        record,
        sum(roots) if roots else None,
        tuple(_history([credit for credit in hardware if credit.is_root], beats)),
        tuple(device for _, device in devices),
        tuple(_phases(record, first)),
        _token_joules(hardware, beats),
        (first[-1].ns - before.ns) / NANOSECONDS_PER_SECOND / (first[-1].steps - before.steps)
        if first[-1].steps > before.steps
        else None,
        first[-1].ahead,
    )


def _before(beats: Sequence[Beat], seconds: float = RECENT_SECONDS) -> Beat:
    """The beat that was written some seconds before the last."""
    since_ns = beats[-1].ns - seconds * NANOSECONDS_PER_SECOND
    return next((beat for beat in reversed(beats) if beat.ns <= since_ns), beats[0])


def _device(credit: Credit, beats: Sequence[Beat]) -> DevicePower:
    last, before, place = beats[-1], _before(beats), credit.place
    domain = last.sensor(place).applied_to(credit.domain)
    lost = last.lost[place] if place < len(last.lost) else None
    ns = last.ns - before.ns
    is_read = last.covered_ns(place) > before.covered_ns(place)
    watts = Energy(last.uj(place) - before.uj(place)).over(ns).watts if ns > 0 and is_read else None
    host = str(credit.part.header.host.get("name") or "")
    told = last.condition(place)
    shown = {} if told is None else told.gauges
    return DevicePower(
        kind_word(domain.kind),
        domain.name,
        host,
        watts,
        last.uj(place) / MICROJOULES_PER_JOULE,
        domain.provenance != "modelled",
        lost,
        "  ".join(gauge_words(name, shown[name].last) for name in SHOWN if name in shown),
        "" if told is None else reason_words(told.throttled or ()),
    )


def _phases(record: RunRecord, beats: Sequence[Beat]) -> list[PhasePower]:
    last, before = beats[-1].phases, beats[-2].phases if len(beats) > 1 else {}
    grown = {name: phase.ns - (before[name].ns if name in before else 0) for name, phase in last.items()}
    present = max(grown, key=grown.__getitem__, default=None)
    found = []
    for name, joules in record.energy.phases.items():
        seconds = record.phase_seconds.get(name, 0.0)
        found.append(PhasePower(name, joules, joules / seconds if seconds else None, seconds, name == present))
    return found


def _token_joules(hardware: Sequence[Credit], beats: dict[int, Sequence[Beat]]) -> float | None:
    """The energy of steps over their tokens, lately, or of the whole run where no step has ended lately."""
    for since in (_before, lambda _: None):
        tokens, joules = 0, 0.0
        for told in beats.values():
            before = since(told)
            tokens += (told[-1].tokens or 0) - ((before.tokens or 0) if before is not None else 0)
        for credit in hardware:
            if credit.is_root:
                told = beats[credit.part.header.rank]
                before = since(told)
                used = told[-1].step_uj[credit.place] - (before.step_uj[credit.place] if before is not None else 0)
                joules += used / MICROJOULES_PER_JOULE
        if tokens > 0 and joules > 0:
            return joules / tokens
    return None


def _history(roots: Sequence[Credit], beats: dict[int, Sequence[Beat]], most: int = 60) -> list[float]:
    """The power of everything summed, over the last minutes."""
    recent = {rank: told[-_MOST_DRAWN:] for rank, told in beats.items()}
    if not roots or min(len(told) for told in recent.values()) < 2:  # noqa: PLR2004 - a difference has two ends
        return []
    curves = []
    for credit in roots:
        told = recent[credit.part.header.rank]
        curve = EnergyCurve(told[0].ns - told[-1].ns)
        for early, late in pairwise(told):
            curve.rise(late.ns - told[-1].ns, max(0, late.uj(credit.place) - early.uj(credit.place)))
        curves.append(curve)
    start = max(told[0].ns - told[-1].ns for told in recent.values())
    count = min(most, min(len(told) for told in recent.values()) - 1)
    cuts = [start - start * number // count for number in range(count + 1)]
    return [
        Energy(sum(curve.height(end) - curve.height(begin) for curve in curves)).over(end - begin).watts
        for begin, end in pairwise(cuts)
        if end > begin
    ]
