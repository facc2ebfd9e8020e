"""The providers of live carbon intensities: what each is asked, and how its answers are read. Without a network.

Tokens stand in the environment alone. They go into the headers of a request, and never into a URL, an error or a log.

References:
    Electricity Maps, API v3, ``/carbon-intensity/history``: the last 24 hours, flow-traced, life-cycle by default
    (https://portal.electricitymaps.com/docs).
    Carbon Intensity API, ``/intensity/{from}/{to}`` (https://carbon-intensity.github.io/api-definitions): half-hours of
    Great Britain, the forecast where the actual value is not out yet.
    WattTime, API v3, ``/login`` and ``/historical`` (https://docs.watttime.org): marginal, lb/MWh, five minutes.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from lightning_carbon.carbon.intensity import AVERAGE, MARGINAL, MAX_GRAMS
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.live.plans import ELECTRICITY_MAPS, UK, WATTTIME, LivePlan
from lightning_carbon.grid.stamps import ZoneMeaning, moment_of
from lightning_carbon.units import GRAMS_PER_POUND, KILO, SECONDS_PER_HOUR
from lightning_carbon.values import dataclass

Json = Any
Points = list[tuple[float, float]]
Ask = Callable[[str, Mapping[str, str], Mapping[str, str]], Json]
"""Gets JSON from a URL, with parameters and headers."""


class Question(NamedTuple):
    """What a provider is asked.

    Args:
        url: The beginning of its URLs.
        secrets: The values of its variables.
        zone: The zone.
        start: The first moment, in seconds since 1970.
        end: The last moment.
    """

    url: str
    secrets: list[str]
    zone: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of live carbon intensities.

    Args:
        name: Its name for people.
        url: The beginning of its URLs.
        variables: The environment variables with its secrets.
        basis: The emissions that it counts.
        signal: ``"average"`` or ``"marginal"``.
        zones: The form of its zones, for errors; empty where it needs none.
        fetch: Gets the points that answer a question.
    """

    name: str
    url: str
    variables: tuple[str, ...]
    basis: str
    signal: str
    zones: str
    fetch: Callable[[Question, Ask], Points]

    def secrets(self, environ: Mapping[str, str] = os.environ) -> list[str]:
        """The values of its variables.

        Raises:
            LookupError: One is not set.
        """
        return [environ[name] for name in self.variables]


def check_plan(plan: LivePlan, given: object, environ: Mapping[str, str] = os.environ) -> None:
    """Refuse a provider that cannot be asked, before a training waits for it.

    Raises:
        ConfigError: It has no such zone, its secrets are not in the environment, or the library is missing.
    """
    from importlib.util import find_spec

    provider = PROVIDERS[plan.provider]
    missing = [name for name in provider.variables if not environ.get(name)]
    if missing:
        fix = f"{provider.name} needs {' and '.join(missing)} in the environment; set it, or give a region alone."
        raise ConfigError("intensity", given, fix)
    if find_spec("httpx") is None:
        fix = f"{provider.name} is asked by httpx, which is missing: pip install 'lightning-carbon[live]'."
        raise ConfigError("intensity", given, fix)
    if bool(plan.zone) is not bool(provider.zones) or not all(
        letter.isalnum() or letter in "-_" for letter in plan.zone
    ):
        said = f"{plan.zone!r} is no zone of {provider.name}" if plan.zone else f"{provider.name} has many zones"
        fix = f"{said}; give {provider.zones or 'the name alone'}."
        raise ConfigError("intensity", given, fix)


def _electricity_maps(question: Question, ask: Ask) -> Points:
    [token] = question.secrets  # the answer has the last 24 hours, whatever is asked
    found = ask(f"{question.url}/v3/carbon-intensity/history", {"zone": question.zone}, {"auth-token": token})
    return _points(found["history"], lambda row: (row["datetime"], row["carbonIntensity"]))


def _great_britain(question: Question, ask: Ask) -> Points:
    start, end = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%MZ}" for at in (question.start, question.end))
    found = ask(f"{question.url}/intensity/{start}/{end}", {}, {})

    def pair(row: Json) -> tuple[str, Json]:
        intensity = row["intensity"]
        actual = intensity.get("actual")
        return row["from"], intensity["forecast"] if actual is None else actual

    return _points(found["data"], pair)


def _watttime(question: Question, ask: Ask) -> Points:
    user, password = question.secrets
    basic = b64encode(f"{user}:{password}".encode()).decode()
    token = ask(f"{question.url}/login", {}, {"Authorization": f"Basic {basic}"})["token"]
    start, end = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M+00:00}" for at in (question.start, question.end))
    wanted = {"region": question.zone, "start": start, "end": end, "signal_type": "co2_moer"}
    found = ask(f"{question.url}/v3/historical", wanted, {"Authorization": f"Bearer {token}"})
    if found["meta"]["units"] != "lbs_co2_per_mwh":
        raise ValueError
    pounds = GRAMS_PER_POUND / KILO
    return [(at, value * pounds) for at, value in _points(found["data"], lambda row: (row["point_time"], row["value"]))]


def _points(rows: Iterable[Json], pair: Callable[[Json], tuple[str, Json]]) -> Points:
    """The points of an answer; rows without a value are left out.

    Raises:
        ValueError: A moment or a value cannot be right; other errors of types and keys pass.
    """
    points = {}
    for row in rows:
        text, value = pair(row)
        if value is None:
            continue
        at = moment_of(text, ZoneMeaning.UTC)
        if at is None or isinstance(value, bool) or not 0 <= float(value) <= MAX_GRAMS:
            raise ValueError
        points[at] = float(value)
    return sorted(points.items())


PROVIDERS: Final[Mapping[str, Provider]] = {
    ELECTRICITY_MAPS: Provider(
        "Electricity Maps",
        "https://api.electricitymaps.com",
        ("ELECTRICITYMAPS_TOKEN",),
        "life-cycle, consumption",
        AVERAGE,
        "a zone such as electricitymaps:DE or electricitymaps:US-CAL-CISO",
        _electricity_maps,
    ),
    UK: Provider(
        *("Carbon Intensity API, NESO", "https://api.carbonintensity.org.uk", ()),
        "direct, consumption",
        AVERAGE,
        "",
        _great_britain,
    ),
    WATTTIME: Provider(
        "WattTime",
        "https://api.watttime.org",
        ("WATTTIME_USER", "WATTTIME_PASSWORD"),
        "direct, marginal",
        MARGINAL,
        "a region such as watttime:CAISO_NORTH",
        _watttime,
    ),
}
"""The providers, by the name that a user gives."""
LOOK_BACK_SECONDS: Final = float(SECONDS_PER_HOUR)
"""How far before its start a run asks: the value of an hour is stamped with its beginning."""
