"""Answers of service processors, cut down to what concerns power, in the shapes that their makers document.

DMTF: the mockup ``public-rackmount1`` (DSP2043). Dell: iDRAC9 Redfish API guide. HPE: iLO 5 and 6 API reference, where
paths end with a slash. Lenovo: XCC REST API guide, with a control for each sub-system. Supermicro: Redfish user's
guide, with NVIDIA's HGX baseboard, whose GPUs are chassis, too.
"""

from __future__ import annotations

from typing import Any, Final

Answers = dict[str, dict[str, Any]]
ROOT: Final = "/redfish/v1/Chassis"


def collection(*paths: str) -> dict[str, Any]:
    """The list of all chassis."""
    return {"Members": [{"@odata.id": path} for path in paths], "Members@odata.count": len(paths)}


def chassis(path: str, kind: str, *, inside: str = "", **resources: str) -> dict[str, Any]:
    """A chassis, with the resources that it links to."""
    found: dict[str, Any] = {"@odata.id": path, "Id": path.rsplit("/", maxsplit=1)[-1], "ChassisType": kind}
    found |= {name: {"@odata.id": to} for name, to in resources.items()}
    return found | {"Links": {"ContainedBy": {"@odata.id": inside}} if inside else {}}


def power(path: str, *controls: tuple[str, object], context: str | None = None) -> dict[str, Any]:
    """The power of a chassis, by its controls."""
    return {
        "@odata.id": path,
        "PowerControl": [
            {
                "@odata.id": f"{path}#/PowerControl/{place}",
                "MemberId": str(place),
                "Name": name,
                "PowerConsumedWatts": watts,
                **({} if context is None else {"PhysicalContext": context}),
                "PowerMetrics": {"AverageConsumedWatts": 319, "IntervalInMin": 30, "MaxConsumedWatts": 489},
            }
            for place, (name, watts) in enumerate(controls)
        ],
        "PowerSupplies": [{"Name": "Power Supply Bay", "LastPowerOutputWatts": 325}],
    }


def metrics(watts: object, kilowatt_hours: object = None, source: str | None = None) -> dict[str, Any]:
    """The newer EnvironmentMetrics of a chassis."""
    shown: dict[str, Any] = {"PowerWatts": {"Reading": watts}} if watts is not None else {}
    if source is not None:
        shown["PowerWatts"]["DataSourceUri"] = source
    return shown | ({} if kilowatt_hours is None else {"EnergykWh": {"Reading": kilowatt_hours}})


DMTF: Final[Answers] = {
    ROOT: collection(f"{ROOT}/1U"),
    f"{ROOT}/1U": chassis(f"{ROOT}/1U", "RackMount", Power=f"{ROOT}/1U/Power"),
    f"{ROOT}/1U/Power": power(f"{ROOT}/1U/Power", ("System Input Power", 344)),
}
_DELL: Final = f"{ROOT}/System.Embedded.1"
_BACKPLANE: Final = f"{ROOT}/Enclosure.Internal.0-1:NonRAID.Integrated.1-1"
DELL: Final[Answers] = {
    ROOT: collection(_DELL, _BACKPLANE),
    _DELL: chassis(_DELL, "RackMount", Power=f"{_DELL}/Power", EnvironmentMetrics=f"{_DELL}/EnvironmentMetrics"),
    f"{_DELL}/EnvironmentMetrics": {"@odata.id": f"{_DELL}/EnvironmentMetrics", "Name": "Chassis Environment Metrics"},
    f"{_DELL}/Power": power(f"{_DELL}/Power", ("System Power Control", 412), context="Chassis"),
    _BACKPLANE: chassis(_BACKPLANE, "StorageEnclosure", inside=_DELL),
}
HPE: Final[Answers] = {
    ROOT: collection(f"{ROOT}/1/"),
    f"{ROOT}/1/": chassis(f"{ROOT}/1/", "RackMount", Power=f"{ROOT}/1/Power/"),
    f"{ROOT}/1/Power/": power(f"{ROOT}/1/Power/", ("", 590)),
}
LENOVO: Final[Answers] = {
    ROOT: collection(f"{ROOT}/1"),
    f"{ROOT}/1": chassis(f"{ROOT}/1", "RackMount", Power=f"{ROOT}/1/Power"),
    f"{ROOT}/1/Power": power(
        f"{ROOT}/1/Power",
        ("CPU Sub-system Power", 85),
        ("Server Power Control", 450.5),
        ("Memory Sub-system Power", 31),
    ),
}
_HGX: Final = f"{ROOT}/HGX_Chassis_0"
SUPERMICRO: Final[Answers] = {
    ROOT: collection(f"{ROOT}/1", _HGX, f"{ROOT}/HGX_GPU_SXM_1"),
    f"{ROOT}/1": chassis(f"{ROOT}/1", "RackMount", Power=f"{ROOT}/1/Power"),
    f"{ROOT}/1/Power": power(f"{ROOT}/1/Power", ("System Power Control", "6150"), context="Chassis"),
    _HGX: chassis(_HGX, "RackMount", inside=f"{ROOT}/1", EnvironmentMetrics=f"{_HGX}/EnvironmentMetrics"),
    f"{_HGX}/EnvironmentMetrics": metrics(5012.4, 63.9),
    f"{ROOT}/HGX_GPU_SXM_1": chassis(
        f"{ROOT}/HGX_GPU_SXM_1", "Module", inside=_HGX, EnvironmentMetrics=f"{ROOT}/HGX_GPU_SXM_1/EnvironmentMetrics"
    ),
    f"{ROOT}/HGX_GPU_SXM_1/EnvironmentMetrics": metrics(231.958, 12.5),
}
NEWER: Final[Answers] = {
    ROOT: collection(f"{ROOT}/Chassis_0"),
    f"{ROOT}/Chassis_0": chassis(
        f"{ROOT}/Chassis_0",
        "RackMount",
        EnvironmentMetrics=f"{ROOT}/Chassis_0/EnvironmentMetrics",
        Power=f"{ROOT}/Chassis_0/Power",
    ),
    f"{ROOT}/Chassis_0/EnvironmentMetrics": metrics(374, 57438, f"{ROOT}/Chassis_0/Sensors/Power"),
    f"{ROOT}/Chassis_0/Power": power(f"{ROOT}/Chassis_0/Power", ("", 380)),
}
KNOWN: Final[dict[str, tuple[Answers, float]]] = {
    "DMTF": (DMTF, 344.0),
    "Dell": (DELL, 412.0),
    "HPE": (HPE, 590.0),
    "Lenovo": (LENOVO, 450.5),
    "Supermicro": (SUPERMICRO, 6150.0),
    "newer": (NEWER, 374.0),
}
"""Each with the power of the whole machine."""
