"""Trainings on machines with and without a sensor at their plug, whose truth is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightning_carbon import Meter
from lightning_carbon.cli.doctor.machine import machine_report
from lightning_carbon.energy.readings import Domain, Kind, Provenance, Sensor
from lightning_carbon.errors import ConfigError
from lightning_carbon.grid.machines import MACHINES
from lightning_carbon.ports import Source
from lightning_carbon.records.run import RunRecord
from lightning_carbon.settings import MACHINE
from lightning_carbon.sources.clock import SystemClock
from lightning_carbon.sources.discovery import discover
from lightning_carbon.sources.simulated import Constant, SimulatedGauge
from lightning_carbon.units import Power
from tests.worlds import write_world

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


def trained(ledger: Path, *sources: Source, machine: str | None = None, chip_watts: float = CHIP_WATTS) -> RunRecord:
    """The record of a short training."""
    chip = SimulatedGauge(SystemClock(), Constant(chip_watts))
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
        assert record.machine.interval is not None
        if provenance == "modelled":
            assert record.machine.interval.low <= truth <= record.machine.interval.high
        assert record.machine.interval.low > record.machine.low_joules
        assert record.machine.interval.high < record.machine.high_joules


@pytest.mark.parametrize(("world", "watts"), [("bmc", 412.0), ("laptop", 17.837376)])
def test_a_sensor_of_the_machine_decides_over_its_rest(tmp_path: Path, world: str, watts: float) -> None:
    """With the sensor of a recorded machine the rest is what that shows beyond the chips, else the model."""
    root = write_world(world, tmp_path)
    found = discover("auto", root / "no-powercap", {}, root=root, machine=True)
    [plug] = [finding.port for finding in found if finding.port and finding.port.sensor.domain.kind is Kind.MACHINE]
    with_sensor = trained(tmp_path / "with", plug, machine="laptop", chip_watts=watts / 2)
    without = trained(tmp_path / "without", machine="laptop", chip_watts=watts / 2)
    assert with_sensor.machine is not None
    assert without.machine is not None
    measured, modelled = with_sensor.machine.hosts[0], without.machine.hosts[0]
    seconds, chips = without.duration_seconds, without.energy.total_joules or 0.0

    assert ("integrated", "modelled") == (measured.provenance, modelled.provenance)
    assert pytest.approx(measured.joules - (with_sensor.energy.total_joules or 0.0)) == measured.rest_joules
    assert pytest.approx(8.0 * seconds + 0.10 * chips, abs=1e-3) == modelled.rest_joules
    assert measured.model == modelled.model


@pytest.mark.parametrize(("chassis", "expected"), [("10", "laptop"), ("23", "cpu-node"), ("3", "desktop")])
def test_the_doctor_says_what_machine_it_is(tmp_path: Path, chassis: str, expected: str) -> None:
    """By what the firmware says of its chassis, as assumed, with the range of its rest; or as the variable says."""
    root = write_world("laptop", tmp_path)
    (root / "sys/class/dmi/id/chassis_type").write_text(f"{chassis}\n")
    named = {"LIGHTNING_CARBON_MACHINE": "dgx-h100"}
    found = machine_report("auto", [], {}, root=root)
    given = machine_report(MACHINE.in_force(None, named), [], named, root=root)
    left_out = machine_report("none", [], {}, root=root)

    assert (expected, "assumed", "machine") == (found.machine, found.from_, found.boundary)
    assert found.constant_low_watts == MACHINES[expected].constant_low_watts
    assert ("dgx-h100", "LIGHTNING_CARBON_MACHINE", False) == (given.machine, given.from_, given.assumed)
    assert ("none", "chips", None) == (left_out.machine, left_out.boundary, left_out.constant_watts)


def test_given_sources_are_taken_as_they_are(tmp_path: Path) -> None:
    """Unless a class is named, nothing is added to what a user says is to be metered."""
    record = trained(tmp_path)

    assert (None, "chips") == (record.machine, record.carbon.boundary)


def test_a_class_that_nothing_has_is_refused(tmp_path: Path) -> None:
    """With the classes that there are."""
    with pytest.raises(ConfigError, match="server-8gpu-liquid"):
        Meter(ledger=tmp_path, machine="toaster")
