"""What of a service processor's chassis is the whole machine, and the power that each shows. Pure functions of answers.

A service processor lists a machine, the parts in it (a GPU on its baseboard is a chassis, too) and what has it inside.
Counted is the outermost that shows power, once: never a part beside the whole, and no resource by two of its names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.units import JOULES_PER_KILOWATT_HOUR
from lightning_carbon.values import dataclass

Json = Mapping[str, Any]
Get = Callable[[str], Json | None]
"""Gets a resource by its path; ``None`` where there is none."""

CHASSIS: Final = "/redfish/v1/Chassis"
_MOST_CHASSIS: Final = 128
_MOST_WATTS: Final = 200_000.0
_PARTS: Final = frozenset(
    {
        *("Card", "Cartridge", "Component", "Drawer", "Expansion", "HeatExchanger", "IPBasedDrive", "ImmersionTank"),
        *("Module", "Pod", "PowerStrip", "Rack", "RackGroup", "Row", "Shelf", "Sidecar", "StorageEnclosure", "Zone"),
    }
)
"""Types of chassis that are a part of a machine, or have several inside (DSP0268, Chassis, ``ChassisType``)."""
_SLOTS: Final = frozenset({"Blade", "Sled"})
"""Machines in an enclosure that they share."""
_OF_A_PART: Final = re.compile(
    r"\b(cpu|processor|memory|dimm|gpu|accelerator|fan|disk|storage|drive|pcie|sub-?system)\b", re.IGNORECASE
)
"""The name of a power control that is not the whole machine's, such as Lenovo's ``CPU Sub-system Power``."""
_WHOLE_CONTEXTS: Final = frozenset(
    {"", "Chassis", "Intake", "PowerSupply", "PowerSubsystem", "ComputeBay", "SystemBoard"}
)


@dataclass(frozen=True, slots=True)
class PowerResource:
    """A resource that shows the power of a chassis.

    Args:
        path: Its path.
        is_metrics: Whether it is an ``EnvironmentMetrics``, else a ``Power``.
    """

    path: str
    is_metrics: bool


@dataclass(frozen=True, slots=True)
class PowerShown:
    """What a resource shows of a chassis.

    Args:
        watts: Its power; ``None`` where it shows none.
        joules: Its energy so far; ``None`` where it shows none.
        origin: What the power is read from, where that is told: two resources with the same show the same.
    """

    watts: float | None
    joules: float | None
    origin: str


def find_meters(get: Get, chosen: Sequence[str] = ()) -> list[PowerResource]:
    """The resources that together show the power of the machine.

    Args:
        get: Gets a resource.
        chosen: The chassis that are the machine; none: all that are not a part of another.

    Raises:
        ReadFailed: An answer cannot be used.
        SourceLost: No chassis shows power, or nothing tells which of several machines this is.
    """
    if chosen:
        known = {path: get(path) for path in (f"{CHASSIS}/{name}" for name in chosen)}
        missing = [path.rpartition("/")[2] for path, chassis in known.items() if chassis is None]
        if missing:
            raise SourceLost(f"it has no chassis {', '.join(missing)}")
    else:
        known = _members(get)
    chassis = {path: found for path, found in known.items() if found is not None}
    whole = {path: found for path, found in chassis.items() if chosen or found.get("ChassisType") not in _PARTS}
    metered: dict[str, tuple[PowerResource, PowerShown]] = {}
    for path, found in whole.items():
        seen = _meter_of(get, found)
        if seen is not None:
            metered[path] = seen
    slots = [path for path in metered if whole[path].get("ChassisType") in _SLOTS]
    if len(slots) > 1 and not chosen:
        names = ", ".join(sorted(path.rpartition("/")[2] for path in slots)[:8])
        raise SourceLost(
            f"it has several machines ({names}); end the address with /redfish/v1/Chassis/NAME of this one"
        )
    outermost = [path for path in metered if not _is_inside(path, chassis, metered)]
    by_origin = {_key(metered[path][1].origin or metered[path][0].path): metered[path][0] for path in outermost}
    if not by_origin:
        raise ReadFailed(f"none of its {len(chassis)} chassis shows the power of a machine")
    return list(by_origin.values())


def shown_by(meter: PowerResource, get: Get) -> PowerShown:
    """What a resource shows now.

    Raises:
        ReadFailed: The answer cannot be used, or shows neither power nor energy.
    """
    resource = get(meter.path)
    shown = None if resource is None else _metrics(resource) if meter.is_metrics else _power(resource)
    if shown is None:
        raise ReadFailed("it shows no power now")
    return shown


def _members(get: Get) -> dict[str, Json | None]:
    collection = get(CHASSIS)
    members = None if collection is None else collection.get("Members")
    if not isinstance(members, list):
        raise ReadFailed("it lists no chassis")
    paths = dict.fromkeys(filter(None, map(_link, members[:_MOST_CHASSIS])))
    return {_key(path): get(path) for path in paths}


def _meter_of(get: Get, chassis: Json) -> tuple[PowerResource, PowerShown] | None:
    for name, is_metrics in (("EnvironmentMetrics", True), ("Power", False)):
        path = _link(chassis.get(name))
        resource = get(path) if path else None
        if resource is None:
            continue
        shown = _metrics(resource) if is_metrics else _power(resource)
        if shown is not None:
            return PowerResource(path, is_metrics), shown
    return None


def _metrics(resource: Json) -> PowerShown | None:
    power, energy = resource.get("PowerWatts"), resource.get("EnergykWh")
    watts = _number(power.get("Reading")) if isinstance(power, dict) else None
    kilowatt_hours = _number(energy.get("Reading")) if isinstance(energy, dict) else None
    if not watts and kilowatt_hours is None:
        return None
    origin = power.get("DataSourceUri") if isinstance(power, dict) else None
    joules = None if kilowatt_hours is None else kilowatt_hours * JOULES_PER_KILOWATT_HOUR
    return PowerShown(_watts(watts) if watts else None, joules, origin if isinstance(origin, str) else "")


def _power(resource: Json) -> PowerShown | None:
    controls = resource.get("PowerControl")
    if not isinstance(controls, list):
        return None
    for control in controls:
        if not isinstance(control, dict) or _OF_A_PART.search(str(control.get("Name", ""))):
            continue
        if str(control.get("PhysicalContext") or "") not in _WHOLE_CONTEXTS:
            continue
        watts = _number(control.get("PowerConsumedWatts"))
        if watts:  # a machine that answers draws power; firmware shows 0 where it does not know
            return PowerShown(_watts(watts), None, _link(control))
    return None


def _is_inside(path: str, chassis: Mapping[str, Json], metered: Mapping[str, object]) -> bool:
    """Whether a chassis is inside another that shows its power, at any depth."""
    seen = {path}
    while True:
        container = _container(path, chassis)
        if not container or container in seen:
            return False
        if container in metered:
            return True
        seen.add(container)
        path = container


def _container(path: str, chassis: Mapping[str, Json]) -> str:
    links = chassis[path].get("Links") if path in chassis else None
    above = _link(links.get("ContainedBy")) if isinstance(links, dict) else ""
    if above:
        return _key(above)
    for outer, found in chassis.items():
        links = found.get("Links")
        inside = links.get("Contains") if isinstance(links, dict) else None
        if isinstance(inside, list) and path in map(_key, map(_link, inside)):
            return outer
    return ""


def _link(reference: object) -> str:
    """The path of a reference within this service; empty where it is none, or leads elsewhere."""
    path = reference.get("@odata.id") if isinstance(reference, dict) else None
    if not isinstance(path, str) or not path.startswith("/redfish/") or "/../" in path or not path.isprintable():
        return ""
    return path


def _key(path: str) -> str:
    """A path without the slash at its end, which some firmware writes in some places."""
    return path.rstrip("/")


def _number(value: object) -> float | None:
    """A number, which some firmware writes as a text; ``None`` where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _watts(watts: float) -> float:
    if watts > _MOST_WATTS:
        raise ReadFailed(f"it shows {watts:.4g} W, which no machine draws")
    return watts
