"""The steps of a run in equal blocks, as trials, for a comparison of two runs by themselves. Pure."""

from __future__ import annotations

from bisect import bisect_left
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from lightning_carbon.baseline.circumstances import circumstances_of
from lightning_carbon.baseline.contest import Trial, WorkUnit
from lightning_carbon.baseline.costs import cost_of
from lightning_carbon.baseline.trials import LEAST_TRIALS
from lightning_carbon.errors import ConfigError
from lightning_carbon.records.credits import credits_of
from lightning_carbon.units import MICROJOULES_PER_JOULE, NANOSECONDS_PER_SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lightning_carbon.records.journal import Beat, RankPart
    from lightning_carbon.records.run import RunRecord

MOST_BLOCKS: Final = 20
_BEATS_A_BLOCK: Final = 2
_WARMUP: Final = 0.1
"""The share of the steps at the beginning that is left out, in which caches and clocks warm up."""


def blocks_of(record: RunRecord, parts: Sequence[RankPart], beats: Sequence[Sequence[Beat]]) -> list[Trial]:
    """Cut a run into blocks of equally many steps, by the journals of its ranks.

    Args:
        record: The run.
        parts: The header and the last beat of each of its ranks.
        beats: The beats of each of these ranks, in their order.

    Returns:
        The blocks as trials, at most :data:`MOST_BLOCKS`.

    Raises:
        ConfigError: The run cannot be compared, or its journals are too short for an interval.
    """
    cost = cost_of(record)
    judged = {(part.kind, part.provenance) for part in cost.judged}
    counted = [[beat for beat in of_rank if beat.steps] for of_rank in beats]
    last = min((of_rank[-1].steps if of_rank else 0 for of_rank in counted), default=0)
    first = last * _WARMUP
    inside = min((sum(first <= beat.steps <= last for beat in of_rank) for of_rank in counted), default=0)
    count = min(MOST_BLOCKS, inside // _BEATS_A_BLOCK, int(last - first))
    if count < LEAST_TRIALS:
        fix = f"its journals show too little of its steps for an interval; compare {LEAST_TRIALS} runs of each instead."
        raise ConfigError("run", record.run_id, fix)
    cuts = [first + (last - first) * place / count for place in range(count + 1)]
    of_rank = {part.header.rank: rank_beats for part, rank_beats in zip(parts, counted, strict=True)}
    microjoules = [0.0] * count
    for credit in credits_of(parts):
        rank, place = credit.part, credit.place
        domain = rank.beat.sensor(place).applied_to(credit.domain)
        if credit.is_root and (domain.kind, domain.provenance) in judged:
            _add(microjoules, _rises(of_rank[rank.header.rank], partial(_step_uj, place), cuts))
    work = {WorkUnit.STEP: [late - early for early, late in pairwise(cuts)]}
    for unit, known, count_of in (
        (WorkUnit.SAMPLE, record.samples, lambda beat: beat.samples or 0),
        (WorkUnit.TOKEN, record.tokens, lambda beat: beat.tokens or 0),
    ):
        if known:
            work[unit] = [0.0] * count
            for rank_beats in counted:
                _add(work[unit], _rises(rank_beats, count_of, cuts))
    circumstances = circumstances_of(record)
    nanoseconds = _rises(counted[0], lambda beat: beat.step_ns, cuts)
    return [
        Trial(
            run_id=record.run_id,
            hardware=cost.hardware,
            judged=frozenset(judged),
            joules={unit: microjoules[block] / MICROJOULES_PER_JOULE / of[block] for unit, of in work.items()},
            seconds={unit: nanoseconds[block] / NANOSECONDS_PER_SECOND / of[block] for unit, of in work.items()},
            circumstances=circumstances,
        )
        for block in range(count)
    ]


def _step_uj(place: int, beat: Beat) -> int:
    return beat.step_uj[place]


def _rises(beats: Sequence[Beat], value: Callable[[Beat], int], cuts: Sequence[float]) -> list[float]:
    """The rises of a total between cuts, which are numbers of steps; it rises evenly from beat to beat."""
    steps = [0, *(beat.steps for beat in beats)]
    heights = [0, *map(value, beats)]
    at_cuts = []
    for cut in cuts:
        after = bisect_left(steps, cut)
        early, late = steps[after - 1], steps[after]
        share = (cut - early) / (late - early)
        at_cuts.append(heights[after - 1] + share * (heights[after] - heights[after - 1]))
    return [late - early for early, late in pairwise(at_cuts)]


def _add(sums: list[float], values: Sequence[float]) -> None:
    for place, value in enumerate(values):
        sums[place] += value
