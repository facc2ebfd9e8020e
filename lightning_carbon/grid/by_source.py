"""Electricity by its sources: a mix of the user's, or one of the six of the study of 2019.

Each source has the emissions over its life in the literature, as the IPCC collected them: the median is its value, the
least and the greatest are its range. The part that leaves a stack (Scope 2) is the median of the direct emissions, and
the rest is upstream (Scope 3, category 3); the IPCC gives no direct emissions of biomass, so a mix with biomass is not
split.

References:
    Schlömer et al., *Annex III: Technology-specific cost and performance parameters*, in IPCC AR5 WG III (2014), table
    A.III.2, gCO2eq/kWh: coal is pulverised coal, gas is the combined cycle, biomass is dedicated, solar is photovoltaic
    of utility scale, wind is onshore. It has no oil. The ends of geothermal and offshore wind could not be looked up
    in a source that can be cited, and are left out: such a share has no range, and the factor says so.
    Strubell, Ganesh, McCallum (2019), table 2: the shares of renewable, gas, coal and nuclear of six mixes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from lightning_carbon.carbon.intensity import Intensity
from lightning_carbon.errors import ConfigError
from lightning_carbon.values import dataclass

PREFIX: Final = "mix:"
"""The beginning of the name of a preset."""

_SOURCE: Final = "IPCC AR5 WG III (2014), Annex III, table A.III.2"
_STUDY: Final = "Strubell et al. (2019), table 2"
_PERCENT: Final = 100
_OFF: Final = 0.005  # what rounding to whole percents leaves of two or three shares
_FIX: Final = 'give the share of each source, 1 in all, such as {"coal": 0.3, "wind": 0.7}'


@dataclass(frozen=True, slots=True)
class Emissions:
    """The emissions of a source of electricity over its life, in gCO2e/kWh.

    Args:
        median: The median of the literature.
        low: The least; ``None`` where it could not be looked up.
        high: The greatest; ``None`` where it could not be looked up.
        direct: The median of what leaves the stack; ``None`` where there is none.
    """

    median: float
    low: float | None
    high: float | None
    direct: float | None


_TECHNOLOGIES: Final = {
    "coal": Emissions(820, 740, 910, 760),
    "gas": Emissions(490, 410, 650, 370),
    "biomass": Emissions(230, 130, 420, None),
    "solar": Emissions(48, 18, 180, 0),
    "geothermal": Emissions(38, None, None, 0),
    "hydro": Emissions(24, 1.0, 2200, 0),
    "nuclear": Emissions(12, 3.7, 110, 0),
    "wind": Emissions(11, 7.0, 56, 0),
    "offshore wind": Emissions(12, None, None, 0),
}
_RENEWABLE: Final = [
    _TECHNOLOGIES[name].median for name in ("biomass", "solar", "geothermal", "hydro", "wind", "offshore wind")
]
SOURCES: Final[Mapping[str, Emissions]] = _TECHNOLOGIES | {
    # Not divided by the study: the middle of the medians, in the range from the least of them to the greatest.
    "renewable": Emissions(sum(sorted(_RENEWABLE)[2:4]) / 2, min(_RENEWABLE), max(_RENEWABLE), None),
}
"""Every source that a mix may name."""

STUDY_COLUMNS: Final = ("renewable", "gas", "coal", "nuclear")
"""The sources that the study divides electricity into."""
STUDY_PERCENTS: Final[Mapping[str, Mapping[str, int]]] = {
    name: dict(zip(STUDY_COLUMNS, percents, strict=True))
    for name, percents in {
        "china-2019": (22, 3, 65, 4),
        "germany-2019": (40, 7, 38, 13),
        "united-states-2019": (17, 35, 27, 19),
        "aws-2019": (17, 24, 30, 26),
        "google-2019": (56, 14, 15, 10),
        "microsoft-2019": (32, 23, 31, 10),
    }.items()
}
"""The shares that the study prints, in percent, by the name of the preset without its prefix."""
PRESETS: Final = tuple(PREFIX + name for name in STUDY_PERCENTS)
"""The names of the study's six mixes."""


def preset(name: str) -> Intensity | None:
    """One of the study's mixes; ``None`` where it has none of that name.

    Its shares do not add up to 1 as printed. What they leave open has the mean of the rest, in the range from the least
    to the greatest source.

    Args:
        name: Such as ``"mix:google-2019"``.
    """
    percents = STUDY_PERCENTS.get(name.removeprefix(PREFIX))
    if percents is None:
        return None
    shares = {source: percent / _PERCENT for source, percent in percents.items()}
    stated = sum(shares.values())
    value, low, high = (end / stated for end in _ends(shares))
    open_share = 1 - stated
    return Intensity(
        value=value,
        low=low * stated + open_share * min(_RENEWABLE),
        high=high * stated + open_share * SOURCES["coal"].median,
        source=f"{_SOURCE}; shares: {_STUDY}",
        year=None,
        basis="life-cycle, mix by source",
        region="mix",
        assumed=False,
        typed=name,
        licence="quoted as facts",
        span=f"least to greatest of the literature; {open_share:.0%} of the mix is not stated",
    )


def mix_of(shares: Mapping[str, float], *, given: object = None) -> Intensity:
    """The factor of a mix by source.

    Args:
        shares: The share of each source, 1 in all.
        given: The mix as the user gave it, for errors.

    Raises:
        ConfigError: A source has no emissions here, a share is none, or they do not add up to 1.
    """
    given = shares if given is None else given
    for name, share in shares.items():
        if name not in SOURCES:
            raise ConfigError("region", given, f"{_hint(name)}Sources are {', '.join(SOURCES)}.")
        if not _is_share(share):
            raise ConfigError("region", given, f"the share of {name} is {share!r}; {_FIX}.")
    whole = sum(shares.values())
    if abs(whole / _PERCENT - 1) < _OFF:
        likely = {name: round(share / _PERCENT, 6) for name, share in shares.items()}
        raise ConfigError("region", given, f"the shares add up to {whole:g}; if they are percents, give {likely}.")
    if abs(whole - 1) > _OFF:
        raise ConfigError("region", given, f"the shares add up to {whole:g} instead of 1; {_FIX}.")
    shares = {name: share / whole for name, share in shares.items() if share}
    value, low, high = _ends(shares)
    directs = [share * at_stack for name, share in shares.items() if (at_stack := SOURCES[name].direct) is not None]
    direct = sum(directs) if len(directs) == len(shares) else None
    rangeless = [name for name in shares if SOURCES[name].low is None]
    return Intensity(
        value=value,
        low=low,
        high=high,
        source=_SOURCE,
        year=None,
        basis="life-cycle, mix by source",
        region="mix",
        assumed=False,
        typed=", ".join(f"{name} {share:.4g}" for name, share in shares.items()),
        licence="quoted as facts",
        direct=direct,
        upstream=None if direct is None else value - direct,
        span="least to greatest of the literature" + (f", without {' and '.join(rangeless)}" if rangeless else ""),
    )


def parse_mix(text: str) -> dict[str, float] | None:
    """Read a mix from a text: ``coal=0.3,wind=0.7``, or as Python or JSON write it; ``None`` where it is none.

    Raises:
        ConfigError: It looks like a mix, but a share is no number.
    """
    bare = text.strip().removeprefix("{").removesuffix("}")
    pairs = [part.replace(":", "=").partition("=") for part in bare.split(",")]
    if not all(sign for _, sign, _ in pairs) or ("=" not in text and "{" not in text):
        return None
    try:
        return {name.strip(" '\"").lower(): float(share) for name, _, share in pairs}
    except ValueError:
        raise ConfigError("region", text, f"{_FIX}.") from None


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _ends(shares: Mapping[str, float]) -> tuple[float, float, float]:
    """The value, the low and the high of the shares given, however much they add up to."""
    facts = [(share, SOURCES[name]) for name, share in shares.items()]
    return (
        sum(share * source.median for share, source in facts),
        sum(share * (source.median if source.low is None else source.low) for share, source in facts),
        sum(share * (source.median if source.high is None else source.high) for share, source in facts),
    )


def _hint(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(str(name), SOURCES, 1)
    return f"did you mean {near[0]}? " if near else f"there are no emissions of {name!r}. "
