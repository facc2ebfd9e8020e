"""The energy of steps by module and direction, in journals and records. Pure.

Each rank tells the shares of its own steps' energy. A record has joules: whole microjoules that add up to the energy of
the steps, exactly. Names of modules are a program's own, so they are bounded and never trusted.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from lightning_carbon.energy.module_passes import REST, Activity, ModulePass
from lightning_carbon.records.fields import RATIO, Misfit, each, one_of, read, read_by, text
from lightning_carbon.units import MICROJOULES_PER_JOULE
from lightning_carbon.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_carbon.energy.module_passes import ModuleShare

MOST_ROWS: Final = 256
"""The most rows of a table; far more than a program may watch."""
LONGEST_PATH: Final = 200
"""The most characters of the name of a module."""


def _path(value: object) -> str:
    """Read the name of a module."""
    found = text(value)
    if len(found) > LONGEST_PATH:
        raise Misfit(f"has {len(found)} characters, where {LONGEST_PATH} may be")
    return found


_PATH: Final = read_by(_path)
_FINE: Final = 2**60
"""The number of parts of a whole in which shares are counted: whole numbers stay exact, however large."""


@dataclass(frozen=True, slots=True)
class ShareBeat:
    """The share of a module, in one direction, in the energy of a rank's steps.

    Args:
        direction: The direction, ``optimizer``, or ``rest``.
        path: The module; empty for the whole model, and where there is no module.
        share: Its share.
        low: The lower end of the 90 % interval of the share.
        high: The upper end.
        seconds: How long it lasted in a step, on average.
    """

    direction: str = field(metadata=one_of(ModulePass))
    path: str = field(metadata=_PATH)
    share: float = field(metadata=RATIO)
    low: float = field(metadata=RATIO)
    high: float = field(metadata=RATIO)
    seconds: float


def _rows(value: object, kind: type[object]) -> tuple[object, ...]:
    """Read the rows of a table, of which there may not be too many."""
    if isinstance(value, list | tuple) and len(value) > MOST_ROWS:
        raise Misfit(f"has {len(value)} rows, where {MOST_ROWS} may be")
    return each(value, partial(read, kind))


@dataclass(frozen=True, slots=True)
class ModulesBeat:
    """What a rank has found out about the modules of its model.

    Args:
        model: The class of the model.
        sampled_steps: The number of steps behind the figures.
        rows: The shares; they add up to 1.
    """

    model: str = field(metadata=_PATH)
    sampled_steps: int
    rows: tuple[ShareBeat, ...] = field(metadata=read_by(partial(_rows, kind=ShareBeat)))


@dataclass(frozen=True, slots=True)
class ModuleRecord:
    """The energy of a module over the steps of a run, in one direction, without the modules within it that are told.

    Args:
        direction: The direction, ``forward`` or ``backward``; or ``optimizer``, or ``rest`` for the rest of the step.
        path: The module; empty for the whole model, and where there is no module.
        joules: Its energy.
        low_joules: The lower end of the 90 % interval of its energy, given that of the steps.
        high_joules: The upper end.
        step_seconds: How long it lasted in a step, on average.
    """

    direction: str = field(metadata=one_of(ModulePass))
    path: str = field(metadata=_PATH)
    joules: float
    low_joules: float
    high_joules: float
    step_seconds: float


@dataclass(frozen=True, slots=True)
class ModulesRecord:
    """The energy of the steps of a run by module and direction.

    Args:
        model: The class of the model.
        sampled_steps: The number of steps whose modules were timed, over all ranks.
        rows: The modules, the largest energy first; they add up to the energy of the steps, to the microjoule.
    """

    model: str = field(metadata=_PATH)
    sampled_steps: int
    rows: tuple[ModuleRecord, ...] = field(metadata=read_by(partial(_rows, kind=ModuleRecord)))


def modules_beat(model: str, sampled_steps: int, shares: Sequence[ModuleShare]) -> ModulesBeat | None:
    """What a rank tells of its modules; ``None`` where it knows nothing of them.

    Args:
        model: The class of the model.
        sampled_steps: The number of steps behind the shares.
        shares: The shares.
    """
    if not shares:
        return None
    rows = [
        ShareBeat(
            share.activity.kind.value,
            share.activity.path[:LONGEST_PATH],
            min(1.0, share.share),
            min(1.0, share.low),
            min(1.0, share.high),
            share.seconds,
        )
        for share in shares[:MOST_ROWS]
    ]
    return ModulesBeat(model[:LONGEST_PATH], sampled_steps, tuple(rows))


def modules_record(told: Sequence[tuple[ModulesBeat | None, int]], microjoules: int) -> ModulesRecord | None:
    """The table of a run; ``None`` where no rank knows anything of its modules.

    Args:
        told: What each rank tells, and the energy of its steps in microjoules, by which it counts. The energy of ranks
            that tell nothing is divided as that of the others.
        microjoules: The energy of the steps of the run.
    """
    known = [(beat, uj) for beat, uj in told if beat is not None and beat.rows]
    whole = sum(uj for _, uj in known)
    if not known:
        return None
    weights = [uj / whole if whole else 1 / len(known) for _, uj in known]
    sums: dict[Activity, list[float]] = {}
    for (beat, _), weight in zip(known, weights, strict=True):
        for row in beat.rows:
            figures = (row.share, row.low, row.high, row.seconds)
            activity = Activity(ModulePass(row.direction), row.path)
            before = sums.get(activity, [0.0] * len(figures))
            sums[activity] = [old + weight * new for old, new in zip(before, figures, strict=True)]
    sums = _bounded(sums)
    parts = _whole_parts({activity: share for activity, (share, *_) in sums.items()}, microjoules)
    rows = [
        ModuleRecord(
            activity.kind.value,
            activity.path,
            parts[activity] / MICROJOULES_PER_JOULE,
            low * microjoules / MICROJOULES_PER_JOULE,
            high * microjoules / MICROJOULES_PER_JOULE,
            seconds,
        )
        for activity, (_, low, high, seconds) in sums.items()
    ]
    rows.sort(key=lambda row: (-row.joules, row.path, row.direction))
    return ModulesRecord(known[0][0].model, sum(beat.sampled_steps for beat, _ in known), tuple(rows))


def _bounded(sums: dict[Activity, list[float]]) -> dict[Activity, list[float]]:
    """No more rows than a table may have; what is beyond is the rest of the step."""
    if len(sums) <= MOST_ROWS:
        return sums
    order = sorted(sums, key=lambda activity: -sums[activity][0])
    kept = [activity for activity in order if activity != REST][: MOST_ROWS - 1]
    beyond = [sums[activity] for activity in order if activity not in {*kept}]
    return {activity: sums[activity] for activity in kept} | {REST: [*map(sum, zip(*beyond, strict=True))]}


def _whole_parts(shares: Mapping[Activity, float], whole: int) -> dict[Activity, int]:
    """Shares of a whole number as whole numbers that add up to it: what rounding leaves goes to the largest rests."""
    fine = {activity: int(share * _FINE) for activity, share in shares.items()}
    total = sum(fine.values())
    if not total:
        fine, total = dict.fromkeys(shares, 1), len(shares)
    parts = {activity: count * whole // total for activity, count in fine.items()}
    left = whole - sum(parts.values())
    for activity in sorted(fine, key=lambda activity: -(fine[activity] * whole % total))[:left]:
        parts[activity] += 1
    return parts
