"""The names by which a user asks for a provider of live carbon intensities."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

ELECTRICITY_MAPS, UK, WATTTIME = "electricitymaps", "uk", "watttime"
NAMES: Final = (ELECTRICITY_MAPS, UK, WATTTIME)
_ZONE: Final = r"[A-Za-z]{2}(-[A-Za-z0-9-]+)?"


class LivePlan(NamedTuple):
    """A provider, and the zone that it is asked for.

    Args:
        provider: The name of the provider, one of :data:`NAMES`.
        zone: The zone in the provider's own code; empty where it needs none.
    """

    provider: str
    zone: str


def plan_of(text: str) -> LivePlan | None:
    """The provider and the zone that a text names, such as ``"electricitymaps:DE"``; ``None`` where it names none."""
    name, _, zone = text.strip().partition(":")
    provider = name.strip().lower()
    return LivePlan(provider, zone.strip()) if provider in NAMES else None


def zone_in(region: object) -> str:
    """The zone of Electricity Maps that a region is by its own code, such as ``"DE"``; empty where it is none."""
    return region.strip().upper() if isinstance(region, str) and re.fullmatch(_ZONE, region.strip()) else ""
