"""The place that a text names: a code, a name, a part of a country, or a region of a cloud.

A text is found or refused: no place is ever guessed. What resembles a place becomes a hint in the error.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from lightning_carbon.errors import UnknownRegion
from lightning_carbon.grid.by_source import PRESETS
from lightning_carbon.grid.tables import WORLD, clouds, countries, parts, zones

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lightning_carbon.grid.tables import YearlyFactors

# Names of a whole country that the tables do not have, as people type them.
_ALIASES: Final[Mapping[str, str]] = {
    "AMERICA": "US",
    "BOLIVIA, PLURINATIONAL STATE OF": "BO",
    "BRITAIN": "GB",
    "BURMA": "MM",
    "CABO VERDE": "CV",
    "CZECH REPUBLIC": "CZ",
    "CÔTE D'IVOIRE": "CI",
    "DRC": "CD",
    "EL": "GR",  # Greece, in the European Union's own code
    "GLOBAL": WORLD,
    "GREAT BRITAIN": "GB",
    "HOLLAND": "NL",
    "IRAN, ISLAMIC REPUBLIC OF": "IR",
    "IVORY COAST": "CI",
    "KOREA, REPUBLIC OF": "KR",
    "LAO": "LA",
    "MACEDONIA": "MK",
    "PRC": "CN",
    "REPUBLIC OF IRELAND": "IE",
    "REPUBLIC OF KOREA": "KR",
    "RUSSIAN FEDERATION": "RU",
    "SWAZILAND": "SZ",
    "SYRIAN ARAB REPUBLIC": "SY",
    "TAIWAN, PROVINCE OF CHINA": "TW",
    "TANZANIA, UNITED REPUBLIC OF": "TZ",
    "THE NETHERLANDS": "NL",
    "THE UNITED KINGDOM": "GB",
    "THE UNITED STATES": "US",
    "TURKIYE": "TR",
    "TÜRKIYE": "TR",
    "U.K.": "GB",
    "U.S.": "US",
    "U.S.A.": "US",
    "UAE": "AE",
    "UK": "GB",
    "UNITED STATES OF AMERICA": "US",
    "VIET NAM": "VN",
}
# What is a part of a country, or may be two: a hint in an error, never a place.
_HINTS: Final[Mapping[str, str]] = {"ENGLAND": "GB", "KOREA": "KR", "SCOTLAND": "GB", "WALES": "GB"}
_SUBDIVISION: Final = r"([A-Z]{2,3})[-_ ]?(?:[-_].+|\d+)$"  # US-ZZ, SE9
_CLOUD_REGION: Final = r"[a-z]+-[a-z]+-?\d+"
_LONGEST_CODE: Final = 3
_MOST_HINTS: Final = 3
_CLOSE: Final = 0.65
_VERY_CLOSE: Final = 0.8
_EGRID: Final = "EGRID-"


def place_of(typed: str) -> str:
    """The code of the place that a text names, or the name of a region of a cloud (``"aws:eu-north-1"``).

    Args:
        typed: An ISO 3166 code, an English name or a common alias, the code or name of a part of a country, or a region
            of a cloud after the name of its provider; in either case.

    Raises:
        UnknownRegion: It names no place, or several; the message lists near matches.
    """
    text = " ".join(typed.split())
    cloud = text.lower().replace("google:", "gcp:").replace("amazon:", "aws:")
    if cloud in clouds():
        return cloud
    code = _by_text().get(text.upper())
    if code is None:
        raise UnknownRegion(typed, _near(text))
    return code


@cache
def _by_text() -> Mapping[str, str]:
    """Every text that names one place, in capitals: codes first, then aliases, then names that only one place has."""
    named: dict[str, set[str]] = {}
    inside = {code: zone for code, zone in zones().items() if "-" in code}
    for code, place in (dict(countries()) | dict(parts()) | inside).items():
        named.setdefault(place.name.upper(), set()).add(code)
    found = {name: next(iter(codes)) for name, codes in named.items() if len(codes) == 1 and name not in _HINTS}
    found |= _ALIASES
    found |= {code.removeprefix(_EGRID): code for code in parts() if code.startswith(_EGRID)}
    for code in (*zones(), *parts()):
        found[code] = code
        zone = re.fullmatch(r"(?:SE|NO|DK)-([A-Z]{2}\d)", code)
        if zone:
            found |= {zone[1]: code, f"{zone[1][:2]}-{zone[1][2:]}": code}
    for code, country in countries().items():
        found |= {code: code, country.iso3: code}
    return found


def _near(text: str) -> list[str]:
    """The codes that may be meant, best guess first, as ``"SE (Sweden)"``."""
    return list(dict.fromkeys(_guesses(text)))[:_MOST_HINTS]


def _guesses(text: str) -> list[str]:
    from difflib import get_close_matches

    in_clouds = _guessed_clouds(text.lower())
    if in_clouds or ":" in text:
        return in_clouds
    typed = text.upper()
    several = [code for code, place in _everywhere().items() if place.name.upper() == typed]
    if len(several) > 1:
        return [_hint(code) for code in several]
    part = re.match(_SUBDIVISION, typed)
    code = _HINTS.get(typed) or (part[1] if part else "")
    if f"US-{typed}" in parts():
        return [_hint(f"US-{typed}")]
    if code in countries():
        return [*map(_hint, get_close_matches(typed, _parts_of(code), 1, _VERY_CLOSE)), _hint(code)]
    return [_hint(code) for code in _guessed_countries(typed)]


def _guessed_clouds(text: str) -> list[str]:
    """The regions of clouds, and the presets of mixes, that a text resembles."""
    from difflib import get_close_matches

    listed, bare = clouds().values(), (text.partition(":")[2] or text).replace(" ", "")
    same = [region for region in listed if region.region == bare]
    if ":" in text and not same:
        return get_close_matches(text, [*clouds(), *PRESETS], _MOST_HINTS, _CLOSE)
    if not same and re.fullmatch(_CLOUD_REGION, text):
        near = get_close_matches(text, [region.region for region in listed], _MOST_HINTS, _VERY_CLOSE)
        same = [region for region in listed if region.region in near]
    return [f"{region.code} ({region.location})" for region in same]


def _guessed_countries(typed: str) -> list[str]:
    """The codes of places whose codes or names resemble a text in capitals."""
    from difflib import get_close_matches

    names = {place.name.upper(): code for code, place in _everywhere().items()} | dict(_ALIASES)
    named = [code for name, code in names.items() if typed and name.startswith(typed)]
    if len(typed) < _LONGEST_CODE or (named and len(typed) == _LONGEST_CODE):
        return [code for code in named if code in countries()]  # every code of two letters resembles ten others
    if len(typed) == _LONGEST_CODE:
        codes = {iso3: code for code, country in countries().items() for iso3 in (code, country.iso3)}
        return [codes[match] for match in get_close_matches(typed, codes, cutoff=_CLOSE)]
    named += [code for name, code in names.items() if typed in name]
    return named + [names[match] for match in get_close_matches(typed, names, cutoff=_CLOSE)]


def _parts_of(country: str) -> list[str]:
    return [code for code in (*parts(), *zones()) if code.startswith(f"{country}-")]


def _hint(code: str) -> str:
    return code if code == WORLD else f"{code} ({_everywhere()[code].name})"


def _everywhere() -> dict[str, YearlyFactors]:
    """Every place, a country before its zone of the same code."""
    return dict(zones()) | dict(parts()) | dict(countries())
