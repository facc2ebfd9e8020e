"""The 90 % interval of an energy and its CO2e, from the distributions of what they were worked out from. Pure.

Errors of one cause go together: the gain of all cards of a model, the model of all hosts of a processor, the PUE, the
grid. Each cause has a number between 0 and 1, and every quantity that it moves is at that quantile of its distribution.
Causes are independent of each other. Offsets of single sensors are causes of their own.

By Monte Carlo, where several causes count: each is drawn once from each of as many equally likely strata as there are
draws (Latin hypercube), so a figure with a single cause is exact, and few draws do. The order of a cause's strata
follows from its name and a fixed seed alone: the same inputs give the same interval on every machine, in any order.

It is loaded at the end of a run, and takes about 15 ms there. No class of it is a NamedTuple: making one evaluates a
text, which makes CPython forget a Ctrl-C that ends the process.

References:
    JCGM 101:2008, Propagation of distributions using a Monte Carlo method; 7.7 for the interval.
    M. D. McKay, R. J. Beckman, W. J. Conover, A Comparison of Three Methods for Selecting Values of Input Variables,
        Technometrics 21 (1979).
"""

from __future__ import annotations

from functools import cache
from math import hypot, sqrt
from random import Random
from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.interval import LEVEL, OWN, Interval
from lightning_carbon.carbon.interval_sums import causes_of
from lightning_carbon.carbon.spread import NORMAL_90, Shape, Spread
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR, NANOSECONDS_PER_SECOND
from lightning_carbon.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lightning_carbon.carbon.intensity import Intensity, PowerUsage
    from lightning_carbon.carbon.rest import RestModel
    from lightning_carbon.carbon.uncertainty import Bounds

CLOSED_FORM: Final = "closed form"
MONTE_CARLO: Final = "Monte Carlo"
DRAWS: Final = 2_000
"""How many draws; the ends of an interval are then within 3 % of its width of where more draws put them (tests)."""
SEED: Final = 2019

_TAIL: Final = (1 - LEVEL) / 2
_OFFSET: Final = "offset"
"""How the causes of offsets begin, which are each sensor's own."""
_DRAWN_OFFSETS: Final = 4
"""How many independent offsets are drawn each; narrower offsets go together as a normal distribution (central limit
theorem)."""


@dataclass(frozen=True, slots=True)
class Term:
    """An amount times an uncertain factor.

    Args:
        cause: What makes the factor uncertain; factors of the same cause err together.
        amount: The amount, such as the reading of a sensor in joules.
        factor: The factor.
    """

    cause: str
    amount: float
    factor: Spread


@dataclass(frozen=True, slots=True)
class Parts:
    """An uncertain energy, as a sum.

    Args:
        terms: Energies in joules with a factor each.
        offsets: The limits of independent errors that are added, in joules.
    """

    terms: tuple[Term, ...] = ()
    offsets: tuple[tuple[float, float], ...] = ()

    @staticmethod
    def joined(all_parts: Iterable[Parts]) -> Parts:
        """The sum of energies."""
        known = list(all_parts)
        return Parts(
            tuple(term for parts in known for term in parts.terms),
            tuple(offset for parts in known for offset in parts.offsets),
        )

    def times(self, ratio: float) -> Parts:
        """A share of it."""
        terms = (replace(term, amount=term.amount * ratio) for term in self.terms)
        return Parts(tuple(terms), tuple((low * ratio, high * ratio) for low, high in self.offsets))


@dataclass(frozen=True, slots=True)
class Plug:
    """A machine, or several with the same model of their rest, at their plugs.

    Args:
        chips: The energy of the chips.
        duration_ns: In how many nanoseconds.
        rest: How the rest is modelled; ``None`` where nothing is added to the chips.
    """

    chips: Parts
    duration_ns: float = 0
    rest: RestModel | None = None


@dataclass(frozen=True, slots=True)
class Priced:
    """Figures of a run whose intervals are asked for, each with the bounds that its interval lies in.

    Args:
        chips: The energy of its chips.
        chips_bounds: The bounds of that, in joules.
        plugs: Its machines; ``None`` where its chips are priced.
        machine_bounds: The bounds of the machines, in joules; ``None`` with ``plugs``.
        mass_bounds: The bounds of the CO2e, in grams.
        pue: The PUE.
        intensity: The carbon intensity.
    """

    chips: Parts
    chips_bounds: Bounds[float]
    plugs: tuple[Plug, ...] | None
    machine_bounds: Bounds[float] | None
    mass_bounds: Bounds[float]
    pue: PowerUsage
    intensity: Intensity


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of a run.

    Args:
        chips: Of the energy of its chips, in joules.
        machine: Of the energy of its machines, in joules; ``None`` where only the chips are known.
        mass: Of its CO2e, in grams.
    """

    chips: Interval
    machine: Interval | None
    mass: Interval


class World:
    """Draws of causes.

    Args:
        shares: The quantiles that are drawn, rising.
        seed: The seed of their orders; ``None`` where all causes go together.
        only: The cause that counts; every other quantity is at its median. ``None`` where all count.
    """

    def __init__(self, shares: Sequence[float], seed: int | None = None, *, only: str | None = None) -> None:
        self._shares = shares
        self._seed = seed
        self._only = only
        self._orders: dict[str, Sequence[int]] = {}
        self._drawn: dict[tuple[str, Spread], list[float]] = {}

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes that have counted so far."""
        return tuple(self._orders)

    def zeros(self) -> list[float]:
        """Nothing, as often as there are draws."""
        return [0.0] * len(self._shares)

    def draws(self, cause: str, spread: Spread) -> list[float]:
        """A quantity in all draws.

        Args:
            cause: What makes it uncertain.
            spread: Its distribution.
        """
        if spread.is_exact:
            return [spread.value] * len(self._shares)
        if self._only not in {None, cause}:
            return spread.quantiles([0.5]) * len(self._shares)
        known = self._drawn.get((cause, spread))
        if known is None:
            rising = spread.quantiles(self._shares)
            known = self._drawn[cause, spread] = list(map(rising.__getitem__, self._order(cause)))
        return known

    def _order(self, cause: str) -> Sequence[int]:
        known = self._orders.get(cause)
        if known is None:
            count = len(self._shares)
            known = range(count)
            if self._seed is not None:
                # A text seeds by its SHA-512 and random() is the Mersenne Twister: the same on every platform.
                random = Random(f"{self._seed} {cause}").random  # noqa: S311 - draws of errors, not of secrets
                known = sorted(known, key=[random() for _ in known].__getitem__)
            self._orders[cause] = known
        return known


@cache
def _strata() -> tuple[float, ...]:
    """The middles of equally likely strata."""
    return tuple((stratum + 0.5) / DRAWS for stratum in range(DRAWS))


def intervals_of(run: Priced) -> Intervals:
    """The 90 % intervals of a run.

    Args:
        run: Its figures and what they were worked out from.
    """

    @cache
    def machine(world: World) -> list[float]:
        return sum_of(run.chips, world) if run.plugs is None else plugs_of(run.plugs, world)

    def mass(world: World) -> list[float]:
        pue, grid = run.pue, run.intensity
        usages = world.draws(pue_cause(pue), pue_spread(pue))
        grams = world.draws(f"grid {grid.region}", Spread(grid.low, grid.value, grid.high, Shape.NORMAL))
        factors = zip(machine(world), usages, grams, strict=True)
        return [joules / JOULES_PER_KILOWATT_HOUR * usage * gram for joules, usage, gram in factors]

    drawn = World(_strata(), SEED)
    return Intervals(
        interval_of(lambda world: sum_of(run.chips, world), run.chips_bounds, drawn),
        None if run.machine_bounds is None else interval_of(machine, run.machine_bounds, drawn),
        interval_of(mass, run.mass_bounds, drawn),
    )


def pue_cause(pue: PowerUsage) -> str:
    """The name of what makes a PUE uncertain, common to all runs that take it from one source."""
    return f"PUE {pue.source}"


def pue_spread(pue: PowerUsage) -> Spread:
    """The distribution that the range of a PUE is read as."""
    return Spread(pue.low, pue.value, pue.high, Shape.TRIANGULAR)


def interval_of(figure: Callable[[World], list[float]], bounds: Bounds[float], drawn: World | None = None) -> Interval:
    """The 90 % interval of a figure: as likely below as above, within its bounds, and around its value.

    Args:
        figure: The figure in all draws of a world.
        bounds: The figure with its bounds.
        drawn: The world that it is drawn in, where several causes count.
    """
    ends = World((_TAIL, 1 - _TAIL))
    low, high = sorted(figure(ends))
    method, draws, seed = CLOSED_FORM, None, None
    if len(ends.causes) > 1:
        found = sorted(figure(drawn or World(_strata(), SEED)))
        below = round(_TAIL * DRAWS)
        low, high = (found[below - 1] + found[below]) / 2, (found[-below] + found[-below - 1]) / 2
        method, draws, seed = MONTE_CARLO, DRAWS, SEED
    low, high = min(max(low, bounds.low), bounds.value), max(min(high, bounds.high), bounds.value)
    causes = causes_of(_moves(figure, ends.causes), (bounds.value - low, high - bounds.value))
    return Interval(low, high, LEVEL, method, draws, seed, causes)


def _moves(figure: Callable[[World], list[float]], causes: Iterable[str]) -> dict[str, tuple[float, float]]:
    """How far each cause alone moves a figure, below and above; offsets of sensors are a run's own."""
    found = {OWN: (0.0, 0.0)}
    for cause in causes:
        drawn = figure(World((_TAIL, 0.5, 1 - _TAIL), only=cause))
        below, above = drawn[1] - min(drawn), max(drawn) - drawn[1]
        if cause.startswith(_OFFSET):
            below, above = hypot(found[OWN][0], below), hypot(found[OWN][1], above)
        found[OWN if cause.startswith(_OFFSET) else cause] = below, above
    return found


def sum_of(parts: Parts, world: World, number: int = 0) -> list[float]:
    """An energy in all draws, in joules.

    Args:
        parts: What it is the sum of.
        world: The draws.
        number: Its number, by which its offsets are independent of those of other sums.
    """
    amounts: dict[tuple[str, Spread], float] = {}
    for term in parts.terms:
        common = term.cause, term.factor
        amounts[common] = amounts.get(common, 0.0) + term.amount
    total = world.zeros()
    for (cause, factor), amount in amounts.items():
        if amount:
            total = _plus(total, amount, world.draws(cause, factor))
    for place, offset in enumerate(_offsets(parts.offsets)):
        total = _plus(total, 1.0, world.draws(f"{_OFFSET} {place} of {number}", offset))
    return total


def plugs_of(plugs: Iterable[Plug], world: World) -> list[float]:
    """The energy of machines in all draws, in joules.

    Args:
        plugs: The machines.
        world: The draws.
    """
    total = world.zeros()
    for number, plug in enumerate(_gathered(plugs)):
        chips = sum_of(plug.chips, world, number)
        total = _plus(total, 1.0, chips)
        if plug.rest is not None:
            total = _plus(total, 1.0, _rest(plug.rest, chips, plug.duration_ns / NANOSECONDS_PER_SECOND, world=world))
    return total


def _rest(model: RestModel, chips: list[float], seconds: float, *, world: World) -> list[float]:
    """The energy that whole machines draw beside their chips, in all draws."""
    shape = Shape.TRIANGULAR if model.pivot_watts is None else Shape.NORMAL
    name, pivot = model.machine, 0.0 if model.pivot_watts is None else model.pivot_watts
    share = Spread(model.share_low, model.share, model.share_high, shape)
    low, value, high = model.constant_low_watts, model.constant_watts, model.constant_high_watts
    if model.pivot_watts is not None:
        # A line by least squares turns around the mean of its points: at that power its height and its slope err apart.
        half, slope = high - value, (share.high - share.value) * pivot
        value += share.value * pivot
        height = sqrt(max(0.0, half * half - slope * slope))
        low, high = value - height, value + height
    constants = world.draws(f"constant of {name}", Spread(low, value, high, shape))
    shares = world.draws(f"share of {name}", share)
    return [
        constant * seconds + ratio * (joules - pivot * seconds)
        for constant, ratio, joules in zip(constants, shares, chips, strict=True)
    ]


def _gathered(plugs: Iterable[Plug]) -> list[Plug]:
    """Machines with the same model together, whatever portion is the job's: a thousand hosts cost what one does."""
    found: dict[RestModel | None, list[tuple[Parts, float]]] = {}
    for plug in plugs:
        model, duration_ns = plug.rest, plug.duration_ns
        if model is not None:
            duration_ns *= model.portion
            model = replace(model, portion=1.0, reason="")
        found.setdefault(model, []).append((plug.chips, duration_ns))
    return [
        Plug(Parts.joined(chips for chips, _ in alike), sum(duration_ns for _, duration_ns in alike), model)
        for model, alike in found.items()
    ]


def _offsets(limits: Iterable[tuple[float, float]]) -> list[Spread]:
    """Independent errors: the widest as they are, the others together."""
    known = sorted(((high - low, low, high) for low, high in limits if low < high), reverse=True)
    spreads = [Spread(low, (low + high) / 2, high, Shape.UNIFORM) for _, low, high in known[:_DRAWN_OFFSETS]]
    others = known[_DRAWN_OFFSETS:]
    if others:
        middle = sum(low + high for _, low, high in others) / 2
        half = NORMAL_90 * sqrt(sum(width * width for width, _, _ in others) / 12)  # of a uniform distribution
        spreads.append(Spread(middle - half, middle, middle + half, Shape.NORMAL))
    return spreads


def _plus(total: list[float], factor: float, draws: list[float]) -> list[float]:
    return [so_far + factor * drawn for so_far, drawn in zip(total, draws, strict=True)]
