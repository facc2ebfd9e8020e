"""A mass of CO2e beside something that people know: flights, lives and cars, as the study of 2019 has them.

The four masses are those of Table 1 of the study, which printed them in pounds. They are averages of their time and of
the United States (the flight, the American year, the car), and serve for orders of magnitude: an equivalent stands
beside the mass that it illustrates, and never in its place.

References:
    E. Strubell, A. Ganesh, A. McCallum, Energy and Policy Considerations for Deep Learning in NLP, ACL 2019, Table 1
    (https://aclanthology.org/P19-1355/).
"""

from __future__ import annotations

from math import isfinite

from lightning_carbon.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE, SECONDS_PER_YEAR, CarbonMass
from lightning_carbon.values import dataclass

SOURCE = "Strubell et al. 2019"

_UNITS = ((SECONDS_PER_HOUR, "hours"), (SECONDS_PER_MINUTE, "minutes"), (1, "seconds"))
_FEW = 10
_MANY = 100

_LEAST_SHARE = 0.001
"""The share of the smallest thing below which a percentage has more zeros than digits; seconds of a life read
better."""
_LEAST_SECONDS = 1.0
_MOST = 1e6
"""The number of the largest things from which on nobody can picture them."""
_WHOLE = 0.995
"""The share from which on two digits round to 100 %, so the whole thing is meant."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A thing or an activity whose emissions people have a feeling for.

    Args:
        id: Its key in files.
        name: Its name for people.
        mass: Its emissions.
        singular: The words after "0.3 % of".
        plural: The words after "4.97".
        note: What the figure includes, or an empty string.
        source: The publication that gives the mass.
    """

    id: str
    name: str
    mass: CarbonMass
    singular: str
    plural: str
    note: str = ""
    source: str = SOURCE


FLIGHT = Reference(
    "flight_new_york_san_francisco_return",
    "flight New York - San Francisco and back",
    CarbonMass.from_pounds(1_984),
    "a New York to San Francisco return flight",
    "New York to San Francisco return flights",
    "one passenger",
)
HUMAN_YEAR = Reference(
    "human_year",
    "human life, average, one year",
    CarbonMass.from_pounds(11_023),
    "a year of an average human life",
    "years of an average human life",
)
AMERICAN_YEAR = Reference(
    "american_year",
    "American life, average, one year",
    CarbonMass.from_pounds(36_156),
    "a year of an average American life",
    "years of an average American life",
)
CAR_LIFETIME = Reference(
    "car_lifetime",
    "car, average, one lifetime",
    CarbonMass.from_pounds(126_000),
    "a car lifetime",
    "car lifetimes",
    "fuel included",
)

REFERENCES = (FLIGHT, HUMAN_YEAR, AMERICAN_YEAR, CAR_LIFETIME)
"""The four things of the study, the smallest first."""


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A mass as a multiple of something that people know; shown beside that mass, never alone.

    Args:
        times: The mass over that of the thing; below 1 for a share of it.
        reference: The thing.
    """

    times: float
    reference: Reference

    @property
    def text(self) -> str:
        """The comparison, such as ``"0.3 % of a car lifetime"`` or ``"4.97 car lifetimes"``."""
        if self.times >= _WHOLE:
            count = _count(self.times)
            return self.reference.singular if count == "1.00" else f"{count} {self.reference.plural}"
        if self.reference is HUMAN_YEAR:
            return f"{_span(self.times * SECONDS_PER_YEAR)} of an average human life"
        return f"{100 * self.times:.2g} % of {self.reference.singular}"

    @property
    def sentence(self) -> str:
        """The comparison in words, with what the figure includes and who published it."""
        remarks = "; ".join(remark for remark in (self.reference.note, self.reference.source) if remark)
        return f"about as much as {self.text} ({remarks})"


def times(mass: CarbonMass, reference: Reference) -> float:
    """The ratio of a mass to that of a thing."""
    return mass.grams / reference.mass.grams


def equivalent_of(mass: CarbonMass) -> Equivalent | None:
    """Choose the thing that a mass is best compared with.

    The largest thing that the mass holds at least once; else a share of the smallest, the flight; else, where even that
    share is tiny, seconds to hours of an average human life.

    Args:
        mass: The mass.

    Returns:
        The comparison; ``None`` where none would help: for nothing, for less than a second of a human life
        (0.16 g), and for more than a million cars.
    """
    if not isfinite(mass.grams) or times(mass, CAR_LIFETIME) > _MOST:
        return None
    fitting = [reference for reference in REFERENCES if times(mass, reference) >= _WHOLE]
    if fitting:
        return Equivalent(times(mass, fitting[-1]), fitting[-1])
    if times(mass, FLIGHT) >= _LEAST_SHARE:
        return Equivalent(times(mass, FLIGHT), FLIGHT)
    share = times(mass, HUMAN_YEAR)
    return Equivalent(share, HUMAN_YEAR) if share * SECONDS_PER_YEAR >= _LEAST_SECONDS else None


def _count(number: float) -> str:
    """A number with three digits, without decimals from a hundred on."""
    return f"{number:,.{2 if number < _FEW else 1 if number < _MANY else 0}f}"


def _span(seconds: float) -> str:
    """A duration with two digits, in the unit that fits."""
    size, name = next(unit for unit in _UNITS if seconds >= unit[0])
    number = seconds / size
    return f"{number:.{1 if number < _FEW else 0}f} {name}"
