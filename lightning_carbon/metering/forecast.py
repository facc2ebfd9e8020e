"""The forecast of a training's energy at its end, from its energy so far and its planned number of steps. Pure.

Each step has a price in energy and time, which is noisy and may drift; evaluations and checkpoints come on top, with a
number and a price of their own. The price per step is a weighted least-squares line through blocks of steps, with a
memory of a third of the steps seen. Its slope is trusted as far as it is known: it is weighed against a drift of an
eighth over a whole training, which is assumed to be usual (Bayesian linear regression with a normal prior on the
slope). The first blocks are left out where their price differs from the rest, as compilers and caches warm up.

The range is a 90 % interval of the normal distribution, from the scatter of the blocks, the correlation of successive
blocks, the uncertainty of the slope, and an unannounced change of the price by 4 %. The benchmark ``forecast`` shows
that it holds the truth about as often; see METHODOLOGY.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.records.numbers import median_of
from lightning_carbon.records.rows import Forecast
from lightning_carbon.values import dataclass, field

MOST_BLOCKS: Final = 32
"""The most blocks that are kept; further blocks are joined in pairs, which keeps memory and work flat."""

NORMAL_90: Final = 1.6449
"""The half-width of the interval that holds 90 % of a normal distribution, in standard deviations."""

USUAL_DRIFT: Final = 0.12
"""The drift of the price of a step over a training, as a share of it: a standard deviation of the prior."""

UNANNOUNCED: Final = 0.04
"""The unannounced change of the price, as a share, where all steps are still to come."""

MEMORY: Final = 0.35
"""The share of the steps seen after which an older block counts for 1/e."""

_MOST_ALIKE: Final = 0.95
_WARM_MADS: Final = 4.0
_WARM_SHARE: Final = 0.05
_NORMAL_MAD: Final = 1.4826
_FEW: Final = 3
_HARDLY_SEEN: Final = 0.3
"""A standard deviation of the price of steps, as a share, where fewer blocks than that were seen."""
_LOWEST: Final = 0.3
"""The share of its level below which no line falls, as falling prices level out."""
_UNSEEN_SCATTER: Final = 0.1
_EVENT_SCATTER: Final = 0.1
"""A standard deviation of the price of evaluations, as a share."""
_UNSEEN_EVENT: Final = 0.6
"""The same where no evaluation was seen yet, and its price is guessed from that of a step."""
_FORWARD_SHARE: Final = 0.4
"""The price of an evaluated batch over that of a step: its forward pass is about a third of the arithmetic."""


class Plan(NamedTuple):
    """The plan of a training.

    Args:
        steps: The number of steps of this run, in all.
        events: The number of evaluations and checkpoints, by phase, as far as it is known.
        batches: The number of batches of an evaluation; 0 where it is not known.
    """

    steps: int
    events: Mapping[str, float] = {}
    batches: float = 0.0


class Outlay(NamedTuple):
    """Energy and time spent so far.

    Args:
        joules: Energy.
        seconds: Time.
    """

    joules: float = 0.0
    seconds: float = 0.0

    def plus(self, other: Outlay) -> Outlay:
        """The sum of both outlays."""
        return Outlay(self.joules + other.joules, self.seconds + other.seconds)

    def less(self, other: Outlay) -> Outlay:
        """The outlay without another."""
        return Outlay(self.joules - other.joules, self.seconds - other.seconds)


class Standing(NamedTuple):
    """The progress of a training.

    Args:
        steps: The number of steps taken.
        training: The outlay so far, without events, and without the time before its first step.
        events: The number of events of each kind so far, and their outlay.
        before: The outlay before its first step.
    """

    steps: int
    training: Outlay
    events: Mapping[str, tuple[int, Outlay]] = {}
    before: Outlay = Outlay()


class Block(NamedTuple):
    """Successive steps with their outlay.

    Args:
        steps: The number of steps.
        spent: Their outlay.
    """

    steps: int
    spent: Outlay

    def plus(self, other: Block) -> Block:
        """Join the block with the block that follows."""
        return Block(self.steps + other.steps, self.spent.plus(other.spent))


class _Sum(NamedTuple):
    """An expected amount, the part of it that is known, and the variance of the rest."""

    known: float
    value: float
    variance: float

    def bounds(self) -> Bounds[float]:
        half = NORMAL_90 * math.sqrt(self.variance)
        return Bounds(self.value, max(self.known, self.value - half), self.value + half)


@dataclass(slots=True)
class Forecaster:
    """Notes the progress of a training, and forecasts its end.

    Args:
        blocks: The steps seen, in order; at most :data:`MOST_BLOCKS` blocks.
    """

    blocks: list[Block] = field(default_factory=list)
    _block_steps: int = 1
    _noted: Standing | None = None
    _now: Standing | None = None

    def note(self, progress: Standing) -> None:
        """Note the progress of the training, at the cadence of rows.

        Args:
            progress: The progress; ignored where it does not continue from what was noted before.
        """
        self._now = progress
        before = self._noted
        if before is None or progress.steps < before.steps:
            self._noted = progress
            return
        steps = progress.steps - before.steps
        if steps < self._block_steps:
            return
        self.blocks.append(Block(steps, progress.training.less(before.training)))
        self._noted = progress
        if len(self.blocks) > MOST_BLOCKS:
            # The first of an odd number stays alone, as the last blocks count the most.
            odd = len(self.blocks) % 2
            pairs = zip(self.blocks[odd::2], self.blocks[odd + 1 :: 2], strict=True)
            self.blocks = [*self.blocks[:odd], *(first.plus(second) for first, second in pairs)]
            self._block_steps = max(self._block_steps, self.blocks[-2].steps)

    def forecast(self, plan: Plan) -> Forecast | None:
        """The forecast of the training's end; ``None`` before its first step, or where it has outrun its plan.

        Args:
            plan: The plan.
        """
        now = self._now
        if now is None or not 0 < now.steps <= plan.steps:
            return None
        joules = self._at_the_end(plan, now, of=0)
        seconds = self._at_the_end(plan, now, of=1)
        return Forecast(joules.bounds(), seconds.bounds(), _less(seconds.bounds(), seconds.known))

    def _at_the_end(self, plan: Plan, now: Standing, *, of: int) -> _Sum:
        """The sum at the end of either amount of :class:`Outlay`, by its place."""
        blocks = [(block.steps, block.spent[of] / block.steps) for block in self.blocks]
        known = now.before[of] + now.training[of] + sum(spent[of] for _, spent in now.events.values())
        price = _price(blocks, now.steps, plan.steps, mean=now.training[of] / now.steps)
        value, variance = known + price.value, price.variance
        for kind in {*plan.events, *now.events}:
            count, spent = now.events.get(kind, (0, Outlay()))
            to_come = max(0.0, plan.events.get(kind, count * plan.steps / now.steps) - count)
            cost = spent[of] / count if count else price.known * (_FORWARD_SHARE * plan.batches or 1.0)
            scatter = _EVENT_SCATTER / math.sqrt(count) if count else _UNSEEN_EVENT
            value += to_come * cost
            variance += (to_come * cost * scatter) ** 2
        return _Sum(known, value, variance)


def _less(bounds: Bounds[float], known: float) -> Bounds[float]:
    return bounds.map(lambda value: max(0.0, value - known))


def _price(blocks: Sequence[tuple[int, float]], done: int, planned: int, *, mean: float) -> _Sum:
    """The outlay of the steps to come; its ``known`` part is the price of a step.

    Args:
        blocks: The number of steps of each block, and the price of a step in it.
        done: The number of steps taken.
        planned: The number of steps in all.
        mean: The mean price of all steps so far.
    """
    left = planned - done
    blocks = blocks[_warm_blocks([price for _, price in blocks]) :]
    lengths, prices = [length for length, _ in blocks], [price for _, price in blocks]
    count, seen = len(prices), sum(lengths)
    if count < _FEW:
        last = prices[-1] if count else mean
        return _Sum(last, left * last, (left * last * _HARDLY_SEEN) ** 2)
    line = _line_through(lengths, prices, done)
    scatter = line.scatter * (1 + line.likeness) / (1 - line.likeness)
    # The uncertainties of the mean of the blocks, of the slope, and of the steps to come, each as a variance of the
    # price.
    of_level = scatter * line.concentration
    of_slope, usual = of_level / line.spread, (USUAL_DRIFT * line.level / planned) ** 2
    trust = usual / (usual + of_slope) if usual else 0.0
    ahead = done + left / 2 - line.centre
    value = max(line.level + trust * line.slope * ahead, _LOWEST * line.level)
    of_future = scatter / max(1.0, left * count / seen)
    of_change = (UNANNOUNCED * (1 + _FEW / count) * value * left / planned) ** 2
    variance = of_level + trust * of_slope * ahead**2 + of_future + of_change
    return _Sum(value, left * value, left * left * variance)


class _Line(NamedTuple):
    """A weighted line through the prices of blocks.

    Args:
        level: The price at the centre.
        slope: The rise of the price with a step.
        centre: The mean place of the blocks, in steps.
        spread: The variance of their places.
        concentration: The variance of the level over that of a block: the sum of the squared weights, which add up to
            1.
        scatter: The variance of blocks about the line.
        likeness: The correlation of successive blocks.
    """

    level: float
    slope: float
    centre: float
    spread: float
    concentration: float
    scatter: float
    likeness: float


def _line_through(lengths: Sequence[int], prices: Sequence[float], done: int) -> _Line:
    """The line through blocks that end at a step, with more weight on later blocks."""
    count, seen = len(lengths), sum(lengths)
    ends = [*accumulate(reversed(lengths))][::-1]
    middles = [end - length / 2 for end, length in zip(ends, lengths, strict=True)]
    raw = [length * math.exp(-back / (MEMORY * seen)) for back, length in zip(middles, lengths, strict=True)]
    weights = [weight / sum(raw) for weight in raw]
    places = [done - back for back in middles]
    level, centre = _mean(weights, prices), _mean(weights, places)
    spread = _mean(weights, [(place - centre) ** 2 for place in places])
    together = [(place - centre) * (price - level) for place, price in zip(places, prices, strict=True)]
    slope = _mean(weights, together) / spread
    rests = [price - level - slope * (place - centre) for place, price in zip(places, prices, strict=True)]
    scatter = _mean([length / seen for length in lengths], [rest * rest for rest in rests]) * count / (count - 2)
    if count == _FEW:
        scatter = max(scatter, (_UNSEEN_SCATTER * level) ** 2)
    return _Line(level, slope, centre, spread, _mean(weights, weights), scatter, _likeness(rests))


def _mean(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def _warm_blocks(prices: Sequence[float]) -> int:
    """The number of blocks of the warm-up, at most half of all."""
    half = len(prices) // 2
    usual = median_of(prices[half:]) if prices else 0.0
    spread = median_of([abs(price - usual) for price in prices[half:]] or [0.0])
    limit = max(_WARM_SHARE * usual, _WARM_MADS * _NORMAL_MAD * spread)
    return next((number for number in range(half) if abs(prices[number] - usual) <= limit), half)


def _likeness(rests: Sequence[float]) -> float:
    """The correlation of successive blocks: the first-order autocorrelation, rounded up where little was seen."""
    count, total = len(rests), sum(rest * rest for rest in rests)
    if count <= _FEW or not total:
        return 0.5
    products = sum(rest * later for rest, later in pairwise(rests))
    return min(_MOST_ALIKE, max(0.0, products / total * count / (count - 1) + 1 / count))
