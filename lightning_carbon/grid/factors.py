"""The carbon intensity of electricity by place and year, from the packaged tables, with a range across methods.

The value is of one publisher, chosen in this order: the factor that a cloud publishes for its region; Ember's of a
country (life-cycle, generation); an official factor of a part of a country (direct); that of Electricity Maps of any
other zone (life-cycle, consumption). All are location-based averages (GHG Protocol Scope 2 Guidance, 2015):
certificates and contracts are not in them.

A run is priced with the year that it ran in, or the nearest that is published, which the factor names. The range spans
what may be meant by "the factor of this place": that year's mean, or the last three where the year is not out yet; the
same of every other publisher of the place; and :data:`FLOOR_RATIO` to either side of the value, because how two
publishers count differs for most countries by more than a year does. It is not the spread over the hours of a year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lightning_carbon.carbon.intensity import Intensity
from lightning_carbon.grid.tables import YearlyFactors, clouds, countries, newest_of_countries, parts, world, zones
from lightning_carbon.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FLOOR_RATIO: Final = 0.12
"""The least half width of a range, as a share of the value.

For the 197 countries that Ember and Electricity Maps both have, the median difference between their means of 2025 (or
the nearest year) is 12 % of Ember's. Where a single publisher is known, or two agree, a third may still be as far off.
"""

# The grid zone of Electricity Maps that a part of the United States lies in as a whole.
_ZONE_OF: Final[Mapping[str, str]] = {
    "EGRID-CAMX": "US-CAL-CISO",
    "US-CA": "US-CAL-CISO",
    "US-CT": "US-NE-ISNE",
    "US-MA": "US-NE-ISNE",
    "US-ME": "US-NE-ISNE",
    "US-NH": "US-NE-ISNE",
    "US-NY": "US-NY-NYIS",
    "US-RI": "US-NE-ISNE",
    "US-TX": "US-TEX-ERCO",
    "US-VT": "US-NE-ISNE",
}
_UNKNOWN_PLACE: Final = (0.05, 0.95)
_DECIMALS: Final = 2  # those of the tables
_GOOGLE: Final = ("direct, consumption", "Google, region-carbon-info", "Apache-2.0")


@dataclass(frozen=True, slots=True)
class Factor:
    """The newest factor of a country.

    Args:
        iso2: ISO 3166-1 alpha-2 code, or ``"WORLD"``.
        iso3: ISO 3166-1 alpha-3 code, or ``"WORLD"``.
        name: The English name.
        year: The year that the value describes.
        grams_per_kilowatt_hour: The yearly mean, in gCO2e/kWh.
        low: The lower end of its range, in gCO2e/kWh.
        high: The upper end of its range, in gCO2e/kWh.
        basis: The emissions counted.
        source: Its publisher.
    """

    iso2: str
    iso3: str
    name: str
    year: int
    grams_per_kilowatt_hour: float
    low: float
    high: float
    basis: str
    source: str


def regions() -> tuple[Factor, ...]:
    """List the countries: the world first, then the others by alpha-2 code."""
    return tuple(_factor(country) for country in countries().values())


def intensity_of(region: str | Mapping[str, float] | None, year: int | None = None) -> Intensity:
    """Look up the carbon intensity of a place.

    Args:
        region: A text that :func:`~lightning_carbon.grid.places.place_of` understands, ``"WORLD"``, or a mix: the
            share of each source, as a mapping or a text (``"coal=0.3,wind=0.7"``), or the name of a preset. ``None``
            where the place of the run is not known.
        year: The year of the run; the newest published for ``None``.

    Returns:
        The yearly factor of that place. For ``None``, the world's average, marked as assumed, with the range in
        which nine of ten countries lie (5th to 95th percentile, each country counted once), since the run may have been
        in any of them.

    Raises:
        UnknownRegion: The tables have no such place; the message lists near matches.
        ConfigError: A mix that cannot be used.
    """
    if region is None:
        low, high = _range_over_countries()
        everywhere = world()
        priced = everywhere.nearest(year)
        span = "nine of ten countries"
        return _intensity(everywhere, priced, (low, high), span=span, typed=None, assumed=True)
    mixed = _mixed(region)
    if mixed is not None:
        return mixed
    from lightning_carbon.grid.places import place_of

    typed = str(region).strip()
    own, *others = _publishers(place_of(typed))
    priced = own.nearest(year)
    low, high, span = _span(own, others, year)
    return _intensity(own, priced, (low, high), span=span, typed=typed)


def published(region: str) -> tuple[YearlyFactors, ...]:
    """Every publisher's years of a place, the publisher of the value first; none for a mix.

    Raises:
        UnknownRegion: The tables have no such place.
    """
    if _mixed(region) is not None:
        return ()
    from lightning_carbon.grid.places import place_of

    return tuple(_publishers(place_of(region)))


def _mixed(region: str | Mapping[str, float]) -> Intensity | None:
    """The factor of a mix; ``None`` where a place is meant."""
    is_text = isinstance(region, str)
    if is_text and not any(sign in region for sign in "={:"):
        return None
    from lightning_carbon.grid.by_source import mix_of, parse_mix, preset

    if not isinstance(region, str):
        return mix_of(region)
    shares = parse_mix(region)
    return preset(region.strip().lower()) if shares is None else mix_of(shares, given=region)


def _publishers(place: str) -> list[YearlyFactors]:
    """Everything that is published of a place, the value's publisher first."""
    return list(_published(place))


def _published(place: str) -> Iterator[YearlyFactors]:
    region = clouds().get(place)
    if region is not None:
        inside = list(_published(region.place))
        if region.grams is not None and region.year is not None:
            name = f"{region.location} ({region.code})"
            yield YearlyFactors(region.place, inside[0].iso3, name, {region.year: region.grams}, *_GOOGLE)
        yield from inside
        return
    for table, code in ((countries(), place), (parts(), place), (zones(), _ZONE_OF.get(place, place))):
        if code in table:
            yield table[code]


def _span(own: YearlyFactors, others: Sequence[YearlyFactors], year: int | None) -> tuple[float, float, str]:
    """The range of a factor, and what it spans in words."""
    value = own.grams[own.nearest(year)]
    every = [figure for publisher in (own, *others) for figure in publisher.around(year)]
    floor = (value * (1 - FLOOR_RATIO), value * (1 + FLOOR_RATIO))
    names = " and ".join(
        f"{publisher.source.partition(' via ')[0]} ({publisher.basis})" for publisher in (own, *others)
    )
    spanned = own.years_around(year)
    years = f"{spanned[0]}" if len(spanned) == 1 else f"{spanned[0]} to {spanned[-1]}"
    ends = round(min(*every, floor[0]), _DECIMALS), round(max(*every, floor[1]), _DECIMALS)
    return *ends, f"{names}, {years}; at least {FLOOR_RATIO:.0%} to either side"


def _intensity(
    own: YearlyFactors,
    year: int,
    ends: tuple[float, float],
    *,
    span: str,
    typed: str | None,
    assumed: bool = False,
) -> Intensity:
    value = own.grams[year]
    return Intensity(
        value=value,
        low=ends[0],
        high=ends[1],
        source=own.source,
        year=year,
        basis=own.basis,
        region=own.iso3,
        assumed=assumed,
        typed=typed,
        licence=own.licence,
        direct=value if own.basis.startswith("direct") else None,
        span=span,
    )


def _factor(country: YearlyFactors) -> Factor:
    year = country.nearest(None)
    low, high, _ = _span(*_own_and_others(country), None)
    value = country.grams[year]
    return Factor(country.code, country.iso3, country.name, year, value, low, high, country.basis, country.source)


def _own_and_others(country: YearlyFactors) -> tuple[YearlyFactors, list[YearlyFactors]]:
    own, *others = _publishers(country.code)
    return own, others


def _range_over_countries() -> tuple[float, float]:
    low, high = (_quantile(newest_of_countries(), share) for share in _UNKNOWN_PLACE)
    return low, high


def _quantile(ordered: Sequence[float], share: float) -> float:
    # statistics.quantiles does this too, and takes 10 ms to import.
    below, rest = divmod(share * (len(ordered) - 1), 1)
    index = int(below)
    step = ordered[min(index + 1, len(ordered) - 1)] - ordered[index]
    return ordered[index] + rest * step
