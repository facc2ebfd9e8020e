"""Energy, power and carbon mass as value types; the only conversion factors of the package.

Energy is an integer count of microjoules, so that differences of one rising curve add up exactly. The other types hold
floats in the unit that their one field names. mypy rejects watts where joules are due.

Exact by definition: 1 kWh = 3.6e6 J (SI Brochure, 9th ed., table 8); 1 lb = 453.59237 g (international pound, 1959).
"""

from __future__ import annotations

from typing import ClassVar

from lightning_carbon.values import dataclass

MICRO, MILLI, KILO, MEGA, TERA = 1e-6, 1e-3, 1_000, 1_000_000, 1_000_000_000_000
"""Prefixes of the SI, for figures of a size that people read."""

MICROJOULES_PER_JOULE = 1_000_000
MICROJOULES_PER_MILLIJOULE = 1_000
JOULES_PER_WATT_HOUR = 3_600
JOULES_PER_KILOWATT_HOUR = 3_600_000
MILLIWATTS_PER_WATT = 1_000
MICROWATTS_PER_WATT = 1_000_000
HERTZ_PER_MEGAHERTZ = 1_000_000
MILLIDEGREES_PER_DEGREE = 1_000
PERCENT = 100
BYTES_PER_GIBIBYTE = 1 << 30

MILLILITRES_PER_LITRE = 1_000

NANOSECONDS_PER_MILLISECOND = 1_000_000
NANOSECONDS_PER_SECOND = 1_000_000_000
MICROSECONDS_PER_SECOND = 1_000_000
SECONDS_PER_MINUTE = 60
SECONDS_PER_HOUR = 3_600
SECONDS_PER_DAY = 86_400
MINUTES_PER_HOUR = 60
HOURS_PER_DAY = 24
SECONDS_PER_YEAR = 31_557_600
DAYS_PER_MONTH = 365.25 / 12
"""The mean month and year of the Julian calendar: a year has 365.25 days."""

GRAMS_PER_POUND = 453.59237
GRAMS_PER_KILOGRAM = 1_000
MILLIGRAMS_PER_GRAM = 1_000
GRAMS_PER_TONNE = 1_000_000
GRAMS_IN = {"mg": 1 / MILLIGRAMS_PER_GRAM, "g": 1.0, "kg": float(GRAMS_PER_KILOGRAM), "t": float(GRAMS_PER_TONNE)}
JOULES_IN = {
    "J": 1.0,
    "kJ": float(KILO),
    "MJ": float(MEGA),
    "Wh": float(JOULES_PER_WATT_HOUR),
    "kWh": float(JOULES_PER_KILOWATT_HOUR),
    "MWh": float(JOULES_PER_KILOWATT_HOUR * KILO),
}
"""The units that people write, by their symbols."""


@dataclass(frozen=True, slots=True, order=True)
class Energy:
    """An amount of energy.

    Args:
        microjoules: The amount, a whole number; negative only as a difference.
    """

    microjoules: int
    ZERO: ClassVar[Energy]

    @classmethod
    def from_joules(cls, joules: float) -> Energy:
        """Round joules to the nearest microjoule."""
        return cls(round(joules * MICROJOULES_PER_JOULE))

    @classmethod
    def from_millijoules(cls, millijoules: int) -> Energy:
        """Convert whole millijoules, the unit of NVML's counter, exactly."""
        return cls(millijoules * MICROJOULES_PER_MILLIJOULE)

    @property
    def joules(self) -> float:
        """The amount in joules."""
        return self.microjoules / MICROJOULES_PER_JOULE

    @property
    def kilowatt_hours(self) -> float:
        """The amount in kWh."""
        return self.microjoules / (MICROJOULES_PER_JOULE * JOULES_PER_KILOWATT_HOUR)

    def __add__(self, other: Energy) -> Energy:
        """Add two amounts, exactly."""
        return Energy(self.microjoules + other.microjoules)

    def __sub__(self, other: Energy) -> Energy:
        """Take the difference of two amounts, exactly."""
        return Energy(self.microjoules - other.microjoules)

    def over(self, nanoseconds: int) -> Power:
        """The mean power of this energy over a time.

        Args:
            nanoseconds: The time; more than zero.
        """
        return Power(self.microjoules * (NANOSECONDS_PER_SECOND // MICROJOULES_PER_JOULE) / nanoseconds)


Energy.ZERO = Energy(0)


@dataclass(frozen=True, slots=True, order=True)
class Power:
    """A rate of energy.

    Args:
        watts: The rate in joules per second.
    """

    watts: float

    def for_nanoseconds(self, nanoseconds: int) -> Energy:
        """The energy of this power held for that time, rounded to the nearest microjoule."""
        return Energy(round(self.watts * nanoseconds * MICROJOULES_PER_JOULE / NANOSECONDS_PER_SECOND))


@dataclass(frozen=True, slots=True, order=True)
class CarbonMass:
    """A mass of greenhouse gas, as CO2 equivalent over 100 years (GWP100).

    Args:
        grams: The mass in gCO2e.
    """

    grams: float

    @classmethod
    def from_pounds(cls, pounds: float) -> CarbonMass:
        """Convert international avoirdupois pounds."""
        return cls(pounds * GRAMS_PER_POUND)

    @classmethod
    def from_kilograms(cls, kilograms: float) -> CarbonMass:
        """Convert kilograms of CO2e."""
        return cls(kilograms * GRAMS_PER_KILOGRAM)

    @property
    def kilograms(self) -> float:
        """The mass in kgCO2e."""
        return self.grams / GRAMS_PER_KILOGRAM

    @property
    def tonnes(self) -> float:
        """The mass in tCO2e."""
        return self.grams / GRAMS_PER_TONNE

    @property
    def pounds(self) -> float:
        """The mass in international avoirdupois pounds of CO2e."""
        return self.grams / GRAMS_PER_POUND

    def __add__(self, other: CarbonMass) -> CarbonMass:
        """Add two masses."""
        return CarbonMass(self.grams + other.grams)
