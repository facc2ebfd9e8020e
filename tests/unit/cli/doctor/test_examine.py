"""What the doctor thinks of what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lightning_carbon.cli.doctor.examine import judge
from lightning_carbon.cli.doctor.watch import Watched
from lightning_carbon.energy.condition import Condition
from lightning_carbon.energy.readings import Provenance
from lightning_carbon.errors import ReadFailed
from lightning_carbon.ports import Finding, Source
from lightning_carbon.sources.simulated import GaugedGPU
from lightning_carbon.testing import ManualClock, ScriptedCounter, ScriptedGauge

if TYPE_CHECKING:
    from collections.abc import Sequence

CLOCK = ManualClock()
MOVING = Watched(readings=100, moves=10, tick_seconds=0.1, read_seconds=1e-5, watts=300.0)


def verdict(watched: Watched, provenance: Provenance = Provenance.COUNTER) -> str:
    """The verdict on a source of which this was seen."""
    finding = Finding("nvml", "GPU 0", ScriptedCounter(CLOCK, provenance=provenance))
    return judge([finding], 1.0, lambda _sources, _seconds: [watched])[0].verdict.value


@pytest.mark.parametrize(
    ("watched", "expected"),
    [
        (MOVING, "usable"),
        (Watched(readings=100), "still"),
        (Watched(readings=60, failed=40, moves=3, trouble="not now"), "usable"),
        (Watched(readings=40, failed=60, moves=3, trouble="not now"), "failing"),
        (Watched(failed=100, trouble="not now"), "failing"),
        (Watched(readings=100, moves=9, trouble="fell off the bus", gone=True), "failing"),
    ],
)
def test_what_was_seen_decides(watched: Watched, expected: str) -> None:
    """A counter has to move, to answer more often than not, and to be there at the end."""
    assert expected == verdict(watched)


def test_a_model_may_stand_still() -> None:
    """An idle process uses no processor time, which is no defect."""
    assert "usable" == verdict(Watched(readings=100), Provenance.MODELLED)


def test_only_what_was_found_is_watched_and_each_gets_its_own() -> None:
    """Those that are absent keep their reason and fix."""
    counter, gauge = ScriptedCounter(CLOCK), ScriptedGauge(CLOCK, lambda _seconds: 1.0)
    asked: list[Source] = []

    def watch(sources: Sequence[Source], _seconds: float) -> list[Watched]:
        asked.extend(sources)
        return [Watched(readings=1, moves=1), Watched(readings=2, moves=2)]

    findings = [
        Finding("nvml", "GPU 0", counter, "the better way was not there"),
        Finding("nvml", "NVIDIA GPUs", reason="none is visible", fix='set devices to "all"'),
        Finding("nvml", "GPU 1", gauge),
    ]
    reports = judge(findings, 1.0, watch)

    assert [counter, gauge] == asked
    assert [(1, "counter"), (0, None), (2, "gauge")] == [(report.readings, report.port) for report in reports]
    assert [True, False, True] == [report.usable for report in reports]
    assert ["the better way was not there", "none is visible", ""] == [report.reason for report in reports]
    assert 'set devices to "all"' == reports[1].fix


def test_a_counter_that_stands_still_is_told_so() -> None:
    """The reason names how long it was watched, before what was known of it anyway."""
    finding = Finding("rapl", "CPU package 0", ScriptedCounter(CLOCK), "known before")
    report = judge([finding], 0.5, lambda _sources, _seconds: [Watched(readings=9)])[0]

    assert report.reason.startswith("it did not move in the 0.5 s")
    assert report.reason.endswith("; known before")


def test_what_a_device_tells_beside_its_power_is_listed() -> None:
    """Temperature, clocks and throttling, in words, or why there are none."""
    told = GaugedGPU(condition=lambda _: Condition(temperature_celsius=50.0, throttled=frozenset()))

    def fail(_seconds: float) -> Condition:
        raise ReadFailed("as the test says")

    failing = GaugedGPU(condition=fail)
    findings = [Finding("given", "GPU", gpu, gauges=gpu) for gpu in (told, failing)]

    assert ["50 °C, not throttled", "nothing: as the test says"] == [
        source.condition for source in judge(findings, 0.0)
    ]
