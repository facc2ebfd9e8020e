"""Trainings on machines with and without a sensor at their plug, whose truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_carbon import Meter
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ConfigError
from lightning_carbon.ports import Source
from lightning_carbon.records.run import RunRecord
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.simulated import Constant, SimulatedGauge
from lightning_carbon.units import Power

CHIP_WATTS = 300.0
WALL_WATTS = 412.0


class Wall:
    """A meter at the plug of the simulated machine, which shows what it draws."""

    def __init__(self) -> None:
        domain = Domain(Kind.MACHINE, "machine:0", "machine at its plug")
        self.sensor = Sensor(domain, Provenance.INTEGRATED, 0.02, "a wall meter")

    def read_power(self) -> Power:
        """What the machine draws."""
        return Power(WALL_WATTS)


def trained(ledger: Path, *sources: Source, machine: str | None = None) -> RunRecord:
    """The record of a short training."""
    chip = SimulatedGauge(SystemClock(), Constant(CHIP_WATTS))
    with Meter(ledger=ledger, region="SE", sources=[chip, *sources], machine=machine, interval_seconds=0.02) as meter:
        for _ in range(20):
            meter.step_done()
            sum(range(100_000))
    return meter.record


def test_the_machine_lies_in_its_interval(tmp_path: Path) -> None:
    """What the wall would have shown lies in the range of the model, and in that of the sensor, which is narrower."""
    records = [trained(tmp_path, machine="desktop"), trained(tmp_path, Wall(), machine="desktop")]
    provenances = ["modelled", "integrated"]
    for record, provenance in zip(records, provenances, strict=True):
        assert record.machine is not None
        truth = WALL_WATTS * record.duration_seconds * record.energy.coverage_ratio

        assert record.machine.low_joules <= truth <= record.machine.high_joules
        assert provenance == record.machine.hosts[0].provenance
        assert "machine" == record.carbon.boundary


def test_given_sources_are_taken_as_they_are(tmp_path: Path) -> None:
    """Unless a class is named, nothing is added to what a user says is to be metered."""
    record = trained(tmp_path)

    assert (None, "chips") == (record.machine, record.carbon.boundary)


def test_a_class_that_nothing_has_is_refused(tmp_path: Path) -> None:
    """With the classes that there are."""
    with pytest.raises(ConfigError, match="server-8gpu-liquid"):
        Meter(ledger=tmp_path, machine="toaster")
