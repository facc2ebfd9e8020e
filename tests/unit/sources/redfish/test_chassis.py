"""Which chassis are the machine, and what each shows."""

from __future__ import annotations

import pytest

from lightning_carbon.errors import ReadFailed, SourceLost
from lightning_carbon.sources.redfish.chassis import PowerResource, find_meters, shown_by
from tests.unit.sources.redfish.answers import KNOWN, ROOT, Answers, chassis, collection, metrics, power


def watts(answers: Answers, *chosen: str) -> list[float | None]:
    """What each chassis shows that counts."""
    return [shown_by(meter, answers.get).watts for meter in find_meters(answers.get, chosen)]


def two(first: str, second: str, **links: str) -> Answers:
    """Two chassis of a kind each, with 300 W and 100 W."""
    answers: Answers = {ROOT: collection(f"{ROOT}/a", f"{ROOT}/b")}
    for name, kind, shown in (("a", first, 300), ("b", second, 100)):
        path = f"{ROOT}/{name}"
        answers[path] = chassis(path, kind, inside=links.get(name, ""), Power=f"{path}/Power")
        answers[f"{path}/Power"] = power(f"{path}/Power", ("", shown))
    return answers


@pytest.mark.parametrize("maker", KNOWN)
def test_the_whole_machine_is_found_by_any_maker(maker: str) -> None:
    """Without parts, sub-systems and what is inside the whole."""
    answers, expected = KNOWN[maker]

    assert [expected] == watts(answers)


def test_chassis_beside_each_other_add_up() -> None:
    """And what is inside another, at any depth, does not; nor does a resource that two chassis show."""
    inside = two("RackMount", "RackMount", b=f"{ROOT}/a/")
    contains = two("RackMount", "RackMount")
    contains[f"{ROOT}/a"]["Links"] = {"Contains": [{"@odata.id": f"{ROOT}/b"}]}
    same = two("RackMount", "RackMount")
    same[f"{ROOT}/b"]["Power"] = same[f"{ROOT}/a"]["Power"]
    circle = two("RackMount", "Component", a=f"{ROOT}/b", b=f"{ROOT}/a")

    assert [300.0, 100.0] == watts(two("RackMount", "RackMount"))
    assert [300.0] == watts(inside) == watts(contains) == watts(same) == watts(circle)


def test_a_sensor_that_two_resources_show_counts_once() -> None:
    """By what both say that they read."""
    answers: Answers = {ROOT: collection(f"{ROOT}/a", f"{ROOT}/b")}
    for path in (f"{ROOT}/a", f"{ROOT}/b"):
        answers[path] = chassis(path, "RackMount", EnvironmentMetrics=f"{path}/EnvironmentMetrics")
        answers[f"{path}/EnvironmentMetrics"] = metrics(300, source=f"{ROOT}/a/Sensors/Power")

    assert pytest.approx([300.0]) == watts(answers)


def test_an_enclosure_of_several_machines_is_asked_about() -> None:
    """The machine is then named in the address, and a name that is not there is told."""
    blades = two("Blade", "Blade")

    assert pytest.approx([100.0]) == watts(blades, "b")
    with pytest.raises(SourceLost, match=r"several machines \(a, b\); end the address"):
        watts(blades)
    with pytest.raises(SourceLost, match="no chassis c"):
        watts(blades, "c")


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {ROOT: {"Members": "many"}},
        {ROOT: collection()},
        {ROOT: {"Members": [3, {"@odata.id": 3}, {"@odata.id": "https://elsewhere/redfish/v1/Chassis/1"}]}},
        {ROOT: collection("/redfish/v1/../../etc/passwd", "/redfish/v1/Chassis/gone")},
        two("Component", "Rack"),
        {ROOT: collection(f"{ROOT}/a"), f"{ROOT}/a": {"Power": {"@odata.id": f"{ROOT}/a/Power"}, "Links": 3}},
    ],
)
def test_a_service_without_a_machine_is_no_meter(answers: Answers) -> None:
    """Whatever it lists; it is asked again."""
    with pytest.raises(ReadFailed):
        watts(answers)


@pytest.mark.parametrize("shown", [None, 0, -3, "", "many", True, [412], float("nan"), float("inf"), 1e9, 10**400])
def test_what_is_no_power_is_no_reading(shown: object) -> None:
    """Firmware shows zero or nothing where it does not know."""
    path = f"{ROOT}/1/Power"
    resources: Answers = {path: power(path, ("", shown)), f"{path}2": metrics(shown)}

    for meter in (PowerResource(path, is_metrics=False), PowerResource(f"{path}2", is_metrics=True)):
        with pytest.raises(ReadFailed):
            shown_by(meter, resources.get)


@pytest.mark.parametrize(
    "resource", [{}, {"PowerControl": 3}, {"PowerControl": [3]}, {"PowerWatts": 3, "EnergykWh": 3}]
)
def test_a_resource_of_another_form_is_no_reading(resource: dict[str, object]) -> None:
    """Neither in the older form nor in the newer."""
    for is_metrics in (False, True):
        with pytest.raises(ReadFailed):
            shown_by(PowerResource("/redfish/v1/x", is_metrics), {"/redfish/v1/x": resource}.get)


def test_a_control_of_another_place_is_not_the_machine_s() -> None:
    """By its context, or its name."""
    path = f"{ROOT}/1/Power"
    resource = power(path, ("Total", 85), context="CPU")

    with pytest.raises(ReadFailed):
        shown_by(PowerResource(path, is_metrics=False), {path: resource}.get)
