"""What a training will have used at its end, from what it has used so far and from how many steps it is to take. Pure.

Training goes on step by step, at a price per step that is noisy and may drift; evaluations and checkpoints come on top,
so many times, at so much each. The price per step is a weighted least-squares line through blocks of steps, with a
memory of a third of what was seen. How far its slope is trusted depends on how well it is known: it is weighed against
a drift of an eighth over a whole training, which is what is taken for usual (Bayesian linear regression with a normal
prior on the slope). The first blocks are left out where they cost otherwise than the rest, as compilers and caches warm
up.

The range is a 90 % interval of the normal distribution, from the scatter of the blocks, how much one resembles the
next, what is known of the slope, and a change of the price by 4 % that nothing has announced. That it holds the truth
about so often is shown by the benchmark ``forecast``; see METHODOLOGY.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from statistics import median
from typing import Final, NamedTuple

from lightning_carbon.carbon.uncertainty import Bounds
from lightning_carbon.records.rows import Forecast

MOST_BLOCKS: Final = 32
"""How many blocks are kept; beyond, they are joined in pairs, so that memory and work stay flat."""

NORMAL_90: Final = 1.6449
"""The half-width of the interval that holds 90 % of a normal distribution, in standard deviations."""

USUAL_DRIFT: Final = 0.12
"""How far the price of a step drifts over a training, as a share of it: one standard deviation of the prior."""

UNANNOUNCED: Final = 0.04
"""How far the price of the steps to come may lie from all that was seen, as a share, where all of them are to come."""

MEMORY: Final = 0.35
"""After this share of the steps that were seen, an older block counts for 1/e."""

_MOST_ALIKE: Final = 0.95
_WARM_MADS: Final = 4.0
_WARM_SHARE: Final = 0.05
_NORMAL_MAD: Final = 1.4826
_FEW: Final = 3
_HARDLY_SEEN: Final = 0.3
"""One standard deviation of the price of steps, as a share, where fewer blocks than that were seen."""
_LOWEST: Final = 0.3
"""No line falls further than to this share of its level: a price that falls levels out."""
_UNSEEN_SCATTER: Final = 0.1
_EVENT_SCATTER: Final = 0.1
"""One standard deviation of what one evaluation costs beside another, as a share."""
_UNSEEN_EVENT: Final = 0.6
"""The same where none was seen yet, and its price is a guess from that of a step."""
_FORWARD_SHARE: Final = 0.4
"""The price of a batch that is evaluated, over that of a step: its forward pass is about a third of the arithmetic."""


class Plan(NamedTuple):
    """What a training is to do.

    Args:
        steps: How many steps it is to take in all, in this run.
        events: How often something else comes, by phase, as far as that is known: evaluations and checkpoints.
        batches: How many batches one evaluation has; 0 where that is not known.
    """

    steps: int
    events: Mapping[str, float] = {}
    batches: float = 0.0


class Outlay(NamedTuple):
    """What something has used so far.

    Args:
        joules: Energy.
        seconds: Time.
    """

    joules: float = 0.0
    seconds: float = 0.0

    def plus(self, other: Outlay) -> Outlay:
        """The sum of both."""
        return Outlay(self.joules + other.joules, self.seconds + other.seconds)

    def less(self, other: Outlay) -> Outlay:
        """What is left of it without another amount."""
        return Outlay(self.joules - other.joules, self.seconds - other.seconds)


class Standing(NamedTuple):
    """How far a training is.

    Args:
        steps: How many steps it has taken.
        training: What it has used so far, without events, and without what came before its first step.
        events: How many of each kind have come, and what they have used.
        before: What came before its first step.
    """

    steps: int
    training: Outlay
    events: Mapping[str, tuple[int, Outlay]] = {}
    before: Outlay = Outlay()


class Block(NamedTuple):
    """Steps in succession, and what they took.

    Args:
        steps: How many there are.
        spent: What they took.
    """

    steps: int
    spent: Outlay

    def plus(self, other: Block) -> Block:
        """Join it with the block that follows."""
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
    """Takes down how a training goes on, and tells how it ends.

    Args:
        blocks: The steps that were seen, in order; at most :data:`MOST_BLOCKS` blocks.
    """

    blocks: list[Block] = field(default_factory=list)
    _block_steps: int = 1
    _noted: Standing | None = None
    _now: Standing | None = None

    def note(self, progress: Standing) -> None:
        """Take down how far the training is; at the cadence of rows.

        Args:
            progress: How far it is; what does not go on from what was noted before is left out.
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
            # The first of an odd number stays alone: the last ones are those that count.
            odd = len(self.blocks) % 2
            pairs = zip(self.blocks[odd::2], self.blocks[odd + 1 :: 2], strict=True)
            self.blocks = [*self.blocks[:odd], *(first.plus(second) for first, second in pairs)]
            self._block_steps = max(self._block_steps, self.blocks[-2].steps)

    def forecast(self, plan: Plan) -> Forecast | None:
        """What the training will have used at its end; ``None`` before its first step, or where the plan is passed.

        Args:
            plan: What it is to do.
        """
        now = self._now
        if now is None or not 0 < now.steps <= plan.steps:
            return None
        joules = self._at_the_end(plan, now, of=0)
        seconds = self._at_the_end(plan, now, of=1)
        return Forecast(joules.bounds(), seconds.bounds(), _less(seconds.bounds(), seconds.known))

    def _at_the_end(self, plan: Plan, now: Standing, *, of: int) -> _Sum:
        """One of the two amounts of :class:`Outlay`, by its place in it."""
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
    """What the steps to come will take; ``known`` of it is the price of one.

    Args:
        blocks: How many steps each has, and the price of a step in it.
        done: How many steps there were.
        planned: How many there are to be in all.
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
    # What the mean of the blocks, the slope, and the steps to come are uncertain by, each a variance of the price.
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
        slope: How much it rises with a step.
        centre: The mean place of the blocks, in steps.
        spread: The variance of their places.
        concentration: The variance of the level over that of a block: the sum of squares of the weights, which add
            up to 1.
        scatter: The variance of blocks about the line.
        likeness: How much a block resembles the next one.
    """

    level: float
    slope: float
    centre: float
    spread: float
    concentration: float
    scatter: float
    likeness: float


def _line_through(lengths: Sequence[int], prices: Sequence[float], done: int) -> _Line:
    """The line through blocks that end at a step, which counts the later ones for more."""
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
    """How many blocks at the beginning belong to the warm-up, at most half of them."""
    half = len(prices) // 2
    usual = median(prices[half:]) if prices else 0.0
    limit = max(
        _WARM_SHARE * usual, _WARM_MADS * _NORMAL_MAD * median([abs(price - usual) for price in prices[half:]] or [0.0])
    )
    return next((number for number in range(half) if abs(prices[number] - usual) <= limit), half)


def _likeness(rests: Sequence[float]) -> float:
    """How much a block resembles the next one: the autocorrelation of first order, rounded up where little was seen."""
    count, total = len(rests), sum(rest * rest for rest in rests)
    if count <= _FEW or not total:
        return 0.5
    products = sum(rest * later for rest, later in pairwise(rests))
    return min(_MOST_ALIKE, max(0.0, products / total * count / (count - 1) + 1 / count))
