"""Energy that a run spent on something else than training, by name: what it was, how much, and what to try. Pure.

A kind is named where its share of the time is above a threshold, once enough steps were seen. Its energy is what was
used meanwhile: the most that a remedy can save. Kinds may overlap, as validation may be throttled, and do not add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from lightning_carbon.energy.condition import IDLE_OF_LIMIT, Gauge, Throttle
from lightning_carbon.energy.phases import Part, Phase
from lightning_carbon.energy.readings import Kind
from lightning_carbon.records.numbers import median_of
from lightning_carbon.records.waste import HINTS, UNDIVIDED_HINT, Waste, WasteKind
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND, Energy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lightning_carbon.records.credits import Credit
    from lightning_carbon.records.journal import Beat, RankPart

LEAST_STEPS: Final = 10
"""The fewest steps after which anything is named; the first are slow for reasons of their own."""
LEAST_SECONDS: Final = 1.0
"""The least time in training after which anything is named."""
LEAST_WATCHED_SECONDS: Final = 1.9
"""The least time that gauges were watched before they name anything: eight readings at the start of a run."""
DATA_SHARE: Final = 0.10
"""The share of training from which on waiting for data is named."""
IDLE_SHARE: Final = 0.25
"""The share of training, waiting for data aside, from which on idle GPUs are named: NVML calls a GPU busy if a single
kernel ran, so a healthy training shows 90 % and more."""
HEAT_SHARE: Final = 0.05
POWER_SHARE: Final = 0.25
"""The shares of the time from which on throttling is named, by heat or the hardware, and by the power limit: a GPU
touches its limit now and then in any training."""
STRAGGLER_SHARE: Final = 0.05
"""How much longer a rank works on a step than the median rank, as a share of a step, before it is named."""
PADDING_SHARE: Final = 0.10
"""The share of padding in all that batches held from which on it is named: rounding lengths up to a multiple of 64, as
fast kernels like them, costs 6 % at 500 tokens, and no remedy pays against that."""
VALIDATION_SHARE: Final = 0.25
CHECKPOINT_SHARE: Final = 0.05
"""The shares of training, evaluation and saving together from which on the latter two are named. All thresholds are
ours: below, a remedy hardly pays for the work on it."""


class _Device(NamedTuple):
    """A GPU and what its gauges have shown."""

    credit: Credit
    joules: float
    seconds: float


def waste_of(ranks: Sequence[RankPart], hardware: Sequence[Credit]) -> tuple[Waste, ...]:
    """What of a run was no training, the largest first.

    Args:
        ranks: The parts of its ranks.
        hardware: Its hardware, each piece once.
    """
    first = ranks[0].beat
    roots = [credit for credit in hardware if credit.is_root]
    total = sum(credit.part.beat.uj(credit.place) for credit in roots) / MICROJOULES_PER_JOULE
    train = first.phases.get(Phase.TRAIN)
    if train is None or not total or first.steps < LEAST_STEPS or train.ns < LEAST_SECONDS * NANOSECONDS_PER_SECOND:
        return ()
    named = [
        *_by_phase(first, roots),
        *_data(first, roots),
        *_by_gauges(first, hardware),
        *_straggler(ranks, roots),
        *_padding(ranks, roots),
    ]
    is_divided = Part.DATA in first.parts.get(Phase.TRAIN, {})
    found = []
    for kind, joules, seconds, rank in named:
        hint = UNDIVIDED_HINT if kind is WasteKind.IDLE and not is_divided else HINTS[kind]
        found.append(Waste(kind.value, joules, min(1.0, joules / total), seconds, hint, rank))
    return tuple(sorted(found, key=lambda waste: -waste.joules))


_Named = tuple[WasteKind, float, float, int | None]


def _by_phase(first: Beat, roots: Sequence[Credit]) -> Iterator[_Named]:
    """Evaluation and saving, as shares of the time from the first step on."""
    kinds = (
        (WasteKind.VALIDATION, (Phase.VALIDATE,), VALIDATION_SHARE),
        (WasteKind.CHECKPOINT, (Phase.CHECKPOINT,), CHECKPOINT_SHARE),
    )
    ns = {
        phase: first.phases[phase].ns
        for phase in (Phase.TRAIN, Phase.VALIDATE, Phase.CHECKPOINT)
        if phase in first.phases
    }
    for kind, phases, share in kinds:
        spent_ns = sum(ns.get(phase, 0) for phase in phases)
        if spent_ns >= share * sum(ns.values()):
            yield kind, _of_phases(roots, phases), spent_ns / NANOSECONDS_PER_SECOND, None


def _data(first: Beat, roots: Sequence[Credit]) -> Iterator[_Named]:
    """Waiting for data, which is known where steps are told by their parts."""
    told = first.parts.get(Phase.TRAIN, {}).get(Part.DATA)
    if told is None or told.ns < DATA_SHARE * first.phases[Phase.TRAIN].ns:
        return
    used = [credit.part.beat.parts.get(Phase.TRAIN, {}).get(Part.DATA) for credit in roots]
    uj = sum(part.uj[credit.place] for credit, part in zip(roots, used, strict=True) if part is not None)
    yield WasteKind.DATA, uj / MICROJOULES_PER_JOULE, told.ns / NANOSECONDS_PER_SECOND, None


def _by_gauges(first: Beat, hardware: Sequence[Credit]) -> Iterator[_Named]:
    """Throttling, and GPUs without work."""
    gpus = [
        _Device(
            credit,
            credit.part.beat.uj(credit.place) / MICROJOULES_PER_JOULE,
            credit.part.beat.ns / NANOSECONDS_PER_SECOND,
        )
        for credit in hardware
        if credit.domain.kind == Kind.GPU
    ]
    for kind, reasons, share in (
        (WasteKind.HEAT, (Throttle.HEAT, Throttle.HARDWARE, Throttle.POWER_BRAKE), HEAT_SHARE),
        (WasteKind.POWER_CAP, (Throttle.POWER_CAP,), POWER_SHARE),
    ):
        slowed = [(device, _slowed(device, reasons)) for device in gpus]
        joules = sum(device.joules * held for device, held in slowed)
        if any(held >= share for _, held in slowed):
            yield kind, joules, sum(device.seconds * held for device, held in slowed) / len(gpus), None
    yield from _idle(first, gpus)


def _slowed(device: _Device, reasons: Sequence[Throttle]) -> float:
    told = device.credit.part.beat.condition(device.credit.place)
    if told is None or told.watched_ns < LEAST_WATCHED_SECONDS * NANOSECONDS_PER_SECOND:
        return 0.0
    return max(told.share(reason) or 0.0 for reason in reasons)


def _idle(first: Beat, gpus: Sequence[_Device]) -> Iterator[_Named]:
    """GPUs without work in training steps, waiting for data aside, as far as that is known."""
    data = first.parts.get(Phase.TRAIN, {}).get(Part.DATA)
    waiting = 0.0 if data is None else data.ns / first.phases[Phase.TRAIN].ns
    joules = idle_seconds = 0.0
    for device in gpus:
        beat, place = device.credit.part.beat, device.credit.place
        told, train = beat.condition(place), beat.phases.get(Phase.TRAIN)
        if told is None or train is None or told.train_ns < LEAST_WATCHED_SECONDS * NANOSECONDS_PER_SECOND:
            continue
        idle = 1 - told.train_busy_ns / told.train_ns - waiting
        if idle >= IDLE_SHARE:
            seconds = idle * train.ns / NANOSECONDS_PER_SECOND
            mean = Energy(train.uj[place]).over(train.ns).watts
            limit = told.gauges.get(Gauge.POWER_LIMIT)
            joules += seconds * (mean if limit is None else min(mean, IDLE_OF_LIMIT * limit.last))
            idle_seconds += seconds
    if idle_seconds:
        yield WasteKind.IDLE, joules, idle_seconds / len(gpus), None


def _straggler(ranks: Sequence[RankPart], roots: Sequence[Credit]) -> Iterator[_Named]:
    """The rank that the others wait for, by the time before its backward passes, in which ranks do not wait.

    Where they do wait there for each other, as with sharded weights, no rank stands out and none is named.
    """
    if len(ranks) < 2:  # noqa: PLR2004 - nobody waits for oneself
        return
    own_ns = {part.header.rank: _own_ns(part.beat) for part in ranks}
    if any(ns is None for ns in own_ns.values()):
        return
    work = {rank: float(ns) for rank, ns in own_ns.items() if ns is not None}
    usual, slowest = median_of(work.values()), max(work, key=work.__getitem__)
    others = max(ns for rank, ns in work.items() if rank != slowest)
    train_ns = min(part.beat.phases[Phase.TRAIN].ns for part in ranks)
    if work[slowest] - max(usual, others) < STRAGGLER_SHARE * train_ns:
        return
    joules = seconds = 0.0
    for part in ranks:
        waited = (work[slowest] - work[part.header.rank]) / NANOSECONDS_PER_SECOND
        train = part.beat.phases[Phase.TRAIN]
        mine = [credit.place for credit in roots if credit.part.header.rank == part.header.rank]
        watts = Energy(sum(train.uj[place] for place in mine)).over(train.ns).watts
        joules += waited * watts
        seconds += waited
    yield WasteKind.STRAGGLER, joules, seconds / (len(ranks) - 1), slowest


def _padding(ranks: Sequence[RankPart], roots: Sequence[Credit]) -> Iterator[_Named]:
    """Padding, as a share of training, as if each element of a batch took the same: an estimate.

    Attention takes more with the square of the length, the optimizer and loading data the same whatever the length.
    Batches whose padding is not known are in the tokens, so that the share is the least there is.
    """
    padding = sum(part.beat.padding for part in ranks)
    elements = padding + sum(part.beat.tokens or 0 for part in ranks)
    share = padding / elements if elements else 0.0
    if share >= PADDING_SHARE:
        seconds = ranks[0].beat.phases[Phase.TRAIN].ns / NANOSECONDS_PER_SECOND
        yield WasteKind.PADDING, share * _of_phases(roots, (Phase.TRAIN,)), share * seconds, None


def _own_ns(beat: Beat) -> int | None:
    """How long a rank has worked before its backward passes, waiting for data included."""
    parts = beat.parts.get(Phase.TRAIN, {})
    forward, data = parts.get(Part.FORWARD), parts.get(Part.DATA)
    return None if forward is None else forward.ns + (0 if data is None else data.ns)


def _of_phases(roots: Sequence[Credit], phases: Sequence[Phase]) -> float:
    uj = sum(
        credit.part.beat.phases[phase].uj[credit.place]
        for credit in roots
        for phase in phases
        if phase in credit.part.beat.phases
    )
    return uj / MICROJOULES_PER_JOULE
